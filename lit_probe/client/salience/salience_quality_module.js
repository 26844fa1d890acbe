// @ts-check
/**
 * The panel "How far to trust it": whether the words that each method names matter to the prediction (faithfulness), and whether its
 * maps stay the same where nothing happened (stability).
 */
/** @import {Measure} from './measures.js' */
import {barCell} from '../charts/bar_cell.js';
import {figurePage} from '../charts/figure_page.js';
import {svgElement} from '../charts/svg.js';
import {definePanel, html, nothing} from '../page/lit_host.js';
import {card, renderDownloads} from '../panels/parts.js';
import {formatScore} from '../words/format.js';
import {faithfulnessMeasures, meanText, measureChart, qualityCsv, stabilityMeasures} from './measures.js';
import {renderMethodBoxes, renderOptions} from './method_settings.js';
import {salienceCheckPanel} from './salience_check_panel.js';
import {salienceChoices} from './salience_panel.js';
import {pickedMethods} from './salience_plan.js';

const FIGURE_WIDTH = 760;
const SLOW = 'With all methods this takes minutes; fewer texts or methods, above, make it faster.';

const GUIDE = html`<details class="guide"><summary>How to read this</summary>
  <p><b>Faithfulness.</b> A map says which words matter; so erase them and see. Each method’s top words are erased (by the mask token,
    unless the options say otherwise), or all others are. The same is done in a <i>random order</i> of the words: a method that does
    not beat it says nothing about the prediction. How good any order could be differs from text to text, so the bars run from the
    <i>worst possible</i> order of each text (0) to the <i>best possible</i> one (1); the dashed line is the random order.</p>
  <p><b>Compare models and layers</b> by these bars only: the raw falls also depend on how sure a model is of itself.</p>
  <p><b>Stability.</b> Another seed should not change the map, and a small edit should change it no more than it changes the
    prediction. A stable map need not be a true one: a map that never changes is perfectly stable.</p>
  <p><b>The thin line on a bar</b> is its 95 % interval over texts: methods whose intervals overlap much may differ by chance.</p></details>`;

