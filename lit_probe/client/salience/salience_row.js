// @ts-check
/** One salience map as a row of the panel: its words and scores, how it was made, and how alike two rows are. */
/** @import {SalienceMap} from '../page/types.js' */
import {amongNumbers, countOf, formatCount, significant} from '../words/format.js';

/**
 * @typedef {object} SalienceUnit  A word or a token of the text.
 * @property {string} text
 * @property {number} score
 * @property {number} share  the score as a share of the largest one in size of its row, in [-1, 1]
 * @property {boolean} special  a token that the encoder adds, such as [CLS]; it has no score
 * @property {1} [part]  it stands in the second text of a pair
 *
 * @typedef {object} SalienceRow  One map of a text, as it is drawn.
 * @property {string} label  the words that tell it from the other rows
 * @property {string} method
 * @property {string} title  the method's title
 * @property {boolean} signed  whether a score below 0 speaks against the class
 * @property {string} explained  "probe at layer 3" or "model"
 * @property {?number} layer
 * @property {string} className
 * @property {string} scalar
 * @property {number} value  the explained number for this text
 * @property {?(string|number)} gold  the text's label
 * @property {SalienceUnit[]} units
 * @property {Record<string, number|string>} diagnostics
 * @property {string} warning  what a reader must know; empty where there is nothing
 * @property {string} noExplanation  why the scores say nothing of a class; empty where they do
 * @property {string} baselines  how much the map depends on its baseline; empty where it is not known, or depends on none
 */

/**
 * An answer of the interpreter `salience_map` as a row of words or of tokens.
 *
 * @param {string} label
 * @param {SalienceMap} answer
 * @param {'words'|'tokens'} show
 * @param {string} [baselines]  the sentence of the interpreter `salience_baselines`
 * @returns {SalienceRow}
 */
export function salienceRow(label, answer, show, baselines = '') {
  const second = secondText(answer.words);
  const first = second === null ? Infinity : show === 'words' ? /** @type {number} */ (answer.words[second]) : second;
  const units = show === 'words'
    ? answer.by_word.words.map((/** @type {string} */ text, /** @type {number} */ i) => ({text, score: answer.by_word.scores[i], special: false}))
    : answer.tokens.map((/** @type {string} */ text, /** @type {number} */ i) => ({text, score: answer.scores[i], special: answer.words[i] === null}));
  const largest = Math.max(0, ...units.map((/** @type {{score: number}} */ {score}) => Math.abs(score)));
  return {
    label, method: answer.method, title: answer.title, signed: answer.signed, explained: answer.explained, layer: answer.layer,
    className: answer.class_name, scalar: answer.target.scalar, value: answer.value, gold: answer.gold, diagnostics: answer.diagnostics,
    warning: answer.warning, noExplanation: answer.no_explanation, baselines,
    units: units.map((/** @type {{text: string, score: number, special: boolean}} */ unit, /** @type {number} */ i) => ({
      ...unit, share: largest > 0 ? unit.score / largest : 0, .../** @type {{part?: 1}} */ (i >= first ? {part: 1} : {}),
    })),
  };
}

/**
 * Where the second text of a pair begins: at the first word after the special tokens that stand between words.
 *
 * @param {(?number)[]} words  `[n_tokens]` each token's word; null for special tokens
 * @returns {?number}  the place of a token; null for a single text
 */
export function secondText(words) {
  const begins = words.findIndex((word, i) => word !== null && i > 0 && words[i - 1] === null && words.slice(0, i).some((before) => before !== null));
  return begins < 0 ? null : begins;
}

/**
 * @typedef {Record<string, number|string>} Diagnostics
 *
 * @typedef {object} Made  A map, of which only this matters here.
 * @property {string} method
 * @property {string} scalar  "number" where that is explained, and no class
 * @property {number} value  the explained number of the text
 * @property {Diagnostics} diagnostics
 */

const BASELINES = /** @type {Record<string, string>} */ ({pad: 'all words replaced by pad', mask: 'all words replaced by mask', zero: 'all words replaced by zeros', mean: 'all words replaced by the mean embedding'});
const REPLACED_BY = /** @type {Record<string, string>} */ ({mask: 'words become the mask token', unk: 'words become the unknown token', delete: 'words are deleted'});

