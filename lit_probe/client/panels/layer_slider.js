// @ts-check
/** @typedef {import('../page/types.js').Margin} Margin */
import {currentLayer} from '../page/choices.js';
import {layerScale} from '../charts/scales.js';
import {MARGIN} from '../charts/line_chart.js';
import {html} from '../page/lit_host.js';

/**
 * A chart over layers that is also the control of the current layer: by mouse, by arrow keys and for screen readers.
 *
 * @param {object} parts
 * @param {unknown} parts.chart
 * @param {unknown} parts.tooltip
 * @param {number} parts.nLayers
 * @param {number} parts.layer  the current one
 * @param {string} parts.words  what is shown there, for a screen reader
 * @param {(layer: ?number) => void} parts.hover  is told of the layer under the pointer
 * @param {Margin} [parts.margin]  the chart's
 */
export function layerSlider({chart, tooltip, nLayers, layer, words, hover, margin = MARGIN}) {
  return html`<div class="chart" role="slider" tabindex="0" aria-label="Current layer" aria-valuemin="0"
      aria-valuemax=${nLayers - 1} aria-valuenow=${layer} aria-valuetext=${words}
      @keydown=${(/** @type {KeyboardEvent} */ event) => onLayerKey(event, layer, nLayers)}
      @pointermove=${(/** @type {PointerEvent} */ event) => hover(layerUnder(event, nLayers, margin))}
      @pointerleave=${() => hover(null)}
      @click=${(/** @type {MouseEvent} */ event) => currentLayer.set(layerUnder(event, nLayers, margin))}>
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
 * @param {number} layer
 * @param {number} nLayers
 */
export function onLayerKey(event, layer, nLayers) {
  const page = Math.max(2, Math.round(nLayers / 4));
  /** @type {Record<string, ?number>} */
  const targets = {
    ArrowLeft: layer - 1, ArrowDown: layer - 1, ArrowRight: layer + 1, ArrowUp: layer + 1,
    PageDown: layer - page, PageUp: layer + page, Home: 0, End: nLayers - 1, Escape: null,
  };
  const target = targets[event.key];
  if (target === undefined) return;
  event.preventDefault();
  currentLayer.set(target === null ? null : Math.min(nLayers - 1, Math.max(0, target)));
}
