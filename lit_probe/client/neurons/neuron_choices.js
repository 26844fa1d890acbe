// @ts-check
/** What the panels about neurons look at, and what the server is asked for it. */
/** @import {NeuronCatalogue, RankedNeuron} from '../page/types.js' */
import {observable} from '../page/choices.js';
import {placeTitle} from '../words/sentences.js';

/**
 * @typedef {object} NeuronChoices  What the panels about neurons look at.
 * @property {'layer'|'all'} scope  the current layer, or all layers together
 * @property {?string} method  null: the first one
 * @property {Record<string, string>} options  the ranking's options, where they are not the default
 * @property {string} select  which end of the ranking is listed
 * @property {?number} top  how many are listed; null: 50, or all of a smaller layer
 * @property {?string} className  null: all classes together
 * @property {?string} opened  the name of the neuron whose evidence is shown; null: the first one listed
 * @property {string[]} picked  the names of the chosen neurons
 * @property {'neurons'|'direction'} what  the thing that is taken away: the chosen neurons, or the direction that the layer's probe reads
 * @property {string} replacement  a name of what chosen neurons get instead
 * @property {number} factor  the factor of the replacement "scale"
 * @property {?{layer: number, what: string}} off  the change that is switched on now; null: none
 */

/** @type {NeuronChoices} */
export const FIRST_NEURON_CHOICES = {
  scope: 'layer', method: null, options: {}, select: 'top', top: null, className: null, opened: null, picked: [],
  what: 'neurons', replacement: 'mean', factor: 0, off: null,
};

/** The choices of all panels about neurons, by model: a neuron of one encoder is none of another. @type {ReturnType<typeof observable<Record<string, NeuronChoices>>>} */
export const neuronChoices = observable(/** @type {Record<string, NeuronChoices>} */ ({}));

/** @param {string} model @returns {NeuronChoices} */
export function choicesOf(model) {
  return neuronChoices.get()[model] ?? FIRST_NEURON_CHOICES;
}

/** @param {string} model @param {Partial<NeuronChoices>} changes */
export function chooseNeurons(model, changes) {
  neuronChoices.set({...neuronChoices.get(), [model]: {...choicesOf(model), ...changes}});
}

/**
 * Layer and unit of a neuron's name.
 *
 * @param {string} name  "4:17"
 * @returns {{layer: number, unit: number}}
 */
export function partsOf(name) {
  const [layer, unit] = name.split(':').map(Number);
  return {layer, unit};
}

/**
 * The neuron whose evidence is shown: the opened one while the list is about its layer, otherwise the first of the list.
 *
 * @param {NeuronChoices} choices
 * @param {?number} layer  the layer of the list; null: all
 * @param {RankedNeuron[]} neurons  the neurons of the list
 * @returns {?string}  null: there is none
 */
export function openedNeuron({opened}, layer, neurons) {
  if (opened !== null && (layer === null || partsOf(opened).layer === layer)) return opened;
  return neurons[0]?.name ?? null;
}

/**
 * The units of the chosen neurons of a layer, ascending.
 *
 * @param {string[]} picked
 * @param {number} layer
 * @returns {number[]}
 */
export function unitsAt(picked, layer) {
  return picked.map(partsOf).filter((one) => one.layer === layer).map(({unit}) => unit).sort((a, b) => a - b);
}

/**
 * The chosen neurons after a set of a layer was chosen: those of other layers stay.
 *
 * @param {string[]} picked
 * @param {number} layer
 * @param {number[]} units
 * @returns {string[]}
 */
export function pickUnits(picked, layer, units) {
  return [...picked.filter((name) => partsOf(name).layer !== layer), ...units.map((unit) => `${layer}:${unit}`)];
}

/**
 * The chosen neurons with one more, or one less.
 *
 * @param {string[]} picked
 * @param {string} name
 * @returns {string[]}
 */
export function togglePick(picked, name) {
  return picked.includes(name) ? picked.filter((one) => one !== name) : [...picked, name];
}

/**
 * Which ranking is asked for: the method, and those of its options that are not the default.
 *
 * @param {NeuronChoices} choices
 * @param {NeuronCatalogue} catalogue  as the interpreter answers to `choices`
 * @returns {Record<string, string>}
 */
export function rankingKeys({method, options}, catalogue) {
  const known = catalogue.methods.find((/** @type {any} */ {name}) => name === method) ?? catalogue.methods[0];
  const used = Object.entries(options).filter(([name, value]) => known.options.includes(name) && String(catalogue.options[name].default) !== value);
  return {method: known.name, ...Object.fromEntries(used)};
}

/**
 * What is taken away, as the interpreter `neuron_ablation` is asked.
 *
 * @param {NeuronChoices} choices
 * @param {number} layer
 * @returns {Record<string, unknown>}
 */
export function changeConfig({what, picked, replacement, factor}, layer) {
  if (what === 'direction') return {layer, what};
  return {layer, units: unitsAt(picked, layer), replacement, ...(replacement === 'scale' ? {factor} : {})};
}

/**
 * Whether something is switched off at this layer now.
 *
 * @param {NeuronChoices} choices
 * @param {number} layer
 * @returns {boolean}
 */
export function isOff({off, what, picked}, layer) {
  return off !== null && off.layer === layer && off.what === what && (what === 'direction' || unitsAt(picked, layer).length > 0);
}

/**
 * A set of neurons in words: "neurons 4:17 and 4:19", "12 neurons of layer 4".
 *
 * @param {number} layer
 * @param {number[]} units
 * @param {?string[]} [names]  what places that are not all of an encoder's layers are called
 * @returns {string}
 */
export function setWords(layer, units, names = null) {
  if (units.length === 0) return `no neuron of ${placeTitle(layer, names)}`;
  if (units.length === 1) return `neuron ${layer}:${units[0]}`;
  return units.length > 3 ? `${units.length} neurons of ${placeTitle(layer, names)}`
    : `neurons ${units.slice(0, -1).map((unit) => `${layer}:${unit}`).join(', ')} and ${layer}:${units[units.length - 1]}`;
}
