// @ts-check
/** @typedef {import('./types.js').SvgNode} SvgNode */

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
