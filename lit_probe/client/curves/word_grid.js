// @ts-check
/** The words of a sentence by layers: a row for each word, a column for each layer, coloured by the probability of the word's tag. */
/** @import {SvgNode} from '../charts/types.js' */
/** @import {TaggedWord, WordsByLayer} from '../page/types.js' */
/** @import {MatrixLine} from '../words/side_by_side.js' */
import {FONT} from '../charts/line_chart.js';
import {COLORS, heatColor} from '../charts/palette.js';
import {svgLabel, svgNode} from '../charts/svg.js';
import {csvTable} from '../words/files.js';
import {formatScore} from '../words/format.js';
import {closeGaps, matrixLines} from '../words/side_by_side.js';
import {layerName, placeTitle} from '../words/sentences.js';

/** @typedef {{side: number, line: number, layer: number}} Cell  A cell: of which sentence, in which line, at which layer. */

const PAD = 12;
const GAP = 16;
const TOP = 40;
const ROW = 20;
const KEY_LINE = 17;
const AXIS = 34;
const CELL = {narrowest: 15, widest: 46, number: 30, both: 40};
const CHARACTER = 6.2;

/** The narrowest and the widest that the columns of words and of tags are, in pixels, and their share of a sentence's width. */
const COLUMNS = {word: [54, 150, 0.24], tag: [44, 66, 0.13]};
/** Pixels that "×" takes in front of a predicted tag. */
const MARK = 12;

/**
 * The lines of the grid: of two sentences the same words in the same line, a replaced word beside its new one.
 *
 * @param {WordsByLayer} answer
 * @returns {MatrixLine[]}
 */
export function wordLines({examples}) {
  return closeGaps(matrixLines(examples.map(({words, aligned}) => ({tokens: words.map(({word}) => word), special: words.map(() => false), aligned}))));
}

/**
 * The place of a sentence's word in a line; null where it has none there.
 *
 * @param {MatrixLine} line
 * @param {number} side
 * @returns {?number}
 */
export function placeIn(line, side) {
  return (side === 0 ? line.first : line.second)?.at ?? null;
}

/** Whether a word gets another tag than its own at a layer. @param {TaggedWord} word @param {number} layer */
function isWrong({tag, predicted}, layer) {
  return tag !== null && predicted !== null && predicted[layer] !== tag;
}

/**
 * Where everything stands, in pixels. What is too wide for a panel is wider than it, and scrolls.
 *
 * @param {WordsByLayer} answer
 * @param {number} nLines
 * @param {number} width  the panel's
 */
export function wordGridLayout({examples, n_layers: nLayers}, nLines, width) {
  const nSides = Math.max(1, examples.length);
  const each = (width - 2 * PAD - (nSides - 1) * GAP) / nSides;
  const column = (/** @type {number[]} */ [least, most, share]) => Math.min(most, Math.max(least, share * each));
  const word = column(COLUMNS.word);
  const tag = column(COLUMNS.tag);
  // Without room for them, predicted tags are left to the marks in the cells and to the pointer.
  const said = each >= COLUMNS.word[0] + 2 * COLUMNS.tag[0] + MARK + nLayers * CELL.narrowest ? tag + MARK : 0;
  const cell = Math.min(CELL.widest, Math.max(CELL.narrowest, (each - word - tag - said) / nLayers));
  const side = word + tag + said + nLayers * cell;
  const left = (/** @type {number} */ i) => PAD + i * (side + GAP);
  const cells = (/** @type {number} */ i) => left(i) + word + tag + said;
  const bottom = TOP + nLines * ROW;
  return {
    word, tag, said, cell, left, cells, bottom, width: Math.max(width, left(nSides - 1) + side + PAD), height: bottom + AXIS + 4 * KEY_LINE,
    y: (/** @type {number} */ line) => TOP + line * ROW,
    x: (/** @type {number} */ i, /** @type {number} */ layer) => cells(i) + layer * cell,
    /** The cell under a pixel, if any; left of the cells, that of the word at the layer that is looked at. @param {number} x @param {number} y @param {number} current @returns {?Cell} */
    cellUnder(x, y, current) {
      const line = Math.floor((y - TOP) / ROW);
      if (line < 0 || line >= nLines) return null;
      for (let i = 0; i < nSides; i++) {
        const layer = Math.floor((x - cells(i)) / cell);
        if (layer >= 0 && layer < nLayers) return {side: i, line, layer};
        if (x >= left(i) && x < cells(i)) return {side: i, line, layer: current};
      }
      return null;
    },
  };
}

