// @ts-check
/**
 * Where LIT's bundle (lit-nlp 1.3.1) has what our panels need: its base class, its services and its templates. With
 * `lit_frame.js` and `lit_places.js`, the only file that knows the bundle.
 *
 * LIT exports nothing, but every registered LIT panel leads to its base class, unattached panels hold the services, and a
 * lit-html template is a plain object. `litModule` checks all of that before the first panel is defined; where the check or a
 * panel's file fails, a panel that says so takes its place, because LIT draws an empty page for a layout with an unknown tag.
 *
 * @typedef {import('./types.js').IndexedInput} IndexedInput
 *
 * @typedef {object} OfLit  What our panels use of LIT's base class, beside HTMLElement's own.
 * @property {string} model  the model that this copy of the panel shows; LIT changes it on a living element
 * @property {any} appState
 * @property {any} selectionService
 * @property {() => void} requestUpdate
 * @property {(observe: () => any, effect: (value: any) => void) => void} reactImmediately  a reaction to what it observes; it ends by itself on disconnection
 *
 * @typedef {HTMLElement & OfLit & {connectedCallback(): void, disconnectedCallback(): void, updated(changed: unknown): void}} LitPanel
 */
import {askKept} from './kept_answers.js';
import {WaitingRoom} from './waiting.js';

/** A template of elements, as lit-html wants it: the bundle's own `html` without the bundle. */
export const html = (/** @type {TemplateStringsArray} */ strings, /** @type {unknown[]} */ ...values) => ({_$litType$: 1, strings, values});

/** Draws nothing where a template expects a value; as an attribute's value, removes the attribute. */
export const nothing = Symbol.for('lit-nothing');

/** Where the files of our panels are, by tag. @type {Map<string, URL>} */
const files = new Map();

/**
 * Says where a panel's file is. It is loaded before LIT first draws a layout that shows it, so that nobody waits for panels that they
 * do not look at.
 *
 * @param {string} tag
 * @param {URL} url
 */
export function importPanel(tag, url) {
  files.set(tag, url);
}

/** Loads panels that are ours, a file each, so that a broken one harms no other. @param {Iterable<string>} tags */
async function loadPanels(tags) {
  await Promise.all([...new Set(tags)].map(async (tag) => {
    const url = files.get(tag);
    if (!url || customElements.get(tag)) return;
    try {
      await import(url.href);
    } catch (error) {
      console.error(`lit_probe: ${tag} could not be loaded.`, error);
    }
    if (!customElements.get(tag)) defineFallback(tag, `Its file ${url.pathname} could not be loaded. Load the page again, as after an update of lit_probe; if that does not help, the browser's console says why.`);
  }));
}

/** The tags of the panels of a layout. @param {any} layout  as LIT holds it @returns {string[]} */
function tagsOf(layout) {
  /** @type {(string|{module: string})[]} */
  const shown = ['upper', 'lower', 'left'].flatMap((part) => Object.values(layout?.[part] ?? {})).flat();
  return shown.map((one) => (typeof one === 'string' ? one : one.module));
}

/** Loads the panels of all layouts. @returns {?Promise<void>} null where they are there */
export function loadAllPanels() {
  return [...files.keys()].every((tag) => customElements.get(tag)) ? null : loadPanels(files.keys());
}

/** Lets LIT wait for the panels of a layout before it draws the first one, or another. */
export function loadPanelsOfLayouts() {
  const {appState} = services();
  const service = settings();
  if (!appState?.initialize || !service) return void loadAllPanels(); // Each says that the bundle is another one.
  const {initialize} = appState;
  appState.initialize = async () => {
    const {layouts, defaultLayout} = appState.metadata;
    const layout = layouts[appState.urlConfiguration.layoutName] ?? layouts[defaultLayout];
    await Promise.all([loadPanels(tagsOf(layout)), initialize.call(appState)]);
  };
  const {updateSettings} = service;
  /** @type {Promise<unknown>} */
  let before = Promise.resolve();
  service.updateSettings = (/** @type {{layoutName?: string}} */ change) => {
    const done = before.then(async () => {
      if (change.layoutName) await loadPanels(tagsOf(appState.layouts[change.layoutName]));
      await updateSettings.call(service, change);
    });
    // One after another: what was chosen last would be overtaken by a layout whose panels were still on their way.
    before = done.catch(() => {});
    return done;
  };
}

/**
 * Defines a panel and the template by which LIT makes it, or, where LIT's bundle is not the one we know, a panel that says so.
 *
 * @param {string} tag
 * @param {(Base: new () => LitPanel) => CustomElementConstructor} makeClass  a function that gets the class to extend; see `litPanel`
 */
