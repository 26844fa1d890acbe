// @ts-check
/** Pairs of an original and its edit: which ones there are, and which of them the probes follow. */
/** @import {IndexedInput} from '../page/types.js' */
import {formatCount} from '../words/format.js';
import {layerList, placeList} from '../words/sentences.js';

/** The column that says which rows of a data set are an original and its edit. */
export const PAIR_COLUMN = 'pair_id';

/**
 * All pairs of an example and its edit that were made since the page was opened, and how many edits have lost their parent.
 *
 * @param {IndexedInput[]} inputs  all examples
 * @returns {{pairs: [IndexedInput, IndexedInput][], nOrphans: number}}
 */
export function editedPairs(inputs) {
  const byId = new Map(inputs.map((input) => [input.id, input]));
  const edits = inputs.filter(({meta}) => meta.added && meta.parentId);
  const pairs = edits.flatMap((edit) => {
    const original = byId.get(/** @type {string} */ (edit.meta.parentId));
    return original ? [/** @type {[IndexedInput, IndexedInput]} */ ([original, edit])] : [];
  });
  return {pairs, nOrphans: edits.length - pairs.length};
}

/**
 * Which pairs a layer's probe does not follow: it is wrong on the original, on the edit or on both. Where nobody knows what becomes of
 * the label (null), it is neither wrong nor right.
 *
 * @param {{consistent: (?boolean)[][]}} answer  the answer of `counterfactual_pairs`
 * @param {number} layer
 * @param {number[]} [among]  the indices of pairs; all of them if not given
 * @returns {number[]}
 */
export function failingPairs({consistent}, layer, among) {
  return (among ?? consistent[layer].map((_, pair) => pair)).filter((pair) => consistent[layer][pair] === false);
}

/**
 * In how many of the pairs something is expected of the label, and that the others are not counted.
 *
 * @param {{n: number, n_judged: number, n_label_changes: number}} answer  the answer of `counterfactual_pairs`
 * @returns {string}
 */
export function judgedSentence({n, n_judged: nJudged, n_label_changes: nChanges}) {
  if (nJudged === 0) return 'Nothing is expected of the label in any of them, so none is counted in consistency and median change.';
  const changes = nChanges === 0 ? 'none' : nChanges === nJudged ? 'all' : formatCount(nChanges);
  if (nJudged === n) return `The label changes in ${changes} of them.`;
  const others = n - nJudged === 1 ? 'the other one is' : `the other ${formatCount(n - nJudged)} are`;
  return `In ${formatCount(nJudged)} of them it is known what becomes of the label (it changes in ${changes}); ${others} not counted in consistency and median change.`;
}

/**
 * What made an edit and what it should do to the label: "negation: is → is not (nothing is expected of the label)".
 *
 * @param {{rule?: string, expectation?: string}} made
 * @returns {string}
 */
export function madeSentence({rule, expectation}) {
  return `${rule} (${expectation?.startsWith('label') ? expectation.replace('label', 'the label is') : 'nothing is expected of the label'})`;
}

/**
 * The ids by which LIT selects these pairs; a row that LIT does not show has none.
 *
 * @param {{pairs: {ids: (?string)[]}[]}} answer  the answer of `counterfactual_pairs`
 * @param {number[]} pairs
 * @returns {string[]}
 */
export function idsOfPairs({pairs: all}, pairs) {
  return [...new Set(pairs.flatMap((pair) => all[pair].ids).filter((id) => id !== null))];
}

/**
 * At which layers the probe answers otherwise for the edit: "The probe answers otherwise from layer 3 on."
 *
 * @param {object} answer  the answer of the interpreter `counterfactual_by_layer`
 * @param {number[]} answer.flip_layers  ascending
 * @param {number} answer.n_layers
 * @param {boolean} answer.identical
 * @param {?string[]} [names]  what places that are not all of an encoder's layers are called
 * @returns {string}
 */
export function flipSentence({flip_layers: layers, n_layers: nLayers, identical}, names = null) {
  if (identical) return 'The two texts are the same: nothing differs at any layer.';
  if (layers.length === 0) return 'The probe of every layer gives both texts the same answer.';
  if (layers.length === nLayers) return 'The probe answers otherwise at every layer.';
  if (names) return `The probe answers otherwise at ${placeList(layers, names)}.`;
  const [first, last] = [layers[0], layers[layers.length - 1]];
  const unbroken = last - first + 1 === layers.length;
  if (unbroken && last === nLayers - 1) return first === last ? 'The probe answers otherwise at the last layer only.' : `The probe answers otherwise from layer ${first} on.`;
  if (layers.length === 1) return `The probe answers otherwise at layer ${first} only.`;
  if (unbroken && layers.length > 2) return `The probe answers otherwise at layers ${first} to ${last}.`;
  return `The probe answers otherwise at layers ${layerList(layers)}.`;
}
