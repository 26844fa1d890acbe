// @ts-check
/** @typedef {import('../page/types.js').LayerMetrics} LayerMetrics */
/** @typedef {import('../page/types.js').SvgNode} SvgNode */
import {layerAxis} from '../charts/axes.js';
import {layerPoints} from '../charts/layer_points.js';
import {lineChart} from '../charts/line_chart.js';
import {COLORS, PAIR_STYLES} from '../charts/palette.js';

export const COMPRESSION_STYLES = {compression: PAIR_STYLES.first, compression_to_prior: PAIR_STYLES.second};

/** Below this the two lines cannot be told apart on a screen. */
const SAME = 0.005;

/**
 * Whether both codes give the same compression at every layer, as they do where classes are equally frequent.
 *
 * @param {any} answer  of the check `description_length`
 * @returns {boolean}
 */
export function priorCoincides({layers}) {
  return layers.every((/** @type {any} */ {compression, compression_to_prior: toPrior}) => Math.abs(compression - toPrior) < SAME);
}

/**
 * The range of the compression axis; 1, no compression, is always on it.
 *
 * @param {any} answer  of the check `description_length`
 * @returns {[number, number]}
 */
export function compressionDomain({layers}) {
  const values = [1, ...layers.flatMap((/** @type {any} */ row) => [row.compression, row.compression_to_prior])];
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const air = 0.1 * Math.max(0.5, high - low);
  return [Math.max(0, low - air), high + air];
}

/**
 * How many times shorter the labels' code gets by each layer's activations.
 *
 * @param {any} answer  of the check `description_length`
 * @param {LayerMetrics} about
 * @param {{width: number, height: number, domain: [number, number], current?: ?number, hovered?: ?number}} view
 * @returns {SvgNode}
 */
export function descriptionLengthChart({layers}, about, view) {
  const line = (/** @type {'compression'|'compression_to_prior'} */ name) =>
    ({name, mode: /** @type {'line'} */ ('line'), points: layerPoints(layers, name), style: COMPRESSION_STYLES[name], band: false});
  return lineChart({
    ...view, yTitle: 'Compression',
    axis: layerAxis(about.n_layers, {bestLayer: about.best_layer, current: view.current ?? null}),
    // The dashed line on top: where the two coincide, both are seen.
    series: [line('compression_to_prior'), line('compression')],
    references: [{name: 'none', label: '', value: 1, color: COLORS.quietText, dash: '4 3'}],
    chosen: {at: about.best_layer, label: `chosen on ${about.chosen_on}`},
  });
}
