// @ts-check
/** @typedef {import('../page/types.js').SvgNode} SvgNode */
import {linearScale} from '../charts/scales.js';
import {FONT} from '../charts/line_chart.js';
import {niceTicks} from '../charts/scales.js';
import {COLORS} from '../charts/palette.js';
import {svgLabel} from '../charts/svg.js';
import {svgNode} from '../charts/svg.js';

const ROW = 46;
const FOOT = 34;
const HEAD = 16;
const MARK_COLORS = ['#202124', '#B06000'];
const FILL = '#8FC4CF';

/**
 * How a neuron's pooled activation is spread in each class: one row of bars per class over one axis. Bars are shares of their class,
 * on one scale, so that rows of classes of different size can be compared.
 *
 * @param {any} answer  of the part `distribution`
 * @param {{width: number, marks?: {label: string, value: number}[]}} view  `marks`: texts whose own activation is marked
 * @returns {SvgNode}
 */
export function neuronHistogram({edges, classes}, {width, marks = []}) {
  const left = Math.min(96, Math.max(56, 0.2 * width));
  const right = width - 14;
  const values = [edges[0], edges[edges.length - 1], ...marks.map(({value}) => value)];
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const x = linearScale(low < high ? [low, high] : [low - 0.5, low + 0.5], [left, right]);
  const most = Math.max(0, ...classes.flatMap((/** @type {any} */ {n, counts}) => counts.map((/** @type {number} */ count) => (n ? count / n : 0))));
  const height = HEAD + classes.length * ROW + FOOT;
  const bottom = HEAD + classes.length * ROW;
  const {values: ticks, digits} = niceTicks(low, low < high ? high : low + 1, (right - left) / 60);
  return svgNode('svg', {xmlns: 'http://www.w3.org/2000/svg', width, height, viewBox: `0 0 ${width} ${height}`, 'font-family': FONT, 'font-size': 11, fill: COLORS.text},
    ...classes.map((/** @type {any} */ one, /** @type {number} */ i) => classRow(one, edges, HEAD + i * ROW, {x, left, right, most})),
    ...ticks.map((tick) => svgNode('text', {class: 'tick', x: x(tick).toFixed(1), y: bottom + 14, 'text-anchor': 'middle'}, tick.toFixed(digits).replace('-', '−'))),
    svgNode('text', {x: (left + right) / 2, y: bottom + 29, 'text-anchor': 'middle', 'font-weight': 'bold'}, 'Pooled activation'),
    ...marks.map(({label, value}, i) => mark(x(value), label, i, bottom, [left, right])),
  );
}

/** @param {any} ofClass @param {number[]} edges @param {number} top @param {{x: (value: number) => number, left: number, right: number, most: number}} plot @returns {SvgNode} */
function classRow({label, n, counts, mean}, edges, top, {x, left, right, most}) {
  const floor = top + ROW - 4;
  const rise = most > 0 ? (ROW - 12) / most : 0;
  const bars = counts.map((/** @type {number} */ count, /** @type {number} */ i) => {
    const tall = n ? (count / n) * rise : 0;
    return tall === 0 ? null : svgNode('rect', {class: 'bar', x: (x(edges[i]) + 0.5).toFixed(2), y: (floor - tall).toFixed(2), width: Math.max(0.5, x(edges[i + 1]) - x(edges[i]) - 1).toFixed(2), height: tall.toFixed(2), fill: FILL});
  });
  return svgNode('g', {class: 'class-histogram'},
    svgNode('line', {x1: left, x2: right, y1: floor, y2: floor, stroke: COLORS.axis}),
    ...bars,
    mean === null ? null : svgNode('path', {class: 'mean', d: `M${x(mean).toFixed(2)},${floor}l-4,6h8Z`, fill: COLORS.text}),
    svgLabel({x: left - 8, y: floor - 14, 'text-anchor': 'end', 'font-weight': 'bold'}, label, left - 14),
    svgNode('text', {x: left - 8, y: floor - 1, 'text-anchor': 'end', fill: COLORS.quietText}, `n = ${n}`),
  );
}

/** @param {number} x @param {string} label @param {number} place @param {number} bottom @param {[number, number]} ends @returns {SvgNode} */
function mark(x, label, place, bottom, [left, right]) {
  const color = MARK_COLORS[place % MARK_COLORS.length];
  const half = 3 * label.length;
  // Two labels side by side would lie over one another where their texts are alike: each has its own side.
  const anchor = place % 2 ? 'start' : 'end';
  const at = anchor === 'end' ? Math.max(left + 2 * half, x - 3) : Math.min(right - 2 * half, x + 3);
  return svgNode('g', {class: 'text-mark'},
    svgNode('line', {x1: x.toFixed(2), x2: x.toFixed(2), y1: 3, y2: bottom, stroke: color, 'stroke-width': 1.5, 'stroke-dasharray': place % 2 ? '4 2' : 'none'}),
    svgNode('text', {x: at.toFixed(2), y: 11, 'text-anchor': anchor, fill: color, 'font-weight': 'bold'}, label));
}