/**
 * The grid.
 *
 * @param {WordsByLayer} answer
 * @param {MatrixLine[]} lines  `wordLines`
 * @param {object} view
 * @param {number} view.width
 * @param {number} view.layer  the one whose tags stand beside the words
 * @param {string[]} view.titles  one for each sentence
 * @param {?{side: number, place: number}} [view.word]  the word that is looked at
 * @param {?Cell} [view.hovered]  the cell under the pointer, or that keys have led to
 * @param {boolean} [view.onScreen]  whether the layer and the word that are looked at are marked
 * @param {?(cell: Cell) => Record<string, string>} [view.ofCell]  further attributes of a cell, for a page that is read aloud
 * @returns {SvgNode}  an `svg` that needs no style sheet
 */
export function wordGrid(answer, lines, {width, layer, titles, word = null, hovered = null, onScreen = true, ofCell = null}) {
  const {examples, n_layers: nLayers, best_layer: bestLayer, layer_names: names} = answer;
  const layout = wordGridLayout(answer, lines.length, width);
  const layers = Array.from({length: nLayers}, (_, i) => i);
  const step = Math.ceil(CHARACTER * String(nLayers - 1).length * 1.4 / layout.cell);
  const box = (/** @type {number} */ side, /** @type {number} */ at, /** @type {number} */ top, /** @type {number} */ height) => ({
    x: (layout.x(side, at) + 0.5).toFixed(2), y: top.toFixed(2), width: (layout.cell - 1).toFixed(2), height: height.toFixed(2)});
  return svgNode('svg', {xmlns: 'http://www.w3.org/2000/svg', width: layout.width.toFixed(0), height: layout.height, viewBox: `0 0 ${layout.width.toFixed(0)} ${layout.height}`,
    'font-family': FONT, 'font-size': 11, fill: COLORS.text},
  ...examples.flatMap((example, side) => [
    svgLabel({class: 'side-title', x: layout.left(side), y: 13, 'font-weight': 'bold', 'font-size': 12}, titles[side], layout.cells(side) - layout.left(side) + nLayers * layout.cell, 6.6),
    svgNode('text', {x: layout.left(side), y: TOP - 7, fill: COLORS.quietText}, 'word'),
    svgNode('text', {x: layout.left(side) + layout.word, y: TOP - 7, fill: COLORS.quietText}, 'tag'),
    layout.said === 0 ? null : svgLabel({class: 'said-at', x: layout.left(side) + layout.word + layout.tag, y: TOP - 7, fill: COLORS.quietText}, saidAt(layer, names, layout.said - 4), layout.said - 4),
    ...layers.filter((at) => at % step === 0 || at === bestLayer).map((at) => svgNode('text', {
      x: (layout.x(side, at) + layout.cell / 2).toFixed(2), y: TOP - 7, 'text-anchor': 'middle', 'font-weight': at === bestLayer ? 'bold' : 'normal'}, String(at))),
    ...lines.map((line, row) => {
      const place = placeIn(line, side);
      return place === null ? null : wordRow(answer, example.words[place], {side, row, layer, layout, ofCell});
    }),
    svgNode('rect', {class: 'chosen-layer', ...box(side, bestLayer, TOP - 19, lines.length * ROW + 20), fill: 'none', stroke: COLORS.secondMark, 'stroke-dasharray': '4 2', 'stroke-width': 1.5}),
    onScreen ? svgNode('rect', {class: 'current-layer', ...box(side, layer, TOP - 0.5, lines.length * ROW), fill: 'none', stroke: COLORS.ink, 'stroke-width': 1.5}) : null,
  ]),
  ...lines.map((line, row) => (onScreen && word && placeIn(line, word.side) === word.place
    ? svgNode('rect', {class: 'current-word', x: layout.left(word.side) - 4, y: layout.y(row), width: layout.cells(word.side) - layout.left(word.side) + nLayers * layout.cell + 6, height: ROW - 1,
      fill: 'none', stroke: COLORS.ink, 'stroke-width': 1.5}) : null)),
  hovered ? svgNode('rect', {class: 'hovered-cell', ...box(hovered.side, hovered.layer, layout.y(hovered.line), ROW - 1), fill: 'none', stroke: COLORS.accent, 'stroke-width': 2}) : null,
  svgNode('text', {class: 'axis-title', x: (layout.cells(0) + nLayers * layout.cell / 2).toFixed(2), y: layout.bottom + 15, 'text-anchor': 'middle', 'font-size': 12, 'font-weight': 'bold'}, names ? 'Place' : 'Layer'),
  keyOf(layout));
}

