// @ts-check

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

/**
 * @param {string|number|boolean|null} value
 * @returns {string}
 */
function csvCell(value) {
  const text = value === null ? '' : String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
