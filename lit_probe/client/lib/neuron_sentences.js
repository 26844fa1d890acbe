// @ts-check
import {formatScore} from './format.js';
import {significant} from './significant.js';

/**
 * What a neuron tells about a class, in words: the chance that a text of the class activates it more than another text (AUROC).
 *
 * @param {any} ofClass  of the part `distribution`
 * @returns {string}
 */
export function separationSentence({label, n, auroc, auroc_low: low, auroc_high: high}) {
  if (auroc === null) return `${label}: too few texts (${n}) to say how well the neuron tells them apart.`;
  const interval = low === null || high === null ? '' : ` [${low.toFixed(2)}, ${high.toFixed(2)}]`;
  return `A text with the label ${label} activates it more than another one does with probability ${auroc.toFixed(2)}${interval}; 0.5 is chance.`;
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
 * What a single text's later layers say to the change. The probe of the changed layer itself is no witness: it reads the neurons
 * that were changed, and nothing has passed through the model in between.
 *
 * @param {import('./ablation_rows.js').AblationRow[]} rows
 * @param {number} nRandom  random sets held against it; 0 for none
 * @returns {string}
 */
export function textVerdict(rows, nRandom) {
  const later = rows.filter(({own}) => !own);
  if (later.length === 0) return 'No layer comes after this one: what its own probe says shows what it reads, not what the pass depends on.';
  if (nRandom === 0) return 'There is no random set to hold it against.';
  const outside = later.filter(({after, low, high}) => low !== null && high !== null && (after < low || after > high)).map(({name}) => name);
  if (outside.length === 0) return `Within the range of ${nRandom} random changes of the same size: for this text, nothing says that the pass depends on it.`;
  return `Outside the range of ${nRandom} random changes of the same size at ${listed(outside)}: for this text, the pass depends on it there.`;
}

/**
 * What the texts' later layers say to the change: the share of changed answers beside that of the random sets. See `textVerdict` for
 * why the changed layer itself is left out.
 *
 * @param {any} answer  of the part `curve`
 * @returns {string}
 */
export function curveVerdict({layer, layers, model, n_random: nRandom}) {
  const rows = [...layers.filter((/** @type {any} */ row) => row.layer > layer).map((/** @type {any} */ row) => ({...row, name: `layer ${row.layer}`})), ...(model ? [{...model, name: 'the model’s own head'}] : [])];
  if (rows.length === 0) return 'No layer comes after this one: what its own probe says shows what it reads, not what the pass depends on.';
  const last = rows[rows.length - 1];
  const share = `${percent(last.flipped)} of the answers of ${last.name} change`;
  if (nRandom === 0 || typeof last.random_flipped !== 'number') return `${share}; there is no random set to hold that against.`;
  const beyond = rows.filter(({flipped, random_flipped_high: high}) => flipped > high).map(({name}) => name);
  const usual = `random sets of the same size change ${percent(last.random_flipped)} (${percent(last.random_flipped_low)} to ${percent(last.random_flipped_high)})`;
  const verdict = beyond.length ? `More than any of ${nRandom} random sets at ${listed(beyond)}: there the pass depends on it.`
    : `That is within what ${nRandom} random sets do: the concept is decodable here, but nothing says that the pass depends on it.`;
  return `${share}; ${usual}. ${verdict}`;
}

/**
 * How much the ranking hangs on the training texts.
 *
 * @param {any} stability
 * @returns {string}
 */
export function stabilitySentence({points, n_draws: nDraws}) {
  const [first] = points;
  return `Ranked again on ${nDraws} resamples of the training texts, two lists of the first ${first.k} have a Jaccard index of ${formatScore(first.jaccard)} (1: the same neurons; by chance ${formatScore(first.chance)}).`;
}

/** @param {number} share */
export function percent(share) {
  return `${(100 * share).toFixed(share > 0 && share < 0.0995 ? 1 : 0)} %`;
}

/** @param {string[]} names */
function listed(names) {
  return names.length < 2 ? names.join('') : `${names.slice(0, -1).join(', ')} and ${names[names.length - 1]}`;
}
