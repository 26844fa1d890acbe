// @ts-check
/** @typedef {import('../page/types.js').ChartSeries} ChartSeries */
/** @typedef {import('../page/types.js').LayerMetrics} LayerMetrics */
/** @typedef {import('../page/types.js').SvgNode} SvgNode */
import {layerAxis} from '../charts/axes.js';
import {layerPoints} from '../charts/layer_points.js';
import {lineChart} from '../charts/line_chart.js';
import {linearAxis} from '../charts/axes.js';
import {COLORS, PAIR_STYLES} from '../charts/palette.js';
import {svgNode} from '../charts/svg.js';
import {valueDomain} from '../charts/domains.js';

export const CALIBRATION_STYLES = {
  before: PAIR_STYLES.first,
  after: PAIR_STYLES.second,
  chance: {color: COLORS.quietText, marker: null, dash: '1 3', width: 1.5},
};
export const CALIBRATION_MEASURES = [
  {value: 'ece', title: 'expected calibration error (ECE)', axis: 'ECE'},
  {value: 'brier', title: 'Brier score', axis: 'Brier score'},
  {value: 'log_loss', title: 'log-loss (nats)', axis: 'Log-loss (nats)'},
];

/**
 * The reliability plot of one layer: of the examples that the probe is so sure of, how many does it get right?
 *
 * @param {any} row  of the check `calibration`
 * @param {{width: number, height: number}} view
 * @returns {SvgNode}
 */
export function reliabilityChart(row, view) {
  const bins = [...row.reliability, ...row.reliability_after];
  const least = Math.min(0.5, ...bins.flatMap(({confidence, accuracy}) => [confidence, accuracy]));
  /** @type {[number, number]} */
  const domain = [Math.floor(least * 10) / 10, 1];
  const series = (/** @type {'before'|'after'} */ name, /** @type {any[]} */ of) => ({
    name, mode: /** @type {'line'} */ ('line'), style: CALIBRATION_STYLES[name], band: false,
    points: of.map(({confidence, accuracy}) => ({x: confidence, score: accuracy, low: null, high: null})),
  });
  const axis = linearAxis(domain, 'Mean probability of the predicted class');
  return lineChart({
    ...view, axis, domain, yTitle: 'Share of them right',
    series: [series('before', row.reliability), series('after', row.reliability_after)],
    beneath: ({left, right, y}) => [svgNode('line', {
      class: 'perfect', x1: left, x2: right, y1: y(domain[0]).toFixed(2), y2: y(1).toFixed(2), stroke: COLORS.axis, 'stroke-dasharray': '4 3',
    })],
  });
}

/**
 * The range of a measure over all layers, before and after.
 *
 * @param {any} answer  of the check `calibration`
 * @param {string} measure
 * @returns {[number, number]}
 */
export function calibrationDomain({layers}, measure) {
  return valueDomain([0, ...layers.flatMap((/** @type {any} */ row) => [row[measure], row[`${measure}_after`]])]);
}

/**
 * A measure by layer, before and after one temperature.
 *
 * @param {any} answer  of the check `calibration`
 * @param {LayerMetrics} about
 * @param {string} measure
 * @param {{width: number, height: number, domain: [number, number], current?: ?number, hovered?: ?number}} view
 * @returns {SvgNode}
 */
export function calibrationChart({layers}, about, measure, view) {
  const current = view.current ?? null;
  const series = (/** @type {'before'|'after'} */ name, /** @type {string} */ key) =>
    ({name, mode: /** @type {'line'} */ ('line'), style: CALIBRATION_STYLES[name], points: layerPoints(layers, key), band: false});
  const chance = layers.some((/** @type {any} */ row) => typeof row.ece_by_chance === 'number') && measure === 'ece'
    ? [{name: 'chance', mode: /** @type {'line'} */ ('line'), points: layerPoints(layers, 'ece_by_chance'), band: false, style: CALIBRATION_STYLES.chance}] : [];
  return lineChart({
    ...view, yTitle: CALIBRATION_MEASURES.find(({value}) => value === measure)?.axis ?? measure,
    axis: layerAxis(about.n_layers, {bestLayer: about.best_layer, current}),
    series: [series('before', measure), series('after', `${measure}_after`), ...chance],
    chosen: {at: about.best_layer, label: `chosen on ${about.chosen_on}`},
  });
}
