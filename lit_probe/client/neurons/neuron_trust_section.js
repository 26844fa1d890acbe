// @ts-check
/** The sections on how far a ranking can be trusted: its stability, its quality, and neurons that fire together. */
import {heatColor} from '../charts/palette.js';
import {placeNames} from '../charts/places.js';
import {svgElement} from '../charts/svg.js';
import {observable} from '../page/choices.js';
import {html, nothing} from '../page/lit_host.js';
import {renderLegend} from '../panels/parts.js';
import {countOf, formatScore, inSentence} from '../words/format.js';
import {intervalText, placeTitle} from '../words/sentences.js';
import {RANKING_STYLES, rankingQualityChart, STABILITY_STYLES, stabilityChart} from './neuron_charts.js';
import {partsOf, pickUnits} from './neuron_choices.js';
import {percent, stabilitySentence} from './neuron_sentences.js';

const CHART_HEIGHT = 210;
/** The classifier that judges a ranking; null: the first one. */
export const evaluator = observable(/** @type {?string} */ (null));
/** Two clusters are joined when the mean |r| between them is at least 1 less this number. */
export const clusterThreshold = observable(0.5);
/** By how many percentage points the smallest set may fall short of all neurons. */
export const minimalWithin = observable(1);
/** Which share of the neurons the rankings are compared on; null: the first one. */
export const comparedPercent = observable(/** @type {?number} */ (null));

/**
 * Wants how far the ranking can be trusted, as far as the reader asked.
 *
 * @param {any} panel  a panel about neurons; see `neuronPanel`
 */
export function askForTrust(panel) {
  const [ranking, layer] = [panel.ranking(), panel.rankedLayer()];
  const {method, ...options} = ranking;
  const judge = evaluator.get() ?? panel.catalogue().evaluators[0].name;
  panel.wantOnDemand('stability', 'neuron_ranking', [], {...ranking, layer, top: 1, stability: true}, (/** @type {any} */ answer) => answer.stability);
  panel.wantOnDemand('evaluation', 'neuron_ablation', [], {part: 'evaluation', ...ranking, layer, evaluator: judge});
  panel.wantOnDemand('minimal', 'neuron_ablation', [], {part: 'minimal_set', ...ranking, layer, evaluator: judge, within: minimalWithin.get()});
  panel.wantOnDemand('comparison', 'neuron_ablation', [], {part: 'comparison', ...options, layer});
  const opened = panel.opened();
  if (opened) {
    panel.wantOnDemand('clusters', 'neuron_evidence', [], {part: 'clusters', ...ranking, layer: opened.layer, unit: opened.unit, threshold: clusterThreshold.get()}, undefined, `clusters ${opened.layer}`);
  }
}

/** @param {any} panel @param {number} width */
export function renderStability(panel, width) {
  return panel.renderSection('stability', 'Is the ranking stable?', () => panel.renderOnDemand('stability',
    {button: 'Measure stability', about: `Ranks again on resampled training ${panel.row() === 'word' ? 'sentences' : 'texts'}: how many of the first k stay the same?`},
    (/** @type {any} */ answer) => [
      svgElement(stabilityChart(answer, {width, height: CHART_HEIGHT})),
      renderLegend([{style: STABILITY_STYLES.between, label: 'between two resamples (90 % of pairs)'}, {style: STABILITY_STYLES.full, label: 'with this ranking'}, {style: STABILITY_STYLES.chance, label: 'chance'}]),
      html`<p class="words verdict">${stabilitySentence(answer, panel.row())}</p>`,
      html`<p class="words">Most often among the first ones: ${[...answer.frequent].sort((a, b) => b.share - a.share).slice(0, 8).map((/** @type {any} */ {name, share}, /** @type {number} */ i) =>
        html`${i ? ', ' : ''}<button class="text-button open-neuron" @click=${() => panel.choose({opened: name})}>${name}</button> ${percent(share)}`)}</p>`,
    ]));
}

