// @ts-check
/** The drawings of one edit and of many pairs by layer, and the same numbers as tables. */
/** @import {ChartSeries, SvgNode} from '../charts/types.js' */
/** @import {CounterfactualPairs, Site, Trajectory} from '../page/types.js' */
import {layerAxis, valueDomain} from '../charts/axes.js';
import {layerPoints, lineChart} from '../charts/line_chart.js';
import {placeNames} from '../charts/places.js';
import {COLORS, PAIR_STYLES} from '../charts/palette.js';
import {csvTable} from '../words/files.js';

/** How the two texts are drawn, here and wherever they are named. */
export const EDIT_STYLES = {original: PAIR_STYLES.first, edit: PAIR_STYLES.second};
export const TYPICAL_STYLE = {color: COLORS.quietText, marker: null, dash: '4 3', width: 1.5};
export const PAIRS_STYLES = {consistency: PAIR_STYLES.first, flip_rate: PAIR_STYLES.second, median_change: PAIR_STYLES.first};
/** The size of a chart in a file. */
export const FIGURE = {width: 640, height: 260};
/** Small charts have no room for the names of their axes: these stand above them. */
export const SMALL_MARGIN = {top: 8, right: 12, bottom: 24, left: 44};

/** What the two lines can show. @type {Record<string, {title: string, axis: (className: string) => string}>} */
export const MEASURES = {
  probability: {title: 'probability', axis: (className) => `Probability of “${className}”`},
  margin: {title: 'logit margin', axis: (className) => `Margin of “${className}”`},
};
/** Where the probes are asked for a number. */
const NUMBER = {title: 'number', axis: () => 'Number'};

/** Whether the probes are asked for a number, and not for a class. @param {{label_names: string[]}} answer */
export const asksNumber = ({label_names: names}) => names.length === 0;

/** What the two lines show. @param {{label_names: string[]}} answer @param {string} measure  a name in `MEASURES` */
const measureOf = (answer, measure) => (asksNumber(answer) ? NUMBER : MEASURES[measure]);

/** What is drawn of the distances. @type {Record<'cosine'|'mahalanobis', {title: string, words: string}>} */
export const DISTANCES = {
  cosine: {title: 'Cosine distance', words: '0: same direction, 1: at right angles'},
  mahalanobis: {title: 'Mahalanobis distance', words: 'in standard deviations of train'},
};

/**
 * A text's value at every layer: the probability of the followed class, or its margin; or the number.
 *
 * @param {Trajectory} answer  the answer of `counterfactual_by_layer`
 * @param {string} measure  a name in `MEASURES`
 * @returns {{layer: number, before: number, after: number}[]}
 */
export function trajectoryValues({layers, class_index: of}, measure) {
  return layers.map((/** @type {any} */ row) => (measure === 'margin'
    ? {layer: row.layer, before: row.margin_before, after: row.margin_after}
    : {layer: row.layer, before: row.before[of], after: row.after[of]}));
}

/**
 * Both texts by layer, the room between them shaded; layers at which the probe answers otherwise have a bar.
 *
 * @param {Trajectory} answer  the answer of `counterfactual_by_layer`
 * @param {string} measure  a name in `MEASURES`
 * @param {{width: number, height: number, current?: ?number, hovered?: ?number}} view
 * @returns {SvgNode}
 */
export function trajectoryChart(answer, measure, view) {
  const values = trajectoryValues(answer, measure);
  const line = (/** @type {'before'|'after'} */ end, /** @type {'original'|'edit'} */ name) => ({
    name, mode: /** @type {'line'} */ ('line'), style: EDIT_STYLES[name], band: name === 'edit',
    points: values.map((row) => ({x: row.layer, score: row[end], low: Math.min(row.before, row.after), high: Math.max(row.before, row.after)})),
  });
  const even = asksNumber(answer) ? null : measure === 'margin' ? 0 : answer.label_names.length === 2 ? 0.5 : null;
  const drawn = values.flatMap(({before, after}) => [before, after]).concat(even === null ? [] : [even]);
  return lineChart({
    ...view,
    axis: layerAxis(answer.n_layers, {bestLayer: answer.best_layer, current: view.current ?? null, names: placeNames(answer), sites: answer.sites}),
    yTitle: measureOf(answer, measure).axis(answer.class_name),
    domain: asksNumber(answer) ? spanned(drawn, 0) : measure === 'margin' ? spanned(drawn) : valueDomain(drawn),
    series: [line('after', 'edit'), line('before', 'original')],
    references: even === null ? [] : [{name: 'even', label: '', value: even, color: COLORS.quietText, dash: '4 3'}],
    marked: {layers: answer.flip_layers, label: 'answers otherwise'},
    chosen: answer.first_flip === null ? null : {at: answer.first_flip, label: 'first flip'},
  });
}

/**
 * How far apart the texts are in each layer, and, dashed, how far two train texts usually are.
 *
 * @param {Trajectory} answer  the answer of `counterfactual_by_layer`
 * @param {'cosine'|'mahalanobis'} distance
 * @param {{width: number, height: number, current?: ?number, hovered?: ?number}} view
 * @returns {SvgNode}
 */
