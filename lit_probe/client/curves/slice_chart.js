// @ts-check
/** @typedef {import('../page/types.js').LayerMetrics} LayerMetrics */
/** @typedef {import('../page/types.js').Series} Series */
/** @typedef {import('../page/types.js').SvgNode} SvgNode */
import {splitSeries} from './curve_chart.js';
import {layerAxis} from '../charts/axes.js';
import {lineChart} from '../charts/line_chart.js';
import {COLORS} from '../charts/palette.js';

export const SMALL_MARGIN = {top: 8, right: 8, bottom: 22, left: 38};

/**
 * The series that a small multiple shows: dev, or test where there is no dev.
 *
 * @param {LayerMetrics} answer
 * @returns {?Series}
 */
export function heldOutSeries({series}) {
  return series.find(({split}) => split === 'dev') ?? series.find(({split}) => split === 'test') ?? null;
}

/**
 * One slice's curve, small, with the curve of all examples behind it.
 *
 * @param {Series} series
 * @param {?Series} whole  of all examples
 * @param {LayerMetrics} about
 * @param {{width: number, height: number, domain: [number, number], current: ?number, hovered?: ?number}} view
 * @returns {SvgNode}
 */
export function sliceChart(series, whole, about, view) {
  const behind = whole?.split === series.split ? [{
    ...splitSeries({series: whole, mode: 'line'}, about.best_layer), name: 'whole', band: false,
    style: {color: COLORS.axis, marker: null, dash: '3 3', width: 1.5},
  }] : [];
  return lineChart({
    ...view, yTitle: '', margin: SMALL_MARGIN,
    axis: layerAxis(about.n_layers, {bestLayer: about.best_layer, current: view.current, small: true}),
    series: [splitSeries({series, mode: 'line'}, about.best_layer), ...behind],
  });
}
