// @ts-check
/** @typedef {import('./types.js').LayerMetrics} LayerMetrics */
/** @typedef {import('./types.js').DrawnSeries} DrawnSeries */
/** @typedef {import('./types.js').SvgNode} SvgNode */
import {bandPath} from './band_path.js';
import {drawnLayers} from './drawn_layers.js';
import {formatScore} from './format.js';
import {layerScale} from './layer_scale.js';
import {layerTicks} from './layer_ticks.js';
import {linePath} from './line_path.js';
import {linearScale} from './linear_scale.js';
import {marker} from './marker.js';
import {niceTicks} from './nice_ticks.js';
import {COLORS, SPLIT_STYLES} from './palette.js';
import {svgNode} from './svg_node.js';

export const FONT = "Roboto, 'Helvetica Neue', Arial, sans-serif";
/** Room around the plot, in pixels; charts that stand under the curve use the same left and right to line up with it. */
export const MARGIN = {top: 24, right: 14, bottom: 40, left: 56};

/**
 * The curve of a metric over layers.
 *
 * @param {LayerMetrics} answer
 * @param {object} view
 * @param {number} view.width
 * @param {number} view.height
 * @param {DrawnSeries[]} view.drawn
 * @param {[number, number]} view.domain  the range of the score axis; see `scoreDomain`
 * @param {?number} view.currentLayer  the layer whose column is tinted; null for none
 * @param {?number} view.hoveredLayer  the layer under the pointer; null for none
 * @returns {SvgNode}  an `svg` that needs no style sheet
 */
export function curveChart(answer, {width, height, drawn, domain, currentLayer, hoveredLayer}) {
  const bottom = height - MARGIN.bottom;
  const right = width - MARGIN.right;
  const layers = layerScale(answer.n_layers, [MARGIN.left, right]);
  const y = linearScale(domain, [bottom, MARGIN.top]);
  const plot = {top: MARGIN.top, right, bottom, left: MARGIN.left, layers, y};
  const lines = drawn.filter(({mode}) => mode === 'line');

  return svgNode('svg', {xmlns: 'http://www.w3.org/2000/svg', width, height, viewBox: `0 0 ${width} ${height}`, 'font-family': FONT, 'font-size': 11, fill: COLORS.text},
    currentLayer === null ? null : currentColumn(plot, currentLayer),
    scoreAxis(plot, domain, answer.metric_title),
    layerAxis(plot, answer, currentLayer),
    ...majorityLines(plot, lines, answer.best_layer < answer.n_layers / 2 ? 'end' : 'start'),
    chosenMark(plot, answer),
    hoveredLayer === null ? null : crosshair(plot, hoveredLayer),
    // The first series ends up on top.
    ...drawn.map((one) => band(plot, one, lines.length > 1 ? 0.1 : 0.16)).reverse(),
    ...drawn.map((one) => scores(plot, one, answer.best_layer, lines.length > 0, hoveredLayer)).reverse(),
  );
}

/**
 * @typedef {object} Plot  The area inside the axes, in pixels, with its two scales.
 * @property {number} top
 * @property {number} right
 * @property {number} bottom
 * @property {number} left
 * @property {ReturnType<typeof layerScale>} layers
 * @property {(score: number) => number} y
 */

/** @param {Plot} plot @param {number} layer @returns {SvgNode} */
function currentColumn({top, bottom, layers}, layer) {
  const width = Math.min(layers.band, 44);
  return svgNode('rect', {class: 'current-layer', x: (layers.x(layer) - width / 2).toFixed(2), y: top, width: width.toFixed(2), height: bottom - top, fill: COLORS.current});
}

