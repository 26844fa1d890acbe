// @ts-check
/** The section that switches neurons off and shows what the later layers say. */
import {placeNames} from '../charts/places.js';
import {svgElement} from '../charts/svg.js';
import {currentWord, observable} from '../page/choices.js';
import {exampleText, html, nothing} from '../page/lit_host.js';
import {renderLegend} from '../panels/parts.js';
import {countOf, formatCount, formatScore, oneLine} from '../words/format.js';
import {leftOutSentences, placeTitle} from '../words/sentences.js';
import {ABLATION_STYLES, ablationCurve, ablationRows, beforeAfter, rowsDomain, wordAblationRows} from './neuron_charts.js';
import {changeConfig, isOff, pickUnits, setWords, togglePick, unitsAt} from './neuron_choices.js';
import {curveVerdict, movedSentence, percent, textVerdict} from './neuron_sentences.js';

/** Random sets that a change is held against. */
const N_RANDOM = 20;
const SAMPLE = 200;
const CHART_HEIGHT = 210;
/** Pixels beside the drawing of a text’s effects. */
const NAMES = 74;
const NUMBERS = 158;
/** How many neurons are named one by one. */
const MOST_NAMED = 8;
/** How many words with another tag are named one by one. */
const MOST_TURNED = 12;
const REPLACED_BY = /** @type {Record<string, string>} */ ({
  mean: 'their usual value', zero: 'zero', resample: 'their values at random tokens of other texts', scale: 'themselves, times a factor',
});

/** How many of the list are chosen by the button. */
export const topCount = observable(10);

/**
 * Wants what the later layers say without what is switched off.
 *
 * @param {any} panel  a panel about neurons; see `neuronPanel`
 */
export function askForEffects(panel) {
  const layer = panel.changedLayer();
  const choices = panel.chosen();
  panel.wantOnDemand('erasure', 'neuron_ablation', [], {part: 'erasure'});
  if (!isOff(choices, layer)) return;
  const texts = panel.texts().map((/** @type {any} */ {example}) => example);
  const change = changeConfig(choices, layer);
  if (texts.length) panel.wantPart('effect', 'neuron_ablation', texts, {part: 'text', ...change, n_random: N_RANDOM});
  panel.wantOnDemand('curve', 'neuron_ablation', panel.seen.selected, {part: 'curve', ...change, sample: SAMPLE, n_random: N_RANDOM});
}

/**
 * A set of neurons, or the probe's direction, switched off and on again, and what the later layers say.
 *
 * @param {any} panel
 * @param {number} width
 */
export function renderEffects(panel, width) {
  const layer = panel.changedLayer();
  const choices = panel.chosen();
  const off = isOff(choices, layer);
  const named = choices.what === 'direction' ? `the probe’s direction at ${placeTitle(layer, placeNames(panel.about()))}` : setWords(layer, unitsAt(choices.picked, layer), placeNames(panel.about()));
  return panel.renderSection('switch', html`Switch off and see${off ? html` <span class="status-off">off: ${named}</span>` : nothing}`, () => [
    html`<p class="words">The concept is <i>decodable from</i> these neurons. Whether the pass depends on them shows when they are taken away: what do the later layers and the model’s own head say then?</p>`,
    renderSet(panel, layer, off),
    off ? [renderTexts(panel, width), renderCurve(panel, width)] : nothing,
  ], true);
}

