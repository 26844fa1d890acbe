// @ts-check
/** @typedef {import('../page/types.js').LayerMetrics} LayerMetrics */
/** @typedef {import('../page/types.js').SvgNode} SvgNode */
import {layerAxis} from '../charts/axes.js';
import {FONT, MARGIN} from '../charts/line_chart.js';
import {COLORS, heatColor} from '../charts/palette.js';
import {svgNode} from '../charts/svg.js';
import {formatCount} from '../words/format.js';

const CELL_HEIGHT = 24;
const ROW_HEIGHT = CELL_HEIGHT + 20;
const NARROWEST_NUMBER = 25;
const FOOT = 40;

/**
 * The scores of every pair of data sets over layers: a strip of cells per pair, in the columns of the curves.
 *
 * @param {ReturnType<typeof transferRows>} rows
 * @param {LayerMetrics} about
 * @param {{width: number, current?: ?number, hovered?: ?number}} view
 * @returns {SvgNode}
 */
export function transferChart(rows, about, {width, current = null, hovered = null}) {
  const bottom = rows.length * ROW_HEIGHT + 2;
  const height = bottom + FOOT;
  const axis = layerAxis(about.n_layers, {bestLayer: about.best_layer, current})([MARGIN.left, width - MARGIN.right]);
  const tops = rows.map((_, i) => i * ROW_HEIGHT);
  const outline = (/** @type {number} */ layer, /** @type {string} */ stroke, /** @type {number} */ top) => svgNode('rect', {
    class: 'outline', x: (axis.x(layer) - axis.band / 2).toFixed(2), y: top + 17.5, width: axis.band.toFixed(2), height: CELL_HEIGHT + 1, fill: 'none', stroke, 'stroke-width': 1.5});
  return svgNode('svg', {xmlns: 'http://www.w3.org/2000/svg', width, height, viewBox: `0 0 ${width} ${height}`, 'font-family': FONT, 'font-size': 11, fill: COLORS.text},
    ...rows.map((row, i) => strip(row, tops[i], axis, 1 / about.label_names.length)),
    ...(hovered === null ? [] : tops.map((top) => outline(hovered, COLORS.axis, top))),
    ...(current === null ? [] : tops.map((top) => outline(current, COLORS.text, top))),
    ...axis.ticks.map(({at, label, shift = 0, anchor = 'middle', bold = false}) =>
      svgNode('text', {x: (axis.x(at) + shift).toFixed(2), y: bottom + 16, 'text-anchor': anchor, 'font-weight': bold ? 'bold' : 'normal'}, label)),
    svgNode('text', {class: 'axis-title', x: (MARGIN.left + width - MARGIN.right) / 2, y: bottom + 33, 'text-anchor': 'middle', 'font-size': 12, 'font-weight': 'bold'}, 'Layer'),
  );
}

/**
 * @param {ReturnType<typeof transferRows>[number]} row @param {number} top
 * @param {import('../page/types.js').PlacedAxis} axis @param {number} chance  what guessing scores: it is white, and so is anything below it
 * @returns {SvgNode}
 */
function strip({train, test, own, n, cells}, top, axis, chance) {
  const title = `${train} → ${test}${own ? ' (its own dev)' : ''}, n = ${formatCount(n)}`;
  return svgNode('g', {class: 'pair'},
    svgNode('text', {x: MARGIN.left, y: top + 14, 'font-weight': own ? 'normal' : 'bold'}, title),
    ...cells.map(({layer, score, reason}) => {
      const {fill, text} = score === null ? {fill: COLORS.paper, text: COLORS.quietText} : heatColor((score - chance) / (1 - chance));
      const wide = axis.band >= NARROWEST_NUMBER;
      const words = score === null ? '–' : `${score.toFixed(2)}${reason ? '?' : ''}`;
      return svgNode('g', {class: 'cell'},
        svgNode('rect', {x: (axis.x(layer) - axis.band / 2 + 0.5).toFixed(2), y: top + 18, width: (axis.band - 1).toFixed(2), height: CELL_HEIGHT, fill, stroke: COLORS.grid}),
        wide ? svgNode('text', {x: axis.x(layer).toFixed(2), y: top + 34, 'text-anchor': 'middle', fill: text}, words) : null);
    }),
  );
}

/**
 * A transfer answer as rows of a heat map: one per pair of data sets, with its scores over layers.
 *
 * @param {any} answer  of the interpreter `transfer`
 * @returns {{train: string, test: string, own: boolean, n: number, leftOut: number, cells: {layer: number, score: ?number, low: ?number, high: ?number, reason: string}[]}[]}
 */
export function transferRows({train, test, n, left_out: leftOut, layers}) {
  return train.flatMap((/** @type {string} */ from, /** @type {number} */ i) => test.map((/** @type {string} */ to, /** @type {number} */ j) => ({
    train: from, test: to, own: from === to, n: n[i][j], leftOut: leftOut[i][j],
    cells: layers.map((/** @type {any} */ {layer, scores, low, high, reasons}) =>
      ({layer, score: scores[i][j], low: low[i][j], high: high[i][j], reason: reasons[i][j]})),
  })));
}
