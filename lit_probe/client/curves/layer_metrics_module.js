// @ts-check
/**
 * The panel "Probe by layer": at which layer is the concept decodable, over the selection or the whole data set, and what
 * do the probes of all layers say about the selected example?
 *
 * The panel only draws. It is a function of what LIT shows (model, data set, selection, pinned example), of the choices that
 * all copies of the panel share, and of the server's answers in `answers`.
 */
/** @import {DrawnSeries, Overlays, Peer} from '../charts/types.js' */
/** @import {Result} from '../page/answers.js' */
/** @import {IndexedInput, LayerMetrics} from '../page/types.js' */
/** @import {Examples} from '../words/sentences.js' */
/** @typedef {import('../charts/places.js').Depths} Depths */
import {axes} from '../charts/axes.js';
import {HEADS, kindAt, placeAtDepth, placeByKey, placeNames} from '../charts/places.js';
import {svgElement} from '../charts/svg.js';
import {answers} from '../page/answers.js';
import {currentLayer, pickedMetrics, pickMetric, resolveLayer} from '../page/choices.js';
import {thisPage} from '../page/leaving.js';
import {definePanel, fitTogether, html, interpretation, nothing, pinnedExample, rowsAreWords, selectedSlice, splitsAreShown} from '../page/lit_host.js';
import {layerPanel} from '../panels/layer_panel.js';
import {backButton, card, layerSlider, legendElement, progressCard, renderFigureButtons, renderNotes} from '../panels/parts.js';
import {bytesOf, download} from '../words/files.js';
import {formatScore} from '../words/format.js';
import * as sentences from '../words/sentences.js';
import {
  askForComparison, comparisonNotes, COMPARISON_CHOICES, numberOfRepeats, overlaysOn, renderComparison, renderRepeats, renderWaiting,
} from './comparison_section.js';
import {askForCopies, copiesNotes} from './copies_notes.js';
import {curveChart, curveMargin, drawnLayers, drawnSeries, layersOf, NO_OVERLAYS, scoreDomain, splitSeries, stylesOf} from './curve_chart.js';
import {curveCsv, paperFigure} from './curve_files.js';
import {choices, renderLegend} from './curve_legend.js';
import {depthMargin, depthsOfAll, drawnKind, drawnPlaces, kindStyle, overlaysOfKind, placeOfPeer} from './depth_chart.js';
import {askForFirst, askForPeers, besideFirst, firstOf, peersOf, renderFirst, renderPeerDifferences, renderPeersOnTheirWay} from './encoders_section.js';
import {renderExample, stripsHeight} from './example_section.js';
import {askForKeptProbe, keptLines, loadedProbes, renderKeptProbe, renderLoadButton, showKeptClasses} from './kept_probe_section.js';
import {askForMembership, showMembership} from './membership.js';
import {overlayValues} from './overlays.js';
import {madeFile} from './made_file.js';
import {renderHeads, renderKinds} from './places_section.js';

// LIT's tooltip shows six short lines; the panel itself holds the rest.
const INFO = `**At which layer is the concept decodable?** The score of one probe per layer, with its 95 % interval, over the selection or
the whole data set. “How to read this”, at the bottom of the panel, says more.`;

