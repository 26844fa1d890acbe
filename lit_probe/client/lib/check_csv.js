// @ts-check
/** @typedef {import('./types.js').LayerMetrics} LayerMetrics */
import {csvTable} from './csv_table.js';

/**
 * A check's rows as a CSV table, each with what it was measured on.
 *
 * @param {string} model  LIT's name
 * @param {LayerMetrics} about
 * @param {string[]} columns  keys of the rows
 * @param {Record<string, any>[]} rows
 * @returns {string}
 */
export function checkCsv(model, {trained_on: trainedOn, probe, pooling}, columns, rows) {
  return csvTable(
    ['model', 'trained_on', 'probe', 'pooling', ...columns],
    rows.map((row) => [model, trainedOn, probe, pooling, ...columns.map((column) => row[column] ?? null)]),
  );
}