/** @param {any} panel @param {number} width */
export function renderQuality(panel, width) {
  const {evaluators} = panel.catalogue();
  const judge = evaluator.get() ?? evaluators[0].name;
  return panel.renderSection('quality', 'Is the ranking any good?', () => [
    html`<div class="set"><label>Judged by <select name="evaluator" @change=${(/** @type {any} */ event) => evaluator.set(event.target.value)}>
      ${evaluators.map((/** @type {any} */ {name, title}) => html`<option value=${name} ?selected=${name === judge}>${title}</option>`)}</select></label></div>`,
    panel.renderOnDemand('evaluation', {button: 'Measure', about: 'Fits the classifier again on the first, the last and random neurons alone.'}, (/** @type {any} */ answer) => renderEvaluation(panel, answer, width)),
    html`<div class="set"><label>Smallest set within <input type="number" name="within" min="0" max="100" step="0.5" .value=${String(minimalWithin.get())} @change=${changeWithin}> percentage points of all neurons</label></div>`,
    panel.renderOnDemand('minimal', {button: 'Find the smallest set', about: `The shortest beginning of the list that was found to score so. It is chosen and scored on the same dev ${panel.row()}s, which flatters it a little.`}, (/** @type {any} */ answer) => renderMinimal(panel, answer)),
    panel.renderOnDemand('comparison', {button: 'Compare all rankings', about: 'Every ranking judged by every classifier: a ranking may only suit its own. Takes long.'}, renderComparison),
  ]);
}

/** @param {any} event */
function changeWithin({target}) {
  if (target.value !== '' && target.checkValidity()) minimalWithin.set(Number(target.value));
  else target.value = String(minimalWithin.get());
}

/** @param {any} panel @param {any} answer @param {number} width */
function renderEvaluation(panel, answer, width) {
  const [first] = answer.points;
  return [svgElement(rankingQualityChart(answer, {width, height: CHART_HEIGHT})),
    renderLegend([{style: RANKING_STYLES.top, label: 'first k %'}, {style: RANKING_STYLES.bottom, label: 'last k %'}, {style: RANKING_STYLES.random, label: `random k %: mean and middle 95 % of ${answer.n_draws} draws`}]),
    html`<p class="words verdict">From the first ${countOf(first.k, 'neuron')} (${first.percent} %) the concept is decodable with ${inSentence(answer.metric_title)} ${interval(first.top)}; from as many random ones with ${formatScore(first.random.mean)}.</p>`,
    html`<p class="words remark">${countOf(answer.n_dev, `dev ${panel.row()}`)}. Dashed: all ${answer.n_units} neurons (${formatScore(answer.full.value)})${answer.majority === null ? '' : `, and the majority baseline (${formatScore(answer.majority)})`}.</p>`];
}

/** @param {any} panel @param {any} answer */
function renderMinimal(panel, answer) {
  const layer = partsOf(answer.names[0] ?? '0:0').layer;
  const units = answer.names.map(partsOf).filter((/** @type {any} */ one) => one.layer === layer).map((/** @type {any} */ {unit}) => unit);
  const oneLayer = units.length === answer.names.length;
  return html`<p class="words">The first <b>${countOf(answer.k, 'neuron')}</b> (${significantPercent(answer.percent)}) reach ${interval(answer.score)}; all ${answer.n_units}: ${interval(answer.full)}. Chosen and scored on the same ${countOf(answer.n_dev, `dev ${panel.row()}`)}.
    ${oneLayer && units.length ? html`<button class="text-button choose-minimal" @click=${() => panel.choose({picked: pickUnits(panel.chosen().picked, layer, units)})}>choose them</button>` : nothing}</p>`;
}

