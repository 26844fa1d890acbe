// @ts-check
/** @typedef {import('../page/types.js').DrawnSeries} DrawnSeries */
import {drawnLayers} from './drawn_series.js';
import {valueDomain} from '../charts/domains.js';

/**
 * The range of the score axis: every score drawn, with its interval, and what else is drawn beside them.
 *
 * @param {DrawnSeries[]} drawn
 * @param {number} bestLayer
 * @param {{majority?: boolean, others?: (?number)[]}} [beside]  whether majority lines are drawn; values of overlays
 * @returns {[number, number]}  low < high
 */
export function scoreDomain(drawn, bestLayer, {majority = true, others = []} = {}) {
  return valueDomain([
    ...drawn.flatMap(({series, mode}) => [
      ...drawnLayers(series, mode, bestLayer).flatMap(({score, low, high}) => [score, low, high]),
      majority && mode === 'line' ? series.majority : null,
    ]),
    ...others,
  ]);
}
