// @ts-check
/** The panel "Salient words": over many texts, the words that speak most for each class at the current layer. */
/** @import {SalientWords} from '../page/types.js' */
import {barCell} from '../charts/bar_cell.js';
import {figurePage} from '../charts/figure_page.js';
import {svgElement} from '../charts/svg.js';
import {observable} from '../page/choices.js';
import {definePanel, html, nothing} from '../page/lit_host.js';
import {renderDownloads, renderSelect} from '../panels/parts.js';
import {countOf, significantInterval} from '../words/format.js';
import {renderOptions} from './method_settings.js';
import {salienceCheckPanel} from './salience_check_panel.js';
import {choose, salienceChoices} from './salience_panel.js';
import {changedOptions, knownTarget} from './salience_plan.js';
import {wordsChart, wordsCsv, wordsDomain} from './salient_words_views.js';

const FIGURE_WIDTH = 760;

/** In how many texts a word must stand. */
const fewest = observable(2);

const GUIDE = html`<details class="guide"><summary>How to read this</summary>
  <p><b>The question.</b> From which words is the concept decodable at this layer, not in one text but over many? Each text is explained
    once; a word’s bar is its mean salience over the texts that hold it, counted for the class that was explained there.</p>
  <p><b>Look for words that have nothing to do with the concept.</b> A name, a genre or a full stop that speaks for a class hints at a
    habit of the data set: a shortcut. <b>Click a word</b> to select its texts in LIT, and read them.</p>
  <p><b>The thin line</b> is the 95 % interval over the texts that hold the word; words in few texts have wide ones, and an
    end without a mark lies beyond the axis. These are the
    largest of many means, so some are large by luck. All classes share one scale.</p></details>`;

