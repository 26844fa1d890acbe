// @ts-check
/** What a reader has chosen, for all of our panels at once, and values that tell when they change. */

/**
 * The layer that the user looks at, in all of our panels at once; null until one is picked.
 *
 * Panels turn it into a layer of their own model with `resolveLayer`.
 */
export const currentLayer = observable(/** @type {?number} */ (null));

/** The word that the user looks at, in all of our panels at once: its example's id and its place among the words; null until one is picked. */
export const currentWord = observable(/** @type {?{example: string, place: number}} */ (null));

/** By panel, what its card was opened from: its numbers, or one slice. LIT re-creates panels; an open card should stay open. */
export const openCards = observable(/** @type {Record<string, ?string>} */ ({}));

/** The metric picked on each data set, for all panels: per-class metrics name its labels. */
export const pickedMetrics = observable(/** @type {Record<string, string>} */ ({}));

/**
 * Picks a metric.
 *
 * @param {string} dataset
 * @param {string|undefined} metric  a metric's name; undefined: the headline metric again
 */
export function pickMetric(dataset, metric) {
  const {[dataset]: _, ...others} = pickedMetrics.get();
  pickedMetrics.set(metric === undefined ? others : {...others, [dataset]: metric});
}

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

/**
 * A value that tells its listeners when it changes.
 *
 * @template T
 * @param {T} initial
 * @returns {{get: () => T, set: (value: T) => void, subscribe: (listener: (value: T) => void) => () => void}}
 *     `subscribe` returns the function that ends the subscription.
 */
export function observable(initial) {
  let value = initial;
  /** @type {Set<(value: T) => void>} */
  const listeners = new Set();
  return {
    get: () => value,
    set(next) {
      if (Object.is(next, value)) return;
      value = next;
      for (const listener of [...listeners]) listener(value);
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
}
