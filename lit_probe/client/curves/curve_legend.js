// @ts-check
/** What is drawn in "Probe by layer": a line for the splits and encoders that are drawn, and folded behind it what else can be. */
/** @import {DrawnSeries, Peer} from '../charts/types.js' */
/** @import {LayerMetrics} from '../page/types.js' */
/** @import {Examples} from '../words/sentences.js' */
import {COLORS, SPLIT_STYLES} from '../charts/palette.js';
import {placeNames} from '../charts/places.js';
import {observable} from '../page/choices.js';
import {html, nothing} from '../page/lit_host.js';
import {legendElement} from '../panels/parts.js';
import {formatCount} from '../words/format.js';
import {drawnOverlays, renderOverlayChoices, renderOverlaysElsewhere} from './comparison_section.js';
import {seriesLegend, splitSeries, stylesOf} from './curve_chart.js';

/** Choices outlive the elements: LIT re-creates panels. */
export const choices = observable({dev: true, testEverywhere: false, train: false, unfolded: false, mostProbable: false});

/**
 * The legend.
 *
 * @param {{answer: LayerMetrics, examples: Examples}} curve
 * @param {DrawnSeries[]} drawn
 * @param {Peer[]} peers
 * @param {?string} kind  of places of several kinds the one that single lines belong to, see `renderOverlaysElsewhere`; null where there is one kind
 */
export function renderLegend(curve, drawn, peers, kind) {
  const {answer, examples} = curve;
  const chosen = choices.get();
  const set = (/** @type {Partial<typeof chosen>} */ change) => choices.set({...choices.get(), ...change});
  const toggle = (/** @type {'dev'|'testEverywhere'|'train'} */ choice, /** @type {unknown} */ label) => html`<label>
    <input type="checkbox" name=${choice} .checked=${chosen[choice]} @change=${() => set({[choice]: !chosen[choice]})}>${label}</label>`;
  const heldOut = drawn.filter(({series}) => series.split !== 'train');
  const lines = [{name: answer.encoder, answer, drawn}, ...peers].map((one, i, all) => html`<div class="legend">
    ${all.length > 1 ? html`<b>${one.name}</b>` : nothing}
    ${one.drawn.filter(({mode}) => mode !== 'hidden').map((series) => html`<span>
      ${legendElement(kind === null || all.length > 1 || series.mode === 'point' ? splitSeries(series, one.answer.best_layer, stylesOf(i, all.length)).style
    : {color: COLORS.text, marker: null, dash: SPLIT_STYLES[series.series.split].dash}, series.mode !== 'point')}
      ${seriesLegend(series, one.answer.best_layer, examples, placeNames(one.answer))}</span>`)}</div>`);
  // Train is scored when asked for, so its rows may not be there yet.
  const nTrain = drawn.find(({series}) => series.split === 'train')?.series.n ?? answer.left_out.train;
  const beside = drawnOverlays(curve, peers.length > 0);
  return [lines, html`<details class="more" .open=${chosen.unfolded} @toggle=${(/** @type {Event} */ event) => set({unfolded: /** @type {HTMLDetailsElement} */ (event.target).open})}>
    <summary>Compare with …${beside.length ? html`<span class="counts"> drawn: ${beside.join(', ')}</span>` : nothing}</summary>
    ${renderOverlayChoices(curve)}
    <div class="legend">
      ${heldOut.length > 1 ? toggle('dev', 'dev curve') : nothing}
      ${heldOut.length > 1 ? toggle('testEverywhere', 'test at every layer') : nothing}
      ${nTrain > 0 ? toggle('train', `train (fit), n = ${formatCount(nTrain)}`) : nothing}</div>
  </details>`, renderOverlaysElsewhere(curve, peers.length > 0, kind)];
}
