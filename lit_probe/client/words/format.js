// @ts-check

/**
 * A score with three decimals; a dash where there is none.
 *
 * @param {?number} score
 * @returns {string}
 */
export function formatScore(score) {
  return score === null ? '–' : score.toFixed(3).replace('-', '−');
}

/**
 * A count with a comma between thousands, in every browser language.
 *
 * @param {number} count
 * @returns {string}
 */
export function formatCount(count) {
  return count.toLocaleString('en-US');
}

/**
 * A count with its noun: "1 example", "1,744 examples".
 *
 * @param {number} count
 * @param {string} noun
 * @returns {string}
 */
export function countOf(count, noun) {
  return `${formatCount(count)} ${noun}${count === 1 ? '' : 's'}`;
}

/**
 * A number with three significant digits: salience scores of different methods differ by orders of magnitude.
 *
 * @param {?number} value
 * @returns {string}  a dash where there is none
 */
export function significant(value) {
  return value === null ? '–' : String(Number(value.toPrecision(3))).replaceAll('-', '−');
}

/**
 * A mean with its interval: "0.0312 [0.021, 0.0414]".
 *
 * @param {{mean: ?number, low: ?number, high: ?number}} mean
 * @returns {string}
 */
export function significantInterval({mean, low, high}) {
  return low === null || high === null ? significant(mean) : `${significant(mean)} [${significant(low)}, ${significant(high)}]`;
}
