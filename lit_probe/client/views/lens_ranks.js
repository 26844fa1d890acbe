// @ts-check
/** The rank of tokens by layer: what does stand at a place, and words that somebody watches. */
/** @import {LineStyle, SvgNode} from '../charts/types.js' */
/** @import {LensTokens} from '../page/types.js' */
/** @import {LensRow} from './lens_grid.js' */
import {layerScale, layerTicks} from '../charts/axes.js';
import {FONT, legendMark, linePath, MARGIN} from '../charts/line_chart.js';
import {COLORS, FAMILY_COLORS} from '../charts/palette.js';
import {svgNode} from '../charts/svg.js';
import {shortCount, shownToken, watchedName} from './lens_grid.js';

/** @typedef {{label: string, ranks: number[], style: LineStyle}} RankLine */

/** @type {LineStyle['marker'][]} */
const MARKERS = ['circle', 'square', 'diamond', 'triangle'];
const TARGET_STYLE = {color: COLORS.ink, marker: /** @type {'circle'} */ ('circle')};

/**
 * The lines of the token that is looked at: solid for the first text, dashed for the second.
 *
 * @param {LensTokens} answer
 * @param {LensRow[]} rows  those of one line of the grid
 * @param {string[]} titles  what the texts are called
 * @returns {RankLine[]}
 */
export function rankLines(answer, rows, titles) {
  return rows.flatMap(({side, place}) => {
    const text = answer.examples[side];
    const of = answer.examples.length > 1 ? ` (${titles[side].toLowerCase()})` : '';
    const dash = side ? '6 3' : '';
    const target = text.targets[place];
    const what = answer.task === 'next' ? 'what follows' : 'the token itself';
    return [
      ...(target === null ? [] : [{label: `${what}, “${shownToken(target)}”${of}`, ranks: text.target_ranks[place], style: {...TARGET_STYLE, dash}}]),
      ...text.watched.flatMap((watched, i) => (watched.token === null ? [] : [{
        label: `${watchedName(watched)}${of}`, ranks: watched.ranks[place], style: {color: FAMILY_COLORS[i % FAMILY_COLORS.length], marker: MARKERS[(i + 1) % MARKERS.length], dash}}])),
    ];
  });
}

/**
 * Ranks over layers, the likeliest on top, evenly by factors.
 *
 * @param {RankLine[]} lines
 * @param {{nLayers: number, nVocabulary: number, width: number, height: number, current?: ?number, hovered?: ?number}} view
 * @returns {SvgNode}  an `svg` that needs no style sheet
 */
export function rankChart(lines, {nLayers, nVocabulary, width, height, current = null, hovered = null}) {
  const [top, bottom, left, right] = [12, height - MARGIN.bottom, MARGIN.left, width - MARGIN.right];
  const layers = layerScale(nLayers, [left, right]);
  const least = Math.log10(Math.max(10, nVocabulary));
  const y = (/** @type {number} */ rank) => top + 6 + (Math.log10(rank) / least) * (bottom - top - 12);
  const powers = Array.from({length: Math.floor(least) + 1}, (_, i) => 10 ** i);
  const column = (/** @type {?number} */ layer, /** @type {string} */ name) => (layer === null ? null
    : svgNode('rect', {class: name, x: (layers.x(layer) - layers.band / 2).toFixed(2), y: top, width: layers.band.toFixed(2), height: bottom - top, fill: COLORS.current, 'fill-opacity': name === 'hovered' ? 0.5 : 1}));
  return svgNode('svg', {xmlns: 'http://www.w3.org/2000/svg', width, height, viewBox: `0 0 ${width} ${height}`, 'font-family': FONT, 'font-size': 11, fill: COLORS.text},
    column(current, 'current'), column(hovered, 'hovered'),
    ...powers.flatMap((rank) => [
      svgNode('line', {x1: left, x2: right, y1: y(rank).toFixed(2), y2: y(rank).toFixed(2), stroke: COLORS.grid}),
      svgNode('text', {x: left - 8, y: (y(rank) + 4).toFixed(2), 'text-anchor': 'end'}, shortCount(rank))]),
    svgNode('text', {class: 'axis-title', transform: `translate(14 ${(top + bottom) / 2}) rotate(-90)`, 'text-anchor': 'middle', 'font-size': 12, 'font-weight': 'bold'}, 'Rank'),
    svgNode('line', {x1: left, x2: right, y1: bottom, y2: bottom, stroke: COLORS.axis}),
    ...layerTicks(nLayers, layers.band, [0, ...(current === null ? [] : [current])]).map((layer) => svgNode('text', {
      x: layers.x(layer).toFixed(2), y: bottom + 17, 'text-anchor': 'middle', 'font-weight': layer === current ? 'bold' : 'normal'}, String(layer))),
    svgNode('text', {class: 'axis-title', x: (left + right) / 2, y: bottom + 34, 'text-anchor': 'middle', 'font-size': 12, 'font-weight': 'bold'}, 'Layer'),
    ...lines.map(({ranks, style}) => svgNode('g', {class: 'rank-line'},
      svgNode('path', {d: linePath(ranks.map((rank, layer) => ({x: layers.x(layer), y: y(rank)}))), fill: 'none', stroke: style.color, 'stroke-width': 2, 'stroke-dasharray': style.dash || 'none'}),
      ...ranks.map((rank, layer) => legendMark({...style, dash: ''}, false, {x: layers.x(layer) - 6, y: y(rank)})))));
}
