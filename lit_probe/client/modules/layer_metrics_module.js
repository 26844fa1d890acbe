// @ts-check
/**
 * The panel "Probe by layer": at which layer is the concept decodable, over the selection or the whole data set, and what
 * do the probes of all layers say about the selected example?
 *
 * The panel only draws. It is a function of what LIT shows (model, data set, selection, pinned example), of the choices that
 * all copies of the panel share, and of the server's answers in `answers`.
 */
/** @typedef {import('../lib/types.js').IndexedInput} IndexedInput */
/** @typedef {import('../lib/types.js').LayerMetrics} LayerMetrics */
/** @typedef {import('../lib/types.js').DrawnSeries} DrawnSeries */
/** @typedef {import('../lib/result_store.js').Result} Result */
import {currentLayer} from '../lib/current_layer.js';
import {curveChart, MARGIN} from '../lib/curve_chart.js';
import {curveCsv} from '../lib/curve_csv.js';
import {download} from '../lib/download.js';
import {drawnLayers} from '../lib/drawn_layers.js';
import {drawnSeries} from '../lib/drawn_series.js';
import {layerScale} from '../lib/layer_scale.js';
import {definePanel, exampleText, fitTogether, html, interpretation, nothing, offersInterpreter, pinnedExample, selectedSlice} from '../lib/lit_host.js';
import {marker} from '../lib/marker.js';
import {observable} from '../lib/observable.js';
import {COLORS, SPLIT_STYLES} from '../lib/palette.js';
import {paperFigure} from '../lib/paper_figure.js';
import {requestKey} from '../lib/request_key.js';
import {resolveLayer} from '../lib/resolve_layer.js';
import {ResultStore} from '../lib/result_store.js';
import {scoreDomain} from '../lib/score_domain.js';
import * as sentences from '../lib/sentences.js';
import {seriesLegend} from '../lib/series_legend.js';
import {SharedAxis} from '../lib/shared_axis.js';
import {stripChart, stripsHeight} from '../lib/strip_chart.js';
import {svgElement} from '../lib/svg_element.js';
import {svgNode} from '../lib/svg_node.js';
import {svgText} from '../lib/svg_text.js';

// LIT's tooltip shows six short lines; the panel itself holds the rest.
const INFO = `**At which layer is the concept decodable?** The score of one probe per layer, with its 95 % interval, over the selection or
the whole data set. “How to read this”, at the bottom of the panel, says more.`;

const GUIDE = html`<details class="guide"><summary>How to read this</summary>
  <p><b>The curve.</b> One probe, a small classifier, was trained on the activations of each layer of the encoder; layer 0 is the
    embedding output. The curve shows how well each probe does. A concept is <i>decodable</i> at a layer when the probe can read it
    off that layer. That does not mean that the model uses it.</p>
  <p><b>The shaded band</b> is the 95 % interval of each score: scores whose intervals overlap much may differ by chance. It turns
    grey, with the reason, where there are too few examples to rely on it. <b>The dashed line</b> is what always answering the
    larger class would score.</p>
  <p><b>Test is a single point</b> because the layer was chosen on the dev examples. Scoring that one layer on the test examples
    gives an honest number; the best of all test scores would be flattered. “test at every layer” shows them all the same. The
    probes have seen the train examples: their curve shows how well the probes fit, not what is decodable.</p>
  <p><b>Click a layer</b>, or use the arrow keys (Escape goes back to the dev-chosen layer), to make it the current layer of all
    lit_probe panels. The strips show the selected example’s probabilities at every layer; pin an example to compare two. One
    selected example leaves the curve as it is, several are scored by themselves. Edited examples are shown, but not scored.</p>
</details>`;

/** Pixels that toolbar, caption, legend and reading need, and those that one example needs beside its strips. */
const HEIGHT_AROUND_CHART = 140;
const HEIGHT_AROUND_STRIPS = 72;

