// @ts-check
/** @typedef {import('../page/types.js').LayerMetrics} LayerMetrics */
/** @typedef {import('../page/types.js').SvgNode} SvgNode */
import {layerAxis} from '../charts/axes.js';
import {layerPoints} from '../charts/layer_points.js';
import {lineChart} from '../charts/line_chart.js';
import {COLORS, PAIR_STYLES} from '../charts/palette.js';
import {valueDomain} from '../charts/domains.js';

export const SELECTIVITY_STYLES = {task: PAIR_STYLES.first, control: PAIR_STYLES.second, selectivity: {...PAIR_STYLES.first, marker: /** @type {'diamond'} */ ('diamond')}};

/**
 * The range of both scores, and that of their difference, which always shows 0.
 *
 * @param {any} answer  of the check `selectivity`
 * @returns {{scores: [number, number], difference: [number, number]}}
 */
export function selectivityDomains({layers}) {
  const values = (/** @type {string[]} */ ...names) => layers.flatMap((/** @type {any} */ row) => names.map((name) => row[name]));
  return {scores: valueDomain(values('task', 'control')), difference: valueDomain([0, ...values('selectivity', 'low', 'high')])};
}

/**
 * Task and control score by layer, and under them their difference with its interval.
 *
 * @param {any} answer  of the check `selectivity`
 * @param {LayerMetrics} about
 * @param {{width: number, height: number, domains: ReturnType<typeof selectivityDomains>, current?: ?number, hovered?: ?number}} view
 * @returns {SvgNode[]}
 */
export function selectivityCharts({layers}, about, {width, height, domains, current = null, hovered = null}) {
  const shared = {width, height, current, hovered, axis: layerAxis(about.n_layers, {bestLayer: about.best_layer, current})};
  const line = (/** @type {'task'|'control'|'selectivity'} */ name, /** @type {{low: string, high: string}|undefined} */ interval) =>
    ({name, mode: /** @type {'line'} */ ('line'), points: layerPoints(layers, name, interval), style: SELECTIVITY_STYLES[name]});
  return [
    lineChart({...shared, domain: domains.scores, yTitle: about.metric_title, series: [line('task', undefined), line('control', undefined)],
      chosen: {at: about.best_layer, label: `chosen on ${about.chosen_on}`}}),
    lineChart({...shared, domain: domains.difference, yTitle: 'Selectivity', series: [line('selectivity', {low: 'low', high: 'high'})],
      references: [{name: 'zero', label: '', value: 0, color: COLORS.quietText, dash: '4 3'}]}),
  ];
}
