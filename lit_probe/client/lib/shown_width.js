// @ts-check
import {widthOf} from './shorten.js';

/**
 * How much room a text takes, in Latin letters; East Asian ones count twice.
 *
 * @param {string} text
 * @returns {number}
 */
export function shownWidth(text) {
  return Array.from(text).reduce((sum, character) => sum + widthOf(character), 0);
}
