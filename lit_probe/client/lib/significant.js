// @ts-check

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
