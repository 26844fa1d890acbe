// @ts-check
/** What the panels about neurons say of their numbers. */
/** @import {AblationCurve} from '../page/types.js' */
import {formatScore, significant} from '../words/format.js';
import {placeTitle} from '../words/sentences.js';

/**
 * What a neuron tells about a class, in words: the chance that a row of the class activates it more than another row (AUROC).
 *
 * @param {any} ofClass  a class of the part `distribution`
 * @param {'text'|'word'} [row]  what a row is
 * @returns {string}
 */
export function separationSentence({label, n, auroc, auroc_low: low, auroc_high: high}, row = 'text') {
  if (auroc === null) return `${label}: too few ${row}s (${n}) to say how well the neuron tells them apart.`;
  const interval = low === null || high === null ? '' : ` [${low.toFixed(2)}, ${high.toFixed(2)}]`;
  return `A ${row} with the ${row === 'word' ? 'tag' : 'label'} ${label} activates it more than another one does with probability ${auroc.toFixed(2)}${interval}; 0.5 is chance.`;
}

/**
 * For which class more activation speaks, and how strongly, in words for a tooltip: "negative −0.0108, positive 0.0108".
 *
 * @param {string[]} labelNames
 * @param {number[]} scores
 * @returns {string}
 */
export function classScoreWords(labelNames, scores) {
  return labelNames.map((name, i) => `${name} ${significant(scores[i])}`).join(', ');
}

/**
 * What the later layers say of a single text, or word, after the change. The probe of the changed layer itself is no witness: it reads the neurons
 * that were changed, and nothing has passed through the model in between. All later layers are judged together: with several of
 * them, one of them easily exceeds a random set by chance.
 *
 * @param {import('./neuron_charts.js').AblationRow[]} rows
 * @param {number} nRandom  the number of random sets that it is held against
 * @param {{matched: boolean, exceeded: ?number, notes: string[]}} judged  the server's judgement of this text
 * @param {'text'|'word'} [row]  what it is
 * @returns {string}
 */
export function textVerdict(rows, nRandom, {matched, exceeded, notes}, row = 'text') {
  if (notes.length) return notes.join(' ');
  if (rows.every(({own}) => own)) return 'No layer comes after this one: what its own probe says shows what it reads, not what the pass depends on.';
  if (nRandom === 0 || !matched || exceeded === null) return 'There is no random set to hold it against.';
  return `The answers after this layer change more than with ${exceeded} of the ${nRandom} random sets of like size${
    exceeded === nRandom ? ` (by chance, more than with all of them: 1 ${row} in ${nRandom + 1})` : ''}. One ${row} is little evidence; measure over the data.`;
}

/**
 * How far a change moves the hidden states, beside the random ones.
 *
 * @param {any} judged  `moved` and `random_moved` with its extremes, as shares of the length of the hidden states
 * @returns {string}
 */
export function movedSentence({moved, random_moved: random, random_moved_low: low, random_moved_high: high}) {
  const beside = typeof random === 'number' ? `, the random ones by ${significant(random)} (${significant(low)} to ${significant(high)})` : '';
  return `The change moves the hidden states by ${significant(moved)} of their length${beside}.`;
}

/**
 * What the later layers say of many texts after the change: the share of changed answers beside that of the random sets. See `textVerdict` for
 * why the changed layer itself is left out, and the others are judged together.
 *
 * @param {AblationCurve} answer  the answer of the part `curve`
 * @returns {string}
 */
export function curveVerdict({layer, layers, model, n_random: nRandom, matched, exceeded, notes}, names = null) {
  const rows = [...layers.filter((/** @type {any} */ row) => row.layer !== layer).map((/** @type {any} */ row) => ({...row, name: placeTitle(row.layer, names)})), ...(model ? [{...model, name: 'the model’s own head'}] : [])];
  if (rows.length === 0) return 'No layer comes after this one: what its own probe says shows what it reads, not what the pass depends on.';
  const last = rows[rows.length - 1];
  const share = `${percent(last.flipped)} of the answers of ${last.name} change`;
  if (nRandom === 0 || typeof last.random_flipped !== 'number') return `${share}; there is no random set to hold that against.`;
  const usual = `random sets change ${percent(last.random_flipped)} (${percent(last.random_flipped_low)} to ${percent(last.random_flipped_high)})`;
  if (!matched) return `${share}; ${usual}. ${notes.join(' ')}`;
  const beyond = rows.filter((row) => row.beyond).map(({name}) => name);
  const verdict = exceeded === nRandom ? `More than with any of the ${nRandom} random sets of like size, all later layers taken together, and most clearly at ${listed(beyond)}: there the pass depends on it.`
    : `More than with ${exceeded} of the ${nRandom} random sets of like size, all later layers taken together: the concept is decodable here, but nothing says that the pass depends on it.`;
  return `${share}; ${usual}. ${verdict}`;
}

/**
 * How much the ranking depends on the training texts.
 *
 * @param {any} stability
 * @param {'text'|'word'} [row]  what a row is
 * @returns {string}
 */
export function stabilitySentence({points, n_draws: nDraws}, row = 'text') {
  const [first] = points;
  return `Ranked again on ${nDraws} resamples of the training ${row}s, two lists of the first ${first.k} have a Jaccard index of ${formatScore(first.jaccard)} (1: the same neurons; by chance ${formatScore(first.chance)}).`;
}

/** @param {number} share */
export function percent(share) {
  return `${(100 * share).toFixed(share > 0 && share < 0.0995 ? 1 : 0)} %`;
}

/** @param {string[]} names */
function listed(names) {
  return names.length < 2 ? names.join('') : `${names.slice(0, -1).join(', ')} and ${names[names.length - 1]}`;
}
