// @ts-check
/** Many pairs of an original and its edit: how the probes of all layers follow them, and which kinds of pairs they do not follow. */
/** @import {CounterfactualPairs} from '../page/types.js' */
import {barCell} from '../charts/bar_cell.js';
import {figurePage} from '../charts/figure_page.js';
import {MARGIN} from '../charts/line_chart.js';
import {placeNames} from '../charts/places.js';
import {svgElement} from '../charts/svg.js';
import {answers} from '../page/answers.js';
import {html, nothing} from '../page/lit_host.js';
import {backButton, card, layerSlider, renderLegend, renderNotes, renderSelect} from '../panels/parts.js';
import {countOf, formatCount, formatScore} from '../words/format.js';
import {intervalText, layerHeading, layerName, placeTitle} from '../words/sentences.js';
import {FIGURE, pairsCharts, pairsCsv, PAIRS_STYLES} from './counterfactual_charts.js';
import {failingPairs, idsOfPairs, judgedSentence, PAIR_COLUMN} from './edit_pairs.js';

/** The name by which edits made on the page are told apart: by the rule or generator that made them. No column has this name. */
const BY_RULE = '_rule';

const PAIRS_GUIDE = html`<details class="guide"><summary>How to read this</summary>
  <p><b>The question.</b> A probe can be right by habit, on words that merely go with the label. Does it also follow an edit that changes the label?
    <b>Consistency</b> is the share of pairs in which it is right on both texts; <b>flip rate</b> the share in which its answer changes at all;
    <b>median change</b> how far the probability of the edit’s label rises from the original to the edit. Bands are 95 % intervals over pairs. Where
    nothing is expected of the label (HotFlip, Masked Words, many edits by rule), no answer is right or wrong: such an edit counts in the flip rate alone.</p>
  <p><b>Which kinds fail?</b> Choose a column under “By”. Click a kind to select its pairs in LIT, or only those that the current layer’s probe does not
    follow, and read them. With many kinds, some differ by chance: few pairs have wide intervals.</p>
  <p>Of a data set only the dev rows are looked at; test is there to be scored once. Edits made on this page are in no other score.</p></details>`;

const NO_PAIRS = card(html`This data set has no column <b>${PAIR_COLUMN}</b> that says which rows are an original and its edit, and nothing was edited on this page yet.
    Edit examples in the Datapoint Editor, or make some under Generate: all of them are looked at here.`);

/**
 * Wants what is known about many pairs.
 *
 * @param {any} panel
 * @returns {Record<string, string>}  the key of the answer
 */
export function askForPairs(panel) {
  const asked = panel.chosen().view === 'pairs' ? askedPairs(panel) : null;
  return {pairs: panel.want('pairs', 'counterfactual_pairs', asked && asked.inputs, asked?.config ?? {})};
}

/** What is asked about many pairs; null inputs: there are no pairs. @param {any} panel */
function askedPairs(panel) {
  const {edited, columns, hasPairs} = panel.seen;
  const {by, source: wanted} = panel.chosen();
  /** @type {'dataset'|'sent'} */
  const source = !hasPairs || (wanted === 'sent' && edited.pairs.length > 0) ? 'sent' : 'dataset';
  const inputs = source === 'dataset' ? [] : edited.pairs.length ? edited.pairs.flat() : null;
  return {inputs, config: {source, by: kindsOf(panel, source).includes(by) ? by : by === '-' ? '' : firstKind(columns)}};
}

/** By what pairs can be told apart. @param {any} panel @param {'dataset'|'sent'} source @returns {string[]} */
function kindsOf(panel, source) {
  return [...panel.seen.columns, ...(source === 'sent' ? [BY_RULE] : [])];
}

/** The column by which pairs are told apart until another is chosen. @param {string[]} columns */
function firstKind(columns) {
  return columns.includes('phenomenon') ? 'phenomenon' : '';
}

/** What people read of a way to tell pairs apart. @param {string} by */
function kindTitle(by) {
  return by === BY_RULE ? 'rule or generator' : by;
}