/** @param {any} panel @param {number} layer @param {boolean} off */
function renderSet(panel, layer, off) {
  const choices = panel.chosen();
  const {what, replacement, factor, picked} = choices;
  const opened = panel.opened();
  const units = unitsAt(picked, layer);
  const nothingPicked = what === 'neurons' && units.length === 0;
  // With nothing chosen, the neuron that is looked at is meant.
  const switchOff = () => panel.choose({picked: nothingPicked && opened ? togglePick(picked, opened.name) : picked, off: {layer, what}});
  const noneAtAll = nothingPicked && !opened;
  const elsewhere = picked.length - units.length;
  const option = (/** @type {string} */ value, /** @type {string} */ words, /** @type {string} */ chosen) => html`<option value=${value} ?selected=${value === chosen}>${words}</option>`;
  return [html`<div class="set">
      <label>Take away <select name="what" @change=${(/** @type {any} */ event) => panel.choose({what: event.target.value, off: null})}>
        ${option('neurons', 'the chosen neurons', what)}${option('direction', 'the probe’s direction', what)}</select></label>
      ${what === 'direction' ? html`<span class="members">It is projected out of every token at ${placeTitle(layer, placeNames(panel.about()))}.</span>`
        : html`<label>and put in their place <select name="replacement" @change=${(/** @type {any} */ event) => panel.choose({replacement: event.target.value})}>
          ${panel.catalogue().replacements.map((/** @type {string} */ name) => option(name, REPLACED_BY[name] ?? name, replacement))}</select></label>
        ${replacement === 'scale' ? html`<label>factor <input type="range" name="factor" min="-2" max="10" step="0.25" .value=${String(factor)}
          @change=${(/** @type {any} */ event) => panel.choose({factor: Number(event.target.value)})}><b>${String(factor).replace('-', '−')}</b></label>` : nothing}`}
    </div>`,
    what === 'direction' ? nothing : html`<div class="set">
      <span class="members">Chosen: ${nothingPicked ? 'none by hand yet' : html`<b>${membersWords(layer, units)}</b>`}${elsewhere ? ` (and ${elsewhere} of other layers: one layer is changed at a time)` : ''}</span>
      <span><button class="text-button choose-top" @click=${() => panel.choose({picked: pickUnits(picked, layer, firstOfList(panel, layer))})}>choose the first</button>
        <input type="number" name="first" aria-label="How many of the list" min="1" max="1000" step="1" .value=${String(topCount.get())} @change=${changeTop}> of the list</span>
      ${nothingPicked ? nothing : html`<button class="text-button choose-none" @click=${() => panel.choose({picked: pickUnits(picked, layer, [])})}>choose none</button>`}
    </div>`,
    html`<div class="set">${off ? html`<button class="filled-button restore" @click=${() => panel.choose({off: null})}>Restore</button>`
      : html`<button class="filled-button switch-off" ?disabled=${noneAtAll} @click=${switchOff}>${what === 'direction' ? 'Project it out' : replacement === 'scale' ? `Scale ${setWords(layer, nothingPicked && opened ? [opened.unit] : units, placeNames(panel.about()))}` : `Switch off ${setWords(layer, nothingPicked && opened ? [opened.unit] : units, placeNames(panel.about()))}`}</button>`}
      ${noneAtAll || (nothingPicked && choices.off?.layer === layer) ? html`<span class="members">No neuron is chosen, so nothing is changed.</span>` : nothing}</div>`];
}

/** @param {any} event */
function changeTop({target}) {
  if (target.value !== '' && target.checkValidity()) topCount.set(Number(target.value));
  else target.value = String(topCount.get());
}

/** @param {any} panel @param {number} layer @returns {number[]} */
function firstOfList(panel, layer) {
  const neurons = /** @type {import('../page/types.js').RankedNeuron[]} */ (panel.answerOf('ranking')?.neurons ?? []);
  return neurons.filter((one) => one.layer === layer).slice(0, topCount.get()).map(({unit}) => unit);
}

/** @param {number} layer @param {number[]} units */
function membersWords(layer, units) {
  const named = units.slice(0, MOST_NAMED).map((unit) => `${layer}:${unit}`).join(', ');
  return units.length > MOST_NAMED ? `${named} and ${units.length - MOST_NAMED} more` : named;
}

/** What the shown texts become. @param {any} panel @param {number} width */
function renderTexts(panel, width) {
  const texts = panel.texts();
  if (texts.length === 0) return html`<p class="words">Select a ${panel.row() === 'word' ? 'sentence' : 'text'} in LIT to see at once what becomes of it.</p>`;
  const render = panel.row() === 'word' ? renderWordTables : renderTables;
  return panel.renderPart('effect', (/** @type {any} */ answer) => render(panel, answer, width), 'The pass could not be changed.');
}

/** @param {any} panel @param {any} answer @param {number} width */
function renderTables(panel, answer, width) {
  return [renderKey(answer.random?.n ?? 0),
    panel.texts().map((/** @type {any} */ {title, example}, /** @type {number} */ i) => {
      const rows = ablationRows(answer, i, placeNames(panel.about()));
      const text = exampleText(example);
      return [html`<div class="effects-of" title=${text}><b>${title} text</b> <span class="quote" dir="auto">${oneLine(text)}</span></div>`,
        renderTable(rows, `${title} text`, title.toLowerCase(), width),
        html`<p class="words verdict">${textVerdict(rows, answer.random?.n ?? 0, answer.judged[i])}</p>`,
        answer.judged[i].moved > 0 ? html`<p class="words remark">${movedSentence(answer.judged[i])}</p>` : nothing];
    }),
    renderOwnProbe(), answer.notes.map((/** @type {string} */ note) => html`<p class="words remark">${note}</p>`)];
}

