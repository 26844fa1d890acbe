// @ts-check
/** What a curve is compared with: baselines and layers like the chosen one, as lines of the chart and in words. */
/** @import {ChartSeries, LineStyle, Overlays} from '../charts/types.js' */
/** @import {LayerComparison, LayerMetrics, MeasuredBaseline, Repeats, Series, TwoLayers} from '../page/types.js' */
import {brightened, COLORS} from '../charts/palette.js';
import {formatScore, inSentence} from '../words/format.js';
import {intervalText, layerList, placeList, placeTitle} from '../words/sentences.js';

/**
 * @typedef {object} Compared  What a curve can be compared with.
 * @property {string} name
 * @property {string} title
 * @property {LineStyle} style
 * @property {number} nDraws  how many random draws its line is the mean of; 1 where nothing is drawn by lot
 */

const WIDTH = 1.5;

/** What needs no question of its own: the line that ignores the text, and layer 0 of the curve, which has seen no context. @type {Compared[]} */
const OF_THE_CURVE = [
  {name: 'majority', title: 'majority baseline', nDraws: 1, style: {color: COLORS.quietText, marker: null, dash: '4 3', width: WIDTH}},
  {name: 'embeddings', title: 'embeddings', nDraws: 1, style: {color: COLORS.text, marker: null, dash: '9 3', width: WIDTH}},
];

/** The same rows divided otherwise, which is compared with in all: a band, and no baseline. @type {Compared} */
export const OTHER_SPLITS = {name: 'repeats', title: '10 other splits', nDraws: 1, style: {color: COLORS.splits, marker: null, dash: '', width: 1}};

/**
 * What a curve can be compared with, in the order of the legend. Names stand beside the lines, so that no colour has to be told from
 * another.
 *
 * @param {LayerMetrics} answer
 * @returns {Compared[]}
 */
export function comparedWith({baselines, label_names: labelNames}) {
  const ofTheCurve = OF_THE_CURVE.map((one) => (one.name === 'majority' && labelNames.length === 0 ? {...one, title: 'mean of train'} : one));
  const measured = baselines.map(({name, title, color, marker, dash, n_draws: nDraws}) =>
    ({name, title: inSentence(title), nDraws, style: {color: brightened(color), marker, dash, width: WIDTH}}));
  return [...ofTheCurve, ...measured];
}

/** The baselines among the wishes, which the server has to measure. @param {Record<string, boolean>} wishes @returns {string[]} */
export function askedOfServer(wishes) {
  const others = ['alike', OTHER_SPLITS.name, ...OF_THE_CURVE.map(({name}) => name)];
  return Object.keys(wishes).filter((name) => !others.includes(name));
}

/**
 * What is drawn beside the curve.
 *
 * @param {object} known
 * @param {Compared[]} known.compared  everything that it can be compared with; see `comparedWith`
 * @param {Record<string, boolean>} known.wishes  which of it, and whether like layers (`alike`), are switched on
 * @param {Record<string, MeasuredBaseline>} known.baselines  the server's measurements that have arrived, by name
 * @param {?LayerComparison} known.comparison  the answer of the check `layer_comparison`, or null
 * @param {?Series} known.dev  the series of dev, whose layer 0 is the embeddings' baseline
 * @param {?Repeats} [known.repeats]  the answer of the check `repeats`, or null
 * @param {?number} [known.embeddings]  the number of the place that is the embeddings; null where these are not read
 * @returns {Overlays}
 */
export function overlaysOf({compared, wishes, baselines, comparison, dev, repeats = null, embeddings = 0}) {
  /** @type {Overlays} */
  const overlays = {majority: wishes.majority, references: [], lines: [], alike: wishes.alike ? layersAlike(comparison) : []};
  const known = /** @type {Record<string, any>} */ ({...baselines, embeddings: {score: (embeddings === null ? null : dev?.layers[embeddings].score) ?? null}});
  for (const {name, title, style} of compared.filter(({name}) => wishes[name] && known[name])) {
    const {score, layers} = known[name];
    if (layers) {
      const points = layers.map((/** @type {any} */ {layer, score: value, draws}) => ({x: layer, score: value, ...rangeOf(draws)}));
      overlays.lines.push({name, mode: 'line', points, style, nDraws: layers[0].draws.length, label: title});
    } else if (score !== null) {
      overlays.references.push({name, label: `${title} ${formatScore(score)}`, value: score, color: style.color, dash: style.dash});
    }
  }
  if (wishes[OTHER_SPLITS.name] && repeats) overlays.lines.push(bandOfSplits(repeats));
  return overlays;
}

/** The least and the largest of several draws; three or five are too few for an interval. @param {number[]} draws */
function rangeOf(draws) {
  return draws.length ? {low: Math.min(...draws), high: Math.max(...draws)} : {low: null, high: null};
}