/** The view of many pairs. @param {any} panel */
export function renderPairs(panel) {
  const {hasPairs, edited} = panel.seen;
  const {inputs, config} = askedPairs(panel);
  const columns = kindsOf(panel, config.source);
  const result = inputs ? answers.read(panel.keys.pairs) ?? {state: 'loading'} : null;
  const answer = result?.state === 'ready' ? result.answer : null;
  const sources = [{value: 'dataset', title: `pairs of the data set (${PAIR_COLUMN})`}, {value: 'sent', title: `edits made here (${formatCount(edited.pairs.length)})`}];
  const kinds = [...columns.map((value) => ({value, title: kindTitle(value)})), {value: '-', title: '(all together)'}];
  const controls = html`
    ${hasPairs && edited.pairs.length ? html`<span class="toolbar-part">${renderSelect('source', 'Pairs', sources, config.source, (source) => panel.choose({source}))}</span>` : nothing}
    ${columns.length ? html`<span class="toolbar-part">${renderSelect('by', 'By', kinds, config.by || '-', (by) => panel.choose({by}))}</span>` : nothing}`;
  return html`<div class="module-container">
    ${panel.renderToolbar(controls, answer ? pairsFiles(panel, answer) : null)}
    <div class="module-results-area">
      ${!result ? NO_PAIRS : answer ? renderSummary(panel, answer) : panel.renderWaiting(result, 'The pairs could not be looked at.', 'pairs')}
      ${PAIRS_GUIDE}
    </div>
  </div>`;
}

/** @param {any} panel @param {CounterfactualPairs} answer */
function renderSummary(panel, answer) {
  const layer = panel.layerOf(answer);
  const {width, height} = panel.size;
  const columns = width >= 560 ? 2 : 1;
  const size = {width: Math.floor(width / columns), height: Math.round(Math.max(150, Math.min((0.6 * width) / columns, 0.34 * height, 260)))};
  const {nOrphans} = panel.seen.edited;
  const row = answer.layers[layer];
  const failing = failingPairs(answer, layer);
  const values = (/** @type {number} */ at) => summaryWords(answer.layers[at]);
  return html`<div class="caption" role="status"><b>${countOf(answer.n, 'pair')}</b> ${answer.source === 'sent' ? 'edited on this page' : `among the dev rows, by ${answer.column}`}. ${judgedSentence(answer)}</div>
    ${answer.source === 'sent' && answer.n_judged > 0 && answer.n_label_changes === 0 ? html`<div class="remark">An edit that should change the label needs the other label in the editor; until then consistency
      asks whether the probe keeps to the label.</div>` : nothing}
    ${answer.reliable ? nothing : html`<div class="doubt">${doubtWords(answer)}</div>`}
    ${renderLegend([{style: PAIRS_STYLES.consistency, label: 'consistency: right on both texts'}, {style: PAIRS_STYLES.flip_rate, label: 'flip rate: the answer changes'}])}
    <div class="charts">${pairsCharts(answer, answer, {...size, current: layer, hovered: panel.hoveredLayer}).map((chart) => layerSlider({
      chart: svgElement(chart), nLayers: answer.n_layers, layer, words: [layerName(layer, answer.layer_names), ...values(layer)].join(', '), hover: (under) => panel.hover(under),
      tooltip: panel.hoveredLayer === null ? nothing : panel.renderTooltip([layerName(panel.hoveredLayer, answer.layer_names), ...values(panel.hoveredLayer)], answer.n_layers, MARGIN, size.width),
    }))}</div>
    <div class="reading"><b>${layerHeading(layer, answer.best_layer, answer.layer_names)}:</b> ${summaryWords(row).join(' · ')}
      ${backButton(layer, answer.best_layer, placeNames(answer))}
      ${renderSelectPairs(panel, answer, failing, `select the ${countOf(failing.length, 'pair')} not followed`)}</div>
    ${answer.kinds.length ? renderKinds(panel, answer, layer) : nothing}
    ${renderNotes([...answer.notes, ...(answer.source === 'sent' && nOrphans ? [`${countOf(nOrphans, 'edit')} left out: the original is not among the examples any more.`] : [])], answer)}`;
}

/** A button that selects pairs in LIT. @param {any} panel @param {CounterfactualPairs} answer @param {number[]} pairs @param {string} words */
function renderSelectPairs(panel, answer, pairs, words) {
  const ids = idsOfPairs(answer, pairs);
  return ids.length === 0 ? nothing : html`<button class="text-button failing" @click=${() => panel.selectionService.selectIds(ids, panel)}>${words}</button>`;
}

