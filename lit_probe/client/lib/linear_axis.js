// @ts-check
/** @typedef {import('./types.js').PlacedAxis} PlacedAxis */
import {linearScale} from './linear_scale.js';
import {niceTicks} from './nice_ticks.js';

/**
 * A straight horizontal axis.
 *
 * @param {[number, number]} domain
 * @param {string} title
 * @returns {(range: [number, number]) => PlacedAxis}
 */
export function linearAxis(domain, title) {
  return (range) => {
    const x = linearScale(domain, range);
    const {values, digits} = niceTicks(domain[0], domain[1], (range[1] - range[0]) / 60);
    return {x, band: 16, ticks: values.map((value) => ({at: value, label: value.toFixed(digits).replace('-', '−')})), title};
  };
}
