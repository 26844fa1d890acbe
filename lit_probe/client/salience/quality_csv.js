// @ts-check
import {csvTable} from '../words/files.js';

const FAITHFULNESS = ['comprehensiveness', 'comprehensiveness_normalised', 'sufficiency', 'sufficiency_normalised', 'tau_loo', 'macro_f1_masked'];
const STABILITY = ['seeds', 'edits', 'edit_correlation'];

/**
 * The finished checks as a table: one line for each method and measure, and for what they are held against.
 *
 * @param {string} model  LIT's name
 * @param {string} dataset
 * @param {{faithfulness?: any, stability?: any}} checks  their answers
 * @returns {string}
 */
export function qualityCsv(model, dataset, {faithfulness, stability}) {
  const columns = ['model', 'dataset', 'explained', 'n_texts', 'seed', 'check', 'method', 'measure', 'mean', 'low', 'high', 'n', 'reason'];
  /** @type {(check: string, answer: any, method: string, measure: string, mean: any, reason?: string) => (string|number|null)[]} */
  const line = (check, {explained, n_texts: nTexts, seed}, method, measure, mean, reason = '') =>
    [model, dataset, explained, nTexts, seed, check, method, measure, mean?.mean ?? null, mean?.low ?? null, mean?.high ?? null, mean?.n ?? null, reason];
  const ofMethods = (/** @type {string} */ check, /** @type {any} */ answer, /** @type {string[]} */ measures) => answer.methods.flatMap((/** @type {any} */ method) =>
    measures.map((measure) => line(check, answer, method.method, measure, method[measure], method.reason)));
  return csvTable(columns, [
    ...(faithfulness ? [
      ...ofMethods('faithfulness', faithfulness, FAITHFULNESS),
      ...FAITHFULNESS.map((measure) => line('faithfulness', faithfulness, 'random', measure, faithfulness.random[measure])),
      ...Object.entries(faithfulness.limits).flatMap(([measure, ends]) => ['best', 'worst'].map((end) => line('faithfulness', faithfulness, `${end} possible`, measure, {mean: ends[end]}))),
      line('faithfulness', faithfulness, 'nothing masked', 'macro_f1', faithfulness.macro_f1),
    ] : []),
    ...(stability ? ofMethods('stability', stability, STABILITY) : []),
  ]);
}
