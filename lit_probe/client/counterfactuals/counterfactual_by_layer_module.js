// @ts-check
/**
 * The panel "Counterfactual by layer": what every layer makes of an edit, and how the layers' probes follow many of them.
 *
 * Its two views stand in files of their own: `edit_view.js` and `pairs_view.js`.
 */
/** @import {SvgNode} from '../charts/types.js' */
/** @import {Result} from '../page/answers.js' */
/** @import {IndexedInput} from '../page/types.js' */
/** @import {EditPair} from '../page/edit_pair.js' */
/** @import {Drawn} from './edit_view.js' */
import {COLORS} from '../charts/palette.js';
import {answers} from '../page/answers.js';
import {currentLayer, observable, resolveLayer} from '../page/choices.js';
import {editPair} from '../page/edit_pair.js';
import {categoricalColumns, definePanel, fitTogether, html, pinnedExample} from '../page/lit_host.js';
import {CONTROLS_CSS, PANEL_CSS} from '../panels/css.js';
import {layerPanel} from '../panels/layer_panel.js';
import {cancelledCard, errorCard, progressCard, renderDownloads} from '../panels/parts.js';
import {editedPairs, PAIR_COLUMN} from './edit_pairs.js';
import {askForEdit, EDIT_CHOICES, holdWords, renderEdit} from './edit_view.js';
import {askForPairs, renderPairs} from './pairs_view.js';

/** What the panel shows; all copies of it show the same. */
const choices = observable({view: /** @type {'edit'|'pairs'} */ ('edit'), measure: 'probability', method: '', source: '', by: ''});

/** By data set, how many edits the panels have seen: LIT re-creates them. @type {Map<string, number>} */
const seenEdits = new Map();

/** What the panel about edits needs beside the style sheets of all our panels and of those about words. */
const COUNTERFACTUAL_CSS = `
  .views { display: inline-flex; margin-right: 4px; }
  .views button { height: 24px; padding: 0 10px; border: 1px solid var(--lit-cyea-600); background: none; color: var(--lit-cyea-600); font: inherit; font-size: 12px; cursor: pointer; }
  .views button + button { border-left: none; }
  .views button[aria-pressed=true] { background: var(--lit-cyea-600); color: ${COLORS.paper}; }
  .views button:focus-visible { outline: 2px solid var(--lit-cyea-500); }
  .flip { font-size: 14px; line-height: 20px; }
  .warning { margin: 6px 12px 0; padding: 5px 10px; border-left: 3px solid var(--lit-bric-700); background: var(--lit-bric-100); font-size: 12px; line-height: 17px; }
  .two-texts { display: grid; grid-template-columns: auto minmax(0, 1fr); gap: 2px 8px; margin: 6px 12px 0; font-size: 12px; line-height: 18px; }
  .two-texts .who { display: inline-flex; align-items: center; white-space: nowrap; align-self: start; min-height: 18px; }
  .two-texts .who svg { margin-right: 5px; }
  .two-texts .says { white-space: pre-wrap; max-height: 72px; overflow: hidden auto; overflow-wrap: anywhere; unicode-bidi: plaintext; }
  .two-texts mark { color: inherit; border-radius: 2px; padding: 0 1px; background: ${COLORS.before}; }
  .two-texts .edit mark { background: ${COLORS.after}; }
  .distances { display: grid; grid-template-columns: 1fr 1fr; }
  .distances h4 { margin-top: 8px; }
  .distances h4 span { font-weight: normal; color: var(--lit-neutral-700); }
  .detail { border-top: 1px solid var(--lit-neutral-200); margin-top: 8px; padding: 6px 12px 4px; }
  .detail-title { display: flex; flex-wrap: wrap; gap: 2px 8px; align-items: center; font-size: 12px; }
  .detail-title select { font: inherit; height: 22px; max-width: 170px; margin-left: auto; }
  .detail p { margin: 2px 0 4px; font-size: 12px; line-height: 17px; color: var(--lit-neutral-700); max-width: 640px; }
  .detail .card { margin: 6px 0; }
  .detail tr.changed th { font-weight: bold; }
  .detail .hairline-button { margin: 2px 0; }
  .kinds .text-button { margin: 0; text-align: left; }
  .kinds th { font-weight: normal; text-align: left; }
  .bars.kinds td.act { text-align: left; padding-left: 12px; }
  .bars.kinds thead th:last-child { padding-left: 12px; }
  .also { color: var(--lit-neutral-700); }
`;

