// @ts-check
/** Which two examples of LIT's stand side by side: an original and its edit, or the pinned and the selected one. */
/** @import {IndexedInput} from './types.js' */

/**
 * @typedef {object} EditPair  Two examples that are compared.
 * @property {IndexedInput} original
 * @property {IndexedInput} edit
 * @property {'edit'|'pinned'} how  a parent and its edit, or the pinned and the selected example
 */

/**
 * Which two examples are compared: the pinned and the selected one while LIT compares; else the selected edit and its parent; else
 * the selected example and the last of its edits.
 *
 * @param {object} shown
 * @param {?IndexedInput} shown.primary  the selected example
 * @param {?IndexedInput} shown.pinned  the pinned one while LIT compares
 * @param {IndexedInput[]} shown.inputs  all examples
 * @returns {?EditPair|'orphan'}  `orphan`: an edit is selected whose parent is not among the examples
 */
export function editPair({primary, pinned, inputs}) {
  if (!primary) return null;
  if (pinned && pinned.id !== primary.id) {
    // Whichever of the two is pinned: an edit is compared with its parent, not the other way round.
    const backwards = pinned.meta.parentId === primary.id;
    return {original: backwards ? primary : pinned, edit: backwards ? pinned : primary, how: isEditOf(primary, pinned) || backwards ? 'edit' : 'pinned'};
  }
  if (primary.meta.added && primary.meta.parentId) {
    const original = inputs.find(({id}) => id === primary.meta.parentId);
    return original ? {original, edit: primary, how: 'edit'} : 'orphan';
  }
  const edit = inputs.findLast((input) => isEditOf(input, primary));
  return edit ? {original: primary, edit, how: 'edit'} : null;
}

/** @param {IndexedInput} edit @param {IndexedInput} original */
function isEditOf({meta}, {id}) {
  return Boolean(meta.added) && meta.parentId === id;
}

/** What the two texts are called. @param {?EditPair['how']} how @returns {[string, string]} */
export function pairNames(how) {
  return how === 'pinned' ? ['Pinned', 'Selected'] : ['Original', 'Edit'];
}
