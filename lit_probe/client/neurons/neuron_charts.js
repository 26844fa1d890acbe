// @ts-check
/** The charts about neurons: activations by class, how far a ranking can be trusted, and what changes without them. */
/** @import {SvgNode} from '../charts/types.js' */
/** @import {AblationCurve, Erasure, NeuronDistribution, RankingQuality, Site} from '../page/types.js' */
import {layerAxis, linearScale, logAxis, niceTicks, valueDomain} from '../charts/axes.js';
import {FONT, lineChart} from '../charts/line_chart.js';
import {COLORS, PAIR_STYLES, SPLIT_STYLES} from '../charts/palette.js';
import {svgLabel, svgNode} from '../charts/svg.js';
import {decidedIndex, placeTitle} from '../words/sentences.js';

const ROW = 46;
const FOOT = 34;
const HEAD = 16;
const MARK_COLORS = [COLORS.ink, COLORS.secondMark];
const FILL = COLORS.histogram;

/**
 * How a neuron's pooled activation is spread in each class: one row of bars per class over one axis. Bars are shares of their class,
 * on one scale, so that rows of classes of different size can be compared.
 *
 * @param {NeuronDistribution} answer  the answer of the part `distribution`
 * @param {{width: number, marks?: {label: string, value: number}[], row?: 'text'|'word'}} view  `marks`: texts whose own activation is
 *     marked; `row`: what a row is
 * @returns {SvgNode}
 */
export function neuronHistogram({edges, classes: all}, {width, marks = [], row = 'text'}) {
  const classes = drawnClasses(all);
  const left = Math.min(96, Math.max(56, 0.2 * width));
  const right = width - 14;
  const values = [edges[0], edges[edges.length - 1], ...marks.map(({value}) => value)];
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const x = linearScale(low < high ? [low, high] : [low - 0.5, low + 0.5], [left, right]);
  const most = Math.max(0, ...classes.flatMap((/** @type {any} */ {n, counts}) => counts.map((/** @type {number} */ count) => (n ? count / n : 0))));
  const height = HEAD + classes.length * ROW + FOOT;
  const bottom = HEAD + classes.length * ROW;
  const {values: ticks, digits} = niceTicks(low, low < high ? high : low + 1, (right - left) / 60);
  return svgNode('svg', {xmlns: 'http://www.w3.org/2000/svg', width, height, viewBox: `0 0 ${width} ${height}`, 'font-family': FONT, 'font-size': 11, fill: COLORS.text},
    ...classes.map((/** @type {any} */ one, /** @type {number} */ i) => classRow(one, edges, HEAD + i * ROW, {x, left, right, most})),
    ...ticks.map((tick) => svgNode('text', {class: 'tick', x: x(tick).toFixed(1), y: bottom + 14, 'text-anchor': 'middle'}, tick.toFixed(digits).replace('-', '−'))),
    svgNode('text', {x: (left + right) / 2, y: bottom + 29, 'text-anchor': 'middle', 'font-weight': 'bold'}, row === 'word' ? 'Activation of a word' : 'Pooled activation'),
    ...marks.map(({label, value}, i) => mark(x(value), label, i, bottom, [left, right])),
  );
}

/** A class needs so many examples for a histogram; up to so many classes are drawn whatever they have. */
const LEAST_EXAMPLES = 10;
const ALWAYS_DRAWN = 6;

/**
 * The classes with enough examples for a histogram, in the data's order; all of them where they are few.
 *
 * @template {{n: number}} T
 * @param {T[]} classes
 * @returns {T[]}
 */
export function drawnClasses(classes) {
  if (classes.length <= ALWAYS_DRAWN) return classes;
  const enough = classes.filter(({n}) => n >= LEAST_EXAMPLES);
  if (enough.length >= 2) return enough;
  const largest = [...classes].sort((a, b) => b.n - a.n).slice(0, ALWAYS_DRAWN);
  return classes.filter((one) => largest.includes(one));
}