export function distanceChart({layers, n_layers: nLayers, best_layer: bestLayer, sites}, distance, view) {
  const most = Math.max(...layers.flatMap((/** @type {any} */ row) => [row[distance], row[`typical_${distance}`]]));
  return lineChart({
    ...view, margin: SMALL_MARGIN, yTitle: '', domain: [0, most > 0 ? 1.08 * most : 1],
    axis: layerAxis(nLayers, {bestLayer, current: view.current ?? null, sites, small: true}),
    series: [
      {name: distance, mode: 'line', points: layerPoints(layers, distance), style: EDIT_STYLES.edit},
      {name: 'typical', mode: 'line', points: layerPoints(layers, `typical_${distance}`), style: TYPICAL_STYLE},
    ],
  });
}

/**
 * Over many pairs, by layer: how often the probes follow the edit and how often they change their answer, and, in a second chart, how far
 * the probability of the edit's label rises.
 *
 * @param {{layers: any[]}} summary  the numbers over all pairs, or over those of one kind
 * @param {{n_layers: number, best_layer: number, layer_names?: ?string[], sites?: ?Site[]}} about
 * @param {{width: number, height: number, current?: ?number, hovered?: ?number}} view
 * @returns {SvgNode[]}
 */
export function pairsCharts({layers}, {n_layers: nLayers, best_layer: bestLayer, layer_names: names = null, sites = null}, view) {
  const series = (/** @type {'consistency'|'flip_rate'|'median_change'} */ name) => /** @type {ChartSeries} */ ({
    name, mode: 'line', points: layerPoints(layers, name, {low: `${name}_low`, high: `${name}_high`}), style: PAIRS_STYLES[name]});
  const shared = {...view, axis: layerAxis(nLayers, {bestLayer, current: view.current ?? null, names: placeNames({layer_names: names, sites}), sites}), chosen: {at: bestLayer, label: 'chosen on dev'}};
  const changes = layers.flatMap((row) => [row.median_change, row.median_change_low, row.median_change_high, 0]);
  return [
    lineChart({...shared, yTitle: 'Share of pairs', domain: [0, 1], series: [series('consistency'), series('flip_rate')]}),
    lineChart({...shared, yTitle: 'Median change', domain: valueDomain(changes), series: [series('median_change')],
      references: [{name: 'zero', label: '', value: 0, color: COLORS.quietText, dash: '4 3'}]}),
  ];
}

/** The range of values that are no shares, with some air. @param {number[]} values @param {number} [leastAir]  numbers have a unit of their own: none @returns {[number, number]} */
function spanned(values, leastAir = 0.05) {
  const [least, most] = [Math.min(...values), Math.max(...values)];
  const air = Math.max(0.08 * (most - least), leastAir) || 0.5;
  return [least - air, most + air];
}

/**
 * One edit's way through the layers as a table.
 *
 * @param {string} model  LIT's name
 * @param {string} dataset
 * @param {{original: string, edit: string}} texts
 * @param {Trajectory} answer  the answer of `counterfactual_by_layer`
 * @returns {string}
 */
export function trajectoryCsv(model, dataset, {original, edit}, answer) {
  if (asksNumber(answer)) {
    const own = ['model', 'dataset', 'original', 'edit', 'layer', 'number_original', 'number_edit', 'number_change',
      'cosine_distance', 'typical_cosine_distance', 'mahalanobis_distance', 'typical_mahalanobis_distance'];
    return csvTable(own, answer.layers.map((/** @type {any} */ row) => [
      model, dataset, original, edit, row.layer, row.before[0], row.after[0], row.margin_change, row.cosine, row.typical_cosine, row.mahalanobis, row.typical_mahalanobis]));
  }
  const names = /** @type {string[]} */ (answer.label_names);
  const columns = ['model', 'dataset', 'original', 'edit', 'layer', 'flipped', 'margin_class', 'margin_original', 'margin_edit', 'margin_change',
    'cosine_distance', 'typical_cosine_distance', 'mahalanobis_distance', 'typical_mahalanobis_distance',
    ...names.map((name) => `original_probability_${name}`), ...names.map((name) => `edit_probability_${name}`)];
  return csvTable(columns, answer.layers.map((/** @type {any} */ row) => [
    model, dataset, original, edit, row.layer, row.flipped, answer.class_name, row.margin_before, row.margin_after, row.margin_change,
    row.cosine, row.typical_cosine, row.mahalanobis, row.typical_mahalanobis, ...row.before, ...row.after,
  ]));
}

/**
 * Many pairs by layer as a table: all of them, then each kind.
 *
 * @param {string} model  LIT's name
 * @param {string} dataset
 * @param {CounterfactualPairs} answer  the answer of `counterfactual_pairs`
 * @returns {string}
 */
export function pairsCsv(model, dataset, answer) {
  const measures = ['consistency', 'flip_rate', 'median_change'].flatMap((name) => [name, `${name}_low`, `${name}_high`]);
  const summaries = [{value: 'all', ...answer}, ...answer.kinds];
  return csvTable(['model', 'dataset', 'pairs', 'by', 'kind', 'n', 'n_judged', 'n_units', 'reliable', 'layer', ...measures], summaries.flatMap(({value, n, n_judged: nJudged, n_units: nUnits, reliable, layers}) =>
    layers.map((/** @type {any} */ row) => [
      model, dataset, answer.source === 'sent' ? 'edited on the page' : answer.column, answer.by, value, n, nJudged, nUnits, reliable, row.layer, ...measures.map((name) => row[name])])));
}
