// @ts-check
/** @typedef {import('./types.js').LayerMetrics} LayerMetrics */
/** @typedef {import('./types.js').DrawnSeries} DrawnSeries */
import {drawnLayers} from './drawn_layers.js';

const COLUMNS = [
  'model', 'data_set', 'examples', 'trained_on', 'probe', 'pooling', 'metric', 'split', 'layer', 'score', 'low', 'high', 'n',
  'majority', 'reliable', 'dev_chosen',
];

/**
 * The drawn scores as a CSV table (RFC 4180), one row per split and layer, with every digit that the server sent.
 *
 * What is not drawn is not exported either: the test scores of all layers come only to those who asked to see them.
 *
 * @param {LayerMetrics} answer
 * @param {DrawnSeries[]} drawn
 * @param {{model: string, dataset: string, examples: string}} about  `examples`: which examples were scored, in words
 * @returns {string}
 */
export function curveCsv(answer, drawn, about) {
  const rows = drawn.flatMap(({series, mode}) =>
    drawnLayers(series, mode, answer.best_layer).map(({layer, score, low, high}) => [
      about.model, about.dataset, about.examples, answer.trained_on, answer.probe, answer.pooling, answer.metric,
      series.split, layer, score, low, high, series.n, series.majority, series.reliable, layer === answer.best_layer,
    ]),
  );
  return [COLUMNS, ...rows].map((row) => row.map(csvCell).join(',') + '\r\n').join('');
}

/**
 * @param {string|number|boolean|null} value
 * @returns {string}
 */
function csvCell(value) {
  const text = value === null ? '' : String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
