// @ts-check
/** The panel "Predictions by layer": what does the model's own head make of each layer? */
/** @import {Result} from '../page/answers.js' */
/** @import {IndexedInput, LensAbout, LensClasses, LensCurve, LensTokens} from '../page/types.js' */
/** @import {LensCell, LensRow} from './lens_grid.js' */
import {figurePage} from '../charts/figure_page.js';
import {stripChart} from '../charts/strip_chart.js';
import {svgElement} from '../charts/svg.js';
import {answers} from '../page/answers.js';
import {currentLayer, observable, resolveLayer} from '../page/choices.js';
import {pairNames} from '../page/edit_pair.js';
import {definePanel, html, interpretation, nothing} from '../page/lit_host.js';
import {CONTROLS_CSS, PANEL_CSS} from '../panels/css.js';
import {layerPanel} from '../panels/layer_panel.js';
import {cancelledCard, card, errorCard, layerSlider, layerUnder, progressCard, renderCaption, renderDownloads, renderLegend, renderSelect} from '../panels/parts.js';
import {shownTexts} from '../panels/shown_texts.js';
import {layerName} from '../words/sentences.js';
import {CLASS_LENS_STYLES, classLensChart, classLensCsv, classLensSentences, classStrips, leftOutClasses, saidAt} from './class_lens_chart.js';
import {agreementSentence, cellSentences, lensCsv, lensGrid, lensLayout, lensMarks, lensRows, lensTokens, settledAt, shadesOf, shownToken, TOP_TOKEN} from './lens_grid.js';
import {rankChart, rankLines} from './lens_ranks.js';

// LIT makes panels anew; what a reader has chosen stays.
/** The words whose rank is followed. */
const watchedWords = observable(/** @type {string[]} */ ([]));
/** What the cells show. */
const shownShade = observable(TOP_TOKEN);
/** The token that is looked at: its example's id and its place; null until one is picked. */
const currentToken = observable(/** @type {?{example: string, place: number}} */ (null));

const RANKS_HEIGHT = 200;
/** Pixels that the panel keeps for what stands around a long grid, so that a token and its ranks are seen together. */
const BESIDE_GRID = 430;
const LOWEST_GRID = 240;
const CURVE_HEIGHT = 280;

const TOKENS_GUIDE = html`
  <p><b>A row is a token</b>, a column a layer; layer 0 is the embedding output. A cell shows the token that the model’s own head finds likeliest when it reads that layer in
    place of the last one: the logit lens (nostalgebraist 2020). Where a norm stands before the head, the layer passes it first. <b>The last column is what the model says.</b></p>
  <p><b>A decoder</b> says what comes after the row’s token, <b>a masked language model</b> what stands in its place, which it sees unless the text holds the mask token there.</p>
  <p><b>Ranks:</b> 1 is the likeliest token of the vocabulary. The chart below follows, at the row that is picked, the token that does stand there and the words that you name
    in “Watch”. A word of several tokens is followed by its first one. “␣” is a space that belongs to the token.</p>
  <p><b>An edit</b> stands under the text that it was made from, token by token. Edit the text in the Datapoint Editor and press Add, or pin one text and select another.</p>
  <p><b>Click a cell</b>, or walk with the arrow keys and press Enter, to look at its token and to make its layer the current one. Escape goes back.</p>`;
const CLASSES_GUIDE = html`
  <p><b>The head’s line</b> is the checkpoint’s own classification head, pooler and all, reading each layer in place of the last one: at the last layer it is the model.
    <b>The probes’ line</b> is the score of the probes that were fitted to each layer. Both are scored on the same dev rows, with 95 % intervals; the dashed line is the largest class alone.</p>
  <p><b>Where the probes are above the head</b>, the classes can be decoded, but not by the head as it is. The head was fitted to the last layer and to no other, so that it is bad at an
    early layer does not say that the layer lacks the classes, and that it is good does not say that the model decides there.</p>
  <p>Below stand the head’s probabilities for the selected text, and for its edit. Click, or use the arrow keys on the chart, to make a layer the current one.</p>`;