/** Answers and choices outlive the elements: LIT re-creates panels, and two models side by side should look alike. */
const answers = new ResultStore();
const axes = new SharedAxis();
const choices = observable({
  dev: true,
  testEverywhere: false,
  train: false,
  /** @type {Record<string, string>} the metric picked on each data set: per-class metrics name its labels */
  metrics: {},
});

const css = `
  :host { display: block; height: 100%; color: var(--lit-neutral-800); font-family: Roboto, sans-serif; }
  .module-toolbar { justify-content: space-between; border-bottom: 1px solid var(--lit-neutral-200); }
  .toolbar-part { display: flex; align-items: center; flex-wrap: wrap; min-width: 0; }
  .dropdown { max-width: 220px; text-overflow: ellipsis; }
  .hairline-button { margin: 2px; padding: 0 8px; }
  .hairline-button:focus-visible, .text-button:focus-visible { outline: 2px solid var(--lit-cyea-500); }
  .module-results-area { overflow-x: hidden; scrollbar-gutter: stable; }
  .stale { opacity: .45; }
  .caption, .legend, .doubt, .reading, .notes, .example { padding: 0 12px; }
  .caption { margin-top: 8px; line-height: 18px; }
  .left-out, .doubt { color: var(--lit-neutral-700); }
  .legend { display: flex; flex-wrap: wrap; column-gap: 16px; align-items: center; margin-top: 4px; font-size: 12px; }
  .legend label, .legend span { display: inline-flex; align-items: center; min-height: 22px; }
  .legend label { cursor: pointer; }
  .legend input { margin: 0 4px 0 0; accent-color: var(--lit-cyea-600); }
  .legend svg { flex: none; margin-right: 6px; }
  .chart { position: relative; cursor: pointer; outline: none; margin-top: 2px; }
  .chart:focus-visible { box-shadow: inset 0 0 0 2px var(--lit-cyea-500); }
  .chart svg, .strips svg { display: block; pointer-events: none; }
  .tooltip { position: absolute; bottom: 46px; padding: 5px 8px; background: white; border: 1px solid var(--lit-neutral-300); border-radius: 3px;
             box-shadow: 0 1px 3px rgba(0, 0, 0, .2); font-size: 12px; line-height: 17px; pointer-events: none; white-space: nowrap; z-index: 1; }
  .tooltip div { display: flex; align-items: center; }
  .tooltip svg { margin-right: 4px; }
  .reading { line-height: 20px; }
  .text-button { display: inline; margin: 0 0 0 6px; padding: 0; border: none; background: none; color: var(--lit-cyea-600); font: inherit; text-decoration: underline; }
  .text-button:hover { background: none; color: var(--lit-cyea-500); }
  .notes { margin: 6px 0 10px; font-size: 12px; line-height: 17px; color: var(--lit-neutral-700); }
  .example { border-top: 1px solid var(--lit-neutral-200); padding-top: 6px; margin-top: 6px; }
  .example-title { display: flex; gap: 6px; align-items: center; min-width: 0; }
  .example-title b, .badge { flex: none; }
  .quote { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; color: var(--lit-neutral-700); }
  .badge { padding: 0 6px; border-radius: 8px; font-size: 11px; line-height: 16px; background: var(--lit-bric-100); color: var(--lit-bric-700); }
  .strips { margin: 4px 0 8px; cursor: pointer; }
  .guide { margin: 0 12px 12px; font-size: 12px; line-height: 17px; color: var(--lit-neutral-800); }
  .guide summary { cursor: pointer; color: var(--lit-cyea-600); }
  .guide p { margin: 6px 0; max-width: 640px; }
  .card { margin: 12px; padding: 10px 12px; border-left: 3px solid var(--lit-cyea-500); background: var(--lit-mintonal-p-1); line-height: 18px; }
  .card.error { border-left-color: var(--google-red-600); background: var(--google-red-50); }
  .card .message { white-space: pre-wrap; overflow-wrap: anywhere; }
  .card .hairline-button { display: inline-block; margin: 8px 8px 0 0; }
  .working { display: flex; align-items: center; gap: 14px; }
  progress { width: 100%; height: 6px; margin-top: 8px; accent-color: var(--lit-cyea-600); }
`;

