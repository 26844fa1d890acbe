// @ts-check
/** The base class of panels that measure salience over many texts when a button is pressed. */
/** @import {IndexedInput} from '../page/types.js' */
import {answers, requestKey} from '../page/answers.js';
import {observable} from '../page/choices.js';
import {fitTogether, html, interpretation, nothing, selectedSlice} from '../page/lit_host.js';
import {cancelledCard, errorCard, progressCard} from '../panels/parts.js';
import {countOf, formatCount} from '../words/format.js';
import {salienceChoices, saliencePanel} from './salience_panel.js';
import {changedOptions} from './salience_plan.js';

/** How many texts each check looks at, at most. Stability makes many maps of each: it takes some ten seconds a text. */
const samples = observable(/** @type {Record<string, number>} */ ({faithfulness: 100, stability: 20, words: 100}));

/**
 * @typedef {object} SalienceCheck
 * @property {string} name  the check's name
 * @property {Record<string, unknown>} config  the part of the question that other checks do not have
 * @property {string[]} uses  the options that it reads
 */

/**
 * A panel that measures something over many texts, the selected ones or a sample, when a button is pressed.
 *
 * @param {new () => import('../page/lit_host.js').LitPanel} LitPanel  as `definePanel` hands it out
 */
export function salienceCheckPanel(LitPanel) {
  return class SalienceCheckPanel extends saliencePanel(LitPanel) {
    static interpreter = 'salience_checks';

    choices() {
      return [...super.choices(), samples];
    }

    observed() {
      const {currentDataset: dataset} = this.appState;
      const selected = /** @type {IndexedInput[]} */ (this.selectionService.selectedInputData);
      return {model: this.model, dataset, selected: selected.length > 1 ? selected : [], slice: selectedSlice(), fits: fitTogether(this.model, dataset)};
    }

    /** What the panel can measure. @returns {SalienceCheck[]} */
    checks() {
      return [];
    }

    /** What the server is asked. @param {SalienceCheck} check @returns {Record<string, unknown>} */
    configOf({name, config, uses}) {
      const explain = this.explained();
      return {
        check: name, explain, ...(explain === 'probe' ? {layer: String(this.layer())} : {}), ...config, sample: samples.get()[name],
        ...changedOptions(salienceChoices.get().options, this.catalogue(), [...uses, 'seed']),
      };
    }

    furtherQuestions() {
      const {selected} = this.seen;
      if (!this.isKnown()) return {};
      return Object.fromEntries(this.checks().filter((check) => this.isWished(this.wishOf(check))).map((check) => {
        this.slots.add(check.name);
        return [check.name, this.want(check.name, 'salience_checks', selected, this.configOf(check))];
      }));
    }

    /** Whether it is known which layer is explained. */
    isKnown() {
      return this.explained() === 'model' || this.layer() !== null;
    }

    /** @param {SalienceCheck} check */
    wishOf(check) {
      return requestKey([JSON.stringify(this.configOf(check))], this.seen.selected.map((/** @type {IndexedInput} */ {id}) => id));
    }

    /** The answer of a check; null until it is there. @param {string} name */
    answerOf(name) {
      const result = this.keys[name] === undefined ? undefined : answers.read(this.keys[name]);
      return result?.state === 'ready' ? result.answer : null;
    }

    /** Which texts a check would be about. @param {SalienceCheck} check */
    textsWords({name}) {
      const {selected, slice} = this.seen;
      const most = samples.get()[name];
      if (selected.length === 0) return `${formatCount(most)} dev examples, drawn by seed`;
      const which = slice ? `slice “${slice}”` : 'the selection';
      return selected.length > most ? `${formatCount(most)} of the ${formatCount(selected.length)} examples of ${which}, drawn by seed` : `${which}, ${countOf(selected.length, 'example')}`;
    }

    /** How many texts a check looks at. @param {string} name  the check's name @param {string} [title] */
    renderSample(name, title = 'Texts at most') {
      const change = (/** @type {any} */ {target}) => {
        if (target.value !== '' && target.checkValidity()) samples.set({...samples.get(), [name]: Number(target.value)});
        else target.value = String(samples.get()[name]);
      };
      return html`<label title="How many texts are looked at, at most"><span>${title}</span>
        <input type="number" name=${`sample-${name}`} min="2" max="1000" step="1" .value=${String(samples.get()[name])} @change=${change}></label>`;
    }

    /**
     * A check's button, how far it is, or what it found.
     *
     * @param {SalienceCheck} check
     * @param {string} button  the button's words
     * @param {(answer: any) => unknown} renderAnswer
     * @param {string} [slow]  a sentence on what to do about the time it takes
     */
    renderCheck(check, button, renderAnswer, slow = '') {
      if (!this.isWished(this.wishOf(check))) {
        return html`<button class=${`hairline-button start measure-${check.name}`} @click=${() => this.makeWishes([this.wishOf(check)])}>${button}</button>
          <div class="intro">Over ${this.textsWords(check)}. ${slow}</div>`;
      }
      const key = this.keys[check.name];
      const result = answers.read(key) ?? {state: 'loading'};
      if (result.state === 'ready') return renderAnswer(result.answer);
      // A failed check is computed anew when it is asked for again.
      if (result.state === 'failed') return errorCard('This could not be measured.', result.message, result.final ? null : () => answers.retry(key));
      if (result.state === 'cancelled') return cancelledCard(() => answers.retry(key));
      const {model, dataset, selected} = this.seen;
      const config = {...this.configOf(check), cancel: true};
      const stop = () => answers.cancel(key, (asker) => interpretation({model, dataset, interpreter: 'salience_checks', inputs: selected, config, asker}));
      return progressCard({...result, message: result.message ?? 'Asking the server'}, result.state === 'computing' ? stop : undefined);
    }

    /** What an answer is about, in a line. @param {any} answer */
    renderAbout({explained, rows, n_texts: nTexts}) {
      const from = rows.source === 'selection' ? `the selection (${formatCount(rows.n_asked)})` : `dev (${formatCount(rows.n_asked)})`;
      return html`<div class="caption" role="status"><b>${explained}</b> · ${countOf(nTexts, 'text')}${rows.ids.length < rows.n_asked ? ` drawn from ${from}` : `: ${from}`}</div>`;
    }

    /** @param {any} answer */
    renderRemarks({notes = [], left_out: leftOut = []}) {
      const out = leftOut.filter((/** @type {any} */ {n}) => n > 0).map((/** @type {any} */ {reason, n}) => `${countOf(n, 'text')} left out: ${reason}`);
      const all = [...out, ...notes];
      return all.length === 0 ? nothing : html`<div class="notes">${all.map((note) => html`<div>${note}</div>`)}</div>`;
    }
  };
}
