// @ts-check
/** A series of checkpoints: the same layers by checkpoint as a grid, all layers of each as small maps, and what is read off them in words. */
/** @import {SvgNode} from '../charts/types.js' */
/** @import {LayerSimilarity, SimilaritySeries} from '../page/types.js' */
/** @import {Pair} from './similarity_grid.js' */
import {FONT} from '../charts/line_chart.js';
import {COLORS} from '../charts/palette.js';
import {svgLabel, svgNode} from '../charts/svg.js';
import {formatScore} from '../words/format.js';
import {layerWords, similarityColor} from './similarity_grid.js';

const PAD = 12;
const GAP = 10;
const HEAD = 16;
const CHARACTER = 5.6;
const MAP = {narrowest: 84, widest: 130};
/** So many maps at most, evenly over the series. */
const MOST_MAPS = 12;
/** Of so many checkpoints at most a value is named in a sentence. */
const MOST_NAMED = 8;

/** Beside which checkpoint the layers stand: value and words. */
export const BESIDE = [
  {value: 'last', title: 'the last'},
  {value: 'first', title: 'the first'},
  {value: 'previous', title: 'the one before'},
];

/** Whether an answer is about a series. @param {LayerSimilarity|SimilaritySeries} answer @returns {answer is SimilaritySeries} */
export function isSeries(answer) {
  return 'maps' in answer;
}

/**
 * The same layers by checkpoint, as `similarityGrid` draws it: layers down, checkpoints across.
 *
 * @param {SimilaritySeries} answer
 * @param {string} beside  a value of `BESIDE`
 * @returns {LayerSimilarity}
 */
export function seriesAsGrid(answer, beside) {
  const {values, by_chance: byChance} = sameLayers(answer, beside);
  const turned = (/** @type {(?number)[][]} */ of) => answer.layer_names.map((_, layer) => of.map((row) => row[layer]));
  return {
    ...answer, values: turned(values), by_chance: byChance && turned(byChance), n_saturated: 0,
    one: {name: '', layer_names: answer.layer_names, kept: null}, other: {name: beside, layer_names: answer.checkpoints, kept: null},
  };
}

/** @param {SimilaritySeries} answer @param {string} beside */
function sameLayers({same_layers: all}, beside) {
  return all.find((one) => one.beside === beside) ?? all[0];
}

/** The other checkpoint of a cell; null where there is none before. @param {SimilaritySeries} answer @param {string} beside @param {number} checkpoint @returns {?string} */
function otherOf({checkpoints}, beside, checkpoint) {
  const place = beside === 'last' ? checkpoints.length - 1 : beside === 'first' ? 0 : checkpoint - 1;
  return checkpoints[place] ?? null;
}

/**
 * What a cell says, in words.
 *
 * @param {SimilaritySeries} answer
 * @param {string} beside
 * @param {Pair} pair  the layer and the checkpoint
 * @returns {string[]}
 */
export function seriesWords(answer, beside, {row, column}) {
  const {values, by_chance: byChance} = sameLayers(answer, beside);
  const layer = layerWords(answer.layer_names, row);
  const other = otherOf(answer, beside, column);
  if (other === null) return [`${layer} of ${answer.checkpoints[column]}`, 'none stands before it'];
  const [value, chance] = [values[column][row], byChance?.[column][row] ?? null];
  return [
    `${layer} of ${answer.checkpoints[column]} and of ${other}`,
    value === null ? `${answer.title}: none, the layer does not vary` : `${answer.title}: ${formatScore(value)}`,
    ...(chance === null ? [] : [`layers with nothing in common: about ${chance.toFixed(2)}`]),
  ];
}

/**
 * How a layer fares over the series: "step 0 0.020, step 1 0.510, step 2 1.000"; of a long series some of it.
 *
 * @param {SimilaritySeries} answer
 * @param {string} beside
 * @param {number} layer
 * @returns {string}
 */
