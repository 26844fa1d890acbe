// @ts-check
/** The base class of the panels about neurons. */
/** @import {Result} from '../page/answers.js' */
/** @import {IndexedInput, LayerMetrics} from '../page/types.js' */
import {answers, requestKey} from '../page/answers.js';
import {currentLayer, observable, resolveLayer} from '../page/choices.js';
import {fitTogether, html, interpretation, nothing, pinnedExample, selectedSlice} from '../page/lit_host.js';
import {PANEL_CSS, CONTROLS_CSS} from '../panels/css.js';
import {layerPanel} from '../panels/layer_panel.js';
import {cancelledCard, errorCard, progressCard, renderSelect} from '../panels/parts.js';
import {layerOption} from '../words/sentences.js';
import {choicesOf, chooseNeurons, neuronChoices, openedNeuron, partsOf, rankingKeys} from './neuron_choices.js';
import {NEURON_CSS} from './neuron_css.js';

/** The slow computations that a reader has asked for by a button; see `wish`. */
const wishes = observable(/** @type {ReadonlySet<string>} */ (new Set()));
/** Which sections are open, by name: LIT re-creates panels, and an open section should stay open. */
const openSections = observable(/** @type {Record<string, boolean>} */ ({}));

/**
 * What our panels about neurons have in common: they know what can be asked, the ranking of the current layer, the chosen neurons,
 * and what the reader has asked to be computed.
 *
 * Their sections stand in files of their own, each with a function that asks (called in `furtherQuestions`) and one that draws.
 *
 * @param {new () => import('../page/lit_host.js').LitPanel} LitPanel  as `definePanel` hands it out
 */
