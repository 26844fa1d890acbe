// @ts-check

/**
 * The values of factors on all tokens of a text: special tokens, which are not factorised, have none.
 *
 * @param {{tokens: string[], special: boolean[]}} text  all of its tokens
 * @param {{tokens: string[], special: boolean[]}} factorised  those that were factorised
 * @param {number[][]} values  `[n_factors][n_factorised]`
 * @returns {?((?number)[][])}  `[n_factors][n_tokens]`; null where these are other tokens
 */
export function factorValues(text, factorised, values) {
  const whole = factorised.tokens.length === text.tokens.length;
  const places = text.tokens.map((_, at) => at).filter((at) => whole || !text.special[at]);
  if (places.length !== factorised.tokens.length || places.some((at, i) => text.tokens[at] !== factorised.tokens[i])) return null;
  return values.map((row) => {
    const spread = /** @type {(?number)[]} */ (text.tokens.map(() => null));
    places.forEach((at, i) => void (spread[at] = row[i]));
    return spread;
  });
}

/**
 * The texts on whose tokens a factor is strongest, strongest first.
 *
 * @param {number[][]} onTexts  `[n_texts][n_tokens]`
 * @param {number} most  how many
 * @returns {number[]}  their places
 */
export function strongestTexts(onTexts, most) {
  const peaks = onTexts.map((values) => Math.max(0, ...values));
  return peaks.map((_, i) => i).sort((a, b) => peaks[b] - peaks[a] || a - b).slice(0, most);
}
