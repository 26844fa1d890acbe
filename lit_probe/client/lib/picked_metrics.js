// @ts-check
import {observable} from './observable.js';

/** The metric picked on each data set, for all panels: per-class metrics name its labels. */
export const pickedMetrics = observable(/** @type {Record<string, string>} */ ({}));

/**
 * Picks a metric.
 *
 * @param {string} dataset
 * @param {string|undefined} metric  undefined: the headline metric again
 */
export function pickMetric(dataset, metric) {
  const {[dataset]: _, ...others} = pickedMetrics.get();
  pickedMetrics.set(metric === undefined ? others : {...others, [dataset]: metric});
}
