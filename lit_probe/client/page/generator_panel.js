// @ts-check
/** LIT's Datapoint Generator with room for what it made: only the columns that say something of an edit, and texts that can be read. */
import {addStyles, replace} from './lit_frame.js';
import {services} from './lit_host.js';

/** Pixels below which a column of texts is not made. */
const TEXT_WIDTH = 220;

// Beside the list of generators, a narrow page has no room for a table: there it takes the place of the list until its edits are
// added or cleared.
const CSS = `
  .module-container {container-type: inline-size}
  .generators-panel {width: clamp(230px, 34cqw, 400px)}
  .results-holder {min-width: 0; overflow: auto}
  .overall-controls {flex-wrap: wrap; gap: 4px}
  .overall-controls button {white-space: nowrap}
  .slice-name-input {flex: 0 1 250px; min-width: 90px; margin: 0}
  @container (max-width: 600px) {
    .generators-panel {width: 100%; border: none}
    .generator-module-content:has(.results-holder) .generators-panel, lit-interstitial {display: none}
    .results-holder {margin: 0}
  }`;

/** Changes the panel. Called once, before LIT starts. */
export function fitGenerator() {
  addStyles('generator-module', CSS);
  replace('generator-module', 'createEntries', tellingColumns);
  replace('generator-module', 'renderGenerated', wideTexts);
}

/** @typedef {{data: Record<string, unknown>, meta: {parentId?: string}}} Row */

/**
 * The columns in which edits can differ from their originals: what the models read, and what a generator has changed or added. All
 * others are copies that nobody edits.
 *
 * @param {Row[]} edits
 * @param {(id: string) => Row|null|undefined} originalOf
 * @param {string[]} read  the fields that the models read
 * @returns {Set<string>}
 */
export function editedFields(edits, originalOf, read) {
  const changed = edits.flatMap(({data, meta}) => {
    const original = originalOf(meta.parentId ?? '');
    return Object.keys(data).filter((name) => !original || JSON.stringify(data[name]) !== JSON.stringify(original.data[name]));
  });
  return new Set([...read, ...changed]);
}

/** What the models that are shown read of an example. @returns {string[]} */
function fieldsRead() {
  const {currentModels, metadata} = services().appState;
  return currentModels.flatMap((/** @type {string} */ model) => Object.keys(metadata.models[model].spec.input));
}

/** LIT's rows without the columns that are copies. @param {() => Record<string, unknown>[]} createEntries */
function tellingColumns(createEntries) {
  return /** @this {any} */ function () {
    const {appState} = services();
    const kept = editedFields(this.generated.flat(), (id) => appState.getCurrentInputDataById(id), fieldsRead());
    return createEntries.call(this).map((row) => Object.fromEntries(
      Object.entries(row).filter(([name]) => kept.has(name) || !(name in appState.currentDatasetSpec))));
  };
}

/** LIT's table with columns of texts that are wide enough to read. @param {() => any} renderGenerated */
function wideTexts(renderGenerated) {
  return /** @this {any} */ function () {
    const template = renderGenerated.call(this);
    const [columns, ...rest] = template?.values ?? [];
    if (!Array.isArray(columns)) return template;
    const spec = services().appState.currentDatasetSpec;
    const read = fieldsRead();
    const isText = (/** @type {string} */ name) => read.includes(name) && spec[name]?.name === 'TextSegment';
    return {...template, values: [columns.map((name) => (isText(name) ? {name, minWidth: TEXT_WIDTH} : name)), ...rest]};
  };
}
