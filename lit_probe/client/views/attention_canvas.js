// @ts-check
/** What the panel "Attention" paints: small pictures of heads, lines between tokens, and strips of units. */
/** @import {AttendedText, AttentionHeads, AttentionUnits} from '../page/types.js' */
/** @import {Head} from './attention_grid.js' */
/** @import {Line} from './attention_lines.js' */
import {FONT} from '../charts/line_chart.js';
import {pictureLayout, picturePixels} from './attention_grid.js';

/** The height of a token's row in pixels. */
export const ROW = 18;

/** The colours of a canvas: those of its style sheet, which follow the page's scheme. @param {HTMLCanvasElement} canvas */
function inks(canvas) {
  const style = getComputedStyle(canvas);
  return {more: style.color, less: style.caretColor, quiet: style.borderTopColor, mark: style.borderBottomColor};
}

/** Room for so many pixels of the page, as sharp as the screen is. @param {HTMLCanvasElement} canvas @param {number} width @param {number} height */
function sized(canvas, width, height) {
  const sharp = window.devicePixelRatio || 1;
  Object.assign(canvas, {width: Math.round(width * sharp), height: Math.round(height * sharp)});
  Object.assign(canvas.style, {width: `${width}px`, height: `${height}px`});
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext('2d'));
  context.scale(sharp, sharp);
  return context;
}

/** @param {string} color  as a browser computes it @returns {number[]} */
function channels(color) {
  return (color.match(/[\d.]+/g) ?? ['0', '0', '0']).slice(0, 3).map(Number);
}

/**
 * Paints all heads.
 *
 * @param {HTMLCanvasElement} canvas
 * @param {AttentionHeads} answer
 * @param {object} view
 * @param {number} view.width
 * @param {?{text: AttendedText, bytes: Uint8Array}} view.picture  whose pictures; null: how much each head changes
 * @param {Head} view.picked
 * @param {?Head} view.hovered
 */
export function paintHeads(canvas, answer, {width, picture, picked, hovered}) {
  const layout = pictureLayout(answer, width);
  const context = sized(canvas, layout.width, layout.height);
  const {more, quiet, mark} = inks(canvas);
  context.imageSmoothingEnabled = false;
  const largest = Math.max(1e-9, ...(answer.changes ?? []).flat());
  const side = picture?.text.side ?? 1;
  const small = new OffscreenCanvas(side, side);
  const pixels = /** @type {OffscreenCanvasRenderingContext2D} */ (small.getContext('2d'));
  for (let block = 1; block <= answer.n_blocks; block++) {
    for (let head = 0; head < answer.n_heads; head++) {
      const at = {block, head};
      const box = /** @type {[number, number, number, number]} */ ([layout.x(at), layout.y(at), layout.inside, layout.inside]);
      if (picture) {
        pixels.putImageData(new ImageData(picturePixels(picture.bytes, picture.text, at, answer.n_heads, channels(more)), side), 0, 0);
        context.drawImage(small, ...box);
      } else if (answer.changes) {
        context.globalAlpha = answer.changes[block - 1][head] / largest;
        context.fillStyle = more;
        context.fillRect(...box);
        context.globalAlpha = 1;
      }
      context.strokeStyle = quiet;
      context.lineWidth = 1;
      context.strokeRect(box[0] - 0.5, box[1] - 0.5, layout.inside + 1, layout.inside + 1);
    }
  }
  for (const [at, thick] of /** @type {[?Head, number][]} */ ([[hovered, 1.5], [picked, 3]])) {
    if (!at) continue;
    context.strokeStyle = mark;
    context.lineWidth = thick;
    context.strokeRect(layout.x(at) - 1, layout.y(at) - 1, layout.inside + 2, layout.inside + 2);
  }
  context.fillStyle = mark;
  context.font = `11px ${FONT}`;
  context.textAlign = 'right';
  for (let block = 1; block <= answer.n_blocks; block += layout.step) {
    context.fillText(`block ${block}`, layout.left - 6, layout.y({block, head: 0}) + layout.cell / 2 + 4);
  }
  context.fillText('head', layout.left - 6, layout.top - 6);
  context.textAlign = 'center';
  for (let head = 0; head < answer.n_heads; head += layout.step) {
    context.fillText(String(head), layout.x({block: 1, head}) + layout.inside / 2, layout.top - 6);
  }
}

/**
 * Paints lines from the tokens at the left to those that they take in from, at the right.
 *
 * @param {HTMLCanvasElement} canvas
 * @param {Line[]} lines
 * @param {{width: number, nTokens: number, largest: number}} size  `largest`: the share that is drawn in full colour
 */
export function paintLines(canvas, lines, {width, nTokens, largest}) {
  const context = sized(canvas, width, nTokens * ROW);
  const {more, less} = inks(canvas);
  context.lineWidth = 1.5;
  for (const {from, to, share} of lines) {
    context.globalAlpha = Math.min(1, Math.abs(share) / largest);
    context.strokeStyle = share < 0 ? less : more;
    context.beginPath();
    context.moveTo(0, (from + 0.5) * ROW);
    context.lineTo(width, (to + 0.5) * ROW);
    context.stroke();
  }
}

/** Between the strips of keys and of products. */
const GAP = 8;

/**
 * Paints units: in the first row the query; below it, for each token, its key and the product of the two.
 *
 * @param {HTMLCanvasElement} canvas
 * @param {AttentionUnits} units
 * @param {number} width
 */
export function paintUnits(canvas, {query, keys, products}, width) {
  const context = sized(canvas, width, (keys.length + 1) * ROW);
  const {more, less, mark} = inks(canvas);
  const strip = (width - GAP) / 2;
  const step = strip / query.length;
  const largest = (/** @type {number[][]} */ rows) => Math.max(1e-12, ...rows.map((row) => Math.max(...row.map(Math.abs))));
  const paint = (/** @type {number[]} */ values, /** @type {number} */ row, /** @type {number} */ left, /** @type {number} */ most) => values.forEach((value, unit) => {
    context.globalAlpha = Math.abs(value) / most;
    context.fillStyle = value < 0 ? less : more;
    context.fillRect(left + unit * step, row * ROW + 2, Math.max(step, 0.5), ROW - 4);
  });
  const [ofKeys, ofProducts] = [largest(keys), largest(products)];
  paint(query, 0, 0, largest([query]));
  keys.forEach((values, place) => paint(values, place + 1, 0, ofKeys));
  products.forEach((values, place) => paint(values, place + 1, strip + GAP, ofProducts));
  context.globalAlpha = 1;
  context.strokeStyle = mark;
  context.lineWidth = 0.5;
  for (const left of [0, strip + GAP]) context.strokeRect(left, ROW + 0.5, strip, keys.length * ROW - 1);
}

/** The unit under a pixel, if any. @param {number} x @param {number} width @param {number} nUnits @returns {?number} */
export function unitUnder(x, width, nUnits) {
  const strip = (width - GAP) / 2;
  const within = x < strip ? x : x - strip - GAP;
  return within < 0 || within >= strip ? null : Math.floor((within / strip) * nUnits);
}
