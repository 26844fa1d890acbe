// @ts-check
/** The other encoders of "Probe by layer": their curves, and how far they are from the first one on the same rows. */
/** @import {Peer} from '../charts/types.js' */
/** @import {Asker} from '../page/leaving.js' */
/** @import {EncoderComparison, IndexedInput, LayerMetrics} from '../page/types.js' */
/** @import {Curve} from './comparison_section.js' */
import {placeNames} from '../charts/places.js';
import {answers, requestKey} from '../page/answers.js';
import {currentLayer, observable} from '../page/choices.js';
import {html, interpretation, nothing} from '../page/lit_host.js';
import {partsOf} from '../page/model_names.js';
import {formatCount} from '../words/format.js';
import {intervalText, placeTitle} from '../words/sentences.js';
import {comparable} from './comparison_section.js';
import {drawnSeries} from './curve_chart.js';
import {choices} from './curve_legend.js';
import {pText} from './overlays.js';

/**
 * Wants the curves of the other models, and their differences from the first.
 *
 * @param {any} panel @param {IndexedInput[]} selected @param {Record<string, unknown>} config  the question of the first curve
 * @param {Record<'selected'|'pinned', ?IndexedInput[]>} examples  whose predictions are wanted
 * @returns {Record<string, string>}  the keys of the answers
 */
export function askForPeers(panel, selected, config, examples) {
  const {others} = panel.seen;
  /** @type {Record<string, string>} */
  const keys = {};
  for (const model of panel.askedOthers ?? []) {
    if (others.includes(model)) continue;
    for (const what of ['curve', 'difference', ...Object.keys(examples)]) panel.want(`${what} ${model}`, 'layer_metrics', null, {});
  }
  panel.askedOthers = others;
  for (const model of others) {
    keys[`curve ${model}`] = panel.want(`curve ${model}`, 'layer_metrics', selected, config, model);
    for (const [slot, rows] of Object.entries(examples)) keys[`${slot} ${model}`] = panel.want(`${slot} ${model}`, 'layer_predictions', rows, {}, model);
    // Rows of another data set, or some of the rows, have no paired difference here: it is taken on all dev rows of the probes' own.
    const paired = selected.length === 0 && [panel.seen.model, model].every((one) => trainedOn(panel, one) === panel.seen.dataset);
    const question = {other: model, layer: currentLayer.get()};
    keys[`difference ${model}`] = panel.want(`difference ${model}`, 'encoder_comparison', paired ? [] : null, question);
  }
  return keys;
}

/** Whether the curve of the probes that the server started with is wanted beside that of probes that were made on the page. */
export const besideFirst = observable(false);

/**
 * Wants the curve of the probes on whose rows those on the page were made: on the same texts, with the labels of their own data set.
 *
 * @param {any} panel @param {Record<string, unknown>} config  the question of the curve on the page
 * @returns {Record<string, string>}
 */
export function askForFirst(panel, config) {
  const {asked_of: first} = panel.lastCurve?.answer ?? {};
  const wanted = first && besideFirst.get() && panel.seen.selected.length === 0;
  const request = {...first, interpreter: 'layer_metrics', inputs: [], config};
  const key = wanted ? requestKey(['layer_metrics', first.model, first.dataset, JSON.stringify(config)], []) : null;
  answers.want(panel, 'first', key, (/** @type {Asker} */ asker) => interpretation({...request, asker}));
  return {first: key ?? ''};
}

/** That curve, once it is there. @param {any} panel @returns {Peer[]} */
export function firstOf(panel) {
  const result = answers.read(panel.keys.first);
  const {asked_of: first} = panel.lastCurve?.answer ?? {};
  if (!first || result?.state !== 'ready') return [];
  const {answer} = result;
  return [{model: first.model, name: `${answer.encoder} (first probes, of ${answer.trained_on})`, answer, drawn: drawnSeries(answer.series, choices.get())}];
}