definePanel('layer-metrics-module', (LitPanel) => class LayerMetricsModule extends LitPanel {
  static title = 'Probe by layer';
  static infoMarkdown = INFO;
  static numCols = 5;
  static duplicateAsRow = true;
  static css = css;

  static template = (/** @type {string} */ model, /** @type {number} */ selectionServiceIndex, /** @type {number} */ shouldReact) => html`
    <layer-metrics-module model=${model} .shouldReact=${shouldReact} selectionServiceIndex=${selectionServiceIndex}>
    </layer-metrics-module>`;

  /** @param {any} modelInfos */
  static shouldDisplayModule(modelInfos) {
    return offersInterpreter(modelInfos, 'layer_metrics');
  }

  /** What LIT shows now; null before the first reaction. @type {?ReturnType<LayerMetricsModule['observed']>} */
  seen = null;
  /** The questions whose answers are on the panel. */
  keys = {metrics: '', selected: '', pinned: ''};
  /** The last curve, drawn pale while the next one is on its way. @type {?{model: string, dataset: string, answer: LayerMetrics, examples: Parameters<typeof sentences.examplesWords>[0]}} */
  lastCurve = null;
  /** @type {?number} */
  hoveredLayer = null;
  size = {width: 0, height: 0};
  /** @type {(() => void)[]} */
  endings = [];

  connectedCallback() {
    super.connectedCallback();
    const redraw = () => void this.requestUpdate();
    const resized = new ResizeObserver(() => this.measure());
    resized.observe(this);
    this.endings = [
      answers.subscribe(redraw),
      currentLayer.subscribe(redraw),
      choices.subscribe(() => this.ask()),
      () => resized.disconnect(),
      axes.subscribe(redraw),
      () => axes.leave(this),
      () => answers.release(this),
    ];
    this.reactImmediately(() => this.observed(), (/** @type {ReturnType<LayerMetricsModule['observed']>} */ seen) => {
      this.seen = seen;
      this.ask();
    });
  }

  disconnectedCallback() {
    super.disconnectedCallback();
    for (const end of this.endings) end();
  }

  /** @param {unknown} changed */
  updated(changed) {
    super.updated(changed);
    this.measure();
  }

  /** Takes note of the room there is; a scroll bar takes some of the width. */
  measure() {
    const area = this.shadowRoot?.querySelector('.module-results-area') ?? this;
    const [width, height] = [area.clientWidth, this.clientHeight];
    if (width === this.size.width && height === this.size.height) return;
    this.size = {width, height};
    this.requestUpdate();
  }

  /** Everything of LIT's state that the panel depends on. Runs inside a reaction. */
  observed() {
    const {currentDataset, currentInputData} = this.appState;
    const selected = /** @type {IndexedInput[]} */ (this.selectionService.selectedInputData);
    const primary = /** @type {?IndexedInput} */ (this.selectionService.primarySelectedInputData);
    const pinned = pinnedExample();
    return {
      model: /** @type {string} */ (this.model),
      dataset: /** @type {string} */ (currentDataset),
      // One example makes no curve: clicking on a row shows its probabilities and leaves the curve as it is.
      scored: /** @type {IndexedInput[]} */ (selected.length > 1 ? selected : currentInputData),
      nSelected: selected.length,
      slice: selectedSlice(),
      primary,
      pinned: pinned && pinned.id !== primary?.id ? pinned : null,
      fits: fitTogether(this.model, currentDataset),
    };
  }

  /** Says which answers the panel needs now, and draws what is known. */
  ask() {
    const {seen} = this;
    if (seen) {
      const metric = choices.get().metrics[seen.dataset] ?? 'headline';
      this.keys = {
        metrics: this.want('metrics', 'layer_metrics', seen.scored, {metric}),
        selected: this.want('selected', 'layer_predictions', seen.primary ? [seen.primary] : [], {}),
        pinned: this.want('pinned', 'layer_predictions', seen.pinned ? [seen.pinned] : [], {}),
      };
    }
    this.requestUpdate();
  }

  /**
   * @param {string} slot
   * @param {string} interpreter
   * @param {IndexedInput[]} inputs
   * @param {Record<string, string>} config
   * @returns {string}  the question's key
   */
  want(slot, interpreter, inputs, config) {
    const {model, dataset, fits} = /** @type {NonNullable<typeof this.seen>} */ (this.seen);
    const key = requestKey([interpreter, model, dataset, ...Object.values(config)], inputs.map(({id}) => id));
    const load = () => interpretation({model, dataset, interpreter, inputs, config});
    answers.want(this, slot, fits && inputs.length > 0 ? key : null, load);
    return key;
  }

  /** Asks again whatever failed: what broke one answer has often broken them all. */
  retry() {
    for (const key of Object.values(this.keys)) answers.retry(key);
  }

  renderPanel() {
    const {seen} = this;
    if (!seen || this.size.width === 0) return nothing;
    if (!seen.fits || seen.scored.length === 0) return card('There are no examples here that this model’s probes can be scored on.');
    const examples = {nScored: seen.scored.length, nSelected: seen.nSelected, slice: seen.slice};
    const result = answers.read(this.keys.metrics) ?? {state: 'loading'};
    if (result.state === 'ready') this.lastCurve = {model: seen.model, dataset: seen.dataset, answer: result.answer, examples};
    const last = this.lastCurve?.model === seen.model && this.lastCurve.dataset === seen.dataset ? this.lastCurve : null;

    if (result.state === 'failed') return this.renderFailure(result, last);
    if (result.state === 'computing') return renderProgress(result);
    if (!last) return renderProgress({state: 'loading', message: 'Scoring the probes of all layers'});
    return this.renderCurve(last, result.state === 'loading');
  }

  /** @param {Result} result @param {typeof this.lastCurve} last */
  renderFailure(result, last) {
    const {dataset} = /** @type {NonNullable<typeof this.seen>} */ (this.seen);
    const picked = choices.get().metrics[dataset] !== undefined;
    const toHeadline = () => setMetric(dataset, undefined);
    return html`<div class="module-container">
      ${last ? this.renderToolbar(last, null) : nothing}
      <div class="module-results-area"><div class="card error" role="alert">
        <b>The scores could not be computed.</b>
        <div class="message">${result.message}</div>
        <button class="hairline-button retry" @click=${() => this.retry()}>Retry</button>
        ${picked ? html`<button class="hairline-button" @click=${toHeadline}>Show the headline metric</button>` : nothing}
      </div></div>
    </div>`;
  }

  /** @param {NonNullable<typeof this.lastCurve>} curve @param {boolean} stale */
  renderCurve(curve, stale) {
    const {answer, examples} = curve;
    const drawn = drawnSeries(answer.series, choices.get());
    const layer = resolveLayer(currentLayer.get(), answer.best_layer, answer.n_layers);
    const leftOut = sentences.leftOutSentences(answer.left_out);
    return html`<div class="module-container">
      ${this.renderToolbar(curve, drawn.length ? drawn : null)}
      <div class="module-results-area">
        <div class=${stale ? 'stale' : 'fresh'} aria-busy=${stale ? 'true' : 'false'}>
          <div class="caption" role="status"><b>${stale ? 'Updating …' : sentences.selectionSentence(examples)}</b>
            ${leftOut.length ? html`<span class="left-out"> · ${leftOut.join(' · ')}</span>` : nothing}</div>
          ${answer.series.length === 0
            ? html`<div class="card">None of these examples can be scored, so there is no curve.</div>`
            : [renderLegend(answer, drawn), renderDoubts(drawn), this.renderChart(answer, drawn, layer), renderReading(answer, drawn, layer)]}
        </div>
        ${this.renderExample('selected', 'Selected example', answer, layer)}
        ${this.renderExample('pinned', 'Pinned example', answer, layer)}
        ${renderNotes(answer)}
        ${GUIDE}
      </div>
    </div>`;
  }

  /** @param {NonNullable<typeof this.lastCurve>} curve @param {?DrawnSeries[]} drawn  null: there is nothing to download */
  renderToolbar({answer, model, dataset, examples}, drawn) {
    const name = `layer_metrics_${model}_${dataset}_${answer.metric}`;
    const words = sentences.examplesWords(examples);
    const saveCsv = () => download(`${name}.csv`, 'text/csv', curveCsv(answer, drawn ?? [], {model, dataset, examples: words}));
    const saveSvg = () => download(`${name}.svg`, 'image/svg+xml', svgText(paperFigure(answer, drawn ?? [], words, dataset)));
    const pick = (/** @type {Event} */ event) => setMetric(dataset, /** @type {HTMLSelectElement} */ (event.target).value);
    const picked = choices.get().metrics[dataset] ?? answer.metric;
    return html`<div class="module-toolbar">
      <div class="toolbar-part">
        <label class="dropdown-label" for="metric">Metric&nbsp;</label>
        <select id="metric" class="dropdown" @change=${pick}>
          ${answer.metrics.map(({name: value, title}) => html`<option value=${value} ?selected=${value === picked}>
            ${title}${value === answer.headline ? ' (headline)' : ''}</option>`)}
        </select>
      </div>
      ${drawn ? html`<div class="toolbar-part">
        <button class="hairline-button save-csv" title="Download the drawn scores as a table" @click=${saveCsv}>CSV</button>
        <button class="hairline-button save-svg" title="Download the curve as a figure" @click=${saveSvg}>SVG</button>
      </div>` : nothing}
    </div>`;
  }

  /** @param {LayerMetrics} answer @param {DrawnSeries[]} drawn @param {number} layer */
  renderChart(answer, drawn, layer) {
    const {width} = this.size;
    const chartHeight = this.chartHeight(answer);
    const {dataset} = /** @type {NonNullable<typeof this.seen>} */ (this.seen);
    const domain = axes.join(this, JSON.stringify([dataset, answer.metric]), scoreDomain(drawn, answer.best_layer));
    const chart = curveChart(answer, {width, height: chartHeight, drawn, domain, currentLayer: layer, hoveredLayer: this.hoveredLayer});
    const values = layerValues(drawn, layer, answer.best_layer).map(({series, score}) => `${series.split} ${sentences.intervalText(score)}`);
    return html`<div class="chart" role="slider" tabindex="0" aria-label="Current layer" aria-valuemin="0"
        aria-valuemax=${answer.n_layers - 1} aria-valuenow=${layer} aria-valuetext=${[sentences.layerName(layer), ...values].join(', ')}
        @keydown=${(/** @type {KeyboardEvent} */ event) => onKey(event, layer, answer)}
        @pointermove=${(/** @type {PointerEvent} */ event) => this.hover(layerUnder(event, answer.n_layers))}
        @pointerleave=${() => this.hover(null)}
        @click=${(/** @type {MouseEvent} */ event) => currentLayer.set(layerUnder(event, answer.n_layers))}>
      ${svgElement(chart)}
      ${this.hoveredLayer === null ? nothing : renderTooltip(answer, drawn, this.hoveredLayer, width)}
    </div>`;
  }

  /** As high as the panel has room for beside its other parts, in a legible shape. @param {LayerMetrics} answer */
  chartHeight({label_names: labelNames}) {
    const {width, height} = this.size;
    const examples = [this.seen?.primary, this.seen?.pinned].filter(Boolean).length;
    const others = HEIGHT_AROUND_CHART + examples * (HEIGHT_AROUND_STRIPS + stripsHeight(labelNames.length));
    return Math.round(Math.max(190, Math.min(height - others, 0.62 * width, 360)));
  }

  /** @param {'selected'|'pinned'} slot @param {string} title @param {LayerMetrics} answer @param {number} layer */
  renderExample(slot, title, answer, layer) {
    const example = slot === 'selected' ? this.seen?.primary : this.seen?.pinned;
    if (!example) {
      return slot === 'pinned' ? nothing : html`<div class="example left-out">Select an example to see what the probe of each layer says about it.</div>`;
    }
    const result = answers.read(this.keys[slot]) ?? {state: 'loading'};
    if (result.state === 'failed') {
      return html`<div class="example"><b>${title}</b><div class="card error" role="alert"><div class="message">${result.message}</div>
        <button class="hairline-button retry" @click=${() => this.retry()}>Retry</button></div></div>`;
    }
    if (result.state !== 'ready') return html`<div class="example"><b>${title}</b> ${result.message ?? 'asking the probes …'}</div>`;
    const {label_names: labelNames, examples: [prediction]} = result.answer;
    const strips = stripChart(prediction, labelNames, {width: this.size.width, currentLayer: layer, hoveredLayer: this.hoveredLayer});
    const text = exampleText(example);
    return html`<div class="example ${slot}">
        <div class="example-title"><b>${title}</b>
          ${prediction.edited ? html`<span class="badge">edited</span>` : nothing}
          ${prediction.truncated ? html`<span class="badge" title="The text is longer than the encoder's limit; a part of it was not read">truncated</span>` : nothing}
          <span class="quote" title=${text}>${text}</span></div>
        <div class="verdict">${sentences.exampleSentence(prediction, labelNames, layer, answer.best_layer)}</div>
        ${prediction.model ? html`<div class="verdict">${sentences.modelSentence(prediction.model)}</div>` : nothing}
      </div>
      <div class="strips" role="img" aria-label="Probability of each class at every layer"
        @pointermove=${(/** @type {PointerEvent} */ event) => this.hover(layerUnder(event, answer.n_layers))}
        @pointerleave=${() => this.hover(null)}
        @click=${(/** @type {MouseEvent} */ event) => currentLayer.set(layerUnder(event, answer.n_layers))}>${svgElement(strips)}</div>`;
  }

  /** @param {?number} layer */
  hover(layer) {
    if (layer === this.hoveredLayer) return;
    this.hoveredLayer = layer;
    this.requestUpdate();
  }
});