export function definePanel(tag, makeClass) {
  let panel;
  try {
    panel = makeClass(litPanel());
  } catch (error) {
    console.error(`lit_probe: ${tag} cannot be defined.`, error);
    defineFallback(tag, String(error));
    return;
  }
  const strings = templateStrings(`<${tag} model=`, ' .shouldReact=', ' selectionServiceIndex=', `></${tag}>`);
  /** @type {any} */ (panel).template = (/** @type {string} */ model, /** @type {number} */ selectionServiceIndex, /** @type {number} */ shouldReact) =>
    html(strings, model, shouldReact, selectionServiceIndex);
  customElements.define(tag, panel);
}

/** Strings as `html` gets them; lit-html tells real templates by `raw` and caches them by their identity. @param {...string} strings @returns {any} */
function templateStrings(...strings) {
  return Object.assign(strings, {raw: strings});
}

/**
 * The base class of our panels: LIT's, with two additions.
 *
 * - Panels draw in `renderPanel`. What it throws is shown as a card; LIT itself would never draw the panel again.
 * - `static css` is added to LIT's shared styles.
 *
 * @returns {any}
 */
function litPanel() {
  const LitModule = litModule();
  return class LitPanel extends LitModule {
    static get styles() {
      const sheet = new CSSStyleSheet();
      sheet.replaceSync(this.css ?? '');
      return [sharedStyles(), sheet];
    }

    renderImpl() {
      try {
        return this.renderPanel();
      } catch (error) {
        console.error(`lit_probe: ${this.localName} could not be drawn.`, error);
        const again = () => void this.requestUpdate();
        return html`<div role="alert" style="margin:12px;padding:10px 12px;border-left:3px solid #D93025;background:#FCE8E6;color:#3C4043">
          <div><b>This panel could not be drawn.</b> ${String(error)}</div>
          <button class="hairline-button" style="margin:8px 0 0" @click=${again}>Try again</button></div>`;
      }
    }
  };
}

/**
 * LIT's base class of all panels.
 *
 * @returns {any}
 * @throws {Error} where the bundle is not built as lit-nlp 1.3.1's
 */
function litModule() {
  const table = customElements.get('data-table-module');
  if (!table) throw foreignBundle('it defines no <data-table-module>');
  const base = /** @type {any} */ (Object.getPrototypeOf(table));
  for (const method of ['react', 'reactImmediately', 'renderImpl', 'requestUpdate']) {
    if (typeof base.prototype?.[method] !== 'function') throw foreignBundle(`its panels' base class has no method ${method}`);
  }
  for (const name of ['template', 'shouldDisplayModule']) {
    if (typeof base[name] !== 'function') throw foreignBundle(`its panels' base class has no static ${name}`);
  }
  if (!(sharedStyles() instanceof CSSStyleSheet || sharedStyles()?.cssText)) throw foreignBundle('its shared styles were not found');
  const services = /** @type {any} */ (document.createElement('data-table-module'));
  for (const name of ['appState', 'selectionService', 'sliceService', 'referenceSelectionService', 'apiService']) {
    if (!services[name]) throw foreignBundle(`its ${name} was not found`);
  }
  if (typeof services.apiService.queryServer !== 'function') throw foreignBundle('its apiService has no method queryServer');
  for (const method of ['addColumnFromList', 'getColumnInfo']) {
    if (typeof services.dataService?.[method] !== 'function') throw foreignBundle(`its dataService has no method ${method}`);
  }
  return base;
}

/** @param {string} what @returns {Error} */
function foreignBundle(what) {
  return new Error(`lit_probe's panels need the page of lit-nlp 1.3.1, and this page is another one: ${what}.`);
}

/** @returns {any} LIT's style sheet for all panels */
export function sharedStyles() {
  return /** @type {any} */ (customElements.get('data-table-module')).styles[0];
}

/** @type {any} */
let table;
/** LIT's base class does not offer all services, but any data table has them; this one is never attached to the page. */
export const services = () => (table ??= document.createElement('data-table-module'));

/** @returns {any} the service through which LIT's menus change models, data set and layout */
export const settings = () => /** @type {any} */ (document.createElement('lit-app-toolbar')).settingsService;

/**
 * The pinned example while LIT compares two examples, else null. Call it inside a reaction to be told of changes.
 *
 * @returns {?IndexedInput}
 */
export function pinnedExample() {
  const {appState, referenceSelectionService} = services();
  return appState.compareExamplesEnabled ? referenceSelectionService.primarySelectedInputData : null;
}