/** @param {Plot} plot @param {[number, number]} domain @param {string} title @returns {SvgNode} */
function scoreAxis({top, right, bottom, left, y}, domain, title) {
  const {values, digits} = niceTicks(domain[0], domain[1], (bottom - top) / 34);
  const middle = (top + bottom) / 2;
  return svgNode('g', {class: 'score-axis'},
    ...values.map((value) => svgNode('line', {x1: left, x2: right, y1: y(value).toFixed(2), y2: y(value).toFixed(2), stroke: COLORS.grid})),
    ...values.map((value) => svgNode('text', {x: left - 8, y: (y(value) + 4).toFixed(2), 'text-anchor': 'end'}, value.toFixed(digits).replace('-', '−'))),
    svgNode('text', {class: 'axis-title', transform: `translate(14 ${middle}) rotate(-90)`, 'text-anchor': 'middle', 'font-size': 12, 'font-weight': 'bold'}, title),
  );
}

/** @param {Plot} plot @param {LayerMetrics} answer @param {?number} currentLayer @returns {SvgNode} */
function layerAxis({right, bottom, left, layers}, answer, currentLayer) {
  const always = [0, answer.best_layer, ...(currentLayer === null ? [] : [currentLayer])];
  const ticks = layerTicks(answer.n_layers, layers.band, always);
  // The word "embeddings" is wider than a narrow column: it then ends at the column's right edge, under the score axis' labels.
  const crowded = layers.band < 62;
  const label = (/** @type {number} */ layer) => {
    const word = layer === 0;
    const x = word && crowded ? layers.x(0) + Math.min(layers.band / 2, 12) : layers.x(layer);
    const anchor = word && crowded ? 'end' : 'middle';
    const weight = layer === currentLayer ? 'bold' : 'normal';
    return svgNode('text', {x: x.toFixed(2), y: bottom + 17, 'text-anchor': anchor, 'font-weight': weight}, word ? 'embeddings' : String(layer));
  };
  return svgNode('g', {class: 'layer-axis'},
    svgNode('line', {x1: left, x2: right, y1: bottom, y2: bottom, stroke: COLORS.axis}),
    ...ticks.map((layer) => svgNode('line', {x1: layers.x(layer).toFixed(2), x2: layers.x(layer).toFixed(2), y1: bottom, y2: bottom + 4, stroke: COLORS.axis})),
    ...ticks.map(label),
    svgNode('text', {class: 'axis-title', x: (left + right) / 2, y: bottom + 34, 'text-anchor': 'middle', 'font-size': 12, 'font-weight': 'bold'}, 'Layer'),
  );
}

/**
 * One dashed line per drawn curve, with one label for all of them: below the lowest, where curves rarely go, if it fits there.
 *
 * @param {Plot} plot @param {DrawnSeries[]} lines @param {'start'|'end'} side  of the label: away from the chosen layer's marks
 * @returns {SvgNode[]}
 */
function majorityLines({right, bottom, left, y}, lines, side) {
  const known = lines.flatMap((one) => (one.series.majority === null ? [] : [{one, height: y(one.series.majority), value: formatScore(one.series.majority)}]));
  if (known.length === 0) return [];
  const values = known.map(({one, value}) => (known.length > 1 ? `${one.series.split} ${value}` : value));
  const heights = known.map(({height}) => height);
  const below = Math.max(...heights) + 12;
  const labelY = below < bottom - 2 ? below : Math.min(...heights) - 4;
  return [
    ...known.map(({one, height}) => svgNode('line', {
      class: 'majority', x1: left, x2: right, y1: height.toFixed(2), y2: height.toFixed(2),
      stroke: known.length > 1 ? styleOf(one).color : COLORS.quietText, 'stroke-dasharray': '4 3',
    })),
    svgNode('text', {class: 'majority', x: side === 'end' ? right : left + 4, y: labelY.toFixed(2), 'text-anchor': side, fill: COLORS.quietText, ...HALO}, `majority class ${values.join(', ')}`),
  ];
}

const HALO = {stroke: COLORS.paper, 'stroke-width': 3, 'stroke-linejoin': 'round', 'paint-order': 'stroke'};

