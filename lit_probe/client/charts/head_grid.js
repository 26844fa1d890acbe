// @ts-check
/** A grid of attention heads: a row for each block, a column for each head, coloured by score. */
/** @import {SvgNode} from './types.js' */
/** @import {LayerScore} from '../page/types.js' */
import {formatScore} from '../words/format.js';
import {FONT, MARGIN} from './line_chart.js';
import {COLORS, heatColor} from './palette.js';
import {headOf} from './places.js';
import {svgLabel, svgNode} from './svg.js';

/** @typedef {import('./places.js').Depths} Depths */

const TOP = 4;
const FOOT = 40;
const KEY = 34;
const WIDEST = 46;
/** Rows share so many pixels, between these heights. */
const ROOM_OF_ROWS = 340;
const LOWEST = 9;
const HIGHEST = 22;
/** A score is written into a cell of at least this size. */
const NUMBER = {width: 28, height: 14};
const LABEL_WIDTH = 18;
const LABEL_HEIGHT = 12;

/**
 * Where the cells of a grid stand, in pixels.
 *
 * @param {Depths} depths
 * @param {number} width  the drawing's
 * @returns {{cell: {width: number, height: number}, columns: number[], left: number, bottom: number, height: number,
 *     x: (head: number) => number, y: (row: number) => number, placeUnder: (x: number, y: number) => ?number}}
 *     `columns`: the heads' own numbers; `x`, `y`: the left and the upper edge; `placeUnder`: the number of the place under a pixel, if any
 */
export function gridLayout({sites, heads}, width) {
  const columns = [...new Set(heads.flatMap((row) => [...row.keys()]))].sort((a, b) => a - b);
  const cell = {
    width: Math.min(WIDEST, (width - MARGIN.left - MARGIN.right) / columns.length),
    height: Math.min(HIGHEST, Math.max(LOWEST, ROOM_OF_ROWS / heads.length)),
  };
  const bottom = TOP + heads.length * cell.height;
  return {
    cell, columns, left: MARGIN.left, bottom, height: bottom + FOOT + KEY,
    x: (head) => MARGIN.left + columns.indexOf(head) * cell.width,
    y: (row) => TOP + row * cell.height,
    placeUnder: (x, y) => heads[Math.floor((y - TOP) / cell.height)]?.get(columns[Math.floor((x - MARGIN.left) / cell.width)]) ?? null,
  };
}

/**
 * Whether a score says no more than the baseline that ignores the text.
 *
 * @param {?number} score
 * @param {?number} majority
 * @param {boolean} higherIsBetter
 */
export function isBelow(score, majority, higherIsBetter) {
  return score !== null && majority !== null && (higherIsBetter ? score < majority : score > majority);
}

/**
 * The ends of the colour scale: from the baseline, or where there is none from the worst score, to the best one.
 *
 * @param {(?number)[]} scores
 * @param {?number} majority
 * @param {boolean} higherIsBetter
 * @returns {{worst: number, best: number}}
 */
export function scaleEnds(scores, majority, higherIsBetter) {
  const known = /** @type {number[]} */ (scores.filter((score) => score !== null));
  const ordered = [...known].sort((a, b) => (higherIsBetter ? a - b : b - a));
  const [worst = 0, best = 0] = [majority ?? ordered[0], ordered[ordered.length - 1]];
  return {worst, best: isBelow(best, worst, higherIsBetter) ? worst : best};
}

/**
 * The grid, the first block in the first row.
 *
 * @param {Depths} depths  with heads
 * @param {object} view
 * @param {number} view.width
 * @param {LayerScore[]} view.scores  `[n_places]`
 * @param {?number} view.majority  the score of a baseline that ignores the text: what does no better has a mark in its corner
 * @param {boolean} view.higherIsBetter
 * @param {string} view.title  what the colours stand for
 * @param {?number} [view.current]  the place that is looked at
 * @param {?number} [view.chosen]  the place that was chosen on dev
 * @param {?number} [view.hovered]  the place under the pointer, or that keys have led to
 * @param {?(place: number) => Record<string, string>} [view.ofCell]  further attributes of a cell, for a page that is read aloud; null for a file
 * @returns {SvgNode}  an `svg` that needs no style sheet
 */