/** @param {string} dataset @param {string|undefined} metric */
function setMetric(dataset, metric) {
  const {[dataset]: _, ...others} = choices.get().metrics;
  choices.set({...choices.get(), metrics: metric === undefined ? others : {...others, [dataset]: metric}});
}

/** @param {MouseEvent} event @param {number} nLayers @returns {number} */
function layerUnder(event, nLayers) {
  const {left, width} = /** @type {HTMLElement} */ (event.currentTarget).getBoundingClientRect();
  return layerScale(nLayers, [MARGIN.left, width - MARGIN.right]).layerAt(event.clientX - left);
}

/** @param {KeyboardEvent} event @param {number} layer @param {LayerMetrics} answer */
function onKey(event, layer, {n_layers: nLayers}) {
  /** @type {Record<string, ?number>} */
  const targets = {ArrowLeft: layer - 1, ArrowDown: layer - 1, ArrowRight: layer + 1, ArrowUp: layer + 1, Home: 0, End: nLayers - 1, Escape: null};
  const target = targets[event.key];
  if (target === undefined) return;
  event.preventDefault();
  currentLayer.set(target === null ? null : Math.min(nLayers - 1, Math.max(0, target)));
}

/**
 * What is drawn at one layer.
 *
 * @param {DrawnSeries[]} drawn @param {number} layer @param {number} bestLayer
 */
