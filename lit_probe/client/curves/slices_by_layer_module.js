// @ts-check
/** The panel "Slices by layer": the curve of each value of a column, or of each of LIT's slices, as small multiples. */
/** @import {IndexedInput, LayerMetrics, Series, SliceComparison} from '../page/types.js' */
import {valueDomain} from '../charts/axes.js';
import {placeNames} from '../charts/places.js';
import {figurePage} from '../charts/figure_page.js';
import {svgElement} from '../charts/svg.js';
import {answers} from '../page/answers.js';
import {currentLayer, observable, pickedMetrics, pickMetric, resolveLayer} from '../page/choices.js';
import {categoricalColumns, definePanel, fitTogether, html, namedSlices, nothing} from '../page/lit_host.js';
import {layerPanel} from '../panels/layer_panel.js';
import {card, errorCard, layerSlider, progressCard, renderCaption, renderDownloads, renderSelect} from '../panels/parts.js';
import {countOf, formatCount} from '../words/format.js';
import {intervalText, layerName, placeTitle} from '../words/sentences.js';
import {curveCsv} from './curve_files.js';
import {choices} from './curve_legend.js';
import {pText} from './overlays.js';
import {emptySlices, facetGroups, heldOutSeries, lookedAt, sliceChart, sliceGroups, sliceP, slicesSentence, SMALL_MARGIN, undefinedSentence} from './slices.js';

const MOST_SHOWN = 24;
const SLICES = 'LIT slices';

/** The column whose values are shown, by data set; none picked: LIT's slices where there are some, else the label. */
const facets = observable(/** @type {Record<string, string>} */ ({}));

/** Whether p-values are corrected for the number of slices. */
const corrected = observable(true);

const GUIDE = html`<details class="guide"><summary>How to read this</summary>
  <p><b>The question.</b> Is the concept as decodable for every kind of example? Each small curve is scored on the dev examples with one
    value of the column, or in one of LIT’s slices (make them in the toolbar: “Slices”). The metric, and what a row is put in, are those picked
    in “Probe by layer”. The slice with the most dev examples stands first.</p>
  <p>All curves share one axis; <b>the dashed line</b> is the curve of all examples, for comparison. The band is the 95 % interval: small
    slices have wide ones. A curve is <b>grey</b> where there are too few examples to rely on it.</p>
  <p><b>p</b> tells how often a slice of as many examples (or groups), drawn by lot, is as far from all examples at the current layer, by chance
    alone. A slice that holds some examples of a group and not the others, as the edits of pairs, is drawn within its groups. Where nothing can be
    drawn there is no p: of a single group nobody can say whether the slice differs or only that group. With many slices some are: of 20 that do not differ at least one has p &lt; 0.05 in up to 64 % of cases. So p is <b>corrected</b>
    for the number of slices shown: that of any of them is then below 0.05 in 5 % of cases at most. Other layers, metrics and columns
    that you look at are more looks, which no correction here counts: treat a surprising slice as a question, not as a result.</p>
  <p><b>Click</b> a layer to make it the current one; click a slice’s name to select its examples; ⓘ shows how its numbers came about.</p></details>`;

