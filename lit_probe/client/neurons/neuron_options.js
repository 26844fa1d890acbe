// @ts-check
import {html, nothing} from '../page/lit_host.js';

const TITLES = /** @type {Record<string, string>} */ ({seed: 'Seed', greedy: 'Greedy for the first', strength: 'Penalty', l1_ratio: 'Share of L1', regression: 'Regression'});
const WHOLE = ['seed', 'greedy'];
const SELECTIONS = [['top', 'the first'], ['bottom', 'the last'], ['random', 'random']];

/**
 * Which end of the ranking is listed, by which class, and the options of the ranking: a menu of the toolbar.
 *
 * @param {any} panel  see `neuronPanel`
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
