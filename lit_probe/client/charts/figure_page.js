// @ts-check
/** Charts as a figure that stands alone, for a paper. */
/** @import {LineStyle, SvgNode} from './types.js' */
import {FONT, legendMark, MARGIN} from './line_chart.js';
import {COLORS} from './palette.js';
import {svgLabel, svgNode} from './svg.js';

export const FIGURE = {width: 640, height: 340};
const HEAD = 46;
const LINE = 17;
const GAP = 10;

/**
 * Charts as a figure that stands alone: what was measured above them, a legend and a footnote below them, and nothing that belongs
 * to the screen (no current layer, no pointer).
 *
 * @param {object} page
 * @param {string} page.title
 * @param {string} page.setting  a line about how it was measured
 * @param {SvgNode[]} page.charts  one under the other, each with a `width` and a `height`
 * @param {{style: ?LineStyle, line: boolean, label: string}[]} [page.legend]  the lines of the legend; without a style: words alone
 * @param {string[]} [page.footnotes]
 * @returns {SvgNode}
 */
export function figurePage({title, setting, charts, legend = [], footnotes = []}) {
  const tops = charts.map((_, i) => HEAD + charts.slice(0, i).reduce((sum, chart) => sum + Number(chart.attributes.height), 0));
  const foot = HEAD + charts.reduce((sum, chart) => sum + Number(chart.attributes.height), 0) + GAP;
  const width = Math.max(FIGURE.width, ...charts.map((chart) => Number(chart.attributes.width)));
  const room = width - MARGIN.left - 6;
  const height = foot + (legend.length + footnotes.length) * LINE + GAP;
  return svgNode('svg', {xmlns: 'http://www.w3.org/2000/svg', width, height, viewBox: `0 0 ${width} ${height}`, 'font-family': FONT, 'font-size': 11, fill: COLORS.text},
    svgNode('title', {}, title),
    svgNode('rect', {width, height, fill: COLORS.paper}),
    svgLabel({x: MARGIN.left, y: 20, 'font-size': 13, 'font-weight': 'bold'}, title, room, 7.2),
    svgLabel({x: MARGIN.left, y: 37, fill: COLORS.quietText}, setting, room),
    ...charts.map((chart, i) => svgNode('g', {transform: `translate(0 ${tops[i]})`}, chart)),
    ...legend.map(({style, line, label}, i) => svgNode('g', {},
      style === null ? null : legendMark(style, line, {x: MARGIN.left, y: foot + i * LINE}),
      svgLabel({x: MARGIN.left + (style === null ? 0 : 34), y: foot + i * LINE + 4}, label, room - 34))),
    ...footnotes.map((text, i) => svgNode('text', {x: MARGIN.left, y: foot + (legend.length + i) * LINE + 4, fill: COLORS.quietText}, text)),
  );
}
