// @ts-check
/** A grid of layers by layers, coloured by how alike they are, and what stands in it in words. */
/** @import {SvgNode} from '../charts/types.js' */
/** @import {LayerSimilarity} from '../page/types.js' */
import {FONT, MARGIN} from '../charts/line_chart.js';
import {COLORS, heatColor, salienceColor} from '../charts/palette.js';
import {svgLabel, svgNode} from '../charts/svg.js';
import {formatCount, formatScore} from '../words/format.js';

/** Two layers: the row and the column of a cell. @typedef {{row: number, column: number}} Pair */

const TOP = 6;
const FOOT = 40;
const WIDEST = 40;
const LABEL_WIDTH = 20;
const LABEL_HEIGHT = 12;
/** A value is written into a cell of at least this width. */
const NUMBER = 27;
/** Of the layers that are most like the current one, so many are named. */
const MOST_NAMED = 3;

/**
 * Where the cells stand, in pixels: squares, as large as the width allows.
 *
 * @param {LayerSimilarity} answer
 * @param {number} width  the drawing's
 */
export function cellLayout({values}, width) {
  const [nRows, nColumns] = [values.length, values[0].length];
  const size = Math.min(WIDEST, (width - MARGIN.left - MARGIN.right) / nColumns);
  const bottom = TOP + nRows * size;
  return {
    size, nRows, nColumns, left: MARGIN.left, right: MARGIN.left + nColumns * size, top: TOP, bottom, height: bottom + FOOT,
    x: (/** @type {number} */ column) => MARGIN.left + column * size,
    y: (/** @type {number} */ row) => TOP + row * size,
    /** The cell under a pixel, if any. @param {number} x @param {number} y @returns {?Pair} */
    pairUnder: (x, y) => {
      const [row, column] = [Math.floor((y - TOP) / size), Math.floor((x - MARGIN.left) / size)];
      return row >= 0 && row < nRows && column >= 0 && column < nColumns ? {row, column} : null;
    },
  };
}

/**
 * The ends of the colours: 0 and 1, or the least value that is shown and 1.
 *
 * @param {LayerSimilarity} answer
 * @param {boolean} spread  whether the colours are spread over the values that there are
 * @returns {{least: number, most: number}}
 */
export function colorEnds({values}, spread) {
  const known = values.flat().filter((value) => value !== null);
  const least = spread && known.length ? Math.min(...known) : 0;
  return {least: least < 1 ? least : 0, most: 1};
}

/** The colour of a value: what is below 0, where colours begin there, has a colour of its own. @param {number} value @param {{least: number, most: number}} ends */
export function similarityColor(value, {least, most}) {
  return least === 0 && value < 0 ? salienceColor(value, true) : heatColor((value - least) / (most - least));
}

/**
 * The grid, layer 0 in the first row and the first column.
 *
 * @param {LayerSimilarity} answer
 * @param {object} view
 * @param {number} view.width
 * @param {boolean} [view.spread]  see `colorEnds`
 * @param {?(pair: Pair) => Record<string, string>} [view.ofCell]  further attributes of a cell, for a page that is read aloud; null for a file
 * @param {?{down: string, across: string}} [view.axes]  the titles of the axes, where columns are no layers: they are then numbered from 1
 * @returns {SvgNode}  an `svg` that needs no style sheet
 */