/**
 * The name of the slice that is selected, else null. Call it inside a reaction to be told of changes.
 *
 * @returns {?string}
 */
export function selectedSlice() {
  return services().sliceService.selectedSliceName;
}

/**
 * The fields of text that the models on the page read: two where an example is a pair. The first one where they read none.
 *
 * @returns {string[]}
 */
export function textFields() {
  const {currentDatasetSpec, currentModels, metadata} = services().appState;
  const texts = Object.entries(currentDatasetSpec).filter(([, type]) => type.name === 'TextSegment').map(([name]) => name);
  const read = texts.filter((name) => currentModels.some((/** @type {string} */ model) => name in (metadata.models[model]?.spec.input ?? {})));
  return read.length ? read : texts.slice(0, 1);
}

/**
 * What an example says, on one line.
 *
 * @param {IndexedInput} example
 * @returns {string}
 */
export function exampleText(example) {
  return textFields().map((name) => String(example.data[name] ?? '')).join(' ‖ ');
}

/** Where LIT's own scatter plots get their colours and the point under the pointer from. @type {any} */
let plot;
const plotServices = () => (plot ??= document.createElement('embeddings-module'));

/**
 * The colours that LIT's "Color by" gives to examples. Call it inside a reaction to be told of changes.
 *
 * @param {IndexedInput[]} inputs
 * @returns {{name: string, colors: string[], values: string[], legend: {label: string, color: string}[]}}  `values`: what each is coloured
 *   by, in words; `legend`: empty where all are alike
 */
export function pointColors(inputs) {
  const {colorService} = plotServices();
  const {name, getValue, scale} = colorService.selectedColorOption;
  const of = inputs.map((input) => getValue(input));
  const domain = /** @type {unknown[]} */ (scale.domain());
  const isNumber = typeof domain[0] === 'number';
  const shown = (/** @type {unknown} */ value) => (typeof value === 'number' ? String(Number(value.toPrecision(3))) : String(value ?? ''));
  return {
    name: name === 'None' ? '' : name,
    colors: of.map((value) => scale(value) || colorService.defaultColor),
    values: name === 'None' ? of.map(() => '') : of.map(shown),
    legend: name === 'None' ? [] : (isNumber ? [domain[0], domain[domain.length - 1]] : domain).map((value) => ({label: shown(value), color: scale(value)})),
  };
}

/** The example under the pointer in any of LIT's plots, else null. Call it inside a reaction to be told of changes. @returns {?string} */
export function focusedExample() {
  const found = plotServices().focusService.focusData;
  return found && found.io === undefined ? found.datapointId : null;
}

/** Shows an example in all of LIT's plots as the one under the pointer; null: none is. @param {?string} id */
export function focusExample(id) {
  const {focusService} = plotServices();
  if (id === null) focusService.clearFocus();
  else focusService.setFocusedDatapoint(id);
}

/** Selects examples, as LIT's own plots do. @param {string[]} ids */
export function selectExamples(ids) {
  services().selectionService.selectIds(ids);
}

/** The columns that lit_probe adds to a data set's own. */
const ADDED_COLUMNS = ['truncated', 'in_train'];

/**
 * The data set's columns of few values, categories and yes-or-no, beside the split. Call it inside a reaction to be told of changes.
 *
 * @returns {{label: string[], own: string[], added: string[]}}  `label`: the label, of somebody else's data only if it is called so;
 *   `added`: those that lit_probe adds
 */
export function categoricalColumns() {
  const {currentDatasetSpec} = services().appState;
  const names = Object.entries(currentDatasetSpec ?? {})
    .filter(([name, type]) => ['CategoryLabel', 'BooleanLitType'].includes(type.name) && name !== 'probe_split')
    .map(([name]) => name);
  const own = names.filter((name) => name !== 'label' && !ADDED_COLUMNS.includes(name));
  return {label: names.filter((name) => name === 'label'), own, added: names.filter((name) => ADDED_COLUMNS.includes(name))};
}

/**
 * LIT's named slices with the ids of their examples. Call it inside a reaction to be told of changes.
 *
 * @returns {{name: string, ids: string[]}[]}
 */
export function namedSlices() {
  const {sliceService} = services();
  return sliceService.sliceNames.map((/** @type {string} */ name) => ({name, ids: [...(sliceService.getSliceByName(name) ?? [])]}));
}

/** Whether the data set itself says which split a row is in, as ours do. @returns {boolean} */
export function splitsAreShown() {
  return 'probe_split' in (services().appState.currentDatasetSpec ?? {});
}

