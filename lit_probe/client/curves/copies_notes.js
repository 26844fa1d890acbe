// @ts-check
/** Which texts have a copy in another split, where the server was still looking for them when the curve was there. */
/** @import {LayerMetrics} from '../page/types.js' */
import {answers} from '../page/answers.js';
import {copiesSentences} from '../words/sentences.js';

/**
 * Asks for the copies, where the curve came without them.
 *
 * @param {any} panel @param {?LayerMetrics} answer  the last curve
 * @returns {Record<string, string>}
 */
export function askForCopies(panel, answer) {
  return answer?.looking_for_copies ? {copies: panel.want('copies', 'provenance', [], {})} : {};
}

/** How far the search is, or what it found. @param {any} panel @returns {string[]} */
export function copiesNotes({keys}) {
  if (!keys.copies) return [];
  const result = answers.read(keys.copies);
  if (result?.state === 'ready') return copiesSentences(result.answer.near_duplicates);
  return [result?.message ?? 'Looking for copies of the texts in other splits'];
}
