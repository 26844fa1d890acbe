// @ts-check
/** How far salience can be trusted: the measures of the checks, as they are drawn and saved. */
/** @import {Mean} from '../charts/bar_cell.js' */
/** @import {SvgNode} from '../charts/types.js' */
/** @import {Faithfulness, FaithfulnessMeans, Stability} from '../page/types.js' */
import {barCell} from '../charts/bar_cell.js';
import {COLORS} from '../charts/palette.js';
import {svgLabel, svgNode} from '../charts/svg.js';
import {csvTable} from '../words/files.js';
import {formatScore} from '../words/format.js';
import {intervalText} from '../words/sentences.js';

/**
 * @typedef {object} MeasureRow
 * @property {string} name
 * @property {string} title
 * @property {?Mean} bar  null for a method that failed
 * @property {?Mean} raw  the measure itself, where the bar shows it normalised
 * @property {boolean} quiet  whether it is drawn in grey: it is what methods are held against, or a method that this cannot be asked about
 * @property {string} reason  the reason why it failed
 *
 * @typedef {object} Measure  One measure of all methods.
 * @property {string} name
 * @property {string} title
 * @property {string} sentence  a sentence on what it says
 * @property {[number, number]} domain  the range of the bars
 * @property {[string, string]} ends  the words at the ends of the bars' axis
 * @property {number[]} references  the values that dashed lines mark
 * @property {?string} rawTitle  the name of the raw number; null where the bar shows it
 * @property {MeasureRow[]} rows
 */

/**
 * The measures of faithfulness, ready to be drawn.
 *
 * @param {Faithfulness} answer  the answer of the check `faithfulness`
 * @returns {Measure[]}
 */
export function faithfulnessMeasures(answer) {
  const {scalar, bins, limits, macro_f1: unmasked} = answer;
  const shares = `${bins[0]} to ${bins[bins.length - 1]} %`;
  const limit = (/** @type {string} */ name) => `worst possible on average ${formatScore(limits[name].worst)}, best ${formatScore(limits[name].best)}`;
  /** @type {(name: keyof FaithfulnessMeans, bar: keyof FaithfulnessMeans, more: Omit<Measure, 'name'|'rows'|'references'>, mark?: ?Mean) => Measure} */
  const measure = (name, bar, more, mark = answer.random[bar]) => ({
    name, ...more, references: mark === null || mark.mean === null ? [] : [mark.mean],
    rows: [...answer.methods.map((/** @type {any} */ method) => ({
      name: method.method, title: method.title, bar: method[bar], raw: bar === name ? null : method[name], quiet: false, reason: method.reason,
    })), {name: 'random', title: 'random order', bar: answer.random[bar], raw: bar === name ? null : answer.random[name], quiet: true, reason: ''}],
  });
  return [
    measure('comprehensiveness', 'comprehensiveness_normalised', {
      title: 'Comprehensiveness', domain: [0, 1], ends: ['worst possible', 'best possible'], rawTitle: 'fall',
      sentence: `How far the ${scalar} falls when the words ranked highest (${shares} of them) are erased. Far is good: ${limit('comprehensiveness')}.`,
    }),
    measure('sufficiency', 'sufficiency_normalised', {
      title: 'Sufficiency', domain: [0, 1], ends: ['worst possible', 'best possible'], rawTitle: 'fall',
      sentence: `How far the ${scalar} falls when only those words are kept. Little is good: ${limit('sufficiency')}.`,
    }),
    measure('tau_loo', 'tau_loo', {
      title: 'Agreement with leaving each word out (Kendall’s τ)', domain: [-1, 1], ends: ['−1', '1'], rawTitle: null,
      sentence: `Do the scores rank the words as the falls of the ${answer.map_scalar} do when one word at a time is left out? 1: in the same order; 0: no better than by chance.`,
    }),
    measure('macro_f1_masked', 'macro_f1_masked', {
      title: 'Macro-F1 when the top words are masked', domain: [0, 1], ends: ['0', '1'], rawTitle: null,
      sentence: unmasked.mean === null ? 'No gold label is known, so there is no macro-F1.'
        : `Against the gold labels; low is good. The dashed line, ${formatScore(unmasked.mean)}, is the score of the texts as they are; ${limit('macro_f1_masked')}.`,
    }, unmasked),
  ];
}

/**
 * The measures of stability, ready to be drawn.
 *
 * @param {Stability} answer  the answer of the check `stability`
 * @returns {Measure[]}
 */