/** The scores of other splits, from the lowest to the highest, with a line at their mean. @param {Repeats} repeats @returns {ChartSeries} */
function bandOfSplits({n, layers}) {
  const title = `${n} other splits`;
  return {
    name: OTHER_SPLITS.name, mode: 'line', style: OTHER_SPLITS.style, label: title, inTable: `${title}: mean, lowest, highest`,
    points: layers.map(({layer, mean, lowest, highest}) => ({x: layer, score: mean, low: lowest, high: highest})),
    footnote: `${title} of train and dev: line at the mean of their dev scores, band from the lowest to the highest.`,
  };
}

/**
 * What other splits give at a layer: "over 10 other splits mean 0.803, 0.771 to 0.842".
 *
 * @param {Repeats} repeats
 * @param {number} layer
 * @returns {string}
 */
export function repeatedText({n, layers}, layer) {
  const {mean, lowest, highest} = layers[layer];
  return `over ${n} other splits mean ${formatScore(mean)}, ${formatScore(lowest)} to ${formatScore(highest)}`;
}

/**
 * The layers that cannot be told apart from the chosen one, itself included; none where it stands alone.
 *
 * @param {?LayerComparison} comparison  the answer of the check `layer_comparison`, or null
 * @returns {number[]}
 */
export function layersAlike(comparison) {
  const layers = (comparison?.layers ?? []).filter((/** @type {any} */ {indistinguishable}) => indistinguishable).map((/** @type {any} */ {layer}) => layer);
  return layers.length > 1 ? layers : [];
}

/**
 * The values that an axis must hold for these overlays to be seen.
 *
 * @param {Overlays} overlays
 * @returns {(?number)[]}
 */
export function overlayValues({references, lines}) {
  const seen = lines.flatMap(({points, band}) => points.flatMap(({score, low, high}) => (band === false ? [score] : [score, low, high])));
  return [...references.map(({value}) => value), ...seen];
}

/**
 * Which layers are as good as the chosen one, for all that the dev examples can tell.
 *
 * @param {LayerComparison} comparison  the answer of the check `layer_comparison`
 * @param {?string[]} [names]  what places that are not all of an encoder's layers are called
 * @returns {string}
 */
export function alikeSentence(comparison, names = null) {
  const best = comparison.best_layer;
  const test = testName(comparison);
  const others = layersAlike(comparison).filter((layer) => layer !== best);
  if (names) {
    if (others.length === 0) return `On dev every other place differs from ${names[best]} (${test}, Holm-corrected).`;
    return `Not to be told apart from ${names[best]} on dev (${test}, Holm-corrected): ${placeList(others, names)}.`;
  }
  if (others.length === 0) return `On dev every other layer differs from layer ${best} (${test}, Holm-corrected).`;
  const which = others.length === 1 ? `Layer ${others[0]}` : `Layers ${layerList(others)}`;
  return `${which} cannot be told apart from layer ${best} on dev (${test}, Holm-corrected).`;
}

/**
 * How far two layers are apart, with what the difference can be relied on for.
 *
 * @param {LayerComparison} comparison  the answer of the check `layer_comparison`
 * @param {number} layer
 * @param {?TwoLayers} pair  the check's answer about `layer` and another one that was picked; null: the chosen layer is the other one
 * @returns {string}  empty where a layer would be compared with itself
 */
export function differenceSentence(comparison, layer, pair) {
  const ofLayer = comparison.layers[layer];
  const row = pair ?? ofLayer;
  if (row.p_bootstrap === null) return '';
  const alone = comparison.significance_test === 'mcnemar' ? row.p_mcnemar : row.p_bootstrap;
  const test = pair ? `${pText(alone)} for these two alone (${testName(comparison)})` : `${pText(ofLayer.p_holm)} (${testName(comparison)}, Holm-corrected)`;
  return `${intervalText({layer, score: row.difference, low: row.low, high: row.high})}, ${test}`;
}

/** @param {LayerComparison} comparison @returns {string} */
function testName({significance_test: test}) {
  return test === 'mcnemar' ? 'McNemar’s test' : 'bootstrap test';
}

/** @param {?number} p @returns {string} */
export function pText(p) {
  return p === null ? '' : p < 0.001 ? 'p < 0.001' : `p = ${p.toFixed(3)}`;
}

/**
 * How much the choice of a layer flatters it.
 *
 * @param {LayerComparison} comparison  the answer of the check `layer_comparison`
 * @param {?string[]} [names]  what places that are not all of an encoder's layers are called
 * @returns {string}  empty where a split is too small to tell
 */
export function optimismSentence({optimism}, names = null) {
  if (!optimism || optimism.optimism === null) return '';
  const {layer, dev, test, optimism: score, low, high} = optimism;
  return `Optimism of the choice at ${placeTitle(layer, names)}: dev ${formatScore(dev)} − test ${formatScore(test)} = ${intervalText({layer, score, low, high})}.`;
}
