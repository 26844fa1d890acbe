// @ts-check
/** What a curve is compared with: baselines and layers like the best one, as lines of the chart and in words. */
/** @typedef {import('../page/types.js').Overlays} Overlays */
/** @typedef {import('../page/types.js').Series} Series */
import {BASELINE_STYLES} from '../charts/palette.js';
import {formatScore} from '../words/format.js';
import {intervalText, layerList} from '../words/sentences.js';

/** What a curve can be compared with, in the order of the legend. `asked`: whether the server has to compute it. */
export const BASELINES = [
  {name: 'majority', title: 'majority baseline', asked: false},
  {name: 'embeddings', title: 'embeddings', asked: false},
  {name: 'bag_of_words', title: 'bag of words', asked: true},
  {name: 'tfidf', title: 'TF-IDF', asked: true},
  {name: 'length', title: 'text length', asked: true},
  {name: 'random_weights', title: 'random weights', asked: true},
  {name: 'shuffled', title: 'shuffled labels', asked: true},
];

/**
 * What is drawn beside the curve.
 *
 * @param {object} known
 * @param {Record<string, boolean>} known.wishes  which baselines, and whether like layers (`alike`), are switched on
 * @param {Record<string, any>} known.baselines  the server's measurements that have arrived, by name
 * @param {any} known.comparison  the answer of the check `layer_comparison`, or null
 * @param {?Series} known.dev  the series of dev, whose layer 0 is the embeddings' baseline
 * @returns {Overlays}
 */
export function overlaysOf({wishes, baselines, comparison, dev}) {
  const wanted = BASELINES.filter(({name, asked}) => wishes[name] && (name === 'embeddings' || (asked && baselines[name])));
  const embeddings = dev?.layers[0].score ?? null;
  /** @type {Overlays} */
  const overlays = {majority: wishes.majority, references: [], lines: [], alike: wishes.alike ? layersAlike(comparison) : []};
  for (const {name, title} of wanted) {
    const style = BASELINE_STYLES[name];
    const measured = name === 'embeddings' ? {score: embeddings} : baselines[name];
    if (measured.layers) {
      const points = measured.layers.map((/** @type {any} */ {layer, score, low, high}) => ({x: layer, score, low, high}));
      overlays.lines.push({name, mode: 'line', points, style, band: false, label: title});
    } else if (measured.score !== null) {
      overlays.references.push({name, label: `${title} ${formatScore(measured.score)}`, value: measured.score, color: style.color, dash: style.dash});
    }
  }
  return overlays;
}

/**
 * The layers that cannot be told apart from the best one, itself included; none where it stands alone.
 *
 * @param {any} comparison  the answer of the check `layer_comparison`, or null
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
  return [...references.map(({value}) => value), ...lines.flatMap(({points}) => points.map(({score}) => score))];
}

/**
 * Which layers are as good as the best one, for all that the dev examples can tell.
 *
 * @param {any} comparison  the answer of the check `layer_comparison`
 * @returns {string}
 */
export function alikeSentence(comparison) {
  const best = comparison.best_layer;
  const test = testName(comparison);
  const others = layersAlike(comparison).filter((layer) => layer !== best);
  if (others.length === 0) return `On dev every other layer differs from layer ${best} (${test}, Holm-corrected).`;
  const which = others.length === 1 ? `Layer ${others[0]}` : `Layers ${layerList(others)}`;
  return `${which} cannot be told apart from layer ${best} on dev (${test}, Holm-corrected).`;
}

/**
 * How far two layers are apart, with what the difference can be relied on for.
 *
 * @param {any} comparison  the answer of the check `layer_comparison`
 * @param {number} layer
 * @param {?any} pair  its answer about `layer` and another one that was picked; null: the best layer is the other one
 * @returns {string}  empty where a layer would be compared with itself
 */
export function differenceSentence(comparison, layer, pair) {
  const row = pair ?? comparison.layers[layer];
  if (row.p_bootstrap === null) return '';
  const alone = comparison.significance_test === 'mcnemar' ? row.p_mcnemar : row.p_bootstrap;
  const test = pair ? `${pText(alone)} for these two alone (${testName(comparison)})` : `${pText(row.p_holm)} (${testName(comparison)}, Holm-corrected)`;
  return `${intervalText({layer, score: row.difference, low: row.low, high: row.high})}, ${test}`;
}

/** @param {any} comparison @returns {string} */
function testName({significance_test: test}) {
  return test === 'mcnemar' ? 'McNemar’s test' : 'bootstrap test';
}

/** @param {number} p @returns {string} */
function pText(p) {
  return p < 0.001 ? 'p < 0.001' : `p = ${p.toFixed(3)}`;
}

/**
 * How much the choice of the best layer flatters it.
 *
 * @param {any} comparison  the answer of the check `layer_comparison`
 * @returns {string}  empty where a split is too small to tell
 */
export function optimismSentence({optimism}) {
  if (!optimism || optimism.optimism === null) return '';
  const {layer, dev, test, optimism: score, low, high} = optimism;
  return `Optimism of the choice at layer ${layer}: dev ${formatScore(dev)} − test ${formatScore(test)} = ${intervalText({layer, score, low, high})}.`;
}