export function stabilityMeasures(answer) {
  const {n_seeds: nSeeds, scalar, edits} = answer;
  const counted = edits.filter((/** @type {any} */ {n}) => n > 0).map((/** @type {any} */ {title}) => title).join('; ');
  const common = {domain: /** @type {[number, number]} */ ([-1, 1]), ends: /** @type {[string, string]} */ (['−1', '1']), references: [], rawTitle: null};
  const rows = (/** @type {string} */ name) => answer.methods.map((/** @type {any} */ method) =>
    ({name: method.method, title: method.title, bar: method[name], raw: null, quiet: name === 'seeds' && method.deterministic, reason: method.reason}));
  return [
    {name: 'seeds', title: 'Across seeds', ...common, rows: rows('seeds'),
      sentence: `Spearman’s ρ between the maps of the same text from ${nSeeds} seeds, two at a time. 1: chance plays no part. Grey: methods without a seed.`},
    {name: 'edits', title: 'Across small edits', ...common, rows: rows('edits'),
      sentence: `Spearman’s ρ between a text’s map and those of its edited versions, over the words in both. Edits: ${counted || 'none that the encoder notices'}.`},
    {name: 'edit_correlation', title: 'Does the map move when the prediction does?', ...common, rows: rows('edit_correlation'),
      sentence: `Spearman’s ρ, over all texts and edits, between how far the ${scalar} moved and how far the map moved. High is good: the map follows what it explains.`},
  ];
}

const ROW = 18;
const HEAD = 40;
const LABEL = 190;
const NUMBERS = 220;

/**
 * A mean with its interval, in words.
 *
 * @param {?Mean} mean
 * @returns {string}
 */
export function meanText(mean) {
  return mean === null || mean.mean === null ? '–' : intervalText({layer: 0, score: mean.mean, low: mean.low, high: mean.high});
}

/**
 * One measure of all methods as a drawing that stands alone.
 *
 * @param {Measure} measure
 * @param {{width: number}} view
 * @returns {SvgNode}
 */
export function measureChart({title, domain, ends, references, rows, rawTitle}, {width}) {
  const room = width - LABEL - NUMBERS;
  const height = HEAD + rows.length * ROW + 10;
  const quiet = {'font-size': 10, fill: COLORS.quietText};
  return svgNode('svg', {xmlns: 'http://www.w3.org/2000/svg', width, height, viewBox: `0 0 ${width} ${height}`, 'font-size': 11, fill: COLORS.text},
    svgNode('text', {x: 12, y: 16, 'font-weight': 'bold'}, title),
    svgNode('text', {x: LABEL, y: HEAD - 6, ...quiet}, ends[0]),
    svgNode('text', {x: LABEL + room, y: HEAD - 6, 'text-anchor': 'end', ...quiet}, ends[1]),
    ...rows.map((row, i) => svgNode('g', {class: 'measure-row', transform: `translate(0 ${HEAD + i * ROW})`},
      svgLabel({x: 12, y: 13}, row.title, LABEL - 18),
      row.bar === null ? svgLabel({x: LABEL, y: 13, ...quiet}, row.reason, room + NUMBERS - 12, 5)
        : svgNode('g', {transform: `translate(${LABEL} 0)`}, barCell(row.bar, {width: room, height: ROW, domain, quiet: row.quiet, references})),
      row.bar === null ? null : svgNode('text', {x: LABEL + room + 10, y: 13}, meanText(row.bar) + (row.raw ? ` · ${rawTitle} ${formatScore(row.raw.mean)}` : '')),
    )),
  );
}

const FAITHFULNESS = ['comprehensiveness', 'comprehensiveness_normalised', 'sufficiency', 'sufficiency_normalised', 'tau_loo', 'macro_f1_masked'];
const STABILITY = ['seeds', 'edits', 'edit_correlation'];

/**
 * The finished checks as a table: one line for each method and measure, and for what they are held against.
 *
 * @param {string} model  LIT's name
 * @param {string} dataset
 * @param {{faithfulness?: any, stability?: any}} checks  their answers
 * @returns {string}
 */
export function qualityCsv(model, dataset, {faithfulness, stability}) {
  const columns = ['model', 'dataset', 'explained', 'n_texts', 'seed', 'check', 'method', 'measure', 'mean', 'low', 'high', 'n', 'reason'];
  /** @type {(check: string, answer: any, method: string, measure: string, mean: any, reason?: string) => (string|number|null)[]} */
  const line = (check, {explained, n_texts: nTexts, seed}, method, measure, mean, reason = '') =>
    [model, dataset, explained, nTexts, seed, check, method, measure, mean?.mean ?? null, mean?.low ?? null, mean?.high ?? null, mean?.n ?? null, reason];
  const ofMethods = (/** @type {string} */ check, /** @type {any} */ answer, /** @type {string[]} */ measures) => answer.methods.flatMap((/** @type {any} */ method) =>
    measures.map((measure) => line(check, answer, method.method, measure, method[measure], method.reason)));
  return csvTable(columns, [
    ...(faithfulness ? [
      ...ofMethods('faithfulness', faithfulness, FAITHFULNESS),
      ...FAITHFULNESS.map((measure) => line('faithfulness', faithfulness, 'random', measure, faithfulness.random[measure])),
      ...Object.entries(faithfulness.limits).flatMap(([measure, ends]) => ['best', 'worst'].map((end) => line('faithfulness', faithfulness, `${end} possible`, measure, {mean: ends[end]}))),
      line('faithfulness', faithfulness, 'nothing masked', 'macro_f1', faithfulness.macro_f1),
    ] : []),
    ...(stability ? ofMethods('stability', stability, STABILITY) : []),
  ]);
}
