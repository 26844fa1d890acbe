// @ts-check

/**
 * Where the nearest of some values stands; the first of equally near ones.
 *
 * @param {(?number)[]} values  null is skipped
 * @param {number} target
 * @returns {number}  an index, -1 where there is no value
 */
export function nearest(values, target) {
  let best = -1;
  values.forEach((value, i) => {
    if (value !== null && (best < 0 || Math.abs(value - target) < Math.abs(/** @type {number} */ (values[best]) - target))) best = i;
  });
  return best;
}