export function neuronPanel(LitPanel) {
  return class NeuronPanel extends layerPanel(LitPanel) {
    static interpreter = 'neuron_ranking';
    static css = PANEL_CSS + CONTROLS_CSS + NEURON_CSS;

    /** What is wanted now, by place. @type {Record<string, {interpreter: string, inputs: IndexedInput[], config: Record<string, unknown>, pick: (answer: any) => any}>} */
    asked = {};

    choices() {
      // An answer may be what the next question waits for.
      return [neuronChoices, wishes, openSections, currentLayer, /** @type {any} */ (answers)];
    }

    observed() {
      const {currentDataset: dataset, currentInputData: rows} = this.appState;
      const primary = /** @type {?IndexedInput} */ (this.selectionService.primarySelectedInputData);
      const selected = /** @type {IndexedInput[]} */ (this.selectionService.selectedInputData);
      const pinned = pinnedExample();
      const parent = primary?.meta.parentId ? this.appState.getCurrentInputDataById(primary.meta.parentId) : null;
      const beside = pinned && pinned.id !== primary?.id ? pinned : parent ?? null;
      return {model: this.model, dataset, rows, primary, beside, pinned: beside !== null && beside === pinned, selected: selected.length > 1 ? selected : [],
        slice: selectedSlice(), fits: fitTogether(this.model, dataset)};
    }

    /** The texts that are shown: the selected one, and beside it the pinned one or the one that it was edited from. @returns {{title: string, example: IndexedInput}[]} */
    texts() {
      const {primary, beside, pinned} = this.seen;
      if (!primary) return [];
      // The first text is what others are aligned with: the original.
      const first = beside ? [{title: pinned ? 'Pinned' : 'Original', example: beside}] : [];
      return [...first, {title: primary.meta.added ? 'Edited' : 'Selected', example: primary}];
    }

    questions() {
      const before = Object.keys(this.asked);
      this.asked = {};
      this.keys = {
        catalogue: this.want('catalogue', 'neuron_ranking', [], {choices: true}),
        // Scored on no examples: what the probes are, and which layer was chosen.
        about: this.want('about', 'layer_metrics', [], {metric: 'headline'}),
      };
      if (this.catalogue() && this.about()) this.furtherQuestions();
      for (const slot of before) if (!(slot in this.asked)) this.want(slot, '', null, {});
      return this.keys;
    }

    /** What is asked once it is known what can be asked. */
    furtherQuestions() {}

    /**
     * Wants an answer in a place.
     *
     * @param {string} slot
     * @param {string} interpreter
     * @param {IndexedInput[]} inputs
     * @param {Record<string, unknown>} config
     * @param {(answer: any) => any} [pick]  the part of a ready answer that is the answer here, with a status of its own
     */
    wantPart(slot, interpreter, inputs, config, pick = (answer) => answer) {
      const {model, dataset, fits} = this.seen;
      const key = requestKey([slot, interpreter, model, dataset, JSON.stringify(config)], inputs.map(({id}) => id));
      const load = async (/** @type {import('../page/leaving.js').Asker} */ asker) => picked(await interpretation({model, dataset, interpreter, inputs, config, asker}), pick);
      answers.want(this, slot, fits ? key : null, load);
      this.keys[slot] = key;
      this.asked[slot] = {interpreter, inputs, config, pick};
    }

    /** What is known in a place. @param {string} slot @returns {Result} */
    resultOf(slot) {
      return (this.keys[slot] === undefined ? undefined : answers.read(this.keys[slot])) ?? {state: 'loading'};
    }

    /** @param {string} slot @returns {any} the answer; null until it is there */
    answerOf(slot) {
      const result = this.resultOf(slot);
      return result.state === 'ready' ? result.answer : null;
    }

    /** @returns {any} what can be asked; null until it is known */
    catalogue() {
      return this.answerOf('catalogue');
    }

    /** @returns {?LayerMetrics} what the probes are; null until they are computed */
    about() {
      return this.answerOf('about');
    }

    /** What a row is called: a text, or a word of one. @returns {'text'|'word'} */
    row() {
      return this.about()?.unit ?? 'text';
    }

    /** @returns {import('./neuron_choices.js').NeuronChoices} */
    chosen() {
      return choicesOf(this.seen.model);
    }

    /** @param {Partial<import('./neuron_choices.js').NeuronChoices>} changes */
    choose(changes) {
      chooseNeurons(this.seen.model, changes);
    }

    /** The current layer of all panels. @returns {number} */
    layer() {
      const about = /** @type {LayerMetrics} */ (this.about());
      return resolveLayer(currentLayer.get(), about.best_layer, about.n_layers);
    }

    /** The layer that the list is about; null: all of them. @returns {?number} */
    listedLayer() {
      return this.chosen().scope === 'all' ? null : this.layer();
    }

    /** Method and options of the ranking. @returns {Record<string, string>} */
    ranking() {
      return rankingKeys(this.chosen(), this.catalogue());
    }

    /** The layer as the interpreters of rankings take it. */
    rankedLayer() {
      return this.listedLayer() ?? 'all';
    }

    /** Wants the ranked list. */
    askForRanking() {
      const {select, top, className} = this.chosen();
      const config = {...this.ranking(), layer: this.rankedLayer(), select, ...(top === null ? {} : {top}), ...(className === null ? {} : {class: className})};
      this.wantPart('ranking', 'neuron_ranking', [], config);
    }

    /** The neuron whose evidence is shown. @returns {?{name: string, layer: number, unit: number}} */
    opened() {
      const name = openedNeuron(this.chosen(), this.listedLayer(), this.answerOf('ranking')?.neurons ?? []);
      return name === null ? null : {name, ...partsOf(name)};
    }

    /** The layer at which neurons are switched off: that of the opened one. */
    changedLayer() {
      return this.opened()?.layer ?? this.layer();
    }

    /** Whether the reader has asked for this. @param {string} name */
    isWished(name) {
      return wishes.get().has(this.wish(name));
    }

    /** @param {string} name */
    makeWish(name) {
      wishes.set(new Set([...wishes.get(), this.wish(name)]));
    }

    /** A wish is about one model and data set. @param {string} name */
    wish(name) {
      return JSON.stringify([this.seen.model, this.seen.dataset, name]);
    }

    /**
     * Wants what takes long, once the reader has asked for it.
     *
     * @param {string} slot @param {string} interpreter @param {IndexedInput[]} inputs @param {Record<string, unknown>} config
     * @param {(answer: any) => any} [pick]
     * @param {string} [wish]  a name of what the reader asks for; without it, exactly this question
     */
    wantOnDemand(slot, interpreter, inputs, config, pick, wish = this.wishFor(slot, inputs, config)) {
      this.wishOf[slot] = wish;
      if (this.isWished(wish)) this.wantPart(slot, interpreter, inputs, config, pick);
    }

    /** What the reader would ask for, by place. @type {Record<string, string>} */
    wishOf = {};

    /** @param {string} slot @param {IndexedInput[]} inputs @param {Record<string, unknown>} config */
    wishFor(slot, inputs, config) {
      return requestKey([slot, JSON.stringify(config)], inputs.map(({id}) => id));
    }

    /**
     * What was asked for in a place: how far it is, why it failed, or what was found.
     *
     * @param {string} slot
     * @param {(answer: any) => unknown} renderAnswer
     * @param {string} [failure]  the title of an error
     */
    renderPart(slot, renderAnswer, failure = 'This could not be computed.') {
      const result = this.resultOf(slot);
      const key = this.keys[slot];
      if (result.state === 'ready') return renderAnswer(result.answer);
      if (result.state === 'failed') return errorCard(failure, result.message, result.final ? null : () => answers.retry(key));
      if (result.state === 'cancelled') return cancelledCard(() => answers.retry(key));
      return progressCard({...result, message: result.message ?? 'Asking the server'}, result.state === 'computing' ? () => this.stop(slot) : undefined);
    }

    /**
     * The same behind a button.
     *
     * @param {string} slot
     * @param {{button: string, about: unknown}} words
     * @param {(answer: any) => unknown} renderAnswer
     */
    renderOnDemand(slot, {button, about}, renderAnswer) {
      const wish = this.wishOf[slot];
      if (this.isWished(wish)) return this.renderPart(slot, renderAnswer);
      return html`<div class="on-demand"><button class="hairline-button ask-${slot}" @click=${() => this.makeWish(wish)}>${button}</button><span>${about}</span></div>`;
    }

    /** Waits no longer for what is computed for a place. @param {string} slot */
    stop(slot) {
      const {model, dataset} = this.seen;
      const {interpreter, inputs, config, pick} = this.asked[slot];
      answers.cancel(this.keys[slot], async (asker) => picked(await interpretation({model, dataset, interpreter, inputs, config: {...config, cancel: true}, asker}), pick));
    }

    /**
     * A part of the panel that can be closed.
     *
     * @param {string} name @param {unknown} title @param {() => unknown} renderContent  a function that draws the content, called while the section is open
     * @param {boolean} [open]  at first
     */
    renderSection(name, title, renderContent, open = false) {
      const isOpen = this.isOpen(name, open);
      const toggle = (/** @type {any} */ event) => {
        event.preventDefault();
        openSections.set({...openSections.get(), [name]: !isOpen});
      };
      return html`<details class="fold ${name}" ?open=${isOpen}><summary @click=${toggle}>${title}</summary>${isOpen ? html`<div class="fold-content">${renderContent()}</div>` : nothing}</details>`;
    }

    /** @param {string} name @param {boolean} [open]  at first */
    isOpen(name, open = false) {
      return openSections.get()[name] ?? open;
    }

    /** What stands in the place of a panel that does not know yet what can be asked; null once it does. */
    renderNotYet() {
      const [catalogue, about] = [this.resultOf('catalogue'), this.resultOf('about')];
      const failed = [catalogue, about].find(({state}) => state === 'failed');
      if (failed) return errorCard('Neurons cannot be ranked.', failed.message, failed.said ? null : () => this.retry());
      if (catalogue.state !== 'ready') return progressCard({...catalogue, message: 'Asking which rankings there are'});
      if (about.state !== 'ready') return progressCard({...about, message: about.message ?? 'Asking for the probes'});
      return null;
    }

    /** The current layer of all panels and, where wanted, all layers together, as a drop-down. @param {boolean} withAll */
    renderLayer(withAll) {
      const {n_layers: nLayers, best_layer: best, layer_names: names} = /** @type {LayerMetrics} */ (this.about());
      const options = Array.from({length: nLayers}, (_, at) => ({value: String(at), title: layerOption(at, best, names)}));
      const pick = (/** @type {string} */ value) => {
        if (withAll) this.choose({scope: value === 'all' ? 'all' : 'layer'});
        if (value !== 'all') currentLayer.set(Number(value));
      };
      const shown = withAll && this.chosen().scope === 'all' ? 'all' : String(this.layer());
      return html`<span class="toolbar-part" title="The current layer of all lit_probe panels">
        ${renderSelect('layer', 'Layer', withAll ? [...options, {value: 'all', title: 'all layers'}] : options, shown, pick)}</span>`;
    }
  };
}

/** @param {any} answer @param {(answer: any) => any} pick */
function picked(answer, pick) {
  return answer?.status === 'ready' ? pick(answer) : answer;
}
