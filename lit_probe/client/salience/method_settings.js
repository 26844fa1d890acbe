// @ts-check
/** The controls by which a reader picks salience methods and their options. */
/** @import {SalienceMethod, SalienceMethods} from '../page/types.js' */
import {html} from '../page/lit_host.js';
import {choose, salienceChoices} from './salience_panel.js';

/** Options that need not be whole numbers. */
const FRACTIONS = ['noise', 'kernel_width'];
const AGGREGATIONS = /** @type {Record<string, string>} */ ({sum: 'the sum over its tokens', l2: 'the Euclidean norm over its tokens', max: 'the largest of its tokens'});
const HINTS = /** @type {Record<string, string>} */ ({
  steps: 'Points on the path of integrated gradients: more of them make the completeness gap smaller',
  samples: 'How many perturbed texts LIME and KernelSHAP read',
  noise_samples: 'How many noisy copies SmoothGrad and GradientSHAP average; GradientSHAP starts with equally many for each of its baselines, so 5 become 8 with four of them',
  growth: 'How many times as many steps or noisy copies as at first integrated gradients and GradientSHAP may take where their scores do not add up; 1: no more',
  noise: 'Standard deviation of SmoothGrad’s noise, as a share of that of the embeddings',
  seed: 'Of the methods that draw at random',
  baseline: 'What integrated gradients start from in the place of each token',
  replace: 'What happens to a word that is taken out',
  unit: 'What occlusion takes out at a time',
  kernel: 'Which of the two formulas in use the width belongs to; d is the cosine distance from the text, 0 to 1. The package’s own default is its formula with 0.25',
  kernel_width: 'How quickly LIME’s weight falls with the number of words taken out',
});

/**
 * Which methods are shown, as check boxes.
 *
 * @param {SalienceMethods} catalogue
 */
export function renderMethodBoxes(catalogue) {
  const {methods} = salienceChoices.get();
  const names = catalogue.methods.map((/** @type {any} */ {name}) => name);
  const isOn = (/** @type {string} */ name) => methods === null || methods.includes(name);
  const toggle = (/** @type {string} */ name) => {
    const on = names.filter((/** @type {string} */ other) => isOn(other) !== (other === name));
    choose({methods: on.length === names.length ? null : on});
  };
  return html`<div class="choices methods">${catalogue.methods.map((/** @type {any} */ {name, title}) => html`<label>
    <input type="checkbox" name=${name} .checked=${isOn(name)} @change=${() => toggle(name)}>${title}</label>`)}</div>`;
}

/**
 * The options that these methods read.
 *
 * @param {SalienceMethods} catalogue
 * @param {Pick<SalienceMethod, 'signed'|'uses'>[]} methods
 * @param {{aggregation?: boolean}} [parts]  whether the score of a word can be chosen
 */
export function renderOptions(catalogue, methods, {aggregation = true} = {}) {
  const used = Object.keys(catalogue.options).filter((name) => methods.some(({uses}) => uses.includes(name)));
  const kinds = /** @type {('signed'|'sizes')[]} */ (['signed', 'sizes']).filter((kind) => methods.some(({signed}) => signed === (kind === 'signed')));
  return html`<div class="choices options">${used.map((name) => renderOption(name, catalogue.options[name]))}
    ${aggregation ? kinds.map((kind) => renderAggregation(kind, catalogue.aggregations[kind])) : []}</div>`;
}

/** @param {string} name @param {{default: any, title: string, low?: number, high?: number, choices?: Record<string, string>}} option */
function renderOption(name, {default: preset, title: words, low, high, choices}) {
  const value = salienceChoices.get().options[name] ?? String(preset);
  const title = words[0].toUpperCase() + words.slice(1);
  const set = (/** @type {string} */ chosen) => choose({options: {...salienceChoices.get().options, [name]: chosen}});
  if (choices) {
    return html`<label title=${HINTS[name] ?? ''}><span>${title}</span><select name=${name} @change=${(/** @type {any} */ event) => set(event.target.value)}>
      ${Object.entries(choices).map(([choice, words]) => html`<option value=${choice} ?selected=${choice === value}>${words}</option>`)}</select></label>`;
  }
  const change = (/** @type {any} */ {target}) => {
    if (target.value !== '' && target.checkValidity()) set(target.value);
    else target.value = value;
  };
  return html`<label title=${HINTS[name] ?? ''}><span>${title}</span>
    <input type="number" name=${name} min=${low} max=${high} step=${!FRACTIONS.includes(name) ? 1 : 'any'} .value=${value} @change=${change}></label>`;
}

/** @param {'signed'|'sizes'} kind @param {string[]} ways */
function renderAggregation(kind, ways) {
  const {aggregation} = salienceChoices.get();
  const set = (/** @type {any} */ event) => choose({aggregation: {...aggregation, [kind]: event.target.value}});
  return html`<label title="How the scores of a word’s tokens become one score"><span>${kind === 'signed' ? 'Signed score' : 'Size'} of a word</span>
    <select name=${`aggregation-${kind}`} @change=${set}>
      ${ways.map((way) => html`<option value=${way} ?selected=${way === aggregation[kind]}>${AGGREGATIONS[way] ?? way}</option>`)}</select></label>`;
}
