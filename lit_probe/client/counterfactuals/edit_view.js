// @ts-check
/**
 * One edit: what every layer makes of it and, once somebody asks, which words and neurons it changed.
 *
 * @typedef {{model: string, pair: EditPair, answer: any}} Drawn  A pair of texts with the answer about its way through the layers.
 */
/** @import {EditPair} from '../page/edit_pair.js' */
import {barCell} from '../charts/bar_cell.js';
import {figurePage} from '../charts/figure_page.js';
import {MARGIN} from '../charts/line_chart.js';
import {placeNames} from '../charts/places.js';
import {svgElement} from '../charts/svg.js';
import {answers} from '../page/answers.js';
import {observable} from '../page/choices.js';
import {pairNames} from '../page/edit_pair.js';
import {exampleText, html, nothing} from '../page/lit_host.js';
import {whenIdle} from '../page/waiting.js';
import {backButton, card, layerSlider, legendElement, renderNotes, renderSelect} from '../panels/parts.js';
import {amongNumbers, formatScore, oneLine, significant} from '../words/format.js';
import {decidedClass, layerHeading, layerName, placeTitle} from '../words/sentences.js';
import {
  asksNumber, DISTANCES, distanceChart, EDIT_STYLES, FIGURE, MEASURES, SMALL_MARGIN, trajectoryChart, trajectoryCsv, trajectoryValues, TYPICAL_STYLE,
} from './counterfactual_charts.js';
import {flipSentence, madeSentence} from './edit_pairs.js';

/** The details that a reader has opened by a button: each takes time and room. */
const opened = observable({salience: false, neurons: false});
/** A map of the words keeps the encoder busy, and the next edit would wait for it. So the map of a new pair is asked for when the page is idle. */
const IDLE_MS = 2000;
/** The pair whose words may be compared, because somebody asked for it or has paused. */
const released = observable('');

export const EDIT_CHOICES = [opened, released];

const EDIT_GUIDE = html`<details class="guide"><summary>How to read this</summary>
  <p><b>The question.</b> You change a word: which layers notice, and from which layer on does the probe answer otherwise? <b>The two lines</b> are
    the original and its edit; the room between them is the difference. Both follow one class, the one that the dev-chosen layer predicts for the
    original. The margin is that class’s logit less the largest other one: below 0 the probe answers otherwise. Where the
    probes are asked for a number, the lines are that number.</p>
  <p><b>The distances</b> say how far the text’s vector moved in each layer, whatever the probe makes of it. The cosine distance
    compares directions: 0 is the same one. The Mahalanobis distance counts standard deviations of the train texts along every direction, so that it tells how
    unusual the change is there. The dashed line is the distance that two train texts usually have: an edit far below it
    is a small step.</p>
  <p>What changes is what is <i>decodable</i> from a layer, not what the model uses. An edited example is never scored as data.
    <b>Click a layer</b> to make it the current one of all lit_probe panels; the words and neurons below follow it.</p></details>`;

/**
 * Wants what is known about the pair shown.
 *
 * @param {any} panel
 * @returns {Record<string, string>}  the keys of the answers
 */
export function askForEdit(panel) {
  const {view, method} = panel.chosen();
  const pair = view === 'edit' ? panel.pair() : null;
  const inputs = pair ? [pair.original, pair.edit] : null;
  const want = (/** @type {string} */ slot, /** @type {unknown} */ wanted, /** @type {Record<string, unknown>} */ config) =>
    panel.want(slot, 'counterfactual_by_layer', wanted, config);
  const trajectory = want('trajectory', inputs, {part: 'trajectory'});
  const known = inputs ? answers.read(trajectory) : undefined;
  const answer = known?.state === 'ready' ? known.answer : null;
  const layer = String(answer ? panel.layerOf(answer) : 0);
  const at = (/** @type {'salience'|'neurons'} */ part) => (answer && opened.get()[part] ? inputs : null);
  const salience = at('salience');
  const mayAsk = pair !== null && released.get() === pairKey(pair);
  holdWords(panel, salience && pair && !mayAsk ? pairKey(pair) : null);
  return {
    trajectory,
    // The first edit should not wait until the encoder is loaded.
    prepared: want('prepared', [], {part: 'prepare'}),
    salience: want('salience', mayAsk ? salience : null, {part: 'salience', layer, ...(method ? {method} : {})}),
    neurons: want('neurons', at('neurons'), {part: 'neurons', layer}),
  };
}

