// @ts-check
/** The base class of the panels about words. */
/** @import {Result} from '../page/answers.js' */
/** @import {IndexedInput, LayerMetrics} from '../page/types.js' */
import {answers, requestKey} from '../page/answers.js';
import {currentLayer, observable, resolveLayer} from '../page/choices.js';
import {html, interpretation, nothing} from '../page/lit_host.js';
import {inTurn} from '../page/waiting.js';
import {PANEL_CSS, CONTROLS_CSS} from '../panels/css.js';
import {layerPanel} from '../panels/layer_panel.js';
import {errorCard, progressCard, renderSelect} from '../panels/parts.js';
import {layerName, layerOption} from '../words/sentences.js';
import {FIRST_CHOICES, shownTargets} from './salience_plan.js';

/** What is explained and how, for all panels about words: two of them side by side should speak of the same thing. */
export const salienceChoices = observable(FIRST_CHOICES);

/** @param {Partial<import('./salience_plan.js').SalienceChoices>} changes */
export function choose(changes) {
  salienceChoices.set({...salienceChoices.get(), ...changes});
}

/** The slow computations that a reader has asked for by a button; see `wish`. */
const wishes = observable(/** @type {ReadonlySet<string>} */ (new Set()));

/** A browser has about six connections to a server. */
const send = inTurn(3);

/**
 * What our panels about words have in common: they know what can be asked, the layer that is explained, and what the reader has
 * asked to be computed.
 *
 * @param {new () => import('../page/lit_host.js').LitPanel} LitPanel  as `definePanel` hands it out
 */
