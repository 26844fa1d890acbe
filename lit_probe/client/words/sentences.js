// @ts-check
/** Sentences that several panels say about layers, scores and examples. */
/** @import {DrawnSeries} from '../charts/types.js' */
/** @import {Decision, ExamplePrediction, LayerMetrics, LayerScore, TransferPair} from '../page/types.js' */
import {amongNumbers, countOf, formatCount, formatScore, significant} from './format.js';

/**
 * @typedef {object} Examples  Which examples a curve is about.
 * @property {number} nShown  how many of the data set's own rows LIT shows
 * @property {number} nSelected  how many examples are selected; the curve is about them where they are two or more
 * @property {?string} slice  the name of the slice that they are
 * @property {number} [nRows]  how many rows the data set has, once the server has said so
 * @property {'word'} [unit]  what a row is, where it is no text: examples then are sentences
 */

/** Whether a curve is about selected examples, and not about the whole data set. @param {Examples} examples */
export const isSelection = ({nSelected}) => nSelected > 1;

/**
 * Which examples the curve is about.
 *
 * @param {Examples} examples
 * @returns {string}
 */
export function selectionSentence(examples) {
  const {nShown, nSelected, slice, nRows = nShown, unit} = examples;
  if (unit === 'word' && !isSelection(examples)) return `Whole data set: ${countOf(nRows, 'word')}`;
  if (isSelection(examples)) return slice ? `Slice “${slice}”: ${countOf(nSelected, 'example')}` : `Selection: ${countOf(nSelected, 'example')}`;
  return `Whole data set: ${countOf(nRows, 'row')}${nShown < nRows ? `, of which LIT shows ${formatCount(nShown)}` : ''}`;
}

/**
 * What a split's score is called: test rows that somebody selected are not the test score.
 *
 * @param {string} split
 * @param {Examples} examples
 * @returns {string}
 */
export function splitWords(split, examples) {
  if (split !== 'test' || !isSelection(examples)) return split;
  return examples.slice ? `test rows of “${examples.slice}”` : 'test rows of the selection';
}

/**
 * The same for a file that stands alone: "whole data set (1,744 rows)".
 *
 * @param {Examples} examples
 * @returns {string}
 */
export function examplesWords(examples) {
  const {nSelected, slice, nRows, unit = 'row'} = examples;
  if (isSelection(examples)) return `${slice ? `slice “${slice}”` : 'selection'} (${countOf(nSelected, 'example')})`;
  return nRows === undefined ? 'whole data set' : `whole data set (${countOf(nRows, unit)})`;
}

/**
 * What is scored: "Scored: 166 dev rows (test: 164 rows, at layer 4 only)".
 *
 * @param {DrawnSeries[]} drawn
 * @param {number} bestLayer
 * @param {?string[]} [names]  what places that are not all of an encoder's layers are called
 * @param {string} [unit]  what a row is called
 * @returns {string}
 */
export function scoredSentence(drawn, bestLayer, names = null, unit = 'row') {
  const lines = drawn.filter(({series, mode}) => mode !== 'point' && (mode !== 'hidden' || series.split !== 'train'))
    .map(({series}) => `${countOf(series.n, `${series.split} ${unit}`)}${series.split === 'train' ? ', which show fit' : ''}`);
  const points = drawn.filter(({mode}) => mode === 'point').map(({series}) => ` (${series.split}: ${countOf(series.n, unit)}, at ${placeTitle(bestLayer, names)} only)`);
  return lines.length + points.length ? `Scored: ${lines.join(', ')}${points.join('')}` : '';
}

/**
 * Which examples are not in the scores, and why.
 *
 * @param {LayerMetrics['left_out']} leftOut
 * @param {boolean} own  whether they are rows of the data set that the probes were trained on
 * @returns {string[]}
 */
export function leftOutSentences(leftOut, own) {
  const kinds = /** @type {[number, string, string][]} */ ([
    [leftOut.train, 'train row', own ? `: the probes were trained on ${leftOut.train === 1 ? 'it' : 'them'}` : ''],
    [leftOut.seen_in_training, 'row', `: the probes know ${leftOut.seen_in_training === 1 ? 'its text, a near copy or its group' : 'their texts, near copies or their groups'} from training`],
    [leftOut.edited, 'edited row', ''],
    [leftOut.unlabelled, 'row', ': no known label'],
    [leftOut.not_in_data, 'row', ': not in the probes’ data'],
  ]);
  return kinds.filter(([count]) => count > 0).map(([count, noun, why]) => `${countOf(count, noun)} left out${why}`);
}

/**
 * Which copies across splits were found after the curve was there.
 *
 * @param {{exact: number, near: number, notes: string[]}} copies
 * @returns {string[]}
 */
