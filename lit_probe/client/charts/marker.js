// @ts-check
/** @typedef {import('../page/types.js').SvgNode} SvgNode */
import {svgNode} from './svg.js';

/**
 * A data point's mark, with a white rim that keeps it legible on lines and bands.
 *
 * @param {'circle'|'diamond'|'square'} shape
 * @param {number} x
 * @param {number} y
 * @param {number} size  the radius of a circle of about the same area
 * @param {string} color
 * @returns {SvgNode}
 */
export function marker(shape, x, y, size, color) {
  const paint = {fill: color, stroke: '#FFFFFF', 'stroke-width': 1};
  if (shape === 'circle') return svgNode('circle', {cx: x.toFixed(2), cy: y.toFixed(2), r: size, ...paint});
  const half = shape === 'square' ? size * 0.9 : size * 1.35;
  const corners = shape === 'square' ? [[-half, -half], [half, -half], [half, half], [-half, half]] : [[0, -half], [half, 0], [0, half], [-half, 0]];
  const path = corners.map(([dx, dy]) => `${(x + dx).toFixed(2)},${(y + dy).toFixed(2)}`).join('L');
  return svgNode('path', {d: `M${path}Z`, ...paint});
}
