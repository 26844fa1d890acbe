// @ts-check
/** Files that a reader downloads: their names, tables as CSV, and the download itself. */
/** @import {LayerMetrics} from '../page/types.js' */

/**
 * A table as CSV (RFC 4180), with every digit that the server sent.
 *
 * @param {string[]} columns
 * @param {(string|number|boolean|null)[][]} rows  null is an empty cell
 * @returns {string}
 */
export function csvTable(columns, rows) {
  return [columns, ...rows].map((row) => row.map(csvCell).join(',') + '\r\n').join('');
}

/** Before a text that a spreadsheet might take for a formula: an apostrophe, and the sign by which `data/csv_cells.py` knows ours. */
const SHIELD = "'\u2060";
const FORMULA = /^(?:'\u2060)*[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20]/;
const NUMBER = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i;

/** @param {string} text @returns {string} the text as a spreadsheet shows it; numbers stay numbers */
const shielded = (text) => (FORMULA.test(text) && !NUMBER.test(text) ? SHIELD + text : text);

/**
 * @param {string|number|boolean|null} value
 * @returns {string}
 */
function csvCell(value) {
  const text = value === null ? '' : typeof value === 'string' ? shielded(value) : String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/**
 * A check's rows as a CSV table, each with what it was measured on.
 *
 * @param {string} model  LIT's name
 * @param {LayerMetrics} about
 * @param {string[]} columns  the keys of the rows
 * @param {Record<string, any>[]} rows
 * @returns {string}
 */
export function checkCsv(model, {trained_on: trainedOn, probe, pooling}, columns, rows) {
  return csvTable(
    ['model', 'trained_on', 'probe', 'pooling', ...columns],
    rows.map((row) => [model, trainedOn, probe, pooling, ...columns.map((column) => row[column] ?? null)]),
  );
}

/** Milliseconds after which a file's content is let go: some browsers begin to read it only after the click. */
const KEPT = 10_000;

/** The largest file of probes that the server takes, in bytes: `MAX_FILE` of `lit/interpreters/kept_probes.py`. */
export const MAX_FILE = 16 * 2 ** 20;

/**
 * Bytes in base64, which JSON can hold.
 *
 * @param {Uint8Array} bytes
 * @returns {string}
 */
export function base64Of(bytes) {
  // In pieces: the arguments of a call are limited.
  let text = '';
  for (let start = 0; start < bytes.length; start += 0x8000) text += String.fromCharCode(...bytes.subarray(start, start + 0x8000));
  return btoa(text);
}

/**
 * The bytes that were written in base64.
 *
 * @param {string} text
 * @returns {Uint8Array<ArrayBuffer>}
 */
export function bytesOf(text) {
  return Uint8Array.from(atob(text), (one) => one.charCodeAt(0));
}

/**
 * Hands a text, or bytes, to the user as a file.
 *
 * @param {string} filename
 * @param {string} mimeType
 * @param {string|Uint8Array<ArrayBuffer>} content
 */
export function download(filename, mimeType, content) {
  const url = URL.createObjectURL(new Blob([content], {type: `${mimeType};charset=utf-8`}));
  const link = document.createElement('a');
  link.href = url;
  link.download = fileName(filename);
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), KEPT);
}

/**
 * A file's name that every system takes as it is: names of models and classes may hold slashes, colons and more.
 *
 * @param {string} name
 * @returns {string}
 */
export function fileName(name) {
  return name.replace(/[^A-Za-z0-9._-]+/g, '_').replace(/^\.+/, '');
}
