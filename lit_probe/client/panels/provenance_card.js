// @ts-check
/** The card that reproduces numbers: what was loaded and how everything was set, and the command that does the same again. */
import {html, nothing} from '../page/lit_host.js';
import {download, fileName} from '../words/files.js';
import {countOf, formatCount} from '../words/format.js';

/**
 * The card that reproduces numbers: what was loaded and how everything was set, and the command that does the same again.
 *
 * @param {any} card  as `lit_probe.provenance.card` writes it
 * @param {string} model  LIT's name, for the file
 * @param {string[]} [duplicates]  sentences on what is known about copies of texts across splits
 * @param {{command: ?string[], statement: string}} [number]  the command that computes a number and what has to be said of it, where the card was opened from one
 */
export function provenanceCard(card, model, duplicates = [], number = undefined) {
  const name = fileName(`card_${model}.json`);
  const save = () => download(name, 'application/json', JSON.stringify(card, null, 2) + '\n');
  const command = number ? number.command : card.flags && ['lit-probe', 'layers', ...card.flags];
  const groups = provenanceRows(card);
  return html`<div class="provenance">
    ${number ? [renderFacts(groups[0]), renderCommand(command, number.statement)] : nothing}
    ${groups.slice(number ? 1 : 0).map(renderFacts)}
    ${number ? nothing : renderCommand(command, '')}
    <div class="notes">${[...(card.notes ?? []), ...duplicates].map((/** @type {string} */ note) => html`<div>${note}</div>`)}
      <div>Saved as a file, the card does so too, and checks first that model and data are the same ones:
        <code>lit-probe layers --from=${name}</code></div></div>
    <div class="caption"><button class="hairline-button save-card" title="Download the card as a JSON file" @click=${save}>Save the card</button></div>
  </div>`;
}

/** @param {ReturnType<typeof provenanceRows>[number]} group */
function renderFacts({title, facts}) {
  return html`<table class="facts"><caption>${title}</caption>
    <tbody>${facts.map(([name, value]) => html`<tr><th scope="row">${name}</th><td>${value}</td></tr>`)}</tbody></table>`;
}

/** @param {?string[]} command @param {string} statement */
function renderCommand(command, statement) {
  return [
    command ? html`<div class="caption">On the command line:</div><div class="command">${shellWords(command)}</div>` : nothing,
    statement ? html`<div class="remark statement">${statement}</div>` : nothing,
  ];
}

/**
 * Words as one types them into a POSIX shell.
 *
 * @param {string[]} words
 * @returns {string}
 */
export function shellWords(words) {
  return words.map((word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`)).join(' ');
}

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
    {title: 'Encoder', facts: kept([fact('model', modelWords(model)), fact('revision', model.in_memory ? '' : model.revision ?? 'not given'), fact('weights', weightsWords(model)), fact('dtype', model.dtype), ...hashes])},
    {title: 'Settings', facts: kept(['pooling', 'max_length', 'keep', 'template', 'chat', 'probe', 'seed'].map((name) => fact(name.replace('_', ' '), onOneLine(card[name]))))},
    ...Object.entries(datasets).map(([name, one]) => ({title: `Data set ${name}`, facts: kept(datasetFacts(/** @type {any} */ (one)))})),
    {title: 'Library versions', facts: kept(Object.entries(versions ?? {}).map(([name, version]) => fact(name, version)))},
  ];
}

/** @param {{id: string, in_memory?: boolean}} model */
function modelWords({id, in_memory: inMemory}) {
  return inMemory ? `${id} (in a program’s memory)` : id;
}

/** Nothing for the checkpoint's own. @param {{random_weights?: number}} model */
function weightsWords({random_weights: seed}) {
  return seed === undefined ? '' : `never trained: drawn by seed ${seed} in place of the checkpoint’s`;
}

/** @param {any} one @returns {[string, string][]} */
function datasetFacts({label_names: labelNames, n, share_truncated: truncated, headline, decision, best_layer: bestLayer, choice, data}) {
  const bySplit = (/** @type {Record<string, any>} */ values, /** @type {(value: any) => string} */ write) =>
    Object.entries(values ?? {}).filter(([, value]) => value !== null).map(([split, value]) => `${split} ${write(value)}`).join(', ');
  return [
    fact('classes', labelNames.join(', ')),
    fact('label', labelNames.length ? '' : 'a number'),
    fact('rows used', bySplit(n, formatCount)),
    fact('rows available', bySplit(data?.rows, ({available}) => formatCount(available))),
    fact('left out at load', Object.entries(data?.dropped ?? {}).map(([reason, count]) => `${formatCount(count)} ${reason}`).join(', ') || (data?.dropped ? 'none' : '')),
    fact('texts truncated', bySplit(truncated, (share) => `${(100 * share).toFixed(1)} %`)),
    fact('scored by', headline.replaceAll('_', ' ')),
    fact('class decided by', decision ? decidedBy(decision.rule) : ''),
    fact('layer chosen on dev', `${bestLayer}, among ${choice.among.join(', ')} (${choice.rule.replaceAll('_', ' ')})`),
    ...['source', 'division', 'seed', 'max_examples'].map((name) => fact(name.replace('_', ' '), data?.[name])),
    ...Object.entries(data?.sha256 ?? {}).map(([split, hash]) => fact(`sha256 of ${split}`, hash)),
  ];
}

/** Line breaks as they are typed, so that they are seen. @param {unknown} value */
function onOneLine(value) {
  return typeof value === 'string' ? value.replaceAll('\n', '\\n') : value;
}

/** @param {string} name @param {unknown} value @returns {[string, string]} */
function fact(name, value) {
  return [name, value === null || value === undefined ? '' : typeof value === 'object' ? JSON.stringify(value) : String(value)];
}

/** @param {string} rule */
function decidedBy(rule) {
  return rule === 'prior' ? 'largest probability ÷ share of train' : 'largest probability';
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
  const {check, control, metric, decision, examples, layer, value, interval, seed, labellings, rows} = number;
  /** @type {[string, unknown][]} */
  const facts = [
    ['check', check === 'layer_metrics' ? 'scores by layer' : check.replaceAll('_', ' ')],
    ['control labels by', control?.replaceAll('_', ' ')],
    ['metric', metric?.replaceAll('_', ' ')],
    ['class decided by', decision === undefined ? undefined : decidedBy(decision)],
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