export function similarityGrid(answer, {width, spread = false, ofCell = null, axes = null}) {
  const {values, one, other} = answer;
  const layout = cellLayout(answer, width);
  const {size, left, right, top, bottom, height} = layout;
  const ends = colorEnds(answer, spread);
  const cellOf = (/** @type {?number} */ value, /** @type {number} */ row, /** @type {number} */ column) => {
    const {fill, text} = value === null ? {fill: COLORS.paper, text: COLORS.quietText} : similarityColor(value, ends);
    const words = value === null ? '–' : shortNumber(value);
    return svgNode('g', {class: 'pair', ...ofCell?.({row, column})},
      svgNode('rect', {x: layout.x(column).toFixed(2), y: layout.y(row).toFixed(2), width: size.toFixed(2), height: size.toFixed(2), fill, ...(size > 8 ? {stroke: COLORS.grid} : {})}),
      size >= NUMBER ? svgNode('text', {x: (layout.x(column) + size / 2).toFixed(2), y: (layout.y(row) + size / 2 + 3.5).toFixed(2), 'text-anchor': 'middle', 'font-size': 10, fill: text}, words) : null);
  };
  const rowStep = Math.ceil(LABEL_HEIGHT / size);
  const columnStep = Math.ceil(LABEL_WIDTH / size);
  const title = (/** @type {Record<string, string|number>} */ place, /** @type {string} */ name, /** @type {number} */ room) =>
    svgLabel({class: 'axis-title', 'text-anchor': 'middle', 'font-size': 12, 'font-weight': 'bold', ...place}, name, room, 7);
  return svgNode('svg', {xmlns: 'http://www.w3.org/2000/svg', width, height, viewBox: `0 0 ${width} ${height}`, 'font-family': FONT, 'font-size': 11, fill: COLORS.text},
    title({transform: `translate(14 ${((top + bottom) / 2).toFixed(1)}) rotate(-90)`}, axes?.down ?? `Layer of ${one.name}`, Math.max(bottom - top, 90)),
    ...values.map((_, row) => (row % rowStep ? null : svgNode('text', {class: 'row-number', x: left - 8, y: (layout.y(row) + size / 2 + 4).toFixed(2), 'text-anchor': 'end'}, String(row)))),
    ...values[0].map((_, column) => (column % columnStep ? null : svgNode('text', {class: 'column-number', x: (layout.x(column) + size / 2).toFixed(2), y: bottom + 14, 'text-anchor': 'middle'}, String(axes ? column + 1 : column)))),
    title({x: left, y: bottom + 31, 'text-anchor': 'start'}, axes?.across ?? `Layer of ${other.name}`, width - left - 8),
    ...values.map((of, row) => svgNode('g', {class: 'similar-row', ...(ofCell ? {role: 'row'} : {})}, ...of.map((value, column) => cellOf(value, row, column)))),
    svgNode('rect', {x: left, y: top, width: right - left, height: bottom - top, fill: 'none', stroke: COLORS.axis}),
  );
}

/** Frames that lie over the grid: the current layer's row, the pair that was picked, and the one under the pointer. @param {LayerSimilarity} answer @param {{width: number, current: number, picked: ?Pair, shown: ?Pair}} view @returns {SvgNode} */
export function similarityMarks(answer, {width, current, picked, shown}) {
  const layout = cellLayout(answer, width);
  const {size, left, right, height} = layout;
  const frame = (/** @type {?Pair} */ pair, /** @type {string} */ name, /** @type {Record<string, string|number>} */ paint) => (pair === null ? null : svgNode('rect', {
    class: name, x: layout.x(pair.column).toFixed(2), y: layout.y(pair.row).toFixed(2), width: size.toFixed(2), height: size.toFixed(2), fill: 'none', 'stroke-width': 2, ...paint}));
  return svgNode('svg', {class: 'marks', width, height, viewBox: `0 0 ${width} ${height}`, 'aria-hidden': 'true'},
    svgNode('rect', {class: 'current-row', x: left - 1.5, y: (layout.y(current) - 1).toFixed(2), width: (right - left + 3).toFixed(2), height: (size + 2).toFixed(2), fill: 'none', stroke: COLORS.ink, 'stroke-width': 1.5}),
    frame(picked, 'picked-pair', {stroke: COLORS.secondMark, 'stroke-dasharray': '4 2', 'stroke-width': 2.5}),
    frame(shown, 'shown-pair', {stroke: COLORS.ink}));
}

/** A value where there is little room: ".98", "1", "−.31". @param {number} value */
function shortNumber(value) {
  const text = value.toFixed(2);
  return text.replace(/^-0\.00$/, '0').replace(/^0\.00$/, '0').replace(/\.00$/, '').replace(/^(-?)0\./, '$1.').replace('-', '−');
}

