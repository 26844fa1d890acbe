// @ts-check
/** @typedef {import('./salience_row.js').SalienceRow} SalienceRow */

/**
 * Spearman's ρ between the scores of every two rows, over the words or tokens that both have; special tokens are left out.
 *
 * Two signed rows are compared with their signs. A row of sizes knows no signs, so it is compared with the other row's sizes.
 *
 * @param {SalienceRow[]} rows  of one text
 * @returns {(?number)[][]}  `[n_rows][n_rows]`; null where a row does not tell its words apart, or the rows divide the text otherwise
 */
export function rowAgreement(rows) {
  return rows.map((first) => rows.map((second) => agreement(first, second)));
}

/** @param {SalienceRow} first @param {SalienceRow} second @returns {?number} */
function agreement(first, second) {
  const [a, b] = [first, second].map(({units}) => units.filter(({special}) => !special));
  if (a.length !== b.length || a.some(({text}, i) => text !== b[i].text)) return null;
  const signed = first.signed && second.signed;
  const [x, y] = [a, b].map((units) => units.map(({score}) => (signed ? score : Math.abs(score))));
  return rankCorrelation(x, y);
}

/**
 * Spearman's rank correlation; equal values share the mean of their ranks.
 *
 * @param {number[]} first
 * @param {number[]} second  of the same length
 * @returns {?number}  in [-1, 1]; null where one side has fewer than two different values
 */
export function rankCorrelation(first, second) {
  const [a, b] = [centred(ranks(first)), centred(ranks(second))];
  const spread = Math.sqrt(dot(a, a) * dot(b, b));
  return spread > 0 ? Math.min(1, Math.max(-1, dot(a, b) / spread)) : null;
}

/** @param {number[]} values @returns {number[]}  1 for the smallest */
function ranks(values) {
  const order = values.map((_, i) => i).sort((i, j) => values[i] - values[j]);
  const found = Array(values.length).fill(0);
  for (let start = 0; start < order.length; ) {
    let end = start;
    while (end + 1 < order.length && values[order[end + 1]] === values[order[start]]) end++;
    for (let i = start; i <= end; i++) found[order[i]] = (start + end) / 2 + 1;
    start = end + 1;
  }
  return found;
}

/** @param {number[]} values */
function centred(values) {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return values.map((value) => value - mean);
}

/** @param {number[]} a @param {number[]} b */
function dot(a, b) {
  return a.reduce((sum, value, i) => sum + value * b[i], 0);
}
