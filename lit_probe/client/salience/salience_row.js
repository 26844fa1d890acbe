// @ts-check

/**
 * @typedef {object} SalienceUnit  A word or a token of the text.
 * @property {string} text
 * @property {number} score
 * @property {number} share  the score as a share of the largest one in size of its row, in [-1, 1]
 * @property {boolean} special  a token that the encoder adds, such as [CLS]; it has no score
 *
 * @typedef {object} SalienceRow  One map of a text, as it is drawn.
 * @property {string} label  what tells it from the other rows
 * @property {string} method
 * @property {string} title  of the method
 * @property {boolean} signed  whether a score below 0 speaks against the class
 * @property {string} explained  "probe at layer 3" or "model"
 * @property {?number} layer
 * @property {string} className
 * @property {string} scalar
 * @property {number} value  the explained number for this text
 * @property {SalienceUnit[]} units
 * @property {Record<string, number|string>} diagnostics
 */

/**
 * An answer of the interpreter `salience_map` as a row of words or of tokens.
 *
 * @param {string} label
 * @param {any} answer
 * @param {'words'|'tokens'} show
 * @returns {SalienceRow}
 */
export function salienceRow(label, answer, show) {
  const units = show === 'words'
    ? answer.by_word.words.map((/** @type {string} */ text, /** @type {number} */ i) => ({text, score: answer.by_word.scores[i], special: false}))
    : answer.tokens.map((/** @type {string} */ text, /** @type {number} */ i) => ({text, score: answer.scores[i], special: answer.words[i] === null}));
  const largest = Math.max(0, ...units.map((/** @type {{score: number}} */ {score}) => Math.abs(score)));
  return {
    label, method: answer.method, title: answer.title, signed: answer.signed, explained: answer.explained, layer: answer.layer,
    className: answer.class_name, scalar: answer.target.scalar, value: answer.value, diagnostics: answer.diagnostics,
    units: units.map((/** @type {{score: number}} */ unit) => ({...unit, share: largest > 0 ? unit.score / largest : 0})),
  };
}