/**
 * A layer in running text: "layer 3", "layer 0 (embeddings)", "layer 25 (head 3.1)".
 *
 * @param {string[]} names  what the layers are called
 * @param {number} layer
 * @returns {string}
 */
export function layerWords(names, layer) {
  const name = names[layer].replace(/^block \d+ \((.*)\)$/, '$1');
  return name === `block ${layer}` || name === `layer ${layer}` ? `layer ${layer}` : `layer ${layer} (${name})`;
}

/**
 * What a cell says, in words.
 *
 * @param {LayerSimilarity} answer
 * @param {Pair} pair
 * @returns {string[]}
 */
export function pairWords({title, one, other, values, by_chance: byChance}, {row, column}) {
  const own = one.name === other.name;
  const [first, second] = [layerWords(one.layer_names, row), layerWords(other.layer_names, column)];
  const value = values[row][column];
  const chance = byChance?.[row][column] ?? null;
  const kept = one.kept && other.kept ? [one.kept[row], other.kept[column]] : [];
  return [
    own ? `${first} and ${second}` : `${first} of ${one.name} and ${second} of ${other.name}`,
    value === null ? `${title}: none, a layer does not vary` : `${title}: ${formatScore(value)}`,
    ...(chance === null ? [] : [`layers with nothing in common: about ${chance.toFixed(2)}`]),
    ...(value === null || kept.length === 0 ? [] : [`directions compared: ${kept.map((n) => formatCount(n ?? 0)).join(' and ')}`]),
  ];
}

/**
 * What a layer is most like, and least: "most like layer 4 (0.981), layer 2 (0.95); least like layer 0 (0.2)".
 *
 * @param {LayerSimilarity} answer
 * @param {number} row
 * @returns {string}
 */
export function rowSentence({one, other, values}, row) {
  const own = one.name === other.name;
  const others = values[row].map((value, column) => ({value, column})).filter(({value, column}) => value !== null && !(own && column === row));
  if (others.length === 0) return 'there is nothing that it could be compared with';
  const ordered = others.sort((a, b) => Number(b.value) - Number(a.value) || a.column - b.column);
  const words = (/** @type {{value: ?number, column: number}} */ {value, column}) => `${layerWords(other.layer_names, column)} (${formatScore(value)})`;
  const most = ordered.slice(0, Math.max(1, Math.min(MOST_NAMED, ordered.length - 1)));
  const least = ordered.length > most.length ? `; least like ${words(ordered[ordered.length - 1])}` : '';
  return `most like ${own ? '' : `${other.name}’s `}${most.map(words).join(', ')}${least}`;
}

/**
 * The cell to which a key leads; at an edge the same one.
 *
 * @param {Pair} pair
 * @param {string} key
 * @param {number} nRows
 * @param {number} nColumns
 * @returns {Pair|undefined}  undefined: the key means nothing
 */
export function pairByKey({row, column}, key, nRows, nColumns) {
  /** @type {Record<string, [number, number]>} */
  const targets = {
    ArrowLeft: [row, column - 1], ArrowRight: [row, column + 1], ArrowUp: [row - 1, column], ArrowDown: [row + 1, column],
    Home: [row, 0], End: [row, nColumns - 1], PageUp: [0, column], PageDown: [nRows - 1, column],
  };
  const target = targets[key];
  const within = (/** @type {number} */ place, /** @type {number} */ n) => Math.min(n - 1, Math.max(0, place));
  return target && {row: within(target[0], nRows), column: within(target[1], nColumns)};
}

/**
 * The pairs as rows of a table.
 *
 * @param {LayerSimilarity} answer
 * @returns {Record<string, string|number|null>[]}
 */
export function similarityRows({measure, one, other, values, by_chance: byChance, split, n}) {
  return values.flatMap((of, row) => of.map((value, column) => ({
    measure, split, n, encoder: one.name, layer: row, layer_name: one.layer_names[row], other_encoder: other.name, other_layer: column,
    other_layer_name: other.layer_names[column], value, by_chance: byChance?.[row][column] ?? null,
  })));
}