const LENS_CSS = `
  .scroller { overflow: auto; }
  .chart.lens { position: relative; }
  .chart.lens svg { max-width: none; display: block; }
  .chart.lens .marks { position: absolute; top: 0; left: 0; pointer-events: none; }
  .chart.lens .tooltip { bottom: auto; z-index: 2; }
  .chart.lens .kept { position: sticky; left: 0; width: 0; height: 0; z-index: 1; pointer-events: none; }
  .lens-reading { padding: 2px 12px; font-size: 12px; line-height: 18px; overflow-wrap: anywhere; }
  .watch input { width: 170px; height: 22px; box-sizing: border-box; padding: 0 4px; border: 1px solid var(--lit-neutral-400); border-radius: 2px; font: inherit; }
  .rank-legend { flex-wrap: wrap; overflow-wrap: anywhere; }
`;

definePanel('lens-module', (LitPanel) => class LensModule extends layerPanel(LitPanel) {
  static title = 'Predictions by layer';
  static infoMarkdown = `**What does the model’s own head make of each layer?** Of a language model: the likeliest token of each layer, and the rank of any word. Of a fine-tuned classifier:
how well its head reads earlier layers, beside the probes. “How to read this”, at the bottom of the panel, says more.`;
  static interpreter = 'lens';
  static css = PANEL_CSS + CONTROLS_CSS + LENS_CSS;

  /** The cell under the pointer. @type {?LensCell} */
  hovered = null;
  /** The cell that keys have led to. @type {?LensCell} */
  cursor = null;
  focused = false;
  moved = false;
  /** The grid as it was last drawn: it holds thousands of elements, and a pointer that moves changes none. @type {?{of: unknown[], element: SVGElement}} */
  drawn = null;
  /** The ids of the texts that keys walk through. */
  about = '';

  choices() {
    // What lens there is decides what is asked.
    return [currentLayer, currentToken, watchedWords, shownShade, /** @type {any} */ (answers)];
  }

  observed() {
    return shownTexts(this);
  }

  /** What is asked of the texts that are shown. @returns {Record<string, unknown>} */
  get tokensConfig() {
    const watch = watchedWords.get();
    return {part: 'tokens', ...(watch.length ? {watch} : {})};
  }

  questions() {
    const {shown} = this.seen;
    const ids = shown.map((/** @type {IndexedInput} */ {id}) => id).join(' ');
    if (ids !== this.about) [this.about, this.cursor, this.hovered] = [ids, null, null];
    const about = this.want('about', 'lens', [], {part: 'about'});
    const known = answers.read(about);
    const {kind, no_curve: noCurve} = known?.state === 'ready' ? /** @type {LensAbout} */ (known.answer) : {kind: null, no_curve: null};
    const texts = shown.length ? shown : null;
    return {
      about,
      tokens: this.want('tokens', 'lens', kind === 'masked' || kind === 'next' ? texts : null, this.tokensConfig),
      classes: this.want('classes', 'lens', kind === 'classes' ? texts : null, {part: 'classes'}),
      curve: this.want('curve', 'lens', kind === 'classes' && !noCurve ? [] : null, {part: 'curve'}),
    };
  }

  /** @param {unknown} changed */
  updated(changed) {
    super.updated(changed);
    if (!this.moved || !this.cursor) return;
    this.moved = false;
    this.shadowRoot?.querySelector(`#${cellId(this.cursor)}`)?.scrollIntoView({block: 'nearest', inline: 'nearest'});
  }

  renderContent() {
    const result = answers.read(this.keys.about) ?? {state: 'loading'};
    if (result.state !== 'ready') return this.renderFrame(nothing, this.renderWaiting('about', result, 'Asking which head the model has'), nothing);
    const about = /** @type {LensAbout} */ (result.answer);
    if (about.kind === null) return this.renderFrame(nothing, card(about.reason), nothing);
    return about.kind === 'classes' ? this.renderClassLens(about) : this.renderTokenLens(about);
  }

  /** @param {unknown} toolbar @param {unknown} content @param {unknown} guide */
  renderFrame(toolbar, content, guide) {
    return html`<div class="module-container">
      ${toolbar === nothing ? nothing : html`<div class="module-toolbar wrapped">${toolbar}</div>`}
      <div class="module-results-area">${content}
        ${guide === nothing ? nothing : html`<details class="guide"><summary>How to read this</summary>${guide}</details>`}</div></div>`;
  }

  /** @param {string} slot @param {Result} result @param {string} message @param {() => void} [cancel] */
  renderWaiting(slot, result, message, cancel) {
    if (result.state === 'failed') return errorCard('The layers could not be read.', result.message, result.said ? null : () => this.retry());
    if (result.state === 'cancelled') return cancelledCard(() => answers.retry(this.keys[slot]));
    return progressCard({...result, message: result.message ?? message}, result.state === 'computing' ? cancel : undefined);
  }

  /** What the texts are called. @param {number} n @returns {string[]} */
  titles(n) {
    if (n === 1) return ['Text'];
    return pairNames(this.seen.how);
  }

  // ---- tokens

  /** @param {LensAbout} about */
  renderTokenLens(about) {
    const {shown, model, dataset} = this.seen;
    const result = shown.length ? answers.read(this.keys.tokens) ?? {state: 'loading'} : null;
    const answer = result?.state === 'ready' ? /** @type {LensTokens} */ (result.answer) : null;
    const config = {...this.tokensConfig, cancel: true};
    const stop = () => answers.cancel(this.keys.tokens, (asker) => interpretation({model, dataset, interpreter: 'lens', inputs: shown, config, asker}));
    return this.renderFrame([this.renderControls(about, answer), answer ? html`<span class="downloads">${renderDownloads(this.tokenFiles(about, answer))}</span>` : nothing],
      [answer ? this.renderTokens(about, answer) : result ? this.renderWaiting('tokens', result, 'Reading every layer with the model’s own head', stop)
        : card('Select a text to see what the model’s own head makes of each layer.'),
      html`<div class="lens-reading">${about.sentence}</div>`], TOKENS_GUIDE);
  }

  /** @param {LensAbout} about @param {?LensTokens} answer */
  renderControls({max_watched: most}, answer) {
    const watch = (/** @type {Event} */ event) => {
      const field = /** @type {HTMLInputElement} */ (event.target);
      const words = [...new Set(field.value.split(',').map((word) => word.trim()).filter(Boolean))].slice(0, most);
      field.value = words.join(', ');
      if (words.join() !== watchedWords.get().join()) watchedWords.set(words);
    };
    const shades = answer ? shadesOf(answer) : [];
    return html`<span class="toolbar-part watch"><label for="watch">Watch&nbsp;</label><input id="watch" type="text" placeholder="good, bad" .value=${watchedWords.get().join(', ')}
        title=${`Up to ${most} words, with commas between them, whose rank is followed`} @change=${watch}></span>
      ${answer ? html`<span class="toolbar-part">${renderSelect('shade', 'Show', shades, shadeOf(answer), (value) => shownShade.set(value))}</span>` : nothing}`;
  }

  /** The layer that is looked at. @param {LensAbout} about */
  layerOf({n_layers: nLayers, layers_are_places: linked}) {
    return linked ? resolveLayer(currentLayer.get(), nLayers - 1, nLayers) : nLayers - 1;
  }

  /** @param {LensAbout} about @param {LensTokens} answer */
  renderTokens(about, answer) {
    const {shown} = this.seen;
    const layer = this.layerOf(about);
    const rows = lensRows(answer);
    const picked = pickedRow(answer, rows, shown);
    const shade = shadeOf(answer);
    const titles = this.titles(answer.examples.length);
    const layout = lensLayout(answer, rows, this.size.width);
    const exists = (/** @type {?LensCell} */ cell) => cell !== null && cell.row < rows.length && cell.layer < layout.nLayers;
    const cursor = this.cursor && exists(this.cursor) ? this.cursor : {row: picked, layer};
    const over = this.hovered && exists(this.hovered) ? this.hovered : this.focused ? cursor : null;
    const pick = (/** @type {LensCell} */ cell) => {
      this.cursor = cell;
      const {side, place} = rows[cell.row];
      currentToken.set({example: shown[side].id, place});
      if (about.layers_are_places) currentLayer.set(cell.layer);
    };
    const under = (/** @type {MouseEvent} */ event) => {
      const {left, top} = /** @type {HTMLElement} */ (event.currentTarget).getBoundingClientRect();
      return layout.cellUnder(event.clientX - left, event.clientY - top, layer);
    };
    const show = (/** @type {Partial<{hovered: ?LensCell, cursor: ?LensCell, focused: boolean, moved: boolean}>} */ change) => {
      Object.assign(this, change);
      this.requestUpdate();
    };
    const onKey = (/** @type {KeyboardEvent} */ event) => {
      if (event.key === 'Enter' || event.key === ' ') pick(cursor);
      else if (event.key === 'Escape') {
        show({cursor: null});
        currentToken.set(null);
        if (about.layers_are_places) currentLayer.set(null);
      } else {
        const target = cellByKey(event.key, cursor, rows.length, layout.nLayers);
        if (!target) return;
        show({cursor: target, hovered: null, moved: true});
      }
      event.preventDefault();
    };
    const {side, place} = rows[picked];
    const text = answer.examples[side];
    const lines = rankLines(answer, rows.filter(({line}) => line === rows[picked].line), titles);
    const settled = settledAt(text, place);
    const caption = answer.examples.map((one, i) => `${answer.examples.length > 1 ? `${titles[i]}: ` : ''}${agreementSentence(one, layer)}`).join('; ');
    return [
      renderCaption(html`<b>${capital(layerName(layer))}:</b> ${caption}`),
      html`<div class="scroller" style=${`max-height:${Math.max(LOWEST_GRID, this.size.height - BESIDE_GRID)}px`}><div class="chart lens" role="grid" tabindex="0" aria-label="Tokens by layers" aria-activedescendant=${cellId(cursor)} style=${`width:${layout.width.toFixed(0)}px`}
        @keydown=${onKey} @focus=${() => show({focused: true})} @blur=${() => show({focused: false, cursor: null})}
        @pointermove=${(/** @type {PointerEvent} */ event) => {
        const cell = under(event);
        if (cell?.row !== this.hovered?.row || cell?.layer !== this.hovered?.layer) show({hovered: cell});
      }} @pointerleave=${() => show({hovered: null})} @click=${(/** @type {MouseEvent} */ event) => {
        const cell = under(event);
        if (cell) pick(cell);
      }}>${layout.width > this.size.width ? html`<div class="kept" aria-hidden="true">${svgElement(lensTokens(answer, rows, {width: this.size.width, picked}))}</div>` : nothing}${this.gridElement(answer, rows, shade, titles)}${svgElement(lensMarks(layout, rows, {layer, picked, hovered: over}))}
        ${over ? this.renderCellTooltip(cellSentences(answer, rows[over.row], over.layer), layout, over) : nothing}</div></div>`,
      html`<div class="lens-reading" role="status"><b>Current token:</b> ${cellSentences(answer, rows[picked], layer).join('; ')}.
        ${settled < layout.nLayers - 1 ? `The likeliest token is the model’s from layer ${settled} on.` : 'No earlier layer ends up with the model’s token.'}</div>`,
      lines.length ? this.renderRanks(about, answer, lines, layer) : html`<div class="lens-reading">Nothing stands there whose rank could be followed. Name a word in “Watch”.</div>`,
      html`<div class="notes">${this.notes(answer).map((note) => html`<div>${note}</div>`)}</div>`,
    ];
  }

  /** The grid, drawn anew only if it is another one. @param {LensTokens} answer @param {LensRow[]} rows @param {string} shade @param {string[]} titles */
  gridElement(answer, rows, shade, titles) {
    const of = [answer, shade, titles.join(), this.size.width];
    if (!this.drawn || this.drawn.of.some((one, i) => one !== of[i])) {
      this.drawn = {of, element: svgElement(lensGrid(answer, rows, {width: this.size.width, shade, titles, ofCell: (cell) => ({
        role: 'gridcell', id: cellId(cell), 'aria-label': cellSentences(answer, rows[cell.row], cell.layer).join(', ')})}))};
    }
    return this.drawn.element;
  }

  /** @param {LensAbout} about @param {LensTokens} answer @param {ReturnType<typeof rankLines>} lines @param {number} layer */
  renderRanks(about, answer, lines, layer) {
    const view = {nLayers: about.n_layers, nVocabulary: answer.n_vocabulary, width: this.size.width, height: RANKS_HEIGHT};
    const said = (/** @type {number} */ at) => lines.map(({label, ranks}) => `${label}: rank ${ranks[at]}`);
    const hovered = this.hoveredLayer;
    const chart = svgElement(rankChart(lines, {...view, current: layer, hovered}));
    return [
      html`<h4>Rank by layer</h4><div class="rank-legend">${renderLegend(lines)}</div>`,
      about.layers_are_places
        ? layerSlider({chart, nLayers: about.n_layers, layer, words: [layerName(layer), ...said(layer)].join(', '), hover: (under) => this.hover(under),
          tooltip: hovered === null ? nothing : this.renderTooltip([layerName(hovered), ...said(hovered)], about.n_layers)})
        : html`<div class="chart plain" role="img" aria-label=${said(layer).join(', ')}>${chart}</div>`,
    ];
  }

  /** @param {string[]} lines @param {ReturnType<typeof lensLayout>} layout @param {LensCell} cell */
  renderCellTooltip(lines, layout, cell) {
    const room = Math.max(...lines.map((line) => line.length)) * 6.4 + 20;
    const left = Math.max(0, Math.min(layout.x(cell.layer) - room / 2, layout.width - room));
    const below = layout.y(cell.row) + 24;
    const height = lines.length * 17 + 12;
    const top = below + height > layout.height && layout.y(cell.row) > height ? layout.y(cell.row) - height - 4 : below;
    return html`<div class="tooltip" style=${`left:${left.toFixed(0)}px; top:${top.toFixed(0)}px`}>${lines.map((line) => html`<div>${line}</div>`)}</div>`;
  }

  /** @param {LensTokens} answer @returns {string[]} */
  notes({examples, encoder}) {
    const all = examples.flatMap(({notes, watched}) => [...watched.map(({note}) => note), ...notes]).filter(Boolean);
    return [...new Set(all), `${encoder}, with its own head.`];
  }

  /** @param {LensAbout} about @param {LensTokens} answer */
  tokenFiles(about, answer) {
    const {model, dataset, shown} = this.seen;
    const rows = lensRows(answer);
    const titles = this.titles(answer.examples.length);
    const picked = rows[pickedRow(answer, rows, shown)];
    const lines = rankLines(answer, rows.filter(({line}) => line === picked.line), titles);
    const shade = shadeOf(answer);
    return {
      name: `predictions_by_layer_${model}_${dataset}`,
      csv: lensCsv(model, answer),
      figure: figurePage({
        title: `Predictions by layer: ${answer.encoder}`,
        setting: shadesOf(answer).find(({value}) => value === shade)?.title ?? '',
        charts: [lensGrid(answer, rows, {width: 640, shade, titles}), ...(lines.length ? [rankChart(lines, {nLayers: about.n_layers, nVocabulary: answer.n_vocabulary, width: 640, height: RANKS_HEIGHT})] : [])],
        legend: lines.map(({style, label}) => ({style, line: true, label})),
        footnotes: lines.length ? [`Ranks at “${shownToken(answer.examples[picked.side].tokens[picked.place])}”`] : [],
      }),
    };
  }

  // ---- classes

  /** @param {LensAbout} about */
  renderClassLens(about) {
    const {shown} = this.seen;
    const result = about.no_curve ? null : answers.read(this.keys.curve) ?? {state: 'loading'};
    const curve = result?.state === 'ready' ? /** @type {LensCurve} */ (result.answer) : null;
    const layer = about.layers_are_places ? resolveLayer(currentLayer.get(), curve?.best_layer ?? about.n_layers - 1, about.n_layers) : about.n_layers - 1;
    const stop = () => this.cancel('curve', 'lens', {part: 'curve'});
    return this.renderFrame(curve ? html`<span class="downloads">${renderDownloads(this.classFiles(curve))}</span>` : nothing,
      [curve ? this.renderCurve(about, curve, layer) : !result ? card(about.no_curve) : this.renderWaiting('curve', result, 'Reading every layer with the checkpoint’s own head', stop),
        shown.length ? this.renderClasses(about, layer) : html`<div class="lens-reading">Select a text to see what the head makes of each layer of it.</div>`,
        html`<div class="lens-reading">${about.sentence}</div>`], CLASSES_GUIDE);
  }

  /** @param {LensAbout} about @param {LensCurve} curve @param {number} layer */
  renderCurve(about, curve, layer) {
    const view = {width: this.size.width, height: CURVE_HEIGHT};
    const hovered = this.hoveredLayer;
    const chart = svgElement(classLensChart(curve, {...view, current: layer, hovered}));
    const said = (/** @type {number} */ at) => classLensSentences(curve, at);
    return [
      renderCaption(html`<b>${capital(layerName(layer))}:</b> ${said(layer).join(' · ')}`),
      renderLegend([{style: CLASS_LENS_STYLES.head, label: 'the checkpoint’s own head'}, ...(curve.probes.length ? [{style: CLASS_LENS_STYLES.probes, label: 'probes of each layer'}] : [])]),
      about.layers_are_places
        ? layerSlider({chart, nLayers: about.n_layers, layer, words: [layerName(layer), ...said(layer)].join(', '), hover: (under) => this.hover(under),
          tooltip: hovered === null ? nothing : this.renderTooltip([layerName(hovered), ...said(hovered)], about.n_layers)})
        : html`<div class="chart plain" role="img" aria-label=${said(layer).join(', ')}>${chart}</div>`,
      html`<div class="notes">${[`Scored: ${curve.n} dev rows. ${curve.encoder}, with its own head.`, ...curve.notes].map((note) => html`<div>${note}</div>`)}</div>`,
    ];
  }

  /** What the head makes of the selected text, and of its edit. @param {LensAbout} about @param {number} layer */
  renderClasses(about, layer) {
    const result = answers.read(this.keys.classes) ?? {state: 'loading'};
    if (result.state !== 'ready') return this.renderWaiting('classes', result, 'Reading the text');
    const answer = /** @type {LensClasses} */ (result.answer);
    const titles = this.titles(answer.examples.length);
    const places = /** @type {any} */ ({n_layers: about.n_layers, layer_names: null, sites: null, best_layer: null});
    const pick = (/** @type {MouseEvent} */ event) => about.layers_are_places && currentLayer.set(layerUnder(event, about.n_layers));
    return [
      ...answer.examples.map(({text}, i) => html`<div class="section"><div class="section-title"><b>${titles[i]}</b><span class="quote" dir="auto" title=${text}>${text}</span></div>
        <div class="verdict">${capital(layerName(layer))}: ${saidAt(answer, i, layer)}; last layer: ${saidAt(answer, i, about.n_layers - 1)}</div></div>
        <div class="strips" role="img" aria-label=${`${titles[i]}: the head’s probabilities at every layer`} @click=${pick}>
          ${svgElement(stripChart(classStrips(answer, i), places, {width: this.size.width, current: layer, hovered: this.hoveredLayer, bestLayer: null}))}</div>`),
      leftOutClasses(answer) ? html`<div class="notes">${leftOutClasses(answer)}</div>` : nothing,
    ];
  }

  /** @param {LensCurve} curve */
  classFiles(curve) {
    const {model, dataset} = this.seen;
    return {
      name: `class_lens_${model}_${dataset}`,
      csv: classLensCsv(model, curve),
      figure: figurePage({
        title: `Class lens: ${curve.encoder} on ${dataset}`,
        setting: `${curve.metric_title} on ${curve.n} dev rows, 95 % intervals`,
        charts: [classLensChart(curve, {width: 640, height: 340})],
        legend: [{style: CLASS_LENS_STYLES.head, line: true, label: 'the checkpoint’s own head'}, ...(curve.probes.length ? [{style: CLASS_LENS_STYLES.probes, line: true, label: 'probes of each layer'}] : [])],
        footnotes: curve.majority === null ? [] : ['Dashed: the largest class of train alone'],
      }),
    };
  }
});

