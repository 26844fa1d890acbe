// @ts-check
/** @typedef {import('../page/types.js').IndexedInput} IndexedInput */

/**
 * Examples by the values of a column, the largest group first.
 *
 * @param {IndexedInput[]} inputs
 * @param {string} column
 * @returns {{name: string, inputs: IndexedInput[]}[]}
 */
export function facetGroups(inputs, column) {
  /** @type {Map<string, IndexedInput[]>} */
  const groups = new Map();
  for (const input of inputs) {
    const value = input.data[column];
    const name = value === null || value === undefined || value === '' ? '(none)' : String(value);
    const members = groups.get(name);
    if (members) members.push(input);
    else groups.set(name, [input]);
  }
  return largestFirst([...groups].map(([name, members]) => ({name, inputs: members})));
}

/**
 * Examples by LIT's slices, the largest first; an example may be in several.
 *
 * @param {IndexedInput[]} inputs
 * @param {{name: string, ids: string[]}[]} slices
 * @returns {{name: string, inputs: IndexedInput[]}[]}
 */
export function sliceGroups(inputs, slices) {
  return largestFirst(slices.map(({name, ids}) => {
    const members = new Set(ids);
    return {name, inputs: inputs.filter(({id}) => members.has(id))};
  }).filter(({inputs: members}) => members.length > 0));
}

/**
 * Names of slices whose examples are all others; LIT's own slice of starred examples is empty at first, and is none of them.
 *
 * @param {IndexedInput[]} inputs
 * @param {{name: string, ids: string[]}[]} slices
 * @returns {string[]}
 */
export function emptySlices(inputs, slices) {
  const known = new Set(inputs.map(({id}) => id));
  return slices.filter(({ids}) => ids.length > 0 && !ids.some((id) => known.has(id))).map(({name}) => name);
}

/** @template {{name: string, inputs: IndexedInput[]}} T @param {T[]} groups @returns {T[]} */
function largestFirst(groups) {
  return groups.sort((a, b) => b.inputs.length - a.inputs.length || (a.name < b.name ? -1 : 1));
}