definePanel('salience-quality-module', (LitPanel) => class SalienceQualityModule extends salienceCheckPanel(LitPanel) {
  static title = 'How far to trust it';
  static infoMarkdown = `**Do the words that a method names matter to the prediction, and does its map stay the same where nothing happened?** Measured
when you press a button.`;

  checks() {
    const {methods} = salienceChoices.get();
    const picked = pickedMethods(salienceChoices.get(), this.catalogue());
    const uses = picked.flatMap(({uses: of}) => of);
    const config = methods === null ? {} : {methods: picked.map(({name}) => name)};
    return [{name: 'faithfulness', config, uses: [...uses, 'replace']}, {name: 'stability', config, uses}];
  }

  renderContent() {
    const notYet = this.renderNotYet(this.explained() === 'probe');
    if (!this.catalogue()) return notYet;
    const done = {faithfulness: this.answerOf('faithfulness'), stability: this.answerOf('stability')};
    return html`<div class="module-container">
      <div class="module-toolbar wrapped">${this.renderExplain()}${this.explained() === 'probe' ? this.renderLayer() : nothing}
        ${done.faithfulness || done.stability ? html`<span class="downloads">${renderDownloads(this.files(done))}</span>` : nothing}</div>
      <div class="module-results-area">${this.renderSettings()}${notYet ?? this.renderChecks()}${GUIDE}</div>
    </div>`;
  }

  renderSettings() {
    const catalogue = this.catalogue();
    const methods = [...pickedMethods(salienceChoices.get(), catalogue), {signed: true, uses: ['seed', 'replace']}];
    return html`<details class="settings"><summary>Texts, methods and options</summary>
      <div class="choices">${this.renderSample('faithfulness', 'Texts for faithfulness, at most')}${this.renderSample('stability', 'for stability')}</div>${renderMethodBoxes(catalogue)}${renderOptions(catalogue, methods, {aggregation: false})}</details>`;
  }

  renderChecks() {
    if (pickedMethods(salienceChoices.get(), this.catalogue()).length === 0) return card('Pick at least one method, under “Texts, methods and options”.');
    const [faithfulness, stability] = this.checks();
    const about = html`Explained: <b>${this.explainedName()}</b>.`;
    return [
      html`<div class="block faithfulness"><div class="block-title">Faithfulness: do these words matter to the prediction?</div>
        <div class="intro">${about} Words are erased in each method’s order; then the prediction is made again.</div>
        ${this.renderCheck(faithfulness, 'Measure faithfulness', (answer) => this.renderMeasures(answer, faithfulnessMeasures(answer)), SLOW)}</div>`,
      html`<div class="block stability"><div class="block-title">Stability: does the map stay the same?</div>
        <div class="intro">${about} Maps are made again with other seeds, and of slightly edited texts.</div>
        ${this.renderCheck(stability, 'Measure stability', (answer) => this.renderMeasures(answer, stabilityMeasures(answer)), SLOW)}</div>`,
    ];
  }

  /** @param {any} answer @param {Measure[]} measures */
  renderMeasures(answer, measures) {
    return [this.renderAbout(answer), measures.map((measure) => this.renderMeasure(measure)), this.renderRemarks(answer)];
  }

  /** @param {Measure} measure */
  renderMeasure({name, title, sentence, domain, ends, references, rawTitle, rows}) {
    const room = this.size.width - 24;
    const [label, numbers] = [Math.min(170, 0.28 * room), rawTitle ? 184 : 134];
    const bar = Math.max(60, Math.min(360, Math.floor(room - label - numbers - 8)));
    return html`<div class="measure ${name}"><h4>${title}</h4><p>${sentence}</p>
      <table class="bars"><colgroup><col style=${`width:${label}px`}><col style=${`width:${bar}px`}><col></colgroup>
        <thead><tr><th></th><th><span class="ends" style=${`width:${bar - 6}px`}><span>${ends[0]}</span><span>${ends[1]}</span></span></th><th class="number"></th></tr></thead>
        <tbody>${rows.map((row) => html`<tr class=${row.quiet ? 'quiet' : ''} data-method=${row.name}><th scope="row">${row.title}</th>
          ${row.bar === null ? html`<td colspan="2"><span class="row-error">${row.reason}</span></td>`
            : html`<td>${svgElement(barCell(row.bar, {width: bar, height: 18, domain, quiet: row.quiet, references}))}</td>
              <td class="number"><span>${meanText(row.bar)}</span>${row.raw ? html` <span class="raw">${rawTitle} ${formatScore(row.raw.mean)}</span>` : nothing}</td>`}</tr>`)}</tbody></table></div>`;
  }

  /** @param {{faithfulness: any, stability: any}} done */
  files({faithfulness, stability}) {
    const {model, dataset} = this.seen;
    const first = faithfulness ?? stability;
    const measures = [...(faithfulness ? faithfulnessMeasures(faithfulness) : []), ...(stability ? stabilityMeasures(stability) : [])];
    return {
      name: `salience_quality_${model}_${dataset}`,
      csv: qualityCsv(model, dataset, {faithfulness, stability}),
      figure: figurePage({
        title: `How far to trust salience maps of the ${first.explained}: ${model} on ${dataset}`,
        setting: `${first.n_texts} texts (${first.rows.source}), seed ${first.seed}`,
        charts: measures.map((measure) => measureChart(measure, {width: FIGURE_WIDTH})),
        footnotes: [
          'Thin lines: 95 % intervals over texts.',
          ...(faithfulness ? ['Dashed: random order, and for macro-F1 the texts as they are.'] : []),
          ...(stability ? ['Grey bars across seeds: methods without a seed.'] : []),
        ],
      }),
    };
  }
});
