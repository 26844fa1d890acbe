// @ts-check
/**
 * The panel "Neurons": from which neurons the concept is decodable at a layer, on what they fire, and what happens without them.
 *
 * The sections stand in files of their own: `neuron_list`, `neuron_evidence_section`, `neuron_effects_section`, `neuron_trust_section`.
 */
import {placeNames} from '../charts/places.js';
import {currentLayer, currentWord} from '../page/choices.js';
import {definePanel, html, nothing} from '../page/lit_host.js';
import {renderFigureButtons, renderSelect} from '../panels/parts.js';
import {download} from '../words/files.js';
import {placeTitle} from '../words/sentences.js';
import {askForEffects, renderEffects, renderErasure, topCount} from './neuron_effects_section.js';
import {askForEvidence, listedTag, neuronColumns, renderEvidence} from './neuron_evidence_section.js';
import {neuronFigure, neuronsCsv} from './neuron_files.js';
import {listWidth, renderNeuronList, renderRankingOptions} from './neuron_list.js';
import {neuronPanel} from './neuron_panel.js';
import {
  askForTrust, clusterThreshold, comparedPercent, evaluator, minimalWithin, renderClusters, renderQuality, renderStability,
} from './neuron_trust_section.js';

/** Pixels below which the evidence stands under the list instead of beside it. */
const STACKED = 580;

const GUIDE = html`<details class="guide"><summary>How to read this</summary>
  <p><b>The question.</b> From which neurons of this layer is the concept decodable, and does the model’s pass depend on them? A neuron is one
    dimension of the hidden states, named layer:number.</p>
  <p><b>The list</b> ranks them by the method above. + and − say for which class more activation speaks. A high place says that the concept is
    <i>decodable from</i> the neuron, not that the model uses it; several neurons may say the same, and then a regression picks one of them. “Is the ranking
    stable?” and “Is the ranking any good?” tell how far to trust the order.</p>
  <p><b>Evidence.</b> The pooled activation by class, and the words on which the neuron fires. Highest words that have nothing to do with the
    concept hint at a shortcut of the data set, or at a neuron that does something else as well.</p>
  <p><b>Switch off and see.</b> Chosen neurons get another value at every token of this layer, in the real forward pass, and everything after it
    is computed again. Any change moves the answers a little: what counts is whether it does more than random sets of as many neurons
    that move the hidden states of the same layer as far. One text proves little; over the data the later layers are judged together. Until then, “decodable” is all that has been shown.</p>
  <p><b>Usual value</b> is the mean over training tokens: it takes away what differs between texts and leaves the rest of the
    model as it was trained. Zero can be far from anything the model has seen.</p></details>`;

definePanel('neurons-module', (LitPanel) => class NeuronsModule extends neuronPanel(LitPanel) {
  static title = 'Neurons';
  static infoMarkdown = `**Which neurons carry it?** The neurons of the current layer from which the concept is decodable, on what they fire, and what the later
layers say without them. “How to read this”, at the bottom, says more.`;

  choices() {
    return [...super.choices(), currentWord, listedTag, neuronColumns, topCount, evaluator, clusterThreshold, minimalWithin, comparedPercent];
  }

  furtherQuestions() {
    this.askForRanking();
    askForEvidence(this);
    askForEffects(this);
    askForTrust(this);
  }

  renderContent() {
    const notYet = this.renderNotYet();
    if (notYet) return notYet;
    const {width} = this.size;
    const stacked = width < STACKED;
    const list = listWidth(this.catalogue().label_names);
    const room = (stacked ? width : width - list) - 20;
    const ranking = this.answerOf('ranking');
    return html`<div class="module-container">
      ${this.renderToolbar(ranking)}
      <div class="module-results-area ${stacked ? '' : 'sides'}">${ranking ? html`<div class="neurons ${stacked ? 'stacked' : ''}">
          <div class="list" tabindex="-1" style=${stacked ? nothing : `width:${list}px`}>${renderNeuronList(this, ranking)}</div>
          <div class="about">
            ${renderEvidence(this, room)}
            ${renderEffects(this, room)}
            ${renderClusters(this)}
            ${renderStability(this, room)}
            ${renderQuality(this, room)}
            ${renderErasure(this, room)}
            <div class="notes">${ranking.notes.map((/** @type {string} */ note) => html`<div>${note}</div>`)}</div>
            ${GUIDE}
          </div></div>`
        : html`${this.renderPart('ranking', () => nothing, 'There is no ranking.')}${GUIDE}`}</div>
    </div>`;
  }

  /** @param {any} ranking  null: not there yet */
  renderToolbar(ranking) {
    const {methods} = this.catalogue();
    const {method} = this.ranking();
    const options = methods.map((/** @type {any} */ {name, title}) => ({value: name, title}));
    const layer = this.listedLayer();
    const best = this.about()?.best_layer;
    return html`<div class="module-toolbar wrapped">
      ${this.renderLayer(true)}
      <span class="toolbar-part">${renderSelect('method', 'Rank by', options, method, (value) => this.choose({method: value}))}</span>
      ${renderRankingOptions(this)}
      ${layer !== null && layer !== best ? html`<button class="text-button" @click=${() => currentLayer.set(null)}>back to ${placeTitle(best, placeNames(this.about()))}</button>` : nothing}
      ${ranking ? this.renderDownloads(ranking) : nothing}</div>`;
  }

  /** @param {any} ranking */
  renderDownloads(ranking) {
    const {model, dataset} = this.seen;
    const name = `neurons_${model}_${dataset}`;
    const figure = () => neuronFigure(this, ranking);
    return html`<span class="toolbar-part downloads">
      <button class="hairline-button save-csv" title="Download the listed neurons as a table" @click=${() => download(`${name}.csv`, 'text/csv', neuronsCsv(model, dataset, ranking))}>CSV</button>
      ${renderFigureButtons(name, figure, 'the drawings of this panel')}</span>`;
  }
});