function layerValues(drawn, layer, bestLayer) {
  return drawn.flatMap(({series, mode}) =>
    drawnLayers(series, mode, bestLayer).filter((score) => score.layer === layer).map((score) => ({series, score})));
}

/** @param {string} split @param {boolean} reliable @param {boolean} line */
function legendMark(split, reliable, line) {
  const style = SPLIT_STYLES[split];
  const color = reliable ? style.color : COLORS.unreliable;
  const width = line ? 26 : 12;
  return svgElement(svgNode('svg', {width, height: 12, 'aria-hidden': 'true'},
    line ? svgNode('line', {x1: 0, x2: width, y1: 6, y2: 6, stroke: color, 'stroke-width': 2, 'stroke-dasharray': style.dash || 'none'}) : null,
    marker(style.marker, width / 2, 6, 4, color)));
}

/** @param {LayerMetrics} answer @param {DrawnSeries[]} drawn */
function renderLegend(answer, drawn) {
  const chosen = choices.get();
  const toggle = (/** @type {'dev'|'testEverywhere'|'train'} */ choice, /** @type {unknown} */ label) => html`<label>
    <input type="checkbox" name=${choice} .checked=${chosen[choice]} @change=${() => choices.set({...choices.get(), [choice]: !chosen[choice]})}>${label}</label>`;
  const several = drawn.length > 1;
  return html`<div class="legend">${drawn.map((one) => {
    const {series: {split, reliable}, mode} = one;
    const entry = [legendMark(split, reliable, mode !== 'point'), seriesLegend(one, answer.best_layer)];
    if (split === 'test') {
      const canFold = drawn.some(({series}) => series.split === 'dev');
      return [html`<span>${entry}</span>`, canFold ? toggle('testEverywhere', 'test at every layer') : nothing];
    }
    return several ? toggle(split === 'dev' ? 'dev' : 'train', entry) : html`<span>${entry}</span>`;
  })}</div>`;
}

