// @ts-check
/** @typedef {import('./types.js').PlacedAxis} PlacedAxis */
import {formatCount} from './format.js';
import {linearScale} from './linear_scale.js';

const LABEL_WIDTH = 34;

/**
 * A logarithmic horizontal axis that names the measured values themselves, as many as fit.
 *
 * @param {number[]} values  ascending and positive
 * @param {string} title
 * @returns {(range: [number, number]) => PlacedAxis}
 */
export function logAxis(values, title) {
  return ([start, end]) => {
    const [first, last] = [values[0], values[values.length - 1]];
    const air = 12;
    const scale = first === last ? () => (start + end) / 2 : linearScale([Math.log(first), Math.log(last)], [start + air, end - air]);
    const x = (/** @type {number} */ value) => scale(Math.log(value));
    /** @type {number[]} from the right, so that the whole training set is always named */
    const named = [];
    for (const value of [...values].reverse()) {
      if (named.length === 0 || x(named[named.length - 1]) - x(value) >= LABEL_WIDTH) named.push(value);
    }
    const ticks = named.reverse().map((value) => ({at: value, label: formatCount(value)}));
    return {x, band: (end - start) / Math.max(1, values.length), ticks, title};
  };
}
