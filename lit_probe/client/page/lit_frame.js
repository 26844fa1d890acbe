// @ts-check
/**
 * What LIT's page (lit-nlp 1.3.1) draws around the panels, put right where it does not fit: widths, the bar at the top, and the
 * long names of our models.
 */
import {html, loadAllPanels, services, settings, sharedStyles} from './lit_host.js';
import {buttonNames, columnName, modelsOn, shortName} from './model_names.js';

/** As many models as LIT itself shows as buttons at the top. */
const MOST_MODELS = 4;

const WIDTHS_CSS = `
  .outer-container {box-sizing: border-box; min-width: 0}
  #right-column {min-width: 0}
  .tabs-container, #center-bar .tabs-container {min-width: 0; max-width: none; overflow: auto hidden; scrollbar-width: thin}
  #drag-container {flex: none; margin: 0 8px}
  .tab {flex: none; padding: 4px clamp(6px, 0.9vw, 16px)}
  .tab:focus-visible {outline: 2px solid #1F6180; outline-offset: -2px}`;

// A bar that is wider than the window let the browser scroll the whole page aside when it brought a table's row into sight.
const BAR_CSS = `
  #headline {width: 100%}
  .headline-section {min-width: 0}
  .headline-section:last-child {flex: none}
  .headline-button {min-width: 0; white-space: nowrap}
  .headline-button-text {max-width: clamp(56px, 12vw, 220px)}
  #title-group {white-space: nowrap}
  .headline-button:focus-visible {outline: 2px solid #FFFFFF; outline-offset: 1px}
  .headline-button[aria-pressed] .headline-button-text {max-width: clamp(40px, calc((100vw - var(--taken)) * var(--share)), 220px)}
  #headline {--taken: 1030px}
  @media (max-width: 1280px) {
    #headline {--taken: 755px}
    .subtitle {display: none}
    .headline-section > div:not(.vertical-separator), .headline-button {padding: 3px}
    .headline-button {margin: 0 1px; font-size: 14px}
    .headline-button-text {max-width: 9vw}
    .vertical-separator {margin: 0 3px}
  }`;

const FOCUS_CSS = 'button:focus-visible, select:focus-visible, summary:focus-visible, input:focus-visible {outline: 2px solid #1F6180; outline-offset: 1px}';

const FOOTER_CSS = '.module-footer {flex-wrap: wrap; height: auto; min-height: 36px; row-gap: 4px; justify-content: flex-end}';

/** Changes LIT's page. Called once, before LIT starts. */
export function fitFrame() {
  addStyles('lit-modules', WIDTHS_CSS);
  addStyles('lit-app-toolbar', BAR_CSS);
  for (const rule of [FOOTER_CSS, FOCUS_CSS]) sharedSheet().insertRule(rule, sharedSheet().cssRules.length);
  replace('lit-modules', 'calculateAllWidths', measureAgain);
  replace('lit-modules', 'calculatePanelWidths', measureWhatIsThere);
  replace('lit-app-toolbar', 'renderModelInfo', () => renderModels);
  replace('lit-main-menu', 'getColorOptionItems', shortColumns);
  replace('metrics-module', 'renderTable', shortModels);
  replace('lit-widget', 'renderHeader', shortSubtitle);
  replace('confusion-matrix-module', 'renderImpl', heldOutMatrices);
  replace('lit-modules', 'renderTabs', () => renderTabs);
  replace('embeddings-module', 'setupReactions', openWithPca);
  replace('lit-global-settings', 'renderLayoutConfig', withAllTitles);
  followDataset();
}

/**
 * Puts a method of LIT's in the place of another that is made from it.
 *
 * @param {string} tag
 * @param {string} method
 * @param {(original: (...values: any[]) => any) => (this: any, ...values: any[]) => any} make
 */
export function replace(tag, method, make) {
  const prototype = customElements.get(tag)?.prototype;
  if (typeof prototype?.[method] === 'function') prototype[method] = make(prototype[method]);
  else console.error(`lit_probe: <${tag}> of this page has no method ${method}; it is drawn as LIT draws it.`);
}

/**
 * Adds a button to the bar at the top.
 *
 * @param {string} label
 * @param {string} about  what it does, shown under the pointer
 * @param {() => void} press
 */
export function addToBar(label, about, press) {
  replace('lit-app-toolbar', 'renderRightCorner', (render) => /** @this {any} */ function () {
    return html`<lit-tooltip content=${about}><button class="headline-button unbordered" slot="tooltip-anchor" @click=${press}>
      ${label}</button></lit-tooltip>${render.call(this)}`;
  });
}

/** Opens another layout, as LIT's menu does. @param {string} layoutName */
export function chooseLayout(layoutName) {
  settings().updateSettings({layoutName});
}

/** Shows a model on a data set, as LIT's menus do. @param {string} model @param {string} dataset @returns {Promise<void>} */
export function showModel(model, dataset) {
  return settings().updateSettings({models: [model], dataset});
}