/**
 * What is said of each number. A number without an entry of its own is said in that of another one.
 *
 * @type {Record<string, (value: any, all: Diagnostics) => string>}
 */
const SENTENCES = {
  completeness_gap: (gap) => `completeness gap ${significant(gap)}`,
  r2: (r2) => `R² ${r2 === null ? 'not defined' : significant(r2)}`,
  effective_samples: (effective, {n_samples: n}) => `effective samples ${significant(effective)}${typeof n === 'number' ? ` of ${formatCount(n)}` : ''}`,
  enumerated: (all) => (all ? 'every perturbed text was read' : ''),
  n_samples: (n, {effective_samples: effective}) => (effective === undefined ? `${formatCount(n)} texts read` : ''),
  steps: (n, {n_used: used}) => grown(n, used, (count) => countOf(count, 'step')),
  noise_samples: (n, {n_used: used, baselines}) => `${grown(n, used, copies)}${typeof used === 'number' && typeof baselines === 'string' ? forEach(used, baselines) : ''}`,
  noise: (noise) => `noise ${significant(noise)}`,
  baseline: (baseline, {change}) => (typeof change === 'number' ? '' : `baseline ${baseline}`),
  baselines: (baselines, {change}) => (typeof change === 'number' ? '' : `baselines ${baselines}`),
  replace: (how) => REPLACED_BY[how] ?? `replace ${how}`,
  unit: (unit) => (unit === 'token' ? 'token by token' : 'word by word'),
  kernel_width: (width, {kernel, width_in_paper: paper, width_in_package: ours}) => `kernel width ${significant(width)}${
    kernel === 'package' ? ` as in the lime package (${significant(paper)} in the paper)` : typeof ours === 'number' ? ` (${significant(ours)} in the lime package)` : ''}`,
  seed: (seed) => `seed ${seed}`,
  blocks: (n) => (n === 0 ? 'before the first block' : `through ${countOf(n, 'block')}`),
  share_of_special_tokens: (share) => `${Math.round(100 * share)} % comes from special tokens, which have no score`,
};

const UNSAID = ['change', 'samples', 'n_words', 'ridge_alpha', 'noise_deviation', 'growth', 'gap_share', 'n_used', 'kernel', 'width_in_paper', 'width_in_package'];

/** How many points were asked for and, where that was not enough, taken. @param {number} asked @param {number|string|undefined} used @param {(count: number) => string} words */
function grown(asked, used, words) {
  return typeof used === 'number' && used > asked ? `${words(used)} (${formatCount(asked)} asked for)` : words(asked);
}

/** @param {number} count */
function copies(count) {
  return `${formatCount(count)} noisy ${count === 1 ? 'copy' : 'copies'}`;
}

/** Why there may be more copies than were asked for: every baseline gets as many. @param {number} used @param {string} baselines  their names */
function forEach(used, baselines) {
  const each = used / baselines.split(', ').length;
  return each === used ? '' : `, ${formatCount(each)} for each baseline`;
}

/**
 * How a map was made and how far to trust it, for the line under it; how good it is comes first.
 *
 * @param {Made} map
 * @returns {string}  empty for methods that have none
 */
export function diagnosticsWords({method, scalar, value, diagnostics}) {
  const exact = method === 'kernel_shap' && Boolean(diagnostics.enumerated);
  const unsaid = exact ? ['r2', 'effective_samples', 'enumerated'] : [];
  const said = Object.entries(SENTENCES).filter(([name]) => diagnostics[name] !== undefined && !unsaid.includes(name)).map(([name, say]) => say(diagnostics[name], diagnostics));
  const others = Object.keys(diagnostics).filter((name) => !(name in SENTENCES) && !UNSAID.includes(name)).map((name) => `${name.replaceAll('_', ' ')} ${diagnostics[name]}`);
  return [...pathWords(scalar, value, diagnostics), ...(exact ? ['exact Shapley values'] : []), ...said, ...others].filter((words) => words !== '').join(' · ');
}

/** From where and how far the number goes that the scores share out. @param {string} scalar @param {number} value @param {Diagnostics} diagnostics @returns {string[]} */
function pathWords(scalar, value, {change, baseline, baselines}) {
  if (typeof change !== 'number') return [];
  const from = baselines === undefined ? BASELINES[baseline] ?? `baseline ${baseline}` : `on average over the baselines ${baselines}`;
  // The number itself stands with what is explained.
  const start = scalar === 'number' ? amongNumbers(value - change, [value]) : significant(value - change);
  const path = `${change < 0 ? 'down' : 'up'} by ${significant(Math.abs(change))} from ${start} (${from})`;
  if (change >= 0 || scalar === 'number') return [path];
  return [path, baselines === undefined ? 'the baseline is surer of this class than the text is: try another one' : 'the baselines are surer of this class than the text is'];
}

