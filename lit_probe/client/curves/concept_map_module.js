// @ts-check
/** The panel "Concepts": which of several concepts is decodable at which layer? */
/** @import {ConceptMap, LayerMetrics} from '../page/types.js' */
import {figurePage} from '../charts/figure_page.js';
import {heatColor} from '../charts/palette.js';
import {placeNames} from '../charts/places.js';
import {stripChart} from '../charts/strip_chart.js';
import {currentLayer} from '../page/choices.js';
import {definePanel, html} from '../page/lit_host.js';
import {checkPanel} from '../panels/check_panel.js';
import {PANEL_CSS} from '../panels/css.js';
import {renderCaption, renderCharts} from '../panels/parts.js';
import {checkCsv} from '../words/files.js';
import {formatCount, formatScore} from '../words/format.js';
import {placeTitle} from '../words/sentences.js';
import {conceptSentence, conceptStrips} from './concept_strips.js';

const GUIDE = html`
  <p><b>The question.</b> A curve says at which layer the label is decodable. Is that special to the label? Here other concepts are asked of
    the same examples, each by probes of its own: every further column of the data set, and what stands on the surface of a text, such as how
    many words it has. What a probe can read off the surface, a curve has to beat.</p>
  <p><b>The colour</b> says how far a probe gets from the baseline, which always names the most frequent class, to a perfect score: 0 is the
    baseline or less, 1 is perfect. So concepts with two and with ten classes can be set side by side. A dashed frame marks the layer that was
    chosen on dev; concepts whose layer comes first stand first. “?”: too few examples to rely on.</p>
  <p>A concept that is decodable need not be one that the model uses. Word content: which of ten usual words a text holds (of texts that hold
    one of them). The tasks of the surface are SentEval’s, as far as they need no parser (Conneau et al., 2018).</p>`;

const CONCEPTS_CSS = `
  .concepts { border-collapse: collapse; margin: 6px 0 0 8px; font-size: 12px; }
  .concepts th, .concepts td { text-align: left; padding: 2px 12px 2px 0; vertical-align: top; }
  .concepts td.number { font-variant-numeric: tabular-nums; white-space: nowrap; }`;

definePanel('concept-map-module', (LitPanel) => class ConceptMapModule extends checkPanel(LitPanel) {
  static title = 'Concepts';
  static infoMarkdown = `**Which concepts are decodable where?** The label, the other columns of the data set and the surface of the texts, each by probes of its own on
the same examples.`;
  static interpreter = 'concept_map';
  static guide = GUIDE;
  static css = PANEL_CSS + CONCEPTS_CSS;

  question() {
    return {interpreter: 'concept_map', config: {}};
  }

  /** @param {ConceptMap} answer @param {LayerMetrics} about @param {number} layer */
  renderAnswer(answer, about, layer) {
    const strips = conceptStrips(answer);
    const values = (/** @type {number} */ at) => answer.rows.map((row) => conceptSentence(row, at));
    const chart = stripChart(strips, about, {width: this.size.width, current: layer, hovered: this.hoveredLayer, bestLayer: null});
    const stops = [0, 0.25, 0.5, 0.75, 1].map((share) => heatColor(share).fill).join(', ');
    return [
      renderCaption(html`From the baseline to a perfect score, on <b>dev</b>: ${formatCount(answer.rows.length)} concepts of ${answer.dataset}`),
      html`<div class="legend heat-key"><span>baseline or less</span>
        <span class="heat" style=${`background: linear-gradient(to right, ${stops})`}></span><span>perfect</span></div>`,
      renderCharts([this.renderLayerChart(chart, about, layer, values)]),
      this.renderReading(about, layer, [`${answer.rows.length} concepts`]),
      html`<table class="concepts"><thead><tr><th>Concept</th><th>${placeTitle(layer, placeNames(about))}</th><th>Baseline</th><th>Chosen</th></tr></thead>
        <tbody>${answer.rows.map((row) => {
        const {score, low, high} = row.cells[layer];
        return html`<tr><td title=${row.about}>${row.target}</td>
          <td class="number">${row.metric_title} ${formatScore(score)} [${formatScore(low)}, ${formatScore(high)}]</td>
          <td class="number">${formatScore(row.baseline)}</td>
          <td><button class="text-button" @click=${() => currentLayer.set(row.best_layer)}>${placeTitle(row.best_layer, placeNames(about))}</button></td></tr>`;
      })}</tbody></table>`,
    ];
  }

  /** @param {ConceptMap} answer @param {LayerMetrics} about */
  files(answer, about) {
    const {model} = this.seen;
    const cells = answer.rows.flatMap(({target, headline, baseline, best_layer: chosen, n, cells: of}) =>
      of.map((cell) => ({...cell, target, headline, baseline, chosen: cell.layer === chosen, n_dev: n.dev})));
    return {
      name: `concepts_${model}`,
      csv: checkCsv(model, about, ['target', 'headline', 'baseline', 'n_dev', 'layer', 'chosen', 'score', 'low', 'high', 'above', 'above_low', 'above_high', 'reliable'], cells),
      figure: figurePage({
        title: `Concepts by layer: ${answer.encoder} on ${answer.dataset}`,
        setting: `from the baseline to a perfect score on dev · ${about.pooling} pooling · ${about.probe} probes`,
        charts: [stripChart(conceptStrips(answer), about, {width: 640, bestLayer: null})],
        footnotes: ['White: the baseline or less. Dashed: chosen on dev. “?”: too few examples to rely on.'],
      }),
    };
  }
});