const GUIDE = html`<details class="guide"><summary>How to read this</summary>
  <p><b>The curve.</b> One probe, a small classifier, was trained on the activations of each layer of the encoder; layer 0 is the
    embedding output. The curve shows how well each probe does. A concept is <i>decodable</i> at a layer when the probe can read it
    off that layer. That does not mean that the model uses it.</p>
  <p><b>The shaded band</b> is the 95 % interval of each score: scores whose intervals overlap much may differ by chance. It turns
    grey, with the reason, where there are too few examples to rely on it. <b>The dashed line</b> is a
    baseline that ignores the text (the most frequent class; for AUROC and log-loss the class frequencies of train; of a number the mean of train). A layer whose
    band reaches that line gives no evidence that the concept is decodable there.</p>
  <p><b>Test is a single point</b> because the layer was chosen on the dev examples. Scoring that one layer on the test examples
    gives an honest number; the best of all test scores would be flattered. “test at every layer” shows them all the same. The
    probes have seen the train examples, which are left out of every score. Tick “train (fit)” to see how well the probes fit them; that is
    not what is decodable.</p>
  <p><b>Compare with</b> something simpler: what does the score have to beat? <i>Embeddings</i> is layer 0, which has seen no context;
    <i>bag of words</i> and <i>TF-IDF</i> are classifiers on the words alone, <i>text length</i> on the length alone, and, of pairs,
    <i>second text alone</i> on the words of the second one (a hypothesis without its premise). <i>Random
    weights</i> is the same encoder, never trained; <i>shuffled labels</i> are probes trained on labels in random order. Both are
    drawn several times: the line is the mean of the draws, the band their range, which is no 95 % interval. All of them are trained on
    train and scored on dev. The first time takes a while; the rest of the page stays usable.</p>
  <p><b>10 other splits</b> say how much the scores owe to the one division into train and dev. Ten times the same rows are divided anew,
    by lot, with groups and equal texts kept together; probes are trained on the new train and scored on the new dev. The line is the mean of
    the ten scores, the band with the dotted rim goes from the lowest to the highest: a range, no 95 % interval. The shaded band around
    the curve is about other dev rows for the same probes. A sentence under the chart says over which of the two the score varies more, or why that cannot
    be told, and whether this split scores below or above all others.
    Test is not read for it.</p>
  <p><b>The layer chosen on dev</b>: the first note below says how, and among which. By default it has the lowest log-loss of those whose
    score is within one standard error of the best one: of layers that are about as good, log-loss finds the best one more often than
    the score itself.</p>
  <p><b>Where one class is rare</b>, the most probable class is nearly always the frequent one. By default a row is then put in the class
    with the largest probability ÷ share of train; one button shows the scores of the most probable class.</p>
  <p><b>Layers with a bar above the axis</b> cannot be told apart from the chosen one: a paired test on the dev examples, corrected for
    the number of comparisons, finds no difference. Under the curve the current layer is compared with the chosen one, or with any other
    that you pick there. <b>Optimism of the choice</b>: the chosen one of several layers is chosen partly by luck, so its dev
    score is a little too good. Its test score is not; the difference is the optimism.</p>
  <p><b>Other places than layers</b> (<code>--sites</code>): what attention and feed-forward parts add, neurons and modules have a line each over
    depth. Click a depth, or use the arrow keys, to move along the current kind; the buttons above the chart change the kind. <b>Heads</b> are a grid,
    the first block at the top: the darker, the better; a corner mark says that a head does worse than the baseline. Compare heads with heads: one
    has fewer units than a layer, so its probe has less to read. The best of many cells looks good by luck alone; its test score is honest.</p>
  <p><b>Several encoders</b>, ticked at the top of the page, share the chart: a colour each, its dev curve, and its test score at the layer
    that was chosen for it. The difference of two is taken on the same dev examples, which is why its interval is narrower than the
    two bands suggest. An encoder may stand there several times: what is in brackets behind its name is its own pooling or kind of probe,
    or <i>random weights</i>, which were never trained.</p>
  <p><b>Probes</b> saves the probes of all layers as a file. <b>Load probes…</b> reads such a file again: its probes are scored on the rows of the
    curve, without those they were trained on, and their class for each row becomes a column of LIT’s table. They fit only the encoder, length
    and pooling that they were fitted with. <b>Report</b> saves a page about these scores.</p>
  <p><b>Click a layer</b>, or use the arrow keys (Escape goes back to the dev-chosen layer), to make it the current layer of all
    lit_probe panels; ⓘ shows how its numbers came about. The strips show the selected example’s probabilities at every layer, or its number; pin an example to compare two. One
    selected example leaves the curve as it is, several are scored by themselves. Edited examples are shown, but not scored.</p>
</details>`;

