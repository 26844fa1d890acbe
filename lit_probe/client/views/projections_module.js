// @ts-check
/** The panel "Layers in 2-D": every layer as a picture of the same rows. */
/** @import {Result} from '../page/answers.js' */
/** @import {Asker} from '../page/leaving.js' */
/** @import {IndexedInput, LayerPicture, Projections} from '../page/types.js' */
/** @import {Point} from './scatter.js' */
import {figurePage} from '../charts/figure_page.js';
import {COLORS} from '../charts/palette.js';
import {answers} from '../page/answers.js';
import {currentLayer, observable, resolveLayer} from '../page/choices.js';
import {definePanel, exampleText, fitTogether, focusedExample, focusExample, html, interpretation, nothing, pinnedExample, pointColors, selectExamples} from '../page/lit_host.js';
import {columnWords, shortName} from '../page/model_names.js';
import {CONTROLS_CSS, PANEL_CSS} from '../panels/css.js';
import {layerPanel} from '../panels/layer_panel.js';
import {cancelledCard, card, errorCard, progressCard, renderCaption, renderDownloads, renderNotes, renderSelect} from '../panels/parts.js';
import {countOf, formatCount, oneLine} from '../words/format.js';
import {layerName, placeTitle} from '../words/sentences.js';
import {boxLine, frameOf, gridLayout, inside, lengthOf, pictureGrid, pictureWords, placesCsv, pointByKey, pointUnder, sharedColors} from './scatter.js';
import {cleared, drawBoundary, drawLasso, drawMove, drawPoints, drawRing, inksOf} from './scatter_canvas.js';

const GUIDE = html`<details class="guide"><summary>How to read this</summary>
  <p><b>A point is a text</b>, and every layer has a picture of the same texts. Colours are those of “Color by” at the top of the page, which begins with the
    class that the probe of the chosen layer predicts: choose <b>label</b> there to see the labels. ★ marks the layer that was
    chosen on dev. A picture has two dimensions, a layer hundreds: what lies over one another here may well lie apart there. <b>Whether classes can be decoded, the
    curve of the probes says, not a picture.</b></p>
  <p><b>Draw a line around points</b> (or a box) to select their rows in LIT, with Shift to add them; click a point to select one, click beside all points to select
    none. Selected rows stand out in every picture, rows of slices too. <b>By keys:</b> arrow keys walk from point to point, Enter selects, Escape gives up the selection.</p>
  <p><b>An edit moves.</b> A diamond is an edited text; the line leads to it from its original. The selected text has a dark ring, the pinned one an orange one.</p>
  <p><b>PCA</b> keeps distances as far as two directions can; the per cent of the variance beside the name says how far. <b>t-SNE and UMAP</b> keep neighbours and little else: the size of groups and
    the distance between them mean nothing. “trust” says how many neighbours in the picture are neighbours at the layer: 1 is all, 0.5 about chance. <b>The probe’s plane</b>
    alone shows what the probe sees: its direction from left to right, and what varies most beside it upwards. On the dashed line both classes are equally probable to it.
    <b>NMF</b> shows how much of two patterns a text has: units that stand above their mean together.</p></details>`;

