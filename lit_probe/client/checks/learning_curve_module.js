// @ts-check
/** The panel "Learning curve": how does the score of each layer's probe grow with the number of training examples? */
/** @import {LayerMetrics, LearningCurve} from '../page/types.js' */
import {axes, linearScale, logAxis, nearest} from '../charts/axes.js';
import {FIGURE, figurePage} from '../charts/figure_page.js';
import {MARGIN, marginFor} from '../charts/line_chart.js';
import {placeNames} from '../charts/places.js';
import {svgElement} from '../charts/svg.js';
import {currentLayer} from '../page/choices.js';
import {definePanel, html} from '../page/lit_host.js';
import {checkPanel} from '../panels/check_panel.js';
import {layerByKey, onLayerKey, renderCaption} from '../panels/parts.js';
import {checkCsv} from '../words/files.js';
import {countOf, formatCount} from '../words/format.js';
import {intervalText, layerName, placeTitle} from '../words/sentences.js';
import {learningCurveChart, learningCurveDomain} from './check_charts.js';

const GUIDE = html`
  <p><b>The question.</b> Would more examples help, and how few suffice? Probes of every layer were trained on growing portions of the
    train examples and scored on all dev examples. The axis is logarithmic: each step to the right multiplies the examples.</p>
  <p><b>The thick line</b> is the current layer with its 95 % interval, which is about the dev examples, not about which train examples
    were taken. The dashed line is the dev-chosen layer, thin grey lines are the others. <b>Click</b> near a line, or use the arrow keys,
    to make its layer the current one.</p>
  <p>A curve that is still rising at the right end says that the score is limited by the number of examples. A layer that is high early
    makes the concept decodable from few. The last point of each curve is the score shown everywhere else.</p>`;

definePanel('learning-curve-module', (LitPanel) => class LearningCurveModule extends checkPanel(LitPanel) {
  static title = 'Learning curve';
  static infoMarkdown = `**Would more examples help?** The score on dev of probes trained on growing portions of the train examples, layer by layer.`;
  static guide = GUIDE;

  /** The number of training examples under the pointer. @type {?number} */
  hoveredSize = null;

  question() {
    return {interpreter: 'probe_checks', config: {check: 'learning_curve'}};
  }

  /** @param {LearningCurve} answer @param {LayerMetrics} about @param {number} layer */
  renderAnswer(answer, about, layer) {
    const domain = axes.join(this, JSON.stringify(['learning curve', about.trained_on]), learningCurveDomain(answer, layer));
    const size = this.chartSize(1);
    const hovered = this.hoveredSize;
    const chart = learningCurveChart(answer, {...size, domain, layer, bestLayer: about.best_layer, yTitle: answer.metric_title, hovered, names: placeNames(about)});
    const shown = answer.layers[layer].points;
    const at = shown.find(({n}) => n === hovered) ?? shown[shown.length - 1];
    return [
      renderCaption(html`<b>${answer.metric_title}</b> on dev, ${countOf(answer.n_dev, 'example')}, of probes trained on portions of train`),
      html`<div class="chart" role="slider" tabindex="0" aria-label="Current layer" aria-valuemin="0" aria-valuemax=${about.n_layers - 1}
        aria-valuenow=${layer} aria-valuetext=${`${layerName(layer, about.layer_names)}, ${intervalText({layer, ...at})} with ${countOf(at.n, 'training example')}`}
        @keydown=${(/** @type {KeyboardEvent} */ event) => onLayerKey(event, (key) => layerByKey(key, layer, about.n_layers))}
        @pointermove=${(/** @type {PointerEvent} */ event) => this.hoverSize(sizeUnder(event, answer))}
        @pointerleave=${() => this.hoverSize(null)}
        @click=${(/** @type {MouseEvent} */ event) => currentLayer.set(lineUnder(event, answer, domain, size.height))}>
        ${svgElement(chart)}</div>`,
      this.renderReading(about, layer, [`${intervalText({layer, ...at})} with ${countOf(at.n, 'training example')}`], answer.metric),
    ];
  }

  /** @param {?number} size */
  hoverSize(size) {
    if (size === this.hoveredSize) return;
    this.hoveredSize = size;
    this.requestUpdate();
  }

  /** @param {LearningCurve} answer @param {LayerMetrics} about @param {number} layer */
  files(answer, about, layer) {
    const {model} = this.seen;
    const rows = answer.layers.flatMap((/** @type {any} */ row) =>
      row.points.map((/** @type {any} */ point) => ({metric: answer.metric, n_dev: answer.n_dev, layer: row.layer, n_train: point.n, ...point})));
    return {
      name: `learning_curve_${model}`,
      csv: checkCsv(model, about, ['metric', 'n_dev', 'layer', 'n_train', 'score', 'low', 'high'], rows),
      figure: figurePage({
        title: `Learning curve by layer: ${about.encoder} on ${about.trained_on}`,
        setting: `${answer.metric_title} on dev, n = ${formatCount(answer.n_dev)} · ${about.pooling} pooling · ${about.probe} probes`,
        charts: [learningCurveChart(answer, {...FIGURE, domain: learningCurveDomain(answer, layer), layer, bestLayer: about.best_layer, yTitle: answer.metric_title, names: placeNames(about)})],
        footnotes: [`Thick line and 95 % interval: ${layerName(layer, about.layer_names)}. Dashed: ${placeTitle(about.best_layer, placeNames(about))}, chosen on dev. Thin: the other layers.`],
      }),
    };
  }
});

/** @param {MouseEvent} event @param {LearningCurve} answer @returns {number}  a number of training examples */
function sizeUnder(event, {n_train: nTrain}) {
  const {left, width} = /** @type {HTMLElement} */ (event.currentTarget).getBoundingClientRect();
  const margin = marginFor(['baseline', 'layer 00']);
  const {x} = logAxis(nTrain, '')([margin.left, width - margin.right]);
  return nTrain[nearest(nTrain.map(x), event.clientX - left)];
}

/** @param {MouseEvent} event @param {LearningCurve} answer @param {[number, number]} domain @param {number} height @returns {number}  a layer */
function lineUnder(event, answer, domain, height) {
  const {top} = /** @type {HTMLElement} */ (event.currentTarget).getBoundingClientRect();
  const size = sizeUnder(event, answer);
  const y = linearScale(domain, [height - MARGIN.bottom, MARGIN.top]);
  const heights = answer.layers.map((/** @type {any} */ {points}) => {
    const {score} = points.find((/** @type {any} */ {n}) => n === size);
    return score === null ? null : y(score);
  });
  return nearest(heights, event.clientY - top);
}
