// @ts-check
import {csvTable} from '../words/files.js';

/**
 * The listed neurons as a table, one row per neuron and class.
 *
 * @param {string} model  LIT's name
 * @param {string} dataset
 * @param {any} answer  of the interpreter `neuron_ranking`
 * @returns {string}
 */
export function neuronsCsv(model, dataset, {method, score_unit: unit, label_names: names, neurons, settings}) {
  const columns = ['model', 'dataset', 'method', 'settings', 'score_unit', 'rank', 'neuron', 'layer', 'unit', 'score', 'class', 'class_score'];
  return csvTable(columns, neurons.flatMap((/** @type {import('./neuron_choices.js').RankedNeuron} */ neuron) => names.map((/** @type {string} */ name, /** @type {number} */ i) =>
    [model, dataset, method, JSON.stringify(settings), unit, neuron.rank, neuron.name, neuron.layer, neuron.unit, neuron.score, name, neuron.class_scores[i]])));
}

/**
 * The values of neurons on the tokens of texts as a table.
 *
 * @param {string} model
 * @param {string} dataset
 * @param {string[]} ids  of the texts
 * @param {any} answer  of the part `tokens`
 * @returns {string}
 */
export function tokensCsv(model, dataset, ids, {texts}) {
  return csvTable(['model', 'dataset', 'text', 'position', 'token', 'special', 'neuron', 'activation'], texts.flatMap((/** @type {any} */ text, /** @type {number} */ i) =>
    text.neurons.flatMap((/** @type {any} */ neuron) => text.tokens.map((/** @type {string} */ token, /** @type {number} */ at) =>
      [model, dataset, ids[i], at, token, text.special[at], neuron.name, neuron.values[at]]))));
}
