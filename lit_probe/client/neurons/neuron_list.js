// @ts-check
/** The ranked list of neurons, and the options of the ranking. */
/** @import {NeuronRanking, RankedNeuron} from '../page/types.js' */
import {salienceColor} from '../charts/palette.js';
import {html, nothing} from '../page/lit_host.js';
import {shorten, significant} from '../words/format.js';
import {isOff, togglePick} from './neuron_choices.js';
import {classScoreWords} from './neuron_sentences.js';

const BAR = 32;
/** The columns' widths in pixels: box, rank, name, score; and that of each sign. */
const COLUMNS = [26, 28, 58, 88];
const SIGN = 42;
/** Up to so many classes have a column with a sign each; of more classes there is room for the colours only. */
const MOST_SIGNS = 3;

/**
 * How wide the list is.
 *
 * @param {string[]} labelNames
 * @returns {number}  in pixels, with a scroll bar
 */
export function listWidth(labelNames) {
  return COLUMNS.reduce((sum, one) => sum + one, 16) + SIGN * Math.min(labelNames.length, MOST_SIGNS);
}

/**
 * The ranked list: a box to choose a neuron, its place, its score, and for which class more activation speaks.
 *
 * @param {any} panel  a panel about neurons; see `neuronPanel`
 * @param {NeuronRanking} answer  the answer of the interpreter `neuron_ranking`
 */
export function renderNeuronList(panel, answer) {
  const {neurons, label_names: names, score_unit: unit, title} = answer;
  const choices = panel.chosen();
  const opened = panel.opened()?.name;
  const largest = Math.max(0, ...neurons.map((/** @type {RankedNeuron} */ {score}) => Math.abs(score)));
  const largestOfClass = Math.max(0, ...neurons.flatMap((/** @type {RankedNeuron} */ one) => one.class_scores.map(Math.abs)));
  const open = (/** @type {string} */ name) => panel.choose({opened: name});
  const signs = names.length <= MOST_SIGNS;
  // Of two classes, what speaks for one speaks against the other.
  const mirrored = names.length === 2 && neurons.every((/** @type {RankedNeuron} */ {class_scores: [one, other]}) => one === -other);
  const told = mirrored ? [1] : names.map((/** @type {string} */ _, /** @type {number} */ i) => i);
  const columns = [...COLUMNS, ...(signs ? told.map(() => SIGN) : [SIGN * MOST_SIGNS])];
  return html`<table class="ranked" aria-label=${`Neurons by ${title}`}>
    <colgroup>${columns.map((width) => html`<col style=${`width:${width}px`}>`)}</colgroup>
    <thead><tr><th></th><th></th><th scope="col">neuron</th><th scope="col" title=${unit}>score</th>
      ${signs ? told.map((/** @type {number} */ i) => html`<th scope="col" class="sign" title=${`+: more activation speaks for ${names[i]}`}>${shorten(names[i], 8)}</th>`)
        : html`<th scope="col" class="sign" title=${`Blue: more activation speaks for the class; orange: against. ${names.join(', ')}`}>classes</th>`}</tr></thead>
    <tbody>${neurons.map((/** @type {RankedNeuron} */ neuron) => {
      const {name, rank, score, class_scores: ofClasses} = neuron;
      const picked = choices.picked.includes(name);
      const share = (/** @type {number} */ value) => (largestOfClass > 0 ? value / largestOfClass : 0);
      const off = picked && choices.what === 'neurons' && isOff(choices, neuron.layer);
      return html`<tr class=${off ? 'off' : ''} aria-current=${name === opened ? 'true' : 'false'} data-neuron=${name} @click=${() => open(name)}>
        <td class="pick" @click=${(/** @type {Event} */ event) => event.stopPropagation()}><input type="checkbox" .checked=${picked} aria-label=${`Choose neuron ${name}`}
          @change=${() => panel.choose({picked: togglePick(choices.picked, name)})}></td>
        <td class="rank">${rank}</td>
        <td><button class="name">${name}</button></td>
        <td class="score" title=${`${score} (${unit})`}><span class="bar" style=${`width:${(largest > 0 ? (BAR * Math.abs(score)) / largest : 0).toFixed(1)}px`}></span>${significant(score)}</td>
        ${signs ? told.map((/** @type {number} */ i) => [i, ofClasses[i]]).map(([i, value]) => html`<td class="sign" title=${`${names[i]}: ${value}`}><span style=${colors(share(value))}>${value > 0 ? '+' : value < 0 ? '−' : '0'}</span></td>`)
          : html`<td class="sign" title=${classScoreWords(names, ofClasses)}><div class="signs" role="img" aria-label=${classScoreWords(names, ofClasses)}>${ofClasses.map((value) => html`<span style=${colors(share(value))}></span>`)}</div></td>`}
      </tr>`;
    })}</tbody></table>${neurons.length === 0 ? html`<div class="words">No neuron is listed.</div>` : nothing}`;
}

