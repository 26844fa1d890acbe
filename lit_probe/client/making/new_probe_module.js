// @ts-check
/** The panel "New probe": makes probes for another question to the same rows, while the server runs. */
/** @import {Asker} from '../page/leaving.js' */
/** @import {IndexedInput, MadeProbe, NewProbeOffers} from '../page/types.js' */
/** @import {Form, Wish} from './wishes.js' */
import {answers, requestKey} from '../page/answers.js';
import {observable} from '../page/choices.js';
import {learnNames, showModel, whenQuiet} from '../page/lit_frame.js';
import {definePanel, fitTogether, html, interpretation, namedSlices, nothing} from '../page/lit_host.js';
import {CONTROLS_CSS, PANEL_CSS} from '../panels/css.js';
import {layerPanel} from '../panels/layer_panel.js';
import {errorCard, progressCard} from '../panels/parts.js';
import {formatCount, formatScore} from '../words/format.js';
import {COLUMN, KINDS_OF_TARGET, NEW_FORM, questionOf, SLICES, WORDS} from './wishes.js';

const INTERPRETER = 'new_probe';

const GUIDE = html`
  <p><b>What this makes.</b> Probes for another question, on the examples of the data set that was loaded and with its division into train, dev
    and test: for a column, for what can be read off the surface of a text, for words that it holds, or for two sets of examples that you
    have selected. Or other probes for the same label: another kind, pooling or place in the network.</p>
  <p><b>Where they appear.</b> As a model of their own at the top of the page. Every panel, LIT’s metrics and Color by then show them as
    they show the first ones. For the same label, tick both models to compare them in one chart; probes for another question have a data set of their own,
    with the same texts and other labels, and “Probe by layer” can draw the first probes’ curve beside theirs.</p>
  <p><b>Selections and slices</b> count examples that the page shows: edits are left out, and so are train examples that it does not
    show. Each side needs two examples in train and one in dev.</p>
  <p><b>Probing many questions</b> finds some that look decodable by luck. Say how many you have asked.</p>
  <p>Probes stay until the server stops, or until you drop them here. Those for a column or for words have the digits of
    <code>lit-probe layers --targets=…</code>.</p>`;

const CSS = `
  .form { display: grid; grid-template-columns: max-content minmax(0, 1fr); gap: 6px 12px; padding: 10px 12px 4px; align-items: center; max-width: 640px; }
  .form select, .form input { max-width: 100%; min-width: 0; height: 24px; box-sizing: border-box; font: inherit; color: inherit; background: none;
    border: 1px solid var(--lit-neutral-400); border-radius: 2px; padding: 0 4px; }
  .form .two { display: flex; flex-wrap: wrap; gap: 4px 8px; align-items: center; min-width: 0; }
  .go { display: flex; flex-wrap: wrap; gap: 4px 12px; align-items: center; padding: 4px 12px; }
  .made { border-collapse: collapse; margin: 6px 12px; font-size: 12px; max-width: calc(100% - 24px); }
  .made th, .made td { text-align: left; padding: 3px 12px 3px 0; vertical-align: top; overflow-wrap: anywhere; }
  .made .how { font-weight: normal; color: var(--lit-neutral-700); }
  .made td.buttons { white-space: nowrap; padding-right: 0; }
  .made .hairline-button { display: inline-flex; }
  .made tr.shown .hairline-button { font-weight: normal; }
  .made tr.shown { font-weight: bold; }`;

/** What stands in the form, what was sent and is not made yet, and how often the list of probes has changed: they outlive the panels. */
const form = observable(/** @type {Form} */ (NEW_FORM));
const wishes = observable(/** @type {Wish[]} */ ([]));
const nChanges = observable(0);
const problems = observable(/** @type {string} */ (''));
let nWishes = 0;

