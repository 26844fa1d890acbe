// @ts-check
/** The charts of the checks: one or two functions for each panel, and the range of its axis. */
/** @import {ChartSeries, SvgNode} from '../charts/types.js' */
/** @import {Agreement, CalibratedLayer, Calibration, DescriptionLength, LayerMetrics, LearningCurve} from '../page/types.js' */
/** @import {Selectivity, Transfer, TransferPair} from '../page/types.js' */
import {layerAxis, linearAxis, logAxis, valueDomain} from '../charts/axes.js';
import {layerPoints, lineChart, MARGIN, marginFor} from '../charts/line_chart.js';
import {COLORS, PAIR_STYLES, SPLIT_STYLES} from '../charts/palette.js';
import {stripChart} from '../charts/strip_chart.js';
import {svgNode} from '../charts/svg.js';
import {formatCount, shorten} from '../words/format.js';
import {placeTitle} from '../words/sentences.js';

const AGREEMENT_STYLE = PAIR_STYLES.first;

/**
 * The range of the agreement axis.
 *
 * @param {Agreement} answer  the answer of the check `agreement`
 * @returns {[number, number]}
 */
export function agreementDomain({layers}) {
  return valueDomain(layers.flatMap(({agreement, low, high}) => [agreement, low, high]));
}

/**
 * The share of examples on which probe and model say the same, by layer.
 *
 * @param {Agreement} answer  the answer of the check `agreement`
 * @param {LayerMetrics} about
 * @param {{width: number, height: number, domain: [number, number], current?: ?number, hovered?: ?number}} view
 * @returns {SvgNode}
 */
export function agreementChart({layers}, about, view) {
  return lineChart({
    ...view, yTitle: 'Agreement',
    axis: layerAxis(about.n_layers, {bestLayer: about.best_layer, current: view.current ?? null, names: about.layer_names, sites: about.sites}),
    series: [{name: 'agreement', mode: 'line', points: layerPoints(layers, 'agreement', {low: 'low', high: 'high'}), style: AGREEMENT_STYLE}],
    chosen: {at: about.best_layer, label: `chosen on ${about.chosen_on}`},
  });
}

export const SELECTIVITY_STYLES = {task: PAIR_STYLES.first, control: PAIR_STYLES.second, selectivity: {...PAIR_STYLES.first, marker: /** @type {'diamond'} */ ('diamond')}};

/**
 * The range of both scores, and that of their difference, which always shows 0.
 *
 * @param {Selectivity} answer  the answer of the check `selectivity`
 * @returns {{scores: [number, number], difference: [number, number]}}
 */
export function selectivityDomains({layers}) {
  const values = (/** @type {string[]} */ ...names) => layers.flatMap((/** @type {any} */ row) => names.map((name) => row[name]));
  return {scores: valueDomain(values('task', 'control')), difference: valueDomain([0, ...values('selectivity', 'low', 'high')])};
}

/**
 * Task and control score by layer, and under them their difference with its interval.
 *
 * @param {Selectivity} answer  the answer of the check `selectivity`
 * @param {LayerMetrics} about
 * @param {{width: number, height: number, domains: ReturnType<typeof selectivityDomains>, current?: ?number, hovered?: ?number}} view
 * @returns {SvgNode[]}
 */
export function selectivityCharts({layers}, about, {width, height, domains, current = null, hovered = null}) {
  const chosen = {at: about.best_layer, label: `chosen on ${about.chosen_on}`};
  const shared = {width, height, current, hovered, chosen, axis: layerAxis(about.n_layers, {bestLayer: about.best_layer, current, names: about.layer_names, sites: about.sites})};
  const line = (/** @type {'task'|'control'|'selectivity'} */ name, /** @type {{low: string, high: string}|undefined} */ interval) =>
    ({name, mode: /** @type {'line'} */ ('line'), points: layerPoints(layers, name, interval), style: SELECTIVITY_STYLES[name]});
  return [
    lineChart({...shared, domain: domains.scores, yTitle: about.metric_title, series: [line('task', undefined), line('control', undefined)]}),
    lineChart({...shared, domain: domains.difference, yTitle: 'Selectivity', series: [line('selectivity', {low: 'low', high: 'high'})],
      references: [{name: 'zero', label: '', value: 0, color: COLORS.quietText, dash: '4 3'}]}),
  ];
}

export const COMPRESSION_STYLES = {compression_to_prior: PAIR_STYLES.first, compression: PAIR_STYLES.second};

/** Below this the two lines cannot be told apart on a screen. */
const SAME = 0.005;

/**
 * Whether both codes give the same compression at every layer, as they do where classes are equally frequent.
 *
 * @param {DescriptionLength} answer  the answer of the check `description_length`
 * @returns {boolean}
 */
export function priorCoincides({layers}) {
  return layers.every((/** @type {any} */ {compression, compression_to_prior: toPrior}) => Math.abs(compression - toPrior) < SAME);
}

