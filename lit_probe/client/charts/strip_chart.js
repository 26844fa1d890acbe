// @ts-check
/** Strips of cells over layers, one under the other, in the columns of the curves: several questions to the same layers. */
/** @import {PlacedAxis, Strip, SvgNode} from './types.js' */
/** @import {LayerMetrics} from '../page/types.js' */
import {layerAxis} from './axes.js';
import {FONT, groupMarks, MARGIN} from './line_chart.js';
import {COLORS, heatColor} from './palette.js';
import {svgLabel, svgNode} from './svg.js';

const CELL_HEIGHT = 24;
const ROW_HEIGHT = CELL_HEIGHT + 20;
const NARROWEST_NUMBER = 25;
const FOOT = 40;

/**
 * A strip of cells per question, with its title above it.
 *
 * @param {Strip[]} strips
 * @param {LayerMetrics} about
 * @param {{width: number, current?: ?number, hovered?: ?number, bestLayer?: ?number}} view  `bestLayer`: the one that the axis marks
 * @returns {SvgNode}  an `svg` that needs no style sheet
 */
export function stripChart(strips, about, {width, current = null, hovered = null, bestLayer = about.best_layer}) {
  const bottom = strips.length * ROW_HEIGHT + 2;
  const height = bottom + FOOT;
  const axis = layerAxis(about.n_layers, {bestLayer, current, names: about.layer_names, sites: about.sites})([MARGIN.left, width - MARGIN.right]);
  const tops = strips.map((_, i) => i * ROW_HEIGHT);
  const outline = (/** @type {number} */ layer, /** @type {Record<string, string|number>} */ paint, /** @type {number} */ top) => svgNode('rect', {
    class: 'outline', x: (axis.x(layer) - axis.band / 2).toFixed(2), y: top + 17.5, width: axis.band.toFixed(2), height: CELL_HEIGHT + 1, fill: 'none', 'stroke-width': 1.5, ...paint});
  return svgNode('svg', {xmlns: 'http://www.w3.org/2000/svg', width, height, viewBox: `0 0 ${width} ${height}`, 'font-family': FONT, 'font-size': 11, fill: COLORS.text},
    ...strips.map((strip, i) => cellsOf(strip, tops[i], axis, width)),
    ...(hovered === null ? [] : tops.map((top) => outline(hovered, {stroke: COLORS.axis}, top))),
    ...(current === null ? [] : tops.map((top) => outline(current, {stroke: COLORS.text}, top))),
    ...strips.map(({chosen}, i) => (chosen === null ? null : outline(chosen, {class: 'chosen', stroke: COLORS.secondMark, 'stroke-width': 2, 'stroke-dasharray': '4 2'}, tops[i]))),
    ...axis.ticks.map(({at, label, shift = 0, anchor = 'middle', bold = false}) =>
      svgNode('text', {x: (axis.x(at) + shift).toFixed(2), y: bottom + 16, 'text-anchor': anchor, 'font-weight': bold ? 'bold' : 'normal'}, label)),
    ...groupMarks(axis, bottom - 1),
    axis.title === '' ? null
      : svgNode('text', {class: 'axis-title', x: (MARGIN.left + width - MARGIN.right) / 2, y: bottom + 33, 'text-anchor': 'middle', 'font-size': 12, 'font-weight': 'bold'}, axis.title),
  );
}

/** @param {Strip} strip @param {number} top @param {PlacedAxis} axis @param {number} width @returns {SvgNode} */
function cellsOf({title, bold, cells}, top, axis, width) {
  return svgNode('g', {class: 'strip'},
    svgLabel({x: MARGIN.left, y: top + 14, 'font-weight': bold ? 'bold' : 'normal'}, title, width - MARGIN.left - MARGIN.right),
    ...cells.map(({layer, share, words}) => {
      const {fill, text} = share === null ? {fill: COLORS.paper, text: COLORS.quietText} : heatColor(share);
      return svgNode('g', {class: 'cell'},
        svgNode('rect', {x: (axis.x(layer) - axis.band / 2 + 0.5).toFixed(2), y: top + 18, width: (axis.band - 1).toFixed(2), height: CELL_HEIGHT, fill, stroke: COLORS.grid}),
        axis.band >= NARROWEST_NUMBER ? svgNode('text', {x: axis.x(layer).toFixed(2), y: top + 34, 'text-anchor': 'middle', fill: text}, words) : null);
    }),
  );
}
