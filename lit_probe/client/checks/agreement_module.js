// @ts-check
/**
 * The panel "Probe against model": where the probes and the checkpoint's own classification head are right, and where they agree.
 */
/** @typedef {'both_right'|'probe_only'|'model_only'|'both_wrong'} Cell */
/** @import {Agreement, IndexedInput, LayerMetrics} from '../page/types.js' */
import {axes} from '../charts/axes.js';
import {FIGURE, figurePage} from '../charts/figure_page.js';
import {definePanel, html} from '../page/lit_host.js';
import {checkPanel} from '../panels/check_panel.js';
import {renderCaption, renderCharts} from '../panels/parts.js';
import {checkCsv} from '../words/files.js';
import {countOf, formatCount} from '../words/format.js';
import {intervalText} from '../words/sentences.js';
import {agreementChart, agreementDomain} from './check_charts.js';

const GUIDE = html`
  <p><b>The question.</b> This checkpoint has a classification head of its own. Does the probe of a layer say the same as the model’s own
    answer, and who is right where they differ?</p>
  <p><b>The table</b> counts the dev examples at the current layer. Click a number to select these examples in LIT: they appear in the
    data table, and all panels follow. The most telling ones are <i>only the probe is right</i>: the concept is decodable at this layer
    for examples that the model gets wrong.</p>
  <p><b>The curve</b> is the share of dev examples in which probe and model give the same class, right or wrong, with its 95 %
    interval. High agreement in late layers is to be expected: the head reads the last one. It does not show that the model uses
    what the probe of an earlier layer reads.</p>`;

definePanel('agreement-module', (LitPanel) => class AgreementModule extends checkPanel(LitPanel) {
  static title = 'Probe against model';
  static infoMarkdown = `**Do probe and model agree, and who is right?** Each layer’s probe against the checkpoint’s own classification head. Click a
number to select its examples.`;
  static guide = GUIDE;

  observed() {
    const inputs = /** @type {IndexedInput[]} */ (this.appState.currentInputData);
    return {...super.observed(), dev: inputs.filter(({data, meta}) => data.probe_split === 'dev' && !meta.added).map(({id}) => id)};
  }

  question() {
    return {interpreter: 'probe_checks', config: {check: 'agreement'}};
  }

  /** @param {Agreement} answer @param {LayerMetrics} about @param {number} layer */
  renderAnswer(answer, about, layer) {
    const size = this.chartSize(2);
    const domain = axes.join(this, JSON.stringify(['agreement', about.trained_on]), agreementDomain(answer));
    const view = {...size, domain, current: layer, hovered: this.hoveredLayer};
    const values = (/** @type {number} */ at) => [`agreement ${intervalText({...answer.layers[at], score: answer.layers[at].agreement})}`];
    const accuracy = intervalText({layer, score: answer.model.accuracy, low: answer.model.low, high: answer.model.high});
    return [
      renderCaption(html`Probe and model’s own head on <b>dev</b>, ${countOf(answer.n, 'example')}; the model alone: accuracy ${accuracy}`),
      renderCharts([html`<div style=${`width:${size.width}px`}>${this.renderCells(answer, about, layer)}</div>`,
        this.renderLayerChart(agreementChart(answer, about, view), about, layer, values)]),
      this.renderReading(about, layer, values(layer)),
    ];
  }

  /** Who is right, as a table whose numbers select their examples. @param {Agreement} answer @param {LayerMetrics} about @param {number} layer */
  renderCells(answer, about, layer) {
    const counts = answer.layers[layer];
    const own = this.seen.dataset === about.trained_on;
    const cell = (/** @type {Cell} */ name, /** @type {string} */ words) => {
      // Of another data set than the probes' own, LIT shows none of these examples.
      const ids = own ? this.idsOf(answer, layer, name) : [];
      return html`<td><button class="cell-button ${name}" ?disabled=${ids.length === 0} title=${`Select ${ids.length} shown examples in LIT`}
        @click=${() => this.selectionService.selectIds(ids, this)}><b>${formatCount(counts[name])}</b>${words}</button></td>`;
    };
    return html`<table class="cells">
      <tr><td></td><th scope="col">model right</th><th scope="col">model wrong</th></tr>
      <tr><th scope="row">probe right</th>${cell('both_right', 'both are right')}${cell('probe_only', 'only the probe')}</tr>
      <tr><th scope="row">probe wrong</th>${cell('model_only', 'only the model')}${cell('both_wrong', 'both are wrong')}</tr>
    </table>`;
  }

  /** The examples behind a count, among the dev examples that LIT shows. @param {Agreement} answer @param {number} layer @param {Cell} name @returns {string[]} */
  idsOf({rows}, layer, name) {
    const {layer: _, ...cells} = rows[layer];
    const dev = /** @type {string[]} */ (this.seen.dev);
    if (name !== 'both_right') return cells[name].map((position) => dev[position]).filter(Boolean);
    // What stands in no other cell.
    const others = new Set(Object.values(cells).flat());
    return dev.filter((_id, position) => !others.has(position));
  }

  /** @param {Agreement} answer @param {LayerMetrics} about */
  files(answer, about) {
    const {model} = this.seen;
    return {
      name: `agreement_${model}`,
      csv: checkCsv(model, about, ['layer', 'n', 'both_right', 'probe_only', 'model_only', 'both_wrong', 'agreement', 'low', 'high'],
        answer.layers.map((/** @type {any} */ row) => ({...row, n: answer.n}))),
      figure: figurePage({
        title: `Agreement of probes and model by layer: ${about.encoder} on ${about.trained_on}`,
        setting: `${about.pooling} pooling · ${about.probe} probes · dev, n = ${formatCount(answer.n)}`,
        charts: [agreementChart(answer, about, {...FIGURE, domain: agreementDomain(answer)})],
        footnotes: ['Shaded band: 95 % interval.'],
      }),
    };
  }
});
