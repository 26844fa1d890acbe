// @ts-check
/** @typedef {import('../page/types.js').LayerMetrics} LayerMetrics */
/** @typedef {import('../page/types.js').DrawnSeries} DrawnSeries */
/** @typedef {import('../page/types.js').Overlays} Overlays */
import {csvTable} from '../words/files.js';
import {NO_OVERLAYS} from './curve_chart.js';
import {drawnLayers} from './drawn_series.js';

const COLUMNS = [
  'model', 'data_set', 'examples', 'trained_on', 'probe', 'pooling', 'metric', 'split', 'layer', 'score', 'low', 'high', 'n',
  'majority', 'reliable', 'dev_chosen',
];

/**
 * The drawn scores as a CSV table, one row per split and layer.
 *
 * What is not drawn is not exported either: the test scores of all layers come only to those who asked to see them.
 *
 * @param {LayerMetrics} answer
 * @param {DrawnSeries[]} drawn
 * @param {{model: string, dataset: string, examples: string}} about  `examples`: which examples were scored, in words
 * @param {Overlays} [overlays]  the baselines drawn beside them, which become rows too
 * @returns {string}
 */
export function curveCsv(answer, drawn, about, {references, lines} = NO_OVERLAYS) {
  const rows = drawn.flatMap(({series, mode}) =>
    drawnLayers(series, mode, answer.best_layer).map(({layer, score, low, high}) => [
      about.model, about.dataset, about.examples, answer.trained_on, answer.probe, answer.pooling, answer.metric,
      series.split, layer, score, low, high, series.n, series.majority, series.reliable, layer === answer.best_layer,
    ]),
  );
  const baseline = (/** @type {string} */ name, /** @type {?number} */ layer, /** @type {?number} */ score, /** @type {?number} */ low, /** @type {?number} */ high) => [
    about.model, about.dataset, about.examples, answer.trained_on, `baseline: ${name}`, answer.pooling, answer.metric,
    'dev', layer, score, low, high, null, null, null, null,
  ];
  return csvTable(COLUMNS, [
    ...rows,
    ...references.map(({name, value}) => baseline(name, null, value, null, null)),
    ...lines.flatMap(({name, points}) => points.map(({x, score, low, high}) => baseline(name, x, score, low, high))),
  ]);
}
