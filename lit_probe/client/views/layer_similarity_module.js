// @ts-check
/** The panel "Similarity of layers": which layers say the same, within one encoder and between two? */
/** @import {LayerMetrics, LayerSimilarity, SimilaritySeries} from '../page/types.js' */
/** @import {Pair} from './similarity_grid.js' */
import {figurePage} from '../charts/figure_page.js';
import {svgElement} from '../charts/svg.js';
import {answers} from '../page/answers.js';
import {currentLayer, observable} from '../page/choices.js';
import {definePanel, html, nothing} from '../page/lit_host.js';
import {checkPanel} from '../panels/check_panel.js';
import {CONTROLS_CSS, PANEL_CSS} from '../panels/css.js';
import {renderCaption, renderSelect} from '../panels/parts.js';
import {checkCsv} from '../words/files.js';
import {formatCount} from '../words/format.js';
import {cellLayout, colorEnds, layerWords, pairByKey, pairWords, rowSentence, similarityColor, similarityGrid, similarityMarks, similarityRows} from './similarity_grid.js';
import {BESIDE, isSeries, seriesAsGrid, seriesMaps, seriesRows, seriesSentence, seriesWords} from './similarity_series.js';

const GUIDE = html`
  <p><b>The question.</b> Which layers hold the same picture of these texts? A block of alike layers is a stretch of the model in which little changes; a
    border between two blocks is where something does. Beside the same encoder with random weights, what is alike comes from the words and the
    architecture, and not from training.</p>
  <p><b>CKA</b> compares which rows lie near one another. It is the one to begin with: chance has been taken off, so it may be used with few rows and
    wide layers, and its 0 means nothing in common. A few directions with a large variance can decide it.
    <b>SVCCA</b> and <b>PWCCA</b> ask how well directions of one layer can be computed from those of the other, whatever their size. They need
    many more rows than directions, and the box over a cell says what layers with nothing in common would have.</p>
  <p><b>Probe directions</b> are about the concept alone: do the probes of two layers look the same way? Two layers have no coordinates in common, so they are
    set side by side and whitened together; the cosine there is the correlation of the two probes’ scores. Two probes that find the concept well are
    alike for that reason alone, wherever they read it.</p>
  <p><b>The series</b> puts all models with the same layers in the order in which they are served, such as checkpoints of a training run: a row is a layer, a
    column a checkpoint, and a cell compares the layer with the same one of the last checkpoint, of the first or of the one before. A row that is dark early
    belongs to a layer that settles early. The small maps show all layers of a checkpoint (down) beside all layers of the last (across).</p>
  <p><b>How not to read it.</b> Alike is no proof of the same use: two layers may hold the same picture, and the model may use it in one only. Unlike is no proof of
    other content: a concept may be decodable from two layers that have little else in common. The rows are those of this data set; on others the same layers may
    be less alike.</p>
  <p>CKA: Kornblith et al. 2019, debiased: Nguyen et al. 2021, Song et al. 2012. SVCCA: Raghu et al. 2017. PWCCA: Morcos et al. 2018.</p>`;

const SIMILARITY_CSS = `
  .similar { position: relative; outline: none; cursor: pointer; margin-top: 4px; }
  .similar:focus-visible { box-shadow: inset 0 0 0 2px var(--lit-cyea-500); }
  .similar svg { display: block; pointer-events: none; }
  .similar .marks { position: absolute; left: 0; top: 0; }
  .similar .tooltip { white-space: normal; overflow-wrap: anywhere; }
  .reading.pair { overflow-wrap: anywhere; }
  .key-box { display: inline-flex; align-items: center; cursor: pointer; }`;

const OWN_LAYERS = {value: '', title: 'its own layers'};
/** Pixels of a character of a box over a cell. */
const CHARACTER = 6.3;

/** The measure that is looked at, on all copies of the panel. */
const pickedMeasure = observable('cka');
/** Beside what each model stands; nothing for its own layers. */
const pickedOthers = observable(/** @type {Record<string, string>} */ ({}));
/** Whether colours are spread over the values that there are. */
const spreadColors = observable(false);
/** Beside which checkpoint of a series the layers stand. */
const pickedBeside = observable('last');
/** What may be asked for, by model: an answer says so, and it stays when the next one is on its way. @type {Map<string, Pick<LayerSimilarity, 'measures'|'others'>>} */
const offered = new Map();

