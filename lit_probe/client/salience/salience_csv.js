// @ts-check
/** @typedef {import('./salience_row.js').SalienceRow} SalienceRow */
import {csvTable} from '../words/files.js';

/**
 * @typedef {object} SalienceSection  One text with its rows.
 * @property {string} title  "Selected text"
 * @property {string} id  the example's
 * @property {string} text
 * @property {SalienceRow[]} rows
 * @property {(?number)[][]} agreement  Spearman's ρ between rows
 * @property {string[]} beyondLimit  words that were not read
 */

/**
 * The drawn maps as a table: one line for each word, or token, of each row.
 *
 * @param {string} model  LIT's name
 * @param {string} dataset
 * @param {'words'|'tokens'} show
 * @param {SalienceSection[]} sections
 * @returns {string}
 */
export function salienceCsv(model, dataset, show, sections) {
  const columns = ['model', 'dataset', 'example', 'text', 'row', 'method', 'explained', 'layer', 'class', 'scalar', 'value',
    'rho_to_first_row', 'diagnostics', 'unit', 'position', show === 'words' ? 'word' : 'token', 'score', 'share_of_largest'];
  return csvTable(columns, sections.flatMap(({id, text, rows, agreement}) => rows.flatMap((row, i) => row.units.map((unit, position) => [
    model, dataset, id, text, row.label, row.method, row.explained, row.layer, row.className, row.scalar, row.value,
    agreement[0][i], JSON.stringify(row.diagnostics), show.slice(0, -1), position, unit.text, unit.special ? null : unit.score, unit.special ? null : unit.share,
  ]))));
}