/** The head of the column of predicted tags: "layer 4", or "at 12" where there is no room. @param {number} layer @param {?string[]} names @param {number} room */
function saidAt(layer, names, room) {
  const whole = placeTitle(layer, names);
  return names || whole.length * 5.8 <= room ? whole : `at ${layer}`;
}

/** @param {WordsByLayer} answer @param {TaggedWord} word @param {{side: number, row: number, layer: number, layout: ReturnType<typeof wordGridLayout>, ofCell: ?(cell: Cell) => Record<string, string>}} at */
function wordRow({label_names: labelNames, n_layers: nLayers}, word, {side, row, layer, layout, ofCell}) {
  const base = layout.y(row) + 14;
  const left = layout.left(side);
  const none = word.tag === null;
  const wrong = isWrong(word, layer);
  const said = word.predicted === null ? '' : labelNames[word.predicted[layer]];
  const role = /** @type {Record<string, string>} */ (ofCell ? {role: 'row'} : {});
  return svgNode('g', {class: `word-row${wrong ? ' wrong' : ''}${none ? ' untagged' : ''}`, ...role},
    svgLabel({class: 'word', x: left, y: base, 'font-size': 12, fill: none ? COLORS.quietText : COLORS.ink}, word.word, layout.word - 4, 6.6),
    svgLabel({class: 'gold', x: left + layout.word, y: base, fill: none ? COLORS.quietText : COLORS.text}, word.tag === null ? '–' : labelNames[word.tag], layout.tag - 4, 6.6),
    layout.said === 0 ? null : svgLabel({class: 'said', x: left + layout.word + layout.tag, y: base, fill: wrong ? COLORS.secondMark : COLORS.quietText, 'font-weight': wrong ? 'bold' : 'normal'},
      said, layout.said - 4, 6.6, wrong ? '× ' : ''),
    ...(word.read
      ? Array.from({length: nLayers}, (_, at) => cellOf(word, {side, line: row, layer: at}, layout, ofCell))
      : [svgLabel({class: 'unread', x: layout.cells(side) + 4, y: base, fill: COLORS.quietText, 'font-style': 'italic'}, 'cut off: not read', nLayers * layout.cell - 4)]));
}

/** @param {TaggedWord} word @param {Cell} cell @param {ReturnType<typeof wordGridLayout>} layout @param {?(cell: Cell) => Record<string, string>} ofCell */
function cellOf(word, cell, layout, ofCell) {
  const probability = word.probability?.[cell.layer] ?? null;
  const {fill, text} = probability === null ? {fill: COLORS.grid, text: COLORS.quietText} : heatColor(probability);
  const wrong = isWrong(word, cell.layer);
  const number = probability === null || layout.cell < (wrong ? CELL.both : CELL.number) ? '' : probability.toFixed(2);
  const said = `${wrong ? '×' : ''}${number}`;
  return svgNode('g', {class: 'cell', ...(ofCell?.(cell) ?? {})},
    svgNode('rect', {x: (layout.x(cell.side, cell.layer) + 0.5).toFixed(2), y: layout.y(cell.line), width: (layout.cell - 1).toFixed(2), height: ROW - 1, fill, stroke: COLORS.grid}),
    said === '' ? null : svgNode('text', {x: (layout.x(cell.side, cell.layer) + layout.cell / 2).toFixed(2), y: layout.y(cell.line) + 14, 'text-anchor': 'middle',
      'font-size': 10, fill: text, 'font-weight': wrong ? 'bold' : 'normal'}, said));
}

