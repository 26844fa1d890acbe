// @ts-check
/** @typedef {import('../page/types.js').PlacedAxis} PlacedAxis */
import {formatCount} from '../words/format.js';
import {layerScale, linearScale, niceTicks} from './scales.js';

// Room for a layer's number, and for a count such as 12,800, in pixels.
const LAYER_LABEL_WIDTH = 22;
const COUNT_LABEL_WIDTH = 34;

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

/**
 * The layers whose number is written under the axis: all where there is room, else evenly spaced ones.
 *
 * @param {number} nLayers
 * @param {number} band  width of one layer's column in pixels
 * @param {number[]} always  layers that are labelled in any case; their crowded neighbours give way
 * @returns {number[]}  ascending
 */
export function layerTicks(nLayers, band, always) {
  const room = Math.max(1, Math.ceil(LAYER_LABEL_WIDTH / band));
  const step = [1, 2, 3, 4, 5, 6, 8, 10].find((candidate) => candidate >= room) ?? room;
  const fixed = [...new Set(always)];
  const regular = Array.from({length: nLayers}, (_, layer) => layer)
    .filter((layer) => layer % step === 0)
    .filter((layer) => fixed.every((other) => layer === other || Math.abs(layer - other) >= room));
  return [...new Set([...regular, ...fixed])].sort((a, b) => a - b);
}

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
      if (named.length === 0 || x(named[named.length - 1]) - x(value) >= COUNT_LABEL_WIDTH) named.push(value);
    }
    const ticks = named.reverse().map((value) => ({at: value, label: formatCount(value)}));
    return {x, band: (end - start) / Math.max(1, values.length), ticks, title};
  };
}
