// @ts-check
/** A drawing as a picture of pixels, made by the browser: for slides and word processors that take no SVG. */
/** @import {SvgNode} from './types.js' */
import {COLORS, lightColors} from './palette.js';
import {svgText} from './svg.js';

/** Pixels of the picture for one of the drawing. */
const SCALE = 2;
/** The longest side, and the most pixels, of a picture that every browser can make. */
const LONGEST = 16_384;
const MOST = 2 ** 26;

/**
 * How many pixels of the picture stand for one of the drawing: 2, and fewer where that is more than browsers can make.
 *
 * @param {number} width
 * @param {number} height
 * @returns {number}
 */
export function pngScale(width, height) {
  return Math.min(SCALE, LONGEST / Math.max(width, height), Math.sqrt(MOST / (width * height)));
}

/**
 * A drawing as the bytes of a PNG file, on white and in the colours of a light page. Nothing is fetched for it.
 *
 * @param {SvgNode} node  with a `width` and a `height`
 * @returns {Promise<Uint8Array<ArrayBuffer>>}
 * @throws {Error} where the browser cannot make it; its message is a sentence for people
 */
export async function pngOf(node) {
  const [width, height] = [Number(node.attributes.width), Number(node.attributes.height)];
  const scale = pngScale(width, height);
  const url = URL.createObjectURL(new Blob([svgText(node)], {type: 'image/svg+xml;charset=utf-8'}));
  try {
    const image = new Image();
    image.src = url;
    await image.decode();
    const canvas = Object.assign(document.createElement('canvas'), {width: Math.round(width * scale), height: Math.round(height * scale)});
    const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext('2d'));
    context.fillStyle = lightColors(COLORS.paper);
    context.fillRect(0, 0, canvas.width, canvas.height);
    context.drawImage(image, 0, 0, canvas.width, canvas.height);
    const blob = await new Promise((done) => canvas.toBlob(done, 'image/png'));
    if (!blob) throw new Error('no picture');
    return new Uint8Array(await blob.arrayBuffer());
  } catch (error) {
    throw new Error('This browser could not make the picture: save the figure as SVG.', {cause: error});
  } finally {
    URL.revokeObjectURL(url);
  }
}
