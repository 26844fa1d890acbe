// @ts-check
/** @typedef {import('../page/types.js').ChartSeries} ChartSeries */
/** @typedef {import('../page/types.js').SvgNode} SvgNode */
import {lineChart, marginFor} from '../charts/line_chart.js';
import {logAxis} from '../charts/axes.js';
import {COLORS, SPLIT_STYLES} from '../charts/palette.js';
import {valueDomain} from '../charts/domains.js';

const OTHERS = {color: '#A0A6AD', marker: null, dash: '', width: 1};
const CHOSEN = {color: SPLIT_STYLES.test.color, marker: /** @type {'diamond'} */ ('diamond'), dash: '7 3', width: 1.5};

/**
 * The range of the score axis: all layers, and the intervals of one.
 *
 * @param {any} answer  of the check `learning_curve`
 * @param {number} layer
 * @returns {[number, number]}
 */
export function learningCurveDomain({layers, majority}, layer) {
  const points = (/** @type {any} */ row) => row.points.map((/** @type {any} */ {score}) => score);
  const ends = layers[layer].points.flatMap((/** @type {any} */ {low, high}) => [low, high]);
  return valueDomain([majority, ...layers.flatMap(points), ...ends]);
}

/**
 * The score against the number of training examples: the current layer with its interval, the dev-chosen one, the others thin.
 *
 * @param {any} answer  of the check `learning_curve`
 * @param {object} view
 * @param {number} view.width
 * @param {number} view.height
 * @param {[number, number]} view.domain
 * @param {number} view.layer  the current one
 * @param {number} view.bestLayer
 * @param {string} view.yTitle
 * @param {?number} [view.hovered]  a number of training examples
 * @returns {SvgNode}
 */
export function learningCurveChart({layers, n_train: nTrain, majority}, {layer, bestLayer, yTitle, ...view}) {
  const style = (/** @type {number} */ one) => (one === layer ? SPLIT_STYLES.dev : one === bestLayer ? CHOSEN : OTHERS);
  const label = (/** @type {number} */ one) => (one === layer || one === bestLayer ? `layer ${one}` : '');
  /** @type {ChartSeries[]} */
  const series = layers.map((/** @type {any} */ {layer: one, points}) => ({
    name: `layer-${one}`, mode: 'line', style: style(one), label: label(one), band: one === layer,
    points: points.map((/** @type {any} */ {n, score, low, high}) => ({x: n, score, low, high})),
  }));
  // The current layer on top, then the dev-chosen one.
  const rank = (/** @type {ChartSeries} */ {name}) => (name === `layer-${layer}` ? 0 : name === `layer-${bestLayer}` ? 1 : 2);
  return lineChart({
    ...view, yTitle,
    axis: logAxis(nTrain, 'Training examples (log scale)'),
    series: series.sort((a, b) => rank(a) - rank(b)),
    references: majority === null ? [] : [{name: 'majority', label: 'baseline', value: majority, color: COLORS.quietText, dash: '4 3'}],
    margin: marginFor(['baseline', 'layer 00']),
  });
}
