// @ts-check
import {formatCount} from './format.js';
import {significant} from './significant.js';

/** @typedef {Record<string, number|string>} Diagnostics */

const REPLACED_BY = /** @type {Record<string, string>} */ ({mask: 'words become the mask token', unk: 'words become the unknown token', delete: 'words are deleted'});

/**
 * What is said of each number; those without an entry stand in an entry of another one.
 *
 * @type {Record<string, (value: any, all: Diagnostics) => string>}
 */
const SENTENCES = {
  completeness_gap: (gap, {change}) => `completeness gap ${significant(gap)}${typeof change === 'number' ? ` (the scores should add up to ${significant(change)})` : ''}`,
  r2: (r2) => `R² ${r2 === null ? 'not defined' : significant(r2)}`,
  effective_samples: (effective, {n_samples: n}) => `effective samples ${significant(effective)}${typeof n === 'number' ? ` of ${formatCount(n)}` : ''}`,
  enumerated: (all) => (all ? 'every perturbed text was read' : ''),
  n_samples: (n, {effective_samples: effective}) => (effective === undefined ? `${formatCount(n)} texts read` : ''),
  steps: (n) => `${formatCount(n)} steps`,
  noise_samples: (n) => `${formatCount(n)} noisy copies`,
  noise: (noise) => `noise ${significant(noise)}`,
  baseline: (baseline) => `baseline ${baseline}`,
  baselines: (baselines) => `baselines ${baselines}`,
  replace: (how) => REPLACED_BY[how] ?? `replace ${how}`,
  unit: (unit) => (unit === 'token' ? 'token by token' : 'word by word'),
  kernel_width: (width) => `kernel width ${significant(width)}`,
  seed: (seed) => `seed ${seed}`,
};

const UNSAID = ['change', 'samples', 'n_words', 'ridge_alpha', 'noise_deviation'];

/**
 * How a map was made and how far to trust it, for the line under it; how good it is comes first.
 *
 * @param {Diagnostics} diagnostics
 * @returns {string}  empty for methods that have none
 */
export function diagnosticsWords(diagnostics) {
  const said = Object.entries(SENTENCES).filter(([name]) => diagnostics[name] !== undefined).map(([name, say]) => say(diagnostics[name], diagnostics));
  const others = Object.keys(diagnostics).filter((name) => !(name in SENTENCES) && !UNSAID.includes(name)).map((name) => `${name.replaceAll('_', ' ')} ${diagnostics[name]}`);
  return [...said, ...others].filter((words) => words !== '').join(' · ');
}
