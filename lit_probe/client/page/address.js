// @ts-check
/**
 * The page's address while an edit is selected: LIT writes the edit's fields into it, but an object as "[object Object]", and reads all
 * of them as words. Here what LIT knows of the edit (its original, what made it) is written as JSON, and read back with each field's type.
 */
import {services} from './lit_host.js';

/** The parameters by which LIT names an edit and what it knows of it. */
const ID = 'data__id';
const META = 'data__meta';

/** What is taken from an address, which anybody may have written: words alone. */
const WORDS = ['source', 'parentId', 'rule', 'expectation'];

/** @typedef {{data: Record<string, any>, id: string, meta: Record<string, any>}} Edit */

/** Changes how LIT writes and reads its address. Called once, before LIT starts. */
export function keepEditsInAddress() {
  const {appState} = services();
  if (typeof appState?.annotateNewData !== 'function' || typeof appState.getUrlConfiguration !== 'function') {
    console.error('lit_probe: LIT’s addresses are written as LIT writes them; this page keeps its state elsewhere than expected.');
    return;
  }
  const write = history.replaceState;
  history.replaceState = (state, title, url) =>
    write.call(history, state, title, url ? withMeta(String(url), (id) => appState.getCurrentInputDataById(id)?.meta) : url);
  const annotate = appState.annotateNewData;
  appState.annotateNewData = (/** @type {Edit[]} */ edits) => {
    const told = Object.values(appState.getUrlConfiguration()?.dataFields ?? {});
    const ofAddress = edits.length === told.length && edits.every(({meta}) => meta.source === 'url');
    return annotate.call(appState, ofAddress ? edits.map((edit, i) => editOfAddress(edit, told[i], appState.currentDatasetSpec)) : edits);
  };
}

/**
 * LIT's address with JSON in the place of an object, and without the edit's id, which follows from its fields.
 *
 * @param {string} address  path and parameters
 * @param {(id: string) => Record<string, unknown>|undefined} metaOf
 * @returns {string}
 */
export function withMeta(address, metaOf) {
  const [path, query = ''] = address.split(/\?(.*)/s);
  const parameters = new URLSearchParams(query);
  const id = parameters.get(ID);
  if (id === null) return address;
  const meta = metaOf(id) ?? {};
  parameters.delete(ID);
  parameters.set(META, JSON.stringify(Object.fromEntries(WORDS.flatMap((name) => (meta[name] === undefined ? [] : [[name, meta[name]]])))));
  return `${path}?${parameters}`;
}

/**
 * The edit that an address tells of, as it was; without our JSON in the address, LIT's own reading of it.
 *
 * @param {Edit} edit  as LIT reads it
 * @param {Record<string, string>} told  the fields in the address
 * @param {Record<string, {name: string}>} spec  the data set's
 * @returns {Edit}
 */
export function editOfAddress(edit, told, spec) {
  const {_id, _meta, ...fields} = told;
  const known = metaOf(_meta);
  if (known === null) return edit;
  const meta = {...edit.meta, ...known};
  const typed = Object.entries({...edit.data, ...fields}).map(([name, value]) => [name, typedValue(value, name in fields, spec[name]?.name)]);
  return {...edit, data: {...Object.fromEntries(typed), _id: edit.data._id, _meta: meta}, meta};
}

/** @param {string|undefined} json @returns {?Record<string, string>} */
function metaOf(json) {
  if (!json?.startsWith('{')) return null;
  try {
    const told = JSON.parse(json);
    return Object.fromEntries(WORDS.filter((name) => typeof told[name] === 'string').map((name) => [name, told[name]]));
  } catch (error) {
    console.info('lit_probe: the address does not say where its edit comes from.', error);
    return null;
  }
}

/** A value as the field's type has it. LIT leaves empty texts out of the address. @param {any} value @param {boolean} told @param {string|undefined} type */
function typedValue(value, told, type) {
  if (type === 'BooleanLitType') return value === true || value === 'true';
  if (type === 'Scalar') return Number(value);
  return told || !['TextSegment', 'CategoryLabel'].includes(String(type)) ? value : '';
}
