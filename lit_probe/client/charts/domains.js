// @ts-check

const SMALLEST_SPAN = 0.1;
const AIR_ABOVE = 0.06;
const AIR_BELOW = 0.12; // The majority line is often the lowest thing, and its label stands below it.

/**
 * The range of an axis: everything drawn, with some air, never wider than a share's own bounds.
 *
 * The span is at least 0.1, so that differences in the third decimal do not look like mountains.
 *
 * @param {(number|null|undefined)[]} drawn  what is missing is skipped
 * @returns {[number, number]}  low < high
 */
export function valueDomain(drawn) {
  const values = /** @type {number[]} */ (drawn.filter((value) => typeof value === 'number'));
  if (values.length === 0) return [0, 1];
  const least = Math.min(...values);
  const most = Math.max(...values);
  const missing = Math.max(0, SMALLEST_SPAN - (most - least)) / 2;
  const span = Math.max(SMALLEST_SPAN, most - least);
  let low = least - missing - AIR_BELOW * span;
  let high = most + missing + AIR_ABOVE * span;
  if (least >= 0 && low < 0) [low, high] = [0, Math.max(high, SMALLEST_SPAN)];
  if (most <= 1 && high > 1) [low, high] = [Math.min(low, 1 - SMALLEST_SPAN), 1];
  return [low, high];
}
