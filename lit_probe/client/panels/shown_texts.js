// @ts-check
/** What a panel about the selected text follows: the text, and its edit or the pinned one beside it. */
/** @import {EditPair} from '../page/edit_pair.js' */
/** @import {IndexedInput} from '../page/types.js' */
import {editPair} from '../page/edit_pair.js';
import {fitTogether, pinnedExample} from '../page/lit_host.js';

/**
 * To be called where LIT's state is observed.
 *
 * @param {any} panel  of one model
 * @returns {{model: string, dataset: string, how: ?EditPair['how'], shown: IndexedInput[], fits: boolean}}  `shown`: none, one text, or two
 */
export function shownTexts(panel) {
  const {currentDataset: dataset, currentInputData: inputs} = panel.appState;
  const primary = /** @type {?IndexedInput} */ (panel.selectionService.primarySelectedInputData);
  const pair = editPair({primary, pinned: pinnedExample(), inputs});
  const found = pair === 'orphan' ? null : pair;
  const shown = found ? [found.original, found.edit] : primary ? [primary] : [];
  return {model: panel.model, dataset, how: found?.how ?? null, shown, fits: fitTogether(panel.model, dataset)};
}
