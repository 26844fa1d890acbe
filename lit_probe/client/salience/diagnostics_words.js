// @ts-check
import {formatCount, significant} from '../words/format.js';

/**
 * @typedef {Record<string, number|string>} Diagnostics
 *
 * @typedef {object} Made  A map, of which only this matters here.
 * @property {string} method
 * @property {number} value  the explained number of the text
 * @property {Diagnostics} diagnostics
 */

const BASELINES = /** @type {Record<string, string>} */ ({pad: 'all words replaced by pad', mask: 'all words replaced by mask', zero: 'all words replaced by zeros', mean: 'all words replaced by the mean embedding'});
const REPLACED_BY = /** @type {Record<string, string>} */ ({mask: 'words become the mask token', unk: 'words become the unknown token', delete: 'words are deleted'});

/**
 * What is said of each number; those without an entry stand in an entry of another one.
 *
 * @type {Record<string, (value: any, all: Diagnostics) => string>}
 */
const SENTENCES = {
  completeness_gap: (gap) => `completeness gap ${significant(gap)}`,
  r2: (r2) => `R² ${r2 === null ? 'not defined' : significant(r2)}`,
  effective_samples: (effective, {n_samples: n}) => `effective samples ${significant(effective)}${typeof n === 'number' ? ` of ${formatCount(n)}` : ''}`,
  enumerated: (all) => (all ? 'every perturbed text was read' : ''),
  n_samples: (n, {effective_samples: effective}) => (effective === undefined ? `${formatCount(n)} texts read` : ''),
  steps: (n) => `${formatCount(n)} steps`,
  noise_samples: (n) => `${formatCount(n)} noisy copies`,
  noise: (noise) => `noise ${significant(noise)}`,
  baseline: (baseline, {change}) => (typeof change === 'number' ? '' : `baseline ${baseline}`),
  baselines: (baselines, {change}) => (typeof change === 'number' ? '' : `baselines ${baselines}`),
  replace: (how) => REPLACED_BY[how] ?? `replace ${how}`,
  unit: (unit) => (unit === 'token' ? 'token by token' : 'word by word'),
  kernel_width: (width) => `kernel width ${significant(width)}`,
  seed: (seed) => `seed ${seed}`,
};

const UNSAID = ['change', 'samples', 'n_words', 'ridge_alpha', 'noise_deviation'];

/**
 * How a map was made and how far to trust it, for the line under it; how good it is comes first.
 *
 * @param {Made} map
 * @returns {string}  empty for methods that have none
 */
export function diagnosticsWords({method, value, diagnostics}) {
  const exact = method === 'kernel_shap' && Boolean(diagnostics.enumerated);
  const unsaid = exact ? ['r2', 'effective_samples', 'enumerated'] : [];
  const said = Object.entries(SENTENCES).filter(([name]) => diagnostics[name] !== undefined && !unsaid.includes(name)).map(([name, say]) => say(diagnostics[name], diagnostics));
  const others = Object.keys(diagnostics).filter((name) => !(name in SENTENCES) && !UNSAID.includes(name)).map((name) => `${name.replaceAll('_', ' ')} ${diagnostics[name]}`);
  return [...pathWords(value, diagnostics), ...(exact ? ['exact Shapley values'] : []), ...said, ...others].filter((words) => words !== '').join(' · ');
}

/** From where to where the number goes that the scores share out. @param {number} value @param {Diagnostics} diagnostics @returns {string[]} */
function pathWords(value, {change, baseline, baselines}) {
  if (typeof change !== 'number') return [];
  const from = baselines === undefined ? BASELINES[baseline] ?? `baseline ${baseline}` : `on average over the baselines ${baselines}`;
  const path = `from ${significant(value - change)} (${from}) to ${significant(value)}: ${change > 0 ? '+' : ''}${significant(change)}`;
  if (change >= 0) return [path];
  return [path, baselines === undefined ? 'the baseline is surer of this class than the text is: try another one' : 'the baselines are surer of this class than the text is'];
}

/**
 * What a map explains: "probe at layer 3, logit of “positive” = 2.31".
 *
 * @param {{explained: string, scalar: string, className: string, value: number}} row
 * @returns {string}
 */
export function explainedWords({explained, scalar, className, value}) {
  return `${explained}, ${scalar} of “${className}” = ${significant(value)}`;
}
