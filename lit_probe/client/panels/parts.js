// @ts-check
/** The parts that panels are put together from: cards, drop-downs, legends, buttons, and a chart that picks the layer. */
/** @import {LineStyle, Margin, SvgNode} from '../charts/types.js' */
/** @import {Result} from '../page/answers.js' */
import {layerScale} from '../charts/axes.js';
import {legendMark, MARGIN} from '../charts/line_chart.js';
import {pngOf} from '../charts/png.js';
import {svgElement, svgNode, svgText} from '../charts/svg.js';
import {currentLayer} from '../page/choices.js';
import {html, nothing} from '../page/lit_host.js';
import {download} from '../words/files.js';
import {placeTitle, readingOf} from '../words/sentences.js';

/**
 * A statement in the place of what cannot be shown.
 *
 * @param {unknown} text
 */
export function card(text) {
  return html`<div class="card">${text}</div>`;
}

/**
 * What is being done, how far it is, and a way to end it.
 *
 * @param {Result} result
 * @param {() => void} [cancel]  the action of its button; without it there is no button
 */
export function progressCard({message, fraction}, cancel) {
  return html`<div class="card" role="status">
    <div class="working"><lit-spinner size=${24} color="var(--lit-cyea-600)"></lit-spinner><div>${message}</div>
      ${cancel ? html`<button class="hairline-button cancel" @click=${cancel}>Cancel</button>` : nothing}</div>
    ${typeof fraction === 'number' ? html`<progress max="1" value=${fraction} aria-label="Progress"></progress>` : nothing}
  </div>`;
}

/**
 * Why there is no result, and a way to try again.
 *
 * @param {string} title
 * @param {string|undefined} message  the server's sentence
 * @param {(() => void)|null} retry  null where asking again cannot help: the message says what does
 */
export function errorCard(title, message, retry) {
  return html`<div class="card error" role="alert">
    <b>${title}</b>
    <div class="message">${message}</div>
    ${retry ? html`<button class="hairline-button retry" @click=${retry}>Retry</button>` : nothing}
  </div>`;
}

/**
 * A card that says that a computation was cancelled, and a way to start it again.
 *
 * @param {() => void} start
 */
export function cancelledCard(start) {
  return html`<div class="card" role="status">You cancelled this computation. It goes on only if another page waits for it; what was finished is kept where possible.
    <br><button class="hairline-button start" @click=${start}>Start again</button></div>`;
}

/** What the lines are. @param {{style: LineStyle, label: string}[]} entries */
export function renderLegend(entries) {
  return html`<div class="legend">${entries.map(({style, label}) => html`<span>
    ${legendElement(style)}${label}</span>`)}</div>`;
}

/** A series' line with its mark, or the mark alone. @param {LineStyle} style @param {boolean} [line] */
export function legendElement(style, line = true) {
  return svgElement(svgNode('svg', {width: line ? 26 : 12, height: 12, 'aria-hidden': 'true'}, legendMark(style, line)));
}

/** What is measured, in one line. @param {unknown} text */
export function renderCaption(text) {
  return html`<div class="caption" role="status">${text}</div>`;
}

/** Charts in the places that `chartSize` has given them. @param {unknown[]} charts */
export function renderCharts(charts) {
  return html`<div class="charts">${charts}</div>`;
}

/**
 * A drop-down of the toolbar.
 *
 * @param {string} id @param {string} label @param {{value: string, title: string}[]} options @param {string} picked @param {(value: string) => void} pick
 */
export function renderSelect(id, label, options, picked, pick) {
  return html`<label class="dropdown-label" for=${id}>${label}&nbsp;</label>
    <select id=${id} class="dropdown" @change=${(/** @type {Event} */ event) => pick(/** @type {HTMLSelectElement} */ (event.target).value)}>
      ${options.map(({value, title}) => html`<option value=${value} ?selected=${value === picked}>${title}</option>`)}</select>`;
}

/** The buttons that save files, whose content is read when it is asked for. @param {{name: string, csv: string, figure: SvgNode}} files */
export function renderDownloads(files) {
  return html`<div class="toolbar-part">
    <button class="hairline-button save-csv" title="Download the numbers as a table" @click=${() => download(`${files.name}.csv`, 'text/csv', files.csv)}>CSV</button>
    ${renderFigureButtons(files.name, () => files.figure)}
  </div>`;
}

/**
 * The buttons that save a drawing, which is made when it is asked for: every panel that has one saves it in all these forms.
 *
 * @param {string} name  of the file
 * @param {() => SvgNode} figure  the drawing, with a width and a height
 * @param {string} [what]  as the words of the buttons call it
 */
export function renderFigureButtons(name, figure, what = 'the drawing') {
  return html`<button class="hairline-button save-svg" title=${`Download ${what} as a figure`} @click=${() => download(`${name}.svg`, 'image/svg+xml', svgText(figure()))}>SVG</button>
    <button class="hairline-button save-png" title=${`Download ${what} as a picture of pixels, twice as fine as on the page`} @click=${(/** @type {Event} */ event) => savePng(/** @type {HTMLElement} */ (event.currentTarget), name, figure())}>PNG</button>`;
}

