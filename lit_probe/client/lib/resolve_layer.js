// @ts-check

/**
 * The layer that a panel shows: the picked one where its model has such a layer, otherwise the dev-chosen one.
 *
 * @param {?number} picked  the current layer of all panels; null when none was picked
 * @param {number} bestLayer
 * @param {number} nLayers
 * @returns {number}
 */
export function resolveLayer(picked, bestLayer, nLayers) {
  return picked !== null && picked >= 0 && picked < nLayers ? picked : bestLayer;
}