/** Waits until LIT has no request under way, or for ten seconds. @returns {Promise<void>} */
export async function whenQuiet() {
  const {statusService} = services().apiService;
  for (let i = 0; i < 50 && (i < 3 || statusService.isLoading); i++) await new Promise((resolve) => setTimeout(resolve, 200));
}

/** Lets LIT ask the server once more which models and data sets there are, as it does when one was loaded by its own dialog. */
export async function learnNames() {
  const {apiService, appState} = services();
  appState.metadata = await apiService.getInfo();
}

/** Adds rules to all elements of a tag; the bar at the top is there before this module runs. @param {string} tag @param {string} css */
export function addStyles(tag, css) {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(css);
  /** @type {any} */ (customElements.get(tag))?.elementStyles?.push(sheet);
  for (const element of document.querySelector('lit-app')?.shadowRoot?.querySelectorAll(tag) ?? []) element.shadowRoot?.adoptedStyleSheets.push(sheet);
}

/** @returns {CSSStyleSheet} the sheet that all panels share */
function sharedSheet() {
  const styles = sharedStyles();
  return styles.styleSheet ?? styles;
}

/**
 * LIT computes the panels' widths while a change of layout has emptied the page, from columns that are not there or have the width
 * of the window, and computes them again only when the window's size changes. So they are computed once more, when the columns
 * of the new layout stand.
 *
 * @param {(layout: any) => void} calculate
 */
function measureAgain(calculate) {
  return /** @this {any} */ function (/** @type {any} */ layout) {
    calculate.call(this, layout);
    void this.updateComplete.then(() => calculate.call(this, this.modulesService.getRenderLayout()));
  };
}

/**
 * Leaves a column alone that is not drawn yet: LIT writes an error to the console there. It is measured once it is drawn.
 *
 * @param {(...values: any[]) => void} calculate
 */
function measureWhatIsThere(calculate) {
  return /** @this {any} */ function (/** @type {any[]} */ ...values) {
    if (this.shadowRoot.getElementById(values[3] ?? 'right-column')) calculate.call(this, ...values);
  };
}

/** @param {string} model @returns {string} */
function nameOf(model) {
  const {currentDataset, metadata} = services().appState;
  return shortName(model, currentDataset, Object.keys(metadata.datasets));
}

/**
 * The models at the top of the page: those whose probes were trained on the data set that is shown, and what else is selected. All
 * models stand in the dialog behind the last button.
 *
 * @this {any}
 */
function renderModels() {
  const {appState, settingsService} = this;
  const {currentDataset: dataset, currentModels, metadata} = appState;
  const all = Object.keys(metadata.models).filter((model) => !model.startsWith('_') && settingsService.isDatasetValidForModels(dataset, [model]));
  const own = all.filter((model) => modelsOn([model], dataset, all, Object.keys(metadata.datasets))[0] === model);
  const offered = all.filter((model) => own.includes(model) || currentModels.includes(model));
  const asButtons = offered.length > 1 && offered.length <= MOST_MODELS;
  const names = buttonNames(offered.map(nameOf));
  const open = () => this.jumpToSettingsTab('Models');
  return html`${asButtons ? offered.map((model, i) => renderModel(this, model, names[i], names[i].length / names.join('').length)) : null}
    <lit-tooltip content="Select model(s)"><button class="headline-button" slot="tooltip-anchor" aria-label="Select models" @click=${open}>
      <span class="material-icon-outlined">smart_toy</span>&nbsp;
      ${asButtons ? null : html`<span class="headline-button-text">${currentModels.map(nameOf).join(', ')}</span>&nbsp;`}
      <span class="material-icon">arrow_drop_down</span></button></lit-tooltip>`;
}

/** @param {any} toolbar @param {string} model @param {string} name  on its button @param {number} share  of the room that all buttons have, 0 to 1 */
function renderModel(toolbar, model, name, share) {
  const {currentModels} = toolbar.appState;
  const shown = currentModels.includes(model);
  const toggle = () => {
    toolbar.settingsService.updateSettings({models: shown ? currentModels.filter((/** @type {string} */ one) => one !== model) : [...currentModels, model]});
    toolbar.requestUpdate();
  };
  return html`<lit-tooltip content=${`${shown ? 'Hide' : 'Show'} ${model}`}>
    <button class=${`headline-button ${shown ? 'selected' : 'unselected'}`} slot="tooltip-anchor" aria-pressed=${String(shown)} aria-label=${nameOf(model)}
      style=${`--share:${share.toFixed(3)}`} @click=${toggle}>
      <span class="material-icon">${shown ? 'check_box' : 'check_box_outline_blank'}</span>&nbsp;
      <span class="headline-button-text">${name}</span></button></lit-tooltip>`;
}

/** The entries of "Color by" without the part of the name that they share. @param {() => {itemText: string}[]} items */
function shortColumns(items) {
  return /** @this {any} */ function () {
    const {currentModels} = services().appState;
    return items.call(this).map((item) => ({...item, itemText: columnName(item.itemText, currentModels, nameOf)}));
  };
}