/** Lets a pair's words wait until the page is idle; null: none waits. @param {any} panel @param {?string} pair */
export function holdWords(panel, pair) {
  if (pair === (panel.held?.pair ?? null)) return;
  panel.held?.end();
  panel.held = pair === null ? null : {pair, end: whenIdle(() => released.set(pair), IDLE_MS, document)};
}

/** Compares the words of the pair shown without waiting. @param {any} panel */
function release(panel) {
  const pair = panel.pair();
  if (pair) released.set(pairKey(pair));
}

/** What tells a pair from others. @param {EditPair} pair */
function pairKey({original, edit}) {
  return JSON.stringify([original.id, edit.id]);
}

/** The view of one pair of texts. @param {any} panel */
export function renderEdit(panel) {
  const {measure} = panel.chosen();
  const pair = panel.pair();
  const result = pair ? answers.read(panel.keys.trajectory) ?? {state: 'loading'} : null;
  if (pair && result?.state === 'ready') panel.last = {model: panel.seen.model, pair, answer: result.answer};
  const shown = result?.state === 'ready' || result?.state === 'loading' ? panel.last : null;
  const drawn = shown && shown.model === panel.seen.model ? shown : null;
  const options = Object.entries(MEASURES).map(([value, {title}]) => ({value, title}));
  return html`<div class="module-container">
    ${panel.renderToolbar(drawn && asksNumber(drawn.answer) ? nothing
      : html`<span class="toolbar-part">${renderSelect('measure', 'Show', options, measure, (value) => panel.choose({measure: value}))}</span>`,
      result?.state === 'ready' && drawn ? editFiles(panel, drawn) : null)}
    <div class="module-results-area">
      ${!pair || !result ? renderNoPair(panel.seen) : drawn ? renderTrajectory(panel, drawn, result.state === 'loading') : panel.renderWaiting(result, 'The two texts could not be compared.', 'trajectory')}
      ${EDIT_GUIDE}
    </div>
  </div>`;
}

/** @param {{pair: null|'orphan'}} seen */
function renderNoPair({pair}) {
  if (pair === 'orphan') return card('The original of this edit is not among the examples any more, so there is nothing to compare it with. Pin another example to compare the two.');
  return card(html`Select an example, change its text in the Datapoint Editor and press <b>Add</b>: this panel shows what every layer makes of the edit. Or pin one example and select another.`);
}

/** What the edit did: at which layers the probe answers otherwise, or how far its number moves. @param {any} answer */
function changeSentence(answer) {
  const {identical, best_layer: best, layers} = answer;
  if (!asksNumber(answer) || identical) return flipSentence(answer, placeNames(answer));
  const {before: [before], after: [after], margin_change: change} = layers[best];
  return `At ${placeTitle(best, placeNames(answer))}, chosen on dev, the number goes from ${amongNumbers(before, [after])} to ${amongNumbers(after, [before])} (${change > 0 ? '+' : ''}${significant(change)}).`;
}