/** The box that asks for it, and why it is not drawn. @param {any} panel @param {LayerMetrics} answer */
export function renderFirst(panel, {asked_of: first}) {
  if (!first) return nothing;
  const result = answers.read(panel.keys.first);
  const change = () => besideFirst.set(!besideFirst.get());
  const selection = panel.seen.selected.length > 0 && besideFirst.get();
  return html`<div class="legend first"><label><input type="checkbox" name="first" .checked=${besideFirst.get()} @change=${change}>
    the first probes, of ${first.dataset}, on the same texts with their own labels</label>
    ${selection ? html`<span>drawn beside all examples only</span>` : result?.state === 'failed' ? html`<span>${result.message}</span>` : nothing}</div>`;
}

/** @param {any} panel @param {string} model */
const trainedOn = (panel, model) => partsOf(model, Object.keys(panel.appState.metadata.datasets))?.trainedOn;

/** The curves of the other models that are there. @param {any} panel @returns {Peer[]} */
export function peersOf(panel) {
  return panel.seen.others.flatMap((/** @type {string} */ model) => {
    const result = answers.read(panel.keys[`curve ${model}`]);
    if (result?.state !== 'ready') return [];
    const {answer} = result;
    const name = answer.trained_on === panel.lastCurve?.answer.trained_on ? answer.encoder : `${answer.encoder} (probes of ${answer.trained_on})`;
    return [{model, name, answer, drawn: drawnSeries(answer.series, choices.get())}];
  });
}

/** The other models whose curves are not there. @param {any} panel */
export function renderPeersOnTheirWay(panel) {
  return panel.seen.others.map((/** @type {string} */ model) => {
    const key = panel.keys[`curve ${model}`];
    const result = answers.read(key) ?? {state: 'loading'};
    if (result.state === 'ready') return nothing;
    const again = result.state === 'failed' && !result.said
      ? html` <button class="text-button" @click=${() => answers.retry(key)}>retry</button>` : nothing;
    return html`<div class="remark" role="status">${model}: ${result.message ?? 'scoring its probes …'}${again}</div>`;
  });
}

/** Each other encoder against the first one. @param {any} panel @param {Curve} curve @param {Peer[]} peers */
export function renderPeerDifferences(panel, curve, peers) {
  if (!comparable(curve)) return nothing;
  return peers.map((peer) => {
    const result = answers.read(panel.keys[`difference ${peer.model}`]);
    if (result?.state === 'failed') return html`<div class="remark difference">Not compared with ${peer.name}: ${result.message}</div>`;
    return result?.state === 'ready' ? html`<div class="remark difference">${encoderSentence(curve.answer.encoder, peer.name, result.answer, placeNames(curve.answer), placeNames(peer.answer))}</div>` : nothing;
  });
}

/**
 * How far two encoders are apart: "bert at layer 3 less electra at layer 2, on the same 166 dev rows: 0.060 [0.012, 0.108], p = 0.016
 * (McNemar’s test)".
 *
 * @param {string} one @param {string} other @param {EncoderComparison} found
 * @param {?string[]} [names]  what the places of the first one are called, where they are not all of its layers
 * @param {?string[]} [otherNames]  and those of the other one
 * @returns {string}
 */
export function encoderSentence(one, other, {layer, other: otherLayer, n, difference, low, high, p_mcnemar: mcnemar, p_bootstrap: bootstrap, reason}, names = null, otherNames = null) {
  const test = mcnemar === null ? `${pText(bootstrap)} (bootstrap test)` : `${pText(mcnemar)} (McNemar’s test)`;
  const doubt = reason ? `. Not to be relied on: ${reason}` : '';
  return `${one} at ${placeTitle(layer, names)} less ${other} at ${placeTitle(otherLayer, otherNames)}, on the same ${formatCount(n)} dev rows: ` +
    `${intervalText({layer, score: difference, low, high})}, ${test}${doubt}`;
}