/** LIT's table of metrics with short names in its first column. @param {() => any} renderTable */
function shortModels(renderTable) {
  return /** @this {any} */ function () {
    const {data} = this.tableData;
    const named = data.map(([model, ...rest]) => [nameOf(model), ...rest]);
    const template = renderTable.call(this);
    return {...template, values: template.values.map((/** @type {any} */ value) => (value === data ? named : value))};
  };
}

/** The held-out rows among examples, one array for each array of examples. @type {WeakMap<any[], any[]>} */
const heldOutOf = new WeakMap();

/** The rows of dev and test: the probes have seen train, and edits belong to no split. @param {any[]} rows @returns {any[]} */
function heldOut(rows) {
  const known = heldOutOf.get(rows) ?? rows.filter(({data, meta}) => data.probe_split !== 'train' && !meta.added);
  heldOutOf.set(rows, known);
  return known;
}

/**
 * LIT's confusion matrices on the held-out rows, as each says above itself; LIT would count train rows and edits too. The matrix of
 * the selection counts what was selected.
 *
 * @param {() => any} renderImpl
 */
function heldOutMatrices(renderImpl) {
  const matrix = (/** @type {any} */ template) => {
    const label = template.values.at(-1);
    const rows = heldOut(template.values.at(-2));
    const named = label.replace(/^Dataset/, 'Held-out rows').replace(/\(\d+\)$/, `(${rows.length})`);
    return {...template, values: [...template.values.slice(0, -2), rows, named]};
  };
  return /** @this {any} */ function () {
    const template = renderImpl.call(this);
    if (!('probe_split' in (services().appState.currentDatasetSpec ?? {}))) return template;
    const [controls, whole, selection, faceted] = template.values;
    return {...template, values: [controls, matrix(whole), selection, faceted.map(matrix)]};
  };
}

/**
 * LIT's Embeddings panel opens with PCA, which is there at once. Where UMAP is installed, LIT would open with it for 1,000 rows or
 * fewer, and the first projection takes many seconds; it stands in the panel's list.
 *
 * @param {() => void} setupReactions
 */
function openWithPca(setupReactions) {
  return /** @this {any} */ function () {
    if ('pca' in this.projectorChoices) this.projectorName = 'pca';
    setupReactions.call(this);
  };
}

/** LIT's list of layouts names each panel by its title, which its file says. @param {() => any} render */
function withAllTitles(render) {
  return /** @this {any} */ function () {
    const loading = loadAllPanels();
    if (loading === null) return render.call(this);
    void loading.then(() => this.requestUpdate());
    return html`Loading …`;
  };
}

/** LIT's tabs, which a keyboard reaches too. @this {any} @param {string[]} names @param {string} selected @param {(name: string) => void} choose */
function renderTabs(names, selected, choose) {
  return names.map((name) => {
    const pick = (/** @type {Event} */ event) => {
      event.preventDefault();
      event.stopPropagation();
      choose(name);
      this.requestUpdate();
    };
    const press = (/** @type {KeyboardEvent} */ event) => (event.key === 'Enter' || event.key === ' ' ? pick(event) : undefined);
    return html`<div class=${name === selected ? 'tab selected' : 'tab'} role="tab" tabindex="0" aria-selected=${String(name === selected)}
      @click=${pick} @keydown=${press}>${name}</div>`;
  });
}

/** The line that tells copies of a panel apart: "model", or "model - Selected". @param {() => any} renderHeader */
function shortSubtitle(renderHeader) {
  return /** @this {any} */ function () {
    const [model, ...rest] = this.subtitle.split(' - ');
    const short = [nameOf(model), ...rest].join(' - ');
    const template = renderHeader.call(this);
    return {...template, values: template.values.map((/** @type {any} */ value) => (value === this.subtitle ? short : value))};
  };
}

/**
 * Whoever changes the data set and not the models gets each encoder with the probes of that data set; LIT itself would keep the
 * models, whose probes were trained on other texts. It also opens with its first model, whatever data set the address names.
 */
function followDataset() {
  const {appState} = services();
  const service = settings();
  const own = (/** @type {string[]} */ models, /** @type {string} */ dataset) =>
    modelsOn(models, dataset, Object.keys(appState.metadata.models), Object.keys(appState.metadata.datasets));
  const update = service.updateSettings;
  service.updateSettings = (/** @type {{models?: string[], dataset?: string}} */ change) => {
    const {currentModels, currentDataset} = appState;
    const models = change.models ?? currentModels;
    const kept = models.length === currentModels.length && models.every((model) => currentModels.includes(model));
    const moved = change.dataset !== undefined && change.dataset !== currentDataset;
    return update.call(service, moved && kept ? {...change, models: own(models, /** @type {string} */ (change.dataset))} : change);
  };
  const choose = appState.determineCurrentModelsFromUrl;
  appState.determineCurrentModelsFromUrl = (/** @type {{selectedModels: string[], selectedDataset?: string}} */ address) => {
    const models = choose.call(appState, address);
    return address.selectedModels.length === 0 && address.selectedDataset ? own(models, address.selectedDataset) : models;
  };
}
