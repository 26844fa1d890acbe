// @ts-check
/** @typedef {import('../page/types.js').IndexedInput} IndexedInput */
import {addScalarColumn, hasColumn, interpretation} from '../page/lit_host.js';
import {observable} from '../page/observable.js';

/** The columns that were asked for, by name: being made, or why not. Those that are there, LIT knows. */
export const neuronColumns = observable(/** @type {Record<string, {state: 'working'|'made'|'failed', message?: string}>} */ ({}));

/**
 * LIT's name of a neuron's column. LIT cuts long names off in its menus, so the neuron stands first; it separates a model from what it
 * predicts by a colon, and this column is no prediction, so the name holds none.
 *
 * @param {string} model
 * @param {{layer: number, unit: number}} neuron
 * @returns {string}
 */
export function columnName(model, {layer, unit}) {
  return `neuron ${layer}.${unit} of ${model}`;
}

/**
 * Whether a neuron's column is there; LIT forgets columns when another data set is shown.
 *
 * @param {string} model
 * @param {{layer: number, unit: number}} neuron
 * @returns {boolean}
 */
export function isColumn(model, neuron) {
  return hasColumn(columnName(model, neuron));
}

/**
 * Makes a neuron's pooled activation a column of LIT's data: for its table, Color by, facets and slices. Texts that are added later
 * get their value when they are added.
 *
 * @param {{model: string, dataset: string, rows: IndexedInput[]}} seen  what LIT shows
 * @param {{layer: number, unit: number}} neuron
 */
export async function makeColumn({model, dataset, rows}, neuron) {
  const name = columnName(model, neuron);
  const tell = (/** @type {{state: 'working'|'made'|'failed', message?: string}} */ state) => neuronColumns.set({...neuronColumns.get(), [name]: state});
  const valuesOf = async (/** @type {IndexedInput[]} */ inputs) => {
    const answer = await interpretation({model, dataset, interpreter: 'neuron_evidence', inputs, config: {part: 'column', layer: neuron.layer, unit: neuron.unit}});
    if (answer.status !== 'ready') throw new Error(answer.message);
    return /** @type {number[]} */ (answer.values);
  };
  tell({state: 'working'});
  try {
    addScalarColumn({dataset, name, key: `neuron ${neuron.layer}.${neuron.unit}`, source: `Neuron:${model}`, inputs: rows, values: await valuesOf(rows), valueOf: async (input) => (await valuesOf([input]))[0]});
    tell({state: 'made'});
  } catch (error) {
    tell({state: 'failed', message: error instanceof Error ? error.message : String(error)});
  }
}
