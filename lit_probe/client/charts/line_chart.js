// @ts-check
/** Lines with interval bands over one axis, their marks and how a legend shows them: all our curves are drawn by this file. */
/** @import {ChartSeries, Chosen, LineStyle, Margin, PlacedAxis, Reference, SvgNode} from './types.js' */
import {linearScale, niceTicks} from './axes.js';
import {COLORS} from './palette.js';
import {svgLabel, svgNode} from './svg.js';

export const FONT = "Roboto, 'Helvetica Neue', Arial, sans-serif";
/** Room around the plot, in pixels; charts that stand under one another use the same left and right to line up. */
export const MARGIN = {top: 24, right: 14, bottom: 40, left: 56};
export const HALO = {stroke: COLORS.paper, 'stroke-width': 3, 'stroke-linejoin': 'round', 'paint-order': 'stroke'};
const LABEL_HEIGHT = 13;
/** The bar above the horizontal axis that marks layers, and the room it takes with its label. */
const BAR = {height: 5, room: 20};
const TITLE_CHARACTER = 6.8;
const TICK_CHARACTER = 6.2;
const LONGEST_PLAIN = 7;

/**
 * Lines with interval bands over one axis: all our curves are drawn by it, over layers and over numbers of examples.
 *
 * @param {object} view
 * @param {number} view.width
 * @param {number} view.height
 * @param {(range: [number, number]) => PlacedAxis} view.axis  the horizontal axis, once its place in pixels is known
 * @param {string} view.yTitle
 * @param {[number, number]} view.domain  the range of the vertical axis
 * @param {ChartSeries[]} view.series  the first one ends up on top
 * @param {Reference[]} [view.references]  horizontal lines, named at their right end
 * @param {?{layers: number[], label: string}} [view.marked]  the layers with a bar above the axis, and the bar's words
 * @param {?Chosen|Chosen[]} [view.chosen]  a place on the horizontal axis that is marked, or several
 * @param {?number} [view.current]  the layer whose column is tinted
 * @param {?number} [view.hovered]  the place under the pointer
 * @param {Margin} [view.margin]  the room around the plot; see `marginFor`
 * @param {(plot: {left: number, right: number, top: number, bottom: number, floor: number, y: (value: number) => number}) => SvgNode[]} [view.beneath]
 *     draws what else belongs under the lines
 * @param {(plot: {left: number, right: number, floor: number, y: (value: number) => number}) => SvgNode[]} [view.above]  and over them
 * @returns {SvgNode}  an `svg` that needs no style sheet
 */
export function lineChart({
  width, height, axis, yTitle, domain, series, references = [], marked = null, chosen = null, current = null, hovered = null,
  margin = MARGIN, beneath = () => [], above = () => [],
}) {
  const bottom = height - margin.bottom;
  const right = width - margin.right;
  const placed = axis([margin.left, right]);
  const floor = marked?.layers.length ? bottom - BAR.room : bottom;
  const plot = {top: margin.top, right, bottom, floor, left: margin.left, axis: placed, y: linearScale(domain, [floor, margin.top])};
  const {groupOf} = placed;
  const drawn = groupOf ? series.map((one) => ({...one, points: brokenUp(one.points, groupOf)})) : series;
  const lines = drawn.filter(({mode}) => mode === 'line');
  const bands = lines.filter(({band}) => band !== false);

  return svgNode('svg', {xmlns: 'http://www.w3.org/2000/svg', width, height, viewBox: `0 0 ${width} ${height}`, 'font-family': FONT, 'font-size': 11, fill: COLORS.text},
    current === null ? null : column(plot, current, 'current-layer', Math.min(placed.band, 44), COLORS.current),
    verticalAxis(plot, domain, yTitle, height),
    horizontalAxis(plot),
    ...beneath(plot),
    ...references.map((one) => referenceLine(plot, one)),
    ...[chosen ?? []].flat().map((one) => chosenMark(plot, one)),
    hovered === null ? null : crosshair(plot, hovered),
    ...bands.map((one) => band(plot, one, bands.length > 1 ? 0.1 : 0.16)).reverse(),
    ...drawn.map((one) => scores(plot, one, lines.length > 0, hovered)).reverse(),
    ...(marked ? markedBar(plot, marked) : []),
    ...above(plot),
    ...endLabels(plot, series, references),
  );
}

