// @ts-check
/** Patterns of feed-forward neurons that fire together on the same tokens: a section of one panel, and all of another. */
import {salienceColor} from '../charts/palette.js';
import {observable} from '../page/choices.js';
import {html, nothing} from '../page/lit_host.js';
import {renderSelect} from '../panels/parts.js';
import {countOf, significant} from '../words/format.js';
import {closeGaps, matrixLines} from '../words/side_by_side.js';
import {percent} from './neuron_sentences.js';
import {renderTokenMatrix, strongestTexts} from './token_matrix.js';

const SAMPLE = 100;
const MOST_COMPONENTS = 30;
/** Of a text that is not short, where nobody has chosen another number. */
const USUAL_COMPONENTS = 10;
const MOST_TEXTS = 8;
/** Pixels that a pattern's numbers take, and the tokens beside them. */
const COLUMN = 44;
const TOKENS = 100;

/**
 * How feed-forward activations are factorised: `components` is null for as many as the server thinks fit, `last` for the deepest block; `picked` is the
 * factor that is looked at.
 */
export const factorChoices = observable(/** @type {{components: ?number, first: number, last: ?number, source: 'shown'|'many', picked: number}} */ (
  {components: null, first: 1, last: null, source: 'shown', picked: 0}));

/** @param {Partial<ReturnType<typeof factorChoices.get>>} changes */
function choose(changes) {
  factorChoices.set({...factorChoices.get(), ...changes});
}

/**
 * Wants the factors, once the reader has asked for them.
 *
 * @param {any} panel  a panel about neurons; see `neuronPanel`
 * @param {boolean} [atOnce]  whether those of the shown texts are wanted unasked
 */
export function askForFactors(panel, atOnce = false) {
  const {components, first, last, source} = factorChoices.get();
  const asked = {part: 'factors', first, ...(last === null ? {} : {last}), ...(components === null ? {} : {components})};
  const texts = panel.texts().map((/** @type {any} */ {example}) => example);
  if (source === 'many') panel.wantOnDemand('factors', 'neuron_evidence', panel.seen.selected, {...asked, sample: SAMPLE});
  // For one or two texts they are computed at once: asked for once, they follow the selection and the slider.
  else if (texts.length && atOnce) panel.wantPart('factors', 'neuron_evidence', texts, asked);
  else if (texts.length) panel.wantOnDemand('factors', 'neuron_evidence', texts, asked, undefined, 'factors of the shown texts');
}

/**
 * The factors on the tokens as a section that can be closed.
 *
 * @param {any} panel
 */
export function renderFactors(panel) {
  return panel.renderSection('factors', 'Patterns of the feed-forward neurons (NMF)', () => renderPatterns(panel), true);
}

/**
 * The factors on the tokens, with a slider for how many there are.
 *
 * @param {any} panel
 * @param {boolean} [atOnce]  as `askForFactors` was told
 */
export function renderPatterns(panel, atOnce = false) {
  const {components, first, last, source} = factorChoices.get();
  const shown = components ?? panel.answerOf('factors')?.n_components ?? USUAL_COMPONENTS;
  const nLayers = panel.about().n_layers;
  const texts = panel.texts();
  const blocks = Array.from({length: nLayers - 1}, (_, i) => ({value: String(i + 1), title: String(i + 1)}));
  const end = Math.min(last ?? nLayers - 1, nLayers - 1);
  const start = Math.min(first, end);
  return [
    html`<p class="words">Which groups of feed-forward neurons fire together on which tokens? Their activations are split into a few non-negative patterns. These neurons stand inside
      the blocks; they are others than the units of the layers’ vectors.</p>`,
    html`<div class="set"><label>Patterns <input type="range" name="components" min="1" max=${MOST_COMPONENTS} step="1" .value=${String(shown)}
        @change=${(/** @type {any} */ event) => choose({components: Number(event.target.value), picked: 0})}><b>${shown}</b></label>
      <label>blocks ${select('first', blocks, String(start), (value) => choose({first: Number(value), last: Math.max(Number(value), end)}))}</label>
      <label>to ${select('last', blocks, String(end), (value) => choose({last: Number(value), first: Math.min(Number(value), start)}))}</label>
      <span>${renderSelect('source', 'of', [{value: 'shown', title: 'the shown texts'}, {value: 'many', title: panel.seen.selected.length ? 'the selection' : `${SAMPLE} dev texts`}], source,
        (value) => choose({source: /** @type {any} */ (value), picked: 0}))}</span></div>`,
    source === 'shown' && texts.length === 0 ? html`<p class="words">Select a text in LIT. Pin or edit one to see two side by side.</p>`
      : source === 'shown' && atOnce ? panel.renderPart('factors', (/** @type {any} */ answer) => renderAnswer(panel, answer), 'There are no patterns.')
      : panel.renderOnDemand('factors', {button: 'Find patterns', about: source === 'shown' ? 'Of the texts above; then they follow the selection.' : `Over ${SAMPLE} texts at most, drawn by seed.`},
        (/** @type {any} */ answer) => renderAnswer(panel, answer)),
  ];
}

