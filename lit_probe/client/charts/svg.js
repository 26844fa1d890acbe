// @ts-check
/** Drawings as plain data, and what they become: elements of the page, or the text of a file. */
/** @import {SvgNode} from './types.js' */
import {shorten} from '../words/format.js';
import {lightColors} from './palette.js';

/**
 * A piece of a drawing as plain data: `svgText` turns it into a file, `svgElement` into elements of the page.
 *
 * @param {string} name  the SVG element's name
 * @param {Record<string, string|number>} attributes
 * @param {...(SvgNode|string|null)} children  null is left out
 * @returns {SvgNode}
 */
export function svgNode(name, attributes, ...children) {
  return {name, attributes, children: children.filter((child) => child !== null)};
}

/**
 * A drawing as elements of the page.
 *
 * @param {SvgNode} node
 * @returns {SVGElement}
 */
export function svgElement(node) {
  const element = document.createElementNS('http://www.w3.org/2000/svg', node.name);
  for (const [name, value] of Object.entries(node.attributes)) {
    if (name !== 'xmlns') element.setAttribute(name, String(value));
  }
  element.append(...node.children.map((child) => (typeof child === 'string' ? child : svgElement(child))));
  return element;
}

/**
 * A text of a drawing, shortened in the middle where it is too long; the whole of it is its `title`.
 *
 * @param {Record<string, string|number>} attributes
 * @param {string} text
 * @param {number} pixels  the room there is
 * @param {number} [perCharacter]  the width of a character in pixels
 * @param {string} [mark]  a mark before the text, which is never shortened
 * @returns {SvgNode}
 */
export function svgLabel(attributes, text, pixels, perCharacter = 5.8, mark = '') {
  const shown = shorten(text, Math.max(5, Math.floor(pixels / perCharacter) - mark.length));
  if (shown === text) return svgNode('text', attributes, mark + text);
  // The drawings themselves let the pointer through to what lies under them; a browser shows the title only of what it touches.
  return svgNode('text', {...attributes, 'pointer-events': 'all'}, mark + shown, svgNode('title', {}, mark + text));
}

/** @type {Record<string, string>} */
const ESCAPES = {'&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;'};
// XML 1.0 allows no other control characters, escaped or not.
const FORBIDDEN = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g;

/**
 * A drawing as the text of an SVG file, in the colours of a light page.
 *
 * @param {SvgNode} node
 * @returns {string}
 */
export function svgText(node) {
  const attributes = Object.entries(node.attributes).map(([name, value]) => ` ${name}="${escaped(lightColors(String(value)))}"`).join('');
  const children = node.children.map((child) => (typeof child === 'string' ? escaped(child) : svgText(child))).join('');
  // Drawings run spaces together, and inherit no wish to keep them.
  const spaced = node.name === 'text' && node.children.some((child) => typeof child === 'string' && /\s\s/.test(child)) ? ' xml:space="preserve"' : '';
  return `<${node.name}${attributes}${spaced}>${children}</${node.name}>`;
}

/**
 * @param {string} text
 * @returns {string}
 */
function escaped(text) {
  return text.toWellFormed().replace(FORBIDDEN, '\ufffd').replace(/[&<>"]/g, (character) => ESCAPES[character]);
}
