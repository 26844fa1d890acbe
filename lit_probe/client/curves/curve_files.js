// @ts-check
/** The curve as files: a figure that stands alone, and a table. */
/** @import {DrawnSeries, Overlays, Peer, SvgNode} from '../charts/types.js' */
/** @import {LayerMetrics} from '../page/types.js' */
import {FIGURE, figurePage} from '../charts/figure_page.js';
import {csvTable} from '../words/files.js';
import {curveChart, drawnLayers, NO_OVERLAYS, scoreDomain, seriesLegend, splitSeries, stylesOf} from './curve_chart.js';
import {overlayValues} from './overlays.js';

const MAJORITY_FOOTNOTES = [
  'Dashed horizontal line: baseline that ignores the text (the most frequent class;',
  'for AUROC and log-loss the class frequencies of train).',
];

/**
 * The curve as a figure that stands alone.
 *
 * @param {LayerMetrics} answer
 * @param {DrawnSeries[]} drawn
 * @param {string} examples  which examples were scored, in words
 * @param {string} dataset
 * @param {Overlays} [overlays]
 * @param {Peer[]} [peers]  curves of other encoders
 * @returns {SvgNode}
 */
export function paperFigure(answer, drawn, examples, dataset, overlays = NO_OVERLAYS, peers = []) {
  const curves = [{name: answer.encoder, answer, drawn}, ...peers];
  const {probe, pooling} = answer;
  // Runs of one encoder may differ in them.
  const alike = curves.every((curve) => curve.answer.probe === probe && curve.answer.pooling === pooling);
  const domain = scoreDomain(drawn, answer.best_layer, {majority: overlays.majority, others: overlayValues(overlays), peers});
  return figurePage({
    title: `${answer.metric_title} of ${alike ? `${probe} ` : ''}probes by layer: ${curves.map(({name}) => name).join(', ')} on ${dataset}`,
    setting: `${alike ? `${pooling} pooling · ` : ''}probes trained on ${answer.trained_on} · ${examples}`,
    charts: [curveChart(answer, {...FIGURE, drawn, domain, currentLayer: null, hoveredLayer: null, overlays, peers})],
    legend: curves.flatMap((curve, i) => curve.drawn.filter(({mode}) => mode !== 'hidden').map((one) => ({
      style: splitSeries(one, curve.answer.best_layer, stylesOf(i, curves.length)).style,
      line: one.mode === 'line',
      label: (peers.length ? `${curve.name}: ` : '') + seriesLegend(one, curve.answer.best_layer) + (one.series.reliable ? '' : ` (${one.series.reason})`),
    }))),
    footnotes: [
      ...(alike ? [] : curves.map((curve) => `${curve.name}: ${curve.answer.probe} probes, ${curve.answer.pooling} pooling.`)),
      'Shaded bands and bars: 95 % intervals.',
      ...(answer.decision && answer.decision_of_study !== 'argmax' ? [answer.decided_by] : []),
      ...overlays.lines.flatMap(({label, nDraws}) => (nDraws ? [`${label}: mean of ${nDraws} random draws, band: their range.`] : [])),
      ...overlays.lines.flatMap(({footnote}) => footnote ?? []),
      ...(overlays.majority ? MAJORITY_FOOTNOTES : []),
      ...(overlays.alike.length ? ['Bar above the axis: layers that cannot be told apart from the chosen one on dev.'] : []),
    ],
  });
}

const COLUMNS = [
  'model', 'data_set', 'examples', 'trained_on', 'probe', 'pooling', 'metric', 'split', 'layer', 'score', 'low', 'high', 'n',
  'majority', 'reliable', 'dev_chosen', 'decision',
];

/**
 * The drawn scores as a CSV table, one row per split and layer.
 *
 * What is not drawn is not exported either: the test scores of all layers come only to those who asked to see them.
 *
 * @param {LayerMetrics} answer
 * @param {DrawnSeries[]} drawn
 * @param {{model: string, dataset: string, examples: string, test?: {split: string, layer: ?number, p: ?number, corrected: ?number}}} about
 *     `examples`: which examples were scored, in words; `test`: the p-values at one layer, which make two more columns
 * @param {Overlays} [overlays]  the baselines drawn beside them, which become rows too
 * @param {Peer[]} [peers]  curves of other encoders
 * @returns {string}
 */
export function curveCsv(answer, drawn, about, {references, lines} = NO_OVERLAYS, peers = []) {
  const rows = [{model: about.model, answer, drawn}, ...peers].flatMap((curve) => curve.drawn.flatMap(({series, mode}) =>
    drawnLayers(series, mode, curve.answer.best_layer).map(({layer, score, low, high}) => [
      curve.model, about.dataset, about.examples, curve.answer.trained_on, curve.answer.probe, curve.answer.pooling, curve.answer.metric,
      series.split, layer, score, low, high, series.n, series.majority, series.reliable, layer === curve.answer.best_layer,
      curve.answer.decision?.rule ?? null,
      ...pValues(about.test, series.split, layer),
    ]),
  ));
  const beside = (/** @type {string} */ name, /** @type {?number} */ layer, /** @type {?number} */ score, /** @type {?number} */ low, /** @type {?number} */ high) => [
    about.model, about.dataset, about.examples, answer.trained_on, name, answer.pooling, answer.metric,
    'dev', layer, score, low, high, null, null, null, null, answer.decision?.rule ?? null,
  ];
  return csvTable(about.test ? [...COLUMNS, 'p', 'p_corrected'] : COLUMNS, [
    ...rows,
    ...references.map(({name, value}) => beside(`baseline: ${name}`, null, value, null, null)),
    ...lines.flatMap(({name, nDraws, inTable = `baseline: ${nDraws ? `${name} (mean and range of ${nDraws} draws)` : name}`, points}) => points.map(({x, score, low, high}) => beside(inTable, x, score, low, high))),
  ]);
}

/** @param {{split: string, layer: ?number, p: ?number, corrected: ?number}|undefined} test @param {string} split @param {number} layer @returns {(?number)[]} */
function pValues(test, split, layer) {
  if (!test) return [];
  return test.split === split && test.layer === layer ? [test.p, test.corrected] : [null, null];
}
