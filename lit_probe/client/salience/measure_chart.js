// @ts-check
/** @typedef {import('../charts/bar_cell.js').Mean} Mean */
/** @typedef {import('./measures.js').Measure} Measure */
/** @typedef {import('../page/types.js').SvgNode} SvgNode */
import {barCell} from '../charts/bar_cell.js';
import {formatScore} from '../words/format.js';
import {COLORS} from '../charts/palette.js';
import {intervalText} from '../words/sentences.js';
import {svgLabel} from '../charts/svg.js';
import {svgNode} from '../charts/svg.js';

const ROW = 18;
const HEAD = 40;
const LABEL = 190;
const NUMBERS = 220;

/**
 * A mean with its interval, in words.
 *
 * @param {?Mean} mean
 * @returns {string}
 */
export function meanText(mean) {
  return mean === null || mean.mean === null ? '–' : intervalText({layer: 0, score: mean.mean, low: mean.low, high: mean.high});
}

/**
 * One measure of all methods as a drawing that stands alone.
 *
 * @param {Measure} measure
 * @param {{width: number}} view
 * @returns {SvgNode}
 */
export function measureChart({title, domain, ends, references, rows, rawTitle}, {width}) {
  const room = width - LABEL - NUMBERS;
  const height = HEAD + rows.length * ROW + 10;
  const quiet = {'font-size': 10, fill: COLORS.quietText};
  return svgNode('svg', {xmlns: 'http://www.w3.org/2000/svg', width, height, viewBox: `0 0 ${width} ${height}`, 'font-size': 11, fill: COLORS.text},
    svgNode('text', {x: 12, y: 16, 'font-weight': 'bold'}, title),
    svgNode('text', {x: LABEL, y: HEAD - 6, ...quiet}, ends[0]),
    svgNode('text', {x: LABEL + room, y: HEAD - 6, 'text-anchor': 'end', ...quiet}, ends[1]),
    ...rows.map((row, i) => svgNode('g', {class: 'measure-row', transform: `translate(0 ${HEAD + i * ROW})`},
      svgLabel({x: 12, y: 13}, row.title, LABEL - 18),
      row.bar === null ? svgLabel({x: LABEL, y: 13, ...quiet}, row.reason, room + NUMBERS - 12, 5)
        : svgNode('g', {transform: `translate(${LABEL} 0)`}, barCell(row.bar, {width: room, height: ROW, domain, quiet: row.quiet, references})),
      row.bar === null ? null : svgNode('text', {x: LABEL + room + 10, y: 13}, meanText(row.bar) + (row.raw ? ` · ${rawTitle} ${formatScore(row.raw.mean)}` : '')),
    )),
  );
}
