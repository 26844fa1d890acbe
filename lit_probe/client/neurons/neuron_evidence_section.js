// @ts-check
/** The section about one neuron: its activation by class, its words, and the column of LIT's data that it can become. */
/** @import {IndexedInput} from '../page/types.js' */
import {salienceColor} from '../charts/palette.js';
import {placeNames} from '../charts/places.js';
import {svgElement} from '../charts/svg.js';
import {observable} from '../page/choices.js';
import {addScalarColumn, hasColumn, html, interpretation, nothing} from '../page/lit_host.js';
import {countOf, oneLine, significant} from '../words/format.js';
import {placeTitle, readingOf} from '../words/sentences.js';
import {drawnClasses, neuronHistogram} from './neuron_charts.js';
import {separationSentence} from './neuron_sentences.js';

/** How many words and contexts are shown of each end; more are asked for, since a text may hold several of the contexts. */
const TOP = 12;
const CONTEXTS = 8;
const ASKED = 30;
/** Characters in front of a context’s word. */
const ROOM_BEFORE = 24;
/** Where rows are words: the tag whose words are listed; null: those of all tags. */
export const listedTag = observable(/** @type {?string} */ (null));

/**
 * Wants what is known about the opened neuron.
 *
 * @param {any} panel  a panel about neurons; see `neuronPanel`
 */
export function askForEvidence(panel) {
  const opened = panel.opened();
  if (!opened) return;
  const {layer, unit} = opened;
  const inputs = panel.texts().map((/** @type {any} */ {example}) => example);
  // A number has no classes to stand side by side.
  if (hasClasses(panel)) panel.wantPart('distribution', 'neuron_evidence', [], {part: 'distribution', layer, unit});
  // A question of its own, so that the bars stay when another text is selected.
  // A sentence has no activation of its own where rows are words.
  if (inputs.length && panel.row() === 'text') panel.wantPart('marks', 'neuron_evidence', inputs, {part: 'column', layer, unit});
  // One pass over the texts finds the words of all neurons of a layer: asked for once, they follow the opened neuron.
  panel.wantOnDemand('words', 'neuron_evidence', [], {part: 'words', layer, unit, top: ASKED, ...tagConfig(panel)}, undefined, `words ${layer}`);
}

/** Whether rows have classes or tags. @param {any} panel */
function hasClasses(panel) {
  return panel.catalogue().label_names.length > 0;
}

/** The tag whose words are listed, as the server is asked for it. @param {any} panel @returns {{tag?: string}} */
function tagConfig(panel) {
  const tag = listedTag.get();
  return tag !== null && panel.row() === 'word' && panel.catalogue().label_names.includes(tag) ? {tag} : {};
}

/**
 * The opened neuron: its place, its activation by class, its words.
 *
 * @param {any} panel
 * @param {number} width
 */
export function renderEvidence(panel, width) {
  const opened = panel.opened();
  if (!opened) return nothing;
  const ranked = panel.answerOf('ranking').neurons.find((/** @type {any} */ {name}) => name === opened.name);
  const {title, n_units: nUnits} = panel.answerOf('ranking');
  const names = placeNames(panel.about());
  const where = [names && `of ${names[opened.layer]}`, ranked && `rank ${ranked.rank} of ${nUnits.toLocaleString('en-US')} by ${title}`].filter(Boolean);
  return [
    html`<div class="neuron-title"><b>Neuron ${opened.name}</b>${where.length ? html`<span class="rank">${where.join(', ')}</span>` : nothing}${panel.row() === 'text' ? renderColumnButton(panel, opened) : nothing}</div>`,
    hasClasses(panel) ? panel.renderSection('distribution', panel.row() === 'word' ? 'Activation by tag' : 'Activation by class', () => panel.renderPart('distribution', (/** @type {any} */ answer) => renderDistribution(panel, answer, width), 'There is no distribution.'), true) : nothing,
    panel.renderSection('top-words', 'Top words and contexts', () => [panel.row() === 'word' ? renderTagChoice(panel) : nothing, panel.renderOnDemand('words',
      {button: 'Find the words', about: panel.row() === 'word' ? `On which dev words do the neurons of ${placeTitle(opened.layer, names)} fire, and which tags do they have?`
        : `On which words of the dev texts do the neurons of ${placeTitle(opened.layer, names)} fire? Reads the texts once, for all of its neurons.`},
      (/** @type {any} */ answer) => renderWords(panel, answer))], true),
  ];
}