/** @param {number} share */
function colors(share) {
  // Pale, so that the signs stand out and not the colours.
  const {fill, text} = salienceColor(0.6 * share, true);
  return `background:${fill};color:${text}`;
}

const TITLES = /** @type {Record<string, string>} */ ({seed: 'Seed', greedy: 'Greedy for the first', strength: 'Penalty', l1_ratio: 'Share of L1', regression: 'Regression'});
const WHOLE = ['seed', 'greedy'];
const SELECTIONS = [['top', 'the first'], ['bottom', 'the last'], ['random', 'random']];

/**
 * Which end of the ranking is listed, by which class, and the options of the ranking: a menu of the toolbar.
 *
 * @param {any} panel  a panel about neurons; see `neuronPanel`
 */
export function renderRankingOptions(panel) {
  const catalogue = panel.catalogue();
  const {select, top, className, options} = panel.chosen();
  const method = catalogue.methods.find((/** @type {any} */ {name}) => name === panel.ranking().method);
  const shown = String(top ?? panel.answerOf('ranking')?.neurons.length ?? '');
  const changeTop = (/** @type {any} */ {target}) => {
    if (target.value !== '' && target.checkValidity()) panel.choose({top: Number(target.value)});
    else target.value = shown;
  };
  return html`<details class="settings menu"><summary>Options</summary><div class="choices">
    <label><span>List</span><select name="select" @change=${(/** @type {any} */ event) => panel.choose({select: event.target.value})}>
      ${SELECTIONS.map(([value, title]) => html`<option value=${value} ?selected=${value === select}>${title}</option>`)}</select></label>
    <label><input type="number" name="top" min="1" max="5000" step="1" .value=${shown} @change=${changeTop}>&nbsp;neurons</label>
    <label><span>ordered for</span><select name="class" @change=${(/** @type {any} */ event) => panel.choose({className: event.target.value === '' ? null : event.target.value})}>
      <option value="" ?selected=${className === null}>all classes</option>
      ${catalogue.label_names.map((/** @type {string} */ name) => html`<option value=${name} ?selected=${name === className}>${name}</option>`)}</select></label>
    ${method.options.length === 0 ? nothing : method.options.map((/** @type {string} */ name) => renderOption(panel, name, catalogue.options[name], options[name]))}
  </div></details>`;
}

/** @param {any} panel @param {string} name @param {any} option @param {string|undefined} chosen */
function renderOption(panel, name, {default: preset, low, high, choices}, chosen) {
  const value = chosen ?? String(preset);
  const set = (/** @type {string} */ next) => panel.choose({options: {...panel.chosen().options, [name]: next}});
  if (choices) {
    return html`<label><span>${TITLES[name] ?? name}</span><select name=${name} @change=${(/** @type {any} */ event) => set(event.target.value)}>
      ${choices.map((/** @type {string} */ choice) => html`<option value=${choice} ?selected=${choice === value}>${choice}</option>`)}</select></label>`;
  }
  const change = (/** @type {any} */ {target}) => {
    if (target.value !== '' && target.checkValidity()) set(target.value);
    else target.value = value;
  };
  return html`<label><span>${TITLES[name] ?? name}</span><input type="number" name=${name} min=${low} max=${high} step=${WHOLE.includes(name) ? 1 : 'any'} .value=${value} @change=${change}></label>`;
}
