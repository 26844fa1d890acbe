// @ts-check
/**
 * The parts of "Probe by layer" that compare its curve: which baselines and like layers are switched on, how far the server is with
 * them, and how far two layers are apart.
 *
 * @typedef {{answer: LayerMetrics, examples: Examples}} Curve  An answer, and what it is about.
 */
/** @import {DrawnSeries, Overlays} from '../charts/types.js' */
/** @import {LayerMetrics, Repeats} from '../page/types.js' */
/** @import {Examples} from '../words/sentences.js' */
import {placeNames} from '../charts/places.js';
import {answers} from '../page/answers.js';
import {currentLayer, observable, resolveLayer} from '../page/choices.js';
import {html, nothing} from '../page/lit_host.js';
import {legendElement} from '../panels/parts.js';
import {isSelection, placeTitle} from '../words/sentences.js';
import {NO_OVERLAYS} from './curve_chart.js';
import {alikeSentence, askedOfServer, comparedWith, differenceSentence, optimismSentence, OTHER_SPLITS, overlaysOf, repeatedText} from './overlays.js';

/** What is switched on, by name: baselines, `repeats` for other splits, and `alike` for the layers like the chosen one. */
const wishes = observable(/** @type {Record<string, boolean>} */ ({majority: true, alike: true}));
/** The layer that the current one is compared with; null: the chosen one. */
const comparedLayer = observable(/** @type {?number} */ (null));

const ALIKE = 'layers like the chosen one';

export const COMPARISON_CHOICES = [wishes, comparedLayer];

/**
 * Wants what the curve is compared with.
 *
 * @param {any} panel
 * @returns {Record<string, string>}  the keys of the answers
 */
export function askForComparison(panel) {
  const wanted = wishes.get();
  const pair = pairOf(panel);
  return {
    comparison: panel.want('comparison', 'probe_checks', wanted.alike ? [] : null, {check: 'layer_comparison'}),
    pair: panel.want('pair', 'probe_checks', pair && wanted.alike ? [] : null, {check: 'layer_comparison', layers: pair}),
    repeats: panel.want('repeats', 'probe_checks', wantsRepeats(panel) ? [] : null, configOf('repeats')),
    ...Object.fromEntries(askedOfServer(wanted).map((baseline) =>
      [baseline, panel.want(baseline, 'probe_checks', wanted[baseline] ? [] : null, configOf(baseline))])),
  };
}

/** Whether other splits are wanted: they take ten fits, so not for a band that is not drawn. @param {any} panel */
function wantsRepeats(panel) {
  return wishes.get().repeats && panel.seen.others.length === 0;
}

/** What the server is asked for a line. @param {string} name */
function configOf(name) {
  return name === OTHER_SPLITS.name ? {check: name} : {check: 'baselines', baseline: name};
}

/**
 * What is drawn beside the curve: measured on all dev examples by the headline metric, and so beside that curve only.
 *
 * @param {any} panel @param {Curve} curve @param {DrawnSeries[]} drawn
 * @param {boolean} several  whether other encoders share the chart: layers like the chosen one, and other splits, would be those of the first alone
 * @returns {Overlays}
 */
export function overlaysOn(panel, curve, drawn, several) {
  const {majority} = wishes.get();
  if (!comparable(curve)) return {...NO_OVERLAYS, majority};
  const compared = comparedWith(curve.answer);
  const baselines = Object.fromEntries(compared.flatMap(({name}) => {
    const result = answers.read(panel.keys[name]);
    return result?.state === 'ready' ? [[name, result.answer]] : [];
  }));
  const dev = drawn.find(({series}) => series.split === 'dev')?.series ?? null;
  const embeddings = placeNames(curve.answer) ? curve.answer.sites?.findIndex(({family, depth}) => family === 'layers' && depth === 0) ?? 0 : 0;
  return overlaysOf({
    compared, wishes: wishes.get(), baselines, comparison: several ? null : comparisonOf(panel), dev, repeats: repeatsOf(panel),
    embeddings: embeddings < 0 ? null : embeddings,
  });
}

/** The names of what is switched on and can be drawn. @param {Curve} curve @param {boolean} several  see `overlaysOn` @returns {string[]} */
export function drawnOverlays(curve, several) {
  const wanted = wishes.get();
  const names = comparedWith(curve.answer).filter(({name}) => wanted[name] && (name === 'majority' || comparable(curve))).map(({title}) => title);
  if (several || !comparable(curve)) return names;
  return [...names, ...(wanted.repeats ? [OTHER_SPLITS.title] : []), ...(wanted.alike ? [ALIKE] : [])];
}

