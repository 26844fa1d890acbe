// @ts-check
/** The curve of a metric over layers: which splits are drawn, over which range, and the drawing. */
/** @import {ChartSeries, DrawnSeries, LineStyle, Overlays, Peer, SvgNode} from '../charts/types.js' */
/** @import {Examples} from '../words/sentences.js' */
/** @import {LayerMetrics, LayerScore, Series} from '../page/types.js' */
import {layerAxis, valueDomain} from '../charts/axes.js';
import {lineChart, marginFor} from '../charts/line_chart.js';
import {COLORS, ENCODER_COLORS, encoderStyle, SPLIT_STYLES} from '../charts/palette.js';
import {formatCount} from '../words/format.js';
import {intervalText, placeTitle, splitWords} from '../words/sentences.js';
import {depthChart, depthsOfAll} from './depth_chart.js';
import {majorityLabel, majorityLines} from './majority.js';

/** @type {Overlays} */
export const NO_OVERLAYS = {majority: true, references: [], lines: [], alike: []};

const ALIKE_LABEL = 'not distinguishable from the chosen one';

/**
 * The room around a curve with these overlays: their names stand at its right.
 *
 * @param {Overlays} overlays
 */
export function curveMargin({references, lines}) {
  return marginFor([...references.map(({label}) => label), ...lines.map(({label}) => label ?? '')]);
}

/**
 * How a split is drawn: in its own colour, or in that of its encoder where there are several.
 *
 * @param {number} index  the place of the encoder
 * @param {number} count  how many encoders there are
 * @returns {(split: string) => LineStyle}
 */
export const stylesOf = (index, count) => (split) => (count > 1 ? encoderStyle(index, split) : SPLIT_STYLES[split]);

/**
 * The curve of a metric over layers; of places of several kinds, their lines over depth.
 *
 * @param {LayerMetrics} answer
 * @param {object} view
 * @param {number} view.width
 * @param {number} view.height
 * @param {DrawnSeries[]} view.drawn
 * @param {[number, number]} view.domain  the range of the score axis; see `scoreDomain`
 * @param {?number} view.currentLayer  the layer whose column is tinted; null for none
 * @param {?number} view.hoveredLayer  the layer (over depth: the depth) under the pointer; null for none
 * @param {Overlays} [view.overlays]  the lines that the curve is compared with
 * @param {Peer[]} [view.peers]  curves of other encoders
 * @param {number} [view.place]  of places of several kinds the one whose kind several encoders are compared in
 * @returns {SvgNode}  an `svg` that needs no style sheet
 */
export function curveChart(answer, {width, height, drawn, domain, currentLayer, hoveredLayer, overlays = NO_OVERLAYS, peers = [], place = currentLayer ?? answer.best_layer}) {
  const depths = depthsOfAll([answer, ...peers.map((peer) => peer.answer)]);
  if (depths) return depthChart(answer, depths, {width, height, drawn, domain, currentLayer, hoveredLayer, overlays, peers, place});
  const lines = drawn.filter(({mode}) => mode === 'line');
  const side = answer.best_layer < answer.n_layers / 2 ? 'end' : 'start';
  return lineChart({
    width, height, domain,
    axis: layerAxis(layersOf(answer, peers), {bestLayer: answer.best_layer, current: currentLayer, names: peers.length ? null : answer.layer_names, sites: peers.length ? null : answer.sites}),
    yTitle: answer.metric_title,
    series: [...[{answer, drawn}, ...peers].flatMap((one, i) => seriesOf(one, stylesOf(i, peers.length + 1))), ...overlays.lines],
    references: overlays.references,
    marked: overlays.alike.length ? {layers: overlays.alike, label: ALIKE_LABEL} : null,
    chosen: [answer, ...peers.map((peer) => peer.answer)].map(({best_layer: at, chosen_on: split}, i) =>
      ({at, label: i === 0 ? `chosen on ${split}` : '', color: peers.length ? ENCODER_COLORS[i % ENCODER_COLORS.length] : undefined})),
    current: currentLayer,
    hovered: hoveredLayer,
    margin: curveMargin(overlays),
    beneath: (plot) => (overlays.majority ? majorityLines(plot, lines) : []),
    above: (plot) => (overlays.majority ? majorityLabel(plot, lines, side) : []),
  });
}

/** How many layers the deepest encoder on a chart has. @param {LayerMetrics} answer @param {Peer[]} peers */
export function layersOf(answer, peers) {
  return Math.max(answer.n_layers, ...peers.map((peer) => peer.answer.n_layers));
}

