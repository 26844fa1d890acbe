// @ts-check
/** Axes: scales from values to pixels, their ticks and ranges, and one range for curves that are compared. */
/** @import {Site} from '../page/types.js' */
/** @import {PlacedAxis} from './types.js' */
import {formatCount} from '../words/format.js';
import {HEADS, kindsInARow} from './places.js';

// Room for a layer's number, and for a count such as 12,800, in pixels.
const LAYER_LABEL_WIDTH = 22;
const COUNT_LABEL_WIDTH = 34;
const CHARACTER_WIDTH = 7;

/**
 * The horizontal axis of a curve over layers.
 *
 * @param {number} nLayers
 * @param {object} [options]
 * @param {?number} [options.bestLayer]  a layer that is labelled in any case
 * @param {?number} [options.current]  a layer that is labelled in any case, in bold
 * @param {?string[]} [options.names]  what the layers are called, where they have names of their own; numbers stand where these do not fit
 * @param {?Site[]} [options.sites]  what the layers are, where they are places of several kinds: these are named under their columns
 * @param {string} [options.title]
 * @param {boolean} [options.small]  whether it is that of a small multiple: no title, and 0 instead of the word "embeddings"
 * @returns {(range: [number, number]) => PlacedAxis}
 */
export function layerAxis(nLayers, {bestLayer = null, current = null, names = null, sites = null, title = 'Layer', small = false} = {}) {
  const kinds = kindsInARow(sites);
  return (range) => {
    const {x, band} = layerScale(nLayers, range);
    if (sites && kinds) {
      const {groupOf, groups, labels, middles} = kinds;
      const ticks = placeTicks(middles, band, [current, bestLayer]).map((place) => ({
        // A head that is named in any case stands among the numbers of blocks.
        at: place, label: sites[place].family === HEADS && !middles.includes(place) ? sites[place].name.replace('head ', '') : labels[place], bold: place === current}));
      return {x, band, ticks, title: '', groupOf, groups: small ? groups.map((one) => ({...one, label: ''})) : groups};
    }
    const always = [0, bestLayer, current].filter((layer) => layer !== null);
    // The word "embeddings" is wider than a narrow column: it then ends at the column's right edge, under the score axis' labels.
    const crowded = band < 62;
    const named = names !== null && !small && names.every((name) => name.length * CHARACTER_WIDTH < band);
    const ticks = layerTicks(nLayers, band, always).map((layer) => {
      if (names) return {at: layer, label: named ? names[layer] : String(layer), bold: layer === current};
      const word = layer === 0 && !small;
      const place = word && crowded ? {shift: Math.min(band / 2, 12), anchor: 'end'} : {};
      return {at: layer, label: word ? 'embeddings' : String(layer), bold: layer === current, ...place};
    });
    return {x, band, ticks, title: small ? '' : title};
  };
}

/**
 * The layers whose number is written under the axis: all where there is room, else evenly spaced ones.
 *
 * @param {number} nLayers
 * @param {number} band  the width of one layer's column in pixels
 * @param {number[]} always  the layers that are labelled in any case; their crowded neighbours give way
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
 * The places that are labelled: some in any case, and of the others as many as there is room for.
 *
 * @param {number[]} places  ascending
 * @param {number} band  the width of one place's column in pixels
 * @param {(?number)[]} always  the most important one first
 * @returns {number[]}  ascending
 */