/** Pixels that toolbar, caption, legend and reading need, and those that one example needs beside its strips. */
const HEIGHT_AROUND_CHART = 170;
const HEIGHT_AROUND_STRIPS = 72;

const DEFAULT_METRIC = 'The default: accuracy, or balanced accuracy when one class exceeds 60 % of train; of a number R²';

definePanel('layer-metrics-module', (LitPanel) => class LayerMetricsModule extends layerPanel(LitPanel) {
  static title = 'Probe by layer';
  static infoMarkdown = INFO;
  /** One chart for all models that are shown. */
  static duplicateForModelComparison = false;

  /** The last curve, drawn pale while the next one is on its way. @type {?{model: string, dataset: string, answer: LayerMetrics, examples: Examples}} */
  lastCurve = null;
  /** The head under the pointer, and the one that keys have led to. @type {?number} */
  hoveredHead = null;
  /** @type {?number} */
  headCursor = null;
  headFocused = false;
  /** The file that was asked for last, a report or probes. @type {{state: 'none'|'making'|'failed', what: string, message: string}} */
  file = {state: 'none', what: '', message: ''};

  choices() {
    return [choices, pickedMetrics, currentLayer, loadedProbes, besideFirst, ...COMPARISON_CHOICES];
  }

  /** Everything of LIT's state that the panel depends on. Runs inside a reaction. */
  observed() {
    const {currentDataset, currentInputData, currentModels} = this.appState;
    const selected = /** @type {IndexedInput[]} */ (this.selectionService.selectedInputData);
    const primary = /** @type {?IndexedInput} */ (this.selectionService.primarySelectedInputData);
    const pinned = pinnedExample();
    const models = /** @type {string[]} */ (currentModels).filter((model) => fitTogether(model, currentDataset));
    const unedited = /** @type {IndexedInput[]} */ (currentInputData).filter(({meta}) => !meta.added);
    const nEdited = currentInputData.length - unedited.length;
    return {
      model: models[0] ?? '',
      others: models.slice(1),
      dataset: /** @type {string} */ (currentDataset),
      // One example makes no curve: clicking on a row shows its probabilities and leaves the curve as it is.
      selected: selected.length > 1 ? selected : [],
      nSelected: selected.length,
      nShown: unedited.length,
      nEdited,
      unedited,
      slice: selectedSlice(),
      primary,
      pinned: pinned && pinned.id !== primary?.id ? pinned : null,
      fits: models.length > 0,
    };
  }

  questions() {
    const {dataset, selected, primary, pinned} = this.seen;
    const metric = pickedMetrics.get()[dataset] ?? 'headline';
    // What the probes say of a sentence's words, the panel “Words by layer” shows.
    const one = (/** @type {?IndexedInput} */ example) => (example && !rowsAreWords() ? [example] : null);
    const {train, mostProbable} = choices.get();
    // Rows that LIT does not show count as well, unless somebody selected some.
    const config = {metric, ...(train ? {train} : {}), ...(mostProbable ? {decision: 'argmax'} : {}), ...(selected.length ? {} : {whole: true})};
    const number = {check: 'layer_metrics', examples: sentences.examplesWords(examplesOf(this.seen)), ...config};
    const ofRepeats = numberOfRepeats(this);
    return {
      metrics: this.want('metrics', 'layer_metrics', selected, config),
      selected: this.want('selected', 'layer_predictions', one(primary), {}),
      pinned: this.want('pinned', 'layer_predictions', one(pinned), {}),
      card: ofRepeats ? this.wantCard(ofRepeats) : this.wantCard(number, selected),
      ...askForPeers(this, selected, config, {selected: one(primary), pinned: one(pinned)}),
      ...askForFirst(this, config),
      ...askForComparison(this),
      ...askForMembership(this, this.lastCurve?.answer ?? null),
      ...askForCopies(this, this.lastCurve?.answer ?? null),
      ...askForKeptProbe(this, selected, metric),
    };
  }

  /** @param {unknown} changed */
  updated(changed) {
    super.updated(changed);
    // The rows are divided once there is a curve.
    if (this.lastCurve && !this.keys.membership && !splitsAreShown()) this.ask();
    if (besideFirst.get() && this.lastCurve?.answer.asked_of && !this.keys.first && this.seen?.selected.length === 0) this.ask();
    if (this.lastCurve?.answer.looking_for_copies && !this.keys.copies) this.ask();
    showMembership(this);
    showKeptClasses(this);
  }

  renderPanel() {
    const {seen} = this;
    if (!seen || this.size.width === 0) return nothing;
    if (!seen.fits || seen.nShown === 0) return card('There are no examples here that this model’s probes can be scored on.');
    const result = answers.read(this.keys.metrics) ?? {state: 'loading'};
    if (result.state === 'ready') {
      const examples = {...examplesOf(seen), nRows: result.answer.n_rows, unit: result.answer.unit};
      this.lastCurve = {model: seen.model, dataset: seen.dataset, answer: result.answer, examples};
    }
    const {lastCurve} = this;
    const last = lastCurve && lastCurve.model === seen.model && lastCurve.dataset === seen.dataset ? lastCurve : null;

    if (result.state === 'failed') return this.renderFailure(result, last);
    if (result.state === 'computing') return progressCard(result);
    if (!last) return progressCard({state: 'loading', message: 'Scoring the probes of all layers'});
    return this.renderCurve(last, result.state === 'loading');
  }

  /** @param {Result} result @param {typeof this.lastCurve} last */
  renderFailure(result, last) {
    const {dataset} = this.seen;
    const picked = pickedMetrics.get()[dataset] !== undefined;
    const toHeadline = () => pickMetric(dataset, undefined);
    return html`<div class="module-container">
      ${last ? this.renderToolbar(last, null, NO_OVERLAYS, []) : nothing}
      <div class="module-results-area"><div class="card error" role="alert">
        <b>The scores could not be computed.</b>
        <div class="message">${result.message}</div>
        ${this.renderRetry(result)}
        ${picked ? html`<button class="hairline-button" @click=${toHeadline}>Show the default metric</button>` : nothing}
      </div></div>
    </div>`;
  }

  /** Where the server has said its last word, asking again cannot help. @param {Result} result */
  renderRetry({said}) {
    return said ? nothing : html`<button class="hairline-button retry" @click=${() => this.retry()}>Retry</button>`;
  }

  /** @param {NonNullable<typeof this.lastCurve>} curve @param {boolean} stale */
  renderCurve(curve, stale) {
    const {answer, examples} = curve;
    const drawn = drawnSeries(answer.series, choices.get());
    const layer = resolveLayer(currentLayer.get(), answer.best_layer, answer.n_layers);
    const edited = answer.left_out.edited + (sentences.isSelection(examples) ? 0 : this.seen.nEdited);
    const leftOut = sentences.leftOutSentences({...answer.left_out, edited}, answer.own_rows);
    const others = peersOf(this);
    const peers = [...others, ...firstOf(this)];
    const beside = overlaysOn(this, curve, drawn, peers.length > 0);
    const depths = depthsOfAll([answer, ...peers.map((peer) => peer.answer)]);
    const all = {...beside, lines: [...beside.lines, ...keptLines(this, curve)]};
    const overlays = depths ? overlaysOfKind(all, depths[0], layer) : all;
    const names = placeNames(answer);
    return html`<div class="module-container">
      ${this.renderToolbar(curve, drawn.length ? drawn : null, overlays, peers)}
      <div class="module-results-area">
        <div class=${stale ? 'stale' : 'fresh'} aria-busy=${stale ? 'true' : 'false'}>
          <div class="caption" role="status"><b>${stale ? 'Updating …' : sentences.selectionSentence(examples)}</b>
            ${answer.series.length && !stale ? html`<span class="counts"> · ${sentences.scoredSentence(drawn, answer.best_layer, names, answer.unit)}</span>` : nothing}
            ${answer.circular ? html` <span class="badge circular" title=${answer.circular}>circular</span>` : nothing}
            ${leftOut.length ? html`<span class="left-out"> · ${leftOut.join(' · ')}</span>` : nothing}</div>
          ${answer.series.length === 0
            ? renderNothingScored(answer, sentences.isSelection(examples))
            : [depths ? renderKinds(depths[0], layer, drawn, peers.length > 0) : nothing,
              renderLegend(curve, drawn, peers, depths && drawnKindWords(depths, layer, peers)), renderDecision(answer), renderDoubts(drawn),
              depths ? this.renderDepths(curve, drawn, layer, overlays, peers, depths) : this.renderChart(curve, drawn, layer, overlays, peers),
              this.renderReading(curve, drawn, layer, peers, depths)]}
        </div>
        ${renderFirst(this, answer)}
        ${renderKeptProbe(this, layer)}
        ${renderExample(this, 'selected', answer, others)}
        ${renderExample(this, 'pinned', answer, others)}
        ${answer.series.length === 0 ? nothing : [renderPeerDifferences(this, curve, others), renderPeersOnTheirWay(this),
          peers.length ? nothing : [renderRepeats(this, curve, layer), renderComparison(this, curve, layer)], renderWaiting(this, curve)]}
        ${renderNotes([answer.choice.sentence, ...answer.notes, ...copiesNotes(this), ...comparisonNotes(this, curve), sentences.convergenceSentence(answer.not_converged, names)].filter((note) => note !== ''), answer, ...peers.map((peer) => peer.answer))}
        ${GUIDE}
      </div>
    </div>`;
  }

  /** @param {NonNullable<typeof this.lastCurve>} curve @param {?DrawnSeries[]} drawn  null: there is nothing to download @param {Overlays} overlays @param {Peer[]} peers */
  renderToolbar({answer, model, dataset, examples}, drawn, overlays, peers) {
    const name = `layer_metrics_${model}_${dataset}_${answer.metric}`;
    const words = sentences.examplesWords(examples);
    const saveCsv = () => download(`${name}.csv`, 'text/csv', curveCsv(answer, drawn ?? [], {model, dataset, examples: words}, overlays, peers));
    const place = resolveLayer(currentLayer.get(), answer.best_layer, answer.n_layers);
    const figure = () => paperFigure(answer, drawn ?? [], words, dataset, overlays, peers, place);
    const pick = (/** @type {Event} */ event) => pickMetric(dataset, /** @type {HTMLSelectElement} */ (event.target).value);
    const picked = pickedMetrics.get()[dataset] ?? answer.metric;
    return html`<div class="module-toolbar">
      <div class="toolbar-part">
        <label class="dropdown-label" for="metric">Metric&nbsp;</label>
        <select id="metric" class="dropdown" title=${answer.metric === answer.headline ? DEFAULT_METRIC : nothing} @change=${pick}>
          ${answer.metrics.map(({name: value, title}) => html`<option value=${value} ?selected=${value === picked}
            title=${value === answer.headline ? DEFAULT_METRIC : nothing}>${title}${value === answer.headline ? ' (default)' : ''}</option>`)}
        </select>
      </div>
      ${drawn ? html`<div class="toolbar-part">
        <button class="hairline-button save-csv" title="Download the drawn scores as a table" @click=${saveCsv}>CSV</button>
        ${renderFigureButtons(name, figure, 'the curve')}
        ${this.renderFileButtons(model, dataset)}
      </div>` : nothing}
    </div>`;
  }

  /** The files that the server makes. @param {string} model @param {string} dataset */
  renderFileButtons(model, dataset) {
    const {state, what, message} = this.file;
    const making = state === 'making';
    const words = (/** @type {string} */ name) => (making && what === name ? 'Writing …' : name);
    return html`<button class="hairline-button save-report" ?disabled=${making}
        title="Download a report of this model’s probes: one HTML file, to read, print and send. It tells the checks that were looked at here."
        @click=${() => this.saveFile('Report', 'report', model, dataset)}>${words('Report')}</button>
      <button class="hairline-button save-probes" ?disabled=${making}
        title="Download the probes of all layers: one file for lit-probe predict, Python, or the button beside this one. It holds no text."
        @click=${() => this.saveFile('Probes', 'probe_file', model, dataset)}>${words('Probes')}</button>
      ${renderLoadButton()}
      ${state === 'failed' ? html`<span class="doubt file-failure" role="alert">${message}</span>` : nothing}`;
  }

  /** @param {'Report'|'Probes'} what @param {'report'|'probe_file'} interpreter @param {string} model @param {string} dataset */
  async saveFile(what, interpreter, model, dataset) {
    const asker = thisPage.askerOf(`${interpreter} of ${model}`);
    const show = (/** @type {'none'|'making'|'failed'} */ state, message = '') => {
      this.file = {state, what, message};
      this.requestUpdate();
    };
    show('making');
    try {
      const made = await madeFile(() => interpretation({model, dataset, interpreter, inputs: [], config: {}, asker}));
      if (interpreter === 'report') download(made.name, 'text/html', made.html);
      else download(made.name, 'application/octet-stream', bytesOf(made.file));
      show('none');
    } catch (error) {
      show('failed', `${what === 'Report' ? 'There is no report' : 'The probes are not saved'}. ${error instanceof Error ? error.message : error}`);
    }
  }

  /** @param {NonNullable<typeof this.lastCurve>} curve @param {DrawnSeries[]} drawn @param {number} layer @param {Overlays} overlays @param {Peer[]} peers */
  renderChart({answer, examples}, drawn, layer, overlays, peers) {
    const {width} = this.size;
    const nLayers = layersOf(answer, peers);
    const need = scoreDomain(drawn, answer.best_layer, {majority: overlays.majority, others: overlayValues(overlays), peers});
    const domain = axes.join(this, JSON.stringify([this.seen.dataset, answer.metric]), need);
    const chart = curveChart(answer, {width, height: this.chartHeight(answer), drawn, domain, currentLayer: layer, hoveredLayer: this.hoveredLayer, overlays, peers});
    const margin = curveMargin(overlays);
    return layerSlider({
      chart: svgElement(chart), nLayers, layer, margin,
      words: [sentences.layerName(layer, answer.layer_names), ...valuesAt(answer, drawn, layer, examples)].join(', '),
      tooltip: this.hoveredLayer === null ? nothing
        : this.renderTooltip(tooltipLines([{name: '', answer, drawn}, ...peers], this.hoveredLayer, overlays, examples), nLayers, margin),
      hover: (hovered) => this.hover(hovered),
    });
  }

  /**
   * A line for each kind of places over depth, and the heads as a grid.
   *
   * @param {NonNullable<typeof this.lastCurve>} curve @param {DrawnSeries[]} drawn @param {number} place @param {Overlays} overlays @param {Peer[]} peers @param {Depths[]} all
   */
  renderDepths({answer, examples}, drawn, place, overlays, peers, all) {
    const [depths] = all;
    const grid = renderHeads(this, answer, depths, drawn, place, examples, peers.length > 0);
    if (depths.lines.length === 0) return grid;
    const {width} = this.size;
    const depth = this.hoveredLayer;
    const need = scoreDomain(drawn, answer.best_layer, {
      majority: overlays.majority, others: overlayValues(overlays), peers, isDrawn: drawnPlaces(all, place)});
    const domain = axes.join(this, JSON.stringify([this.seen.dataset, answer.metric]), need);
    const chart = curveChart(answer, {width, height: this.chartHeight(answer), drawn, domain, currentLayer: place, hoveredLayer: depth, overlays, peers});
    const margin = depthMargin(depths, overlays, peers);
    const nDepths = Math.max(...all.map((one) => one.nDepths));
    const curves = [{name: '', answer, drawn}, ...peers];
    return [layerSlider({
      chart: svgElement(chart), nLayers: nDepths, layer: depths.sites[place].depth, margin,
      words: [sentences.layerName(place, answer.layer_names), ...valuesAt(answer, drawn, place, examples)].join(', '),
      tooltip: depth === null ? nothing : this.renderTooltip(depthLines(curves, all, depth, place, overlays, examples), nDepths, margin),
      hover: (hovered) => this.hover(hovered),
      placeAt: (column) => placeAtDepth(depths, place, column),
      byKey: (key) => placeByKey(depths, place, key),
    }), grid];
  }

  /** One line per encoder. @param {NonNullable<typeof this.lastCurve>} curve @param {DrawnSeries[]} drawn @param {number} layer @param {Peer[]} peers @param {?Depths[]} all */
  renderReading({answer, examples}, drawn, layer, peers, all) {
    const values = valuesAt(answer, drawn, layer, examples).join(' · ');
    const name = (/** @type {string} */ encoder) => (peers.length ? html`<b>${encoder}</b>, ` : nothing);
    return [html`<div class="reading">${name(answer.encoder)}<b>${sentences.layerHeading(layer, answer.best_layer, answer.layer_names)}:</b>${this.renderInfoButton()}${values || 'no score is drawn'}
      ${backButton(layer, answer.best_layer, placeNames(answer))}</div>`,
    ...peers.map((peer, i) => {
      const at = all && currentLayer.get() !== null ? placeOfPeer(all, i + 1, layer, peer.answer) : resolveLayer(currentLayer.get(), peer.answer.best_layer, peer.answer.n_layers);
      return html`<div class="reading">${name(peer.name)}<b>${sentences.layerHeading(at, peer.answer.best_layer, peer.answer.layer_names)}:</b>
        ${valuesAt(peer.answer, peer.drawn, at, examples).join(' · ') || 'no score is drawn'}</div>`;
    }),
    this.renderCard({layer, value: values, metric: answer.metric})];
  }

  /** As high as the panel has room for beside its other parts, in a legible shape. @param {LayerMetrics} answer */
  chartHeight({label_names: labelNames}) {
    const {width, height} = this.size;
    const examples = [this.seen?.primary, this.seen?.pinned].filter(Boolean).length;
    const others = HEIGHT_AROUND_CHART + examples * (HEIGHT_AROUND_STRIPS + stripsHeight(labelNames.length));
    return Math.round(Math.max(190, Math.min(height - others, 0.62 * width, 360)));
  }
});

