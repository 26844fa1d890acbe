// @ts-check
/** Which rows of somebody else's data set the probes were trained, compared and tested on, as a column of LIT's own table. */
/** @import {LayerMetrics, RowSplits} from '../page/types.js' */
import {answers} from '../page/answers.js';
import {addCategoryColumn, hasColumn, splitsAreShown} from '../page/lit_host.js';

const COLUMN = 'probe_split';
const NOT_IN_DATA = 'not in the probes’ data';

/**
 * Asks for the rows' splits, where the data set does not say them itself.
 *
 * @param {any} panel @param {?LayerMetrics} answer  the last curve
 * @returns {Record<string, string>}
 */
export function askForMembership(panel, answer) {
  if (!answer || splitsAreShown()) return {};
  return {membership: panel.want('membership', 'row_splits', panel.seen.unedited, {})};
}

/** Adds the column once the splits are there. LIT drops it when it shows another data set. @param {any} panel */
export function showMembership({keys, seen}) {
  const result = answers.read(keys.membership);
  if (result?.state !== 'ready' || hasColumn(COLUMN)) return;
  const {splits} = /** @type {RowSplits} */ (result.answer);
  if (splits.length !== seen.unedited.length) return;
  const vocabulary = [...new Set([...splits, NOT_IN_DATA])].sort();
  addCategoryColumn({dataset: seen.dataset, name: COLUMN, source: 'lit_probe', inputs: seen.unedited, values: splits, vocabulary, ofAdded: async () => NOT_IN_DATA});
}
