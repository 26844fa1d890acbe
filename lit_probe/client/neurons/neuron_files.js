// @ts-check
/** What the panels about neurons can be saved as: a figure that stands alone, and tables. */
/** @import {LineStyle, SvgNode} from '../charts/types.js' */
/** @import {NeuronFactors, NeuronRanking, NeuronTokens} from '../page/types.js' */
import {figurePage} from '../charts/figure_page.js';
import {placeNames} from '../charts/places.js';
import {csvTable} from '../words/files.js';
import {placeTitle, readingOf} from '../words/sentences.js';
import {
  ABLATION_STYLES, ablationCurve, neuronHistogram, RANKING_STYLES, rankingQualityChart, STABILITY_STYLES, stabilityChart,
} from './neuron_charts.js';
import {changeConfig, setWords, unitsAt} from './neuron_choices.js';

const VIEW = {width: 640, height: 260};

/**
 * What the panel "Neurons" draws now as a figure that stands alone: the distribution, and the curves that were asked for.
 *
 * @param {any} panel  a panel about neurons; see `neuronPanel`
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
  if (distribution) add(neuronHistogram(distribution, {width: VIEW.width, row: panel.row()}), `Neuron ${distribution.name}: ${panel.row() === 'word' ? 'activation by tag' : 'pooled activation by class'}, ${distribution.n} dev ${panel.row()}s`);
  const layer = panel.changedLayer();
  const choices = panel.chosen();
  const taken = 'units' in changeConfig(choices, layer) ? setWords(layer, unitsAt(choices.picked, layer), placeNames(about)) : `the probe’s direction at ${placeTitle(layer, placeNames(about))}`;
  if (curve) {
    add(ablationCurve(curve, {...VIEW, nLayers: about.n_layers, sites: about.sites}), `Without ${taken}, ${curve.n} ${panel.row()}s`, [ABLATION_STYLES.before, 'before'], [ABLATION_STYLES.after, 'without'], [ABLATION_STYLES.random, `${curve.n_random} random changes: mean and range`]);
  }
  if (stability) add(stabilityChart(stability, VIEW), 'Stability of the ranking', [STABILITY_STYLES.between, 'between two resamples (90 % of pairs)'], [STABILITY_STYLES.full, 'with this ranking'], [STABILITY_STYLES.chance, 'chance']);
  if (evaluation) add(rankingQualityChart(evaluation, VIEW), 'Quality of the ranking', [RANKING_STYLES.top, 'first k %'], [RANKING_STYLES.bottom, 'last k %'], [RANKING_STYLES.random, 'random k %: mean and middle 95 % of the draws']);
  if (erasure) add(ablationCurve(erasure, {...VIEW, nLayers: about.n_layers, intervals: true, sites: about.sites}), 'LEACE at every layer', [ABLATION_STYLES.before, 'before'], [ABLATION_STYLES.after, 'after LEACE'], [ABLATION_STYLES.random, 'after erasing random directions']);
  return figurePage({
    title: `Neurons by ${method}: ${model} on ${dataset}`,
    setting: `${about.encoder} · ${readingOf(about)} · probes trained on ${about.trained_on}`,
    charts: parts.map(({chart}) => chart), legend: parts.flatMap(({legend}) => legend),
    footnotes: ['“Decodable from” a neuron does not mean that the model uses it.'],
  });
}

/**
 * The listed neurons as a table, one row per neuron and class.
 *
 * @param {string} model  LIT's name
 * @param {string} dataset
 * @param {NeuronRanking} answer  the answer of the interpreter `neuron_ranking`
 * @returns {string}
 */
export function neuronsCsv(model, dataset, {method, score_unit: unit, label_names: names, neurons, settings}) {
  const columns = ['model', 'dataset', 'method', 'settings', 'score_unit', 'rank', 'neuron', 'layer', 'unit', 'score', 'class', 'class_score'];
  return csvTable(columns, neurons.flatMap((/** @type {import('../page/types.js').RankedNeuron} */ neuron) => names.map((/** @type {string} */ name, /** @type {number} */ i) =>
    [model, dataset, method, JSON.stringify(settings), unit, neuron.rank, neuron.name, neuron.layer, neuron.unit, neuron.score, name, neuron.class_scores[i]])));
}

/**
 * The values of neurons on the tokens of texts as a table.
 *
 * @param {string} model
 * @param {string} dataset
 * @param {string[]} ids  the texts' ids
 * @param {NeuronTokens} answer  the answer of the part `tokens`
 * @returns {string}
 */
export function tokensCsv(model, dataset, ids, {texts}) {
  return csvTable(['model', 'dataset', 'text', 'position', 'token', 'special', 'neuron', 'activation'], texts.flatMap((/** @type {any} */ text, /** @type {number} */ i) =>
    text.neurons.flatMap((/** @type {any} */ neuron) => text.tokens.map((/** @type {string} */ token, /** @type {number} */ at) =>
      [model, dataset, ids[i], at, token, text.special[at], neuron.name, neuron.values[at]]))));
}

/**
 * Patterns of feed-forward neurons on the tokens of texts as a table.
 *
 * @param {string} model
 * @param {string} dataset
 * @param {NeuronFactors} answer  the answer of the part `factors`
 * @returns {string}
 */
export function factorsCsv(model, dataset, {texts, factors, rows}) {
  return csvTable(['model', 'dataset', 'text', 'position', 'token', 'pattern', 'value'], texts.flatMap(({text, tokens}, i) =>
    factors.flatMap(({on_texts: on}, pattern) => tokens.map((token, at) => [model, dataset, rows.ids[text], at, token, pattern + 1, on[i][at]]))));
}