/** The kinds of pairs at the current layer. @param {any} panel @param {CounterfactualPairs} answer @param {number} layer */
function renderKinds(panel, answer, layer) {
  const width = panel.size.width - 24;
  const bar = Math.max(50, Math.round(0.24 * width));
  return html`<h4>By ${kindTitle(answer.by)}, at ${placeTitle(layer, placeNames(answer))}</h4>
    <div style="padding:0 12px"><table class="bars kinds"><colgroup><col style=${`width:${Math.round(0.24 * width)}px`}><col style=${`width:${bar}px`}><col><col style="width:96px"></colgroup>
    <thead><tr><th scope="col">${kindTitle(answer.by)}</th><th scope="col">consistency, 0 to 1</th><th scope="col"></th><th scope="col">not followed</th></tr></thead>
    <tbody>${answer.kinds.map((/** @type {any} */ kind) => {
      const {consistency: mean, consistency_low: low, consistency_high: high, flip_rate: flips} = kind.layers[layer];
      const failing = failingPairs(answer, layer, kind.pairs);
      const n = kind.n_judged === kind.n ? formatCount(kind.n) : `${formatCount(kind.n_judged)} of ${formatCount(kind.n)}`;
      return html`<tr class=${kind.reliable ? nothing : 'quiet'}>
        <th scope="row">${renderSelectPairs(panel, answer, kind.pairs, kind.value)}</th>
        <td>${svgElement(barCell({mean, low, high}, {width: bar, height: 18, domain: [0, 1], quiet: !kind.reliable}))}</td>
        <td class="number"><span>${intervalText({layer, score: mean, low, high})}</span> <span class="also">n = ${n}, flips ${flips.toFixed(2)}</span></td>
        <td class="act">${failing.length ? renderSelectPairs(panel, answer, failing, `select ${formatCount(failing.length)}`) : kind.n_judged ? 'none' : '–'}</td></tr>`;
    })}</tbody></table></div>`;
}

/** @param {any} panel @param {CounterfactualPairs} answer */
function pairsFiles(panel, answer) {
  const {model, dataset} = panel.seen;
  const layer = panel.layerOf(answer);
  return {
    name: `counterfactual_pairs_${model}_${dataset}`,
    csv: pairsCsv(model, dataset, answer),
    figure: figurePage({
      title: `How probes follow edits: ${answer.encoder} on ${dataset}`,
      setting: `${answer.pooling} pooling · ${answer.probe} probes trained on ${answer.trained_on} · ${countOf(answer.n, 'pair')}`,
      charts: pairsCharts(answer, answer, FIGURE),
      legend: [{style: PAIRS_STYLES.consistency, line: true, label: 'consistency: right on both texts (below: median change)'}, {style: PAIRS_STYLES.flip_rate, line: true, label: 'flip rate: the answer changes'},
        ...answer.kinds.map((/** @type {any} */ {value, n, layers}) => ({style: null, line: false, label: `${kindTitle(answer.by)} ${value}: consistency ${formatScore(layers[layer].consistency)} at ${placeTitle(layer, placeNames(answer))}, n = ${n}`}))],
      footnotes: ['Shaded bands: 95 % intervals over pairs.'],
    }),
  };
}

/** Why many pairs are no result yet. @param {{n: number, n_judged: number, n_units: number}} answer */
function doubtWords({n, n_judged: nJudged, n_units: nUnits}) {
  const why = nUnits < (nJudged || n) ? `${countOf(nUnits, 'independent pair')} only (edits of one text, or of one group, count once)` : 'Few pairs';
  return `${why}: read them as examples, not as a result. The median has an interval from 10 on.`;
}

/** A layer's numbers over many pairs. @param {any} row @returns {string[]} */
function summaryWords(row) {
  const interval = (/** @type {string} */ name) => intervalText({layer: row.layer, score: row[name], low: row[`${name}_low`], high: row[`${name}_high`]});
  return [`consistency ${interval('consistency')}`, `flip rate ${interval('flip_rate')}`, `median change ${interval('median_change')}`];
}
