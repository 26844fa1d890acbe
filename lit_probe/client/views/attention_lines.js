// @ts-check
/** One attention head between the tokens of a text: which lines are drawn, what an edit changes, and what is saved of it. */
/** @import {SvgNode} from '../charts/types.js' */
/** @import {AttendedText, AttentionHead, AttentionHeads} from '../page/types.js' */
import {FONT} from '../charts/line_chart.js';
import {COLORS} from '../charts/palette.js';
import {svgLabel, svgNode} from '../charts/svg.js';
import {csvTable} from '../words/files.js';
import {shownToken} from './lens_grid.js';

/** @typedef {{from: number, to: number, share: number}} Line  What one token takes in from another; below 0: less than before. */
/** @typedef {{column: 'from'|'to', place: number}} Spot  A token in one of the two columns. */

/**
 * The share below which a weight has no line, unless one token alone is shown: hundreds of lines that nobody sees hide the others. Attention that
 * is spread over all tokens alike is always seen.
 *
 * @param {number} nTokens
 */
const faintest = (nTokens) => Math.min(0.02, 0.5 / nTokens);

/** Which lines of a pair of texts are drawn. @type {Record<string, string>} */
export const BLOCKS = {all: 'all tokens', '0-0': 'first → first', '0-1': 'first → second', '1-0': 'second → first', '1-1': 'second → second'};

/**
 * Whether a line between two tokens of a pair is wanted.
 *
 * @param {?number} seam  the first token of the second text
 * @param {string} block  a key of `BLOCKS`
 * @returns {(from: number, to: number) => boolean}
 */
export function inBlock(seam, block) {
  if (seam === null || block === 'all') return () => true;
  const text = (/** @type {number} */ place) => (place < seam ? '0' : '1');
  return (from, to) => `${text(from)}-${text(to)}` === block;
}

/**
 * The lines of a head, faint ones first.
 *
 * @param {(?number)[][]} weights  `[n_tokens][n_tokens]`; null has no line
 * @param {object} shown
 * @param {?Spot} [shown.spot]  only the lines of this token
 * @param {(from: number, to: number) => boolean} [shown.keep]
 * @returns {Line[]}
 */
export function linesOf(weights, {spot = null, keep = () => true}) {
  const least = spot ? 0 : faintest(weights.length);
  /** @type {Line[]} */
  const lines = [];
  weights.forEach((row, from) => row.forEach((share, to) => {
    if (share === null || Math.abs(share) <= least || !keep(from, to)) return;
    if (spot && (spot.column === 'from' ? from : to) !== spot.place) return;
    lines.push({from, to, share});
  }));
  return lines.sort((a, b) => Math.abs(a.share) - Math.abs(b.share));
}

/**
 * How much more a token takes in from another one in the edited text than in the original.
 *
 * @param {number[][]} before  the original's weights
 * @param {number[][]} after  the edited text's
 * @param {(?number)[]} aligned  where each token of the edited text stands in the original
 * @returns {(?number)[][]}  `[n_tokens][n_tokens]` of the edited text; null where a token does not stand in both
 */
export function changesOf(before, after, aligned) {
  return after.map((row, from) => row.map((share, to) => {
    const [there, towards] = [aligned[from], aligned[to]];
    return there === null || towards === null ? null : share - before[there][towards];
  }));
}

/**
 * Where a token of one text stands in the other.
 *
 * @param {(?number)[]} aligned  where each token of the second text stands in the first
 * @param {number} side  0: the token is one of the first text
 * @param {number} place
 * @returns {?number}
 */
export function counterpart(aligned, side, place) {
  if (side === 1) return aligned[place] ?? null;
  const found = aligned.indexOf(place);
  return found < 0 ? null : found;
}

/**
 * What a token gives and takes, in words: the largest weights of its row or column.
 *
 * @param {string[]} tokens
 * @param {number[][]} weights
 * @param {Spot} spot
 * @param {number} [most]
 * @returns {string}
 */
export function spotSentence(tokens, weights, {column, place}, most = 4) {
  const shares = column === 'from' ? weights[place] : weights.map((row) => row[place]);
  const order = shares.map((_, i) => i).sort((a, b) => shares[b] - shares[a] || a - b).slice(0, most);
  const named = order.map((i) => `“${shownToken(tokens[i])}” ${shares[i].toFixed(3)}`).join(', ');
  return column === 'from' ? `“${shownToken(tokens[place])}” takes in most from ${named}` : `“${shownToken(tokens[place])}” is taken in most by ${named}`;
}

/**
 * A table of all weights of the head: a row for each two tokens.
 *
 * @param {string} model
 * @param {AttentionHeads} answer
 * @param {AttentionHead} of
 * @param {string[]} titles  of the texts
 * @returns {string}
 */
export function attentionCsv(model, answer, {block, head, weights}, titles) {
  const rows = answer.examples.flatMap(({tokens}, side) => weights[side].flatMap((row, from) => row.map((share, to) => {
    const [there, towards] = side === 1 && answer.aligned ? [answer.aligned[from], answer.aligned[to]] : [null, null];
    return [model, titles[side], block, head, from, tokens[from], to, tokens[to], share, there === null || towards === null ? null : weights[0][there][towards]];
  })));
  return csvTable(['model', 'text', 'block', 'head', 'from', 'from_token', 'to', 'to_token', 'weight', 'weight_in_original'], rows);
}

const ROW = 14;
const COLUMN = 150;
const SPAN = 200;
const MARGIN = 40;

/**
 * A head as a drawing for a file: tokens at the left take in from those at the right.
 *
 * @param {string} title
 * @param {AttendedText} text
 * @param {Line[]} lines
 * @returns {SvgNode}
 */
export function linesChart(title, {tokens, special}, lines) {
  const [width, height] = [MARGIN + 2 * COLUMN + SPAN, 24 + tokens.length * ROW + 10];
  const y = (/** @type {number} */ place) => 24 + place * ROW + ROW / 2;
  const column = (/** @type {number} */ x, /** @type {string} */ anchor) => tokens.map((token, place) =>
    svgLabel({x, y: y(place) + 4, 'text-anchor': anchor, ...(special[place] ? {fill: COLORS.quietText} : {})}, shownToken(token), COLUMN - 8));
  return svgNode('svg', {xmlns: 'http://www.w3.org/2000/svg', width, height, viewBox: `0 0 ${width} ${height}`, 'font-family': FONT, 'font-size': 11, fill: COLORS.text},
    svgNode('text', {x: MARGIN, y: 12, 'font-weight': 'bold'}, title),
    ...lines.map(({from, to, share}) => svgNode('line', {
      class: 'attends', x1: MARGIN + COLUMN, y1: y(from), x2: MARGIN + COLUMN + SPAN, y2: y(to),
      stroke: share < 0 ? COLORS.secondMark : COLORS.accent, 'stroke-width': 1.5, 'stroke-opacity': Math.min(1, Math.abs(share)).toFixed(3)})),
    ...column(MARGIN + COLUMN - 4, 'end'),
    ...column(MARGIN + COLUMN + SPAN + 4, 'start'));
}
