// @ts-check
/** @typedef {import('../page/types.js').DrawnSeries} DrawnSeries */
/** @typedef {import('../page/types.js').LayerScore} LayerScore */
/** @typedef {import('../page/types.js').Series} Series */
import {formatCount} from '../words/format.js';
import {intervalText} from '../words/sentences.js';

/**
 * Decides how each split is drawn.
 *
 * Dev is a line. Test is one point at the dev-chosen layer: looking at the whole test curve invites choosing a layer on it.
 * It becomes a line when the user asks, or when the rows hold no dev example. Train, which the probe has seen, is drawn when
 * asked for, or when there is nothing else.
 *
 * @param {Series[]} series
 * @param {{dev: boolean, testEverywhere: boolean, train: boolean}} wishes
 * @returns {DrawnSeries[]}  dev first, then test, then train
 */
export function drawnSeries(series, wishes) {
  const present = new Set(series.map(({split}) => split));
  const order = ['dev', 'test', 'train'];
  const sorted = [...series].sort((a, b) => order.indexOf(a.split) - order.indexOf(b.split));
  return sorted.map((one) => {
    if (one.split === 'dev') return {series: one, mode: wishes.dev ? 'line' : 'hidden'};
    if (one.split === 'test') return {series: one, mode: wishes.testEverywhere || !present.has('dev') ? 'line' : 'point'};
    return {series: one, mode: wishes.train || present.size === 1 ? 'line' : 'hidden'};
  });
}

/**
 * The layers of a series that are drawn: all of a line, the dev-chosen one of a point, none of a hidden series.
 *
 * @param {Series} series
 * @param {'line'|'point'|'hidden'} mode
 * @param {number} bestLayer
 * @returns {LayerScore[]}
 */
export function drawnLayers(series, mode, bestLayer) {
  if (mode === 'hidden') return [];
  return mode === 'line' ? series.layers : series.layers.filter(({layer}) => layer === bestLayer);
}

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
