// @ts-check
/** @typedef {import('./salience_row.js').SalienceRow} SalienceRow */
import {rankCorrelation} from './rank_correlation.js';

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