/**
 * The room around a plot whose lines are named at their right end.
 *
 * @param {string[]} labels
 * @param {Margin} [margin]  the room without labels
 * @returns {Margin}
 */
export function marginFor(labels, margin = MARGIN) {
  const longest = Math.max(0, ...labels.map((label) => label.length));
  return {...margin, right: Math.max(margin.right, longest === 0 ? 0 : 10 + Math.ceil(5.7 * longest))};
}

/**
 * @typedef {object} Plot  The area inside the axes, in pixels, with its two scales.
 * @property {number} top
 * @property {number} right
 * @property {number} bottom
 * @property {number} floor  above `bottom` where a bar stands between the values and the axis
 * @property {number} left
 * @property {PlacedAxis} axis
 * @property {(value: number) => number} y
 */

/** @param {Plot} plot @param {number} layer @param {string} name @param {number} width @param {string} fill @returns {SvgNode} */
function column({top, bottom, axis}, layer, name, width, fill) {
  return svgNode('rect', {class: name, x: (axis.x(layer) - width / 2).toFixed(2), y: top, width: width.toFixed(2), height: bottom - top, fill});
}

/** @param {Plot} plot @param {{layers: number[], label: string}} marked @returns {SvgNode[]} */
function markedBar({bottom, left, right, axis}, {layers, label}) {
  const y = bottom - BAR.height - 1;
  const bars = layers.map((layer) => svgNode('rect', {
    class: 'marked-layer', x: (axis.x(layer) - axis.band / 2 + 0.5).toFixed(2), y, width: (axis.band - 1).toFixed(2), height: BAR.height, fill: COLORS.marked}));
  if (layers.length === 0) return [];
  // The label stands over its bars, as far as the plot goes.
  const half = 2.7 * label.length;
  const middle = (axis.x(layers[0]) + axis.x(layers[layers.length - 1])) / 2;
  const x = Math.min(right - half, Math.max(left + half, middle));
  if (half > (right - left) / 2) return bars;
  return [...bars, svgNode('text', {class: 'marked-label', x: x.toFixed(2), y: y - 4, 'text-anchor': 'middle', 'font-size': 10, fill: COLORS.markedText, ...HALO}, label)];
}

/** @param {Plot} plot @param {[number, number]} domain @param {string} title @param {number} height  the chart's height @returns {SvgNode} */
function verticalAxis({top, right, floor: bottom, left, y}, domain, title, height) {
  const {values, step, digits} = niceTicks(domain[0], domain[1], (bottom - top) / 34);
  const room = left - 8 - (title === '' ? 2 : 18);
  // Numbers in a unit of their own may be longer than there is room.
  const labels = tickLabels(values, step, digits);
  const middle = (top + bottom) / 2;
  return svgNode('g', {class: 'score-axis'},
    ...values.map((value) => svgNode('line', {x1: left, x2: right, y1: y(value).toFixed(2), y2: y(value).toFixed(2), stroke: COLORS.grid})),
    ...values.map((value, i) => svgNode('text', {
      x: left - 8, y: (y(value) + 4).toFixed(2), 'text-anchor': 'end', ...(labels[i].length * TICK_CHARACTER > room ? {textLength: room, lengthAdjust: 'spacingAndGlyphs'} : {}),
    }, labels[i])),
    title === '' ? null
      : svgLabel({class: 'axis-title', transform: `translate(14 ${middle}) rotate(-90)`, 'text-anchor': 'middle', 'font-size': 12, 'font-weight': 'bold'}, title,
        2 * Math.min(middle, height - middle) - 4, TITLE_CHARACTER),
  );
}

