// @ts-check
/**
 * The base class of our panels over layers: they follow LIT, ask the server, and know their size and the layer under the pointer.
 */
/** @import {Margin} from '../charts/types.js' */
/** @import {IndexedInput} from '../page/types.js' */
/** @import {Asker} from '../page/leaving.js' */
import {axes, layerScale} from '../charts/axes.js';
import {MARGIN} from '../charts/line_chart.js';
import {answers, requestKey} from '../page/answers.js';
import {currentLayer, openCards} from '../page/choices.js';
import {fitTogether, html, interpretation, nothing, offersInterpreter} from '../page/lit_host.js';
import {PANEL_CSS} from './css.js';
import {cancelledCard, card, errorCard, progressCard} from './parts.js';
import {provenanceCard} from './provenance_card.js';

/**
 * What our panels over layers have in common: they follow LIT, ask the server, know their size and the layer under the pointer.
 *
 * A panel is a function of `seen` (what LIT shows), of the choices it subscribes to in `choices()`, and of the server's answers.
 *
 * @param {new () => import('../page/lit_host.js').LitPanel} LitPanel  as `definePanel` hands it out
 */
export function layerPanel(LitPanel) {
  return class LayerPanel extends LitPanel {
    static numCols = 5;
    static duplicateAsRow = true;
    static css = PANEL_CSS;
    /** The interpreter without which there is no such panel. */
    static interpreter = 'layer_metrics';

    /** @param {any} modelInfos */
    static shouldDisplayModule(modelInfos) {
      return offersInterpreter(modelInfos, this.interpreter);
    }

    /** What the panel shows of a model and a data set that belong together. @returns {unknown} */
    renderContent() {
      return nothing;
    }

    renderPanel() {
      if (!this.seen || this.size.width === 0) return nothing;
      return this.seen.fits ? this.renderContent() : card('This model’s probes do not fit the data set shown.');
    }

    /** What LIT shows now; null before the first reaction. @type {any} */
    seen = null;
    /** The questions whose answers are on the panel. @type {Record<string, string>} */
    keys = {};
    /** @type {?number} */
    hoveredLayer = null;
    size = {width: 0, height: 0};
    /** Whether a card was opened that has not been on the panel yet. */
    justOpened = false;
    /** @type {(() => void)[]} */
    endings = [];

    connectedCallback() {
      super.connectedCallback();
      const redraw = () => void this.requestUpdate();
      const resized = new ResizeObserver(() => this.measure());
      resized.observe(this);
      this.endings = [
        answers.subscribe(redraw),
        currentLayer.subscribe(redraw),
        axes.subscribe(redraw),
        ...[...this.choices(), openCards].map((choice) => choice.subscribe(() => this.ask())),
        () => resized.disconnect(),
        () => axes.leave(this),
        () => answers.release(this),
      ];
      // LIT runs a hidden panel's reactions when it is shown: until then it asks nothing of the server.
      this.reactImmediately(() => this.observed(), (/** @type {any} */ seen) => {
        this.seen = seen;
        this.ask();
      });
    }

    disconnectedCallback() {
      super.disconnectedCallback();
      for (const end of this.endings) end();
    }

    /** @param {unknown} changed */
    updated(changed) {
      super.updated(changed);
      this.measure();
      const card = this.justOpened ? this.shadowRoot?.querySelector('.provenance') : null;
      if (!card) return;
      // In a low panel it would open out of sight.
      this.justOpened = false;
      card.scrollIntoView({block: 'nearest'});
    }

    /** Takes note of the room there is; a scroll bar takes some of the width. */
    measure() {
      const area = this.shadowRoot?.querySelector('.module-results-area') ?? this;
      const [width, height] = [area.clientWidth, this.clientHeight];
      if (width === this.size.width && height === this.size.height) return;
      this.size = {width, height};
      this.requestUpdate();
    }

    /** Everything of LIT's state that the panel depends on. Runs inside a reaction. @returns {any} */
    observed() {
      return {model: this.model, dataset: this.appState.currentDataset, fits: fitTogether(this.model, this.appState.currentDataset)};
    }

    /** Wants the answers that the panel needs, slot by slot. @returns {Record<string, string>}  their keys */
    questions() {
      return {};
    }

    /** The observables that decide what the panel asks or draws. @returns {ReturnType<typeof import('../page/choices.js').observable<any>>[]} */
    choices() {
      return [];
    }

    /** Says which answers the panel needs now, and draws what is known. */
    ask() {
      if (this.seen) this.keys = this.questions();
      this.requestUpdate();
    }

    /**
     * @param {string} slot
     * @param {string} interpreter
     * @param {?IndexedInput[]} inputs  null: nothing is wanted; empty: the question is not about examples
     * @param {Record<string, unknown>} config
     * @param {string} [model]  whom the question is put to; the panel's model if nobody is named
     * @returns {string}  the question's key
     */
    want(slot, interpreter, inputs, config, model = this.seen.model) {
      const {dataset, fits} = this.seen;
      const key = requestKey([interpreter, model, dataset, JSON.stringify(config)], (inputs ?? []).map(({id}) => id));
      const load = (/** @type {Asker} */ asker) => interpretation({model, dataset, interpreter, inputs: inputs ?? [], config, asker});
      answers.want(this, slot, fits && inputs ? key : null, load);
      return key;
    }

    /** Asks again whatever failed: what broke one answer has often broken them all. */
    retry() {
      for (const key of Object.values(this.keys)) if (answers.read(key)?.state === 'failed') answers.retry(key);
    }

    /** Waits no longer for a computation of the server. @param {string} slot @param {string} interpreter @param {Record<string, unknown>} config */
    cancel(slot, interpreter, config) {
      const {model, dataset} = this.seen;
      answers.cancel(this.keys[slot], (asker) => interpretation({model, dataset, interpreter, inputs: [], config: {...config, cancel: true}, asker}));
    }

    /** What the panel's card was opened from; null while it is closed. @returns {?string} */
    get openedFrom() {
      return openCards.get()[this.localName] ?? null;
    }

    /**
     * Wants the card behind a number, once somebody has opened it.
     *
     * @param {Record<string, unknown>} number  a number's origin; see `lit_probe/lit/interpreters/numbers.py`
     * @param {IndexedInput[]} [inputs]  the rows that it is about; of a check's number, none
     */
    wantCard(number, inputs = []) {
      return this.want('card', 'provenance', this.openedFrom === null ? null : inputs, {number});
    }

    /** The button that opens and closes the card. @param {string} [from]  which number, where the panel has several */
    renderInfoButton(from = 'reading') {
      const open = this.openedFrom === from;
      const toggle = () => {
        this.justOpened = !open;
        openCards.set({...openCards.get(), [this.localName]: open ? null : from});
      };
      return html`<button class="info-button" title="How this number came about" aria-label="How this number came about"
        aria-expanded=${open ? 'true' : 'false'} @click=${toggle}>i</button>`;
    }

    /** The card behind a number, while it is open. @param {{layer: number, value: string, metric?: string}} shown  the number as the panel shows it @param {string} [from] */
    renderCard(shown, from = 'reading') {
      if (this.openedFrom !== from) return nothing;
      const result = answers.read(this.keys.card) ?? {state: 'loading'};
      if (result.state === 'failed') return errorCard('There is no provenance card.', result.message, result.said ? null : () => this.retry());
      if (result.state === 'cancelled') return cancelledCard(() => answers.retry(this.keys.card));
      if (result.state !== 'ready') return progressCard({...result, message: result.message ?? 'Writing the card'});
      const {card, near_duplicates: copies, command, statement} = result.answer;
      return provenanceCard({...card, number: {...card.number, ...shown}}, this.seen.model, copies?.notes, {command, statement});
    }

    /** @param {?number} layer */
    hover(layer) {
      if (layer === this.hoveredLayer) return;
      this.hoveredLayer = layer;
      this.requestUpdate();
    }

    /** A box beside the layer under the pointer. @param {unknown[]} lines @param {number} nLayers @param {Margin} [margin] @param {number} [width]  the chart's */
    renderTooltip(lines, nLayers, margin = MARGIN, width = this.size.width) {
      if (this.hoveredLayer === null) return nothing;
      const x = layerScale(nLayers, [margin.left, width - margin.right]).x(this.hoveredLayer);
      const place = x < width / 2 ? `left:${(x + 12).toFixed(0)}px` : `right:${(width - x + 12).toFixed(0)}px`;
      return html`<div class="tooltip" style=${place}>${lines.map((line) => html`<div>${line}</div>`)}</div>`;
    }
  };
}