/** Which examples a curve is about. @param {any} seen @returns {Examples} */
function examplesOf({nShown, nSelected, slice}) {
  return {nShown, nSelected, slice};
}

/** @param {LayerMetrics} answer @param {boolean} selected */
function renderNothingScored({left_out: leftOut, own_rows: own}, selected) {
  const show = () => choices.set({...choices.get(), train: true});
  return html`<div class="card" role="status">${sentences.nothingScoredSentence(leftOut, own, selected)}
    ${leftOut.train > 0 ? html`<br><button class="hairline-button show-fit" @click=${show}>Show the fit on train</button>` : nothing}</div>`;
}

/**
 * What is drawn at one layer.
 *
 * @param {DrawnSeries[]} drawn @param {number} layer @param {number} bestLayer
 */
function layerValues(drawn, layer, bestLayer) {
  return drawn.flatMap((one) =>
    drawnLayers(one.series, one.mode, bestLayer).filter((score) => score.layer === layer).map((score) => ({one, series: one.series, score})));
}

/** The scores of a layer in words, split by split. @param {LayerMetrics} answer @param {DrawnSeries[]} drawn @param {number} layer @param {Examples} examples */
function valuesAt(answer, drawn, layer, examples) {
  return layerValues(drawn, layer, answer.best_layer)
    .map(({series, score}) => `${sentences.splitWords(series.split, examples)} ${sentences.intervalText(score)}`);
}

