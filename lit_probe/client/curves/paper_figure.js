// @ts-check
/** @typedef {import('../page/types.js').LayerMetrics} LayerMetrics */
/** @typedef {import('../page/types.js').DrawnSeries} DrawnSeries */
/** @typedef {import('../page/types.js').Overlays} Overlays */
/** @typedef {import('../page/types.js').SvgNode} SvgNode */
import {curveChart, NO_OVERLAYS, splitSeries} from './curve_chart.js';
import {FIGURE, figurePage} from '../charts/figure_page.js';
import {overlayValues} from './overlays.js';
import {scoreDomain} from './score_domain.js';
import {seriesLegend} from './drawn_series.js';

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
 * @returns {SvgNode}
 */
export function paperFigure(answer, drawn, examples, dataset, overlays = NO_OVERLAYS) {
  const visible = drawn.filter(({mode}) => mode !== 'hidden');
  const domain = scoreDomain(drawn, answer.best_layer, {majority: overlays.majority, others: overlayValues(overlays)});
  return figurePage({
    title: `${answer.metric_title} of ${answer.probe} probes by layer: ${answer.encoder} on ${dataset}`,
    setting: `${answer.pooling} pooling · probes trained on ${answer.trained_on} · ${examples}`,
    charts: [curveChart(answer, {...FIGURE, drawn, domain, currentLayer: null, hoveredLayer: null, overlays})],
    legend: visible.map((one) => ({
      style: splitSeries(one, answer.best_layer).style,
      line: one.mode === 'line',
      label: seriesLegend(one, answer.best_layer) + (one.series.reliable ? '' : ` (${one.series.reason})`),
    })),
    footnotes: [
      'Shaded bands and bars: 95 % intervals.',
      ...(overlays.majority ? MAJORITY_FOOTNOTES : []),
      ...(overlays.alike.length ? ['Bar above the axis: layers that cannot be told apart from the best one on dev.'] : []),
    ],
  });
}
