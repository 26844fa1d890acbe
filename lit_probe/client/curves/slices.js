// @ts-check
/** Slices: examples in groups, and the small curve of one of them. */
/** @import {SvgNode} from '../charts/types.js' */
/** @import {IndexedInput, LayerMetrics, Series, SliceComparison} from '../page/types.js' */
import {layerAxis} from '../charts/axes.js';
import {lineChart} from '../charts/line_chart.js';
import {COLORS} from '../charts/palette.js';
import {countOf, formatCount} from '../words/format.js';
import {placeTitle} from '../words/sentences.js';
import {splitSeries} from './curve_chart.js';

const SIGNIFICANCE = 0.05;
const MOST_NAMED = 5;

/**
 * Examples by the values of a column, the largest group first.
 *
 * @param {IndexedInput[]} inputs
 * @param {string} column
 * @returns {{name: string, inputs: IndexedInput[]}[]}
 */
export function facetGroups(inputs, column) {
  /** @type {Map<string, IndexedInput[]>} */
  const groups = new Map();
  for (const input of inputs) {
    const value = input.data[column];
    const name = value === null || value === undefined || value === '' ? '(none)' : String(value);
    const members = groups.get(name);
    if (members) members.push(input);
    else groups.set(name, [input]);
  }
  return largestFirst([...groups].map(([name, members]) => ({name, inputs: members})));
}

/**
 * Examples by LIT's slices, the largest first; an example may be in several.
 *
 * @param {IndexedInput[]} inputs
 * @param {{name: string, ids: string[]}[]} slices
 * @returns {{name: string, inputs: IndexedInput[]}[]}
 */
export function sliceGroups(inputs, slices) {
  return largestFirst(slices.map(({name, ids}) => {
    const members = new Set(ids);
    return {name, inputs: inputs.filter(({id}) => members.has(id))};
  }).filter(({inputs: members}) => members.length > 0));
}

/**
 * Names of slices whose examples are all others; LIT's own slice of starred examples is empty at first, and is none of them.
 *
 * @param {IndexedInput[]} inputs
 * @param {{name: string, ids: string[]}[]} slices
 * @returns {string[]}
 */
export function emptySlices(inputs, slices) {
  const known = new Set(inputs.map(({id}) => id));
  return slices.filter(({ids}) => ids.length > 0 && !ids.some((id) => known.has(id))).map(({name}) => name);
}

/** By what is scored, the dev examples, then by all. Of two groups of one size "class 9" stands before "class 10". @template {{name: string, inputs: IndexedInput[]}} T @param {T[]} groups @returns {T[]} */
function largestFirst(groups) {
  const nDev = (/** @type {T} */ {inputs}) => inputs.filter(({data}) => data.probe_split === 'dev').length;
  return groups.sort((a, b) => nDev(b) - nDev(a) || b.inputs.length - a.inputs.length || a.name.localeCompare(b.name, 'en', {numeric: true}));
}

/** Of each model on each data set, the slices whose numbers have been shown since the page was loaded. @type {Map<string, Set<string>>} */
const seen = new Map();

/**
 * Remembers which slices were looked at.
 *
 * @param {string} of  the model and the data set
 * @param {string} facet  what the slices are made by
 * @param {string[]} names
 * @returns {number}  how many slices have been looked at, by whatever they are made
 */
export function lookedAt(of, facet, names) {
  const known = seen.get(of) ?? new Set();
  seen.set(of, known);
  for (const name of names) known.add(JSON.stringify([facet, name]));
  return known.size;
}

/**
 * The p-value of a slice: of this one alone, or corrected for how many are compared.
 *
 * @param {?SliceComparison} comparison
 * @param {number} index  the slice's place among those that were asked about
 * @param {boolean} corrected
 * @returns {?number}  null where there is none
 */
export function sliceP(comparison, index, corrected) {
  const row = comparison?.slices[index];
  return (corrected ? row?.p_corrected : row?.p) ?? null;
}

/**
 * How many slices there are, and which of them differ from all examples.
 *
 * @param {object} known
 * @param {string[]} known.names  the slices that were asked about, in that order
 * @param {number} known.nLooked  how many slices were looked at on this page
 * @param {?SliceComparison} known.comparison  null while it is not there
 * @param {boolean} known.corrected
 * @param {?string[]} [known.places]  what places that are not all of an encoder's layers are called
 * @returns {string}
 */
