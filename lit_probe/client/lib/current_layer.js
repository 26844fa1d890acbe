// @ts-check
import {observable} from './observable.js';

/**
 * The layer that the user looks at, in all of our panels at once; null until one is picked.
 *
 * Panels turn it into a layer of their own model with `resolveLayer`.
 */
export const currentLayer = observable(/** @type {?number} */ (null));