definePanel('salient-words-module', (LitPanel) => class SalientWordsModule extends salienceCheckPanel(LitPanel) {
  static title = 'Salient words';
  static infoMarkdown = `**Which words speak most for each class, over many texts?** At the current layer, over the selection or a sample of dev. Click a
word to select its texts.`;

  /** A click on a word selects some of the texts: those that were looked at stay on the panel. @type {?{shownWith: string, seen: any}} */
  kept = null;

  observed() {
    const seen = super.observed();
    if (this.kept?.shownWith === selectionKey(seen)) return this.kept.seen;
    this.kept = null;
    return seen;
  }

  choices() {
    return [...super.choices(), fewest];
  }

  /** The methods that say something of a class. */
  methods() {
    return this.catalogue().methods.filter((/** @type {any} */ {no_explanation: none}) => !none);
  }

  method() {
    const methods = this.methods();
    return methods.find((/** @type {any} */ {name}) => name === salienceChoices.get().method) ?? methods[0];
  }

  checks() {
    const {name, uses} = this.method();
    const {target, scalar} = salienceChoices.get();
    return [{name: 'words', config: {method: name, target: knownTarget(target, this.catalogue()), scalar, min_count: fewest.get()}, uses}];
  }

  renderContent() {
    const notYet = this.renderNotYet(this.explained() === 'probe');
    if (!this.catalogue()) return notYet;
    const answer = this.answerOf('words');
    const methods = this.methods().map((/** @type {any} */ {name, title}) => ({value: name, title}));
    return html`<div class="module-container">
      <div class="module-toolbar wrapped">${this.renderExplain()}${this.explained() === 'probe' ? this.renderLayer() : nothing}
        <span class="toolbar-part">${renderSelect('method', 'Method', methods, this.method().name, (value) => choose({method: value}))}</span>
        ${this.renderTarget()}
        ${answer ? html`<span class="downloads">${renderDownloads(this.files(answer))}</span>` : nothing}</div>
      <div class="module-results-area">
        <details class="settings"><summary>Texts and options</summary><div class="choices">${this.renderSample('words')}${renderFewest()}</div>
          ${renderOptions(this.catalogue(), [this.method(), {signed: this.method().signed, uses: ['seed']}], {aggregation: false})}</details>
        ${notYet ?? [answer ? nothing : html`<div class="intro">Which words speak most for each class, to <b>${this.explainedName()}</b>?</div>`,
          this.renderCheck(this.checks()[0], 'Find the words', (found) => this.renderClasses(found))]}
        ${GUIDE}
      </div>
    </div>`;
  }

  /** @param {SalientWords} answer */
  renderClasses(answer) {
    const domain = wordsDomain(answer);
    return [this.renderAbout(answer),
      html`<div class="intro">${answer.title}, ${answer.scalar} of ${answer.target === 'predicted' ? 'the predicted class' : answer.target === 'gold' ? 'the gold label' : `“${answer.target}”`};
        words in at least ${answer.min_count} texts, the first ${answer.top} of each class. Click a word to select its texts.</div>`,
      html`<div class="classes">${answer.classes.map((/** @type {any} */ one) => this.renderClass(answer, one, domain))}</div>`,
      this.renderRemarks(answer)];
  }

  /** @param {SalientWords} answer @param {any} ofClass @param {[number, number]} domain */
  renderClass({rows, min_count: minCount}, {class_name: name, n_texts: nTexts, n_words: nWords, words}, domain) {
    const room = this.size.width - 24;
    const column = room >= 780 ? (room - 20) / 2 : room;
    const [label, numbers] = [Math.min(120, 0.26 * column), 226];
    const bar = Math.max(50, Math.floor(column - label - numbers - 8));
    return html`<div class="class-words"><h4>${name}: ${countOf(nTexts, 'text')}, ${countOf(nWords, 'word')}</h4>
      ${words.length === 0 ? html`<div class="pending">No word stands in ${minCount} of these texts or more.</div>`
        : html`<table class="bars"><colgroup><col style=${`width:${label}px`}><col style=${`width:${bar}px`}><col></colgroup>
        <tbody>${words.map((/** @type {any} */ word) => html`<tr><th scope="row"><button class="text-button word" dir="auto" title=${`Select the ${countOf(word.count, 'text')} with “${word.word}”`}
            @click=${() => this.select(word.positions.map((/** @type {number} */ position) => rows.ids[position]))}>${word.word}</button></th>
          <td>${svgElement(barCell(word, {width: bar, height: 18, domain}))}</td>
          <td class="number"><span>${significantInterval(word)}</span> <span class="raw">n = ${word.count}</span></td></tr>`)}</tbody></table>`}</div>`;
  }

  /** Selects texts in LIT, and keeps showing what was found. @param {string[]} ids */
  select(ids) {
    const selected = ids.map((id) => ({id}));
    this.kept = {shownWith: selectionKey({...this.seen, selected}), seen: this.seen};
    this.selectionService.selectIds(ids, this);
  }

  /** @param {SalientWords} answer */
  files(answer) {
    const {model, dataset} = this.seen;
    const domain = wordsDomain(answer);
    const options = Object.entries(changedOptions(salienceChoices.get().options, this.catalogue(), this.method().uses)).map(([name, value]) => `${name} ${value}`);
    return {
      name: `salient_words_${model}_${dataset}`,
      csv: wordsCsv(model, dataset, answer),
      figure: figurePage({
        title: `Salient words of the ${answer.explained}: ${model} on ${dataset}`,
        setting: [answer.title, `${answer.scalar} of the ${answer.target} class`, `${answer.n_texts} texts (${answer.rows.source})`, ...options].join(' · '),
        charts: answer.classes.map((/** @type {any} */ one) => wordsChart(one, domain, {width: FIGURE_WIDTH})),
        footnotes: ['Mean salience over the texts that hold the word. Thin lines: 95 % intervals.'],
      }),
    };
  }
});

function renderFewest() {
  const change = (/** @type {any} */ {target}) => {
    if (target.value !== '' && target.checkValidity()) fewest.set(Number(target.value));
    else target.value = String(fewest.get());
  };
  return html`<label title="Words in few texts have wide intervals"><span>Words in at least so many texts</span>
    <input type="number" name="min_count" min="2" max="1000" step="1" .value=${String(fewest.get())} @change=${change}></label>`;
}

/** What is selected where, whatever its order. @param {{model: string, dataset: string, selected: {id: string}[]}} seen */
function selectionKey({model, dataset, selected}) {
  return JSON.stringify([model, dataset, selected.map(({id}) => id).sort()]);
}