/**
 * Words or tokens, each with its place, in groups that no line break may part: a mark such as a last full stop would else stand
 * on a line of its own.
 *
 * @template {{text: string, special: boolean, part?: 1}} Unit
 * @param {Unit[]} units
 * @returns {[Unit, number][][]}
 */
export function keptTogether(units) {
  /** @type {[Unit, number][][]} */
  const groups = [];
  units.forEach((unit, at) => {
    const mark = !unit.special && !/[\p{L}\p{N}]/u.test(unit.text);
    if (mark && groups.length && unit.part === units[at - 1].part) groups[groups.length - 1].push([unit, at]);
    else groups.push([[unit, at]]);
  });
  return groups;
}

/**
 * What a map explains: "probe at layer 3, logit of “positive” = 2.31".
 *
 * @param {{explained: string, scalar: string, className: string, value: number, gold?: ?(string|number)}} row
 * @returns {string}
 */
export function explainedWords({explained, scalar, className, value, gold: label}) {
  const gold = typeof label === 'number' ? [label] : [];
  return scalar === 'number' ? `${explained}, number = ${amongNumbers(value, gold)}` : `${explained}, ${scalar} of “${className}” = ${significant(value)}`;
}

/**
 * The rule behind the predictions, where a class is predicted that is not the most probable one.
 *
 * @param {{predicted_by: string}[]} answers  maps of one text
 * @returns {string[]}  each sentence once
 */
export function predictionRules(answers) {
  return [...new Set(answers.map(({predicted_by: rule}) => rule).filter(Boolean))];
}

/**
 * Spearman's ρ between the scores of every two rows, over the words or tokens that both have; special tokens are left out.
 *
 * Two signed rows are compared with their signs. A row of sizes knows no signs, so it is compared with the other row's sizes.
 *
 * @param {SalienceRow[]} rows  the rows of one text
 * @returns {(?number)[][]}  `[n_rows][n_rows]`; null where a row does not tell its words apart, or the rows divide the text otherwise
 */
export function rowAgreement(rows) {
  return rows.map((first) => rows.map((second) => agreement(first, second)));
}

/** @param {SalienceRow} first @param {SalienceRow} second @returns {?number} */
function agreement(first, second) {
  const [a, b] = [first, second].map(({units}) => units.filter(({special}) => !special));
  if (a.length !== b.length || a.some(({text}, i) => text !== b[i].text)) return null;
  const signed = first.signed && second.signed;
  const [x, y] = [a, b].map((units) => units.map(({score}) => (signed ? score : Math.abs(score))));
  return rankCorrelation(x, y);
}

/**
 * Spearman's rank correlation; equal values share the mean of their ranks.
 *
 * @param {number[]} first
 * @param {number[]} second  as many values as in `first`
 * @returns {?number}  in [-1, 1]; null where one side has fewer than two different values
 */
export function rankCorrelation(first, second) {
  const [a, b] = [centred(ranks(first)), centred(ranks(second))];
  const spread = Math.sqrt(dot(a, a) * dot(b, b));
  return spread > 0 ? Math.min(1, Math.max(-1, dot(a, b) / spread)) : null;
}

/** @param {number[]} values @returns {number[]}  1 for the smallest */
function ranks(values) {
  const order = values.map((_, i) => i).sort((i, j) => values[i] - values[j]);
  const found = Array(values.length).fill(0);
  for (let start = 0; start < order.length; ) {
    let end = start;
    while (end + 1 < order.length && values[order[end + 1]] === values[order[start]]) end++;
    for (let i = start; i <= end; i++) found[order[i]] = (start + end) / 2 + 1;
    start = end + 1;
  }
  return found;
}

/** @param {number[]} values */
function centred(values) {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return values.map((value) => value - mean);
}

/** @param {number[]} a @param {number[]} b */
function dot(a, b) {
  return a.reduce((sum, value, i) => sum + value * b[i], 0);
}
