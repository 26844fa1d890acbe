// @ts-check
/**
 * The panel "Selectivity by layer": how much better a layer's probe is at the task than at labels that say nothing about the
 * concept.
 */
/** @import {LayerMetrics, Selectivity} from '../page/types.js' */
import {axes} from '../charts/axes.js';
import {FIGURE, figurePage} from '../charts/figure_page.js';
import {observable} from '../page/choices.js';
import {categoricalColumns, definePanel, html, rowsAreWords} from '../page/lit_host.js';
import {checkPanel} from '../panels/check_panel.js';
import {renderCaption, renderCharts, renderLegend, renderSelect} from '../panels/parts.js';
import {checkCsv} from '../words/files.js';
import {formatScore} from '../words/format.js';
import {intervalText} from '../words/sentences.js';
import {SELECTIVITY_STYLES, selectivityCharts, selectivityDomains} from './check_charts.js';

const control = observable('word');

/** The control of data sets whose rows are words. */
const OF_WORDS = {value: 'word_type', title: 'the word as it is written'};

const GUIDE = html`
  <p><b>The question.</b> A high score may only say that the probe is good at learning <i>anything</i> from so many numbers. So the same
    probes are trained on a <i>control task</i> that has nothing to do with the concept: all texts with the same word get the same label,
    drawn at random. What the probe scores there comes from recognising words, not from the concept.</p>
  <p><b>Selectivity</b> is the task’s score less the control’s. Near 0 the probe does no better than on meaningless labels; well above
    0 the layer makes the concept easier to read than an arbitrary grouping of words. The band is the 95 % interval over dev examples
    and over the drawings of control labels; where it holds 0, chance may explain the difference.</p>
  <p><b>Memorisation</b> is the accuracy on the train examples themselves when each has a label of its own, drawn at random: how much probes of
    this layer can learn by heart, as strongly regularised as the task’s.</p>
  <p>A selective layer is one where the concept is decodable. That does not mean that the model uses it.</p>`;

definePanel('selectivity-module', (LitPanel) => class SelectivityModule extends checkPanel(LitPanel) {
  static title = 'Selectivity by layer';
  static infoMarkdown = `**Is it the concept, or just a capable probe?** The score on the task beside the score on control labels that mean
nothing, and the difference with its 95 % interval.`;
  static guide = GUIDE;

  choices() {
    return [control];
  }

  observed() {
    return {...super.observed(), columns: categoricalColumns().own, words: rowsAreWords()};
  }

  /** The control labels that are asked for; those of words are by the word alone. @returns {string} */
  control() {
    return this.seen.words ? OF_WORDS.value : control.get();
  }

  question() {
    return {interpreter: 'probe_checks', config: {check: 'selectivity', control: this.control()}};
  }

  renderControls() {
    const columns = this.seen.columns.map((/** @type {string} */ name) => ({value: `group:${name}`, title: `column ${name}`}));
    const options = this.seen.words ? [OF_WORDS] : [{value: 'word', title: 'most common content word'}, {value: 'first_word', title: 'first word'}, ...columns];
    return renderSelect('control', 'Control labels by', options, this.control(), (value) => control.set(value));
  }

  /** @param {Selectivity} answer @param {LayerMetrics} about @param {number} layer */
  renderAnswer(answer, about, layer) {
    const own = selectivityDomains(answer);
    const group = JSON.stringify(['selectivity', about.trained_on, answer.control]);
    const domains = {scores: axes.join(this, group, own.scores), difference: own.difference};
    const view = {...this.chartSize(2), domains, current: layer, hovered: this.hoveredLayer};
    const values = (/** @type {number} */ at) => layerValues(answer, at);
    return [
      renderCaption(html`<b>${about.metric_title}</b> on dev, less that on control labels (mean of ${answer.n_seeds} drawings)`),
      renderLegend([{style: SELECTIVITY_STYLES.task, label: 'task'}, {style: SELECTIVITY_STYLES.control, label: 'control'}]),
      renderCharts(selectivityCharts(answer, about, view).map((chart) => this.renderLayerChart(chart, about, layer, values))),
      this.renderReading(about, layer, [...values(layer), `memorisation on train ${formatScore(answer.memorisation[layer])}`], answer.metric),
    ];
  }

  /** @param {Selectivity} answer @param {LayerMetrics} about */
  files(answer, about) {
    const {model} = this.seen;
    const columns = ['metric', 'control_labels', 'layer', 'task', 'control', 'selectivity', 'low', 'high', 'memorisation'];
    const rows = answer.layers.map((/** @type {any} */ row) =>
      ({...row, metric: answer.metric, control_labels: answer.control, memorisation: answer.memorisation[row.layer]}));
    return {
      name: `selectivity_${model}`,
      csv: checkCsv(model, about, columns, rows),
      figure: figurePage({
        title: `Selectivity by layer: ${about.encoder} on ${about.trained_on}`,
        setting: `${about.metric_title} on dev · control labels by ${answer.title ?? answer.control} · ${about.pooling} pooling · ${about.probe} probes`,
        charts: selectivityCharts(answer, about, {width: FIGURE.width, height: 260, domains: selectivityDomains(answer)}),
        legend: [{style: SELECTIVITY_STYLES.task, line: true, label: 'task'}, {style: SELECTIVITY_STYLES.control, line: true, label: 'control'}],
        footnotes: ['Selectivity: task less control. Shaded band: its 95 % interval, over dev examples and control labellings.'],
      }),
    };
  }
});

/** @param {Selectivity} answer @param {number} layer @returns {string[]} */
function layerValues({layers}, layer) {
  const {task, control: of, selectivity, low, high} = layers[layer];
  return [`task ${formatScore(task)}`, `control ${formatScore(of)}`, `selectivity ${intervalText({layer, score: selectivity, low, high})}`];
}
