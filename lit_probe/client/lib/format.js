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
