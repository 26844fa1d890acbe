// @ts-check

/**
 * Which pairs a layer's probe does not follow: it is wrong on the original, on the edit or on both. Where nobody knows what becomes of
 * the label (null), it is neither wrong nor right.
 *
 * @param {{consistent: (?boolean)[][]}} answer  of `counterfactual_pairs`
 * @param {number} layer
 * @param {number[]} [among]  indices of pairs; all of them if not given
 * @returns {number[]}
 */
export function failingPairs({consistent}, layer, among) {
  return (among ?? consistent[layer].map((_, pair) => pair)).filter((pair) => consistent[layer][pair] === false);
}

/**
 * The ids by which LIT selects these pairs; a row that LIT does not show has none.
 *
 * @param {{pairs: {ids: (?string)[]}[]}} answer  of `counterfactual_pairs`
 * @param {number[]} pairs
 * @returns {string[]}
 */
export function idsOfPairs({pairs: all}, pairs) {
  return [...new Set(pairs.flatMap((pair) => all[pair].ids).filter((id) => id !== null))];
}
