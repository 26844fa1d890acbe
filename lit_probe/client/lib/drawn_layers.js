// @ts-check
/** @typedef {import('./types.js').Series} Series */
/** @typedef {import('./types.js').LayerScore} LayerScore */

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