export function headGrid(depths, {width, scores, majority, higherIsBetter, title, current = null, chosen = null, hovered = null, ofCell = null}) {
  const {sites, heads} = depths;
  const layout = gridLayout(depths, width);
  const {cell, columns, left, bottom, height} = layout;
  const ends = scaleEnds(heads.flatMap((row) => [...row.values()].map((place) => scores[place].score)), majority, higherIsBetter);
  const colorOf = (/** @type {number} */ score) => heatColor(ends.best === ends.worst ? 0 : (score - ends.worst) / (ends.best - ends.worst));
  const box = (/** @type {number} */ row, /** @type {number} */ head, inset = 0) => ({
    x: (layout.x(head) + inset).toFixed(2), y: (layout.y(row) + inset).toFixed(2), width: (cell.width - 2 * inset).toFixed(2), height: (cell.height - 2 * inset).toFixed(2)});

  const cellOf = (/** @type {number} */ row, /** @type {number} */ head, /** @type {number} */ place) => {
    const {score} = scores[place];
    const {fill, text} = score === null ? {fill: COLORS.paper, text: COLORS.quietText} : colorOf(score);
    const written = cell.width >= NUMBER.width && cell.height >= NUMBER.height;
    const middle = {x: (layout.x(head) + cell.width / 2).toFixed(2), y: (layout.y(row) + cell.height / 2 + 3.5).toFixed(2)};
    return svgNode('g', {class: 'head', ...ofCell?.(place)},
      svgNode('rect', {...box(row, head, 0.5), fill, stroke: COLORS.grid}),
      isBelow(score, majority, higherIsBetter) ? belowMark(layout.x(head), layout.y(row), cell) : null,
      written || score === null ? svgNode('text', {...middle, 'text-anchor': 'middle', 'font-size': 10, fill: text}, score === null ? '–' : score.toFixed(2)) : null);
  };
  const outline = (/** @type {?number} */ place, /** @type {string} */ name, /** @type {Record<string, string|number>} */ paint, inset = -0.5) => {
    const row = heads.findIndex((one) => place !== null && [...one.values()].includes(place));
    return row < 0 ? null : svgNode('rect', {class: name, ...box(row, headOf(sites[/** @type {number} */ (place)]), inset), fill: 'none', ...paint});
  };
  const rowStep = Math.ceil(LABEL_HEIGHT / cell.height);
  const columnStep = Math.ceil(LABEL_WIDTH / cell.width);
  const right = left + columns.length * cell.width;
  return svgNode('svg', {xmlns: 'http://www.w3.org/2000/svg', width, height, viewBox: `0 0 ${width} ${height}`, 'font-family': FONT, 'font-size': 11, fill: COLORS.text},
    svgNode('text', {class: 'axis-title', transform: `translate(14 ${((TOP + bottom) / 2).toFixed(1)}) rotate(-90)`, 'text-anchor': 'middle', 'font-size': 12, 'font-weight': 'bold'}, 'Block'),
    ...heads.map((row, i) => (i % rowStep === 0
      ? svgNode('text', {class: 'block', x: left - 8, y: (layout.y(i) + cell.height / 2 + 4).toFixed(2), 'text-anchor': 'end'}, String(sites[[...row.values()][0]].depth)) : null)),
    ...columns.map((head, i) => (i % columnStep === 0
      ? svgNode('text', {class: 'head-number', x: (layout.x(head) + cell.width / 2).toFixed(2), y: bottom + 14, 'text-anchor': 'middle'}, String(head)) : null)),
    svgNode('text', {class: 'axis-title', x: ((left + right) / 2).toFixed(2), y: bottom + 31, 'text-anchor': 'middle', 'font-size': 12, 'font-weight': 'bold'}, 'Head'),
    ...heads.map((row, i) => svgNode('g', {class: 'block-row', ...(ofCell ? {role: 'row'} : {})},
      ...[...row].map(([head, place]) => cellOf(i, head, place)))),
    outline(hovered, 'hovered-head', {stroke: COLORS.axis, 'stroke-width': 2}),
    outline(chosen, 'chosen-head', {stroke: COLORS.secondMark, 'stroke-width': 2, 'stroke-dasharray': '4 2'}, -2.5),
    outline(current, 'current-head', {stroke: COLORS.ink, 'stroke-width': 2}),
    colorKey({left, top: bottom + FOOT, width}, ends, title, majority !== null),
  );
}

/** The mark in a cell's upper left corner: no better than the baseline. @param {number} x @param {number} y @param {{width: number, height: number}} cell @returns {SvgNode} */
function belowMark(x, y, cell) {
  const size = Math.min(7, 0.6 * cell.height, 0.6 * cell.width).toFixed(1);
  return svgNode('path', {class: 'below', d: `M${(x + 1).toFixed(2)},${(y + 1).toFixed(2)}h${size}l-${size},${size}Z`, fill: COLORS.quietText});
}

/** What the colours and the mark mean. @param {{left: number, top: number, width: number}} place @param {{worst: number, best: number}} ends @param {string} title @param {boolean} marked @returns {SvgNode} */
function colorKey({left, top, width}, {worst, best}, title, marked) {
  const [steps, step] = [24, 5];
  const labels = `${formatScore(worst)} to ${formatScore(best)}: ${title}`;
  const start = left + steps * step + 8;
  return svgNode('g', {class: 'color-scale'},
    ...Array.from({length: steps}, (_, i) => svgNode('rect', {x: left + i * step, y: top, width: step, height: 10, fill: heatColor(i / (steps - 1)).fill})),
    svgNode('rect', {x: left, y: top, width: steps * step, height: 10, fill: 'none', stroke: COLORS.axis}),
    svgLabel({x: start, y: top + 9}, labels, width - start - 4),
    ...(marked ? [
      svgNode('rect', {x: left, y: top + 17, width: 12, height: 12, fill: heatColor(0).fill, stroke: COLORS.grid}), belowMark(left, top + 17, {width: 12, height: 12}),
      svgLabel({x: left + 18, y: top + 27, fill: COLORS.quietText}, 'worse than the baseline that ignores the text', width - left - 22)] : []),
  );
}