/** @param {any} panel @param {Drawn} drawn @param {boolean} stale */
function renderTrajectory(panel, {answer, pair}, stale) {
  const layer = panel.layerOf(answer);
  const {measure} = panel.chosen();
  const names = pairNames(pair.how);
  const {width, height} = panel.size;
  const size = {width, height: Math.round(Math.max(170, Math.min(0.5 * width, 0.36 * height, 300)))};
  const view = {current: layer, hovered: panel.hoveredLayer};
  const small = {width: Math.floor(width / 2), height: 112, ...view};
  const words = (/** @type {number} */ at) => layerWords(answer, at, names, measure);
  return html`<div class=${stale ? 'stale' : 'fresh'} aria-busy=${stale ? 'true' : 'false'}>
    <div class="caption flip" role="status"><b>${changeSentence(answer)}</b></div>
    ${answer.warnings.filter((/** @type {any} */ {kind}) => kind !== 'same_text').map((/** @type {any} */ {kind, message}) => html`<div class="warning" data-kind=${kind} role="alert">${message}</div>`)}
    ${pair.how === 'edit' && pair.edit.meta.rule ? html`<div class="caption made">${madeSentence(pair.edit.meta)}</div>` : nothing}
    <div class="two-texts">${(/** @type {const} */ (['original', 'edit'])).map((which, i) => html`
      <span class="who">${legendElement(EDIT_STYLES[which])}${names[i]}</span>
      <span class=${`says ${which}`} dir="auto">${markedWords(answer.words[i === 0 ? 'before' : 'after'])}</span>`)}</div>
    ${layerSlider({
      chart: svgElement(trajectoryChart(answer, measure, {...size, ...view})), nLayers: answer.n_layers, layer, hover: (under) => panel.hover(under),
      words: [layerName(layer, answer.layer_names), ...words(layer)].join(', '),
      tooltip: panel.hoveredLayer === null ? nothing : panel.renderTooltip([layerName(panel.hoveredLayer, answer.layer_names), ...words(panel.hoveredLayer)], answer.n_layers, MARGIN, width),
    })}
    <div class="reading"><b>${layerHeading(layer, answer.best_layer, answer.layer_names)}:</b> ${words(layer).join(' · ')}
      ${backButton(layer, answer.best_layer, placeNames(answer))}</div>
    <div class="distances">${(/** @type {const} */ (['cosine', 'mahalanobis'])).map((name) => html`<div>
      <h4>${DISTANCES[name].title}: ${significant(answer.layers[layer][name])} <span title=${DISTANCES[name].words}>two train texts: ${significant(answer.layers[layer][`typical_${name}`])}</span></h4>
      ${layerSlider({chart: svgElement(distanceChart(answer, name, small)), nLayers: answer.n_layers, layer, margin: SMALL_MARGIN, tooltip: nothing, hover: (under) => panel.hover(under),
        words: `${DISTANCES[name].title} ${significant(answer.layers[layer][name])}`})}</div>`)}</div>
    ${renderDetail(panel, 'salience', 'Which words?', `Compare the salience at ${placeTitle(layer, placeNames(answer))}`, (/** @type {any} */ found, /** @type {number} */ room) => wordChanges(found, room, names, placeNames(answer)))}
    ${renderDetail(panel, 'neurons', 'Which neurons?', `Find the neurons of ${placeTitle(layer, placeNames(answer))} that moved most`, (/** @type {any} */ found, /** @type {number} */ room) => neuronChanges(found, room, placeNames(answer)))}
    ${renderNotes(answer.notes ?? [], answer)}
  </div>`;
}

/** What the two texts get at a layer. @param {any} answer @param {number} layer @param {string[]} names @param {string} measure @returns {string[]} */
function layerWords(answer, layer, names, measure) {
  const row = answer.layers[layer];
  if (asksNumber(answer)) {
    const numbers = [row.before[0], row.after[0]];
    return [...names.map((name, i) => `${name.toLowerCase()} ${amongNumbers(numbers[i], numbers)}`), `the number changes by ${row.margin_change > 0 ? '+' : ''}${significant(row.margin_change)}`];
  }
  const top = (/** @type {number[]} */ probabilities) => decidedClass(answer.label_names, probabilities, answer.decision.shares);
  const {before, after} = trajectoryValues(answer, measure)[layer];
  const change = measure === 'margin' ? significant(after - before) : formatScore(after - before);
  return [`${names[0].toLowerCase()} ${top(row.before)}`, `${names[1].toLowerCase()} ${top(row.after)}`, `${MEASURES[measure].title} of “${answer.class_name}” changes by ${after > before ? '+' : ''}${change}`,
    ...(row.flipped ? ['answers otherwise'] : [])];
}

/**
 * Something more about the edit at the current layer, once it is asked for.
 *
 * @param {any} panel @param {'salience'|'neurons'} part @param {string} title @param {string} button @param {(answer: any, width: number) => unknown} renderAnswer
 */
function renderDetail(panel, part, title, button, renderAnswer) {
  const toggle = () => {
    if (part === 'salience' && !opened.get().salience) release(panel);
    opened.set({...opened.get(), [part]: !opened.get()[part]});
  };
  if (!opened.get()[part]) return html`<div class="detail"><div class="detail-title"><b>${title}</b><button class=${`hairline-button open-${part}`} @click=${toggle}>${button}</button></div></div>`;
  const known = answers.read(panel.keys[part]);
  const result = known ?? {state: 'loading'};
  const held = part === 'salience' && panel.held !== null && !known;
  const ready = result.state === 'ready' ? result.answer : null;
  const methods = part === 'salience' && ready ? ready.methods : [];
  return html`<div class=${`detail ${part}`}><div class="detail-title"><b>${title}</b><button class="text-button" @click=${toggle}>hide</button>
      ${methods.length ? html`<select aria-label="Salience method" @change=${(/** @type {any} */ {target}) => panel.choose({method: target.value})}>
        ${methods.map((/** @type {any} */ {name, title: words}) => html`<option value=${name} ?selected=${name === ready.method}>${words}</option>`)}</select>` : nothing}</div>
    ${ready ? renderAnswer(ready, panel.size.width - 24) : held ? html`<div class="held" role="status">The words of this edit are compared once nobody has typed or clicked for ${IDLE_MS / 1000} seconds.
      <button class="text-button" @click=${() => release(panel)}>compare now</button></div>` : panel.renderWaiting(result, 'This could not be computed.', part)}
    ${result.state === 'failed' && panel.chosen().method ? html`<button class="hairline-button" @click=${() => panel.choose({method: ''})}>Back to the usual method</button>` : nothing}</div>`;
}

