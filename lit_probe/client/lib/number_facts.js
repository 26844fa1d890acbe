// @ts-check
import {countOf} from './format.js';

/**
 * What one number was measured by and on, as facts in reading order.
 *
 * @param {any} number  as the interpreter `provenance` describes it, with the panel's `layer` and `value`
 * @returns {[string, string][]}
 */
export function numberFacts(number) {
  const {check, control, metric, examples, layer, value, interval, seed, labellings, rows} = number;
  /** @type {[string, unknown][]} */
  const facts = [
    ['check', check === 'layer_metrics' ? 'scores by layer' : check.replaceAll('_', ' ')],
    ['control labels by', control?.replaceAll('_', ' ')],
    ['metric', metric?.replaceAll('_', ' ')],
    ['layer', layer],
    ['value', value],
    ['interval', interval],
    ['seed', seed],
    ['control labellings', labellings],
    ['rows', examples],
    ...Object.entries(rows ?? {}).map(([split, {n, sha256}]) => /** @type {[string, unknown]} */ ([`${split} rows`, `${countOf(n, 'text')}, sha256 ${sha256}`])),
  ];
  return facts.filter(([, fact]) => fact !== undefined && fact !== null && fact !== '').map(([name, fact]) => [name, String(fact)]);
}