const CSS = `
  .pictures { display: grid; gap: 8px; padding: 6px 12px; justify-content: start; }
  .picture .title { display: flex; align-items: baseline; justify-content: space-between; gap: 4px; height: 20px; min-width: 0; font-size: 12px; line-height: 20px; white-space: nowrap; }
  .picture .title .text-button { margin: 0; min-width: 0; overflow: hidden; text-overflow: ellipsis; text-decoration: none; }
  .picture.current .title .text-button { font-weight: bold; }
  .picture .said { flex: none; color: var(--lit-neutral-700); font-size: 11px; }
  .plot { position: relative; border: 1px solid var(--lit-neutral-200); border-radius: 2px; background: ${COLORS.paper}; overflow: hidden; }
  .picture.current .plot { border-color: var(--lit-cyea-600); }
  .plot canvas { position: absolute; inset: 0; width: 100%; height: 100%; color: ${COLORS.ink}; outline-color: ${COLORS.accent}; caret-color: ${COLORS.secondMark}; border: 0 solid ${COLORS.axis}; }
  .plot canvas.over { cursor: crosshair; touch-action: none; }
  .plot:focus-within { box-shadow: 0 0 0 2px var(--lit-cyea-500); }
  .plot .why { padding: 8px; font-size: 12px; line-height: 16px; color: var(--lit-neutral-700); overflow-wrap: anywhere; }
  .pointed { height: 20px; padding: 0 12px; font-size: 12px; line-height: 20px; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
  .way { padding: 2px 12px 0; font-size: 12px; line-height: 17px; color: var(--lit-neutral-700); max-width: 720px; }
  .keyed { display: flex; flex-wrap: wrap; column-gap: 12px; padding: 2px 12px 0; font-size: 12px; line-height: 18px; max-height: 54px; overflow-y: auto; }
  .keyed span { display: inline-flex; align-items: center; gap: 4px; }
  .keyed i { width: 9px; height: 9px; border-radius: 50%; }
`;

const METHODS = [{value: 'pca', title: 'PCA'}, {value: 'tsne', title: 't-SNE'}, {value: 'umap', title: 'UMAP'}, {value: 'probe', title: 'Probe’s plane'}, {value: 'nmf', title: 'NMF'}];
/** The way that is picked, for all copies of the panel: small pictures are compared with each other. */
const pickedMethod = observable('pca');
const pickedTool = observable('lasso');
/** As many edits as the server places at once: `MOST_AT_ONCE` of `lit/interpreters/projections.py`. */
const MOST_EDITS = 200;
/** A line shorter than this is a click. */
const CLICK = 6;
const MOST_KEYED = 40;