/** @param {LayerMetrics} answer @param {DrawnSeries[]} drawn @param {number} layer @param {number} width */
function renderTooltip(answer, drawn, layer, width) {
  const x = layerScale(answer.n_layers, [MARGIN.left, width - MARGIN.right]).x(layer);
  const place = x < width / 2 ? `left:${(x + 12).toFixed(0)}px` : `right:${(width - x + 12).toFixed(0)}px`;
  const values = layerValues(drawn, layer, answer.best_layer);
  return html`<div class="tooltip" style=${place}>
    ${values.length === 0 ? sentences.layerName(layer) : values.map(({series, score}) => html`<div>
      ${legendMark(series.split, series.reliable, false)}${series.split}, ${sentences.layerSentence(score, series.n)}</div>`)}
  </div>`;
}

/** @param {LayerMetrics} answer @param {DrawnSeries[]} drawn @param {number} layer */
function renderReading(answer, drawn, layer) {
  const chosen = layer === answer.best_layer;
  const values = layerValues(drawn, layer, answer.best_layer).map(({series, score}) => `${series.split} ${sentences.intervalText(score)}`);
  return html`<div class="reading"><b>${sentences.layerHeading(layer, answer.best_layer)}:</b> ${values.join(' · ') || 'no score is drawn'}
    ${chosen ? nothing : html`<button class="text-button" @click=${() => currentLayer.set(null)}>back to layer ${answer.best_layer} (dev-chosen)</button>`}</div>`;
}