/** @param {any} panel */
function renderTagChoice(panel) {
  const chosen = tagConfig(panel).tag ?? '';
  const option = (/** @type {string} */ value, /** @type {string} */ words) => html`<option value=${value} ?selected=${value === chosen}>${words}</option>`;
  return html`<div class="set"><label>Among <select name="listed-tag" @change=${(/** @type {any} */ {target}) => listedTag.set(target.value === '' ? null : target.value)}>
    ${option('', 'the words of all tags')}${panel.catalogue().label_names.map((/** @type {string} */ name) => option(name, name))}</select></label></div>`;
}

/** @param {any} panel @param {{name: string, layer: number, unit: number}} neuron */
function renderColumnButton(panel, neuron) {
  const {model} = panel.seen;
  const name = columnName(model, neuron);
  if (isColumn(model, neuron)) return html`<span class="remark column-made" title=${`LIT lists it as “${name}”: in the data table, Color by, facets and slices`}>✓ a column in LIT</span>`;
  const asked = neuronColumns.get()[name];
  if (asked?.state === 'working') return html`<span class="remark">making the column …</span>`;
  return [asked?.state === 'failed' ? html`<span class="row-error" role="alert">${asked.message}</span>` : nothing,
    html`<button class="hairline-button make-column" title="Adds this neuron’s activation to LIT’s data: for the table, Color by, Embeddings, facets and slices"
      @click=${() => void makeColumn(panel.seen, neuron)}>Make it a column</button>`];
}

/** @param {any} panel @param {any} answer @param {number} width */
function renderDistribution(panel, answer, width) {
  const texts = panel.texts();
  const values = texts.length ? panel.answerOf('marks')?.values ?? [] : [];
  const marks = values.map((/** @type {number} */ value, /** @type {number} */ i) => ({label: texts[i].title.toLowerCase(), value}));
  // With two classes, one sentence says all that there is to say.
  const drawn = drawnClasses(answer.classes);
  const told = drawn.length === 2 && answer.classes.length === 2 ? drawn.slice(1) : drawn;
  const left = answer.classes.length - drawn.length;
  return [svgElement(neuronHistogram(answer, {width: Math.min(width, 620), marks, row: panel.row()})),
    told.map((/** @type {any} */ one) => html`<p class="words">${separationSentence(one, panel.row())}</p>`),
    html`<p class="words remark">${countOf(answer.n, `dev ${panel.row()}`)}, ${readingOf({pooling: answer.pooling, unit: panel.about().unit})}. Bars are shares of their class; ▲ is its mean.
      ${left ? `${left} other class${left === 1 ? '' : 'es'} with fewer examples ${left === 1 ? 'is' : 'are'} left out.` : ''}</p>`];
}

/** @param {any} panel @param {any} answer */
function renderWords(panel, answer) {
  const [highest, lowest] = [shownOf(answer.highest), shownOf(answer.lowest)];
  const {n_texts: nTexts, n_words: nWords, n_occurrences: nOccurrences, min_count: minCount, n_truncated: nTruncated} = answer;
  const read = panel.row() === 'word' ? `${countOf(nOccurrences, 'dev word')} in ${countOf(nTexts, 'sentence')}, ${countOf(nWords, 'different one')}` : `${countOf(nTexts, 'dev text')}, ${countOf(nWords, 'word')}`;
  const largest = Math.max(0, ...[...highest.words, ...lowest.words].map(({mean}) => Math.abs(mean - answer.mean)), ...[...highest.contexts, ...lowest.contexts].map(({value}) => Math.abs(value - answer.mean)));
  return [html`<div class="ends-of">${renderEnd(panel, 'Highest', highest, answer.mean, largest)}${renderEnd(panel, 'Lowest', lowest, answer.mean, largest)}</div>`,
    html`<p class="words remark">${read}; mean activations of words that occur at least ${minCount} times, coloured by their distance from the mean ${significant(answer.mean)}.
      ${nTruncated ? `${countOf(nTruncated, 'text')} were cut at the encoder’s limit. ` : ''}Click a context to select its text in LIT.</p>`];
}

/** The words of an end, and of each text the first context. @param {any} end */
function shownOf({words, contexts}) {
  const ofTexts = contexts.filter((/** @type {any} */ {text}, /** @type {number} */ i) => contexts.findIndex((/** @type {any} */ one) => one.text === text) === i);
  return {words: words.slice(0, TOP), contexts: ofTexts.slice(0, CONTEXTS)};
}

