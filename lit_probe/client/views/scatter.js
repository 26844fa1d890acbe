// @ts-check
/** Small scatter plots of the same rows, one for each layer: their sizes and frames, which points lie in a drawn line, and files of them. */
/** @import {SvgNode} from '../charts/types.js' */
/** @import {LayerPicture, Projections} from '../page/types.js' */
import {FONT} from '../charts/line_chart.js';
import {COLORS} from '../charts/palette.js';
import {svgLabel, svgNode} from '../charts/svg.js';
import {csvTable} from '../words/files.js';
import {countOf, formatCount} from '../words/format.js';
import {placeTitle} from '../words/sentences.js';

/** @typedef {[number, number]} Point  Across and down, in pixels. */

const NARROWEST = 148;
const GAP = 8;
const EDGE = 12;
const FRAME = 8;
const REACH = 9;

/**
 * How wide each of the small plots is, and how many stand side by side.
 *
 * @param {number} width  the panel's
 * @returns {{columns: number, side: number}}
 */
export function gridLayout(width) {
  const room = Math.max(120, width - 2 * EDGE);
  const columns = Math.max(1, Math.floor((room + GAP) / (NARROWEST + GAP)));
  return {columns, side: Math.floor((room - (columns - 1) * GAP) / columns)};
}

/**
 * Where places stand on a square: as far across as down, so that distances look alike in all directions.
 *
 * @param {number[][]} xy
 * @param {number} side  of the square, in pixels
 * @returns {{toPoint: (place: number[]) => Point}}
 */
export function frameOf(xy, side) {
  const [low, high] = [[Infinity, Infinity], [-Infinity, -Infinity]];
  for (const place of xy) {
    for (const axis of [0, 1]) {
      low[axis] = Math.min(low[axis], place[axis]);
      high[axis] = Math.max(high[axis], place[axis]);
    }
  }
  const middle = xy.length ? [0, 1].map((axis) => (low[axis] + high[axis]) / 2) : [0, 0];
  const width = xy.length ? Math.max(high[0] - low[0], high[1] - low[1]) : 0;
  const scale = (side - 2 * FRAME) / (width || 1);
  return {toPoint: (place) => [side / 2 + (place[0] - middle[0]) * scale, side / 2 - (place[1] - middle[1]) * scale]};
}

/**
 * Which points lie inside a closed line, by counting how often a ray to the right crosses it.
 *
 * @param {Point[]} points
 * @param {Point[]} line
 * @returns {number[]}  their indices, ascending
 */
export function inside(points, line) {
  const found = [];
  for (const [index, [x, y]] of points.entries()) {
    let within = false;
    for (let i = 0, j = line.length - 1; i < line.length; j = i++) {
      const [[ax, ay], [bx, by]] = [line[i], line[j]];
      if (ay > y !== by > y && x < ((bx - ax) * (y - ay)) / (by - ay) + ax) within = !within;
    }
    if (within) found.push(index);
  }
  return found;
}

/** The line around a box between two corners. @param {Point} from @param {Point} to @returns {Point[]} */
export function boxLine([ax, ay], [bx, by]) {
  return [[ax, ay], [bx, ay], [bx, by], [ax, by]];
}

/** How long a drawn line is, in pixels. @param {Point[]} line */
export function lengthOf(line) {
  return line.slice(1).reduce((sum, [x, y], i) => sum + Math.hypot(x - line[i][0], y - line[i][1]), 0);
}

/**
 * The point under the pointer: the nearest within reach, the later of two.
 *
 * @param {Point[]} points
 * @param {Point} at
 * @returns {?number}  its index; null where none is near
 */
export function pointUnder(points, [x, y]) {
  let [found, best] = [/** @type {?number} */ (null), REACH];
  for (const [index, [px, py]] of points.entries()) {
    const away = Math.hypot(px - x, py - y);
    if (away <= best) [found, best] = [index, away];
  }
  return found;
}

/** @type {Record<string, Point>} */
const WAYS = {ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1]};

/**
 * The point that an arrow key leads to: the nearest one in that direction, where what lies aside counts double.
 *
 * @param {Point[]} points
 * @param {?number} from  the index of the point that keys start from; null: the first one
 * @param {string} key
 * @returns {?number}  null: it is no arrow key, or there is no point
 */