/** @param {{name: string, answer: LayerMetrics, drawn: DrawnSeries[]}[]} curves @param {number} layer @param {Overlays} overlays @param {Examples} examples */
function tooltipLines(curves, layer, {lines}, examples) {
  const values = curves.flatMap(({name, answer, drawn}, i) => layerValues(drawn, layer, answer.best_layer).map(({one, series, score}) =>
    [legendElement(splitSeries(one, answer.best_layer, stylesOf(i, curves.length)).style, false), name ? `${name}, ` : '',
      `${sentences.splitWords(series.split, examples)}, ${sentences.layerSentence(score, series.n)}`]));
  const others = lines.map(({style, label, points, footnote, nDraws}) => [legendElement(style, false),
    `${label}: ${formatScore(points[layer]?.score ?? null)}${footnote || nDraws ? rangeWords(points[layer]) : ''}`]);
  return values.length + others.length ? [...values, ...others] : [sentences.layerName(layer, curves[0].answer.layer_names)];
}

/**
 * What is known at one depth: every kind of places that has one there; of several encoders one kind.
 *
 * @param {{name: string, answer: LayerMetrics, drawn: DrawnSeries[]}[]} curves @param {Depths[]} all @param {number} depth @param {number} place  the current one
 * @param {Overlays} overlays @param {Examples} examples
 */