/** What becomes of the words of each sentence, and of one of them at each layer. @param {any} panel @param {any} answer @param {number} width */
function renderWordTables(panel, answer, width) {
  const {n_random: nRandom, label_names: names, layers, examples, notes} = answer;
  const last = layers.length - 1;
  return [renderKey(nRandom),
    panel.texts().map((/** @type {any} */ {title, example}, /** @type {number} */ i) => {
      const {words} = examples[i];
      const read = words.map((/** @type {any} */ word, /** @type {number} */ place) => ({...word, place})).filter((/** @type {any} */ word) => word.read);
      if (read.length === 0) return html`<p class="words">No word of the ${title.toLowerCase()} sentence was read.</p>`;
      const turned = read.filter(({said, now}) => said[last] !== now[last]);
      const word = shownWord(read, example.id, turned[0] ?? read[0]);
      const rows = wordAblationRows(answer, word, placeNames(panel.about()));
      const text = exampleText(example);
      const pick = (/** @type {number} */ place) => currentWord.set({example: example.id, place});
      const change = (/** @type {any} */ one) => html`<button class="text-button turned" title="Make it the current word" @click=${() => pick(one.place)}>${one.word}: ${names[one.said[last]]} → ${names[one.now[last]]}</button>`;
      return [html`<div class="effects-of" title=${text}><b>${title} sentence</b> <span class="quote" dir="auto">${oneLine(text)}</span></div>`,
        html`<p class="words">${turned.length ? [`${countOf(turned.length, 'word')} of ${read.length} ${turned.length === 1 ? 'gets' : 'get'} another tag at ${placeTitle(layers[last], placeNames(panel.about()))}: `, turned.slice(0, MOST_TURNED).map(change),
          turned.length > MOST_TURNED ? `and ${turned.length - MOST_TURNED} more.` : nothing] : `All ${countOf(read.length, 'word')} keep their tags at ${placeTitle(layers[last], placeNames(panel.about()))}.`}</p>`,
        html`<div class="set"><label>The word <select name="shown-word" dir="auto" @change=${(/** @type {any} */ {target}) => pick(Number(target.value))}>
          ${read.map((/** @type {any} */ one) => html`<option value=${String(one.place)} ?selected=${one.place === word.place}>${one.word}</option>`)}</select></label>
          <span class="members">${word.tag === null ? 'It has no tag of its own.' : `Its tag: ${names[word.tag]}.`}</span></div>`,
        renderTable(rows, `${title} sentence, “${word.word}”,`, title.toLowerCase(), width),
        html`<p class="words verdict">${textVerdict(rows, nRandom, word.judged, 'word')}</p>`,
        word.judged.moved > 0 ? html`<p class="words remark">${movedSentence(word.judged)}</p>` : nothing];
    }),
    renderOwnProbe(), notes.map((/** @type {string} */ note) => html`<p class="words remark">${note}</p>`)];
}

/** The current word, where it is one of these; else another. @param {any[]} words  those that were read @param {string} id  of their sentence @param {any} other */
function shownWord(words, id, other) {
  const current = currentWord.get();
  return (current?.example === id ? words.find(({place}) => place === current.place) : null) ?? other;
}

/** @param {number} nRandom */
function renderKey(nRandom) {
  return html`<div class="legend"><span><i class="ring"></i>before</span><span><i class="dot"></i>without</span>${nRandom ? html`<span><i class="grey"></i>${nRandom} random changes of like size</span>` : nothing}</div>`;
}

function renderOwnProbe() {
  return html`<p class="words remark">* Its own probe reads what was changed: only later layers say something about the pass.</p>`;
}

