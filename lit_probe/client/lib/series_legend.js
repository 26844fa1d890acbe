// @ts-check
/** @typedef {import('./types.js').DrawnSeries} DrawnSeries */
import {formatCount} from './format.js';
import {intervalText} from './sentences.js';

/**
 * A series' line in the legend: "dev, n = 872", or "test, n = 872, layer 4 only: 0.806 [0.778, 0.831]" for a lone point.
 *
 * @param {DrawnSeries} drawn
 * @param {number} bestLayer
 * @returns {string}
 */
export function seriesLegend({series, mode}, bestLayer) {
  const text = `${series.split}, n = ${formatCount(series.n)}`;
  return mode === 'point' ? `${text}, layer ${bestLayer} only: ${intervalText(series.layers[bestLayer])}` : text;
}