/** @param {any} panel @param {string} title @param {any} end @param {number} middle @param {number} largest */
function renderEnd(panel, title, {words, contexts}, middle, largest) {
  const select = (/** @type {string} */ id) => panel.selectionService.selectIds([id], panel);
  return html`<div class=${`end ${title.toLowerCase()}`}><h4>${title}</h4>
    <div class="word-list" dir="auto">${words.length === 0 ? html`<span class="pending">No word occurs often enough.</span>` : words.map((/** @type {any} */ {word, count, mean, peak, tag}) => {
      const {fill, text} = salienceColor(largest > 0 ? (mean - middle) / largest : 0, true);
      return html`<span class="chip" style=${`background:${fill};color:${text}`} title=${`${word}${tag ? ` (mostly ${tag})` : ''}: mean ${significant(mean)} over ${countOf(count, 'occurrence')}, peak ${significant(peak)}`}>${word} ${tag ? html`<small class="tag">${tag}</small> ` : nothing}<small>${mean.toFixed(2).replace('-', '−')}</small></span>`;
    })}</div>
    <ul class="contexts">${contexts.map((/** @type {any} */ {before, shown, word, after, value, id, tag}) => html`<li><span class="value">${value.toFixed(2).replace('-', '−')}</span>${tag ? html`<span class="tag" title=${`Its tag: ${tag}`}>${tag}</span>` : nothing}
      <button class="context" dir="auto" ?disabled=${id === null} title=${id === null ? 'LIT does not show this text' : `Select this text: …${before}${shown ?? word}${after}…`} @click=${() => select(id)}>${oneLine(tail(before))}<mark>${oneLine(shown ?? word)}</mark>${oneLine(after)}</button></li>`)}</ul></div>`;
}

/** The last words of what stands before a word: the word itself must stay in sight. @param {string} before */
function tail(before) {
  if (before.length <= ROOM_BEFORE) return before;
  const end = before.slice(-ROOM_BEFORE);
  return `…${end.slice(Math.max(0, end.indexOf(' ')))}`;
}

/** The columns that were asked for, by name, and how far each is. LIT itself knows which columns are there. */
export const neuronColumns = observable(/** @type {Record<string, {state: 'working'|'made'|'failed', message?: string}>} */ ({}));

/**
 * LIT's name of a neuron's column. LIT cuts long names off in its menus, so the neuron stands first; it separates a model from what it
 * predicts by a colon, and this column is no prediction, so the name holds none.
 *
 * @param {string} model
 * @param {{layer: number, unit: number}} neuron
 * @returns {string}
 */
function columnName(model, {layer, unit}) {
  return `neuron ${layer}.${unit} of ${model}`;
}

/**
 * Whether a neuron's column is there; LIT forgets columns when another data set is shown.
 *
 * @param {string} model
 * @param {{layer: number, unit: number}} neuron
 * @returns {boolean}
 */
function isColumn(model, neuron) {
  return hasColumn(columnName(model, neuron));
}

/**
 * Makes a neuron's pooled activation a column of LIT's data: for its table, Color by, facets and slices. Texts that are added later
 * get their value when they are added.
 *
 * @param {{model: string, dataset: string, rows: IndexedInput[]}} seen  the model, data set and rows that LIT shows
 * @param {{layer: number, unit: number}} neuron
 */
async function makeColumn({model, dataset, rows}, neuron) {
  const name = columnName(model, neuron);
  const tell = (/** @type {{state: 'working'|'made'|'failed', message?: string}} */ state) => neuronColumns.set({...neuronColumns.get(), [name]: state});
  const valuesOf = async (/** @type {IndexedInput[]} */ inputs) => {
    const answer = await interpretation({model, dataset, interpreter: 'neuron_evidence', inputs, config: {part: 'column', layer: neuron.layer, unit: neuron.unit}});
    if (answer.status !== 'ready') throw new Error(answer.message);
    return /** @type {number[]} */ (answer.values);
  };
  tell({state: 'working'});
  try {
    addScalarColumn({dataset, name, key: `neuron ${neuron.layer}.${neuron.unit}`, source: `Neuron:${model}`, inputs: rows, values: await valuesOf(rows), valueOf: async (input) => (await valuesOf([input]))[0]});
    tell({state: 'made'});
  } catch (error) {
    tell({state: 'failed', message: error instanceof Error ? error.message : String(error)});
  }
}