/** Ticks in plain digits, or, where those are many, as powers of ten. @param {number[]} values @param {number} step @param {number} digits @returns {string[]} */
function tickLabels(values, step, digits) {
  const plain = values.map((value) => value.toFixed(digits).replace('-', '−'));
  const largest = Math.max(0, ...values.map(Math.abs));
  if (largest === 0 || plain.every((label) => label.length <= LONGEST_PLAIN)) return plain;
  const decimals = Math.min(15, Math.max(0, Math.floor(Math.log10(largest)) - Math.floor(Math.log10(step) + 1e-9)));
  const powers = values.map((value) => (value === 0 ? '0' : value.toExponential(decimals).replace('+', '').replaceAll('-', '−')));
  const longest = (/** @type {string[]} */ labels) => Math.max(...labels.map(({length}) => length));
  return longest(powers) < longest(plain) ? powers : plain;
}

/** @param {Plot} plot @returns {SvgNode} */
function horizontalAxis({right, bottom, left, axis}) {
  return svgNode('g', {class: 'layer-axis'},
    svgNode('line', {x1: left, x2: right, y1: bottom, y2: bottom, stroke: COLORS.axis}),
    ...axis.ticks.map(({at}) => svgNode('line', {x1: axis.x(at).toFixed(2), x2: axis.x(at).toFixed(2), y1: bottom, y2: bottom + 4, stroke: COLORS.axis})),
    ...axis.ticks.map(({at, label, shift = 0, anchor = 'middle', bold = false}) =>
      svgNode('text', {x: (axis.x(at) + shift).toFixed(2), y: bottom + 17, 'text-anchor': anchor, 'font-weight': bold ? 'bold' : 'normal'}, label)),
    ...groupMarks(axis, bottom),
    axis.title === '' ? null
      : svgNode('text', {class: 'axis-title', x: (left + right) / 2, y: bottom + 34, 'text-anchor': 'middle', 'font-size': 12, 'font-weight': 'bold'}, axis.title),
  );
}

/** The kinds of places under an axis, each under its own columns, with a stroke between two. @param {PlacedAxis} axis @param {number} bottom @returns {SvgNode[]} */
export function groupMarks({groups = [], band, x}, bottom) {
  return groups.flatMap(({from, to, label}, i) => {
    const [start, end] = [x(from) - band / 2, x(to) + band / 2];
    return [
      ...(i === 0 ? [] : [svgNode('line', {class: 'group-start', x1: start.toFixed(2), x2: start.toFixed(2), y1: bottom, y2: bottom + 22, stroke: COLORS.axis})]),
      // A name that is cut says less than none: pointing at a column names its place.
      ...(label === '' || label.length * TITLE_CHARACTER > end - start ? [] : [svgNode('text', {class: 'axis-title', x: ((start + end) / 2).toFixed(2), y: bottom + 34, 'text-anchor': 'middle', 'font-size': 12, 'font-weight': 'bold'}, label)]),
    ];
  });
}

/**
 * Points with a gap wherever the next one is of another kind.
 *
 * @param {ChartSeries['points']} points
 * @param {(value: number) => number} groupOf
 * @returns {ChartSeries['points']}
 */
export function brokenUp(points, groupOf) {
  return points.flatMap((point, i) => (i > 0 && groupOf(points[i - 1].x) !== groupOf(point.x) ? [{x: point.x, score: null, low: null, high: null}, point] : [point]));
}

/** @param {Plot} plot @param {Reference} reference @returns {SvgNode} */
function referenceLine({right, left, y}, {name, value, color, dash}) {
  const height = y(value).toFixed(2);
  return svgNode('line', {class: `reference ${name}`, x1: left, x2: right, y1: height, y2: height, stroke: color, 'stroke-width': 1.5, 'stroke-dasharray': dash});
}

/** The names of lines beside their right ends, moved apart where they would overlap. @param {Plot} plot @param {ChartSeries[]} series @param {Reference[]} references @returns {SvgNode[]} */
function endLabels({right, top, floor, y}, series, references) {
  const ends = [
    ...references.filter(({label}) => label !== '').map(({label, value, color}) => ({label, value, color})),
    ...series.flatMap(({label, points, style}) => {
      const last = points.findLast(({score}) => score !== null);
      return label && last ? [{label, value: /** @type {number} */ (last.score), color: style.color}] : [];
    }),
  ];
  const heights = spreadLabels(ends.map(({value}) => y(value)), LABEL_HEIGHT, [top, floor]);
  return ends.map(({label, color}, i) => svgNode('text', {class: 'end-label', x: right + 5, y: (heights[i] + 4).toFixed(2), fill: color}, label));
}