/** @param {any} ofClass @param {number[]} edges @param {number} top @param {{x: (value: number) => number, left: number, right: number, most: number}} plot @returns {SvgNode} */
function classRow({label, n, counts, mean}, edges, top, {x, left, right, most}) {
  const floor = top + ROW - 4;
  const rise = most > 0 ? (ROW - 12) / most : 0;
  const bars = counts.map((/** @type {number} */ count, /** @type {number} */ i) => {
    const tall = n ? (count / n) * rise : 0;
    return tall === 0 ? null : svgNode('rect', {class: 'bar', x: (x(edges[i]) + 0.5).toFixed(2), y: (floor - tall).toFixed(2), width: Math.max(0.5, x(edges[i + 1]) - x(edges[i]) - 1).toFixed(2), height: tall.toFixed(2), fill: FILL});
  });
  return svgNode('g', {class: 'class-histogram'},
    svgNode('line', {x1: left, x2: right, y1: floor, y2: floor, stroke: COLORS.axis}),
    ...bars,
    mean === null ? null : svgNode('path', {class: 'mean', d: `M${x(mean).toFixed(2)},${floor}l-4,6h8Z`, fill: COLORS.text}),
    svgLabel({x: left - 8, y: floor - 14, 'text-anchor': 'end', 'font-weight': 'bold'}, label, left - 14),
    svgNode('text', {x: left - 8, y: floor - 1, 'text-anchor': 'end', fill: COLORS.quietText}, `n = ${n}`),
  );
}

/** @param {number} x @param {string} label @param {number} place @param {number} bottom @param {[number, number]} ends @returns {SvgNode} */
function mark(x, label, place, bottom, [left, right]) {
  const color = MARK_COLORS[place % MARK_COLORS.length];
  const half = 3 * label.length;
  // Two labels side by side would lie over one another where their texts are alike: each has its own side.
  const anchor = place % 2 ? 'start' : 'end';
  const at = anchor === 'end' ? Math.max(left + 2 * half, x - 3) : Math.min(right - 2 * half, x + 3);
  return svgNode('g', {class: 'text-mark'},
    svgNode('line', {x1: x.toFixed(2), x2: x.toFixed(2), y1: 3, y2: bottom, stroke: color, 'stroke-width': 1.5, 'stroke-dasharray': place % 2 ? '4 2' : 'none'}),
    svgNode('text', {x: at.toFixed(2), y: 11, 'text-anchor': anchor, fill: color, 'font-weight': 'bold'}, label));
}

const QUIET = {color: COLORS.unreliable, marker: null, dash: '3 3', width: 1.5};
export const RANKING_STYLES = {top: SPLIT_STYLES.dev, bottom: SPLIT_STYLES.test, random: QUIET};
export const STABILITY_STYLES = {between: SPLIT_STYLES.dev, full: SPLIT_STYLES.test, chance: QUIET};

/**
 * The score of a classifier that reads only the top, the bottom or random neurons, against how many it reads.
 *
 * @param {RankingQuality} answer  the answer of the part `evaluation`
 * @param {{width: number, height: number}} view
 * @returns {SvgNode}
 */
export function rankingQualityChart({points, full, majority, metric_title: yTitle}, view) {
  const of = (/** @type {'top'|'bottom'} */ name) => points.map((/** @type {any} */ point) => ({x: point.percent, score: point[name].value, low: point[name].low, high: point[name].high}));
  const random = points.map((/** @type {any} */ point) => ({x: point.percent, score: point.random.mean, low: point.random.low, high: point.random.high}));
  const references = [
    ...(full.value === null ? [] : [{name: 'full', label: '', value: full.value, color: COLORS.accent, dash: '6 3'}]),
    ...(majority === null ? [] : [{name: 'majority', label: '', value: majority, color: COLORS.quietText, dash: '2 3'}]),
  ];
  const series = /** @type {import('../charts/types.js').ChartSeries[]} */ ([
    {name: 'top', mode: 'line', points: of('top'), style: RANKING_STYLES.top, band: false},
    {name: 'bottom', mode: 'line', points: of('bottom'), style: RANKING_STYLES.bottom, band: false},
    {name: 'random', mode: 'line', points: random, style: RANKING_STYLES.random},
  ]);
  const drawn = [...of('top'), ...of('bottom')].map(({score}) => score);
  return lineChart({...view, yTitle, domain: valueDomain([full.value, majority, ...drawn, ...random.flatMap((/** @type {any} */ {low, high}) => [low, high])]),
    axis: logAxis(points.map((/** @type {any} */ {percent}) => percent), '% of the neurons (log scale)'), series, references});
}

/**
 * How many neurons two rankings of resampled training texts share among their first k.
 *
 * @param {any} stability
 * @param {{width: number, height: number}} view
 * @returns {SvgNode}
 */
