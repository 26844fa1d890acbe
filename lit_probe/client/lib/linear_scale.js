// @ts-check

/**
 * A straight map from values to pixels.
 *
 * @param {[number, number]} domain  values; must not be equal
 * @param {[number, number]} range  pixels
 * @returns {(value: number) => number}
 */
export function linearScale([from, to], [start, end]) {
  return (value) => start + ((value - from) / (to - from)) * (end - start);
}
