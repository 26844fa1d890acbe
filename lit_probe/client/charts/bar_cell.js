// @ts-check
/** One lying bar with its interval: the cell of a table. */
/** @import {SvgNode} from './types.js' */
import {linearScale} from './axes.js';
import {COLORS} from './palette.js';
import {svgNode} from './svg.js';

/**
 * @typedef {{mean: ?number, low: ?number, high: ?number}} Mean  A mean with its 95 % interval; null where not defined.
 */

const INSET = 4;

/**
 * A lying bar from 0 (or from the end of the axis, where 0 is outside) to a value, with its interval. An end of the interval that lies
 * beyond the axis has no mark.
 *
 * @param {Mean} value
 * @param {object} view
 * @param {number} view.width
 * @param {number} view.height
 * @param {[number, number]} view.domain
 * @param {boolean} [view.quiet]  whether it is drawn in grey
 * @param {number[]} [view.references]  the values of dashed upright lines
 * @returns {SvgNode}
 */
export function barCell({mean, low, high}, {width, height, domain, quiet = false, references = []}) {
  const x = linearScale(domain, [INSET, width - INSET]);
  const within = (/** @type {number} */ value) => x(Math.min(domain[1], Math.max(domain[0], value)));
  const zero = within(0);
  const middle = height / 2;
  const bar = mean === null ? null : svgNode('rect', {
    class: 'bar', x: Math.min(zero, within(mean)).toFixed(1), y: (middle - 5).toFixed(1), width: Math.abs(within(mean) - zero).toFixed(1), height: 10,
    fill: quiet ? COLORS.quietBar : COLORS.bar,
  });
  const mark = (/** @type {number} */ end) => (end < domain[0] || end > domain[1] ? '' : `M${within(end).toFixed(1)},${middle - 3}v6`);
  const whisker = low === null || high === null ? null : svgNode('path', {
    class: 'interval', d: `${mark(low)}M${within(low).toFixed(1)},${middle}H${within(high).toFixed(1)}${mark(high)}`, fill: 'none', stroke: COLORS.text, 'stroke-width': 1.2,
  });
  return svgNode('svg', {xmlns: 'http://www.w3.org/2000/svg', width, height, viewBox: `0 0 ${width} ${height}`, 'aria-hidden': 'true'},
    svgNode('line', {x1: zero.toFixed(1), x2: zero.toFixed(1), y1: 0, y2: height, stroke: COLORS.axis}),
    bar,
    ...references.map((value) => svgNode('line', {class: 'reference', x1: within(value).toFixed(1), x2: within(value).toFixed(1), y1: 0, y2: height, stroke: COLORS.quietText, 'stroke-dasharray': '2 2'})),
    whisker,
  );
}