/** The check boxes: what the curve is compared with. @param {Curve} curve */
export function renderOverlayChoices({answer}) {
  const wanted = wishes.get();
  const toggle = (/** @type {string} */ name, /** @type {unknown} */ label, nDraws = 1) => html`<label
    title=${nDraws > 1 ? `The mean of ${nDraws} random draws; the band is their range` : nothing}>
    <input type="checkbox" name=${name} .checked=${Boolean(wanted[name])} @change=${() => wishes.set({...wishes.get(), [name]: !wanted[name]})}>${label}</label>`;
  return html`<div class="legend overlays">
    ${comparedWith(answer).map(({name, title, style, nDraws}) => toggle(name, [legendElement(style), title, nDraws > 1 ? ` (${nDraws} draws)` : ''], nDraws))}
    ${toggle(OTHER_SPLITS.name, [legendElement(OTHER_SPLITS.style), `${OTHER_SPLITS.title} (line: mean, band: lowest to highest)`])}
    ${toggle('alike', html`<span class="swatch"></span> ${ALIKE}`)}</div>`;
}

/** Whether anything is switched on that has a number for each place. @param {LayerMetrics} answer @param {Record<string, boolean>} wanted */
function ofKinds({baselines}, wanted) {
  return Boolean(wanted.repeats || wanted.alike) || baselines.some(({name, n_draws: nDraws}) => wanted[name] && nDraws > 1);
}

/**
 * Why something that is switched on is not drawn.
 *
 * @param {Curve} curve @param {boolean} several  see `overlaysOn`
 * @param {?string} [kind]  the kind of places that the lines belong to, of several; empty for the heads, null where there is one kind
 */
export function renderOverlaysElsewhere(curve, several, kind = null) {
  const wanted = wishes.get();
  const hidden = !comparable(curve) && [...comparedWith(curve.answer), OTHER_SPLITS].some(({name}) => name !== 'majority' && wanted[name]);
  if (hidden) return html`<div class="remark hidden-overlays">Baselines and shading belong to all dev examples by the default metric and rule of ${curve.answer.trained_on}:
    they are drawn beside that curve only.</div>`;
  if (kind !== null && ofKinds(curve.answer, wanted)) {
    return html`<div class="remark hidden-overlays">${kind === '' ? 'Not drawn for heads: baselines by layer, other splits, and the bar of places like the chosen one.'
      : `Drawn for the current kind alone (${kind}): baselines by layer, other splits, and the bar of places like the chosen one.`}</div>`;
  }
  return wanted.repeats && several ? html`<div class="remark hidden-overlays">Other splits are drawn beside one encoder alone.</div>` : nothing;
}

/** The baselines that are not drawn yet, or cannot be: in one row under the chart, which stays where it is. @param {any} panel @param {Curve} curve */
export function renderWaiting(panel, {answer}) {
  const wanted = wishes.get();
  const drawn = [...comparedWith(answer).filter(({name}) => wanted[name]), ...(wantsRepeats(panel) ? [OTHER_SPLITS] : [])];
  const waiting = drawn.flatMap(({name, title}) => {
    const words = waitingWords(panel, name);
    return words === null ? [] : [html`<span>${title}: ${words}</span>`];
  });
  return waiting.length ? html`<div class="remark waiting" role="status">${waiting.map((one, i) => [i === 0 ? '' : ' · ', one])}</div>` : nothing;
}

/** How far a baseline is; null once it is drawn. @param {any} panel @param {string} name @returns {unknown} */
function waitingWords(panel, name) {
  const key = panel.keys[name];
  const result = answers.read(key);
  if (!result) return null;
  const again = (/** @type {string} */ word) => [' ', html`<button class="text-button start" @click=${() => answers.retry(key)}>${word}</button>`];
  if (result.state === 'failed') return [result.message, again('retry')];
  if (result.state === 'cancelled') return ['cancelled', again('start again')];
  if (result.state === 'ready') {
    const {reason, score, layers} = result.answer;
    return layers || score !== null ? null : `no score, ${reason}`;
  }
  const stop = () => panel.cancel(name, 'probe_checks', configOf(name));
  const share = result.fraction ? `${Math.round(100 * result.fraction)} %` : 'waiting';
  return [share, ' ', html`<button class="text-button cancel" @click=${stop}>cancel</button>`];
}

/** How far scores owe to the one split, in words, with the card behind it. @param {any} panel @param {Curve} curve @param {number} layer */
export function renderRepeats(panel, curve, layer) {
  const repeats = comparable(curve) ? repeatsOf(panel) : null;
  if (!repeats) return nothing;
  const value = repeatedText(repeats, layer);
  const names = placeNames(curve.answer);
  return [html`<div class="reading repeats"><b>${names ? names[layer] : `Layer ${layer}`}:</b>${panel.renderInfoButton(OTHER_SPLITS.name)}${value}</div>
    <div class="remark repeats">${repeats.sentence}</div>`, panel.renderCard({layer, value, metric: repeats.metric}, OTHER_SPLITS.name)];
}