/** @param {HTMLElement} button  where it is said if there can be no picture @param {string} name @param {SvgNode} figure */
async function savePng(button, name, figure) {
  const told = button.parentElement?.querySelector('.png-failure');
  told?.remove();
  try {
    download(`${name}.png`, 'image/png', await pngOf(figure));
  } catch (error) {
    button.after(Object.assign(document.createElement('span'), {className: 'doubt png-failure', role: 'alert', textContent: /** @type {Error} */ (error).message}));
  }
}

/**
 * Remarks below the numbers, and what the probes are.
 *
 * @param {string[]} notes
 * @param {{encoder: string, pooling: string, probe: string, trained_on: string, unit?: 'word'}[]} abouts  one for each curve
 */
export function renderNotes(notes, ...abouts) {
  const lines = abouts.map(({encoder, probe, trained_on: trainedOn, ...read}) => `${encoder}, ${readingOf(read)}; ${probe} probes trained on ${trainedOn}`);
  return html`<div class="notes">${[...notes, ...lines].map((note) => html`<div>${note}</div>`)}</div>`;
}

/** The way back to the dev-chosen layer, for the end of a line about another one. @param {number} layer @param {number} bestLayer @param {?string[]} [names]  what the layers are called */
export function backButton(layer, bestLayer, names = null) {
  return layer === bestLayer ? nothing
    : html`<button class="text-button" @click=${() => currentLayer.set(null)}>back to ${placeTitle(bestLayer, names)} (dev-chosen)</button>`;
}

/**
 * A chart over layers that is also the control of the current layer: by mouse, by arrow keys and for screen readers.
 *
 * @param {object} parts
 * @param {unknown} parts.chart
 * @param {unknown} parts.tooltip
 * @param {number} parts.nLayers
 * @param {number} parts.layer  the current one
 * @param {string} parts.words  the values at that layer, for a screen reader
 * @param {(layer: ?number) => void} parts.hover  a function that is told the layer under the pointer
 * @param {Margin} [parts.margin]  the chart's
 * @param {(column: number) => number} [parts.placeAt]  the layer that stands in a column, where a column is not a layer: `nLayers` then is
 *     their number, `layer` the current one, and `hover` is told one
 * @param {(key: string) => ?number|undefined} [parts.byKey]  the layer to which a key leads; as `layerByKey` says if nothing is said
 */
export function layerSlider({
  chart, tooltip, nLayers, layer, words, hover, margin = MARGIN, placeAt = (column) => column, byKey = (key) => layerByKey(key, layer, nLayers),
}) {
  return html`<div class="chart" role="slider" tabindex="0" aria-label="Current layer" aria-valuemin="0"
      aria-valuemax=${nLayers - 1} aria-valuenow=${layer} aria-valuetext=${words}
      @keydown=${(/** @type {KeyboardEvent} */ event) => onLayerKey(event, byKey)}
      @pointermove=${(/** @type {PointerEvent} */ event) => hover(layerUnder(event, nLayers, margin))}
      @pointerleave=${() => hover(null)}
      @click=${(/** @type {MouseEvent} */ event) => currentLayer.set(placeAt(layerUnder(event, nLayers, margin)))}>
    ${chart}${tooltip}
  </div>`;
}

/**
 * The layer whose column is under the pointer.
 *
 * @param {MouseEvent} event
 * @param {number} nLayers
 * @param {Margin} [margin]
 * @returns {number}
 */
export function layerUnder(event, nLayers, margin = MARGIN) {
  const {left, width} = /** @type {HTMLElement} */ (event.currentTarget).getBoundingClientRect();
  return layerScale(nLayers, [margin.left, width - margin.right]).layerAt(event.clientX - left);
}

/**
 * Moves the current layer by keys.
 *
 * @param {KeyboardEvent} event
 * @param {(key: string) => ?number|undefined} byKey  see `layerByKey`
 */
export function onLayerKey(event, byKey) {
  const target = byKey(event.key);
  if (target === undefined) return;
  event.preventDefault();
  currentLayer.set(target);
}

/**
 * The layer to which a key leads.
 *
 * @param {string} key
 * @param {number} layer
 * @param {number} nLayers
 * @returns {?number|undefined}  null: back to the chosen one; undefined: the key means nothing
 */
export function layerByKey(key, layer, nLayers) {
  const page = Math.max(2, Math.round(nLayers / 4));
  /** @type {Record<string, ?number>} */
  const targets = {
    ArrowLeft: layer - 1, ArrowDown: layer - 1, ArrowRight: layer + 1, ArrowUp: layer + 1,
    PageDown: layer - page, PageUp: layer + page, Home: 0, End: nLayers - 1, Escape: null,
  };
  const target = targets[key];
  return typeof target === 'number' ? Math.min(nLayers - 1, Math.max(0, target)) : target;
}
