// @ts-check
/** What a model's head makes of each token at each layer: a row for each token, a column for each layer. */
/** @import {SvgNode} from '../charts/types.js' */
/** @import {LensText, LensTokens, WatchedWord} from '../page/types.js' */
import {FONT} from '../charts/line_chart.js';
import {COLORS, heatColor} from '../charts/palette.js';
import {svgLabel, svgNode} from '../charts/svg.js';
import {csvTable} from '../words/files.js';
import {countOf, formatCount, formatScore, shorten, significant} from '../words/format.js';
import {layerName} from '../words/sentences.js';
import {closeGaps, matrixLines} from '../words/side_by_side.js';

/** @typedef {{side: number, place: number, line: number}} LensRow  A row: of which text, which token, in which line of both. */
/** @typedef {{row: number, layer: number}} LensCell */

const PAD = 12;
const TOP = 24;
const ROW = 20;
const LINE_GAP = 5;
const FOOT = 78;
const TOKEN = {narrowest: 74, widest: 130, share: 0.18};
const CELL = {narrowest: 46, widest: 92};
const CHARACTER = 6;

/** What a cell can show, beside the words that are watched. */
export const TOP_TOKEN = 'top';
export const ENTROPY = 'entropy';
export const TARGET = 'target';

/**
 * The rows of the grid: of two texts the same tokens one under the other, the second text's under the first's.
 *
 * @param {LensTokens} answer
 * @returns {LensRow[]}
 */
export function lensRows({examples}) {
  return closeGaps(matrixLines(examples)).flatMap(({first, second}, line) =>
    [first, second].flatMap((side, number) => (side ? [{side: number, place: side.at, line}] : [])));
}

/** A token for people: its spaces and line breaks can be seen. @param {string} token */
export function shownToken(token) {
  return token.replaceAll(' ', '␣').replaceAll('\n', '⏎').replaceAll('\t', '⇥');
}

/**
 * What can be shown in the cells: value and words.
 *
 * @param {LensTokens} answer
 * @returns {{value: string, title: string}[]}
 */
export function shadesOf({task, examples: [{watched}]}) {
  return [
    {value: TOP_TOKEN, title: 'likeliest token'},
    {value: ENTROPY, title: 'entropy'},
    {value: TARGET, title: task === 'next' ? 'rank of the next token' : 'rank of the token itself'},
    ...watched.flatMap(({word, token}, i) => (token === null ? [] : [{value: `watch ${i}`, title: `rank of “${word}”`}])),
  ];
}

/** The word whose rank is shown, if any. @param {LensText} text @param {string} shade @returns {?WatchedWord} */
function watchedBy({watched}, shade) {
  const found = shade.startsWith('watch ') ? watched[Number(shade.slice(6))] : undefined;
  return found?.token != null ? found : null;
}

/**
 * What a cell shows: how strong its colour is, and its words.
 *
 * @param {LensTokens} answer
 * @param {LensRow} row
 * @param {number} layer
 * @param {string} shade
 * @returns {{share: ?number, words: string}}
 */
export function cellValue(answer, {side, place}, layer, shade) {
  const text = answer.examples[side];
  if (shade === ENTROPY) {
    const bits = text.entropy[place][layer];
    return {share: bits / Math.log2(answer.n_vocabulary), words: bits.toFixed(1)};
  }
  const watched = watchedBy(text, shade);
  if (shade === TARGET || watched) {
    const rank = (watched ? watched.ranks : text.target_ranks)[place][layer];
    return rank === 0 ? {share: null, words: ''} : {share: rankShare(rank, answer.n_vocabulary), words: shortCount(rank)};
  }
  return {share: text.probabilities[place][layer][0], words: shownToken(text.top[place][layer][0])};
}

/** 1 for the first, 0 for the last, evenly by factors. @param {number} rank @param {number} nVocabulary */
function rankShare(rank, nVocabulary) {
  return nVocabulary < 2 ? 1 : 1 - Math.log(rank) / Math.log(nVocabulary);
}

/** What a watched word is called: by its token, and by itself too where that is a part of it alone. @param {WatchedWord} watched */
export function watchedName({word, token, pieces}) {
  const named = `“${shownToken(String(token))}”`;
  return pieces.length > 1 ? `“${word}” by its first token ${named}` : named;
}

/** A rank in few characters: "7", "1.2k", "31k". @param {number} count */
export function shortCount(count) {
  if (count < 1000) return String(count);
  return count < 9950 ? `${Number((count / 1000).toFixed(1))}k` : `${Math.round(count / 1000)}k`;
}

