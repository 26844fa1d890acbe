// @ts-check
/** @typedef {import('../page/types.js').LineStyle} LineStyle */
/** @typedef {import('../page/types.js').SvgNode} SvgNode */
import {ablationCurve, ABLATION_STYLES} from './ablation_charts.js';
import {changeConfig, setWords, unitsAt} from './neuron_choices.js';
import {figurePage} from '../charts/figure_page.js';
import {neuronHistogram} from './neuron_histogram.js';
import {RANKING_STYLES, rankingQualityChart, STABILITY_STYLES, stabilityChart} from './ranking_charts.js';

const VIEW = {width: 640, height: 260};

/**
 * What the panel "Neurons" draws now as a figure that stands alone: the distribution, and the curves that were asked for.
 *
 * @param {any} panel  see `neuronPanel`
 * @param {any} ranking
 * @returns {SvgNode}
 */
export function neuronFigure(panel, {title: method}) {
  const {model, dataset} = panel.seen;
  const about = panel.about();
  const [distribution, curve, stability, evaluation, erasure] = ['distribution', 'curve', 'stability', 'evaluation', 'erasure'].map((slot) => panel.answerOf(slot));
  /** @type {{chart: SvgNode, legend: {style: ?LineStyle, line: boolean, label: string}[]}[]} */
  const parts = [];
  const add = (/** @type {SvgNode} */ chart, /** @type {string} */ words, /** @type {[LineStyle, string][]} */ ...lines) => parts.push({chart, legend: [
    {style: null, line: false, label: words}, ...lines.map(([style, label]) => ({style, line: true, label}))]});
  if (distribution) add(neuronHistogram(distribution, {width: VIEW.width}), `Neuron ${distribution.name}: pooled activation by class, ${distribution.n} dev texts`);
  const layer = panel.changedLayer();
  const choices = panel.chosen();
  const taken = 'units' in changeConfig(choices, layer) ? setWords(layer, unitsAt(choices.picked, layer)) : `the probe’s direction at layer ${layer}`;
  if (curve) {
    add(ablationCurve(curve, {...VIEW, nLayers: about.n_layers}), `Without ${taken}, ${curve.n} texts`, [ABLATION_STYLES.before, 'before'], [ABLATION_STYLES.after, 'without'], [ABLATION_STYLES.random, `${curve.n_random} random changes: mean and range`]);
  }
  if (stability) add(stabilityChart(stability, VIEW), 'Stability of the ranking', [STABILITY_STYLES.between, 'between two resamples (90 % of pairs)'], [STABILITY_STYLES.full, 'with this ranking'], [STABILITY_STYLES.chance, 'chance']);
  if (evaluation) add(rankingQualityChart(evaluation, VIEW), 'Quality of the ranking', [RANKING_STYLES.top, 'first k %'], [RANKING_STYLES.bottom, 'last k %'], [RANKING_STYLES.random, 'random k %: mean and middle 95 % of the draws']);
  if (erasure) add(ablationCurve(erasure, {...VIEW, nLayers: about.n_layers, intervals: true}), 'LEACE at every layer', [ABLATION_STYLES.before, 'before'], [ABLATION_STYLES.after, 'after LEACE'], [ABLATION_STYLES.random, 'after erasing random directions']);
  return figurePage({
    title: `Neurons by ${method}: ${model} on ${dataset}`,
    setting: `${about.encoder} · ${about.pooling} pooling · probes trained on ${about.trained_on}`,
    charts: parts.map(({chart}) => chart), legend: parts.flatMap(({legend}) => legend),
    footnotes: ['“Decodable from” a neuron does not mean that the model uses it.'],
  });
}