function depthLines(curves, all, depth, place, {lines}, examples) {
  const kind = drawnKind(all[0], place);
  const values = curves.flatMap(({name, answer, drawn}, i) => all[i].lines.filter((line) => curves.length === 1 || line.name === kind).flatMap((line) => {
    const at = line.at.get(depth);
    return at === undefined ? [] : layerValues(drawn, at, answer.best_layer).map(({one, series, score}) => [
      legendElement(curves.length > 1 ? splitSeries(one, answer.best_layer, stylesOf(i, curves.length)).style : kindStyle(all[i], line.name, series), false),
      name ? `${name}, ` : '', `${sentences.splitWords(series.split, examples)}, ${sentences.layerSentence(score, series.n, all[i].sites.map((site) => site.name))}`]);
  }));
  const others = lines.flatMap(({style, label, points, footnote, nDraws}) => points.filter(({x}) => all[0].sites[x].depth === depth).map((point) => [
    legendElement(style, false), `${label}: ${formatScore(point.score)}${footnote || nDraws ? rangeWords(point) : ''}`]));
  return values.length + others.length ? [...values, ...others] : [`nothing is read at depth ${depth}`];
}

/** Which kind lines of single places belong to; empty where the current place is a head, which has none. @param {Depths[]} all @param {number} place @param {Peer[]} peers */
function drawnKindWords([depths], place, peers) {
  return peers.length === 0 && kindAt(depths, place) === HEADS ? '' : drawnKind(depths, place);
}