/** @param {any} panel @param {Drawn} drawn */
function editFiles(panel, {answer, pair}) {
  const {model, dataset} = panel.seen;
  const {measure} = panel.chosen();
  const texts = {original: exampleText(pair.original), edit: exampleText(pair.edit)};
  return {
    name: `counterfactual_by_layer_${model}_${dataset}`,
    csv: trajectoryCsv(model, dataset, texts, answer),
    figure: figurePage({
      title: `Counterfactual by layer: ${answer.encoder} on ${dataset}`,
      setting: `${answer.pooling} pooling · ${answer.probe} probes trained on ${answer.trained_on}`,
      charts: [trajectoryChart(answer, measure, FIGURE), .../** @type {const} */ (['cosine', 'mahalanobis']).map((name) => distanceChart(answer, name, {...FIGURE, height: 130}))],
      legend: [{style: EDIT_STYLES.original, line: true, label: oneLine(texts.original)}, {style: EDIT_STYLES.edit, line: true, label: oneLine(texts.edit)},
        {style: TYPICAL_STYLE, line: true, label: 'two train texts (median)'}],
      footnotes: [changeSentence(answer), 'From top to bottom: the probe, the cosine distance and the Mahalanobis distance of the two texts.'],
    }),
  };
}

const LABEL = 0.34;
const NUMBERS = 150;

/**
 * Both texts marked where they differ.
 *
 * @param {[string, boolean][]} words  the words with the space before them, and for each whether the other text lacks it there
 */
function markedWords(words) {
  return words.map(([word, changed]) => {
    const [, before, letters, after] = /** @type {RegExpMatchArray} */ (word.match(/^(\s*)(.*?)(\s*)$/s));
    return changed ? html`${before}<mark>${letters}</mark>${after}` : word;
  });
}

/**
 * How the salience of each word changes with the edit.
 *
 * @param {any} answer  the part `salience` of `counterfactual_by_layer`
 * @param {number} width
 * @param {string[]} names  the names of the two texts
 * @param {?string[]} places  what places that are not all of an encoder's layers are called
 */
function wordChanges(answer, width, names, places) {
  const name = (/** @type {any} */ {kind, before, after}) => (kind === 'same' ? after : kind === 'replaced' ? `${before} → ${after}` : kind === 'added' ? `+ ${after}` : `− ${before}`);
  const domain = domainOf(answer.rows.map((/** @type {any} */ row) => row.change));
  const write = (/** @type {number} */ value) => (answer.scalar === 'number' ? amongNumbers(value, [answer.value_before, answer.value_after]) : significant(value));
  const what = answer.scalar === 'number' ? 'the number' : `the margin of “${answer.class_name}”`;
  return html`<p>${answer.title} of ${what} at ${placeTitle(answer.layer, places)}, which goes from ${write(answer.value_before)} to ${write(answer.value_after)}.
      The bar is the change of a word’s salience${answer.signed ? '' : '; this method tells sizes only, no direction'}. Words that differ are bold.</p>
    ${table(width, ['word', 'change', names.map((one) => one.toLowerCase()).join(' → ')], answer.rows.map((/** @type {any} */ row) => ({
      name: name(row), changed: row.kind !== 'same', value: row.change, domain, numbers: `${significant(row.score_before)} → ${significant(row.score_after)}`,
    })))}
    <div class="notes">${answer.marks.map((/** @type {string} */ words, /** @type {number} */ i) => (words ? html`<div>${names[i]}: ${words}</div>` : nothing))}
      ${answer.notes.map((/** @type {string} */ note) => html`<div>${note}</div>`)}</div>`;
}

/**
 * The neurons through which the edit moved the probe's answer most.
 *
 * @param {any} answer  the part `neurons` of `counterfactual_by_layer`
 * @param {number} width
 * @param {?string[]} places  what places that are not all of an encoder's layers are called
 */
function neuronChanges(answer, width, places) {
  const domain = domainOf(answer.neurons.map((/** @type {any} */ one) => one.moved));
  const what = answer.against_name === null ? 'The number' : `The margin of “${answer.class_name}” over “${answer.against_name}”`;
  return html`<p>${what} changes by ${significant(answer.change)} at ${placeTitle(answer.layer, places)}. A neuron’s part is its change, in
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
