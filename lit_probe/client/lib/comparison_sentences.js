// @ts-check
import {formatScore} from './format.js';
import {layersAlike} from './overlays.js';
import {intervalText, layerList} from './sentences.js';

/**
 * Which layers are as good as the best one, for all that the dev examples can tell.
 *
 * @param {any} comparison  the answer of the check `layer_comparison`
 * @returns {string}
 */
export function alikeSentence(comparison) {
  const best = comparison.best_layer;
  const test = comparison.test === 'mcnemar' ? 'McNemar’s test' : 'bootstrap test';
  const others = layersAlike(comparison).filter((layer) => layer !== best);
  if (others.length === 0) return `On dev every other layer differs from layer ${best} (${test}, Holm-corrected).`;
  const which = others.length === 1 ? `Layer ${others[0]}` : `Layers ${layerList(others)}`;
  return `${which} cannot be told apart from layer ${best} on dev (${test}, Holm-corrected).`;
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
