// @ts-check
/** The panel "Patterns on tokens": which groups of feed-forward neurons fire together on which tokens of the selected text, and of its edit beside it. */
import {definePanel, exampleText, html, nothing} from '../page/lit_host.js';
import {download} from '../words/files.js';
import {oneLine} from '../words/format.js';
import {askForFactors, factorChoices, renderPatterns} from './neuron_factors_section.js';
import {factorsCsv} from './neuron_files.js';
import {neuronPanel} from './neuron_panel.js';

const GUIDE = html`<details class="guide"><summary>How to read this</summary>
  <p>Each line is a token, each column a <b>pattern</b>: feed-forward neurons that fire together. The darker, the more a token has of it; 1 is the most that any token
    has. Click a number to see the pattern’s neurons, as block:neuron.</p>
  <p><b>Side by side.</b> Pin a text, or edit one: both are split into the same patterns, and the same tokens stand in the same line. Lines that differ are tinted.</p>
  <p><b>How not to read it.</b> The number of patterns is your choice, and another one gives other patterns. A pattern on a word says that these neurons fire there, not that
    the model decides by them. Special tokens are left out: some neurons fire on them far more than on any word.</p></details>`;

definePanel('neuron-factors-module', (LitPanel) => class NeuronFactorsModule extends neuronPanel(LitPanel) {
  static title = 'Patterns on tokens';
  static infoMarkdown = `**Which neurons fire together, and where?** Patterns of the feed-forward neurons on the tokens of the selected text, and of its edit or the pinned one beside it.
“How to read this”, at the bottom, says more.`;

  choices() {
    return [...super.choices(), factorChoices];
  }

  furtherQuestions() {
    askForFactors(this, true);
  }

  renderContent() {
    const notYet = this.renderNotYet();
    if (notYet) return notYet;
    const {model, dataset} = this.seen;
    const factors = this.answerOf('factors');
    const save = () => download(`neuron_patterns_${model}_${dataset}.csv`, 'text/csv', factorsCsv(model, dataset, factors));
    return html`<div class="module-container">
      ${factors ? html`<div class="module-toolbar wrapped"><span class="toolbar-part downloads"><button class="hairline-button save-csv" title="Download the patterns on all tokens as a table" @click=${save}>CSV</button></span></div>` : nothing}
      <div class="module-results-area">
        <div class="text-titles">${this.texts().map(({title, example}) => html`<div class="section-title words"><b>${title}</b> <span class="quote" dir="auto" title=${exampleText(example)}>${oneLine(exampleText(example))}</span></div>`)}</div>
        ${renderPatterns(this, true)}
        ${GUIDE}
      </div></div>`;
  }
});
