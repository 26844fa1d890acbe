// @ts-check
/** @typedef {import('./types.js').SvgNode} SvgNode */

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
