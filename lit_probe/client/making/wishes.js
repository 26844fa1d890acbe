// @ts-check
/**
 * What a reader wants new probes to tell, and the questions to the server that come of it.
 *
 * @typedef {object} Form  What is chosen in the form. Empty: as the probes on the page have it.
 * @property {string} what  a name of `KINDS_OF_TARGET`
 * @property {string} target  a column, or what stands on the surface of a text
 * @property {string} words  words, between blanks or commas
 * @property {string} first  the name of a slice
 * @property {string} second  the name of another one
 * @property {string} probe
 * @property {string} pooling
 * @property {string} sites
 *
 * @typedef {object} Wish  A form that was sent.
 * @property {number} id
 * @property {string} title
 * @property {string} model  whose probes it starts from
 * @property {string} dataset
 * @property {IndexedInput[]} inputs
 * @property {Record<string, unknown>} config
 */
/** @import {IndexedInput} from '../page/types.js' */

export const COLUMN = 'column', WORDS = 'words', SELECTION = 'selection', SLICES = 'slices';

/** What a probe can be for, in the words of the form. */
export const KINDS_OF_TARGET = [
  {value: COLUMN, title: 'a column, or the surface of the text'},
  {value: WORDS, title: 'whether the text holds certain words'},
  {value: SELECTION, title: 'the selection against the rest'},
  {value: SLICES, title: 'one slice against another'},
];

/** @type {Form} */
export const NEW_FORM = {what: COLUMN, target: 'label', words: '', first: '', second: '', probe: '', pooling: '', sites: ''};

/**
 * The question to the server, or in a sentence why there is none yet.
 *
 * @param {Form} form
 * @param {object} page  what LIT shows
 * @param {IndexedInput[]} page.inputs  all examples
 * @param {string[]} page.selected  the ids of the selected ones
 * @param {{name: string, ids: string[]}[]} page.slices
 * @returns {{problem: string} | {title: string, inputs: IndexedInput[], config: Record<string, unknown>}}
 */
export function questionOf(form, {inputs, selected, slices}) {
  const how = Object.fromEntries(Object.entries({probe: form.probe, pooling: form.pooling, sites: form.sites}).filter(([, value]) => value));
  const words = form.words.split(/[\s,|]+/).filter(Boolean);
  if (form.what === COLUMN) return {title: form.target, inputs: [], config: {target: form.target, ...how}};
  if (form.what === WORDS) {
    return words.length ? {title: `holds ${words.join(' or ')}`, inputs: [], config: {target: `holds:${words.join('|')}`, ...how}}
      : {problem: 'Type one or more words, with blanks between them.'};
  }
  const rows = inputs.filter(({meta}) => !meta.added);
  if (form.what === SELECTION) {
    const chosen = new Set(selected);
    const [of, rest] = [rows.filter(({id}) => chosen.has(id)), rows.filter(({id}) => !chosen.has(id))];
    if (of.length < 2 || rest.length < 2) return {problem: 'Select examples on the page, in train and in dev, and leave some unselected.'};
    return picked('selection', 'rest', of, rest, how);
  }
  const [one, other] = [form.first, form.second].map((name) => slices.find((slice) => slice.name === name));
  if (slices.length < 2) return {problem: 'Make two slices first: select examples, then “Slices” in the bar at the top.'};
  if (!one || !other || one === other) return {problem: 'Choose two different slices.'};
  const [of, rest] = [one, other].map(({ids}) => {
    const own = new Set(ids);
    return rows.filter(({id}) => own.has(id));
  });
  return picked(one.name, other.name, of, rest, how);
}

/** @param {string} one @param {string} other @param {IndexedInput[]} of @param {IndexedInput[]} rest @param {Record<string, unknown>} how */
function picked(one, other, of, rest, how) {
  return {title: `${one} against ${other}`, inputs: [...of, ...rest], config: {picked: {names: [one, other], n_first: of.length}, ...how}};
}
