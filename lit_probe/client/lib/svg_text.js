// @ts-check
/** @typedef {import('./types.js').SvgNode} SvgNode */

/** @type {Record<string, string>} */
const ESCAPES = {'&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;'};
// XML 1.0 allows no other control characters, escaped or not.
const FORBIDDEN = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g;

/**
 * A drawing as the text of an SVG file.
 *
 * @param {SvgNode} node
 * @returns {string}
 */
export function svgText(node) {
  const attributes = Object.entries(node.attributes).map(([name, value]) => ` ${name}="${escaped(String(value))}"`).join('');
  const children = node.children.map((child) => (typeof child === 'string' ? escaped(child) : svgText(child))).join('');
  return `<${node.name}${attributes}>${children}</${node.name}>`;
}

/**
 * @param {string} text
 * @returns {string}
 */
function escaped(text) {
  return text.toWellFormed().replace(FORBIDDEN, '\ufffd').replace(/[&<>"]/g, (character) => ESCAPES[character]);
}