/**
 * The drawn series of one encoder.
 *
 * @param {{answer: LayerMetrics, drawn: DrawnSeries[]}} curve @param {(split: string) => LineStyle} styleOf
 * @returns {ChartSeries[]}
 */
function seriesOf({answer, drawn}, styleOf) {
  return drawn.filter(({mode}) => mode !== 'hidden').map((one) => splitSeries(one, answer.best_layer, styleOf));
}

/**
 * The scores of one split as a series of the chart.
 *
 * @param {DrawnSeries} drawn  a series that is not hidden
 * @param {number} bestLayer
 * @param {(split: string) => LineStyle} [styleOf]
 * @returns {ChartSeries}
 */
export function splitSeries({series, mode}, bestLayer, styleOf = stylesOf(0, 1)) {
  const points = drawnLayers(series, mode, bestLayer).map(({layer, score, low, high}) => ({x: layer, score, low, high}));
  const style = styleOf(series.split);
  return {name: series.split, mode: mode === 'point' ? 'point' : 'line', points, style: series.reliable ? style : {...style, color: COLORS.unreliable}};
}

/**
 * Decides how each split is drawn.
 *
 * Dev is a line. Test is one point at the dev-chosen layer: looking at the whole test curve invites choosing a layer on it.
 * It becomes a line when the user asks, or when the rows hold no dev example. Train, which the probe has seen, is drawn when
 * asked for, or when there is nothing else.
 *
 * @param {Series[]} series
 * @param {{dev: boolean, testEverywhere: boolean, train: boolean}} wishes
 * @returns {DrawnSeries[]}  dev first, then test, then train
 */
export function drawnSeries(series, wishes) {
  const present = new Set(series.map(({split}) => split));
  const order = ['dev', 'test', 'train'];
  const sorted = [...series].sort((a, b) => order.indexOf(a.split) - order.indexOf(b.split));
  return sorted.map((one) => {
    if (one.split === 'dev') return {series: one, mode: wishes.dev ? 'line' : 'hidden'};
    if (one.split === 'test') return {series: one, mode: wishes.testEverywhere || !present.has('dev') ? 'line' : 'point'};
    return {series: one, mode: wishes.train || present.size === 1 ? 'line' : 'hidden'};
  });
}

/**
 * The layers of a series that are drawn: all of a line, the dev-chosen one of a point, none of a hidden series.
 *
 * @param {Series} series
 * @param {'line'|'point'|'hidden'} mode
 * @param {number} bestLayer
 * @returns {LayerScore[]}
 */
export function drawnLayers(series, mode, bestLayer) {
  if (mode === 'hidden') return [];
  return mode === 'line' ? series.layers : series.layers.filter(({layer}) => layer === bestLayer);
}

/**
 * A series' line in the legend: "dev, n = 872", or "test, n = 872, layer 4 only: 0.806 [0.778, 0.831]" for a lone point.
 *
 * @param {DrawnSeries} drawn
 * @param {number} bestLayer
 * @param {Examples} [examples]  the examples that were scored; the whole data set if nothing is said
 * @param {?string[]} [names]  what places that are not all of an encoder's layers are called
 * @returns {string}
 */
export function seriesLegend({series, mode}, bestLayer, examples = {nShown: 0, nSelected: 0, slice: null}, names = null) {
  const text = `${splitWords(series.split, examples)}, n = ${formatCount(series.n)}`;
  return mode === 'point' ? `${text}, ${placeTitle(bestLayer, names)} only: ${intervalText(series.layers[bestLayer])}` : text;
}

/**
 * The range of the score axis: every score drawn, with its interval, and what else is drawn beside them.
 *
 * @param {DrawnSeries[]} drawn
 * @param {number} bestLayer
 * @param {{majority?: boolean, others?: (?number)[], peers?: Peer[], isDrawn?: (curve: number, layer: number) => boolean}} [beside]  whether
 *     majority lines are drawn; values of overlays; curves of other encoders; which places of which encoder are on the chart
 * @returns {[number, number]}  low < high
 */
export function scoreDomain(drawn, bestLayer, {majority = true, others = [], peers = [], isDrawn = () => true} = {}) {
  const curves = [{drawn, bestLayer}, ...peers.map((peer) => ({drawn: peer.drawn, bestLayer: peer.answer.best_layer}))];
  return valueDomain([
    ...curves.flatMap((curve, i) => curve.drawn.flatMap(({series, mode}) => [
      ...drawnLayers(series, mode, curve.bestLayer).filter(({layer}) => isDrawn(i, layer)).flatMap(({score, low, high}) => [score, low, high]),
      majority && mode === 'line' ? series.majority : null,
    ])),
    ...others,
  ]);
}
