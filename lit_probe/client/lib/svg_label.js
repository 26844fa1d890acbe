// @ts-check
/** @typedef {import('./types.js').SvgNode} SvgNode */
import {shorten} from './shorten.js';
import {svgNode} from './svg_node.js';

/**
 * A text of a drawing, shortened in the middle where it is too long; the whole of it is its `title`.
 *
 * @param {Record<string, string|number>} attributes
 * @param {string} text
 * @param {number} pixels  the room there is
 * @param {number} [perCharacter]  how wide a character is, in pixels
 * @param {string} [mark]  stands before the text and is never shortened
 * @returns {SvgNode}
 */
export function svgLabel(attributes, text, pixels, perCharacter = 5.8, mark = '') {
  const shown = shorten(text, Math.max(5, Math.floor(pixels / perCharacter) - mark.length));
  if (shown === text) return svgNode('text', attributes, mark + text);
  // The drawings themselves let the pointer through to what lies under them; a browser shows the title only of what it touches.
  return svgNode('text', {...attributes, 'pointer-events': 'all'}, mark + shown, svgNode('title', {}, mark + text));
}
