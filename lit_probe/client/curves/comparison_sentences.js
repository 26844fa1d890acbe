// @ts-check
import {formatScore} from '../words/format.js';
import {layersAlike} from './overlays.js';
import {intervalText, layerList} from '../words/sentences.js';

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
