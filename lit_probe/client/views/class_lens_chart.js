// @ts-check
/** A classifier's own head on every layer beside the probes of its classes, and what it says of single texts. */
/** @import {ChartSeries, Strip, SvgNode} from '../charts/types.js' */
/** @import {LensClasses, LensCurve, LensScore} from '../page/types.js' */
import {layerAxis, valueDomain} from '../charts/axes.js';
import {lineChart} from '../charts/line_chart.js';
import {COLORS, PAIR_STYLES} from '../charts/palette.js';
import {csvTable} from '../words/files.js';
import {formatScore} from '../words/format.js';
import {intervalText} from '../words/sentences.js';

/** The two lines. */
export const CLASS_LENS_STYLES = {head: PAIR_STYLES.second, probes: PAIR_STYLES.first};
/** So many classes of a text have a strip: those that are most probable at the last layer. */
const MOST_STRIPS = 4;

/** @param {LensScore[]} scores @returns {ChartSeries['points']} */
const pointsOf = (scores) => scores.map(({value, low, high}, x) => ({x, score: value, low, high}));

/**
 * The scores of head and probes by layer.
 *
 * @param {LensCurve} curve
 * @param {{width: number, height: number, current?: ?number, hovered?: ?number}} view
 * @returns {SvgNode}  an `svg` that needs no style sheet
 */
export function classLensChart({head, probes, best_layer: bestLayer, metric_title: yTitle, majority}, {width, height, current = null, hovered = null}) {
  const drawn = [...head, ...probes].flatMap(({value, low, high}) => [value, low, high]);
  return lineChart({
    width, height, yTitle, current, hovered,
    axis: layerAxis(head.length, {bestLayer, current}),
    domain: valueDomain([...drawn, majority]),
    series: [
      {name: 'head', mode: /** @type {'line'} */ ('line'), points: pointsOf(head), style: CLASS_LENS_STYLES.head},
      ...(probes.length ? [{name: 'probes', mode: /** @type {'line'} */ ('line'), points: pointsOf(probes), style: CLASS_LENS_STYLES.probes}] : []),
    ],
    references: majority === null ? [] : [{name: 'majority', label: '', value: majority, color: COLORS.quietText, dash: '4 3'}],
    chosen: bestLayer === null ? null : {at: bestLayer, label: 'chosen on dev'},
  });
}

/**
 * What is known of one layer, in words.
 *
 * @param {LensCurve} curve
 * @param {number} layer
 * @returns {string[]}
 */
export function classLensSentences({head, probes, settled}, layer) {
  const said = (/** @type {LensScore} */ {value, low, high}) => intervalText({layer, score: value, low, high});
  return [
    `head ${said(head[layer])}`,
    ...(probes.length ? [`probe ${said(probes[layer])}`] : []),
    `${Math.round(100 * settled[layer])} % of the rows in the head’s final class`,
  ];
}

/**
 * The strips of one text: what the head makes of each layer, class by class.
 *
 * @param {LensClasses} answer
 * @param {number} which  the text
 * @returns {Strip[]}
 */
export function classStrips({label_names: names, examples}, which) {
  const {probabilities} = examples[which];
  const last = probabilities[probabilities.length - 1];
  const order = names.map((_, i) => i).sort((a, b) => last[b] - last[a] || a - b).slice(0, MOST_STRIPS);
  return order.map((index) => ({
    title: names[index], bold: index === order[0], chosen: null,
    cells: probabilities.map((one, layer) => ({layer, share: one[index], words: one[index].toFixed(2)})),
  }));
}

/** How many classes have no strip, in words; empty where all have one. @param {LensClasses} answer */
export function leftOutClasses({label_names: {length}}) {
  return length > MOST_STRIPS ? `Of ${length} classes the ${MOST_STRIPS} that are most probable at the last layer.` : '';
}

/**
 * The numbers as a table: a row for each layer.
 *
 * @param {string} model  LIT's name
 * @param {LensCurve} curve
 * @returns {string}
 */
export function classLensCsv(model, {metric, n, head, probes, settled}) {
  const columns = ['model', 'metric', 'n', 'layer', 'head', 'head_low', 'head_high', 'probe', 'probe_low', 'probe_high', 'settled'];
  return csvTable(columns, head.map((one, layer) => [model, metric, n, layer, one.value, one.low, one.high,
    probes[layer]?.value ?? null, probes[layer]?.low ?? null, probes[layer]?.high ?? null, settled[layer]]));
}

/** The head's class of a text at a layer, in words: "positive 0.871". @param {LensClasses} answer @param {number} which @param {number} layer */
export function saidAt({label_names: names, examples}, which, layer) {
  const row = examples[which].probabilities[layer];
  const best = row.indexOf(Math.max(...row));
  return `${names[best]} ${formatScore(row[best])}`;
}
