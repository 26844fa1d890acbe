// @ts-check
/** The curve as files: a figure that stands alone, and a table. */
/** @import {DrawnSeries, Overlays, Peer, SvgNode} from '../charts/types.js' */
/** @import {LayerMetrics} from '../page/types.js' */
import {FIGURE, figurePage} from '../charts/figure_page.js';
import {COLORS, SPLIT_STYLES} from '../charts/palette.js';
import {HEADS, kindsOf, placeNames} from '../charts/places.js';
import {csvTable} from '../words/files.js';
import {curveChart, drawnLayers, NO_OVERLAYS, scoreDomain, seriesLegend, splitSeries, stylesOf} from './curve_chart.js';
import {depthsOfAll, drawnKind, drawnPlaces, gridOf, gridSeries, kindStyle} from './depth_chart.js';
import {overlayValues} from './overlays.js';

const MAJORITY_FOOTNOTES = [
  'Dashed horizontal line: baseline that ignores the text (the most frequent class;',
  'for AUROC and log-loss the class frequencies of train).',
];
const MEAN_FOOTNOTES = ['Dashed horizontal line: baseline that ignores the text (the mean of train).'];

/**
 * The curve as a figure that stands alone.
 *
 * @param {LayerMetrics} answer
 * @param {DrawnSeries[]} drawn
 * @param {string} examples  which examples were scored, in words
 * @param {string} dataset
 * @param {Overlays} [overlays]
 * @param {Peer[]} [peers]  curves of other encoders
 * @param {number} [place]  the current place, whose kind the overlays belong to
 * @returns {SvgNode}
 */
export function paperFigure(answer, drawn, examples, dataset, overlays = NO_OVERLAYS, peers = [], place = answer.best_layer) {
  const curves = [{name: answer.encoder, answer, drawn}, ...peers];
  const {probe, pooling} = answer;
  // Runs of one encoder may differ in them.
  const alike = curves.every((curve) => curve.answer.probe === probe && curve.answer.pooling === pooling);
  const depths = depthsOfAll(curves.map((curve) => curve.answer));
  const domain = scoreDomain(drawn, answer.best_layer, {majority: overlays.majority, others: overlayValues(overlays), peers, isDrawn: drawnPlaces(depths, place)});
  const series = gridSeries(drawn);
  const grid = depths?.[0].heads.length && series ? [gridOf(answer, depths[0], series, {width: FIGURE.width})] : [];
  const hasLines = !depths || depths[0].lines.length > 0;
  return figurePage({
    title: `${answer.metric_title} of ${alike ? `${probe} ` : ''}probes by ${depths ? 'place' : 'layer'}: ${curves.map(({name}) => name).join(', ')} on ${dataset}`,
    setting: `${alike ? `${pooling} pooling · ` : ''}probes trained on ${answer.trained_on} · ${examples}`,
    charts: [...(hasLines ? [curveChart(answer, {...FIGURE, drawn, domain, currentLayer: null, hoveredLayer: null, overlays, peers, place})] : []), ...grid],
    legend: [
      ...curves.flatMap((curve, i) => curve.drawn.filter(({mode}) => mode !== 'hidden').map((one) => ({
        style: depths && one.mode === 'line' && peers.length === 0 ? {color: COLORS.text, marker: null, dash: SPLIT_STYLES[one.series.split].dash}
          : splitSeries(one, curve.answer.best_layer, stylesOf(i, curves.length)).style,
        line: one.mode === 'line',
        label: (peers.length ? `${curve.name}: ` : '') + seriesLegend(one, curve.answer.best_layer, undefined, placeNames(curve.answer)) + (one.series.reliable ? '' : ` (${one.series.reason})`),
      }))),
      ...(depths && series && peers.length === 0 ? kindsOf(depths[0]).filter((kind) => kind !== HEADS).map((kind) => ({style: kindStyle(depths[0], kind, series), line: true, label: kind})) : []),
    ],
    footnotes: [
      ...(alike ? [] : curves.map((curve) => `${curve.name}: ${curve.answer.probe} probes, ${curve.answer.pooling} pooling.`)),
      'Shaded bands and bars: 95 % intervals.',
      ...(answer.decision && answer.decision_of_study !== 'argmax' ? [answer.decided_by] : []),
      ...overlays.lines.flatMap(({label, nDraws}) => (nDraws ? [`${label}: mean of ${nDraws} random draws, band: their range.`] : [])),
      ...overlays.lines.flatMap(({footnote}) => footnote ?? []),
      ...(overlays.majority ? (answer.label_names.length ? MAJORITY_FOOTNOTES : MEAN_FOOTNOTES) : []),
      ...(depths && peers.length ? [`Lines: the places of the kind ${drawnKind(depths[0], place)}.`] : []),
      ...(depths && overlays.lines.length + overlays.alike.length ? [`What the lines are compared with is about the places of the kind ${drawnKind(depths[0], place)}.`] : []),
      ...(grid.length ? ['Grid: a row for each block, the first one at the top; a column for each head. Dashed outline: chosen on dev.'] : []),
      ...(overlays.alike.length ? ['Bar above the axis: layers that cannot be told apart from the chosen one on dev.'] : []),
    ],
  });
}

const COLUMNS = [
  'model', 'data_set', 'examples', 'trained_on', 'probe', 'pooling', 'metric', 'split', 'layer', 'score', 'low', 'high', 'n',
  'majority', 'reliable', 'dev_chosen', 'decision',
];

const PLACE_COLUMNS = ['name', 'family', 'depth'];

/**
 * The drawn scores as a CSV table, one row per split and layer; where places are told, with their name, family and depth.
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
  const told = [answer, ...peers.map((peer) => peer.answer)].some((one) => placeNames(one) !== null);
  /** @param {LayerMetrics} one @param {?number} layer */
  function ofPlace({sites, ...one}, layer) {
    if (!told) return [];
    const site = layer !== null && placeNames({sites, ...one}) ? sites?.[layer] : null;
    return [site?.name ?? null, site?.family ?? null, site?.depth ?? null];
  }
  const rows = [{model: about.model, answer, drawn}, ...peers].flatMap((curve) => curve.drawn.flatMap(({series, mode}) =>
    drawnLayers(series, mode, curve.answer.best_layer).map(({layer, score, low, high}) => [
      curve.model, about.dataset, about.examples, curve.answer.trained_on, curve.answer.probe, curve.answer.pooling, curve.answer.metric,
      series.split, layer, score, low, high, series.n, series.majority, series.reliable, layer === curve.answer.best_layer,
      curve.answer.decision?.rule ?? null, ...ofPlace(curve.answer, layer),
      ...pValues(about.test, series.split, layer),
    ]),
  ));
  const beside = (/** @type {string} */ name, /** @type {?number} */ layer, /** @type {?number} */ score, /** @type {?number} */ low, /** @type {?number} */ high) => [
    about.model, about.dataset, about.examples, answer.trained_on, name, answer.pooling, answer.metric,
    'dev', layer, score, low, high, null, null, null, null, answer.decision?.rule ?? null, ...ofPlace(answer, layer),
  ];
  return csvTable([...COLUMNS, ...(told ? PLACE_COLUMNS : []), ...(about.test ? ['p', 'p_corrected'] : [])], [
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