/** Why some intervals are grey. @param {DrawnSeries[]} drawn */
function renderDoubts(drawn) {
  const doubtful = drawn.filter(({series, mode}) => !series.reliable && mode !== 'hidden');
  return doubtful.map(({series}) => html`<div class="doubt">Grey: ${series.split} is not to be relied on, ${series.reason}</div>`);
}

/** @param {LayerMetrics} answer */
function renderNotes(answer) {
  const origin = `${answer.encoder}, ${answer.pooling} pooling; ${answer.probe} probes trained on ${answer.trained_on}`;
  const notes = [...answer.notes, sentences.convergenceSentence(answer.not_converged), origin].filter((note) => note !== '');
  return html`<div class="notes">${notes.map((note) => html`<div>${note}</div>`)}</div>`;
}

/** @param {Result} result */
function renderProgress({message, fraction}) {
  return html`<div class="card" role="status">
    <div class="working"><lit-spinner size=${24} color="var(--app-secondary-color, #1F6180)"></lit-spinner><div>${message}</div></div>
    ${typeof fraction === 'number' ? html`<progress max="1" value=${fraction} aria-label="Progress"></progress>` : nothing}
  </div>`;
}

/** @param {string} text */
function card(text) {
  return html`<div class="card">${text}</div>`;
}
