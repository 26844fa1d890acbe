// @ts-check
/** Numbers, and texts too long for their place, as a reader sees them. */

/**
 * A score with three decimals; a dash where there is none.
 *
 * @param {?number} score
 * @returns {string}
 */
export function formatScore(score) {
  return score === null ? '–' : score.toFixed(3).replace(/^-(0\.000)$/, '$1').replace('-', '−');
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

const SIGNIFICANT = 3;

/**
 * A number with three significant digits: salience scores of different methods differ by orders of magnitude.
 *
 * @param {?number} value
 * @returns {string}  a dash where there is none
 */
export function significant(value) {
  return value === null ? '–' : String(Number(value.toPrecision(SIGNIFICANT))).replaceAll('-', '−');
}

/** Up to here a number's whole part is written out: 1,999 is a year. */
const WHOLE = 1e7;
const MOST_DIGITS = 15;

/**
 * A label, or what a probe says in its place, beside others: three significant digits, and as many more as tell it from the others;
 * its whole part is never rounded. 1999 and 2001.97 are "1999" and "2001.97", and 12.4727 and 13.932 are "12.47" and "13.93".
 *
 * @param {number} value
 * @param {number[]} [others]  the numbers that it is read beside
 * @returns {string}
 */
export function amongNumbers(value, others = []) {
  const all = [value, ...others];
  const [largest, spread] = [Math.max(...all.map(Math.abs)), Math.max(...all) - Math.min(...all)];
  const decimals = (/** @type {number} */ of) => SIGNIFICANT - 1 - Math.floor(Math.log10(of));
  const wanted = largest === 0 ? 0 : Math.max(decimals(largest), spread > 0 ? decimals(spread) : -Infinity, largest < WHOLE ? 0 : -Infinity);
  const digits = value === 0 ? 1 : Math.floor(Math.log10(Math.abs(value))) + 1 + wanted;
  if (digits < 1) return '0';
  return String(Number(value.toPrecision(Math.min(MOST_DIGITS, digits)))).replaceAll('-', '−');
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

/**
 * A title in the middle of a line: "Bag of words" becomes "bag of words", and "TF-IDF" stays.
 *
 * @param {string} title
 * @returns {string}
 */
export function inSentence(title) {
  return title.replace(/^[A-Z](?=[a-z])/, (letter) => letter.toLowerCase());
}

/** Characters twice as wide as Latin letters: East Asian scripts and most emoji. */
const WIDE = /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1f300}-\u{1faff}\u{20000}-\u{3fffd}]/u;

/**
 * A text that takes no more room than so many characters: its beginning and its end, with "…" for what was between them.
 *
 * @param {string} text
 * @param {number} room  the room in characters; East Asian ones count twice
 * @returns {string}
 */
export function shorten(text, room) {
  const characters = Array.from(text);
  const length = characters.reduce((sum, character) => sum + widthOf(character), 0);
  if (length <= room) return text;
  const half = (Math.max(1, Math.floor(room)) - 1) / 2;
  const head = fitting(characters, Math.ceil(half));
  const tail = fitting(characters.toReversed(), Math.floor(half)).reverse();
  return `${head.join('').trimEnd()}…${tail.join('').trimStart()}`;
}

/**
 * A text for a place of one line: its line breaks become spaces, and all other spaces stay.
 *
 * @param {string} text
 * @returns {string}
 */
export function oneLine(text) {
  return text.replace(/[\r\n\u2028\u2029]+/g, ' ');
}

/** As many of the first characters as there is room for. @param {string[]} characters @param {number} room */
function fitting(characters, room) {
  let used = 0;
  const end = characters.findIndex((character) => (used += widthOf(character)) > room);
  return end < 0 ? characters : characters.slice(0, end);
}

/** How many Latin letters a character is as wide as. @param {string} character */
function widthOf(character) {
  return WIDE.test(character) ? 2 : 1;
}

/**
 * How much room a text takes, in Latin letters; East Asian ones count twice.
 *
 * @param {string} text
 * @returns {number}
 */
export function shownWidth(text) {
  return Array.from(text).reduce((sum, character) => sum + widthOf(character), 0);
}