/** What the number of other splits is, for the card behind it; null while that card is closed. @param {any} panel */
export function numberOfRepeats(panel) {
  return panel.openedFrom === OTHER_SPLITS.name ? {...configOf(OTHER_SPLITS.name), examples: 'train and dev examples of the probes’ own data set'} : null;
}

/** Whether layers differ, in words. @param {any} panel @param {Curve} curve @param {number} layer */
export function renderComparison(panel, curve, layer) {
  if (!wishes.get().alike || !comparable(curve)) return nothing;
  const result = answers.read(panel.keys.comparison);
  if (result?.state === 'failed') return html`<div class="remark comparison">Layers are not compared: ${result.message}</div>`;
  const comparison = comparisonOf(panel);
  if (!comparison) return nothing;
  return [renderDifference(panel, curve.answer, comparison, layer),
    html`<div class="remark comparison">${alikeSentence(comparison, placeNames(curve.answer))} ${optimismSentence(comparison, placeNames(curve.answer))}</div>`];
}

/** The current layer less another one. @param {any} panel @param {LayerMetrics} answer @param {any} comparison @param {number} layer */
function renderDifference(panel, answer, comparison, layer) {
  const best = comparison.best_layer;
  const pair = pairOf(panel);
  const others = Array.from({length: answer.n_layers}, (_, other) => other).filter((other) => other !== layer);
  const picked = pair ? pair[1] : layer === best ? null : best;
  const pick = (/** @type {Event} */ event) => {
    const value = /** @type {HTMLSelectElement} */ (event.target).value;
    comparedLayer.set(value === '' || Number(value) === best ? null : Number(value));
  };
  const found = pair ? answers.read(panel.keys.pair) : null;
  const words = !pair ? differenceSentence(comparison, layer, null)
    : found?.state === 'ready' ? differenceSentence(comparison, layer, found.answer) : found?.state === 'failed' ? found.message : '…';
  const names = placeNames(answer);
  return html`<div class="remark compared">${names ? names[layer] : `Layer ${layer}`} compared with <select aria-label="Compare with" @change=${pick}>
    ${picked === null ? html`<option value="" selected>pick a ${names ? 'place' : 'layer'}</option>` : nothing}
    ${others.map((other) => html`<option value=${other} ?selected=${other === picked}>${placeTitle(other, names)}${other === best ? ' (best)' : ''}</option>`)}
    </select>${words ? `: ${words}` : ''}</div>`;
}

/** The remarks of what is drawn beside this curve. @param {any} panel @param {Curve} curve @returns {string[]} */
export function comparisonNotes(panel, curve) {
  if (!comparable(curve)) return [];
  const wanted = wishes.get();
  const ofBaselines = comparedWith(curve.answer).filter(({name}) => wanted[name]).flatMap(({name}) => {
    const result = answers.read(panel.keys[name]);
    return result?.state === 'ready' ? result.answer.notes.map((/** @type {string} */ note) => `${result.answer.title}: ${note}`) : [];
  });
  const ofSplits = (repeatsOf(panel)?.notes ?? []).map((/** @type {string} */ note) => `${OTHER_SPLITS.title}: ${note}`);
  return [...(comparisonOf(panel)?.notes ?? []), ...ofSplits, ...ofBaselines];
}

/** The answer of the check `repeats`, once it is there. @param {any} panel @returns {?Repeats} */
function repeatsOf(panel) {
  const result = answers.read(panel.keys.repeats);
  return wantsRepeats(panel) && result?.state === 'ready' ? result.answer : null;
}

/** The answer of the check `layer_comparison`, once it is there. @param {any} panel */
function comparisonOf(panel) {
  const result = answers.read(panel.keys.comparison);
  return wishes.get().alike && result?.state === 'ready' ? result.answer : null;
}

/**
 * The current layer and the one that was picked to compare it with; null where the answer about the chosen layer has the two.
 *
 * @param {any} panel @returns {?[number, number]}
 */
function pairOf({lastCurve}) {
  const other = comparedLayer.get();
  if (!lastCurve || other === null || other >= lastCurve.answer.n_layers || other === lastCurve.answer.best_layer) return null;
  const layer = resolveLayer(currentLayer.get(), lastCurve.answer.best_layer, lastCurve.answer.n_layers);
  return layer === other ? null : [layer, other];
}

/** Whether rows are put in classes by the study's own rule. @param {Curve['answer']} answer */
const ownRule = ({decision, decision_of_study: own}) => decision === null || decision.rule === own;

/** Whether a curve is what the server's checks are about: all examples, the data set of the probes, the headline metric by the study's own rule. @param {Curve} curve */
export function comparable({answer, examples}) {
  return !isSelection(examples) && answer.own_rows && answer.metric === answer.headline && ownRule(answer) && answer.series.some(({split}) => split === 'dev');
}