/** @param {Plot} plot @param {LayerMetrics} answer @returns {SvgNode} */
function chosenMark({top, bottom, left, right, layers}, answer) {
  const x = layers.x(answer.best_layer);
  const label = `chosen on ${answer.chosen_on}`;
  const half = 3.1 * label.length;
  const center = Math.min(right - half, Math.max(left + half, x));
  return svgNode('g', {class: 'chosen-layer'},
    svgNode('line', {x1: x.toFixed(2), x2: x.toFixed(2), y1: top, y2: bottom, stroke: COLORS.accent, 'stroke-width': 1, 'stroke-dasharray': '1 3'}),
    svgNode('path', {d: `M${(x - 5).toFixed(2)},${top - 7}h10l-5,7Z`, fill: COLORS.accent}),
    svgNode('text', {x: center.toFixed(2), y: top - 11, 'text-anchor': 'middle', fill: COLORS.accent}, label),
  );
}

/** @param {Plot} plot @param {number} layer @returns {SvgNode} */
function crosshair({top, bottom, layers}, layer) {
  const x = layers.x(layer).toFixed(2);
  return svgNode('line', {class: 'crosshair', x1: x, x2: x, y1: top, y2: bottom, stroke: COLORS.axis, 'stroke-width': 1});
}

/** @param {DrawnSeries} one @returns {{color: string, marker: 'circle'|'diamond'|'square', dash: string}} */
function styleOf({series}) {
  const style = SPLIT_STYLES[series.split];
  return series.reliable ? style : {...style, color: COLORS.unreliable};
}

/** @param {Plot} plot @param {DrawnSeries} one @param {number} opacity @returns {?SvgNode} */
function band({layers, y}, one, opacity) {
  if (one.mode !== 'line') return null;
  const points = one.series.layers.map(({layer, low, high}) => ({
    x: layers.x(layer),
    low: low === null ? null : y(low),
    high: high === null ? null : y(high),
  }));
  return svgNode('path', {class: `band ${one.series.split}`, d: bandPath(points), fill: styleOf(one).color, 'fill-opacity': opacity});
}

/**
 * @param {Plot} plot @param {DrawnSeries} one @param {number} bestLayer @param {boolean} besideLine @param {?number} hoveredLayer
 * @returns {?SvgNode}
 */
function scores({layers, y}, one, bestLayer, besideLine, hoveredLayer) {
  if (one.mode === 'hidden') return null;
  const {color, marker: shape, dash} = styleOf(one);
  // A lone point would hide the curve's point of that layer, so it stands a little to the right.
  const shift = one.mode === 'point' && besideLine ? Math.min(9, layers.band / 4) : 0;
  const points = drawnLayers(one.series, one.mode, bestLayer)
    .map(({layer, score, low, high}) => ({layer, x: layers.x(layer) + shift, y: score === null ? null : y(score), low, high}));
  const bars = one.mode === 'line' ? [] : points;
  const size = Math.min(4, Math.max(2, layers.band / 4));
  const marks = points.flatMap(({layer, x, y: height}) => (height === null ? [] : [marker(shape, x, height, layer === hoveredLayer ? size * 1.4 : size, color)]));
  return svgNode('g', {class: `series ${one.series.split} ${one.mode}`},
    svgNode('path', {class: 'line', d: linePath(points), fill: 'none', stroke: color, 'stroke-width': 2, 'stroke-linejoin': 'round', 'stroke-dasharray': dash || 'none'}),
    ...bars.map(({x, low, high}) => (low === null || high === null ? null : intervalBar(x, y(low), y(high), color))),
    ...marks,
  );
}

/** @param {number} x @param {number} low @param {number} high @param {string} color @returns {SvgNode} */
function intervalBar(x, low, high, color) {
  const [left, right] = [(x - 3).toFixed(2), (x + 3).toFixed(2)];
  const d = `M${left},${high.toFixed(2)}H${right}M${x.toFixed(2)},${high.toFixed(2)}V${low.toFixed(2)}M${left},${low.toFixed(2)}H${right}`;
  return svgNode('path', {class: 'interval', d, fill: 'none', stroke: color, 'stroke-width': 1.5});
}
