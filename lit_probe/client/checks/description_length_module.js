// @ts-check
/** The panel "Description length": how many bits do the labels cost someone who has a layer's activations? */
/** @import {DescriptionLength, LayerMetrics} from '../page/types.js' */
import {axes} from '../charts/axes.js';
import {FIGURE, figurePage} from '../charts/figure_page.js';
import {definePanel, html, nothing} from '../page/lit_host.js';
import {checkPanel} from '../panels/check_panel.js';
import {renderCaption, renderCharts, renderLegend} from '../panels/parts.js';
import {checkCsv} from '../words/files.js';
import {countOf, formatCount} from '../words/format.js';
import {COMPRESSION_STYLES, compressionDomain, descriptionLengthChart, priorCoincides} from './check_charts.js';

const LEGEND = [
  {style: COMPRESSION_STYLES.compression_to_prior, line: true, label: 'against the label-prior code'},
  {style: COMPRESSION_STYLES.compression, line: true, label: 'against the uniform code'},
];

const GUIDE = html`
  <p><b>The question.</b> A score says how well a probe ends up, not how hard it was to get there. The description length counts both:
    imagine sending all train labels to someone who has the activations. You send a few, both of you train a probe on them, and the next
    labels cost only as many bits as that probe is surprised by; and so on with ever larger portions.</p>
  <p><b>Compression</b> is how many times shorter this gets than a code without activations. 1 (the dashed line) is no help at all;
    3 means a third of the bits. The <i>label-prior code</i> knows how frequent classes are: against it, only what the activations tell
    counts. The <i>uniform code</i> takes every class as equally likely, so that unequal classes alone look like compression.</p>
  <p>Of two layers with the same score, the one with the higher compression makes the concept decodable from fewer examples. This does
    not say that the model uses it. (Online code: Voita and Titov, 2020.)</p>`;

definePanel('description-length-module', (LitPanel) => class DescriptionLengthModule extends checkPanel(LitPanel) {
  static title = 'Description length';
  static infoMarkdown = `**How hard is it to read the concept off a layer?** The bits that the train labels cost someone who has the layer’s activations,
as compression against codes that read none.`;
  static guide = GUIDE;

  question() {
    return {interpreter: 'probe_checks', config: {check: 'description_length'}};
  }

  /** @param {DescriptionLength} answer @param {LayerMetrics} about @param {number} layer */
  renderAnswer(answer, about, layer) {
    const domain = axes.join(this, JSON.stringify(['description length', about.trained_on]), compressionDomain(answer));
    const chart = descriptionLengthChart(answer, about, {...this.chartSize(1), domain, current: layer, hovered: this.hoveredLayer});
    const values = (/** @type {number} */ at) => layerValues(answer, at);
    return [
      renderCaption(html`Code of the <b>train</b> labels, ${countOf(answer.n, 'example')}, in ${answer.portions.length} portions`),
      renderLegend(LEGEND),
      renderCharts([this.renderLayerChart(chart, about, layer, values)]),
      priorCoincides(answer) ? html`<div class="remark">The two lines coincide: the classes are equally frequent.</div>` : nothing,
      this.renderReading(about, layer, values(layer)),
    ];
  }

  /** @param {DescriptionLength} answer @param {LayerMetrics} about */
  files(answer, about) {
    const {model} = this.seen;
    return {
      name: `description_length_${model}`,
      csv: checkCsv(model, about, ['layer', 'n', 'bits', 'prior_bits', 'uniform_bits', 'compression_to_prior', 'compression'],
        answer.layers.map((/** @type {any} */ row) => ({...row, n: answer.n}))),
      figure: figurePage({
        title: `Description length by layer: ${about.encoder} on ${about.trained_on}`,
        setting: `${about.pooling} pooling · ${about.probe} probes · train labels, n = ${formatCount(answer.n)}`,
        charts: [descriptionLengthChart(answer, about, {...FIGURE, domain: compressionDomain(answer)})],
        legend: LEGEND,
        footnotes: ['Dashed horizontal line: no compression.'],
      }),
    };
  }
});

/** @param {DescriptionLength} answer @param {number} layer @returns {string[]} */
function layerValues({layers}, layer) {
  const {bits, prior_bits: prior, compression, compression_to_prior: toPrior} = layers[layer];
  return [`${formatCount(Math.round(bits))} of ${formatCount(Math.round(prior))} bits`, `compression ${toPrior.toFixed(2)}`, `${compression.toFixed(2)} against the uniform code`];
}
