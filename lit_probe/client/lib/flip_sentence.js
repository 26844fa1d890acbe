// @ts-check
import {layerList} from './sentences.js';

/**
 * At which layers the probe answers otherwise for the edit: "The probe answers otherwise from layer 3 on."
 *
 * @param {object} answer  of the interpreter `counterfactual_by_layer`
 * @param {number[]} answer.flip_layers  ascending
 * @param {number} answer.n_layers
 * @param {boolean} answer.identical
 * @returns {string}
 */
export function flipSentence({flip_layers: layers, n_layers: nLayers, identical}) {
  if (identical) return 'The two texts are the same: nothing differs at any layer.';
  if (layers.length === 0) return 'The probe of every layer gives both texts the same answer.';
  if (layers.length === nLayers) return 'The probe answers otherwise at every layer.';
  const [first, last] = [layers[0], layers[layers.length - 1]];
  const unbroken = last - first + 1 === layers.length;
  if (unbroken && last === nLayers - 1) return first === last ? 'The probe answers otherwise at the last layer only.' : `The probe answers otherwise from layer ${first} on.`;
  if (layers.length === 1) return `The probe answers otherwise at layer ${first} only.`;
  if (unbroken && layers.length > 2) return `The probe answers otherwise at layers ${first} to ${last}.`;
  return `The probe answers otherwise at layers ${layerList(layers)}.`;
}
