// @ts-check
import {countOf, formatCount} from '../words/format.js';

/**
 * A provenance card as groups of facts, in reading order.
 *
 * @param {any} card  as `lit_probe.provenance.card` writes it
 * @returns {{title: string, facts: [string, string][]}[]}
 */
export function provenanceRows(card) {
  const {model, datasets, versions, number} = card;
  const hashes = Object.entries(model.sha256 ?? {}).map(([name, hash]) => fact(`sha256 of ${name}`, hash));
  return [
    ...(number ? [{title: 'This number', facts: numberFacts(number)}] : []),
    // No revision was asked for: the hashes below say which one it was.
    {title: 'Encoder', facts: kept([fact('model', model.id), fact('revision', model.revision ?? 'not given'), ...hashes])},
    {title: 'Settings', facts: kept(['pooling', 'max_length', 'keep', 'probe', 'seed'].map((name) => fact(name.replace('_', ' '), card[name])))},
    ...Object.entries(datasets).map(([name, one]) => ({title: `Data set ${name}`, facts: kept(datasetFacts(/** @type {any} */ (one)))})),
    {title: 'Library versions', facts: kept(Object.entries(versions ?? {}).map(([name, version]) => fact(name, version)))},
  ];
}

/** @param {any} one @returns {[string, string][]} */
function datasetFacts({label_names: labelNames, n, share_truncated: truncated, headline, best_layer: bestLayer, data}) {
  const bySplit = (/** @type {Record<string, any>} */ values, /** @type {(value: any) => string} */ write) =>
    Object.entries(values ?? {}).filter(([, value]) => value !== null).map(([split, value]) => `${split} ${write(value)}`).join(', ');
  return [
    fact('classes', labelNames.join(', ')),
    fact('rows used', bySplit(n, formatCount)),
    fact('rows available', bySplit(data?.rows, ({available}) => formatCount(available))),
    fact('left out at load', Object.entries(data?.dropped ?? {}).map(([reason, count]) => `${formatCount(count)} ${reason}`).join(', ') || (data?.dropped ? 'none' : '')),
    fact('texts truncated', bySplit(truncated, (share) => `${(100 * share).toFixed(1)} %`)),
    fact('layer chosen on dev', `${bestLayer}, by ${headline.replaceAll('_', ' ')}`),
    ...['source', 'division', 'seed', 'max_examples'].map((name) => fact(name.replace('_', ' '), data?.[name])),
    ...Object.entries(data?.sha256 ?? {}).map(([split, hash]) => fact(`sha256 of ${split}`, hash)),
  ];
}

/** @param {string} name @param {unknown} value @returns {[string, string]} */
function fact(name, value) {
  return [name, value === null || value === undefined ? '' : typeof value === 'object' ? JSON.stringify(value) : String(value)];
}

/** What is not known is left out. @param {[string, string][]} facts @returns {[string, string][]} */
function kept(facts) {
  return facts.filter(([, value]) => value !== '');
}

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
