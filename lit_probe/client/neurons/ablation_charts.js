// @ts-check
/** @typedef {import('../page/types.js').SvgNode} SvgNode */
import {layerAxis} from '../charts/axes.js';
import {valueDomain} from '../charts/domains.js';
import {FONT, lineChart} from '../charts/line_chart.js';
import {COLORS, PAIR_STYLES} from '../charts/palette.js';
import {linearScale} from '../charts/scales.js';
import {svgNode} from '../charts/svg.js';

export const ABLATION_STYLES = {
  before: PAIR_STYLES.first,
  after: PAIR_STYLES.second,
  random: {color: COLORS.unreliable, marker: null, dash: '3 3', width: 1.5},
};
const INSET = 7;

/**
 * A text's probability before (ring) and after (dot), over the range of the random sets (grey).
 *
 * @param {AblationRow} row
 * @param {{width: number, height: number, domain: [number, number]}} view
 * @returns {SvgNode}
 */
export function beforeAfter({before, after, low, high}, {width, height, domain}) {
  const x = linearScale(domain, [INSET, width - INSET]);
  const middle = height / 2;
  const place = (/** @type {number} */ value) => x(value).toFixed(2);
  return svgNode('svg', {xmlns: 'http://www.w3.org/2000/svg', width, height, viewBox: `0 0 ${width} ${height}`, 'font-family': FONT, 'aria-hidden': 'true'},
    svgNode('line', {x1: INSET, x2: width - INSET, y1: middle, y2: middle, stroke: COLORS.grid}),
    ...[domain[0], domain[1]].map((value) => svgNode('line', {x1: place(value), x2: place(value), y1: middle - 4, y2: middle + 4, stroke: COLORS.grid})),
    low === null || high === null ? null
      : svgNode('rect', {class: 'random', x: (x(low) - 1).toFixed(2), y: middle - 8, width: (x(high) - x(low) + 2).toFixed(2), height: 16, fill: COLORS.unreliable, 'fill-opacity': 0.35}),
    svgNode('line', {class: 'change', x1: place(before), x2: place(after), y1: middle, y2: middle, stroke: ABLATION_STYLES.after.color, 'stroke-width': 2}),
    svgNode('circle', {class: 'before', cx: place(before), cy: middle, r: 4.5, fill: COLORS.paper, stroke: ABLATION_STYLES.before.color, 'stroke-width': 2}),
    svgNode('circle', {class: 'after', cx: place(after), cy: middle, r: 3.5, fill: ABLATION_STYLES.after.color}),
  );
}

/**
 * Score by layer with and without what was taken away, and the band of what random changes do.
 *
 * @param {any} answer  of the part `curve` or `erasure`
 * @param {{width: number, height: number, nLayers: number, current?: ?number, intervals?: boolean}} view  `intervals`: those of the scores are
 *     drawn too; over the same texts, before and after differ by less than they say
 * @returns {SvgNode}
 */
export function ablationCurve({layers, title}, {width, height, nLayers, current = null, intervals = false}) {
  const points = (/** @type {string} */ name, /** @type {boolean} */ interval) => layers.filter((/** @type {any} */ row) => typeof row[name] === 'number').map((/** @type {any} */ row) => ({
    x: row.layer, score: row[name], low: interval ? row[`${name}_low`] ?? null : null, high: interval ? row[`${name}_high`] ?? null : null}));
  const line = (/** @type {'before'|'after'|'random'} */ name, /** @type {boolean} */ interval) => ({name, mode: /** @type {'line'} */ ('line'), points: points(name, interval), style: ABLATION_STYLES[name], band: interval});
  // At the last layer there is one point only, whose band would have no width.
  const lone = (/** @type {any} */ one) => (one.band && one.points.length === 1 ? {...one, mode: 'point', band: false, style: {...one.style, marker: one.style.marker ?? 'square'}} : one);
  const series = [line('after', intervals), line('before', false), line('random', true)].map(lone);
  const domain = valueDomain(series.flatMap((one) => one.points.flatMap((/** @type {any} */ {score, low, high}) => [score, low, high])));
  return lineChart({width, height, domain, yTitle: title, axis: layerAxis(nLayers, {current}), series, current});
}

const LEAST_SPAN = 0.2;

/**
 * @typedef {object} AblationRow  What one reader (a layer's probe, or the model's own head) says of a text, before and after.
 * @property {string} name  "layer 5", "the model’s own head"
 * @property {boolean} own  whether it is the probe of the changed layer itself, which reads what was changed and no later pass
 * @property {string} className  whose probability this is: the class that it predicted before
 * @property {string} predictedAfter
 * @property {number} before
 * @property {number} after
 * @property {?number} low  the smallest of the random sets; null where there are none
 * @property {?number} high
 */

/**
 * The range of an axis for rows: everything drawn with some air, and wide enough that a hundredth does not look like a mountain.
 *
 * @param {AblationRow[]} rows
 * @returns {[number, number]}  within [0, 1]
 */
export function rowsDomain(rows) {
  const values = rows.flatMap(({before, after, low, high}) => [before, after, ...(low === null || high === null ? [] : [low, high])]);
  const [least, most] = [Math.min(...values), Math.max(...values)];
  const air = Math.max(0.01, (LEAST_SPAN - (most - least)) / 2);
  return [Math.max(0, Math.floor(100 * (least - air)) / 100), Math.min(1, Math.ceil(100 * (most + air)) / 100)];
}

/**
 * The answer of the part `text` for one of its texts, as rows.
 *
 * @param {any} answer
 * @param {number} index  of the text
 * @returns {AblationRow[]}
 */
export function ablationRows({layer: changed, layers, label_names: names, before, after, model, random}, index) {
  const of = (/** @type {string} */ name, /** @type {boolean} */ own, /** @type {string[]} */ classes, /** @type {number[]} */ was, /** @type {number[]} */ is, /** @type {?number[]} */ low, /** @type {?number[]} */ high) => {
    const top = was.indexOf(Math.max(...was));
    return {name, own, className: classes[top], predictedAfter: classes[is.indexOf(Math.max(...is))], before: was[top], after: is[top], low: low ? low[top] : null, high: high ? high[top] : null};
  };
  const rows = layers.map((/** @type {number} */ layer, /** @type {number} */ i) =>
    of(`layer ${layer}`, layer === changed, names, before[index][i], after[index][i], random?.low[index][i] ?? null, random?.high[index][i] ?? null));
  if (!model) return rows;
  const spread = random?.model;
  return [...rows, of('the model’s own head', false, model.label_names, model.before[index], model.after[index], spread?.low[index] ?? null, spread?.high[index] ?? null)];
}
