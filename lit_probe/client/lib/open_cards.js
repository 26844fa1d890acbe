// @ts-check
import {observable} from './observable.js';

/** By panel, what its card was opened from: its numbers, or one slice. LIT re-creates panels; an open card should stay open. */
export const openCards = observable(/** @type {Record<string, ?string>} */ ({}));