definePanel('counterfactual-by-layer-module', (LitPanel) => class CounterfactualByLayerModule extends layerPanel(LitPanel) {
  static title = 'Counterfactual by layer';
  static infoMarkdown = `**What does every layer make of an edit?** Select an example, change its text in the Datapoint Editor and press Add; or pin one example and
select another. “How to read this”, at the bottom of the panel, says more.`;
  static interpreter = 'counterfactual_by_layer';
  static css = PANEL_CSS + CONTROLS_CSS + COUNTERFACTUAL_CSS;

  /** The last pair that was drawn: pale while the next one is on its way. @type {?Drawn} */
  last = null;
  /** A pair whose words wait until the page is idle. @type {?{pair: string, end: () => void}} */
  held = null;

  disconnectedCallback() {
    super.disconnectedCallback();
    holdWords(this, null);
  }

  choices() {
    // What is known of the layers decides at which one words and neurons are asked for.
    return [choices, ...EDIT_CHOICES, currentLayer, /** @type {any} */ (answers)];
  }

  chosen() {
    return choices.get();
  }

  /** @param {Partial<ReturnType<typeof choices.get>>} changes */
  choose(changes) {
    choices.set({...choices.get(), ...changes});
  }

  observed() {
    const {currentDataset: dataset, currentInputData, currentDatasetSpec} = this.appState;
    const inputs = /** @type {IndexedInput[]} */ (currentInputData);
    const primary = /** @type {?IndexedInput} */ (this.selectionService.primarySelectedInputData);
    return {
      model: this.model, dataset, pair: editPair({primary, pinned: pinnedExample(), inputs}), edited: editedPairs(inputs),
      hasPairs: PAIR_COLUMN in (currentDatasetSpec ?? {}), columns: categoricalColumns().own.filter((name) => name !== PAIR_COLUMN),
      compares: pinnedExample() !== null, fits: fitTogether(this.model, dataset),
    };
  }

  ask() {
    if (this.seen) this.followEdits();
    super.ask();
  }

  /** Edits that have just been made are those that the reader wants to see: several together as many pairs. */
  followEdits() {
    const {dataset, edited: {pairs: {length}}, compares} = this.seen;
    const before = seenEdits.get(dataset) ?? length;
    seenEdits.set(dataset, length);
    if (length > before) this.choose({source: 'sent', ...(length > before + 1 && !compares ? {view: /** @type {'pairs'} */ ('pairs')} : {})});
  }

  questions() {
    return {...askForEdit(this), ...askForPairs(this)};
  }

  /** The two examples that are compared; null where there are none. @returns {?EditPair} */
  pair() {
    const {pair} = this.seen;
    return pair === 'orphan' ? null : pair;
  }

  /** @param {{best_layer: number, n_layers: number}} answer */
  layerOf({best_layer: bestLayer, n_layers: nLayers}) {
    return resolveLayer(currentLayer.get(), bestLayer, nLayers);
  }

  renderContent() {
    return choices.get().view === 'edit' ? renderEdit(this) : renderPairs(this);
  }

  /** @param {unknown} controls @param {?{name: string, csv: string, figure: SvgNode}} files */
  renderToolbar(controls, files) {
    const {view} = choices.get();
    const button = (/** @type {'edit'|'pairs'} */ name, /** @type {string} */ title) =>
      html`<button class=${name} aria-pressed=${view === name ? 'true' : 'false'} @click=${() => this.choose({view: name})}>${title}</button>`;
    return html`<div class="module-toolbar wrapped"><span class="views" role="group" aria-label="What is compared">${button('edit', 'One edit')}${button('pairs', 'Many pairs')}</span>
      ${controls}${files ? html`<span class="downloads">${renderDownloads(files)}</span>` : ''}</div>`;
  }

  /** @param {Result} result @param {string} title @param {string} slot */
  renderWaiting(result, title, slot) {
    if (result.state === 'failed') return errorCard(title, result.message, result.said && slot === 'trajectory' ? null : () => answers.retry(this.keys[slot]));
    if (result.state === 'cancelled') return cancelledCard(() => answers.retry(this.keys[slot]));
    return progressCard({...result, message: result.message ?? 'Asking the server'});
  }
});