export function slicesSentence({names, nLooked, comparison, corrected, places = null}) {
  const others = nLooked > names.length ? ` (${formatCount(nLooked)} looked at since the page was loaded)` : '';
  const n = comparison?.n_compared ?? 0;
  const ofThem = n > 0 && n < names.length ? `, ${formatCount(n)} compared` : '';
  const shown = `${countOf(names.length, 'slice')} shown${others}${ofThem}.`;
  if (!comparison) return shown;
  const missing = notCompared(names, comparison);
  if (comparison.n_compared === 0) return [shown, 'None can be compared with all examples.', ...missing].join(' ');
  const apart = names.filter((_, i) => (sliceP(comparison, i, corrected) ?? 1) < SIGNIFICANCE);
  const who = apart.length === 0 ? (ofThem && n > 1 ? 'none of these differs' : ofThem ? 'it does not differ' : 'none differs') : `${someOf(apart)} ${apart.length === 1 ? 'differs' : 'differ'}`;
  const found = `${shown} At ${placeTitle(comparison.layer, places)} ${who} from all examples`;
  const ended = (/** @type {string} */ end) => [`${found}${end}.`, ...missing].join(' ');
  if (n === 1) return ended('');
  if (corrected) return ended(`, corrected for ${n} slices`);
  const chance = Math.round(100 * (1 - (1 - SIGNIFICANCE) ** n));
  return ended(`, not corrected: of ${n} slices that do not differ, at least one seems to in up to ${chance} % of cases`);
}

/**
 * Which slices are not compared, by the reason: ["Not compared: film, book (no dev example)."]; empty where all are.
 *
 * @param {string[]} names
 * @param {SliceComparison} comparison
 * @returns {string[]}
 */
function notCompared(names, {slices, split}) {
  /** @type {Map<string, string[]>} */
  const byReason = new Map();
  names.forEach((name, i) => {
    const {n = 0, reason = ''} = slices[i] ?? {};
    const why = n === 0 ? `no ${split} example` : reason;
    if (why) byReason.set(why, [...(byReason.get(why) ?? []), name]);
  });
  const parts = [...byReason].map(([why, who]) => `${someOf(who)} (${why})`);
  return parts.length ? [`Not compared: ${parts.join('; ')}.`] : [];
}

/** A few names, and how many more there are. @param {string[]} names */
function someOf(names) {
  return (names.length > MOST_NAMED ? [...names.slice(0, MOST_NAMED), `${names.length - MOST_NAMED} more`] : names).join(', ');
}

/**
 * What to pick where the metric is defined on no slice, as on rows of one class; empty where it is defined on one.
 *
 * @param {Series[]} drawn
 * @param {LayerMetrics} about
 * @returns {string}
 */
export function undefinedSentence(drawn, {metric_title: title}) {
  if (drawn.length === 0 || drawn.some(({layers}) => layers.some(({score}) => score !== null))) return '';
  return `${title} is not defined on any of these slices, each of which lacks a class. Pick another column here, or accuracy in “Probe by layer”: `
    + 'of the examples of one class it is the recall of that class.';
}

export const SMALL_MARGIN = {top: 8, right: 8, bottom: 22, left: 38};

/**
 * The series that a small multiple shows: dev, or test where there is no dev.
 *
 * @param {LayerMetrics} answer
 * @returns {?Series}
 */
export function heldOutSeries({series}) {
  return series.find(({split}) => split === 'dev') ?? series.find(({split}) => split === 'test') ?? null;
}

/**
 * One slice's curve, small, with the curve of all examples behind it.
 *
 * @param {Series} series
 * @param {?Series} whole  the series of all examples
 * @param {LayerMetrics} about
 * @param {{width: number, height: number, domain: [number, number], current: ?number, hovered?: ?number}} view
 * @returns {SvgNode}
 */
export function sliceChart(series, whole, about, view) {
  const behind = whole?.split === series.split ? [{
    ...splitSeries({series: whole, mode: 'line'}, about.best_layer), name: 'whole', band: false,
    style: {color: COLORS.axis, marker: null, dash: '3 3', width: 1.5},
  }] : [];
  return lineChart({
    ...view, yTitle: '', margin: SMALL_MARGIN,
    axis: layerAxis(about.n_layers, {bestLayer: about.best_layer, current: view.current, sites: about.sites, small: true}),
    series: [splitSeries({series, mode: 'line'}, about.best_layer), ...behind],
  });
}
