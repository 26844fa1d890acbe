// @ts-check
/** The most salient words of each class, as a drawing and as a table. */
/** @import {SvgNode} from '../charts/types.js' */
/** @import {SalientWords} from '../page/types.js' */
import {barCell} from '../charts/bar_cell.js';
import {COLORS} from '../charts/palette.js';
import {svgLabel, svgNode} from '../charts/svg.js';
import {csvTable} from '../words/files.js';
import {significantInterval} from '../words/format.js';

const ROW = 18;
const HEAD = 26;
const LABEL = 170;
const NUMBERS = 250;

/** How far beyond the largest mean the axis may go to show intervals: of words in two texts they can be hundreds of times as wide. */
const MOST_ROOM = 2;

/**
 * The range of the bars, the same for all classes: 0, all means, and the intervals as far as they leave the bars legible.
 *
 * @param {SalientWords} answer  the answer of the check `words`
 * @returns {[number, number]}
 */
export function wordsDomain({classes}) {
  const words = classes.flatMap((/** @type {any} */ one) => one.words);
  const room = MOST_ROOM * Math.max(0, ...words.map((/** @type {any} */ {mean}) => Math.abs(mean)));
  const low = Math.max(-room, Math.min(0, ...words.map((/** @type {any} */ one) => one.low)));
  const high = Math.min(room, Math.max(0, ...words.map((/** @type {any} */ one) => one.high)));
  return low < high ? [low, high] : [0, 1];
}

/**
 * A class's words as a drawing that stands alone.
 *
 * @param {any} ofClass  one of the answer's classes
 * @param {[number, number]} domain
 * @param {{width: number}} view
 * @returns {SvgNode}
 */
export function wordsChart({class_name: name, n_texts: nTexts, words}, domain, {width}) {
  const room = width - LABEL - NUMBERS;
  const height = HEAD + words.length * ROW + 10;
  return svgNode('svg', {xmlns: 'http://www.w3.org/2000/svg', width, height, viewBox: `0 0 ${width} ${height}`, 'font-size': 11, fill: COLORS.text},
    svgNode('text', {x: 12, y: 16, 'font-weight': 'bold'}, `${name} (${nTexts} texts)`),
    ...words.map((/** @type {any} */ word, /** @type {number} */ i) => svgNode('g', {class: 'word-row', transform: `translate(0 ${HEAD + i * ROW})`},
      svgLabel({x: 12, y: 13}, word.word, LABEL - 18),
      svgNode('g', {transform: `translate(${LABEL} 0)`}, barCell(word, {width: room, height: ROW, domain})),
      svgNode('text', {x: LABEL + room + 10, y: 13}, `${significantInterval(word)} · ${word.count} texts`),
    )),
  );
}

/**
 * All words as a table.
 *
 * @param {string} model  LIT's name
 * @param {string} dataset
 * @param {SalientWords} answer  the answer of the check `words`
 * @returns {string}
 */
export function wordsCsv(model, dataset, {explained, method, scalar, target, classes, rows}) {
  const columns = ['model', 'dataset', 'explained', 'method', 'scalar', 'target', 'class', 'n_texts', 'word', 'count', 'n_occurrences', 'mean', 'low', 'high', 'examples'];
  return csvTable(columns, classes.flatMap((/** @type {any} */ {class_name: name, n_texts: nTexts, words}) => words.map((/** @type {any} */ word) => [
    model, dataset, explained, method, scalar, target, name, nTexts, word.word, word.count, word.n_occurrences, word.mean, word.low, word.high,
    word.positions.map((/** @type {number} */ position) => rows.ids[position]).join(' '),
  ])));
}