/** Whether the rows of the data set are words: its examples then are sentences with a tag for each word. @returns {boolean} */
export function rowsAreWords() {
  return services().appState.currentDatasetSpec?.tags?.name === 'SequenceTags';
}

/**
 * Whether LIT's data has a computed column of this name.
 *
 * @param {string} name
 * @returns {boolean}
 */
export function hasColumn(name) {
  return services().dataService.getColumnInfo(name) !== undefined;
}

/**
 * Adds a column of numbers to LIT's data, for its table, Color by, facets and slices.
 *
 * @param {object} column
 * @param {string} column.dataset  the data set that the values belong to; where LIT shows another one by now, nothing is added
 * @param {string} column.name  as LIT lists it: "model:key"
 * @param {string} column.key
 * @param {string} column.source  the group under which LIT lists the column
 * @param {IndexedInput[]} column.inputs
 * @param {number[]} column.values  one per input
 * @param {(input: IndexedInput) => Promise<number>} column.valueOf  the value of an example that is added later
 */
export function addScalarColumn({dataset, name, key, source, inputs, values, valueOf}) {
  const {appState, dataService} = services();
  if (appState.currentDataset !== dataset) return;
  dataService.addColumnFromList(values, inputs, key, name, Object.assign(scalarType(), {show_in_data_table: true}), source, valueOf);
}

/**
 * Adds a column of few different words to LIT's data, for its table, Color by, facets and slices.
 *
 * @param {object} column  as of `addScalarColumn`
 * @param {string} column.dataset
 * @param {string} column.name
 * @param {string} column.source
 * @param {IndexedInput[]} column.inputs
 * @param {string[]} column.values  one per input
 * @param {string[]} column.vocabulary  all words that there may be
 * @param {(input: IndexedInput) => Promise<string>} column.ofAdded  the value of an example that is added later
 */
export function addCategoryColumn({dataset, name, source, inputs, values, vocabulary, ofAdded}) {
  const {appState, dataService} = services();
  const known = /** @type {any} */ (Object.values(appState.currentDatasetSpec ?? {}).find((type) => /** @type {any} */ (type).name === 'CategoryLabel'));
  if (appState.currentDataset !== dataset || !known) return;
  const type = Object.assign(new known.constructor(), {vocab: vocabulary, show_in_data_table: true});
  dataService.addColumnFromList(values, inputs, name, name, type, source, ofAdded);
}

/** A number, as LIT's specifications call it. LIT does not export the class; options of our methods are of it. @returns {any} */
function scalarType() {
  const specs = Object.values(services().appState.metadata.interpreters).map(({configSpec}) => configSpec);
  const known = specs.flatMap((spec) => Object.values(spec)).find(({name}) => name === 'Scalar');
  if (!known) throw new Error('LIT knows no interpreter with a number among its options, so its type for numbers was not found.');
  return new known.constructor();
}

/**
 * Whether one of these models offers an interpreter.
 *
 * @param {Record<string, {interpreters: string[]}>} modelInfos  as LIT hands it to `shouldDisplayModule`; may be empty
 * @param {string} interpreter
 * @returns {boolean}
 */
export function offersInterpreter(modelInfos, interpreter) {
  return Object.values(modelInfos).some(({interpreters}) => interpreters.includes(interpreter));
}

/**
 * Whether LIT considers a model and a data set a pair. During a switch of either, a panel may see one that is none.
 *
 * @param {string} model
 * @param {string} dataset
 * @returns {boolean}
 */
export function fitTogether(model, dataset) {
  return Boolean(services().appState.metadata.models[model]?.datasets.includes(dataset));
}

/**
 * Asks one of our interpreters.
 *
 * Not through LIT's ApiService: that would flash in the status bar at every look at a running computation, and leave errors
 * standing there that the panel has long recovered from. As LIT does, unedited examples are sent as their ids; the model's own
 * predictions are not asked for, though LIT would compute them first.
 *
 * @param {{model: string, dataset: string, interpreter: string, inputs: IndexedInput[], config: Record<string, unknown>, asker?: import('./leaving.js').Asker}} request
 *     `asker`: who waits for an answer that is computed in the background
 * @returns {Promise<any>}
 * @throws {Error} with the server's first line where it refuses or fails
 */
export async function interpretation({model, dataset, interpreter, inputs, config, asker}) {
  const query = new URLSearchParams({model, dataset_name: dataset, interpreter, do_predict: '0'});
  const retry = asker?.again ? {retry: true} : {};
  const body = JSON.stringify({inputs: inputs.map((input) => (input.meta.added ? input : input.id)), config: {...config, ...retry, asked_by: asker}});
  let response;
  let text;
  try {
    response = await fetch(`./get_interpretations?${query}`, {method: 'POST', body});
    text = await response.text();
  } catch (error) {
    throw new Error(`The server cannot be reached (${error instanceof Error ? error.message : error}). Is it still running?`);
  }
  if (!response.ok) throw new Error(text.split('\n\nDetails:')[0].trim() || `The server answered with status ${response.status}.`);
  return JSON.parse(text);
}