export function copiesSentences({exact, near, notes}) {
  const left = `Copies left across splits: ${formatCount(exact)} exact and ${formatCount(near)} near ones.`;
  return exact || near ? [left, ...notes] : [left];
}

/**
 * Why there is no curve.
 *
 * @param {LayerMetrics['left_out']} leftOut
 * @param {boolean} own  whether they are rows of the data set that the probes were trained on
 * @param {boolean} selected  whether somebody selected them
 * @returns {string}
 */
export function nothingScoredSentence(leftOut, own, selected) {
  const others = leftOut.edited + leftOut.unlabelled + leftOut.not_in_data + leftOut.seen_in_training;
  if (own && leftOut.train > 0 && others === 0) {
    const rows = selected ? 'selected rows' : 'rows';
    return `All ${formatCount(leftOut.train)} ${rows} were trained on, so nothing is scored by default.`;
  }
  return `None of these rows is scored${leftOut.train > 0 ? ' by default' : ''}: ${leftOutSentences(leftOut, own).join('; ')}.`;
}

/**
 * A layer's name in running text: "layer 0 (embeddings)", "layer 4", "layer 25 (head 3.1)".
 *
 * @param {number} layer
 * @param {?string[]} [names]  what layers that are not an encoder's own are called
 * @returns {string}
 */
export function layerName(layer, names = null) {
  const own = layerTitle(layer, names);
  return own ? `layer ${layer} (${own})` : `layer ${layer}`;
}

/** A layer where one word must do: "layer 4", or the name of a place. @param {number} layer @param {?string[]} [names]  what places that are not all of an encoder's layers are called */
export function placeTitle(layer, names = null) {
  return names ? names[layer] : `layer ${layer}`;
}

/** A layer in a list of layers: "0 (embeddings)", "4 (dev-chosen)". @param {number} layer @param {number} bestLayer @param {?string[]} [names] */
export function layerOption(layer, bestLayer, names = null) {
  return layerHeading(layer, bestLayer, names).replace('Layer ', '');
}

/** What a layer is called beside its number; empty where it has a number alone. @param {number} layer @param {?string[]} names */
function layerTitle(layer, names) {
  return names ? names[layer] : layer === 0 ? 'embeddings' : '';
}

/**
 * A score with its interval: "0.812 [0.785, 0.836]".
 *
 * @param {LayerScore} score
 * @returns {string}
 */
export function intervalText({score, low, high}) {
  if (score === null) return 'not defined';
  return low === null || high === null ? formatScore(score) : `${formatScore(score)} [${formatScore(low)}, ${formatScore(high)}]`;
}

/**
 * What is known about one layer: "layer 4: 0.812 [0.785, 0.836], n = 872".
 *
 * @param {LayerScore} score
 * @param {number} n
 * @param {?string[]} [names]  what places that are not all of an encoder's layers are called
 * @returns {string}
 */
export function layerSentence(score, n, names = null) {
  return `${placeTitle(score.layer, names)}: ${intervalText(score)}, n = ${formatCount(n)}`;
}

/**
 * A pair of data sets at one layer: "films → books 0.650 [0.520, 0.770] (with the 10 left out: 0.800)".
 *
 * @param {TransferPair} pair
 * @param {number} layer
 * @returns {string}
 */
export function transferSentence({train, test, leftOut, cells}, layer) {
  const {withLeftOut} = cells[layer];
  const whole = leftOut > 0 && withLeftOut !== null ? ` (with the ${formatCount(leftOut)} left out: ${formatScore(withLeftOut)})` : '';
  return `${train} → ${test} ${intervalText(cells[layer])}${whole}`;
}

/**
 * The probe's verdict on one text: "Layer 4 (dev-chosen): positive (0.87); gold label positive".
 *
 * @param {ExamplePrediction} example
 * @param {string[]} labelNames  none: the probe is asked for a number
 * @param {number} layer
 * @param {number} bestLayer
 * @param {Decision} [decision]  by which the probe's class is decided; the most probable one by default
 * @param {?string[]} [names]  what layers that are not an encoder's own are called
 * @returns {string}
 */
export function exampleSentence(example, labelNames, layer, bestLayer, {shares} = MOST_PROBABLE, names = null) {
  const gold = (/** @type {?(string|number)} */ label) => (label === null ? 'no gold label' : `gold label ${label}`);
  if (labelNames.length === 0) {
    const [number] = example.probabilities[layer];
    const label = typeof example.label === 'number' ? example.label : null;
    return `${layerHeading(layer, bestLayer, names)}: ${amongNumbers(number, label === null ? [] : [label])}; ${gold(label === null ? null : amongNumbers(label, [number]))}${missWords(number, label)}`;
  }
  return `${layerHeading(layer, bestLayer, names)}: ${decidedClass(labelNames, example.probabilities[layer], shares)}; ${gold(example.label)}`;
}

