// @ts-check
/** What is shown of an edit when it is asked for: its words and the neurons that it moved, as tables of bars. */
import {barCell} from '../charts/bar_cell.js';
import {svgElement} from '../charts/svg.js';
import {html, nothing} from '../page/lit_host.js';
import {significant} from '../words/format.js';

const LABEL = 0.34;
const NUMBERS = 150;

/**
 * Both texts marked where they differ.
 *
 * @param {[string, boolean][]} words  with the space before them, each with whether the other text lacks it there
 */
export function markedWords(words) {
  return words.map(([word, changed]) => (changed ? html`${/^\s/.test(word) ? ' ' : ''}<mark>${word.trim()}</mark>` : word));
}

/**
 * How the salience of each word changes with the edit.
 *
 * @param {any} answer  the part `salience` of `counterfactual_by_layer`
 * @param {number} width
 * @param {string[]} names  of the two texts
 */
export function wordChanges(answer, width, names) {
  const name = (/** @type {any} */ {kind, before, after}) => (kind === 'same' ? after : kind === 'replaced' ? `${before} → ${after}` : kind === 'added' ? `+ ${after}` : `− ${before}`);
  const domain = domainOf(answer.rows.map((/** @type {any} */ row) => row.change));
  return html`<p>${answer.title} of the margin of “${answer.class_name}” at layer ${answer.layer}, which goes from ${significant(answer.value_before)} to ${significant(answer.value_after)}.
      The bar is the change of a word’s salience${answer.signed ? '' : '; this method tells sizes only, no direction'}. Words that differ are bold.</p>
    ${table(width, ['word', 'change', names.map((one) => one.toLowerCase()).join(' → ')], answer.rows.map((/** @type {any} */ row) => ({
      name: name(row), changed: row.kind !== 'same', value: row.change, domain, numbers: `${significant(row.score_before)} → ${significant(row.score_after)}`,
    })))}`;
}

/**
 * The neurons through which the edit moved the probe's answer most.
 *
 * @param {any} answer  the part `neurons` of `counterfactual_by_layer`
 * @param {number} width
 */
export function neuronChanges(answer, width) {
  const domain = domainOf(answer.neurons.map((/** @type {any} */ one) => one.moved));
  return html`<p>The margin of “${answer.class_name}” over “${answer.against_name}” changes by ${significant(answer.change)} at layer ${answer.layer}. A neuron’s part is its change, in
      standard deviations of train, times the probe’s weight; the parts of all ${answer.n_units} neurons add up to the whole, the
      ${answer.n_units - answer.neurons.length} not shown to ${significant(answer.others)}.</p>
    ${table(width, ['neuron', 'part of the change', 'change × weight'], answer.neurons.map((/** @type {any} */ one) => ({
      name: `${answer.layer}:${one.unit}`, changed: false, value: one.moved, domain, numbers: `${significant(one.change)} × ${significant(one.weight)}`,
    })))}`;
}

/** @param {number[]} values @returns {[number, number]} */
function domainOf(values) {
  const most = Math.max(...values.map(Math.abs), 0);
  return most > 0 ? [-most, most] : [-1, 1];
}

/**
 * @param {number} width
 * @param {string[]} heads
 * @param {{name: string, changed: boolean, value: number, domain: [number, number], numbers: string}[]} rows
 */
function table(width, heads, rows) {
  const label = Math.min(180, Math.round(LABEL * width));
  const bar = Math.max(50, Math.round(width - label - NUMBERS - 62));
  return html`<table class="bars"><colgroup><col style=${`width:${label}px`}><col style=${`width:${bar}px`}><col style="width:54px"><col></colgroup>
    <thead><tr><th scope="col">${heads[0]}</th><th scope="col" colspan="2">${heads[1]}</th><th scope="col" style="text-align:right">${heads[2]}</th></tr></thead>
    <tbody>${rows.map(({name, changed, value, domain, numbers}) => html`<tr class=${changed ? 'changed' : nothing}>
      <th scope="row" dir="auto">${name}</th><td>${svgElement(barCell({mean: value, low: null, high: null}, {width: bar, height: 16, domain}))}</td>
      <td class="number value"><span>${significant(value)}</span></td><td class="number"><span class="also">${numbers}</span></td></tr>`)}</tbody></table>`;
}