/**
 * The range of the compression axis; 1, no compression, is always on it.
 *
 * @param {DescriptionLength} answer  the answer of the check `description_length`
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
 * @param {DescriptionLength} answer  the answer of the check `description_length`
 * @param {LayerMetrics} about
 * @param {{width: number, height: number, domain: [number, number], current?: ?number, hovered?: ?number}} view
 * @returns {SvgNode}
 */
export function descriptionLengthChart({layers}, about, view) {
  const line = (/** @type {'compression'|'compression_to_prior'} */ name) =>
    ({name, mode: /** @type {'line'} */ ('line'), points: layerPoints(layers, name), style: COMPRESSION_STYLES[name], band: false});
  return lineChart({
    ...view, yTitle: 'Compression',
    axis: layerAxis(about.n_layers, {bestLayer: about.best_layer, current: view.current ?? null, names: about.layer_names, sites: about.sites}),
    // The dashed line lies on top, so that both are seen where they coincide.
    series: [line('compression'), line('compression_to_prior')],
    references: [{name: 'none', label: '', value: 1, color: COLORS.quietText, dash: '4 3'}],
    chosen: {at: about.best_layer, label: `chosen on ${about.chosen_on}`},
  });
}

const LONGEST_NAME = 24;
const OTHER_LAYERS = {color: COLORS.others, marker: null, dash: '', width: 1};
const CHOSEN_LAYER = {color: SPLIT_STYLES.test.color, marker: /** @type {'diamond'} */ ('diamond'), dash: '7 3', width: 1.5};

/**
 * The range of the score axis: all layers, and the intervals of one.
 *
 * @param {LearningCurve} answer  the answer of the check `learning_curve`
 * @param {number} layer
 * @returns {[number, number]}
 */
export function learningCurveDomain({layers, majority}, layer) {
  const points = (/** @type {any} */ row) => row.points.map((/** @type {any} */ {score}) => score);
  const ends = layers[layer].points.flatMap((/** @type {any} */ {low, high}) => [low, high]);
  return valueDomain([majority, ...layers.flatMap(points), ...ends]);
}

/**
 * The score against the number of training examples: the current layer with its interval, the dev-chosen one, the others thin.
 *
 * @param {LearningCurve} answer  the answer of the check `learning_curve`
 * @param {object} view
 * @param {number} view.width
 * @param {number} view.height
 * @param {[number, number]} view.domain
 * @param {number} view.layer  the current one
 * @param {number} view.bestLayer
 * @param {string} view.yTitle
 * @param {?number} [view.hovered]  a number of training examples
 * @param {?string[]} [view.names]  what places that are not all of an encoder's layers are called
 * @returns {SvgNode}
 */
export function learningCurveChart({layers, n_train: nTrain, majority}, {layer, bestLayer, yTitle, names = null, ...view}) {
  const style = (/** @type {number} */ one) => (one === layer ? SPLIT_STYLES.dev : one === bestLayer ? CHOSEN_LAYER : OTHER_LAYERS);
  const label = (/** @type {number} */ one) => (one === layer || one === bestLayer ? shorten(placeTitle(one, names), LONGEST_NAME) : '');
  /** @type {ChartSeries[]} */
  const series = layers.map((/** @type {any} */ {layer: one, points}) => ({
    name: `layer-${one}`, mode: 'line', style: style(one), label: label(one), band: one === layer,
    points: points.map((/** @type {any} */ {n, score, low, high}) => ({x: n, score, low, high})),
  }));
  // The current layer on top, then the dev-chosen one.
  const rank = (/** @type {ChartSeries} */ {name}) => (name === `layer-${layer}` ? 0 : name === `layer-${bestLayer}` ? 1 : 2);
  return lineChart({
    ...view, yTitle,
    axis: logAxis(nTrain, 'Training examples (log scale)'),
    series: series.sort((a, b) => rank(a) - rank(b)),
    references: majority === null ? [] : [{name: 'majority', label: 'baseline', value: majority, color: COLORS.quietText, dash: '4 3'}],
    margin: marginFor(['baseline', 'layer 00', ...(names ? [layer, bestLayer].map((one) => shorten(names[one], LONGEST_NAME)) : [])]),
  });
}

export const CALIBRATION_STYLES = {
  before: PAIR_STYLES.first,
  after: PAIR_STYLES.second,
  chance: {color: COLORS.quietText, marker: null, dash: '1 3', width: 1.5},
};
export const CALIBRATION_MEASURES = [
  {value: 'ece', title: 'expected calibration error (ECE)', axis: 'ECE'},
  {value: 'brier', title: 'Brier score', axis: 'Brier score'},
  {value: 'log_loss', title: 'log-loss (nats)', axis: 'Log-loss (nats)'},
];

/**
 * The reliability plot of one layer: of the examples that the probe is so sure of, how many does it get right?
 *
 * @param {CalibratedLayer} row  a layer's row of the check `calibration`
 * @param {{width: number, height: number}} view
 * @returns {SvgNode}
 */
