// @ts-check
/** The panel "Transfer": how far the probes trained on one data set read the same classes off the texts of another. */
/** @import {LayerMetrics, Transfer} from '../page/types.js' */
import {figurePage} from '../charts/figure_page.js';
import {heatColor} from '../charts/palette.js';
import {definePanel, html} from '../page/lit_host.js';
import {checkPanel} from '../panels/check_panel.js';
import {renderCaption, renderCharts} from '../panels/parts.js';
import {checkCsv} from '../words/files.js';
import {transferSentence} from '../words/sentences.js';
import {transferChart, transferRows} from './check_charts.js';

const GUIDE = html`
  <p><b>The question.</b> Does a probe read the concept, or a habit of the data set it was trained on? Each strip is one pair: probes
    trained on the train examples of the data set before the arrow, scored on the dev examples of the one behind it.</p>
  <p>The stronger the colour, the better; no colour is what guessing scores, or less. A pair marked “its own dev” is the usual curve. Where a probe does well on its own data set
    and badly on another, the layer lets it read something that goes with the concept in one data set only. Layers often differ in this: the best one
    for its own data set need not be the best one for another.</p>
  <p>Left out are examples that the probe knows from its own train examples: exact copies, near copies (most words the same, one text within the
    other, or short and spelt alike), and examples of a group (an author, a film) that stands there too, where both data sets call their groups by one
    name. Which, and how many, is said below; the score with them stands in brackets. A question mark stands where there are too few examples to rely on.</p>`;

definePanel('transfer-module', (LitPanel) => class TransferModule extends checkPanel(LitPanel) {
  static title = 'Transfer';
  static infoMarkdown = `**Does the probe work on other data?** Probes trained on one data set, scored on the dev examples of each other one with the
same classes.`;
  static interpreter = 'transfer';
  static guide = GUIDE;

  question() {
    return {interpreter: 'transfer', config: {}};
  }

  /** @param {Transfer} answer @param {LayerMetrics} about @param {number} layer */
  renderAnswer(answer, about, layer) {
    const rows = transferRows(answer);
    const title = metricTitle(answer, about);
    const values = (/** @type {number} */ at) => rows.map((row) => transferSentence(row, at));
    const chart = transferChart(rows, about, {width: this.size.width, current: layer, hovered: this.hoveredLayer});
    return [
      renderCaption(html`<b>${title}</b> on dev: trained on → scored on`),
      renderHeatKey(about),
      renderCharts([this.renderLayerChart(chart, about, layer, values)]),
      this.renderReading(about, layer, values(layer), answer.metric),
    ];
  }

  /** @param {Transfer} answer @param {LayerMetrics} about */
  files(answer, about) {
    const {model} = this.seen;
    const rows = transferRows(answer);
    const cells = rows.flatMap(({train, test, n, leftOut, cells: of}) => of.map(({withLeftOut, ...cell}) => ({...cell, train_set: train, test_set: test, n, left_out: leftOut, with_left_out: withLeftOut, metric: answer.metric})));
    return {
      name: `transfer_${model}`,
      csv: checkCsv(model, about, ['train_set', 'test_set', 'metric', 'layer', 'score', 'low', 'high', 'n', 'left_out', 'with_left_out', 'reason'], cells),
      figure: figurePage({
        title: `Transfer between data sets by layer: ${about.encoder}`,
        setting: `${metricTitle(answer, about)} on dev · ${about.pooling} pooling · ${about.probe} probes · trained on → scored on`,
        charts: [transferChart(rows, about, {width: 640})],
        footnotes: ['White: what guessing scores, or less. “?”: too few examples to rely on.'],
      }),
    };
  }
});

/** @param {Transfer} answer @param {LayerMetrics} about @returns {string} */
function metricTitle({metric}, {metrics}) {
  return metrics.find(({name}) => name === metric)?.title ?? metric;
}

/** Which colour stands for which score. @param {LayerMetrics} about */
function renderHeatKey({label_names: labelNames}) {
  const chance = 1 / labelNames.length;
  const stops = [0, 0.25, 0.5, 0.75, 1].map((share) => heatColor(share).fill).join(', ');
  return html`<div class="legend heat-key"><span>${chance.toFixed(2)} or less, as by guessing</span>
    <span class="heat" style=${`background: linear-gradient(to right, ${stops})`}></span><span>1.00</span></div>`;
}