/** @param {Plot} plot @param {Chosen} chosen @returns {SvgNode} */
function chosenMark({top, bottom, left, right, axis}, {at, label, color = COLORS.accent}) {
  const x = axis.x(at);
  const half = 3.1 * label.length;
  const center = Math.min(right - half, Math.max(left + half, x));
  return svgNode('g', {class: 'chosen-layer'},
    svgNode('line', {x1: x.toFixed(2), x2: x.toFixed(2), y1: top, y2: bottom, stroke: color, 'stroke-width': 1, 'stroke-dasharray': '1 3'}),
    svgNode('path', {d: `M${(x - 5).toFixed(2)},${top - 7}h10l-5,7Z`, fill: color}),
    label === '' ? null : svgNode('text', {x: center.toFixed(2), y: top - 11, 'text-anchor': 'middle', fill: color}, label),
  );
}

/** @param {Plot} plot @param {number} at @returns {SvgNode} */
function crosshair({top, bottom, axis}, at) {
  const x = axis.x(at).toFixed(2);
  return svgNode('line', {class: 'crosshair', x1: x, x2: x, y1: top, y2: bottom, stroke: COLORS.axis, 'stroke-width': 1});
}

/** @param {Plot} plot @param {ChartSeries} one @param {number} opacity @returns {SvgNode} */
function band({axis, y}, {name, points, style, footnote}, opacity) {
  const edges = points.map(({x, low, high}) => ({x: axis.x(x), low: low === null ? null : y(low), high: high === null ? null : y(high)}));
  // What is no interval has a rim, so that the two are told apart where they overlap, and in grey print.
  const rim = footnote ? {stroke: style.color, 'stroke-width': 1, 'stroke-dasharray': '2 2', 'stroke-opacity': 0.7} : {};
  return svgNode('path', {class: `band ${name}`, d: bandPath(edges), fill: style.color, 'fill-opacity': opacity, ...rim});
}

