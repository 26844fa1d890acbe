// @ts-check
/** @typedef {import('./types.js').PlacedAxis} PlacedAxis */
import {layerScale} from './layer_scale.js';
import {layerTicks} from './layer_ticks.js';

/**
 * The horizontal axis of a curve over layers.
 *
 * @param {number} nLayers
 * @param {object} [options]
 * @param {?number} [options.bestLayer]  is labelled in any case
 * @param {?number} [options.current]  is labelled in any case, in bold
 * @param {boolean} [options.small]  for small multiples: no title, and 0 instead of the word "embeddings"
 * @returns {(range: [number, number]) => PlacedAxis}
 */
export function layerAxis(nLayers, {bestLayer = null, current = null, small = false} = {}) {
  return (range) => {
    const {x, band} = layerScale(nLayers, range);
    const always = [0, bestLayer, current].filter((layer) => layer !== null);
    // The word "embeddings" is wider than a narrow column: it then ends at the column's right edge, under the score axis' labels.
    const crowded = band < 62;
    const ticks = layerTicks(nLayers, band, always).map((layer) => {
      const word = layer === 0 && !small;
      const place = word && crowded ? {shift: Math.min(band / 2, 12), anchor: 'end'} : {};
      return {at: layer, label: word ? 'embeddings' : String(layer), bold: layer === current, ...place};
    });
    return {x, band, ticks, title: small ? '' : 'Layer'};
  };
}
