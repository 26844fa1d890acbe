// @ts-check
/**
 * The panel "Neuron activations": the chosen neurons, and the patterns of the feed-forward neurons, on every token of the selected
 * text, beside the pinned text or the one that it was edited from.
 */
import {salienceColor} from '../charts/palette.js';
import {placeNames} from '../charts/places.js';
import {definePanel, exampleText, html, nothing} from '../page/lit_host.js';
import {card} from '../panels/parts.js';
import {download} from '../words/files.js';
import {countOf, oneLine} from '../words/format.js';
import {closeGaps, matrixLines} from '../words/side_by_side.js';
import {unitsAt} from './neuron_choices.js';
import {askForFactors, factorChoices, renderFactors} from './neuron_factors_section.js';
import {tokensCsv} from './neuron_files.js';
import {neuronPanel} from './neuron_panel.js';
import {renderTokenMatrix} from './token_matrix.js';

/** How many neurons of the list are shown while none is chosen, and how many neurons at most. */
const FIRST = 5;
const MOST = 20;
/** Pixels that a neuron's numbers take, and the tokens beside them. */
const COLUMN = 44;
const TOKENS = 100;

const GUIDE = html`<details class="guide"><summary>How to read this</summary>
  <p><b>The question.</b> On which tokens does a neuron fire, and what does an edit change? Each line is a token, each column a neuron of the
    current layer: those chosen in the panel “Neurons”, or the first of its list. Click a name to see its evidence there.</p>
  <p><b>Blue</b> is above zero, <b>orange</b> below; each neuron has one scale for both texts, so that their colours can be compared. Special
    tokens have numbers but no colour: their values are often many times as large.</p>
  <p><b>Side by side.</b> Pin a text, or edit one: the same tokens stand in the same line, and lines that differ are tinted. Even tokens that stayed
    the same change their values, because at deeper layers every token has read the others. The last line is what the probe reads: the tokens pooled. Where rows are words there is none: the
    probe reads each word’s own tokens.</p>
  <p><b>Patterns</b> come from the neurons inside the feed-forward parts of the blocks, by non-negative matrix factorisation. Their number is your choice, and
    another one gives other patterns.</p></details>`;

definePanel('neuron-activations-module', (LitPanel) => class NeuronActivationsModule extends neuronPanel(LitPanel) {
  static title = 'Neuron activations';
  static infoMarkdown = `**On which tokens do they fire?** The chosen neurons on the selected text, beside the pinned one or the one that it was edited from.
“How to read this”, at the bottom, says more.`;

  choices() {
    return [...super.choices(), factorChoices];
  }

  furtherQuestions() {
    this.askForRanking();
    const texts = this.texts().map(({example}) => example);
    const units = this.units();
    if (texts.length && units.length) this.wantPart('tokens', 'neuron_evidence', texts, {part: 'tokens', layer: this.changedLayer(), units});
    askForFactors(this);
  }

  /** The neurons that are shown: the chosen ones of the layer, or the first of the list. @returns {number[]} */
  units() {
    const layer = this.changedLayer();
    const picked = unitsAt(this.chosen().picked, layer);
    const opened = this.opened();
    const listed = /** @type {number[]} */ ((this.answerOf('ranking')?.neurons ?? []).filter((/** @type {any} */ one) => one.layer === layer).map((/** @type {any} */ {unit}) => unit));
    // In the order of the list; chosen ones that it does not show come last.
    const shown = picked.length ? [...listed.filter((unit) => picked.includes(unit)), ...picked.filter((unit) => !listed.includes(unit))] : listed.slice(0, FIRST);
    return [...new Set([...(opened && !shown.includes(opened.unit) ? [opened.unit] : []), ...shown])].slice(0, MOST);
  }

  renderContent() {
    const {seen} = this;
    const notYet = this.renderNotYet();
    if (notYet) return notYet;
    const texts = this.texts();
    const tokens = texts.length ? this.answerOf('tokens') : null;
    const {model, dataset} = seen;
    const save = () => download(`neuron_activations_${model}_${dataset}.csv`, 'text/csv', tokensCsv(model, dataset, texts.map(({example}) => example.id), tokens));
    return html`<div class="module-container">
      <div class="module-toolbar wrapped">${this.chosen().scope === 'all' ? html`<span class="toolbar-part" title="“Neurons” lists all layers; shown is the layer of the neuron that is open there">${placeNames(this.about() ?? {})?.[this.changedLayer()] ?? `Layer ${this.changedLayer()}`}, that of neuron ${this.opened()?.name ?? '–'}</span>` : this.renderLayer(false)}
        ${tokens ? html`<span class="toolbar-part downloads"><button class="hairline-button save-csv" title="Download the activations as a table" @click=${save}>CSV</button></span>` : nothing}</div>
      <div class="module-results-area">
        ${texts.length === 0 ? card('Select a text in LIT to see on which of its tokens the neurons fire. Pin or edit a text to see two side by side.')
          : html`${this.renderTexts()}${this.resultOf('ranking').state === 'failed' ? this.renderPart('ranking', () => nothing, 'There is no ranking.')
            : this.renderPart('tokens', (answer) => this.renderTokens(answer), 'There are no activations.')}`}
        ${renderFactors(this)}
        ${GUIDE}
      </div>
    </div>`;
  }

  renderTexts() {
    return html`<div class="text-titles">${this.texts().map(({title, example}) => html`<div class="section-title words"><b>${title}</b>${example.meta.added && title !== 'Edited' ? html`<span class="badge">edited</span>` : nothing}
      <span class="quote" dir="auto" title=${exampleText(example)}>${oneLine(exampleText(example))}</span></div>`)}</div>`;
  }

  /** @param {any} answer */
  renderTokens(answer) {
    const texts = this.texts();
    const [first] = answer.texts;
    const opened = this.opened()?.name;
    const columns = first.neurons.map((/** @type {any} */ {name}) => ({name, title: `Neuron ${name}`, opened: name === opened, open: () => this.choose({opened: name})}));
    const beyond = answer.texts.flatMap((/** @type {any} */ one) => one.words_beyond_limit);
    const picked = unitsAt(this.chosen().picked, answer.layer).length;
    const sides = texts.length;
    return [
      html`<div class="color-key"><span>below 0 <i class="ramp" style=${rampStyle()}></i> above 0</span><span>Each neuron has its own scale${sides > 1 ? ', the same for both texts' : ''}.</span>
        <span>${picked ? (picked > MOST ? `The first ${MOST} of the ${picked} chosen neurons.` : 'The chosen neurons.') : 'The first of the list; choose others in “Neurons”.'}</span></div>`,
      renderTokenMatrix({
        lines: closeGaps(matrixLines(answer.texts)), titles: texts.map(({title}) => title), columns, signed: true, largest: answer.largest,
        values: answer.texts.map((/** @type {any} */ text) => text.neurons.map((/** @type {any} */ {values}) => values)),
        pooled: first.pooled ? answer.texts.map((/** @type {any} */ {pooled}) => pooled) : null, narrow: sides * (columns.length * COLUMN + TOKENS) > this.size.width,
      }),
      beyond.length ? html`<div class="beyond words" title=${beyond.join(' ')}>${countOf(beyond.length, 'word')} beyond the encoder’s limit ${beyond.length === 1 ? 'was' : 'were'} not read.</div>` : nothing,
    ];
  }
});

function rampStyle() {
  const stops = Array.from({length: 9}, (_, i) => salienceColor(-1 + i / 4, true).fill);
  return `background:linear-gradient(90deg, ${stops.join(', ')})`;
}