definePanel('projections-module', (LitPanel) => class ProjectionsModule extends layerPanel(LitPanel) {
  static title = 'Layers in 2-D';
  static infoMarkdown = `**How do the rows lie at every layer?** The same rows in a small picture of each layer, with LIT’s colours, selection and edits.
“How to read this”, at the bottom of the panel, says more.`;
  static interpreter = 'projections';
  static css = PANEL_CSS + CONTROLS_CSS + CSS;

  /** The colours of rows and edits, in their order. @type {ReturnType<typeof pointColors>} */
  colored = {name: '', colors: [], values: [], legend: []};
  /** The row under the pointer in any plot of the page. @type {?string} */
  focused = null;
  /** What is being drawn around points. @type {?{layer: number, line: Point[]}} */
  lasso = null;
  /** What the points were drawn from last, so that a moving pointer draws no point anew. @type {unknown[]} */
  drawn = [];
  /** The points of each layer in pixels: rows first, then edits. @type {Map<number, Point[]>} */
  points = new Map();
  /** What these were made from, and how. @type {Map<number, {picture: LayerPicture, moved: LayerPicture|undefined, side: number, toPoint: (place: number[]) => Point}>} */
  frames = new Map();
  frame = 0;

  choices() {
    return [currentLayer, pickedMethod, pickedTool, /** @type {any} */ (answers)];
  }

  connectedCallback() {
    super.connectedCallback();
    this.reactImmediately(() => pointColors(this.appState.currentInputData ?? []), (/** @type {typeof this.colored} */ colored) => {
      this.colored = colored;
      this.requestUpdate();
    });
    this.reactImmediately(() => focusedExample(), (/** @type {?string} */ focused) => {
      this.focused = focused;
      this.requestUpdate();
    });
    const dark = matchMedia('(prefers-color-scheme: dark)');
    const again = () => {
      this.drawn = [];
      this.requestUpdate();
    };
    dark.addEventListener('change', again);
    this.endings.push(() => dark.removeEventListener('change', again), () => cancelAnimationFrame(this.frame));
  }

  observed() {
    const {currentDataset: dataset, currentInputData} = this.appState;
    const inputs = /** @type {IndexedInput[]} */ (currentInputData ?? []);
    const edits = inputs.filter(({meta}) => meta.added);
    return {
      model: this.model, dataset, inputs,
      rows: edits.length ? inputs.filter(({meta}) => !meta.added) : inputs,
      edits: edits.slice(-MOST_EDITS),
      selected: /** @type {string[]} */ ([...this.selectionService.selectedIds]),
      primary: /** @type {?string} */ (this.selectionService.primarySelectedId),
      pinned: pinnedExample()?.id ?? null,
      fits: fitTogether(this.model, dataset),
    };
  }

  questions() {
    const {rows, edits} = this.seen;
    const method = pickedMethod.get();
    const pictures = this.want('pictures', 'projections', rows.length ? rows : null, {method});
    const ready = answers.read(pictures)?.state === 'ready';
    return {pictures, edits: this.want('edits', 'projections', ready && edits.length ? edits : null, {method, at_once: true})};
  }

  renderContent() {
    const {rows} = this.seen;
    const result = rows.length ? answers.read(this.keys.pictures) ?? {state: 'loading'} : null;
    const answer = result?.state === 'ready' ? /** @type {Projections} */ (result.answer) : null;
    const ways = answer ? answer.methods.map(({name, title, missing}) => ({value: name, title: missing ? `${title} (not installed)` : title})) : METHODS;
    return html`<div class="module-container">
      <div class="module-toolbar wrapped"><div class="toolbar-part">
          ${renderSelect('way', 'Projection', ways, pickedMethod.get(), (way) => pickedMethod.set(way))}</div><div class="toolbar-part">
          ${renderSelect('tool', 'Select by', [{value: 'lasso', title: 'lasso'}, {value: 'box', title: 'box'}], pickedTool.get(), (tool) => pickedTool.set(tool))}</div>
        ${answer ? html`<span class="downloads">${renderDownloads(this.files(answer))}</span>` : nothing}</div>
      <div class="module-results-area">
        ${!result ? card('This data set shows no row.') : answer ? this.renderPictures(answer) : this.renderWaiting(result)}
        ${GUIDE}
      </div></div>`;
  }

  /** @param {Result} result */
  renderWaiting(result) {
    if (result.state === 'failed') return errorCard('The layers could not be drawn.', result.message, result.said ? null : () => this.retry());
    if (result.state === 'cancelled') return cancelledCard(() => answers.retry(this.keys.pictures));
    const cancel = result.state === 'computing' ? () => this.cancelPictures() : undefined;
    return progressCard({...result, message: result.message ?? 'Asking the server'}, cancel);
  }

  cancelPictures() {
    const {model, dataset, rows} = this.seen;
    const config = {method: pickedMethod.get(), cancel: true};
    answers.cancel(this.keys.pictures, (/** @type {Asker} */ asker) => interpretation({model, dataset, interpreter: 'projections', inputs: rows, config, asker}));
  }

  /** @param {Projections} answer */
  renderPictures(answer) {
    const {rows, edits, selected, primary} = this.seen;
    const {columns, side} = gridLayout(this.size.width);
    const current = resolveLayer(currentLayer.get(), answer.best_layer, answer.n_layers);
    const {legend} = this.colored;
    const name = this.coloredBy;
    const under = [...rows, ...edits].find(({id}) => id === (this.focused ?? primary));
    const failed = edits.length ? answers.read(this.keys.edits) : undefined;
    const shared = sharedColors(legend);
    const placing = edits.length > 0 && failed?.state !== 'ready' && failed?.state !== 'failed';
    return [
      renderCaption(html`<b>${answer.title}</b> of ${countOf(rows.length, 'row')}, fitted to ${countOf(answer.n_fitted, 'train row')}${name ? html`; coloured by <b>${name}</b>` : nothing}${selected.length ? `; ${formatCount(selected.length)} selected` : ''}${placing ? '; placing the edits …' : ''}`),
      html`<div class="way">${answer.reading}</div>`,
      shared ? html`<div class="way shared">${shared} Point at one to read which it is.</div>` : nothing,
      legend.length ? html`<div class="keyed" tabindex="0" role="group" aria-label="Colours">${legend.slice(0, MOST_KEYED).map(({label, color}) => html`<span><i style=${`background:${color}`}></i>${label}</span>`)}${legend.length > MOST_KEYED ? html`<span>and ${formatCount(legend.length - MOST_KEYED)} more</span>` : nothing}</div>` : nothing,
      html`<div class="pointed" role="status" dir="auto">${under ? this.words(under) : nothing}</div>`,
      html`<div class="pictures" style=${`grid-template-columns: repeat(${columns}, ${side}px)`}>${answer.layers.map((picture) => this.renderPicture(answer, picture, side, picture.layer === current))}</div>`,
      failed?.state === 'failed' ? errorCard('The edits could not be placed.', failed.message, failed.final ? null : () => this.retry()) : nothing,
      renderNotes(answer.notes, answer),
    ];
  }

  /** What colours stand for, in words; empty where all are alike. @returns {string} */
  get coloredBy() {
    const {currentModels, currentDataset, metadata} = this.appState;
    return columnWords(this.colored.name, currentModels, (model) => shortName(model, currentDataset, Object.keys(metadata.datasets)));
  }

  /** What a row says and is. @param {IndexedInput} row */
  words(row) {
    const value = this.colored.values[this.seen.inputs.indexOf(row)];
    const traits = [row.meta.added ? 'edit' : row.data.probe_split ?? '', value ? `${this.coloredBy}: ${value}` : ''].filter(Boolean);
    return html`${traits.length ? html`<b>${traits.join(' · ')}</b> ` : nothing}${oneLine(exampleText(row))}`;
  }

  /** @param {Projections} answer @param {LayerPicture} picture @param {number} side @param {boolean} current */
  renderPicture(answer, picture, side, current) {
    const {layer, axes, reason} = picture;
    const names = answer.layer_names;
    const title = `${layer === 0 && !names ? 'embeddings' : placeTitle(layer, names)}${layer === answer.best_layer ? ' ★' : ''}`;
    const about = axes ? `Share of ${answer.share_of}. Across: ${axes[0]}. Up: ${axes[1]}.` : 'Trustworthiness: whether neighbours here are neighbours at the layer. The axes mean nothing.';
    return html`<div class=${`picture${current ? ' current' : ''}`} data-layer=${layer}>
      <div class="title"><button class="text-button" title=${`Make ${layerName(layer, names)} the current layer`} aria-pressed=${current ? 'true' : 'false'} @click=${() => currentLayer.set(layer)}>${title}</button>
        <span class="said" title=${about}>${pictureWords(picture)}</span></div>
      <div class="plot" style=${`width:${side}px; height:${side}px; box-sizing: border-box`}>${reason ? html`<div class="why">${reason}</div>` : html`
        <canvas class="base" aria-hidden="true"></canvas>
        <canvas class="over" tabindex="0" role="application" aria-label=${`${layerName(layer, names)}: ${countOf(picture.xy.length, 'point')}. Arrow keys walk from point to point, Enter selects.`}
          @pointerdown=${(/** @type {PointerEvent} */ event) => this.onDown(event, layer)} @pointermove=${(/** @type {PointerEvent} */ event) => this.onMove(event, layer)}
          @pointerup=${(/** @type {PointerEvent} */ event) => this.onUp(event, layer)} @pointercancel=${() => this.endLasso()}
          @pointerleave=${() => (this.lasso ? undefined : focusExample(null))} @keydown=${(/** @type {KeyboardEvent} */ event) => this.onKey(event, layer)}></canvas>`}</div></div>`;
  }

  /** The rows and edits that the points of all pictures are, in their order. @returns {IndexedInput[]} */
  pointed() {
    const placed = this.seen.edits.length && answers.read(this.keys.edits)?.state === 'ready';
    return placed ? [...this.seen.rows, ...this.seen.edits] : this.seen.rows;
  }

  /** @param {MouseEvent} event @returns {Point} */
  at(event) {
    const {left, top} = /** @type {HTMLElement} */ (event.target).getBoundingClientRect();
    return [event.clientX - left, event.clientY - top];
  }

  /** @param {PointerEvent} event @param {number} layer */
  onDown(event, layer) {
    if (event.button !== 0) return;
    const canvas = /** @type {HTMLElement} */ (event.target);
    canvas.setPointerCapture(event.pointerId);
    this.lasso = {layer, line: [this.at(event)]};
  }

  /** @param {PointerEvent} event @param {number} layer */
  onMove(event, layer) {
    const at = this.at(event);
    if (this.lasso) {
      this.lasso.line = pickedTool.get() === 'box' ? boxLine(this.lasso.line[0], at) : [...this.lasso.line, at];
      this.drawSoon();
      return;
    }
    const index = pointUnder(this.points.get(layer) ?? [], at);
    const id = index === null ? null : this.pointed()[index].id;
    if (id !== this.focused) focusExample(id);
  }

  /** @param {PointerEvent} event @param {number} layer */
  onUp(event, layer) {
    const drawn = this.lasso?.line ?? [];
    this.endLasso();
    if (!drawn.length) return;
    const points = this.points.get(layer) ?? [];
    if (lengthOf(drawn) >= CLICK) this.select(inside(points, drawn), event.shiftKey);
    else {
      const index = pointUnder(points, this.at(event));
      this.select(index === null ? [] : [index], event.shiftKey);
    }
  }

  endLasso() {
    this.lasso = null;
    this.drawSoon();
  }

  /** @param {number[]} indices @param {boolean} more  whether they join those that are selected */
  select(indices, more) {
    const rows = this.pointed();
    const ids = indices.map((index) => rows[index].id);
    selectExamples(more ? [...new Set([...this.seen.selected, ...ids])] : ids);
  }

  /** @param {KeyboardEvent} event @param {number} layer */
  onKey(event, layer) {
    const rows = this.pointed();
    const from = rows.findIndex(({id}) => id === (this.focused ?? this.seen.primary));
    if (event.key === 'Enter' || event.key === ' ') {
      if (this.focused === null || from < 0) return;
      this.select([from], event.shiftKey);
    } else if (event.key === 'Escape') {
      this.endLasso();
      focusExample(null);
      selectExamples([]);
    } else {
      const index = pointByKey(this.points.get(layer) ?? [], from < 0 ? null : from, event.key);
      if (index === null) return;
      focusExample(rows[index].id);
    }
    event.preventDefault();
  }

  /** @param {unknown} changed */
  updated(changed) {
    super.updated(changed);
    this.drawSoon();
  }

  /** Draws at the next frame, however often it is asked for until then. */
  drawSoon() {
    cancelAnimationFrame(this.frame);
    this.frame = requestAnimationFrame(() => this.draw());
  }

  draw() {
    const result = this.seen ? answers.read(this.keys.pictures) : undefined;
    if (result?.state !== 'ready') {
      this.drawn = [];
      return;
    }
    const answer = /** @type {Projections} */ (result.answer);
    const {rows, edits, inputs, selected, primary, pinned} = this.seen;
    const placed = edits.length ? answers.read(this.keys.edits) : undefined;
    const moved = placed?.state === 'ready' ? /** @type {Projections} */ (placed.answer) : null;
    const {side} = gridLayout(this.size.width);
    const from = [answer, moved, rows, this.colored, selected, side, window.devicePixelRatio];
    const anew = from.length !== this.drawn.length || from.some((one, i) => one !== this.drawn[i]);
    this.drawn = from;
    const shown = this.pointed();
    const place = new Map(shown.map(({id}, index) => [id, index]));
    const ofInput = edits.length ? new Map(inputs.map((/** @type {IndexedInput} */ {id}, /** @type {number} */ index) => [id, index])) : place;
    const colorOf = (/** @type {string} */ id) => this.colored.colors[ofInput.get(id) ?? -1] ?? '';
    const colors = anew ? shown.map(({id}) => colorOf(id)) : [];
    const chosen = anew ? new Set(selected.length > 1 && selected.length < shown.length ? selected.map((/** @type {string} */ id) => place.get(id) ?? -1).filter((/** @type {number} */ index) => index >= 0) : []) : new Set();
    for (const [order, picture] of answer.layers.entries()) {
      const host = this.shadowRoot?.querySelector(`.picture[data-layer="${picture.layer}"]`);
      const [base, over] = host?.querySelectorAll('canvas') ?? [];
      if (!base || !over) continue;
      const inner = side - 2;
      if (anew) {
        const {toPoint} = this.placed(picture, moved?.layers[order], inner);
        const context = cleared(base, inner);
        if (answer.boundary !== null) drawBoundary(context, toPoint([answer.boundary, 0])[0], inner, inksOf(base).quiet);
        drawPoints(context, (this.points.get(picture.layer) ?? []).slice(0, rows.length), colors, /** @type {Set<number>} */ (chosen));
      }
      const points = /** @type {Point[]} */ (this.points.get(picture.layer));
      const context = cleared(over, inner);
      const {ink, accent, pinned: orange, paper} = inksOf(over);
      for (const edit of moved ? edits : []) {
        const index = place.get(edit.id);
        const original = place.get(edit.meta.parentId ?? '');
        if (index !== undefined && points[index]) drawMove(context, original === undefined ? null : points[original], points[index], colorOf(edit.id), ink, paper);
      }
      for (const [id, color, radius] of /** @type {[?string, string, number][]} */ ([[pinned, orange, 7], [primary, ink, 6], [this.focused, accent, 8]])) {
        const index = id === null ? undefined : place.get(id);
        if (index !== undefined && points[index]) drawRing(context, points[index], color, paper, radius);
      }
      if (this.lasso?.layer === picture.layer && this.lasso.line.length > 1) drawLasso(context, this.lasso.line, accent);
    }
  }

  /**
   * Notes where the points of a picture stand, unless they stand there already: a selection moves none.
   *
   * @param {LayerPicture} picture
   * @param {LayerPicture|undefined} moved  the edits in it
   * @param {number} side
   */
  placed(picture, moved, side) {
    const known = this.frames.get(picture.layer);
    if (known && known.picture === picture && known.moved === moved && known.side === side) return known;
    const xy = moved ? [...picture.xy, ...moved.xy] : picture.xy;
    const {toPoint} = frameOf(xy, side);
    const frame = {picture, moved, side, toPoint};
    this.frames.set(picture.layer, frame);
    this.points.set(picture.layer, xy.map(toPoint));
    return frame;
  }

  /** @param {Projections} answer */
  files(answer) {
    const {model, rows, inputs} = this.seen;
    const index = new Map(inputs.map((/** @type {IndexedInput} */ {id}, /** @type {number} */ i) => [id, i]));
    const {name, colors, values, legend} = this.colored;
    const {coloredBy} = this;
    const own = (/** @type {string[]} */ of) => rows.map((/** @type {IndexedInput} */ {id}) => of[index.get(id) ?? -1] ?? '');
    const shown = own(values);
    // Made when they are asked for: a table of all layers has as many lines as points.
    return {
      name: `layers_in_2d_${answer.method}_${model}`,
      get csv() {
        return placesCsv(model, answer, rows.map((/** @type {IndexedInput} */ row, /** @type {number} */ i) => ({id: row.id, text: exampleText(row), split: row.data.probe_split ?? '', color: shown[i]})), name);
      },
      get figure() {
        return figurePage({
          title: `${answer.title} by layer: ${answer.encoder} on ${answer.trained_on}`,
          setting: `${countOf(rows.length, 'row')}, fitted to ${countOf(answer.n_fitted, 'train row')} · ${answer.pooling} pooling${name ? ` · coloured by ${coloredBy}` : ''}`,
          charts: [pictureGrid(answer, own(colors))],
          legend: legend.slice(0, MOST_KEYED).map(({label, color}) => ({style: {color, marker: /** @type {'circle'} */ ('circle'), dash: ''}, line: false, label})),
          footnotes: [answer.reading, ...[sharedColors(legend)].filter(Boolean), '★: chosen on dev.', ...answer.notes],
        });
      },
    };
  }
});
