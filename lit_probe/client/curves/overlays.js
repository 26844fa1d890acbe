// @ts-check
/** @typedef {import('../page/types.js').Overlays} Overlays */
/** @typedef {import('../page/types.js').Series} Series */
import {BASELINE_STYLES} from '../charts/palette.js';
import {formatScore} from '../words/format.js';

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
