// @ts-check
/** Texts for places that LIT reads as markdown. */

/** @type {Record<string, string>} */
const ENTITIES = {'&': '&amp;', '<': '&lt;', '>': '&gt;'};

/**
 * One line of markdown that shows the text as it is: labels and names never become links or markup.
 *
 * @param {string} text
 * @returns {string}
 */
export function asMarkdown(text) {
  return text.trim().replace(/\s+/g, ' ').replace(/[!-/:-@[-`{-~]/g, (sign) => ENTITIES[sign] ?? `\\${sign}`);
}
