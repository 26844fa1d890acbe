// @ts-check
/**
 * Probes from a file on the panel "Probe by layer": how well they do on the rows of the curve, and their class for each row of LIT's
 * table. The file stays on the page and goes to the server with each question; the server keeps nothing of it.
 *
 * @typedef {object} Loaded  A file that a reader has chosen.
 * @property {string} name  what the file is called
 * @property {string} content  its bytes in base64
 * @property {number} hash  a short number for the content
 */
/** @import {ChartSeries} from '../charts/types.js' */
/** @import {Asker} from '../page/leaving.js' */
/** @import {IndexedInput, KeptProbeClasses, KeptProbeScores} from '../page/types.js' */
/** @import {Curve} from './comparison_section.js' */
import {COLORS} from '../charts/palette.js';
import {placeNames} from '../charts/places.js';
import {answers, requestKey} from '../page/answers.js';
import {observable} from '../page/choices.js';
import {hashOf} from '../page/hash.js';
import {addCategoryColumn, hasColumn, html, interpretation, nothing} from '../page/lit_host.js';
import {legendElement} from '../panels/parts.js';
import {MAX_FILE, base64Of} from '../words/files.js';
import {formatCount} from '../words/format.js';
import {intervalText, layerList, placeList, placeTitle} from '../words/sentences.js';

/** The file that is shown, and why the one that was chosen last is not. Both outlive the panels, which LIT re-creates. */
export const loadedProbes = observable(/** @type {{file: ?Loaded, problem: string}} */ ({file: null, problem: ''}));

// Unlike the diamond of test.
const STYLE = {color: COLORS.ink, marker: /** @type {const} */ ('square'), dash: '6 3', width: 1.5};

/**
 * Takes a file that was chosen on the page.
 *
 * @param {File} file
 */
export async function loadProbes(file) {
  if (file.size > MAX_FILE) {
    loadedProbes.set({file: null, problem: `${file.name} is larger than the ${MAX_FILE / 2 ** 20} MiB that the page takes. Use lit-probe predict.`});
    return;
  }
  try {
    const content = base64Of(new Uint8Array(await file.arrayBuffer()));
    loadedProbes.set({file: {name: file.name, content, hash: hashOf([content])}, problem: ''});
  } catch (error) {
    // It was moved or changed since it was chosen.
    const why = error instanceof Error ? error.message.replace(/\.$/, '') : error;
    loadedProbes.set({file: null, problem: `${file.name} cannot be read: ${why}. Choose it again.`});
  }
}

/**
 * Wants what the file's probes make of the rows of the curve, and of all rows that LIT shows.
 *
 * @param {any} panel @param {IndexedInput[]} selected @param {string} metric
 * @returns {Record<string, string>}  the keys of the answers
 */
export function askForKeptProbe(panel, selected, metric) {
  const {file} = loadedProbes.get();
  const config = {metric, whole: selected.length === 0};
  return {
    keptScores: want(panel, 'keptScores', file, selected, {part: 'scores', ...config}),
    keptClasses: want(panel, 'keptClasses', file, panel.seen.unedited, {part: 'classes'}),
  };
}

/** As `want` of the panel, with the file's hash in the key in place of the file. @param {any} panel @param {string} slot @param {?Loaded} file @param {IndexedInput[]} inputs @param {Record<string, unknown>} config */
function want(panel, slot, file, inputs, config) {
  const {model, dataset, fits} = panel.seen;
  const key = requestKey(['kept_probe', model, dataset, JSON.stringify(config), String(file?.hash)], inputs.map(({id}) => id));
  const load = (/** @type {Asker} */ asker) => interpretation({model, dataset, interpreter: 'kept_probe', inputs, config: {...config, file: file?.content}, asker});
  answers.want(panel, slot, fits && file ? key : null, load);
  return key;
}

/** The control that takes a file. */
export function renderLoadButton() {
  const take = (/** @type {Event} */ event) => {
    const input = /** @type {HTMLInputElement} */ (event.target);
    const [file] = input.files ?? [];
    input.value = ''; // The same file may be chosen again.
    if (file) void loadProbes(file);
  };
  const choose = (/** @type {Event} */ event) => {
    const button = /** @type {HTMLElement} */ (event.target);
    /** @type {HTMLInputElement} */ (button.nextElementSibling).click();
  };
  return html`<button class="hairline-button load-probes" @click=${choose}
      title="Load a file of probes that was saved here, by lit-probe layers --save_probes or in Python: it is scored on these rows, and nothing of it is kept on the server">Load probes…</button>
    <input class="probe-file" type="file" accept=".safetensors" hidden aria-label="File of probes" @change=${take}>`;
}

/**
 * The line of the file's probes on dev, for the chart; none while there is no score by the metric of the curve.
 *
 * @param {any} panel @param {Curve} curve
 * @returns {ChartSeries[]}
 */
export function keptLines(panel, {answer}) {
  const scores = scoresOf(panel);
  const dev = scores?.metric === answer.metric ? scores.series.find(({split}) => split === 'dev') : undefined;
  if (!dev) return [];
  const points = Array.from({length: answer.n_layers}, (_, layer) => {
    const {score, low, high} = dev.layers.find((one) => one.layer === layer) ?? {score: null, low: null, high: null};
    return {x: layer, score, low, high};
  });
  return [{name: 'kept-probe', mode: dev.layers.length > 1 ? 'line' : 'point', points, style: STYLE, band: false, label: 'probes of the file', inTable: 'probes of the file'}];
}

