// @ts-check
/** Which rows the reader's choices ask for, and what the server is asked for each. */
/** @import {SalienceMethods} from '../page/types.js' */
import {placeTitle} from '../words/sentences.js';

/**
 * @typedef {object} SalienceChoices  What the reader has chosen.
 * @property {'methods'|'layers'|'both'} rows  the kind of rows: methods, the layers under one method, or probe and model
 * @property {?string[]} methods  the rows' methods; null for all
 * @property {string} method  the method of the layers, and of probe and model
 * @property {'probe'|'model'} explain
 * @property {string} target  "predicted", "gold" or "class:NAME"
 * @property {string} scalar
 * @property {'words'|'tokens'} show
 * @property {Record<'signed'|'sizes', string>} aggregation
 * @property {Record<string, string>} options  the options that were changed
 *
 * @typedef {object} PlannedRow
 * @property {string} id
 * @property {string} label
 * @property {boolean} cheap  whether it is computed without being asked for
 * @property {boolean} hasBaseline  whether the map depends on a baseline, so that others can be compared with it
 * @property {Record<string, string>} config  the question to the interpreter `salience_map`
 */

/** @type {SalienceChoices} */
export const FIRST_CHOICES = {
  rows: 'methods', methods: null, method: 'input_x_gradient', explain: 'probe', target: 'predicted', scalar: 'logit', show: 'words',
  aggregation: {signed: 'sum', sizes: 'l2'}, options: {},
};

/**
 * The rows that the choices ask for, and what the server is asked for each.
 *
 * @param {SalienceChoices} choices
 * @param {SalienceMethods} catalogue  the answer of the interpreter `salience_methods`
 * @param {?number} layer  the current one; null while it is not known
 * @param {?number} bestLayer
 * @param {?string[]} [names]  what places that are not all of an encoder's layers are called
 * @returns {PlannedRow[]}  none that needs the probe while its layer is not known
 */
export function salienceRows(choices, catalogue, layer, bestLayer, names = null) {
  const {methods: all, n_layers: nLayers} = catalogue;
  const row = (/** @type {any} */ method, /** @type {'probe'|'model'} */ explain, /** @type {?number} */ at, /** @type {string} */ label) =>
    ({id: `${method.name} ${explain} ${at ?? ''}`, label, cheap: method.cheap, hasBaseline: Boolean(method.baseline), config: salienceConfig(choices, catalogue, method, explain, at)});
  if (choices.rows === 'methods') {
    if (choices.explain === 'probe' && layer === null) return [];
    return pickedMethods(choices, catalogue).map((method) => row(method, choices.explain, choices.explain === 'probe' ? layer : null, method.title));
  }
  const method = all.find((/** @type {any} */ {name}) => name === choices.method) ?? all[0];
  if (choices.rows === 'layers') {
    if (bestLayer === null) return [];
    return Array.from({length: nLayers}, (_, at) => row(method, 'probe', at, names ? `${names[at]}${at === bestLayer ? ' (dev-chosen)' : ''}` : `Layer ${at}${at === bestLayer ? ' (dev-chosen)' : at === 0 ? ' (embeddings)' : ''}`));
  }
  return [...(layer === null ? [] : [row(method, 'probe', layer, `Probe at ${placeTitle(layer, names)}`)]), ...(catalogue.class_names.model ? [row(method, 'model', null, 'Model')] : [])];
}

/** The methods whose rows are shown. @param {SalienceChoices} choices @param {SalienceMethods} catalogue @returns {any[]} */
export function pickedMethods(choices, catalogue) {
  return catalogue.methods.filter((/** @type {any} */ {name}) => choices.methods === null || choices.methods.includes(name));
}

/**
 * What the server is asked for one map. Only what differs from its own defaults is said, so that equal questions look equal.
 *
 * @param {SalienceChoices} choices
 * @param {SalienceMethods} catalogue
 * @param {{name: string, signed: boolean, uses: string[]}} method
 * @param {'probe'|'model'} explain
 * @param {?number} layer
 * @returns {Record<string, string>}
 */
export function salienceConfig(choices, catalogue, method, explain, layer) {
  const kind = method.signed ? 'signed' : 'sizes';
  const how = choices.aggregation[kind];
  return {
    method: method.name, explain, ...(explain === 'probe' && layer !== null ? {layer: String(layer)} : {}),
    target: knownTarget(choices.target, catalogue), scalar: choices.scalar,
    ...(how === catalogue.aggregations[kind][0] ? {} : {aggregation: how}),
    ...changedOptions(choices.options, catalogue, method.uses),
  };
}

/**
 * The options that were changed and that these methods read.
 *
 * @param {Record<string, string>} options
 * @param {SalienceMethods} catalogue
 * @param {string[]} uses  the options that are read
 * @returns {Record<string, string>}
 */
export function changedOptions(options, catalogue, uses) {
  return Object.fromEntries(Object.entries(options).filter(([name, value]) => uses.includes(name) && String(catalogue.options[name]?.default) !== value));
}

/**
 * The class that is explained: a class of another data set is none of this one's. The probes and the model may write the same class
 * in two ways; the server knows both.
 *
 * @param {string} target
 * @param {SalienceMethods} catalogue  the answer of the interpreter `salience_methods`
 * @returns {string}
 */
export function knownTarget(target, catalogue) {
  const {probe, model} = catalogue.class_names;
  return !target.startsWith('class:') || [...probe, ...(model ?? [])].includes(nameOf(target)) ? target : 'predicted';
}

/**
 * The classes that can be chosen, and which of them is.
 *
 * @param {string} target
 * @param {SalienceMethods} catalogue
 * @param {'probe'|'model'} explain  the one whose names are shown
 * @returns {{names: string[], target: string}}  a class that only the other one tells apart stands at the end
 */
export function shownTargets(target, catalogue, explain) {
  const {class_names: {probe, model}, head_classes: pairs} = catalogue;
  const names = (explain === 'model' ? model : null) ?? probe;
  const known = knownTarget(target, catalogue);
  const name = nameOf(known);
  if (!known.startsWith('class:') || names.includes(name)) return {names, target: known};
  const twin = names === probe ? probe[(pairs ?? []).indexOf((model ?? []).indexOf(name))] : model?.[(pairs ?? [])[probe.indexOf(name)]];
  return twin === undefined ? {names: [...names, name], target: known} : {names, target: `class:${twin}`};
}

/** @param {string} target */
function nameOf(target) {
  return target.slice('class:'.length);
}