definePanel('new-probe-module', (LitPanel) => class NewProbeModule extends layerPanel(LitPanel) {
  static title = 'New probe';
  static infoMarkdown = `**Ask something else of the same examples.** Makes probes for a column, for words, for two selections, or of another kind, without a restart.`;
  static interpreter = INTERPRETER;
  static css = PANEL_CSS + CONTROLS_CSS + CSS;
  static duplicateForModelComparison = false;

  choices() {
    return [form, wishes, nChanges, problems];
  }

  observed() {
    const {currentDataset: dataset, currentInputData: inputs} = this.appState;
    const shown = /** @type {string[]} */ ([...this.appState.currentModels]);
    // One form for all models that are shown: it starts from the first.
    const model = shown.find((one) => fitTogether(one, dataset));
    return {model, dataset, inputs, selected: [...this.selectionService.selectedIds], slices: namedSlices(), shown, fits: model !== undefined};
  }

  questions() {
    const {model, dataset} = this.seen;
    const offers = this.wantFrom('offers', ['offers', model, dataset, String(nChanges.get())], {model, dataset, inputs: [], config: {part: 'offers'}});
    const wanted = wishes.get();
    for (const slot of this.wishSlots ?? []) if (!wanted.some(({id}) => `wish ${id}` === slot)) this.wantFrom(slot, null, null);
    this.wishSlots = wanted.map(({id}) => `wish ${id}`);
    const keys = wanted.map((wish) => [`wish ${wish.id}`,
      this.wantFrom(`wish ${wish.id}`, ['make', String(wish.id)], {...wish, config: {part: 'make', ...wish.config}})]);
    this.receive(wanted);
    return {offers, ...Object.fromEntries(keys)};
  }

  /** As `want`, of a model and a data set that may not be shown any more: a wish goes on. @param {string} slot @param {?string[]} words @param {any} request @returns {string} */
  wantFrom(slot, words, request) {
    const key = words === null ? null : requestKey([INTERPRETER, ...words], []);
    answers.want(this, slot, key, (/** @type {Asker} */ asker) => interpretation({...request, interpreter: INTERPRETER, asker}));
    return key ?? '';
  }

  /** Takes what is made off the list of wishes, and lets LIT know of it. @param {Wish[]} wanted */
  receive(wanted) {
    const done = wanted.filter(({id}) => answers.read(requestKey([INTERPRETER, 'make', String(id)], []))?.state === 'ready');
    if (done.length === 0) return;
    // Not while the choices are being read.
    queueMicrotask(() => {
      wishes.set(wishes.get().filter((wish) => !done.includes(wish)));
      void changed();
    });
  }

  connectedCallback() {
    super.connectedCallback();
    this.endings.push(answers.subscribe(() => this.receive(wishes.get())));
  }

  renderContent() {
    const result = answers.read(this.keys.offers) ?? {state: 'loading'};
    const offers = result.state === 'ready' ? result.answer : this.lastOffers;
    this.lastOffers = offers ?? null;
    return html`<div class="module-container"><div class="module-results-area">
      ${result.state === 'failed' ? errorCard('New probes cannot be made now.', result.message, result.final ? null : () => this.retry()) : nothing}
      ${offers ? [this.renderForm(offers), this.renderWishes(), this.renderMade(offers), this.renderBefore(offers)]
    : result.state === 'failed' ? nothing : progressCard({...result, message: result.message ?? 'Asking the server'})}
      <details class="guide"><summary>How to read this</summary>${GUIDE}</details>
    </div></div>`;
  }

  /** @param {NewProbeOffers} offers */
  renderForm(offers) {
    const now = form.get();
    const set = (/** @type {Partial<Form>} */ change) => { problems.set(''); form.set({...form.get(), ...change}); };
    const select = (/** @type {keyof Form} */ name, /** @type {string} */ label, /** @type {{value: string, title: string}[]} */ options) => html`
      <select name=${name} aria-label=${label} @change=${(/** @type {Event} */ event) => set({[name]: /** @type {HTMLSelectElement} */ (event.target).value})}>
        ${options.map(({value, title}) => html`<option value=${value} ?selected=${value === (options.some((one) => one.value === now[name]) ? now[name] : '')}>${title}</option>`)}</select>`;
    const names = (/** @type {string[]} */ values, /** @type {string} */ same) => [{value: '', title: `as on the page (${same})`},
      ...values.filter((value) => value !== same).map((value) => ({value, title: value}))];
    const slices = [{value: '', title: 'choose a slice'}, ...this.seen.slices.map((/** @type {{name: string}} */ {name}) => ({value: name, title: name}))];
    const targets = offers.targets.map(({name, about, target}) => ({value: name, title: about ? `${name.replace('surface:', 'surface: ')} (${about})` : target === 'number' ? `${name} (a number)` : name}));
    const detail = {
      [COLUMN]: () => select('target', 'Column', targets),
      [WORDS]: () => html`<input name="words" aria-label="Words" placeholder="not never no" .value=${now.words}
        @input=${(/** @type {Event} */ event) => set({words: /** @type {HTMLInputElement} */ (event.target).value})}>`,
      [SLICES]: () => html`<span class="two">${select('first', 'First slice', slices)} against ${select('second', 'Second slice', slices)}</span>`,
    }[now.what];
    const placesNow = offers.now.sites || 'of several kinds';
    const places = [{value: '', title: `as on the page (${placesNow.replaceAll('_', ' ')})`}, ...offers.sites.filter(({name}) => name !== offers.now.sites)
      .map(({name, about}) => ({value: name, title: `${name.replaceAll('_', ' ')} (${about.split(':')[0]})`}))];
    const kind = now.what === COLUMN ? offers.targets.find(({name}) => name === now.target)?.target ?? 'classes' : 'classes';
    const [usual, ...others] = offers.probes[kind];
    const question = questionOf({...now, probe: others.includes(now.probe) ? now.probe : ''}, this.seen);
    const problem = problems.get();
    const full = offers.made.length >= offers.most;
    return html`<div class="form" role="group" aria-label="New probe">
      <span>Tell apart</span>${select('what', 'Tell apart', KINDS_OF_TARGET)}
      ${detail ? html`<span></span>${detail()}` : nothing}
      <span>Kind</span>${select('probe', 'Kind of probe', usual === offers.now.probe ? names(others, usual) : [{value: '', title: usual}, ...others.map((value) => ({value, title: value}))])}
      <span>Pooling</span>${select('pooling', 'Pooling', names(offers.poolings, offers.now.pooling))}
      ${offers.sites.length ? html`<span>Places</span>${select('sites', 'Places', places)}` : nothing}
    </div>
    <div class="go"><button class="filled-button make" ?disabled=${'problem' in question || full} @click=${() => this.send(question)}>Make probes</button>
      ${full ? html`<span class="remark">${offers.most} probes are there, as many as this server keeps. Drop one first.</span>`
    : 'problem' in question ? html`<span class="remark" role="status">${question.problem}</span>` : nothing}</div>
    ${problem ? html`<div class="card error" role="alert"><div class="message">${problem}</div></div>` : nothing}`;
  }

  /** @param {ReturnType<typeof questionOf>} question */
  send(question) {
    if ('problem' in question) return;
    const {model, dataset} = this.seen;
    wishes.set([...wishes.get(), {id: ++nWishes, model, dataset, ...question}]);
  }

  renderWishes() {
    return wishes.get().map((wish) => {
      const result = answers.read(this.keys[`wish ${wish.id}`]) ?? {state: 'loading'};
      const forget = () => wishes.set(wishes.get().filter(({id}) => id !== wish.id));
      if (result.state === 'failed') {
        return html`<div class="card error" role="alert"><b>No probe for “${wish.title}”.</b><div class="message">${result.message}</div>
          <button class="hairline-button" @click=${forget}>Close</button></div>`;
      }
      const cancel = () => {
        const {model, dataset, inputs, config} = wish;
        answers.cancel(this.keys[`wish ${wish.id}`], async (asker) => {
          const answer = await interpretation({model, dataset, inputs, interpreter: INTERPRETER, config: {part: 'make', ...config, cancel: true}, asker});
          // It may have been made before it could be cancelled.
          if (answer.status === 'ready') await changed();
          return answer;
        });
        forget();
      };
      return html`<div class="wish">${progressCard({...result, message: result.message ?? `New probe of ${wish.title}: asking the server`}, cancel)}</div>`;
    });
  }

  /** @param {NewProbeOffers} offers */
  renderMade({made}) {
    if (made.length === 0) return html`<div class="remark">No probes have been made here yet.</div>`;
    return html`<h4>Made here</h4><table class="made"><thead><tr><th>Probes</th><th>Chosen on dev</th><th></th></tr></thead>
      <tbody>${made.map((one) => this.renderOne(one))}</tbody></table>`;
  }

  /** @param {NewProbeOffers} offers */
  renderBefore({before, made, most}) {
    if (before.length === 0) return nothing;
    const {model, dataset} = this.seen;
    const again = (/** @type {{name: string, title: string}} */ {name, title}) =>
      wishes.set([...wishes.get(), {id: ++nWishes, title, model, dataset, inputs: [], config: {before: name}}]);
    return html`<h4>Made before, with this cache</h4><table class="made before"><tbody>${before.map((one) => html`<tr><td>${one.title}
        <div class="how">${one.probe}, ${one.pooling} pooling, ${one.sites.replaceAll('_', ' ')}</div></td>
      <td class="buttons"><button class="hairline-button again" ?disabled=${made.length >= most} @click=${() => again(one)}>Make again</button>
        <button class="hairline-button forget" title="Takes it off this list" @click=${() => void this.tell({part: 'forget', before: one.name})}>Forget</button></td></tr>`)}
    </tbody></table>`;
  }

  /** @param {MadeProbe} one */
  renderOne(one) {
    const {shown, dataset} = this.seen;
    const isShown = shown.includes(one.model) && dataset === one.dataset;
    return html`<tr class=${isShown ? 'shown' : ''}><td>${one.title}${isShown ? ' (shown)' : ''}
        <div class="how">${one.probe}, ${one.pooling} pooling, ${one.sites.replaceAll('_', ' ')}</div></td>
      <td>layer ${one.best_layer}: ${one.metric.replaceAll('_', ' ')} ${formatScore(one.score)}, n = ${formatCount(one.n.dev)}</td>
      <td class="buttons"><button class="hairline-button show" ?disabled=${isShown} @click=${() => void showModel(one.model, one.dataset)}>Show</button>
        <button class="hairline-button drop" title="LIT forgets these probes; nothing else is lost" @click=${() => void this.drop(one)}>Drop</button></td></tr>`;
  }

  /** @param {MadeProbe} one */
  async drop(one) {
    if (this.seen.shown.includes(one.model)) {
      await showModel(one.asked_of, /** @type {NewProbeOffers} */ (this.lastOffers).dataset);
      // What LIT has asked of it before is answered first.
      await whenQuiet();
    }
    await this.tell({part: 'drop', model: one.model}, one.asked_of);
  }

  /** Tells the server what is to go. @param {Record<string, unknown>} config @param {string} [model]  whom it is told; the first one on the page if nobody is named */
  async tell(config, model = this.seen.model) {
    // A probe that was made may be on the page: the data set that the server started with is always there.
    const dataset = model === this.seen.model ? this.seen.dataset : /** @type {NewProbeOffers} */ (this.lastOffers).dataset;
    try {
      const answer = await interpretation({model, dataset, interpreter: INTERPRETER, inputs: [], config});
      if (answer.status === 'failed') problems.set(answer.message);
    } catch (error) {
      problems.set(error instanceof Error ? error.message : String(error));
    }
    await changed();
  }
});

/** Lets LIT learn what the server has now, and the panels that the list is another one. */
async function changed() {
  await learnNames();
  nChanges.set(nChanges.get() + 1);
}