function placeTicks(places, band, always) {
  /** @type {number[]} */
  const kept = [];
  for (const place of [...always, ...places]) {
    if (place !== null && kept.every((other) => Math.abs(other - place) * band >= LAYER_LABEL_WIDTH)) kept.push(place);
  }
  return kept.sort((a, b) => a - b);
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

/**
 * One axis for all curves that a reader compares: two models side by side, scored by one metric on one data set.
 */
export class SharedAxis {
  /** @type {Map<object, {group: string, range: [number, number]}>} */
  #members = new Map();
  /** @type {Set<() => void>} */
  #listeners = new Set();

  /**
   * Calls the listener after a change of any axis; returns the function that ends this.
   *
   * @param {() => void} listener
   * @returns {() => void}
   */
  subscribe(listener) {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /**
   * Says what range a curve needs.
   *
   * @param {{isConnected?: boolean}} owner  whoever draws the curve; it is in one group at a time, and in none once it has left the page
   * @param {string} group  the group's name: curves of one group share their axis
   * @param {[number, number]} range
   * @returns {[number, number]}  what all curves of the group need
   */
  join(owner, group, range) {
    // A panel that was taken away is drawn once more, and nobody would take it out again.
    if (owner.isConnected === false) return range;
    const before = this.#members.get(owner);
    this.#members.set(owner, {group, range});
    if (before?.group !== group || before.range[0] !== range[0] || before.range[1] !== range[1]) this.#tell();
    const ranges = [...this.#members.values()].filter((member) => member.group === group).map((member) => member.range);
    return [Math.min(...ranges.map(([low]) => low)), Math.max(...ranges.map(([, high]) => high))];
  }

  /**
   * Takes a curve out.
   *
   * @param {object} owner
   */
  leave(owner) {
    if (this.#members.delete(owner)) this.#tell();
  }

  #tell() {
    for (const listener of [...this.#listeners]) listener();
  }
}

/** The axes of all our panels: two models side by side should look alike. */
export const axes = new SharedAxis();

/**
 * A straight map from values to pixels.
 *
 * @param {[number, number]} domain  two values that are not equal
 * @param {[number, number]} range  two places in pixels
 * @returns {(value: number) => number}
 */
export function linearScale([from, to], [start, end]) {
  return (value) => start + ((value - from) / (to - from)) * (end - start);
}

/**
 * Gives every layer a column of equal width, so that a curve and the cells under it line up.
 *
 * @param {number} nLayers
 * @param {[number, number]} range  the left and the right edge in pixels
 * @returns {{band: number, x: (layer: number) => number, layerAt: (x: number) => number}}
 *     `band`: the width of a column; `x`: its middle; `layerAt`: the layer whose column holds a pixel (the nearest one
 *     outside the range)
 */
export function layerScale(nLayers, [start, end]) {
  const band = (end - start) / nLayers;
  return {
    band,
    x: (layer) => start + (layer + 0.5) * band,
    layerAt: (x) => Math.min(nLayers - 1, Math.max(0, Math.floor((x - start) / band))),
  };
}

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

/**
 * Round values (1, 2 or 5 times a power of ten apart) that lie inside a range.
 *
 * @param {number} low
 * @param {number} high  a value above `low`
 * @param {number} count  about how many ticks are wanted
 * @returns {{values: number[], step: number, digits: number}}  `digits`: decimals that tell the ticks apart
 */
export function niceTicks(low, high, count) {
  const rough = (high - low) / Math.max(1, count);
  const power = Math.floor(Math.log10(rough));
  const fraction = rough / 10 ** power;
  const factor = fraction < 1.5 ? 1 : fraction < 3.5 ? 2 : fraction < 7.5 ? 5 : 10;
  const digits = Math.max(0, -(factor === 10 ? power + 1 : power));
  const step = factor * 10 ** power;
  const values = [];
  for (let i = Math.ceil(low / step - 1e-9); i <= Math.floor(high / step + 1e-9); i++) {
    values.push(Number((i * step).toFixed(digits)));
  }
  return {values, step, digits};
}

const SMALLEST_SPAN = 0.1;
const AIR_ABOVE = 0.06;
const AIR_BELOW = 0.12; // The majority line is often the lowest thing, and its label stands below it.

/**
 * The range of an axis: everything drawn, with some air, never wider than a share's own bounds.
 *
 * The span is at least 0.1, so that differences in the third decimal do not look like mountains.
 *
 * @param {(number|null|undefined)[]} drawn  the values; what is missing is skipped
 * @returns {[number, number]}  low < high
 */
export function valueDomain(drawn) {
  const values = /** @type {number[]} */ (drawn.filter((value) => typeof value === 'number'));
  if (values.length === 0) return [0, 1];
  const least = Math.min(...values);
  const most = Math.max(...values);
  const missing = Math.max(0, SMALLEST_SPAN - (most - least)) / 2;
  const span = Math.max(SMALLEST_SPAN, most - least);
  let low = least - missing - AIR_BELOW * span;
  let high = most + missing + AIR_ABOVE * span;
  if (least >= 0 && low < 0) [low, high] = [0, Math.max(high, SMALLEST_SPAN)];
  if (most <= 1 && high > 1) [low, high] = [Math.min(low, 1 - SMALLEST_SPAN), 1];
  return [low, high];
}