/** From where to where a band goes that is no interval. @param {{low: ?number, high: ?number}|undefined} point */
function rangeWords(point) {
  return point && point.low !== null ? `, ${formatScore(point.low)} to ${formatScore(point.high)}` : '';
}

/** Which class a row is put in, where that is not the most probable one, and the way to the other rule and back. @param {LayerMetrics} answer */
function renderDecision({decision, decision_of_study: own, decided_by: sentence}) {
  if (!decision || own === 'argmax') return nothing;
  const {mostProbable} = choices.get();
  const turn = () => choices.set({...choices.get(), mostProbable: !mostProbable});
  return html`<div class="decision">${sentence} <button class="hairline-button" @click=${turn}>${mostProbable ? 'Use the class shares of train again' : 'Take the most probable class'}</button></div>`;
}


/** Why some intervals are grey. @param {DrawnSeries[]} drawn */
function renderDoubts(drawn) {
  const doubtful = drawn.filter(({series, mode}) => !series.reliable && mode !== 'hidden');
  const fit = drawn.some(({series, mode}) => series.split === 'train' && mode !== 'hidden');
  const ofFit = html`<div class="doubt">The line of train shows how well the probes fit rows they were trained on, not what is decodable.</div>`;
  return [fit ? ofFit : nothing, ...doubtful.map(({series}) => html`<div class="doubt">Grey: ${series.split} is not to be relied on, ${series.reason}</div>`)];
}