/** @param {any} answer */
function renderComparison({tables, titles, evaluator_titles: judges, full, n_draws: draws}) {
  const table = tables.find((/** @type {any} */ {percent: share}) => share === comparedPercent.get()) ?? tables[0];
  const cell = (/** @type {?number} */ value) => {
    const {fill, text} = heatColor(value ?? 0);
    return value === null ? html`<td>–</td>` : html`<td style=${`background:${fill};color:${text}`}>${formatScore(value)}</td>`;
  };
  const band = (/** @type {any} */ {mean, low, high}) => {
    const {fill, text} = heatColor(mean);
    return html`<td style=${`background:${fill};color:${text}`}>${formatScore(mean)} <small>${formatScore(low)}–${formatScore(high)}</small></td>`;
  };
  return html`<div class="set"><label>Read from the first <select name="compared" @change=${(/** @type {any} */ event) => comparedPercent.set(Number(event.target.value))}>
      ${tables.map((/** @type {any} */ {percent: share, k}) => html`<option value=${share} ?selected=${share === table.percent}>${share} % (${countOf(k, 'neuron')})</option>`)}</select></label></div>
    <table class="crossed"><caption class="words">Score from the first neurons of each ranking, by each classifier; of ${draws} random sets the mean and the middle 95 %</caption>
    <thead><tr><th></th>${judges.map((/** @type {string} */ title) => html`<th scope="col">${title}</th>`)}</tr></thead>
    <tbody>${table.scores.map((/** @type {any[]} */ scores, /** @type {number} */ i) => html`<tr><th scope="row">${titles[i]}</th>${scores.map((score) => cell(valueOf(score)))}</tr>`)}
      <tr><th scope="row">random neurons</th>${table.random.map(band)}</tr>
      <tr><th scope="row">all neurons</th>${full.map((/** @type {any} */ score) => cell(valueOf(score)))}</tr></tbody></table>`;
}

/** @param {any} panel */
export function renderClusters(panel) {
  const opened = panel.opened();
  if (!opened) return nothing;
  const threshold = clusterThreshold.get();
  return panel.renderSection('clusters', 'Neurons that fire together', () => [
    html`<div class="set"><label title="Clusters are joined as long as the neurons of one and those of the other correlate at least this much on the training rows: the mean |r| over their pairs">mean |r| at least <input type="range" name="threshold" min="0" max="1" step="0.05" .value=${String(1 - threshold)}
      @change=${(/** @type {any} */ event) => clusterThreshold.set(Number((1 - Number(event.target.value)).toFixed(2)))}><b>${(1 - threshold).toFixed(2)}</b></label></div>`,
    panel.renderOnDemand('clusters', {button: 'Find clusters', about: `Of the neurons of ${placeTitle(opened.layer, placeNames(panel.about()))}, by how their activations on the training ${panel.row()}s correlate.`}, (/** @type {any} */ answer) => renderCluster(panel, opened, answer)),
  ]);
}

/** @param {any} panel @param {{name: string, layer: number, unit: number}} opened @param {any} answer */
function renderCluster(panel, {name, layer, unit}, {clusters, cluster, n_units: nUnits, n_clusters: nClusters, n}) {
  const own = clusters[cluster];
  const others = own.units.filter((/** @type {number} */ one) => one !== unit);
  const pick = (/** @type {number[]} */ units) => panel.choose({picked: pickUnits(panel.chosen().picked, layer, units)});
  const link = (/** @type {number} */ one) => html`<button class="text-button open-neuron" @click=${() => panel.choose({opened: `${layer}:${one}`})}>${layer}:${one}</button>`;
  return [
    others.length === 0 ? html`<p class="words">${name} stands alone: no other neuron’s activation follows it that closely.</p>`
      : html`<p class="words">${name} fires together with${others.map(link)}${own.independent === unit ? '' : html`; the best of them is${link(own.independent)}`}. <button class="text-button choose-cluster" @click=${() => pick(own.units)}>choose this cluster</button></p>`,
    html`<p class="words">Largest clusters: ${clusters.slice(0, 5).filter((/** @type {any} */ {units}) => units.length > 1).map((/** @type {any} */ {units, independent}, /** @type {number} */ i) =>
      html`${i ? ', ' : ''}<button class="text-button" title=${units.map((/** @type {number} */ one) => `${layer}:${one}`).join(', ')} @click=${() => pick(units)}>${units.length} around ${layer}:${independent}</button>`)}</p>`,
    html`<p class="words remark">${nUnits} neurons, ${countOf(nClusters, 'cluster')}, ${countOf(n, `training ${panel.row()}`)}. Click on one to choose it.</p>`,
  ];
}

/** @param {any} score */
function valueOf(score) {
  return typeof score === 'number' ? score : score?.value ?? null;
}

/** @param {{value: ?number, low: ?number, high: ?number}} score */
function interval({value, low, high}) {
  return intervalText({layer: 0, score: value, low, high});
}

/** @param {number} value  a share in percent */
function significantPercent(value) {
  return `${value.toFixed(value < 10 ? 1 : 0)} %`;
}