definePanel('slices-by-layer-module', (LitPanel) => class SlicesByLayerModule extends layerPanel(LitPanel) {
  static title = 'Slices by layer';
  static infoMarkdown = `**Is the concept as decodable for every kind of example?** One curve for each value of a column, or each of LIT’s slices.`;

  choices() {
    return [facets, pickedMetrics, corrected, currentLayer, choices];
  }

  observed() {
    const inputs = /** @type {IndexedInput[]} */ (this.appState.currentInputData);
    const {currentDataset: dataset} = this.appState;
    const {label, own, added} = categoricalColumns();
    return {
      model: this.model, dataset, inputs, columns: [...label, ...own, ...added], slices: namedSlices(),
      heldOut: inputs.filter(({data, meta}) => data.probe_split !== 'train' && !meta.added),
      fits: fitTogether(this.model, dataset),
    };
  }

  /** What the examples are grouped by. @returns {string} */
  facet() {
    const {dataset, columns, slices} = this.seen;
    const picked = facets.get()[dataset];
    if (picked === SLICES || columns.includes(picked)) return picked;
    const filled = slices.some((/** @type {{ids: string[]}} */ {ids}) => ids.length > 0);
    return filled || columns.length === 0 ? SLICES : columns[0];
  }

  /** @type {{name: string, inputs: IndexedInput[], key: string}[]} */
  groups = [];

  questions() {
    const {dataset, inputs, heldOut, slices} = this.seen;
    const metric = pickedMetrics.get()[dataset] ?? 'headline';
    // By the rule that "Probe by layer" decides classes by.
    const scored = {metric, ...(choices.get().mostProbable ? {decision: 'argmax'} : {})};
    const facet = this.facet();
    const all = facet === SLICES ? sliceGroups(heldOut, slices) : facetGroups(heldOut, facet);
    this.beyond = all.slice(MOST_SHOWN).map(({name}) => name);
    this.empty = facet === SLICES ? emptySlices(heldOut, slices) : [];
    const before = this.groups.length;
    this.groups = all.slice(0, MOST_SHOWN).map((group, i) => ({...group, key: this.want(`group ${i}`, 'layer_metrics', group.inputs, scored)}));
    for (let i = this.groups.length; i < before; i++) this.want(`group ${i}`, 'layer_metrics', null, {});
    const places = new Map(heldOut.map((/** @type {IndexedInput} */ {id}, /** @type {number} */ i) => [id, i]));
    const layer = currentLayer.get();
    const differences = this.want('differences', 'slice_comparison', this.groups.length ? heldOut : null,
      {...scored, slices: this.groups.map(({inputs: members}) => members.map(({id}) => places.get(id))), ...(layer === null ? {} : {layer})});
    // The same question as that of "Probe by layer" about the whole data set: it is asked once.
    const whole = this.want('whole', 'layer_metrics', inputs.length ? [] : null, {...scored, whole: true});
    const opened = this.groups.find(({name}) => name === this.openedFrom);
    const examples = opened ? `${facet === SLICES ? 'slice' : `${facet} =`} “${opened.name}”` : '';
    const card = this.wantCard({check: 'layer_metrics', ...scored, examples}, opened?.inputs ?? []);
    return {whole, card, differences, ...Object.fromEntries(this.groups.map(({name, key}) => [`group ${name}`, key]))};
  }

  /** The names of groups that are not drawn: those beyond the largest 24, and those without a dev or test example. @type {string[]} */
  beyond = [];
  /** @type {string[]} */
  empty = [];

  renderContent() {
    const {seen} = this;
    const whole = answers.read(this.keys.whole) ?? {state: 'loading'};
    const facet = this.facet();
    const options = [...seen.columns, SLICES].map((value) => ({value, title: value === SLICES ? SLICES : `column ${value}`}));
    const pick = (/** @type {string} */ value) => facets.set({...facets.get(), [seen.dataset]: value});
    const drawn = whole.state === 'ready' ? this.drawn() : [];
    return html`<div class="module-container">
      <div class="module-toolbar"><div class="toolbar-part">${renderSelect('facet', 'By', options, facet, pick)}</div>
        ${drawn.length ? renderDownloads(this.files(drawn, whole.answer)) : nothing}</div>
      <div class="module-results-area">
        ${whole.state === 'ready' ? this.renderGroups(whole.answer) : this.renderWaiting(whole)}
        ${GUIDE}
      </div>
    </div>`;
  }

  /** @param {import('../page/answers.js').Result} whole */
  renderWaiting(whole) {
    if (whole.state === 'failed') return errorCard('The scores could not be computed.', whole.message, whole.said ? null : () => this.retry());
    return progressCard({...whole, message: whole.message ?? 'Scoring the probes of all layers'});
  }

  /** The groups whose scores are there. @returns {{name: string, answer: LayerMetrics, series: Series}[]} */
  drawn() {
    return this.groups.flatMap(({name, key}) => {
      const result = answers.read(key);
      const series = result?.state === 'ready' ? heldOutSeries(result.answer) : null;
      return result && series ? [{name, answer: result.answer, series}] : [];
    });
  }

  /** @param {{series: Series}[]} drawn @param {?Series} whole @returns {[number, number]} */
  domain(drawn, whole) {
    const reliable = drawn.filter(({series}) => series.reliable);
    return valueDomain([...(reliable.length ? reliable : drawn).map(({series}) => series), ...(whole ? [whole] : [])]
      .flatMap(({layers}) => layers.flatMap(({score, low, high}) => [score, low, high]))
      .concat(drawn.flatMap(({series}) => series.layers.map(({score}) => score))));
  }

  /** How far the slices are from all examples, once the server has said so. @returns {?SliceComparison} */
  comparison() {
    const result = answers.read(this.keys.differences);
    return result?.state === 'ready' ? result.answer : null;
  }

  /** How many slices there are, and which differ. */
  sentence(/** @type {?string[]} */ places) {
    const names = this.groups.map(({name}) => name);
    const {model, dataset} = this.seen;
    const nLooked = lookedAt(JSON.stringify([model, dataset]), this.facet(), this.drawn().map(({name}) => name));
    return slicesSentence({names, nLooked, comparison: this.comparison(), corrected: corrected.get(), places});
  }

  /** What to pick where the metric is not defined on these slices. @param {LayerMetrics} about */
  renderUndefined(about) {
    const said = undefinedSentence(this.drawn().map(({series}) => series), about);
    const {dataset} = this.seen;
    return said ? html`<div class="remark undefined">${said} <button class="hairline-button" @click=${() => pickMetric(dataset, 'accuracy')}>Show accuracy</button></div>` : nothing;
  }

  /** The same, and whether p-values are corrected. @param {?string[]} places */
  renderDifferences(places) {
    const result = answers.read(this.keys.differences);
    const n = this.comparison()?.n_compared ?? 0;
    const toggle = html`<label><input type="checkbox" name="corrected" .checked=${corrected.get()}
      @change=${() => corrected.set(!corrected.get())}>correct for ${n} slices</label>`;
    return html`<div class="remark differences">${this.sentence(places)} ${n > 1 ? toggle : nothing}
      ${result?.state === 'failed' ? ` The slices are not compared: ${result.message}` : nothing}</div>`;
  }

  /** @param {LayerMetrics} about  the answer over all examples */
  renderGroups(about) {
    if (this.groups.length === 0) {
      return card(this.facet() === SLICES ? 'There are no slices with dev or test examples. Make one in the toolbar (“Slices”), or pick a column.' : 'There are no dev or test examples.');
    }
    const layer = resolveLayer(currentLayer.get(), about.best_layer, about.n_layers);
    const whole = heldOutSeries(about);
    const domain = this.domain(this.drawn(), whole);
    return [
      renderCaption(html`<b>${about.metric_title}</b> on ${whole?.split ?? 'dev'} by ${this.facet() === SLICES ? 'slice' : this.facet()}; dashed: all examples.`),
      this.renderUndefined(about),
      this.renderDifferences(placeNames(about)),
      html`<div class="multiples">${this.groups.map((group, i) => this.renderGroup(group, i, whole, about, layer, domain))}</div>`,
      this.renderOpened(about, layer),
      this.renderOmitted(),
      html`<div class="notes">${(this.comparison()?.notes ?? []).map((note) => html`<div>${note}</div>`)}</div>`,
    ];
  }

  /** The card behind the slice whose button was pressed. @param {LayerMetrics} about @param {number} layer */
  renderOpened(about, layer) {
    const opened = this.drawn().find(({name}) => name === this.openedFrom);
    return opened ? this.renderCard({layer, value: `${opened.series.split} ${intervalText(opened.series.layers[layer])}`, metric: about.metric}, opened.name) : nothing;
  }

  /** Which slices are not drawn, and why. */
  renderOmitted() {
    const lines = [
      ...(this.beyond.length ? [`Not shown, beyond the ${MOST_SHOWN} largest: ${this.beyond.join(', ')}`] : []),
      ...(this.empty.length ? [`Not shown, without a dev or test example: ${this.empty.join(', ')}`] : []),
    ];
    return lines.length ? html`<div class="notes omitted">${lines.map((line) => html`<div>${line}</div>`)}</div>` : nothing;
  }

  /**
   * @param {{name: string, inputs: IndexedInput[], key: string}} group @param {number} index  its place among the groups
   * @param {?Series} whole @param {LayerMetrics} about @param {number} layer @param {[number, number]} domain
   */
  renderGroup({name, inputs, key}, index, whole, about, layer, domain) {
    const result = answers.read(key) ?? {state: 'loading'};
    const series = result.state === 'ready' ? heldOutSeries(result.answer) : null;
    const select = () => this.selectionService.selectIds(inputs.map(({id}) => id), this);
    const title = html`<button class="text-button name" title=${`Select the ${countOf(inputs.length, 'example')} of ${name}`} @click=${select}>${name}</button>`;
    if (!series) {
      const message = result.state === 'failed' ? result.message : result.state === 'ready' ? 'no dev or test example can be scored' : 'scoring …';
      return html`<div class="multiple doubtful"><div class="title">${title}</div><div>${message}</div></div>`;
    }
    const width = this.multipleWidth();
    const chart = sliceChart(series, whole, about, {width, height: 130, domain, current: layer, hovered: this.hoveredLayer});
    const shown = this.hoveredLayer ?? layer;
    const comparison = this.comparison();
    // Of the layer that was asked about; under the pointer may be another.
    const p = comparison?.layer === shown ? sliceP(comparison, index, corrected.get()) : null;
    const words = `${intervalText(series.layers[shown])}${p === null ? '' : `, ${pText(p).replaceAll(' ', '\u00a0')}`}`;
    return html`<div class="multiple ${series.reliable ? '' : 'doubtful'}">
      <div class="title">${title}<span class="n">${series.split}, n = ${formatCount(series.n)}</span>${this.renderInfoButton(name)}</div>
      <div>${remarks(series, whole, about).map((remark) => html`<div class="why">${remark}</div>`)}</div>
      ${layerSlider({chart: svgElement(chart), tooltip: nothing, nLayers: about.n_layers, layer, margin: SMALL_MARGIN,
        words: `${name}, ${layerName(layer, about.layer_names)}, ${intervalText(series.layers[layer])}`, hover: (under) => this.hover(under)})}
      <div class="value">${placeTitle(shown, placeNames(about))}: ${words}</div>
    </div>`;
  }

  /** As many columns of at least 190 pixels as fit. */
  multipleWidth() {
    const [room, gap] = [this.size.width - 24, 8];
    const columns = Math.max(1, Math.floor((room + gap) / (190 + gap)));
    return Math.floor((room - (columns - 1) * gap) / columns);
  }

  /** @param {ReturnType<SlicesByLayerModule['drawn']>} drawn @param {LayerMetrics} about */
  files(drawn, about) {
    const {model, dataset} = this.seen;
    const facet = this.facet();
    const whole = heldOutSeries(about);
    const domain = this.domain(drawn, whole);
    const tested = this.comparison();
    const tables = drawn.map(({name, answer, series}) => {
      const found = tested?.slices[this.groups.findIndex((group) => group.name === name)];
      const test = {split: tested?.split ?? '', layer: tested?.layer ?? null, p: found?.p ?? null, corrected: found?.p_corrected ?? null};
      return curveCsv(answer, [{series, mode: 'line'}], {model, dataset, examples: `${facet} = ${name}`, test});
    });
    return {
      name: `slices_by_layer_${model}_${dataset}_${facet.replaceAll(' ', '_')}`,
      csv: tables.map((table, i) => (i === 0 ? table : table.slice(table.indexOf('\r\n') + 2))).join(''),
      figure: figurePage({
        title: `${about.metric_title} by layer and ${facet}: ${about.encoder} on ${dataset}`,
        setting: `${about.pooling} pooling · ${about.probe} probes trained on ${about.trained_on}`,
        charts: drawn.map(({series}) => sliceChart(series, whole, about, {width: 640, height: 150, domain, current: null})),
        legend: drawn.map(({name, series}, i) => ({style: null, line: false, label: `${i + 1}. ${name}: ${series.split}, n = ${formatCount(series.n)}${series.reliable ? '' : ` (${series.reason})`}`})),
        footnotes: ['From top to bottom. Shaded bands: 95 % intervals. Dashed: all examples.', ...footnotesOf(this.sentence())],
      }),
    };
  }
});

/** A text as lines that a figure has room for. @param {string} text @returns {string[]} */
function footnotesOf(text) {
  return (text.match(/.{1,95}(?:\s|$)/g) ?? []).map((line) => line.trim());
}

/** What must be known of a slice before its curve is read. @param {Series} series @param {?Series} whole @param {LayerMetrics} about @returns {string[]} */
function remarks({split, n_by_class: counts, reliable, reason}, whole, {label_names: labelNames}) {
  const present = labelNames.filter((_, i) => counts[i] > 0);
  return [
    ...(whole && whole.split !== split ? [`no ${whole.split} example: scored on ${split}`] : []),
    ...(present.length === 1 ? [`one class only: ${present[0]}`] : []),
    ...(reliable ? [] : [reason]),
  ];
}