definePanel('layer-similarity-module', (LitPanel) => class LayerSimilarityModule extends checkPanel(LitPanel) {
  static title = 'Similarity of layers';
  static infoMarkdown = `**Which layers say the same?** Each layer beside each other one, of this encoder, of another one, or of the same with random weights,
on the same rows.`;
  static interpreter = 'layer_similarity';
  static guide = GUIDE;
  static css = PANEL_CSS + CONTROLS_CSS + SIMILARITY_CSS;

  /** The cell under the pointer. @type {?Pair} */
  hoveredPair = null;
  /** Where keys have led to, while the grid has the focus. @type {?Pair} */
  cursor = null;
  focused = false;
  /** The cell that was clicked. @type {?Pair} */
  picked = null;
  /** The grid as it was drawn last, which thousands of cells make dear. @type {{of: unknown[], element: ?Element}} */
  drawn = {of: [], element: null};

  choices() {
    return [pickedMeasure, pickedOthers, spreadColors, pickedBeside];
  }

  question() {
    return {interpreter: 'layer_similarity', config: {measure: pickedMeasure.get(), other: pickedOthers.get()[this.seen.model] || null}};
  }

  renderControls() {
    const {model} = this.seen;
    const result = answers.read(this.keys.check);
    if (result?.state === 'ready') offered.set(model, result.answer);
    const {measures, others} = offered.get(model) ?? {measures: [], others: []};
    if (measures.length === 0) return nothing;
    const pick = (/** @type {string} */ other) => {
      this.picked = null;
      pickedOthers.set({...pickedOthers.get(), [model]: other});
    };
    return [
      renderSelect('measure', 'Measure', measures, pickedMeasure.get(), (measure) => pickedMeasure.set(measure)),
      others.length ? renderSelect('other', 'beside', [OWN_LAYERS, ...others], pickedOthers.get()[model] ?? '', pick) : nothing,
      result?.state === 'ready' && isSeries(result.answer) ? renderSelect('same-layer', 'Same layer of', BESIDE, pickedBeside.get(), (beside) => pickedBeside.set(beside)) : nothing,
    ];
  }

  /** @param {LayerSimilarity|SimilaritySeries} answer @param {LayerMetrics} about @param {number} layer */
  renderAnswer(answer, about, layer) {
    const view = viewOf(answer);
    const walk = 'Click a cell, or walk with the arrow keys and press Enter.';
    return [
      isSeries(answer)
        ? renderCaption(html`<b>${answer.title}</b> of each layer and the same layer of ${BESIDE.find(({value}) => value === pickedBeside.get())?.title}, in ${answer.checkpoints.length}
          encoders, on ${formatCount(answer.n)} ${answer.split} rows. ${walk}`)
        : renderCaption(html`<b>${answer.title}</b> of the layers of ${ownLayers(answer) ? answer.one.name : html`${answer.one.name} (down) and ${answer.other.name} (across)`},
          on ${formatCount(answer.n)} ${answer.split} rows. ${walk}`),
      this.renderKey(view.grid),
      this.renderGrid(view, layer),
      html`<div class="reading pair" role="status">${this.picked ? view.words(this.picked).join('; ') : html`<b>${view.who}${layerWords(view.grid.one.layer_names, layer)}:</b> ${view.sentence(layer)}`}</div>`,
      isSeries(answer) ? html`<h4>All layers (down) beside those of ${answer.checkpoints[answer.checkpoints.length - 1]} (across)</h4>
        <div role="img" aria-label="A small map for each encoder; the table has every value">${svgElement(seriesMaps(answer, {width: this.size.width, ends: colorEnds(view.grid, spreadColors.get())}))}</div>` : nothing,
      html`<div class="notes about"><div>${answer.about}${answer.source ? ` ${answer.source}.` : ''} Alike is no proof of the same use.</div></div>`,
    ];
  }

  /** Which colour stands for what. @param {LayerSimilarity} answer */
  renderKey(answer) {
    const ends = colorEnds(answer, spreadColors.get());
    const stops = [0, 0.25, 0.5, 0.75, 1].map((share) => similarityColor(ends.least + share * (ends.most - ends.least), ends).fill).join(', ');
    const below = ends.least === 0 && answer.values.flat().some((value) => value !== null && value < -0.05);
    return html`<div class="legend heat-key">
      ${below ? html`<span>−1</span><span class="heat" style=${`background: linear-gradient(to right, ${[-1, -0.5, 0].map((value) => similarityColor(value, ends).fill).join(', ')})`}></span>` : nothing}
      <span>${ends.least === 0 ? '0' : ends.least.toFixed(2).replace('-', '−')}</span><span class="heat" style=${`background: linear-gradient(to right, ${stops})`}></span><span>1, alike</span>
      <label class="key-box"><input type="checkbox" name="spread" .checked=${spreadColors.get()} @change=${() => spreadColors.set(!spreadColors.get())}>from the least value</label></div>`;
  }

  /** @param {ReturnType<typeof viewOf>} view @param {number} layer */
  renderGrid({of: given, grid: answer, axes, words}, layer) {
    const {width} = this.size;
    const layout = cellLayout(answer, width);
    const spread = spreadColors.get();
    const of = [given, axes?.across, width, spread];
    if (of.some((one, i) => one !== this.drawn.of[i])) {
      const grid = similarityGrid(answer, {width, spread, axes, ofCell: (pair) => ({role: 'gridcell', id: `pair-${pair.row}-${pair.column}`, 'aria-label': words(pair).join(', ')})});
      this.drawn = {of, element: svgElement(grid)};
    }
    const within = (/** @type {?Pair} */ pair) => (pair && pair.row < layout.nRows && pair.column < layout.nColumns ? pair : null);
    this.picked = within(this.picked);
    const cursor = within(this.cursor) ?? {row: layer, column: Math.min(axes ? 0 : layer, layout.nColumns - 1)};
    const shown = within(this.hoveredPair) ?? (this.focused ? cursor : null);
    const under = (/** @type {MouseEvent} */ event) => {
      const {left, top} = /** @type {HTMLElement} */ (event.currentTarget).getBoundingClientRect();
      return layout.pairUnder(event.clientX - left, event.clientY - top);
    };
    const pick = (/** @type {?Pair} */ pair) => {
      this.picked = pair;
      currentLayer.set(pair && pair.row);
      this.requestUpdate();
    };
    return html`<div class="similar" role="grid" tabindex="0" aria-label=${axes ? 'Layers by checkpoints' : 'Layers by layers'} aria-rowcount=${layout.nRows} aria-colcount=${layout.nColumns}
        aria-activedescendant=${`pair-${cursor.row}-${cursor.column}`}
        @keydown=${(/** @type {KeyboardEvent} */ event) => this.onKey(event, cursor, layout, pick)}
        @focus=${() => this.show({focused: true})} @blur=${() => this.show({focused: false, cursor: null})}
        @pointermove=${(/** @type {PointerEvent} */ event) => this.show({hoveredPair: under(event)})} @pointerleave=${() => this.show({hoveredPair: null})}
        @click=${(/** @type {MouseEvent} */ event) => {
    const pair = under(event);
    if (pair === null) return;
    this.cursor = pair;
    pick(pair);
  }}>
      ${this.drawn.element}${svgElement(similarityMarks(answer, {width, current: layer, picked: this.picked, shown}))}
      ${shown === null ? nothing : this.renderTooltipOf(words(shown), shown, layout)}</div>`;
  }

  /** @param {KeyboardEvent} event @param {Pair} cursor @param {ReturnType<typeof cellLayout>} layout @param {(pair: ?Pair) => void} pick */
  onKey(event, cursor, {nRows, nColumns}, pick) {
    const target = pairByKey(cursor, event.key, nRows, nColumns);
    if (event.key === 'Enter' || event.key === ' ') pick(cursor);
    else if (event.key === 'Escape') pick(null);
    else if (target === undefined) return;
    this.show({cursor: event.key === 'Escape' ? null : target ?? cursor, hoveredPair: null});
    event.preventDefault();
  }

  /** Takes note of where the pointer or the keys are. @param {Partial<{hoveredPair: ?Pair, cursor: ?Pair, focused: boolean}>} change */
  show(change) {
    const before = JSON.stringify([this.hoveredPair, this.cursor, this.focused]);
    Object.assign(this, change);
    if (JSON.stringify([this.hoveredPair, this.cursor, this.focused]) !== before) this.requestUpdate();
  }

  /** The box over a cell: under it, and above it where there is no room below. @param {string[]} lines @param {Pair} pair @param {ReturnType<typeof cellLayout>} layout */
  renderTooltipOf(lines, {row, column}, layout) {
    const {width} = this.size;
    const room = Math.min(width, Math.max(...lines.map((line) => line.length)) * CHARACTER + 20);
    const left = Math.max(0, Math.min(layout.x(column) + layout.size / 2 - room / 2, width - room));
    const below = row < layout.nRows / 2;
    const place = below ? `top:${(layout.y(row) + layout.size + 6).toFixed(0)}px; bottom:auto` : `bottom:${(layout.height - layout.y(row) + 6).toFixed(0)}px`;
    return html`<div class="tooltip" style=${`left:${left.toFixed(0)}px; max-width:${(room - 2).toFixed(0)}px; ${place}`}>${lines.map((line) => html`<div>${line}</div>`)}</div>`;
  }

  /** @param {LayerSimilarity|SimilaritySeries} answer @param {LayerMetrics} about */
  files(answer, about) {
    const {model} = this.seen;
    const {grid, axes} = viewOf(answer);
    const series = isSeries(answer);
    const columns = ['measure', 'split', 'n', ...(series ? ['beside'] : []), 'encoder', 'layer', 'layer_name', 'other_encoder', 'other_layer', 'other_layer_name', 'value', 'by_chance'];
    const spread = spreadColors.get();
    const ends = colorEnds(grid, spread);
    const beside = series || ownLayers(answer) ? '' : ` and ${answer.other.name}`;
    const name = series ? 'the_series' : beside && answer.other.name;
    return {
      name: `similarity_${answer.measure}_${model}${name ? `_${name}` : ''}`,
      csv: checkCsv(model, about, columns, series ? seriesRows(answer) : similarityRows(answer)),
      figure: figurePage({
        title: `${answer.title} of layers: ${series ? `a series of ${answer.checkpoints.length} encoders` : `${answer.one.name}${beside}`} on ${about.trained_on}`,
        setting: `${formatCount(answer.n)} ${answer.split} rows · ${about.pooling} pooling · white: ${ends.least.toFixed(2)}${ends.least === 0 ? ' or none' : ''}, dark: 1`,
        charts: [similarityGrid(grid, {width: 640, spread, axes}), ...(series ? [seriesMaps(answer, {width: 640, ends})] : [])],
        footnotes: [...(series ? ['The small maps: all layers of an encoder (down) beside all layers of the last (across).'] : []),
          ...(grid.by_chance ? [`${answer.title} grows by chance with the number of directions.`] : []), 'Alike is no proof of the same use.'],
      }),
    };
  }
});

/** Whether the layers of one encoder are compared among themselves. @param {LayerSimilarity} answer */
function ownLayers({one, other}) {
  return one.name === other.name;
}

/** What the grid shows of an answer, and what it says in words. @param {LayerSimilarity|SimilaritySeries} answer */
function viewOf(answer) {
  if (isSeries(answer)) {
    const beside = pickedBeside.get();
    return {
      of: answer, grid: seriesAsGrid(answer, beside), who: '', axes: {down: 'Layer', across: `Encoder, beside ${BESIDE.find(({value}) => value === beside)?.title}`},
      words: (/** @type {Pair} */ pair) => seriesWords(answer, beside, pair), sentence: (/** @type {number} */ layer) => seriesSentence(answer, beside, layer)};
  }
  return {
    of: answer, grid: answer, who: ownLayers(answer) ? '' : `${answer.one.name}, `, axes: null,
    words: (/** @type {Pair} */ pair) => pairWords(answer, pair), sentence: (/** @type {number} */ layer) => rowSentence(answer, layer)};
}
