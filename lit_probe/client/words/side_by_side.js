// @ts-check
/** Two texts side by side, token by token or word by word: which stand in the same line. */

/**
 * @typedef {object} MatrixSide  One text's cell of a line.
 * @property {number} at  the place of the token in its text
 * @property {string} token
 * @property {boolean} special
 *
 * @typedef {object} MatrixLine  The same token of both texts, or a token of one of them.
 * @property {?MatrixSide} first
 * @property {?MatrixSide} second
 */

/**
 * Two texts token by token, the same tokens in the same line; of one text, its tokens.
 *
 * @param {{tokens: string[], special: boolean[], aligned: ?(?number)[]}[]} texts  one or two, as the part `tokens` answers
 * @returns {MatrixLine[]}
 */
export function matrixLines([first, second]) {
  const side = (/** @type {{tokens: string[], special: boolean[]}} */ text, /** @type {number} */ at) => ({at, token: text.tokens[at], special: text.special[at]});
  if (!second) return first.tokens.map((_, at) => ({first: side(first, at), second: null}));
  /** @type {MatrixLine[]} */
  const lines = [];
  let next = 0;
  second.tokens.forEach((_, at) => {
    const there = second.aligned?.[at] ?? null;
    if (there === null) {
      lines.push({first: null, second: side(second, at)});
      return;
    }
    while (next < there) lines.push({first: side(first, next++), second: null});
    lines.push({first: side(first, there), second: side(second, at)});
    next = there + 1;
  });
  while (next < first.tokens.length) lines.push({first: side(first, next++), second: null});
  return lines;
}

/**
 * Puts tokens of one text alone beside tokens of the other one alone, where they follow one another: a replaced word shares its lines.
 *
 * @param {MatrixLine[]} lines
 * @returns {MatrixLine[]}
 */
export function closeGaps(lines) {
  /** @type {MatrixLine[]} */
  const closed = [];
  /** @type {MatrixSide[]} */
  let firsts = [];
  /** @type {MatrixSide[]} */
  let seconds = [];
  const flush = () => {
    for (let i = 0; i < Math.max(firsts.length, seconds.length); i++) closed.push({first: firsts[i] ?? null, second: seconds[i] ?? null});
    [firsts, seconds] = [[], []];
  };
  for (const line of lines) {
    if (line.first && line.second) {
      flush();
      closed.push(line);
    } else if (line.first) firsts.push(line.first);
    else if (line.second) seconds.push(line.second);
  }
  flush();
  return closed;
}