/** What LIT asks for at every load, for the same answer. */
const KEPT = new Set(['/get_info', '/get_dataset', '/get_preds', '/get_interpretations', '/get_metrics']);

/**
 * Makes LIT's own requests wait in the browser while the probes that they need are computed.
 *
 * LIT asks once, when it shows a model or a data set. The server refuses what it cannot answer yet (requests that waited there
 * would take its threads, and the few connections that a browser has), so LIT's tables would stay empty until the page is
 * loaded again. Held back, the requests also leave no errors in the status bar. Once LIT shows something else they are not sent
 * at all: an answer that came later would overwrite what it shows then.
 */
export function holdRequestsForProbes() {
  const {apiService, appState} = services();
  const send = apiService?.queryServer;
  if (!send) return; // The panels say that the bundle is another one.
  const room = new WaitingRoom();
  apiService.queryServer = (/** @type {string} */ endpoint, /** @type {Record<string, string>} */ params, /** @type {unknown[]} */ ...rest) => {
    const {model, dataset_name: dataset} = params;
    const [inputs, , config] = /** @type {[IndexedInput[], string, object?]} */ (rest);
    const isWhole = inputs.length === 0 || (inputs === appState.currentInputData && dataset === appState.currentDataset);
    const isKept = KEPT.has(endpoint) && isWhole && !inputs.some(({meta}) => meta.added);
    const asked = () => send.call(apiService, endpoint, params, ...rest);
    const ask = () => (isKept ? askKept(endpoint, params, inputs, config, asked) : asked());
    // A model that is not ours answers without probes.
    const {interpreters = [], spec} = appState.metadata.models[model] ?? {};
    if (!interpreters.includes('layer_metrics') || !spec.output.probe) return ask();
    const isShown = () => appState.currentModels.includes(model) && appState.currentDataset === dataset;
    let shown = () => {};
    const isReady = async () => {
      const ready = await areProbesReady(model, dataset);
      shown();
      if (!ready) shown = apiService.statusService.startLoading(`Waiting for the probes of ${model}`);
      return ready;
    };
    return room.pass(JSON.stringify([model, dataset]), isReady, isShown, ask).finally(() => shown());
  };
}

/**
 * Lets LIT look only for those examples of a slice that the data set has. Slices outlive a change of the data set, and LIT writes
 * a line to the console for each of their examples that it does not find, at each look.
 */
export function lookForKnownExamples() {
  const {appState} = services();
  const find = appState?.getExamplesById;
  if (!find) return; // The panels say that the bundle is another one.
  appState.getExamplesById = (/** @type {string[]} */ ids) => find.call(appState, ids.filter((id) => appState.getCurrentInputDataById(id)));
}

/** @param {string} model @param {string} dataset @returns {Promise<boolean>} */
async function areProbesReady(model, dataset) {
  try {
    return (await interpretation({model, dataset, interpreter: 'layer_metrics', inputs: [], config: {}})).status !== 'computing';
  } catch {
    return true; // LIT's own request meets the same error, and LIT shows it.
  }
}

/**
 * A panel in the place of one that could not be defined. Built on HTMLElement alone: LIT's base class may be what is missing.
 *
 * @param {string} tag
 * @param {string} reason
 */
function defineFallback(tag, reason) {
  const strings = templateStrings(`<${tag}></${tag}>`);
  class MissingPanel extends HTMLElement {
    static title = `Not loaded: ${tag.replace(/-module$/, '').replaceAll('-', ' ')}`;
    static infoMarkdown = '';
    static numCols = 4;
    static collapseByDefault = false;
    static duplicateForExampleComparison = false;
    static duplicateForModelComparison = false;
    static duplicateAsRow = false;
    static template = () => html(strings);
    static shouldDisplayModule = () => true;

    constructor() {
      super();
      const card = document.createElement('div');
      card.setAttribute('role', 'alert');
      card.style.cssText = 'margin:12px;padding:10px 12px;border-left:3px solid #D93025;background:#FCE8E6';
      card.textContent = `This panel of lit_probe could not be loaded. ${reason}`;
      this.attachShadow({mode: 'open'}).append(card);
    }
  }
  customElements.define(tag, MissingPanel);
}