/** What is known of the file's probes at a layer, in words. @param {any} panel @param {number} layer  the current layer */
export function renderKeptProbe(panel, layer) {
  const {file, problem} = loadedProbes.get();
  if (problem) return html`<div class="card error kept-probe" role="alert"><div class="message">${problem}</div>${removeButton()}</div>`;
  if (!file) return nothing;
  const result = answers.read(panel.keys.keptScores) ?? {state: 'loading'};
  if (result.state === 'failed') {
    return html`<div class="card error kept-probe" role="alert"><b>${file.name} cannot be used here.</b>
      <div class="message">${result.message}</div>${removeButton()}</div>`;
  }
  if (result.state !== 'ready') return html`<div class="remark kept-probe" role="status">${file.name}: scoring …</div>`;
  const names = panel.lastCurve ? placeNames(panel.lastCurve.answer) : null;
  const {answer} = /** @type {{answer: KeptProbeScores}} */ (result);
  return html`<div class="card kept-probe" role="status">
    <div>${legendElement(STYLE)} <b>${file.name}</b>: ${answer.title}, ${formatCount(answer.n_train)} rows</div>
    ${scoreLines(answer, layer, names).map((line) => html`<div class="kept-score">${line}</div>`)}
    ${leftOutWords(answer).map((note) => html`<div class="kept-note">${note}</div>`)}
    <div class="kept-note">Their class for each row at ${placeTitle(answer.layer, names)} is the column “${columnName(file)}” of LIT’s table, for Color by and slices.</div>
    ${removeButton()}</div>`;
}

function removeButton() {
  return html`<button class="hairline-button remove-probes" @click=${() => loadedProbes.set({file: null, problem: ''})}>Remove</button>`;
}

/**
 * The scores at a layer, and at the layer that was chosen for the file's probes where that is another one.
 *
 * @param {KeptProbeScores} answer @param {number} layer @param {?string[]} [names]  what places that are not all of an encoder's layers are called
 * @returns {string[]}
 */
export function scoreLines({layers, layer: own, series, same_classes: same}, layer, names = null) {
  if (!same) return [];
  if (series.length === 0) return ['None of these rows can be scored.'];
  const at = (/** @type {number} */ where) => series.flatMap(({split, n, layers: scores, reliable, reason}) => scores
    .filter((score) => score.layer === where)
    .map((score) => `${split} ${intervalText(score)}, n = ${formatCount(n)}${reliable ? '' : ` (not to be relied on: ${reason})`}`)).join(' · ');
  const lines = [`Their chosen ${names ? `place ${names[own]}` : `layer ${own}`}: ${at(own)}`];
  if (names && layer !== own) lines.unshift(`${names[layer]}: ${layers.includes(layer) ? at(layer) : `the file has ${placeList(layers, names)} alone`}`);
  else if (layer !== own) lines.unshift(layers.includes(layer) ? `Layer ${layer}: ${at(layer)}` : `Layer ${layer}: the file has layer${layers.length > 1 ? 's' : ''} ${layerList(layers)} alone`);
  return lines;
}

/** What is not scored, and by which rule the rest is. @param {KeptProbeScores} answer @returns {string[]} */
export function leftOutWords({n_trained_on: n, notes}) {
  if (n === 0) return notes;
  const what = n === 1 ? 'One of these rows is left out: the file’s probes were trained on its text' : `${formatCount(n)} of these rows are left out: the file’s probes were trained on their texts`;
  return [`${what}.`, ...notes];
}

/** Adds the column of classes once they are there. LIT drops it when it shows another data set. @param {any} panel */
export function showKeptClasses(panel) {
  const {file} = loadedProbes.get();
  const result = answers.read(panel.keys.keptClasses);
  const {model, dataset, unedited} = panel.seen ?? {};
  if (!file || result?.state !== 'ready' || hasColumn(columnName(file))) return;
  const {classes, vocabulary} = /** @type {KeptProbeClasses} */ (result.answer);
  if (classes.length !== unedited.length) return;
  const ofAdded = async (/** @type {IndexedInput} */ input) => {
    const config = {part: 'classes', file: file.content};
    return (await interpretation({model, dataset, interpreter: 'kept_probe', inputs: [input], config})).classes[0];
  };
  addCategoryColumn({dataset, name: columnName(file), source: 'lit_probe', inputs: unedited, values: classes, vocabulary, ofAdded});
}

/**
 * The column is of one content: another file of the same name is another column. LIT inserts names of columns as HTML, so there are
 * no brackets of tags in it.
 *
 * @param {Loaded} file
 */
export function columnName({name, hash}) {
  return `${name.replace(/\.safetensors$/, '').replaceAll('<', '‹').replaceAll('>', '›')} ${hash.toString(36).slice(-4)}`;
}

/** @param {any} panel @returns {?KeptProbeScores} */
function scoresOf(panel) {
  const result = loadedProbes.get().file ? answers.read(panel.keys.keptScores) : null;
  return result?.state === 'ready' ? result.answer : null;
}
