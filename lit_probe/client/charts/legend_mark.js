// @ts-check
/** @typedef {import('../page/types.js').LineStyle} LineStyle */
/** @typedef {import('../page/types.js').SvgNode} SvgNode */
import {marker} from './marker.js';
import {svgNode} from './svg.js';

/**
 * How a series looks, for its line in a legend: 26 pixels of its line with its mark, or the mark alone.
 *
 * @param {LineStyle} style
 * @param {boolean} line
 * @param {{x?: number, y?: number}} [at]  the left end of its middle
 * @returns {SvgNode}
 */
export function legendMark({color, marker: shape, dash}, line, {x = 0, y = 6} = {}) {
  const width = line ? 26 : 12;
  return svgNode('g', {},
    line ? svgNode('line', {x1: x, x2: x + width, y1: y, y2: y, stroke: color, 'stroke-width': 2, 'stroke-dasharray': dash || 'none'}) : null,
    shape === null ? null : marker(shape, x + width / 2, y, 4, color),
  );
}
