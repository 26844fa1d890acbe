// @ts-check
/** The line of the baseline that ignores the text, beside the curves of the splits. */
/** @import {DrawnSeries, SvgNode} from '../charts/types.js' */
import {HALO} from '../charts/line_chart.js';
import {COLORS, SPLIT_STYLES} from '../charts/palette.js';
import {svgNode} from '../charts/svg.js';
import {formatScore} from '../words/format.js';

/**
 * One dashed line per drawn curve.
 *
 * @param {{left: number, right: number, y: (value: number) => number}} plot
 * @param {DrawnSeries[]} lines
 * @returns {SvgNode[]}
 */
export function majorityLines({right, left, y}, lines) {
  const known = lines.flatMap((one) => (one.series.majority === null ? [] : [{one, height: y(one.series.majority).toFixed(2)}]));
  return known.map(({one, height}) => svgNode('line', {
    class: 'majority', x1: left, x2: right, y1: height, y2: height,
    stroke: known.length > 1 ? (one.series.reliable ? SPLIT_STYLES[one.series.split].color : COLORS.unreliable) : COLORS.quietText, 'stroke-dasharray': '4 3',
  }));
}

/**
 * One label for all of these lines: below the lowest, where curves rarely go, if it fits there. A line may cross it all the same,
 * so it stands over the lines.
 *
 * @param {{left: number, right: number, floor: number, y: (value: number) => number}} plot
 * @param {DrawnSeries[]} lines
 * @param {'start'|'end'} side  the label's side: away from the chosen layer's marks
 * @returns {SvgNode[]}
 */
export function majorityLabel({right, floor, left, y}, lines, side) {
  const known = lines.flatMap(({series: {split, majority}}) => (majority === null ? [] : [{split, height: y(majority), value: formatScore(majority)}]));
  if (known.length === 0) return [];
  const alike = known.every(({value}) => value === known[0].value);
  const values = alike ? [known[0].value] : known.map(({split, value}) => `${split} ${value}`);
  const heights = known.map(({height}) => height);
  const below = Math.max(...heights) + 12;
  const labelY = below < floor - 2 ? below : Math.min(...heights) - 4;
  const place = {x: side === 'end' ? right : left + 4, y: labelY.toFixed(2), 'text-anchor': side};
  return [svgNode('text', {class: 'majority', ...place, fill: COLORS.quietText, ...HALO}, `baseline ${values.join(', ')}`)];
}
