// @ts-check
/** @typedef {import('./types.js').Overlays} Overlays */

/**
 * The values that an axis must hold for these overlays to be seen.
 *
 * @param {Overlays} overlays
 * @returns {(?number)[]}
 */
export function overlayValues({references, lines}) {
  return [...references.map(({value}) => value), ...lines.flatMap(({points}) => points.map(({score}) => score))];
}