/** @param {Plot} plot @param {ChartSeries} one @param {boolean} besideLine @param {?number} hovered @returns {SvgNode} */
function scores({axis, y}, {name, mode, points, style}, besideLine, hovered) {
  const {color, marker: shape, dash, width = 2} = style;
  // A lone point would hide the curve's point of that layer, so it stands a little to the right.
  const shift = mode === 'point' && besideLine ? Math.min(9, axis.band / 4) : 0;
  const placed = points.map(({x, score, low, high}) => ({at: x, x: axis.x(x) + shift, y: score === null ? null : y(score), low, high}));
  const bars = mode === 'line' ? [] : placed;
  const size = Math.min(4, Math.max(2, axis.band / 4));
  const marks = shape === null ? []
    : placed.flatMap(({at, x, y: height}) => (height === null ? [] : [marker(shape, x, height, at === hovered ? size * 1.4 : size, color)]));
  return svgNode('g', {class: `series ${name} ${mode}`},
    mode === 'point' ? null : svgNode('path', {class: 'line', d: linePath(placed), fill: 'none', stroke: color, 'stroke-width': width, 'stroke-linejoin': 'round', 'stroke-dasharray': dash || 'none'}),
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

/**
 * The outline of an interval band; points without an interval split it into several areas.
 *
 * A stretch of a single point has no area and is left out: its interval is drawn as a bar by the caller.
 *
 * @param {{x: number, low: ?number, high: ?number}[]} points  places in pixels
 * @returns {string}  the `d` attribute of an SVG path
 */
export function bandPath(points) {
  /** @type {{x: number, low: number, high: number}[][]} */
  const stretches = [[]];
  for (const {x, low, high} of points) {
    if (low === null || high === null) stretches.push([]);
    else stretches[stretches.length - 1].push({x, low, high});
  }
  return stretches
    .filter((stretch) => stretch.length > 1)
    .map((stretch) => {
      const upper = stretch.map(({x, high}) => `${x.toFixed(2)},${high.toFixed(2)}`);
      const lower = stretch.map(({x, low}) => `${x.toFixed(2)},${low.toFixed(2)}`).reverse();
      return `M${[...upper, ...lower].join('L')}Z`;
    })
    .join('');
}

/**
 * The path of a line through points; a point without a value interrupts it.
 *
 * @param {{x: number, y: ?number}[]} points  places in pixels
 * @returns {string}  the `d` attribute of an SVG path
 */
export function linePath(points) {
  let pen = 'M';
  let path = '';
  for (const {x, y} of points) {
    if (y === null) {
      pen = 'M';
      continue;
    }
    path += `${pen}${x.toFixed(2)},${y.toFixed(2)}`;
    pen = 'L';
  }
  return path;
}

/**
 * Moves labels apart that would stand on one another, each as little as its neighbours allow.
 *
 * @param {number[]} wanted  the place where the middle of each label should be, in pixels
 * @param {number} height  a label's height
 * @param {[number, number]} range  the labels' middles stay inside it as long as there is room
 * @returns {number[]}  in the order of `wanted`
 */
export function spreadLabels(wanted, height, [top, bottom]) {
  const order = wanted.map((_, i) => i).sort((a, b) => wanted[a] - wanted[b] || a - b);
  const placed = [...wanted];
  let free = top;
  for (const i of order) {
    placed[i] = Math.max(wanted[i], free);
    free = placed[i] + height;
  }
  let ceiling = bottom;
  for (const i of order.reverse()) {
    placed[i] = Math.min(placed[i], ceiling);
    ceiling = placed[i] - height;
  }
  return placed;
}

/**
 * One column of a check's rows as points of a chart over layers.
 *
 * @param {Record<string, any>[]} layers  rows with a `layer`
 * @param {string} score  the column's name
 * @param {{low: string, high: string}} [interval]  the names of the columns with its ends
 * @returns {{x: number, score: ?number, low: ?number, high: ?number}[]}
 */
export function layerPoints(layers, score, interval) {
  return layers.map((row) => ({x: row.layer, score: row[score], low: interval ? row[interval.low] : null, high: interval ? row[interval.high] : null}));
}

/**
 * How a series looks, for its line in a legend: 26 pixels of its line with its mark, or the mark alone.
 *
 * @param {LineStyle} style
 * @param {boolean} line
 * @param {{x?: number, y?: number}} [at]  the left end of its middle
 * @returns {SvgNode}
 */
export function legendMark({color, marker: shape, dash}, line, {x = 0, y = 6} = {}) {
  const width = line ? 26 : 12;
  return svgNode('g', {},
    line ? svgNode('line', {x1: x, x2: x + width, y1: y, y2: y, stroke: color, 'stroke-width': 2, 'stroke-dasharray': dash || 'none'}) : null,
    shape === null ? null : marker(shape, x + width / 2, y, 4, color),
  );
}

/**
 * A data point's mark, with a rim of the page's colour that keeps it legible on lines and bands.
 *
 * @param {'circle'|'diamond'|'square'|'triangle'} shape
 * @param {number} x
 * @param {number} y
 * @param {number} size  the radius of a circle of about the same area
 * @param {string} color
 * @returns {SvgNode}
 */
export function marker(shape, x, y, size, color) {
  const paint = {fill: color, stroke: COLORS.paper, 'stroke-width': 1};
  if (shape === 'circle') return svgNode('circle', {cx: x.toFixed(2), cy: y.toFixed(2), r: size, ...paint});
  const half = shape === 'square' ? size * 0.9 : size * 1.35;
  const corners = {
    square: [[-half, -half], [half, -half], [half, half], [-half, half]],
    diamond: [[0, -half], [half, 0], [0, half], [-half, 0]],
    triangle: [[0, -half], [half, 0.75 * half], [-half, 0.75 * half]],
  }[shape];
  const path = corners.map(([dx, dy]) => `${(x + dx).toFixed(2)},${(y + dy).toFixed(2)}`).join('L');
  return svgNode('path', {d: `M${path}Z`, ...paint});
}