/**
 * Where everything stands, in pixels. What is too wide for a panel is wider than it, and scrolls.
 *
 * @param {LensTokens} answer
 * @param {LensRow[]} rows
 * @param {number} width  the panel's
 */
export function lensLayout({examples, layer_names: {length: nLayers}}, rows, width) {
  const token = Math.min(TOKEN.widest, Math.max(TOKEN.narrowest, TOKEN.share * width));
  const cell = Math.min(CELL.widest, Math.max(CELL.narrowest, (width - 2 * PAD - token) / nLayers));
  const gap = examples.length > 1 ? LINE_GAP : 0;
  const y = (/** @type {number} */ row) => TOP + row * ROW + rows[row].line * gap;
  const bottom = rows.length ? y(rows.length - 1) + ROW : TOP;
  const left = PAD + token;
  return {
    token, cell, left, bottom, y, nLayers, width: Math.max(width, left + nLayers * cell + PAD), height: bottom + FOOT,
    x: (/** @type {number} */ layer) => left + layer * cell,
    /** The cell under a pixel; over a token, that of the layer that is looked at. @param {number} x @param {number} top @param {number} current @returns {?LensCell} */
    cellUnder(x, top, current) {
      const row = rows.findIndex((_, i) => top >= y(i) && top < y(i) + ROW);
      const layer = x < left ? current : Math.floor((x - left) / cell);
      return row < 0 || x < PAD || layer >= nLayers ? null : {row, layer};
    },
  };
}

/**
 * The grid, without anything that moves: see `lensMarks`.
 *
 * @param {LensTokens} answer
 * @param {LensRow[]} rows  `lensRows`
 * @param {{width: number, shade: string, titles: string[], ofCell?: ?(cell: LensCell) => Record<string, string>}} view  `titles`: what the
 *     texts are called; `ofCell`: further attributes of a cell, for a page that is read aloud
 * @returns {SvgNode}  an `svg` that needs no style sheet
 */
export function lensGrid(answer, rows, {width, shade, titles, ofCell = null}) {
  const layout = lensLayout(answer, rows, width);
  const layers = Array.from({length: layout.nLayers}, (_, i) => i);
  return svgNode('svg', {xmlns: 'http://www.w3.org/2000/svg', width: layout.width.toFixed(0), height: layout.height, viewBox: `0 0 ${layout.width.toFixed(0)} ${layout.height}`,
    'font-family': FONT, 'font-size': 10.5, fill: COLORS.text},
  svgNode('text', {x: PAD, y: TOP - 8, fill: COLORS.quietText, 'font-size': 11}, answer.task === 'next' ? 'after' : 'in place of'),
  ...layers.map((layer) => svgNode('text', {x: (layout.x(layer) + layout.cell / 2).toFixed(2), y: TOP - 8, 'text-anchor': 'middle', 'font-size': 11}, String(layer))),
  ...rows.map((row, i) => svgNode('g', {class: `token-row${row.side ? ' edit' : ''}`, ...(ofCell ? {role: 'row'} : {})},
    ...tokenLabel(answer, row, i, layout, 'token'),
    ...layers.map((layer) => cellOf(answer, row, {row: i, layer}, layout, shade, ofCell)))),
  svgNode('text', {class: 'axis-title', x: (layout.left + layout.nLayers * layout.cell / 2).toFixed(2), y: layout.bottom + 16, 'text-anchor': 'middle', 'font-size': 12, 'font-weight': 'bold'}, 'Layer'),
  keyOf(answer, layout, shade, titles));
}

/** What a row is called, and of which text it is. @param {LensTokens} answer @param {LensRow} row @param {number} at @param {ReturnType<typeof lensLayout>} layout @param {string} name  the class */
function tokenLabel({examples}, {side, place}, at, layout, name) {
  return [
    examples.length > 1 ? svgNode('rect', {x: PAD - 4, y: layout.y(at), width: layout.token, height: ROW - 1, fill: side ? COLORS.after : COLORS.before}) : null,
    svgLabel({class: name, x: PAD, y: layout.y(at) + 14, 'font-size': 12, fill: examples[side].special[place] ? COLORS.quietText : COLORS.ink},
      shownToken(examples[side].tokens[place]), layout.token - 8, 6.6),
  ];
}

/**
 * The column of tokens alone, which stays in sight while a wide grid scrolls under it.
 *
 * @param {LensTokens} answer
 * @param {LensRow[]} rows
 * @param {{width: number, picked: number}} view  `width`: the panel's; `picked`: the row of the token that is looked at
 * @returns {SvgNode}
 */