/** What the cells show, where these texts have it. @param {LensTokens} answer */
function shadeOf(answer) {
  return shadesOf(answer).some(({value}) => value === shownShade.get()) ? shownShade.get() : TOP_TOKEN;
}

/**
 * The row of the token that is looked at: the picked one, else where the text holds a mask, else its end (what comes next) or its
 * first own token.
 *
 * @param {LensTokens} answer @param {LensRow[]} rows @param {IndexedInput[]} shown
 */
function pickedRow({task, examples}, rows, shown) {
  const picked = currentToken.get();
  const found = picked ? rows.findIndex(({side, place}) => shown[side]?.id === picked.example && place === picked.place) : -1;
  if (found >= 0) return found;
  if (task === 'next') return rows.findLastIndex(({side}) => side === 0);
  const masked = rows.findIndex(({side, place}) => examples[side].targets[place] === null);
  return masked >= 0 ? masked : Math.max(0, rows.findIndex(({side, place}) => !examples[side].special[place]));
}

/** @param {string} key @param {LensCell} cell @param {number} nRows @param {number} nLayers @returns {?LensCell} */
function cellByKey(key, {row, layer}, nRows, nLayers) {
  /** @type {Record<string, LensCell>} */
  const targets = {
    ArrowUp: {row: row - 1, layer}, ArrowDown: {row: row + 1, layer}, ArrowLeft: {row, layer: layer - 1}, ArrowRight: {row, layer: layer + 1},
    Home: {row, layer: 0}, End: {row, layer: nLayers - 1}, PageUp: {row: Math.max(0, row - 10), layer}, PageDown: {row: Math.min(nRows - 1, row + 10), layer},
  };
  const target = targets[key];
  return target ? {row: Math.min(nRows - 1, Math.max(0, target.row)), layer: Math.min(nLayers - 1, Math.max(0, target.layer))} : null;
}

/** @param {string} words */
function capital(words) {
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** @param {LensCell} cell */
function cellId({row, layer}) {
  return `cell-${row}-${layer}`;
}
