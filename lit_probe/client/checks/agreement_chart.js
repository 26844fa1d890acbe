// @ts-check
/** @typedef {import('../page/types.js').LayerMetrics} LayerMetrics */
/** @typedef {import('../page/types.js').SvgNode} SvgNode */
import {layerAxis} from '../charts/axes.js';
import {layerPoints} from '../charts/layer_points.js';
import {lineChart} from '../charts/line_chart.js';
import {PAIR_STYLES} from '../charts/palette.js';
import {valueDomain} from '../charts/domains.js';

export const AGREEMENT_STYLE = PAIR_STYLES.first;

/**
 * The range of the agreement axis.
 *
 * @param {any} answer  of the check `agreement`
 * @returns {[number, number]}
 */
export function agreementDomain({layers}) {
  return valueDomain(layers.flatMap((/** @type {any} */ {agreement, low, high}) => [agreement, low, high]));
}

/**
 * The share of examples on which probe and model say the same, by layer.
 *
 * @param {any} answer  of the check `agreement`
 * @param {LayerMetrics} about
 * @param {{width: number, height: number, domain: [number, number], current?: ?number, hovered?: ?number}} view
 * @returns {SvgNode}
 */
export function agreementChart({layers}, about, view) {
  return lineChart({
    ...view, yTitle: 'Agreement',
    axis: layerAxis(about.n_layers, {bestLayer: about.best_layer, current: view.current ?? null}),
    series: [{name: 'agreement', mode: 'line', points: layerPoints(layers, 'agreement', {low: 'low', high: 'high'}), style: AGREEMENT_STYLE}],
    chosen: {at: about.best_layer, label: `chosen on ${about.chosen_on}`},
  });
}