/** @param {string} name @param {{value: string, title: string}[]} options @param {string} chosen @param {(value: string) => void} pick */
function select(name, options, chosen, pick) {
  return html`<select name=${name} @change=${(/** @type {any} */ event) => pick(event.target.value)}>${options.map(({value, title}) => html`<option value=${value} ?selected=${value === chosen}>${title}</option>`)}</select>`;
}

/** @param {any} panel @param {any} answer */
function renderAnswer(panel, answer) {
  const {factors, explained, n_texts: nTexts, layers, n_units: nUnits, seed, converged, n_texts_left_out: nLeftOut} = answer;
  const picked = Math.min(factorChoices.get().picked, factors.length - 1);
  const factor = factors[picked];
  return [
    factorChoices.get().source === 'shown' ? renderOnShown(panel, answer, picked) : renderOnMany(panel, answer, picked),
    html`<p class="words"><b>Pattern ${picked + 1}</b>, ${percent(factor.share)} of what is explained: feed-forward neurons ${factor.neurons.slice(0, 6).map((/** @type {any} */ {name, weight}) => `${name} (${significant(weight)})`).join(', ')}.</p>`,
    html`<p class="words remark">${countOf(nTexts, 'text')}${nLeftOut ? `, ${nLeftOut} left out` : ''}; ${countOf(nUnits, 'neuron')} of blocks ${layers[0]} to ${layers[layers.length - 1]}; ${percent(explained)} of their activation explained; seed ${seed}${converged ? '' : '; the fit stopped before it settled'}.</p>`,
  ];
}

/** @param {any} panel @param {any} answer @param {number} picked */
function renderOnShown(panel, {texts, factors, rows}, picked) {
  const titles = texts.map((/** @type {any} */ {text}) => panel.texts().find((/** @type {any} */ {example}) => example.id === rows.ids[text])?.title ?? '');
  const columns = factors.map((/** @type {any} */ {share}, /** @type {number} */ i) => ({name: String(i + 1), title: `Pattern ${i + 1}: ${percent(share)}`, opened: i === picked, open: () => choose({picked: i})}));
  return renderTokenMatrix({
    lines: closeGaps(matrixLines(texts)), titles, columns, largest: factors.map(() => 1), signed: false,
    values: texts.map((/** @type {any} */ _, /** @type {number} */ at) => factors.map((/** @type {any} */ {on_texts: on}) => on[at])), narrow: texts.length * (columns.length * COLUMN + TOKENS) > panel.size.width,
  });
}

/** @param {any} panel @param {any} answer @param {number} picked */
function renderOnMany(panel, {texts, factors, rows}, picked) {
  const on = factors[picked].on_texts;
  const open = (/** @type {string} */ id) => panel.selectionService.selectIds([id], panel);
  return [
    html`<div class="factor-buttons" role="group" aria-label="Patterns">${factors.map((/** @type {any} */ {share}, /** @type {number} */ i) => html`<button aria-pressed=${i === picked ? 'true' : 'false'}
      @click=${() => choose({picked: i})}>${i + 1} <small>${percent(share)}</small></button>`)}</div>`,
    strongestTexts(on, MOST_TEXTS).map((at) => html`<div class="factor-text"><div class="chips" dir="auto">${texts[at].tokens.map((/** @type {string} */ token, /** @type {number} */ i) => {
      const {fill, text} = salienceColor(on[at][i], false);
      return html`<span class="chip" style=${`background:${fill};color:${text}`} title=${`${token}: ${on[at][i]}`}>${token}</span>`;
    })}</div>${rows.ids[texts[at].text] ? html`<button class="text-button" @click=${() => open(rows.ids[texts[at].text])}>select</button>` : nothing}</div>`),
  ];
}