/** How far a number is from the label: " (0.22 too high)". @param {number} number @param {?number} label */
function missWords(number, label) {
  if (label === null || number === label) return '';
  return ` (${significant(Math.abs(number - label))} too ${number > label ? 'high' : 'low'})`;
}

/**
 * A layer's name at the beginning of a line: "Layer 0 (embeddings, dev-chosen)".
 *
 * @param {number} layer
 * @param {number} bestLayer
 * @param {?string[]} [names]  what layers that are not an encoder's own are called
 * @returns {string}
 */
export function layerHeading(layer, bestLayer, names = null) {
  const traits = [layerTitle(layer, names), layer === bestLayer ? 'dev-chosen' : ''].filter(Boolean);
  return `Layer ${layer}${traits.length ? ` (${traits.join(', ')})` : ''}`;
}

/**
 * What the checkpoint's own classifier says: "The model’s own prediction: positive (0.93)".
 *
 * @param {NonNullable<ExamplePrediction['model']>} model
 * @returns {string}
 */
export function modelSentence(model) {
  return `The model’s own prediction: ${decidedClass(model.label_names, model.probabilities)}`;
}

/**
 * Layers whose fit stopped early: "The probes of layers 2 and 5 did not converge".
 *
 * @param {number[]} layers
 * @param {?string[]} [names]  what places that are not all of an encoder's layers are called
 * @returns {string}  empty when all converged
 */
export function convergenceSentence(layers, names = null) {
  if (layers.length === 0) return '';
  if (names) return `The probe${layers.length === 1 ? '' : 's'} of ${placeList(layers, names)} did not converge`;
  if (layers.length === 1) return `The probe of layer ${layers[0]} did not converge`;
  return `The probes of layers ${layerList(layers)} did not converge`;
}

const MOST_PLACES = 10;

/**
 * Places in running text, so many by name: "attention 3, head 4.7 and 12 other places".
 *
 * @param {number[]} places
 * @param {string[]} names
 * @returns {string}
 */
export function placeList(places, names) {
  const named = places.slice(0, places.length > MOST_PLACES + 1 ? MOST_PLACES : places.length).map((place) => names[place]);
  if (named.length < places.length) return `${named.join(', ')} and ${places.length - named.length} other places`;
  return named.length < 2 ? named.join('') : `${named.slice(0, -1).join(', ')} and ${named[named.length - 1]}`;
}

/**
 * Numbers in running text: "1, 2 and 5".
 *
 * @param {number[]} layers
 * @returns {string}
 */
export function layerList(layers) {
  return layers.length < 2 ? layers.join('') : `${layers.slice(0, -1).join(', ')} and ${layers[layers.length - 1]}`;
}

const EQUAL = 1e-9;
/** @type {Decision} */
const MOST_PROBABLE = {rule: 'argmax', shares: []};

/**
 * The place of the class that probabilities stand for: the most probable one, or the one that gains most over its share of train.
 *
 * @param {number[]} probabilities
 * @param {number[]} [shares]  those of train; none: the most probable class
 * @returns {number}
 */
export function decidedIndex(probabilities, shares = []) {
  const gains = shares.length ? probabilities.map((one, i) => one / shares[i]) : probabilities;
  // Of a probe that has learnt nothing all are 1 but for rounding: then the most probable class, as on the server.
  const least = Math.max(...gains) * (1 - EQUAL);
  const among = probabilities.map((one, i) => (gains[i] >= least ? one : -1));
  return among.indexOf(Math.max(...among));
}

/**
 * The decided class with its probability: "positive (0.87)"; why, where another class is more probable.
 *
 * @param {string[]} names
 * @param {number[]} probabilities
 * @param {number[]} [shares]
 * @returns {string}
 */
export function decidedClass(names, probabilities, shares = []) {
  const index = decidedIndex(probabilities, shares);
  const probability = probabilities[index].toFixed(2);
  return probabilities[index] === Math.max(...probabilities) ? `${names[index]} (${probability})`
    : `${names[index]} (${probability}, more than its share of train, ${shares[index].toFixed(2)})`;
}

/**
 * What of the tokens the probes read: "mean pooling"; of words "last token of each word".
 *
 * @param {{pooling: string, unit?: 'word'}} about
 * @returns {string}
 */
export function readingOf({pooling, unit}) {
  if (unit !== 'word') return `${pooling} pooling`;
  return pooling === 'mean' ? 'mean of the tokens of each word' : `${pooling} token of each word`;
}