/** @param {import('./neuron_charts.js').AblationRow[]} rows @param {string} name @param {string} className @param {number} width */
function renderTable(rows, name, className, width) {
  const column = Math.max(60, Math.min(260, width - 24 - NAMES - NUMBERS));
  const domain = rowsDomain(rows);
  return html`<table class="effects ${className}" aria-label=${`${name} before and after`}>
    <colgroup><col style=${`width:${NAMES}px`}><col style=${`width:${column}px`}><col></colgroup>
    <thead><tr><th></th><th><span class="ends" style=${`width:${column - 8}px`}><span>${domain[0].toFixed(2)}</span><span>${domain[1].toFixed(2)}</span></span></th><th></th></tr></thead>
    <tbody>${rows.map((row) => html`<tr><th scope="row" title=${row.own ? 'The probe of the changed layer reads the change itself; only later layers say something about the pass' : nothing}>${row.name}${row.own ? '*' : ''}</th>
      <td title=${row.low === null ? nothing : `random changes: ${formatScore(row.low)} to ${formatScore(row.high)}`}>${svgElement(beforeAfter(row, {width: column - 8, height: 18, domain}))}</td>
      <td class="numbers" title=${`probability of ${row.className}`}>${row.className} ${row.before.toFixed(3)} → <b>${row.after.toFixed(3)}</b>${row.predictedAfter === row.className ? nothing : html` <span class="flips">now ${row.predictedAfter}</span>`}</td></tr>`)}</tbody></table>`;
}

/** What becomes of many texts. @param {any} panel @param {number} width */
function renderCurve(panel, width) {
  const {selected, slice} = panel.seen;
  const words = panel.row() === 'word';
  const text = words ? 'sentence' : 'text';
  const which = selected.length ? `${slice ? `slice “${slice}”` : 'the selection'}, ${countOf(selected.length, text)}` : `the ${words ? 'words of the dev sentences' : 'dev texts'}`;
  return html`<div class="over-data"><h4>Over the data</h4>${panel.renderOnDemand('curve',
    {button: 'Measure over the data', about: `Over ${which} (${formatCount(SAMPLE)} ${words ? 'sentences ' : ''}at most, drawn by seed), beside ${N_RANDOM} random changes of like size.`},
    (/** @type {any} */ answer) => [
      svgElement(ablationCurve(answer, {width, height: CHART_HEIGHT, nLayers: panel.about().n_layers, current: answer.layer, sites: panel.about().sites})),
      renderLegend([{style: ABLATION_STYLES.before, label: 'before'}, {style: ABLATION_STYLES.after, label: 'without'}, {style: ABLATION_STYLES.random, label: `${answer.n_random} random changes: mean and range`}]),
      html`<p class="words verdict">${curveVerdict(answer, placeNames(panel.about()))}</p>`,
      html`<p class="words remark">${answer.title} over ${countOf(answer.n, `${answer.rows.split} ${panel.row()}`)}${answer.rows.source === 'selection' ? ' of the selection' : ''}. ${sizesSentence(answer)}
        ${leftOutSentences(answer.rows.left_out, true).join('; ')}</p>`,
    ])}</div>`;
}

/** @param {any} answer */
function sizesSentence(answer) {
  const sizes = movedSentence(answer);
  return answer.model ? `${sizes} Of the model’s own answers ${percent(answer.model.flipped)} change.` : sizes;
}

/**
 * LEACE: the concept erased from every layer, beside a random direction.
 *
 * @param {any} panel
 * @param {number} width
 */
export function renderErasure(panel, width) {
  return panel.renderSection('erasure', 'Erase the concept at every layer (LEACE)', () => panel.renderOnDemand('erasure',
    {button: 'Erase and fit again', about: `Takes away from each ${panel.row()}’s ${panel.row() === 'word' ? 'vector' : 'pooled activations'} what a linear probe could use on the training ${panel.row()}s, fits new probes, and does the same with random directions of equal rank.`},
    (/** @type {any} */ answer) => [
      svgElement(ablationCurve(answer, {width, height: CHART_HEIGHT, nLayers: panel.about().n_layers, current: panel.changedLayer(), intervals: true, sites: panel.about().sites})),
      renderLegend([{style: ABLATION_STYLES.before, label: 'before'}, {style: ABLATION_STYLES.after, label: 'after LEACE'}, {style: ABLATION_STYLES.random, label: 'after erasing random directions'}]),
      html`<p class="words remark">${answer.title} of newly fitted probes on ${countOf(answer.n, `dev ${panel.row()}`)}; rank ${answer.rank}; bands: 95 % intervals.
        On the training ${panel.row()}s that it was fitted to, LEACE leaves no linear probe anything; on dev ${panel.row()}s a little may be left. It changes the
        ${panel.row() === 'word' ? 'vectors' : 'pooled activations'} of one layer at a time, not the pass, so this says nothing about what the model’s later layers do.</p>`,
    ]));
}
