// @ts-check
/** @typedef {import('../page/types.js').SvgNode} SvgNode */
import {lineChart} from '../charts/line_chart.js';
import {logAxis} from '../charts/axes.js';
import {COLORS, SPLIT_STYLES} from '../charts/palette.js';
import {valueDomain} from '../charts/domains.js';

const QUIET = {color: COLORS.unreliable, marker: null, dash: '3 3', width: 1.5};
export const RANKING_STYLES = {top: SPLIT_STYLES.dev, bottom: SPLIT_STYLES.test, random: QUIET};
export const STABILITY_STYLES = {between: SPLIT_STYLES.dev, full: SPLIT_STYLES.test, chance: QUIET};

/**
 * The score of a classifier that reads only the top, the bottom or random neurons, against how many it reads.
 *
 * @param {any} answer  of the part `evaluation`
 * @param {{width: number, height: number}} view
 * @returns {SvgNode}
 */
export function rankingQualityChart({points, full, majority, metric_title: yTitle}, view) {
  const of = (/** @type {'top'|'bottom'} */ name) => points.map((/** @type {any} */ point) => ({x: point.percent, score: point[name].value, low: point[name].low, high: point[name].high}));
  const random = points.map((/** @type {any} */ point) => ({x: point.percent, score: point.random.mean, low: point.random.low, high: point.random.high}));
  const references = [
    {name: 'full', label: '', value: full.value, color: COLORS.accent, dash: '6 3'},
    ...(majority === null ? [] : [{name: 'majority', label: '', value: majority, color: COLORS.quietText, dash: '2 3'}]),
  ];
  const series = /** @type {import('../page/types.js').ChartSeries[]} */ ([
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
  const series = /** @type {import('../page/types.js').ChartSeries[]} */ ([
    {name: 'between', mode: 'line', points: of('jaccard', true), style: STABILITY_STYLES.between},
    {name: 'full', mode: 'line', points: of('with_full', false), style: STABILITY_STYLES.full, band: false},
    {name: 'chance', mode: 'line', points: of('chance', false), style: STABILITY_STYLES.chance, band: false},
  ]);
  return lineChart({...view, yTitle: 'Jaccard@k', domain: [0, 1], axis: logAxis(points.map((/** @type {any} */ {k}) => k), 'First k neurons (log scale)'), series});
}
