// @ts-check
import {significant} from './significant.js';

/**
 * What a map explains: "probe at layer 3, logit of “positive” = 2.31".
 *
 * @param {{explained: string, scalar: string, className: string, value: number}} row
 * @returns {string}
 */
export function explainedWords({explained, scalar, className, value}) {
  return `${explained}, ${scalar} of “${className}” = ${significant(value)}`;
}
