// @ts-check
/** The panel "Calibration": can the probes' probabilities be taken at their word, as they are and after one temperature? */
/** @import {Calibration, LayerMetrics} from '../page/types.js' */
import {axes} from '../charts/axes.js';
import {FIGURE, figurePage} from '../charts/figure_page.js';
import {svgElement} from '../charts/svg.js';
import {observable} from '../page/choices.js';
import {definePanel, html, nothing} from '../page/lit_host.js';
import {checkPanel} from '../panels/check_panel.js';
import {card, renderCaption, renderCharts, renderLegend, renderSelect} from '../panels/parts.js';
import {checkCsv} from '../words/files.js';
import {countOf, formatScore} from '../words/format.js';
import {layerName} from '../words/sentences.js';
import {CALIBRATION_MEASURES, CALIBRATION_STYLES, calibrationChart, calibrationDomain, reliabilityChart} from './check_charts.js';

const measure = observable('ece');

const legend = () => [
  {style: CALIBRATION_STYLES.before, line: true, label: 'as fitted'},
  {style: CALIBRATION_STYLES.after, line: true, label: 'after temperature scaling'},
  ...(measure.get() === 'ece' ? [{style: CALIBRATION_STYLES.chance, line: true, label: 'chance alone, about'}] : []),
];

const GUIDE = html`
  <p><b>The question.</b> When a probe says “positive, 0.9”, is it right nine times out of ten?</p>
  <p><b>The reliability plot</b> sorts the dev examples of the current layer by the probability of the predicted class into at most
    15 groups, each of 20 examples or more. Each mark is a group: how sure the probe was, and how
    often it was right, with the 95 % interval of that share. On the dashed diagonal the two agree; below
    it the probe is too sure of itself, above it not sure enough.</p>
  <p><b>Expected calibration error</b> is the mean distance from the diagonal of 15 groups of equal size. Even perfect probabilities have some of it,
    because groups are finite: the dotted line is about what chance alone gives. <b>Brier score</b> and <b>log-loss</b> also count how
    much the probabilities tell. All three: lower is better.</p>
  <p><b>Temperature scaling</b> divides the probe’s logits by one number: above 1 it makes the probe less sure. The number for each
    example comes from other dev examples, so that none has a say in its own.</p>`;

definePanel('calibration-module', (LitPanel) => class CalibrationModule extends checkPanel(LitPanel) {
  static title = 'Calibration';
  static infoMarkdown = `**Can the probes’ probabilities be taken at their word?** How sure each probe is against how often it is right, before and
after one temperature has rescaled it.`;
  static guide = GUIDE;

  choices() {
    return [measure];
  }

  question() {
    return {interpreter: 'probe_checks', config: {check: 'calibration'}};
  }

  renderControls() {
    return renderSelect('measure', 'By layer', CALIBRATION_MEASURES, measure.get(), (value) => measure.set(value));
  }

  /** @param {Calibration} answer @param {LayerMetrics} about @param {number} layer */
  renderAnswer(answer, about, layer) {
    const shown = measure.get();
    const row = answer.layers[layer];
    if (row.diagram.length === 0) return card(html`There is no calibration to show: ${answer.reason || 'too few examples'} on dev, ${countOf(answer.n, 'example')}.`);
    const size = this.chartSize(2);
    const domain = axes.join(this, JSON.stringify(['calibration', about.trained_on, shown]), calibrationDomain(answer, shown));
    const byLayer = calibrationChart(answer, about, shown, {...size, domain, current: layer, hovered: this.hoveredLayer});
    return [
      renderCaption(html`Probabilities on <b>dev</b>, ${countOf(answer.n, 'example')}, drawn in ${row.diagram.length} groups of ${groupSizes(row.diagram)}`),
      answer.reliable ? nothing : html`<div class="doubt">Not to be relied on: ${answer.reason}</div>`,
      renderLegend(legend()),
      renderCharts([
        html`<div class="reliability" role="img" aria-label=${`Reliability plot of ${layerName(layer, about.layer_names)}`}>
          ${svgElement(reliabilityChart(row, size))}</div>`,
        this.renderLayerChart(byLayer, about, layer, (at) => layerValues(answer, at)),
      ]),
      this.renderReading(about, layer, layerValues(answer, layer)),
    ];
  }

  /** @param {Calibration} answer @param {LayerMetrics} about @param {number} layer */
  files(answer, about, layer) {
    const {model} = this.seen;
    const columns = ['layer', 'n', 'temperature', ...['ece', 'brier', 'log_loss'].flatMap((name) => [name, `${name}_after`]), 'ece_by_chance'];
    const size = {width: FIGURE.width, height: 300};
    const row = answer.layers[layer];
    const charts = [calibrationChart(answer, about, measure.get(), {...size, domain: calibrationDomain(answer, measure.get())})];
    return {
      name: `calibration_${model}`,
      csv: checkCsv(model, about, columns, answer.layers.map((/** @type {any} */ one) => ({...one, n: answer.n}))),
      figure: figurePage({
        title: `Calibration by layer: ${about.encoder} on ${about.trained_on}`,
        setting: `${about.pooling} pooling · ${about.probe} probes · dev, n = ${answer.n} · reliability plot: ${layerName(layer, about.layer_names)}`,
        charts: row.reliability.length ? [reliabilityChart(row, size), ...charts] : charts,
        legend: legend(),
      }),
    };
  }
});

/** How many examples the groups have: "11", or "11 to 12". @param {{n: number}[]} groups */
function groupSizes(groups) {
  const sizes = groups.map(({n}) => n);
  const [least, most] = [Math.min(...sizes), Math.max(...sizes)];
  return least === most ? String(least) : `${least} to ${most}`;
}

/** @param {Calibration} answer @param {number} layer @returns {string[]} */
function layerValues({layers}, layer) {
  const row = layers[layer];
  const pair = (/** @type {string} */ name, /** @type {'ece'|'brier'|'log_loss'} */ key) => `${name} ${formatScore(row[key])} → ${formatScore(row[`${key}_after`])}`;
  return [pair('ECE', 'ece'), pair('Brier', 'brier'), pair('log-loss', 'log_loss'), `temperature ${row.temperature === null ? '–' : row.temperature.toFixed(2)}`];
}
