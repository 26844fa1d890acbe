// @ts-check
import {csvTable} from '../words/files.js';

/**
 * One edit's way through the layers as a table.
 *
 * @param {string} model  LIT's name
 * @param {string} dataset
 * @param {{original: string, edit: string}} texts
 * @param {any} answer  of `counterfactual_by_layer`
 * @returns {string}
 */
export function trajectoryCsv(model, dataset, {original, edit}, answer) {
  const names = /** @type {string[]} */ (answer.label_names);
  const columns = ['model', 'dataset', 'original', 'edit', 'layer', 'flipped', 'margin_class', 'margin_original', 'margin_edit', 'margin_change',
    'cosine_distance', 'typical_cosine_distance', 'mahalanobis_distance', 'typical_mahalanobis_distance',
    ...names.map((name) => `original_probability_${name}`), ...names.map((name) => `edit_probability_${name}`)];
  return csvTable(columns, answer.layers.map((/** @type {any} */ row) => [
    model, dataset, original, edit, row.layer, row.flipped, answer.class_name, row.margin_before, row.margin_after, row.margin_change,
    row.cosine, row.typical_cosine, row.mahalanobis, row.typical_mahalanobis, ...row.before, ...row.after,
  ]));
}

/**
 * Many pairs by layer as a table: all of them, then each kind.
 *
 * @param {string} model  LIT's name
 * @param {string} dataset
 * @param {any} answer  of `counterfactual_pairs`
 * @returns {string}
 */
export function pairsCsv(model, dataset, answer) {
  const measures = ['consistency', 'flip_rate', 'median_change'].flatMap((name) => [name, `${name}_low`, `${name}_high`]);
  const summaries = [{value: 'all', ...answer}, ...answer.kinds];
  return csvTable(['model', 'dataset', 'pairs', 'by', 'kind', 'n', 'n_judged', 'n_units', 'reliable', 'layer', ...measures], summaries.flatMap(({value, n, n_judged: nJudged, n_units: nUnits, reliable, layers}) =>
    layers.map((/** @type {any} */ row) => [
      model, dataset, answer.source === 'sent' ? 'edited on the page' : answer.column, answer.by, value, n, nJudged, nUnits, reliable, row.layer, ...measures.map((name) => row[name])])));
}