export function seriesSentence(answer, beside, layer) {
  const {values} = sameLayers(answer, beside);
  return evenly(answer.checkpoints.length, MOST_NAMED).flatMap((at) => {
    const value = values[at][layer];
    return value === null ? [] : [`${answer.checkpoints[at]} ${formatScore(value)}`];
  }).join(', ') || 'there is nothing that it could be compared with';
}

/** So many places at most, from the first to the last. @param {number} n @param {number} most */
function evenly(n, most) {
  const count = Math.min(n, most);
  return Array.from({length: count}, (_, i) => Math.round(i * (n - 1) / Math.max(1, count - 1)));
}

/**
 * All layers of each checkpoint (down) beside all layers of the last (across), a small map each.
 *
 * @param {SimilaritySeries} answer
 * @param {{width: number, ends: {least: number, most: number}}} view  `ends`: of the colours, see `colorEnds`
 * @returns {SvgNode}  an `svg` that needs no style sheet
 */
export function seriesMaps({checkpoints, maps}, {width, ends}) {
  const shown = evenly(checkpoints.length, MOST_MAPS);
  const perLine = Math.max(1, Math.min(shown.length, Math.floor((width - 2 * PAD + GAP) / (MAP.narrowest + GAP))));
  const side = Math.min(MAP.widest, (width - 2 * PAD + GAP) / perLine - GAP);
  const line = HEAD + side + GAP;
  const height = Math.ceil(shown.length / perLine) * line;
  const cell = side / maps[0].values.length;
  return svgNode('svg', {xmlns: 'http://www.w3.org/2000/svg', class: 'series-maps', width, height: height.toFixed(0), viewBox: `0 0 ${width} ${height.toFixed(0)}`,
    'font-family': FONT, 'font-size': 10.5, fill: COLORS.text},
  ...shown.map((place, i) => {
    const [x, y] = [PAD + (i % perLine) * (side + GAP), Math.floor(i / perLine) * line + HEAD];
    return svgNode('g', {class: 'series-map'},
      svgLabel({x: x.toFixed(1), y: (y - 4).toFixed(1)}, `${place + 1} ${checkpoints[place]}`, side, CHARACTER),
      ...maps[place].values.flatMap((row, down) => row.map((value, across) => svgNode('rect', {
        x: (x + across * cell).toFixed(2), y: (y + down * cell).toFixed(2), width: (cell + 0.2).toFixed(2), height: (cell + 0.2).toFixed(2),
        fill: value === null ? COLORS.grid : similarityColor(value, ends).fill, 'shape-rendering': 'crispEdges'}))),
      svgNode('rect', {x: x.toFixed(1), y: y.toFixed(1), width: side.toFixed(1), height: side.toFixed(1), fill: 'none', stroke: COLORS.axis}));
  }));
}

/**
 * The pairs as rows of a table: all layers beside all of the last, then the same layers beside those of others.
 *
 * @param {SimilaritySeries} answer
 * @returns {Record<string, string|number|null>[]}
 */
export function seriesRows({measure, split, n, checkpoints, layer_names: names, same_layers: all, maps}) {
  const row = (/** @type {string} */ beside, /** @type {string} */ one, /** @type {number} */ layer, /** @type {string} */ other, /** @type {number} */ otherLayer, /** @type {?number} */ value, /** @type {?number} */ chance) => ({
    measure, split, n, beside, encoder: one, layer, layer_name: names[layer], other_encoder: other, other_layer: otherLayer, other_layer_name: names[otherLayer], value, by_chance: chance});
  return [
    ...maps.flatMap(({one, other, values, by_chance: chance}) => values.flatMap((of, layer) =>
      of.map((value, across) => row('last', one.name, layer, other.name, across, value, chance?.[layer][across] ?? null)))),
    ...all.slice(1).flatMap(({beside, values, by_chance: chance}) => values.flatMap((of, at) => (beside === 'previous' && at === 0 ? [] : of.map((value, layer) =>
      row(beside, checkpoints[at], layer, checkpoints[beside === 'first' ? 0 : at - 1], layer, value, chance?.[at][layer] ?? null))))),
  ];
}
