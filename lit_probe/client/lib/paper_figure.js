// @ts-check
/** @typedef {import('./types.js').LayerMetrics} LayerMetrics */
/** @typedef {import('./types.js').DrawnSeries} DrawnSeries */
/** @typedef {import('./types.js').SvgNode} SvgNode */
import {curveChart, FONT, MARGIN} from './curve_chart.js';
import {marker} from './marker.js';
import {COLORS, SPLIT_STYLES} from './palette.js';
import {scoreDomain} from './score_domain.js';
import {seriesLegend} from './series_legend.js';
import {svgNode} from './svg_node.js';

const WIDTH = 640;
const CHART_HEIGHT = 340;
const HEAD = 46;
const LINE = 17;

/**
 * The curve as a figure that stands alone: what was measured above it, its legend below it, a fixed size, and nothing that
 * belongs to the screen (no current layer, no pointer).
 *
 * @param {LayerMetrics} answer
 * @param {DrawnSeries[]} drawn
 * @param {string} examples  which examples were scored, in words
 * @param {string} dataset
 * @returns {SvgNode}
 */
export function paperFigure(answer, drawn, examples, dataset) {
  const visible = drawn.filter(({mode}) => mode !== 'hidden');
  const height = HEAD + CHART_HEIGHT + (visible.length + 1) * LINE + 10;
  const domain = scoreDomain(drawn, answer.best_layer);
  const chart = curveChart(answer, {width: WIDTH, height: CHART_HEIGHT, drawn, domain, currentLayer: null, hoveredLayer: null});
  const title = `${answer.metric_title} of ${answer.probe} probes by layer: ${answer.encoder} on ${dataset}`;
  const setting = `${answer.pooling} pooling · probes trained on ${answer.trained_on} · ${examples}`;
  return svgNode('svg', {xmlns: 'http://www.w3.org/2000/svg', width: WIDTH, height, viewBox: `0 0 ${WIDTH} ${height}`, 'font-family': FONT, 'font-size': 11, fill: COLORS.text},
    svgNode('title', {}, title),
    svgNode('rect', {width: WIDTH, height, fill: COLORS.paper}),
    svgNode('text', {x: MARGIN.left, y: 20, 'font-size': 13, 'font-weight': 'bold'}, title),
    svgNode('text', {x: MARGIN.left, y: 37, fill: COLORS.quietText}, setting),
    svgNode('g', {transform: `translate(0 ${HEAD})`}, chart),
    ...visible.map((one, i) => legendLine(one, answer, HEAD + CHART_HEIGHT + 10 + i * LINE)),
    svgNode('text', {x: MARGIN.left, y: HEAD + CHART_HEIGHT + 10 + visible.length * LINE + 4, fill: COLORS.quietText},
      'Shaded bands and bars: 95 % intervals. Dashed horizontal line: always answering the larger class.'),
  );
}

/** @param {DrawnSeries} one @param {LayerMetrics} answer @param {number} y @returns {SvgNode} */
function legendLine(one, answer, y) {
  const style = SPLIT_STYLES[one.series.split];
  const color = one.series.reliable ? style.color : COLORS.unreliable;
  const x = MARGIN.left;
  return svgNode('g', {},
    one.mode === 'line' ? svgNode('line', {x1: x, x2: x + 26, y1: y, y2: y, stroke: color, 'stroke-width': 2, 'stroke-dasharray': style.dash || 'none'}) : null,
    marker(style.marker, x + 13, y, 4, color),
    svgNode('text', {x: x + 34, y: y + 4}, seriesLegend(one, answer.best_layer) + (one.series.reliable ? '' : ` (${one.series.reason})`)),
  );
}