export function lensTokens(answer, rows, {width, picked}) {
  const layout = lensLayout(answer, rows, width);
  const right = layout.left - 4;
  return svgNode('svg', {xmlns: 'http://www.w3.org/2000/svg', width: right.toFixed(0), height: layout.bottom, viewBox: `0 0 ${right.toFixed(0)} ${layout.bottom}`,
    'font-family': FONT, 'font-size': 10.5, fill: COLORS.text},
  svgNode('rect', {x: 0, y: 0, width: right.toFixed(1), height: layout.bottom, fill: COLORS.paper}),
  svgNode('text', {x: PAD, y: TOP - 8, fill: COLORS.quietText, 'font-size': 11}, answer.task === 'next' ? 'after' : 'in place of'),
  ...rows.flatMap((row, at) => tokenLabel(answer, row, at, layout, 'kept-token')),
  svgNode('rect', {x: PAD - 5, y: layout.y(picked) - 0.5, width: layout.token, height: ROW, fill: 'none', stroke: COLORS.ink, 'stroke-width': 1.5}));
}

/** @param {LensTokens} answer @param {LensRow} row @param {LensCell} cell @param {ReturnType<typeof lensLayout>} layout @param {string} shade @param {?(cell: LensCell) => Record<string, string>} ofCell */
function cellOf(answer, row, cell, layout, shade, ofCell) {
  const {share, words} = cellValue(answer, row, cell.layer, shade);
  const {fill, text} = share === null ? {fill: COLORS.grid, text: COLORS.quietText} : heatColor(share);
  return svgNode('g', {class: 'cell', ...(ofCell?.(cell) ?? {})},
    svgNode('rect', {x: (layout.x(cell.layer) + 0.5).toFixed(2), y: layout.y(cell.row), width: (layout.cell - 1).toFixed(2), height: ROW - 1, fill, stroke: COLORS.grid}),
    words === '' ? null : svgNode('text', {x: (layout.x(cell.layer) + layout.cell / 2).toFixed(2), y: layout.y(cell.row) + 14, 'text-anchor': 'middle', fill: text},
      shorten(words, Math.floor((layout.cell - 4) / CHARACTER))));
}

/** What colours mean. @param {LensTokens} answer @param {ReturnType<typeof lensLayout>} layout @param {string} shade @param {string[]} titles */
function keyOf(answer, layout, shade, titles) {
  const [steps, step, top] = [24, 4, layout.bottom + 28];
  const right = PAD + steps * step + 8;
  const most = formatCount(answer.n_vocabulary);
  const words = shade === ENTROPY ? `entropy: 0 to ${Math.log2(answer.n_vocabulary).toFixed(1)} bits (all ${most} tokens alike)`
    : shade === TOP_TOKEN ? 'probability of the likeliest token: 0 to 1' : `rank: ${most} (last) to 1 (likeliest), by factors`;
  const swatch = (/** @type {string} */ fill, /** @type {string} */ title, /** @type {number} */ x) => [
    svgNode('rect', {x, y: top + 18, width: 14, height: 10, fill, stroke: COLORS.axis}), svgNode('text', {x: x + 20, y: top + 27, fill: COLORS.quietText, 'font-size': 11}, title)];
  return svgNode('g', {class: 'color-scale'},
    ...Array.from({length: steps}, (_, i) => svgNode('rect', {x: PAD + i * step, y: top, width: step, height: 10, fill: heatColor(i / (steps - 1)).fill})),
    svgNode('rect', {x: PAD, y: top, width: steps * step, height: 10, fill: 'none', stroke: COLORS.axis}),
    svgLabel({x: right, y: top + 9, fill: COLORS.quietText, 'font-size': 11}, words, layout.width - right - PAD),
    ...(answer.examples.length > 1 ? [...swatch(COLORS.before, titles[0], PAD), ...swatch(COLORS.after, titles[1], PAD + 110)] : []));
}

/**
 * What moves over the grid: the layer and the token that are looked at, and the cell under the pointer.
 *
 * @param {ReturnType<typeof lensLayout>} layout
 * @param {LensRow[]} rows
 * @param {{layer: ?number, picked: ?number, hovered: ?LensCell}} view  `picked`: the row of the token that is looked at
 * @returns {SvgNode}
 */