/** What colours and marks mean. @param {ReturnType<typeof wordGridLayout>} layout */
function keyOf(layout) {
  const [steps, step] = [24, 4];
  const top = layout.bottom + AXIS - 8;
  const [left, right] = [PAD, PAD + steps * step + 8];
  const entry = (/** @type {number} */ line, /** @type {string} */ words) => svgLabel({x: right, y: top + line * KEY_LINE + 9, fill: COLORS.quietText}, words, layout.width - right - PAD);
  return svgNode('g', {class: 'color-scale'},
    ...Array.from({length: steps}, (_, i) => svgNode('rect', {x: left + i * step, y: top, width: step, height: 10, fill: heatColor(i / (steps - 1)).fill})),
    svgNode('rect', {x: left, y: top, width: steps * step, height: 10, fill: 'none', stroke: COLORS.axis}),
    entry(0, '0 to 1: probability of the word’s tag'),
    svgNode('text', {x: right - 14, y: top + KEY_LINE + 9, 'text-anchor': 'middle', 'font-weight': 'bold'}, '×'),
    entry(1, 'another tag is predicted'),
    svgNode('rect', {x: right - 22, y: top + 2 * KEY_LINE, width: 14, height: 10, fill: COLORS.grid, stroke: COLORS.axis}),
    entry(2, 'a word without a tag of its own'),
    svgNode('rect', {x: right - 22, y: top + 3 * KEY_LINE, width: 14, height: 10, fill: 'none', stroke: COLORS.secondMark, 'stroke-dasharray': '4 2', 'stroke-width': 1.5}),
    entry(3, 'the layer chosen on dev'));
}

/**
 * One word at one layer: "“film” at layer 4", "tag NOUN: 0.930", "predicted NOUN".
 *
 * @param {WordsByLayer} answer
 * @param {TaggedWord} word
 * @param {number} layer
 * @returns {string[]}
 */
export function wordSentences({label_names: labelNames, layer_names: names}, {word, tag, read, probability, predicted, certainty}, layer) {
  const at = `“${word}” at ${layerName(layer, names)}`;
  if (!read || predicted === null || certainty === null) return [at, tag === null ? 'no tag' : `tag ${labelNames[tag]}`, 'cut off: not read'];
  const said = labelNames[predicted[layer]];
  if (tag === null || probability === null) return [at, 'no tag of its own', `predicted ${said} ${formatScore(certainty[layer])}`];
  if (predicted[layer] === tag) return [at, `tag ${labelNames[tag]} ${formatScore(probability[layer])}, predicted`];
  return [at, `tag ${labelNames[tag]} ${formatScore(probability[layer])}`, `× predicted ${said} ${formatScore(certainty[layer])}`];
}

/**
 * How many words are right at a layer, and what is to be known of the others.
 *
 * @param {WordsByLayer} answer
 * @param {number} side
 * @param {number} layer
 * @returns {string}
 */
export function rightSentence({examples}, side, layer) {
  const {words} = examples[side];
  const tagged = words.filter(({tag, read}) => tag !== null && read);
  const right = tagged.filter((word) => !isWrong(word, layer)).length;
  const others = [
    [words.filter(({tag}) => tag === null).length, 'without a tag'],
    [words.filter(({read}) => !read).length, 'cut off'],
  ].filter(([count]) => count).map(([count, what]) => `, ${count} ${what}`).join('');
  return `${right} of ${tagged.length} tags right${others}`;
}

/**
 * The numbers as a table: a row for each word and layer.
 *
 * @param {string} model  LIT's name
 * @param {WordsByLayer} answer
 * @returns {string}
 */
export function wordsCsv(model, answer) {
  const {label_names: labels, layer_names: names} = answer;
  const rows = answer.examples.flatMap(({words}, side) => words.flatMap(({word, tag, read, probability, predicted, certainty}, place) =>
    Array.from({length: answer.n_layers}, (_, layer) => [
      model, answer.trained_on, side + 1, place + 1, word, tag === null ? null : labels[tag], read, names ? names[layer] : layer, probability?.[layer] ?? null,
      predicted === null ? null : labels[predicted[layer]], certainty?.[layer] ?? null])));
  return csvTable(['model', 'trained_on', 'sentence', 'place', 'word', 'tag', 'read', 'layer', 'probability', 'predicted', 'probability_predicted'], rows);
}