export function saliencePanel(LitPanel) {
  return class SaliencePanel extends layerPanel(LitPanel) {
    static interpreter = 'salience_methods';
    static css = PANEL_CSS + CONTROLS_CSS;

    /** The places in which something is wanted now. @type {Set<string>} */
    slots = new Set();

    choices() {
      // An answer may be what the next question waits for.
      return [salienceChoices, wishes, currentLayer, /** @type {any} */ (answers)];
    }

    questions() {
      const before = this.slots;
      this.slots = new Set();
      this.keys = {
        catalogue: this.want('catalogue', 'salience_methods', [], {}),
        // Scored on no examples: what the probes are, and which layer was chosen.
        about: this.want('about', 'layer_metrics', [], {metric: 'headline'}),
      };
      if (this.catalogue()) Object.assign(this.keys, this.furtherQuestions());
      for (const slot of before) if (!this.slots.has(slot)) this.want(slot, '', null, {});
      return this.keys;
    }

    /** What is asked once the methods are known. @returns {Record<string, string>} */
    furtherQuestions() {
      return {};
    }

    /** Wants an answer, asked when those before it have been answered. @param {string} slot @param {string} interpreter @param {IndexedInput[]} inputs @param {Record<string, unknown>} config @returns {string} its key */
    wantInTurn(slot, interpreter, inputs, config) {
      const {model, dataset, fits} = this.seen;
      const key = requestKey([interpreter, model, dataset, JSON.stringify(config)], inputs.map(({id}) => id));
      const isWanted = () => this.isConnected && Object.values(this.keys).includes(key);
      const load = (/** @type {import('../page/leaving.js').Asker} */ asker) => send(isWanted, () => interpretation({model, dataset, interpreter, inputs, config, asker}));
      answers.want(this, slot, fits ? key : null, load);
      this.slots.add(slot);
      return key;
    }

    /** @returns {any} the answer of `salience_methods`; null until it is there */
    catalogue() {
      const result = answers.read(this.keys.catalogue);
      return result?.state === 'ready' ? result.answer : null;
    }

    /** @returns {?LayerMetrics} what the probes are; null until they are computed */
    about() {
      const result = answers.read(this.keys.about);
      return result?.state === 'ready' ? result.answer : null;
    }

    /** @returns {?number} the layer whose probe is explained; null until the probes are computed */
    layer() {
      const about = this.about();
      return about && resolveLayer(currentLayer.get(), about.best_layer, about.n_layers);
    }

    /** Whether the reader has asked for this. @param {string} name */
    isWished(name) {
      return wishes.get().has(this.wish(name));
    }

    /** @param {string[]} names */
    makeWishes(names) {
      wishes.set(new Set([...wishes.get(), ...names.map((name) => this.wish(name))]));
    }

    /** A wish is about one model and data set. @param {string} name */
    wish(name) {
      return JSON.stringify([this.seen.model, this.seen.dataset, name]);
    }

    /** What stands in the place of a panel that does not know yet what can be asked; null once it does. @param {boolean} needsProbe */
    renderNotYet(needsProbe) {
      const [catalogue, about] = [this.keys.catalogue, this.keys.about].map((key) => answers.read(key) ?? /** @type {Result} */ ({state: 'loading'}));
      const failed = [catalogue, ...(needsProbe ? [about] : [])].find(({state}) => state === 'failed');
      if (failed) return errorCard('Nothing can be explained.', failed.message, failed.said ? null : () => this.retry());
      if (!this.catalogue()) return progressCard({...catalogue, message: 'Asking which methods there are'});
      if (needsProbe && !this.about()) return progressCard({...about, message: about.message ?? 'Asking for the probes'});
      return null;
    }

    /** Probe or model: which prediction is explained. @param {string} [title] */
    renderExplain(title = 'Explain') {
      const choices = salienceChoices.get();
      const options = [{value: 'probe', title: 'the probe'}, {value: 'model', title: 'the model'}];
      const hasHead = Boolean(this.catalogue()?.class_names.model);
      const shown = hasHead ? options : options.slice(0, 1);
      return html`<span class="toolbar-part" title=${hasHead ? nothing : 'This checkpoint has no classification head of its own: only its probes can be explained.'}>
        ${renderSelect('explain', title, shown, hasHead ? choices.explain : 'probe', (value) => choose({explain: /** @type {any} */ (value)}))}</span>`;
    }

    /** What is explained, given what this model has. @returns {'probe'|'model'} */
    explained() {
      return this.catalogue()?.class_names.model ? salienceChoices.get().explain : 'probe';
    }

    /** The current layer of all panels, here as a drop-down. */
    renderLayer() {
      const [about, layer] = [this.about(), this.layer()];
      if (!about || layer === null) return nothing;
      const options = Array.from({length: about.n_layers}, (_, at) =>
        ({value: String(at), title: layerOption(at, about.best_layer, about.layer_names)}));
      return html`<span class="toolbar-part" title="The current layer of all lit_probe panels">
        ${renderSelect('layer', 'Layer', options, String(layer), (value) => currentLayer.set(Number(value)))}</span>`;
    }

    /** Whose names the classes have. @returns {'probe'|'model'} */
    namedBy() {
      return this.explained();
    }

    /** Whether a number is explained, which has no classes. */
    explainsNumber() {
      return this.explained() === 'probe' && this.catalogue()?.class_names.probe.length === 0;
    }

    /** The class that is explained. */
    renderTarget() {
      if (this.explainsNumber()) return nothing;
      const {names, target: chosen} = shownTargets(salienceChoices.get().target, this.catalogue(), this.namedBy());
      const options = [{value: 'predicted', title: 'predicted class'}, {value: 'gold', title: 'gold label'},
        ...names.map((/** @type {string} */ name) => ({value: `class:${name}`, title: name}))];
      return html`<span class="toolbar-part">${renderSelect('target', 'Class', options, chosen, (target) => choose({target}))}</span>`;
    }

    /** "probe at layer 3 (dev-chosen)" or "the model’s own prediction". */
    explainedName() {
      return this.explained() === 'model' ? 'the model’s own prediction' : this.probeName();
    }

    /** "the probe at layer 3, dev-chosen". */
    probeName() {
      const [about, layer] = [this.about(), this.layer()];
      return layer === null ? 'the probe' : `the probe at ${layerName(layer, about?.layer_names)}${layer === about?.best_layer ? ', dev-chosen' : ''}`;
    }
  };
}