export function stabilityChart({points}, view) {
  const of = (/** @type {string} */ name, /** @type {boolean} */ interval) => points.map((/** @type {any} */ point) =>
    ({x: point.k, score: point[name], low: interval ? point.low : null, high: interval ? point.high : null}));
  const series = /** @type {import('../charts/types.js').ChartSeries[]} */ ([
    {name: 'between', mode: 'line', points: of('jaccard', true), style: STABILITY_STYLES.between},
    {name: 'full', mode: 'line', points: of('with_full', false), style: STABILITY_STYLES.full, band: false},
    {name: 'chance', mode: 'line', points: of('chance', false), style: STABILITY_STYLES.chance, band: false},
  ]);
  return lineChart({...view, yTitle: 'Jaccard@k', domain: [0, 1], axis: logAxis(points.map((/** @type {any} */ {k}) => k), 'First k neurons (log scale)'), series});
}

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
 * @param {AblationCurve|Erasure} answer  the answer of the part `curve` or `erasure`
 * @param {{width: number, height: number, nLayers: number, current?: ?number, intervals?: boolean, sites?: ?Site[]}} view  `intervals`: whether the
 *     scores' intervals are drawn too; over the same texts, before and after differ by less than these intervals say
 * @returns {SvgNode}
 */
export function ablationCurve({layers, title}, {width, height, nLayers, current = null, intervals = false, sites = null}) {
  // After a place come the layers and parts behind it, wherever these stand on the axis.
  const ordered = [...layers].sort((a, b) => a.layer - b.layer);
  const points = (/** @type {string} */ name, /** @type {boolean} */ interval) => ordered.filter((/** @type {any} */ row) => typeof row[name] === 'number').map((/** @type {any} */ row) => ({
    x: row.layer, score: row[name], low: interval ? row[`${name}_low`] ?? null : null, high: interval ? row[`${name}_high`] ?? null : null}));
  const line = (/** @type {'before'|'after'|'random'} */ name, /** @type {boolean} */ interval) => ({name, mode: /** @type {'line'} */ ('line'), points: points(name, interval), style: ABLATION_STYLES[name], band: interval});
  // At the last layer there is one point only, whose band would have no width.
  const lone = (/** @type {any} */ one) => (one.band && one.points.length === 1 ? {...one, mode: 'point', band: false, style: {...one.style, marker: one.style.marker ?? 'square'}} : one);
  const series = [line('after', intervals), line('before', false), line('random', true)].map(lone);
  const domain = valueDomain(series.flatMap((one) => one.points.flatMap((/** @type {any} */ {score, low, high}) => [score, low, high])));
  return lineChart({width, height, domain, yTitle: title, axis: layerAxis(nLayers, {current, sites}), series, current});
}

const LEAST_SPAN = 0.2;

/**
 * @typedef {object} AblationRow  What one reader (a layer's probe, or the model's own head) says of a text, before and after.
 * @property {string} name  "layer 5", "the model’s own head"
 * @property {boolean} own  whether it is the probe of the changed layer itself, which reads what was changed and no later pass
 * @property {string} className  the class that it predicted before, whose probability this is
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
 * The answer of the part `text` for one word of a sentence, as rows.
 *
 * @param {any} answer
 * @param {any} word  one of the words that were read
 * @param {?string[]} [places]  what places that are not all of an encoder's layers are called
 * @returns {AblationRow[]}
 */
export function wordAblationRows({layer: changed, layers, label_names: names}, {said, now, before, after, low, high}, places = null) {
  return layers.map((/** @type {number} */ layer, /** @type {number} */ i) => ({name: placeTitle(layer, places), own: layer === changed, className: names[said[i]],
    predictedAfter: names[now[i]], before: before[i], after: after[i], low: low ? low[i] : null, high: high ? high[i] : null}));
}

/**
 * The answer of the part `text` for one of its texts, as rows.
 *
 * @param {any} answer
 * @param {number} index  the text's place
 * @param {?string[]} [places]  what places that are not all of an encoder's layers are called
 * @returns {AblationRow[]}
 */
export function ablationRows({layer: changed, layers, label_names: names, decision, before, after, model, random}, index, places = null) {
  const of = (/** @type {string} */ name, /** @type {boolean} */ own, /** @type {string[]} */ classes, /** @type {number[]} */ was, /** @type {number[]} */ is, /** @type {?number[]} */ low, /** @type {?number[]} */ high, /** @type {number[]} */ shares) => {
    const top = decidedIndex(was, shares);
    return {name, own, className: classes[top], predictedAfter: classes[decidedIndex(is, shares)], before: was[top], after: is[top], low: low ? low[top] : null, high: high ? high[top] : null};
  };
  const rows = layers.map((/** @type {number} */ layer, /** @type {number} */ i) =>
    of(placeTitle(layer, places), layer === changed, names, before[index][i], after[index][i], random?.low[index][i] ?? null, random?.high[index][i] ?? null, decision.shares));
  if (!model) return rows;
  const spread = random?.model;
  return [...rows, of('the model’s own head', false, model.label_names, model.before[index], model.after[index], spread?.low[index] ?? null, spread?.high[index] ?? null, [])];
}