export function lensMarks(layout, rows, {layer, picked, hovered}) {
  const box = (/** @type {string} */ name, /** @type {number} */ x, /** @type {number} */ y, /** @type {number} */ width, /** @type {number} */ height, /** @type {string} */ stroke) =>
    svgNode('rect', {class: name, x: x.toFixed(2), y: y.toFixed(2), width: width.toFixed(2), height: height.toFixed(2), fill: 'none', stroke, 'stroke-width': name === 'hovered-cell' ? 2 : 1.5});
  return svgNode('svg', {xmlns: 'http://www.w3.org/2000/svg', class: 'marks', 'aria-hidden': 'true', width: layout.width.toFixed(0), height: layout.height,
    viewBox: `0 0 ${layout.width.toFixed(0)} ${layout.height}`},
  layer === null || rows.length === 0 ? null : box('current-layer', layout.x(layer), TOP - 1, layout.cell, layout.bottom - TOP + 1, COLORS.ink),
  picked === null ? null : box('picked-token', PAD - 5, layout.y(picked) - 0.5, layout.token + layout.nLayers * layout.cell + 6, ROW, COLORS.ink),
  hovered === null ? null : box('hovered-cell', layout.x(hovered.layer), layout.y(hovered.row), layout.cell, ROW - 1, COLORS.accent));
}

/**
 * One token at one layer, in words.
 *
 * @param {LensTokens} answer
 * @param {LensRow} row
 * @param {number} layer
 * @returns {string[]}
 */
export function cellSentences(answer, {side, place}, layer) {
  const text = answer.examples[side];
  const next = answer.task === 'next';
  const ranked = (/** @type {string} */ what, /** @type {number} */ rank, /** @type {number} */ probability) => `${what}: rank ${formatCount(rank)} (${significant(probability)})`;
  const target = text.targets[place];
  return [
    `${next ? 'after' : 'in place of'} “${shownToken(text.tokens[place])}” at ${layerName(layer)}`,
    text.top[place][layer].map((token, i) => `“${shownToken(token)}” ${formatScore(text.probabilities[place][layer][i])}`).join(', '),
    `entropy ${text.entropy[place][layer].toFixed(2)} bits`,
    ...(target === null ? [] : [ranked(`${next ? 'what follows' : 'itself'}, “${shownToken(target)}”`, text.target_ranks[place][layer], text.target_probabilities[place][layer])]),
    ...text.watched.filter(({token}) => token !== null).map((one) => ranked(watchedName(one), one.ranks[place][layer], one.probabilities[place][layer])),
  ];
}

/**
 * From which layer on the likeliest token is the last layer's.
 *
 * @param {LensText} text
 * @param {number} place
 * @returns {number}
 */
export function settledAt({top}, place) {
  const firsts = top[place].map(([first]) => first);
  const last = firsts[firsts.length - 1];
  return firsts.findLastIndex((first) => first !== last) + 1;
}

/** How far the tokens agree with the model at a layer. @param {LensText} text @param {number} layer */
export function agreementSentence({top}, layer) {
  if (layer === top[0].length - 1) return 'what the model says';
  const same = top.filter((layers) => layers[layer][0] === layers[layers.length - 1][0]).length;
  return `${same} of ${countOf(top.length, 'token')} as at the last layer`;
}

/**
 * The numbers as a table: a row for each text, token and layer.
 *
 * @param {string} model  LIT's name
 * @param {LensTokens} answer
 * @returns {string}
 */
export function lensCsv(model, answer) {
  const nTop = answer.examples[0].top[0]?.[0].length ?? 0;
  const tops = Array.from({length: nTop}, (_, i) => [`token_${i + 1}`, `probability_${i + 1}`]).flat();
  const {watched} = answer.examples[0];
  const columns = ['model', 'text', 'place', 'token', 'layer', ...tops, 'entropy_bits', 'target', 'target_rank', 'target_probability',
    ...watched.flatMap(({word}) => [`rank of ${word}`, `probability of ${word}`])];
  const rows = answer.examples.flatMap((text, side) => text.tokens.flatMap((token, place) => text.top[place].map((likeliest, layer) => [
    model, side + 1, place + 1, token, layer, ...likeliest.flatMap((one, i) => [one, text.probabilities[place][layer][i]]), text.entropy[place][layer],
    text.targets[place], text.target_ranks[place][layer] || null, text.targets[place] === null ? null : text.target_probabilities[place][layer],
    ...text.watched.flatMap(({token: own, ranks, probabilities}) => (own === null ? [null, null] : [ranks[place][layer], probabilities[place][layer]])),
  ])));
  return csvTable(columns, rows);
}