export function reliabilityChart(row, view) {
  const bins = [...row.diagram, ...row.diagram_after];
  const least = Math.min(0.5, ...bins.flatMap(({confidence, accuracy, low}) => [confidence, low ?? accuracy]));
  /** @type {[number, number]} */
  const domain = [Math.floor(least * 10) / 10, 1];
  // Points, each with its interval: a line through groups of a dozen examples would draw their noise.
  const series = (/** @type {'before'|'after'} */ name, /** @type {CalibratedLayer['diagram']} */ of) => ({
    name, mode: /** @type {'point'} */ ('point'), style: CALIBRATION_STYLES[name],
    points: of.map(({confidence, accuracy, low, high}) => ({x: confidence, score: accuracy, low, high})),
  });
  const axis = linearAxis(domain, 'Mean predicted probability');
  // A square plot, so that the diagonal is one.
  const side = Math.min(view.width - MARGIN.left - MARGIN.right, view.height - MARGIN.top - MARGIN.bottom);
  const margin = {...MARGIN, right: view.width - MARGIN.left - side, bottom: view.height - MARGIN.top - side};
  return lineChart({
    ...view, axis, domain, margin, yTitle: 'Accuracy',
    series: [series('before', row.diagram), series('after', row.diagram_after)],
    beneath: ({left, right, y}) => [svgNode('line', {
      class: 'perfect', x1: left, x2: right, y1: y(domain[0]).toFixed(2), y2: y(1).toFixed(2), stroke: COLORS.axis, 'stroke-dasharray': '4 3',
    })],
  });
}

/**
 * The range of a measure over all layers, before and after.
 *
 * @param {Calibration} answer  the answer of the check `calibration`
 * @param {string} measure
 * @returns {[number, number]}
 */
export function calibrationDomain({layers}, measure) {
  return valueDomain([0, ...layers.flatMap((/** @type {any} */ row) => [row[measure], row[`${measure}_after`]])]);
}

/**
 * A measure by layer, before and after one temperature.
 *
 * @param {Calibration} answer  the answer of the check `calibration`
 * @param {LayerMetrics} about
 * @param {string} measure
 * @param {{width: number, height: number, domain: [number, number], current?: ?number, hovered?: ?number}} view
 * @returns {SvgNode}
 */
export function calibrationChart({layers}, about, measure, view) {
  const current = view.current ?? null;
  const series = (/** @type {'before'|'after'} */ name, /** @type {string} */ key) =>
    ({name, mode: /** @type {'line'} */ ('line'), style: CALIBRATION_STYLES[name], points: layerPoints(layers, key), band: false});
  const chance = layers.some((/** @type {any} */ row) => typeof row.ece_by_chance === 'number') && measure === 'ece'
    ? [{name: 'chance', mode: /** @type {'line'} */ ('line'), points: layerPoints(layers, 'ece_by_chance'), band: false, style: CALIBRATION_STYLES.chance}] : [];
  return lineChart({
    ...view, yTitle: CALIBRATION_MEASURES.find(({value}) => value === measure)?.axis ?? measure,
    axis: layerAxis(about.n_layers, {bestLayer: about.best_layer, current, names: about.layer_names, sites: about.sites}),
    series: [series('before', measure), series('after', `${measure}_after`), ...chance],
    chosen: {at: about.best_layer, label: `chosen on ${about.chosen_on}`},
  });
}

/**
 * The scores of every pair of data sets over layers: a strip of cells per pair, in the columns of the curves.
 *
 * @param {TransferPair[]} rows
 * @param {LayerMetrics} about
 * @param {{width: number, current?: ?number, hovered?: ?number}} view
 * @returns {SvgNode}
 */
export function transferChart(rows, about, view) {
  const chance = 1 / about.label_names.length;
  return stripChart(rows.map(({train, test, own, n, cells}) => ({
    title: `${train} → ${test}${own ? ' (its own dev)' : ''}, n = ${formatCount(n)}`,
    bold: !own,
    chosen: null,
    // White is what guessing scores, or less.
    cells: cells.map(({layer, score, reason}) => ({
      layer, share: score === null ? null : (score - chance) / (1 - chance), words: score === null ? '–' : `${score.toFixed(2)}${reason ? '?' : ''}`})),
  })), about, view);
}

/**
 * A transfer answer as rows of a heat map: one per pair of data sets, with its scores over layers.
 *
 * @param {Transfer} answer  the answer of the interpreter `transfer`
 * @returns {TransferPair[]}
 */
export function transferRows({train, test, n, left_out: leftOut, layers}) {
  return train.flatMap((/** @type {string} */ from, /** @type {number} */ i) => test.map((/** @type {string} */ to, /** @type {number} */ j) => ({
    train: from, test: to, own: from === to, n: n[i][j], leftOut: leftOut[i][j],
    cells: layers.map((/** @type {any} */ {layer, scores, low, high, reasons, with_left_out: whole}) =>
      ({layer, score: scores[i][j], low: low[i][j], high: high[i][j], reason: reasons[i][j], withLeftOut: whole[i][j]})),
  })));
}
