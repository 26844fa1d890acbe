// @ts-check

/**
 * A straight map from values to pixels.
 *
 * @param {[number, number]} domain  values; must not be equal
 * @param {[number, number]} range  pixels
 * @returns {(value: number) => number}
 */
export function linearScale([from, to], [start, end]) {
  return (value) => start + ((value - from) / (to - from)) * (end - start);
}

/**
 * Gives every layer a column of equal width, so that a curve and the cells under it line up.
 *
 * @param {number} nLayers
 * @param {[number, number]} range  left and right edge in pixels
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
 * @param {number} high  must be above `low`
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
