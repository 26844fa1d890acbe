// @ts-check

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
