// @ts-check
/** The base class of panels that show one of the server's checks of a model's probes. */
/** @import {SvgNode} from '../charts/types.js' */
/** @import {Result} from '../page/answers.js' */
/** @import {LayerMetrics} from '../page/types.js' */
import {MARGIN} from '../charts/line_chart.js';
import {placeNames} from '../charts/places.js';
import {svgElement} from '../charts/svg.js';
import {answers} from '../page/answers.js';
import {currentLayer, resolveLayer} from '../page/choices.js';
import {html, nothing} from '../page/lit_host.js';
import {layerHeading, layerName} from '../words/sentences.js';
import {layerPanel} from './layer_panel.js';
import {backButton, cancelledCard, card, errorCard, layerSlider, progressCard, renderDownloads, renderNotes} from './parts.js';

/** Pixels that toolbar, caption and legend need above the charts, and the numbers under them. */
const AROUND_CHART = 100;
const UNDER_CHARTS = 60;

/**
 * A panel that shows one of the server's checks of a model's probes, on all dev examples of the data set they were trained on.
 *
 * The check is asked for when the panel is first shown; until its answer is there, the panel says how far it is. What a panel
 * adds: `question()`, `renderAnswer()` and `files()`.
 *
 * @param {new () => import('../page/lit_host.js').LitPanel} LitPanel  as `definePanel` hands it out
 */
export function checkPanel(LitPanel) {
  return class CheckPanel extends layerPanel(LitPanel) {
    static interpreter = 'probe_checks';
    /** @type {unknown} "How to read this", in plain words. */
    static guide = nothing;

    /** What is asked. @returns {{interpreter: string, config: Record<string, unknown>}} */
    question() {
      return {interpreter: 'probe_checks', config: {}};
    }

    /** The panel's content. @param {any} answer @param {LayerMetrics} about @param {number} layer @returns {unknown} */
    renderAnswer(answer, about, layer) {
      return nothing;
    }

    /**
     * The files that can be downloaded.
     *
     * @param {any} answer
     * @param {LayerMetrics} about
     * @param {number} layer
     * @returns {?{name: string, csv: string, figure: SvgNode}}  null: nothing to download
     */
    files(answer, about, layer) {
      return null;
    }

    /** What the panel's numbers are, for the card behind them. @returns {Record<string, unknown>} */
    number() {
      const {interpreter, config} = this.question();
      const {check = interpreter, control} = config;
      return {check, ...(control ? {control} : {}), examples: 'all dev examples of the probes’ own data set'};
    }

    /** Drop-downs at the left of the toolbar. @returns {unknown} */
    renderControls() {
      return nothing;
    }

    questions() {
      const {interpreter, config} = this.question();
      return {
        // Scored on no examples: what the probes are, and which layer was chosen.
        about: this.want('about', 'layer_metrics', [], {metric: 'headline'}),
        check: this.want('check', interpreter, [], config),
        card: this.wantCard(this.number()),
      };
    }

    renderContent() {
      const about = answers.read(this.keys.about) ?? {state: 'loading'};
      const check = answers.read(this.keys.check) ?? {state: 'loading'};
      const ready = about.state === 'ready' && check.state === 'ready' && check.answer.available !== false;
      const layer = ready ? resolveLayer(currentLayer.get(), about.answer.best_layer, about.answer.n_layers) : 0;
      const files = ready ? this.files(check.answer, about.answer, layer) : null;
      const controls = this.renderControls();
      return html`<div class="module-container">
        ${controls === nothing && !files ? nothing : html`<div class="module-toolbar"><div class="toolbar-part">${controls}</div>${files ? renderDownloads(files) : nothing}</div>`}
        <div class="module-results-area">
          ${ready ? [this.renderAnswer(check.answer, about.answer, layer), renderNotes(check.answer.notes ?? [], about.answer)] : this.renderWaiting(about, check)}
          <details class="guide"><summary>How to read this</summary>${/** @type {any} */ (this.constructor).guide}</details>
        </div>
      </div>`;
    }

    /** @param {Result} about @param {Result} check */
    renderWaiting(about, check) {
      const {interpreter, config} = this.question();
      const failed = [about, check].find(({state}) => state === 'failed');
      // A failed check is computed anew when it is asked for again; the probes themselves are not.
      if (failed) return errorCard('This could not be computed.', failed.message, about.said ? null : () => this.retry());
      if (check.state === 'cancelled') return cancelledCard(() => answers.retry(this.keys.check));
      if (about.state === 'computing') return progressCard(about);
      if (check.state === 'ready' && about.state === 'ready') return card(check.answer.reason);
      const cancel = check.state === 'computing' ? () => this.cancel('check', interpreter, config) : undefined;
      return progressCard({...check, message: check.message ?? 'Asking the server'}, cancel);
    }

    /**
     * A chart over layers that is also the control of the current layer.
     *
     * @param {SvgNode} chart
     * @param {LayerMetrics} about
     * @param {number} layer
     * @param {(layer: number) => string[]} values  the values at a layer, in words
     */
    renderLayerChart(chart, {n_layers: nLayers, layer_names: names}, layer, values) {
      const hovered = this.hoveredLayer;
      return layerSlider({
        chart: svgElement(chart), nLayers, layer,
        words: [layerName(layer, names), ...values(layer)].join(', '),
        tooltip: hovered === null ? nothing : this.renderTooltip([layerName(hovered, names), ...values(hovered)], nLayers, MARGIN, Number(chart.attributes.width)),
        hover: (under) => this.hover(under),
      });
    }

    /**
     * The size of each of so many charts: side by side where the panel is wide and low, else one under the other. In a low panel the
     * first one is as high as there is room for, and what stands under it is scrolled to.
     *
     * @param {number} nCharts
     */
    chartSize(nCharts) {
      const {width, height} = this.size;
      const columns = nCharts > 1 && width >= 560 && height < 480 ? 2 : 1;
      const room = height - AROUND_CHART;
      const share = (room - UNDER_CHARTS) / Math.ceil(nCharts / columns);
      return {width: Math.floor(width / columns), height: Math.round(Math.max(150, Math.min(Math.max(share, Math.min(room, 200)), (0.62 * width) / columns, 320)))};
    }

    /**
     * The numbers of the current layer, the card behind them, and the way back to the dev-chosen layer.
     *
     * @param {LayerMetrics} about @param {number} layer @param {string[]} values @param {string} [metric]  the metric by which they were measured
     */
    renderReading({best_layer: bestLayer, layer_names: names, sites}, layer, values, metric) {
      return [html`<div class="reading"><b>${layerHeading(layer, bestLayer, names)}:</b>${this.renderInfoButton()}${values.join(' · ')}
        ${backButton(layer, bestLayer, placeNames({layer_names: names, sites}))}</div>`,
      this.renderCard({layer, value: values.join(' · '), metric})];
    }
  };
}