export function pointByKey(points, from, key) {
  const way = WAYS[key];
  if (!way || !points.length) return null;
  if (from === null || !points[from]) return 0;
  let [found, best] = [from, Infinity];
  for (const [index, [x, y]] of points.entries()) {
    const [dx, dy] = [x - points[from][0], y - points[from][1]];
    const ahead = dx * way[0] + dy * way[1];
    const aside = Math.abs(dx * way[1]) + Math.abs(dy * way[0]);
    if (ahead > 0.5 && aside <= 2 * ahead && ahead + 2 * aside < best) [found, best] = [index, ahead + 2 * aside];
  }
  return found;
}

/** What is said of a picture beside its name. @param {LayerPicture} picture */
export function pictureWords({explained, trustworthiness, reason}) {
  if (reason) return '';
  if (trustworthiness !== null) return `trust ${trustworthiness.toFixed(2)}`;
  return explained === null ? '' : `${Math.round(100 * explained)} %`;
}

/**
 * That colours do not tell all values apart, in a sentence; empty where they do.
 *
 * @param {{color: string}[]} legend
 */
export function sharedColors(legend) {
  const nColors = new Set(legend.map(({color}) => color)).size;
  return nColors < legend.length ? `${formatCount(legend.length)} values share ${countOf(nColors, 'colour')}.` : '';
}

/**
 * All places as a table.
 *
 * @param {string} model
 * @param {Projections} answer
 * @param {{id: string, text: string, split: string, color: string}[]} rows
 * @param {string} coloredBy
 */
export function placesCsv(model, answer, rows, coloredBy) {
  const drawn = answer.layers.filter(({reason}) => !reason);
  return csvTable(
    ['model', 'trained_on', 'projection', 'layer', 'id', 'text', 'split', coloredBy || 'color', 'x', 'y'],
    drawn.flatMap(({layer, xy}) => rows.map(({id, text, split, color}, i) => [
      model, answer.trained_on, answer.method, answer.layer_names ? answer.layer_names[layer] : layer, id, text, split, color, xy[i][0], xy[i][1]])),
  );
}

const FIGURE_COLUMNS = 5;
const FIGURE_SIDE = 150;
const TITLE = 18;

/**
 * All pictures as one drawing: a dot for each row, one path for each colour.
 *
 * @param {Projections} answer
 * @param {string[]} colors  one for each row
 * @returns {SvgNode}
 */
export function pictureGrid(answer, colors) {
  const cells = answer.layers.map((picture, i) => {
    const [left, top] = [(i % FIGURE_COLUMNS) * (FIGURE_SIDE + GAP) + EDGE, Math.floor(i / FIGURE_COLUMNS) * (FIGURE_SIDE + TITLE + GAP)];
    const {toPoint} = frameOf(picture.xy, FIGURE_SIDE);
    /** @type {Map<string, string[]>} */
    const dots = new Map();
    for (const [row, place] of picture.xy.entries()) {
      const [x, y] = toPoint(place);
      const of = dots.get(colors[row]) ?? [];
      dots.set(colors[row], of);
      of.push(`M${x.toFixed(1)} ${y.toFixed(1)}h0`);
    }
    return svgNode('g', {transform: `translate(${left} ${top})`},
      svgLabel({x: 0, y: 12, 'font-weight': 'bold'}, `${placeTitle(picture.layer, answer.layer_names)}${picture.layer === answer.best_layer ? ' ★' : ''}`, FIGURE_SIDE * 0.55),
      svgNode('text', {x: FIGURE_SIDE, y: 12, 'text-anchor': 'end', fill: COLORS.quietText, 'font-size': 9}, pictureWords(picture)),
      svgNode('rect', {x: 0, y: TITLE, width: FIGURE_SIDE, height: FIGURE_SIDE, fill: 'none', stroke: COLORS.grid}),
      picture.reason ? svgLabel({x: 6, y: TITLE + 20, 'font-size': 9}, picture.reason, FIGURE_SIDE - 12, 4.6) : null,
      svgNode('g', {transform: `translate(0 ${TITLE})`},
        ...[...dots].map(([color, at]) => svgNode('path', {d: at.join(''), stroke: color, 'stroke-width': 2.6, 'stroke-linecap': 'round', 'stroke-opacity': 0.75, fill: 'none'}))));
  });
  const lines = Math.ceil(cells.length / FIGURE_COLUMNS);
  const width = Math.min(FIGURE_COLUMNS, cells.length) * (FIGURE_SIDE + GAP) + 2 * EDGE;
  return svgNode('svg', {width, height: lines * (FIGURE_SIDE + TITLE + GAP) + GAP, 'font-family': FONT, 'font-size': 11, fill: COLORS.text}, ...cells);
}
