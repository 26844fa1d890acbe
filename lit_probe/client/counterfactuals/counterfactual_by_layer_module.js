// @ts-check
/** The panel "Counterfactual by layer": what every layer makes of an edit, and how the layers' probes follow many of them. */
/** @typedef {import('../page/answers.js').Result} Result */
/** @typedef {import('../page/types.js').IndexedInput} IndexedInput */
import {barCell} from '../charts/bar_cell.js';
import {figurePage} from '../charts/figure_page.js';
import {legendMark, MARGIN} from '../charts/line_chart.js';
import {svgElement, svgNode} from '../charts/svg.js';
import {answers} from '../page/answers.js';
import {currentLayer, observable, resolveLayer} from '../page/choices.js';
import {categoricalColumns, definePanel, exampleText, fitTogether, html, nothing, pinnedExample} from '../page/lit_host.js';
import {whenIdle} from '../page/waiting.js';
import {PANEL_CSS, CONTROLS_CSS} from '../panels/css.js';
import {layerPanel} from '../panels/layer_panel.js';
import {
  cancelledCard, card, errorCard, layerSlider, progressCard, renderDownloads, renderLegend, renderSelect,
} from '../panels/parts.js';
import {countOf, formatCount, formatScore, significant} from '../words/format.js';
import {intervalText, layerHeading, layerName} from '../words/sentences.js';
import {
  distanceChart, DISTANCES, EDIT_STYLES, MEASURES, PAIRS_STYLES, pairsCharts, pairsCsv, SMALL_MARGIN, trajectoryChart,
  trajectoryCsv, trajectoryValues, TYPICAL_STYLE,
} from './counterfactual_charts.js';
import {COUNTERFACTUAL_CSS} from './counterfactual_css.js';
import {markedWords, neuronChanges, wordChanges} from './edit_details.js';
import {editedPairs, editPair, failingPairs, flipSentence, idsOfPairs} from './edit_pairs.js';

const FIGURE = {width: 640, height: 260};
const PAIR_COLUMN = 'pair_id';
/** Tells edits made on the page by the rule or generator that made them apart; no column is called so. */
const BY_RULE = '_rule';

/** What the panel shows; all copies of it show the same. */
const choices = observable({view: /** @type {'edit'|'pairs'} */ ('edit'), measure: 'probability', method: '', source: '', by: ''});
/** What costs a moment, or room, and was asked for by a button. */
const opened = observable({salience: false, neurons: false});
/** A map of the words keeps the encoder busy, and the next edit would wait for it: that of a new pair is asked for once the page is idle. */
const IDLE_MS = 2000;
/** The pair whose words may be compared: somebody asked for it, or has paused. */
const released = observable('');

const choose = (/** @type {Partial<ReturnType<typeof choices.get>>} */ changes) => choices.set({...choices.get(), ...changes});

const EDIT_GUIDE = html`<details class="guide"><summary>How to read this</summary>
  <p><b>The question.</b> You change a word: which layers notice, and from which layer on does the probe answer otherwise? <b>The two lines</b> are
    the original and its edit; the room between them is the difference. Both follow one class, the one that the dev-chosen layer predicts for the
    original. The margin is that class’s logit less the largest other one: below 0 the probe answers otherwise.</p>
  <p><b>The distances</b> say how far the text’s vector moved in each layer, whatever the probe makes of it. The cosine distance
    compares directions: 0 is the same one. The Mahalanobis distance counts standard deviations of the train texts along every direction, so that it tells how
    unusual the change is there. The dashed line is the distance that two train texts usually have: an edit far below it
    is a small step.</p>
  <p>What changes is what is <i>decodable</i> from a layer, not what the model uses. An edited example is never scored as data.
    <b>Click a layer</b> to make it the current one of all lit_probe panels; the words and neurons below follow it.</p></details>`;

const PAIRS_GUIDE = html`<details class="guide"><summary>How to read this</summary>
  <p><b>The question.</b> A probe can be right by habit, on words that merely go with the label. Does it also follow an edit that changes the label?
    <b>Consistency</b> is the share of pairs in which it is right on both texts; <b>flip rate</b> the share in which its answer changes at all;
    <b>median change</b> how far the probability of the edit’s label rises from the original to the edit. Bands are 95 % intervals over pairs. Where a
    generator expects nothing of the label (HotFlip, Masked Words and others), no answer is right or wrong: such an edit counts in the flip rate alone.</p>
  <p><b>Which kinds fail?</b> Choose a column under “By”. Click a kind to select its pairs in LIT, or only those that the current layer’s probe does not
    follow, and read them. With many kinds, some differ by chance: few pairs have wide intervals.</p>
  <p>Of a data set only the dev rows are looked at; test is there to be scored once. Edits made on this page are in no other score.</p></details>`;

definePanel('counterfactual-by-layer-module', (LitPanel) => class CounterfactualByLayerModule extends layerPanel(LitPanel) {
  static title = 'Counterfactual by layer';
  static infoMarkdown = `**What does every layer make of an edit?** Select an example, change its text in the Datapoint Editor and press Add; or pin one example and
select another. “How to read this”, at the bottom of the panel, says more.`;
  static interpreter = 'counterfactual_by_layer';
  static css = PANEL_CSS + CONTROLS_CSS + COUNTERFACTUAL_CSS;

  static template = (/** @type {string} */ model, /** @type {number} */ selectionServiceIndex, /** @type {number} */ shouldReact) => html`
    <counterfactual-by-layer-module model=${model} .shouldReact=${shouldReact} selectionServiceIndex=${selectionServiceIndex}></counterfactual-by-layer-module>`;

  /** The last trajectory, drawn pale while the next one is on its way. @type {?{model: string, pair: import('./edit_pairs.js').EditPair, answer: any}} */
  last = null;
  /** A pair whose words wait until the page is idle. @type {?{pair: string, end: () => void}} */
  held = null;

  disconnectedCallback() {
    super.disconnectedCallback();
    this.hold(null);
  }

  choices() {
    // What is known of the layers decides at which one words and neurons are asked for.
    return [choices, opened, released, currentLayer, /** @type {any} */ (answers)];
  }

  observed() {
    const {currentDataset: dataset, currentInputData, currentDatasetSpec} = this.appState;
    const inputs = /** @type {IndexedInput[]} */ (currentInputData);
    const primary = /** @type {?IndexedInput} */ (this.selectionService.primarySelectedInputData);
    return {
      model: this.model, dataset, pair: editPair({primary, pinned: pinnedExample(), inputs}), edited: editedPairs(inputs),
      hasPairs: PAIR_COLUMN in (currentDatasetSpec ?? {}), columns: categoricalColumns().own.filter((name) => name !== PAIR_COLUMN),
      fits: fitTogether(this.model, dataset),
    };
  }

  questions() {
    const {view, method} = choices.get();
    const pair = view === 'edit' ? this.pair() : null;
    const inputs = pair ? [pair.original, pair.edit] : null;
    const trajectory = this.want('trajectory', 'counterfactual_by_layer', inputs, {part: 'trajectory'});
    const answer = inputs ? answerOf(trajectory) : null;
    const layer = String(answer ? this.layerOf(answer) : 0);
    const at = (/** @type {'salience'|'neurons'} */ part) => (answer && opened.get()[part] ? inputs : null);
    const salience = at('salience');
    const mayAsk = pair !== null && released.get() === pairKey(pair);
    this.hold(salience && pair && !mayAsk ? pairKey(pair) : null);
    const asked = view === 'pairs' ? this.askedPairs() : null;
    return {
      trajectory,
      // The first edit should not wait until the encoder is loaded.
      prepared: this.want('prepared', 'counterfactual_by_layer', [], {part: 'prepare'}),
      salience: this.want('salience', 'counterfactual_by_layer', mayAsk ? salience : null, {part: 'salience', layer, ...(method ? {method} : {})}),
      neurons: this.want('neurons', 'counterfactual_by_layer', at('neurons'), {part: 'neurons', layer}),
      pairs: this.want('pairs', 'counterfactual_pairs', asked && asked.inputs, asked?.config ?? {}),
    };
  }

  /** Lets a pair's words wait until the page is idle; null: none waits. @param {?string} pair */
  hold(pair) {
    if (pair === (this.held?.pair ?? null)) return;
    this.held?.end();
    this.held = pair === null ? null : {pair, end: whenIdle(() => released.set(pair), IDLE_MS, document)};
  }

  /** Compares the words of the pair shown without waiting. */
  release() {
    const pair = this.pair();
    if (pair) released.set(pairKey(pair));
  }

  /** The two examples that are compared; null where there are none. @returns {?import('./edit_pairs.js').EditPair} */
  pair() {
    const {pair} = this.seen;
    return pair === 'orphan' ? null : pair;
  }

  /** Whose pairs are looked at. @returns {'dataset'|'sent'} */
  source() {
    const {hasPairs, edited} = this.seen;
    const {source} = choices.get();
    if (!hasPairs) return 'sent';
    return source === 'sent' && edited.pairs.length > 0 ? 'sent' : 'dataset';
  }

  /** What is asked about many pairs; null inputs: there are no pairs. */
  askedPairs() {
    const {edited, columns} = this.seen;
    const {by} = choices.get();
    const source = this.source();
    return {inputs: source === 'sent' ? (edited.pairs.length ? edited.pairs.flat() : null) : [], config: {source, by: this.kinds(source).includes(by) ? by : by === '-' ? '' : defaultKind(columns)}};
  }

  /** By what pairs can be told apart. @param {'dataset'|'sent'} source @returns {string[]} */
  kinds(source) {
    return [...this.seen.columns, ...(source === 'sent' ? [BY_RULE] : [])];
  }

  /** @param {{best_layer: number, n_layers: number}} answer */
  layerOf({best_layer: bestLayer, n_layers: nLayers}) {
    return resolveLayer(currentLayer.get(), bestLayer, nLayers);
  }

  renderContent() {
    return choices.get().view === 'edit' ? this.renderEdit() : this.renderPairs();
  }

  /** @param {unknown} controls @param {?{name: string, csv: string, figure: import('../page/types.js').SvgNode}} files */
  renderToolbar(controls, files) {
    const {view} = choices.get();
    const button = (/** @type {'edit'|'pairs'} */ name, /** @type {string} */ title) =>
      html`<button class=${name} aria-pressed=${view === name ? 'true' : 'false'} @click=${() => choose({view: name})}>${title}</button>`;
    return html`<div class="module-toolbar wrapped"><span class="views" role="group" aria-label="What is compared">${button('edit', 'One edit')}${button('pairs', 'Many pairs')}</span>
      ${controls}${files ? html`<span class="downloads">${renderDownloads(files)}</span>` : nothing}</div>`;
  }

  /** One pair of texts. */
  renderEdit() {
    const {measure} = choices.get();
    const pair = this.pair();
    const result = pair ? answers.read(this.keys.trajectory) ?? {state: 'loading'} : null;
    if (pair && result?.state === 'ready') this.last = {model: this.seen.model, pair, answer: result.answer};
    const shown = result?.state === 'ready' || result?.state === 'loading' ? this.last : null;
    const drawn = shown && shown.model === this.seen.model ? shown : null;
    const options = Object.entries(MEASURES).map(([value, {title}]) => ({value, title}));
    return html`<div class="module-container">
      ${this.renderToolbar(html`<span class="toolbar-part">${renderSelect('measure', 'Show', options, measure, (value) => choose({measure: value}))}</span>`,
        result?.state === 'ready' && drawn ? this.editFiles(drawn) : null)}
      <div class="module-results-area">
        ${!pair || !result ? this.renderNoPair() : drawn ? this.renderTrajectory(drawn, result.state === 'loading') : this.renderWaiting(result, 'The two texts could not be compared.', 'trajectory')}
        ${EDIT_GUIDE}
      </div>
    </div>`;
  }

  renderNoPair() {
    if (this.seen.pair === 'orphan') return card('The original of this edit is not among the examples any more, so there is nothing to compare it with. Pin another example to compare the two.');
    return card(html`Select an example, change its text in the Datapoint Editor and press <b>Add</b>: this panel shows what every layer makes of the edit. Or pin one example and select another.`);
  }

  /** @param {Result} result @param {string} title @param {string} slot */
  renderWaiting(result, title, slot) {
    if (result.state === 'failed') return errorCard(title, result.message, result.said && slot === 'trajectory' ? null : () => answers.retry(this.keys[slot]));
    if (result.state === 'cancelled') return cancelledCard(() => answers.retry(this.keys[slot]));
    return progressCard({...result, message: result.message ?? 'Asking the server'});
  }

  /** @param {NonNullable<typeof this.last>} drawn @param {boolean} stale */
  renderTrajectory({answer, pair}, stale) {
    const layer = this.layerOf(answer);
    const {measure} = choices.get();
    const names = pair.how === 'edit' ? ['Original', 'Edit'] : ['Pinned', 'Selected'];
    const {width, height} = this.size;
    const size = {width, height: Math.round(Math.max(170, Math.min(0.5 * width, 0.36 * height, 300)))};
    const view = {current: layer, hovered: this.hoveredLayer};
    const small = {width: Math.floor(width / 2), height: 112, ...view};
    const words = (/** @type {number} */ at) => this.layerWords(answer, at, names);
    return html`<div class=${stale ? 'stale' : 'fresh'} aria-busy=${stale ? 'true' : 'false'}>
      <div class="caption flip" role="status"><b>${flipSentence(answer)}</b></div>
      ${answer.warnings.filter((/** @type {any} */ {kind}) => kind !== 'same_text').map((/** @type {any} */ {kind, message}) => html`<div class="warning" data-kind=${kind} role="alert">${message}</div>`)}
      <div class="two-texts">${(/** @type {const} */ (['original', 'edit'])).map((which, i) => html`
        <span class="who">${svgElement(svgNode('svg', {width: 26, height: 12, 'aria-hidden': 'true'}, legendMark(EDIT_STYLES[which], true)))}${names[i]}</span>
        <span class=${`says ${which}`} dir="auto">${markedWords(answer.words[i === 0 ? 'before' : 'after'])}</span>`)}</div>
      ${layerSlider({
        chart: svgElement(trajectoryChart(answer, measure, {...size, ...view})), nLayers: answer.n_layers, layer, hover: (under) => this.hover(under),
        words: [layerName(layer), ...words(layer)].join(', '),
        tooltip: this.hoveredLayer === null ? nothing : this.renderTooltip([layerName(this.hoveredLayer), ...words(this.hoveredLayer)], answer.n_layers, MARGIN, width),
      })}
      <div class="reading"><b>${layerHeading(layer, answer.best_layer)}:</b> ${words(layer).join(' · ')}
        ${layer === answer.best_layer ? nothing : html`<button class="text-button" @click=${() => currentLayer.set(null)}>back to layer ${answer.best_layer} (dev-chosen)</button>`}</div>
      <div class="distances">${(/** @type {const} */ (['cosine', 'mahalanobis'])).map((name) => html`<div>
        <h4>${DISTANCES[name].title}: ${significant(answer.layers[layer][name])} <span title=${DISTANCES[name].words}>two train texts: ${significant(answer.layers[layer][`typical_${name}`])}</span></h4>
        ${layerSlider({chart: svgElement(distanceChart(answer, name, small)), nLayers: answer.n_layers, layer, margin: SMALL_MARGIN, tooltip: nothing, hover: (under) => this.hover(under),
          words: `${DISTANCES[name].title} ${significant(answer.layers[layer][name])}`})}</div>`)}</div>
      ${this.renderDetail('salience', 'Which words?', `Compare the salience at layer ${layer}`, (/** @type {any} */ found, /** @type {number} */ room) => wordChanges(found, room, names))}
      ${this.renderDetail('neurons', 'Which neurons?', `Find the neurons of layer ${layer} that moved most`, neuronChanges)}
      ${this.renderAbout(answer)}
    </div>`;
  }

  /** What the two texts get at a layer. @param {any} answer @param {number} layer @param {string[]} names @returns {string[]} */
  layerWords(answer, layer, names) {
    const row = answer.layers[layer];
    const top = (/** @type {number[]} */ probabilities) => {
      const best = probabilities.indexOf(Math.max(...probabilities));
      return `${answer.label_names[best]} (${probabilities[best].toFixed(2)})`;
    };
    const {before, after} = trajectoryValues(answer, choices.get().measure)[layer];
    const change = choices.get().measure === 'margin' ? significant(after - before) : formatScore(after - before);
    return [`${names[0].toLowerCase()} ${top(row.before)}`, `${names[1].toLowerCase()} ${top(row.after)}`, `${MEASURES[choices.get().measure].title} of “${answer.class_name}” changes by ${after > before ? '+' : ''}${change}`,
      ...(row.flipped ? ['answers otherwise'] : [])];
  }

  /**
   * Something more about the edit at the current layer, once it is asked for.
   *
   * @param {'salience'|'neurons'} part @param {string} title @param {string} button @param {(answer: any, width: number) => unknown} renderAnswer
   */
  renderDetail(part, title, button, renderAnswer) {
    const toggle = () => {
      if (part === 'salience' && !opened.get().salience) this.release();
      opened.set({...opened.get(), [part]: !opened.get()[part]});
    };
    if (!opened.get()[part]) return html`<div class="detail"><div class="detail-title"><b>${title}</b><button class=${`hairline-button open-${part}`} @click=${toggle}>${button}</button></div></div>`;
    const known = answers.read(this.keys[part]);
    const result = known ?? {state: 'loading'};
    const held = part === 'salience' && this.held !== null && !known;
    const ready = result.state === 'ready' ? result.answer : null;
    const methods = part === 'salience' && ready ? ready.methods : [];
    return html`<div class=${`detail ${part}`}><div class="detail-title"><b>${title}</b><button class="text-button" @click=${toggle}>hide</button>
        ${methods.length ? html`<select aria-label="Salience method" @change=${(/** @type {any} */ {target}) => choose({method: target.value})}>
          ${methods.map((/** @type {any} */ {name, title: words}) => html`<option value=${name} ?selected=${name === ready.method}>${words}</option>`)}</select>` : nothing}</div>
      ${ready ? renderAnswer(ready, this.size.width - 24) : held ? html`<div class="held" role="status">The words of this edit are compared once nobody has typed or clicked for ${IDLE_MS / 1000} seconds.
        <button class="text-button" @click=${() => this.release()}>compare now</button></div>` : this.renderWaiting(result, 'This could not be computed.', part)}
      ${result.state === 'failed' && choices.get().method ? html`<button class="hairline-button" @click=${() => choose({method: ''})}>Back to the usual method</button>` : nothing}</div>`;
  }

  /** @param {any} answer */
  renderAbout({notes = [], encoder, pooling, probe, trained_on: trainedOn}) {
    return html`<div class="notes">${[...notes, `${encoder}, ${pooling} pooling; ${probe} probes trained on ${trainedOn}`].map((note) => html`<div>${note}</div>`)}</div>`;
  }

  /** @param {NonNullable<typeof this.last>} drawn */
  editFiles({answer, pair}) {
    const {model, dataset} = this.seen;
    const {measure} = choices.get();
    const texts = {original: exampleText(pair.original), edit: exampleText(pair.edit)};
    return {
      name: `counterfactual_by_layer_${model}_${dataset}`,
      csv: trajectoryCsv(model, dataset, texts, answer),
      figure: figurePage({
        title: `Counterfactual by layer: ${answer.encoder} on ${dataset}`,
        setting: `${answer.pooling} pooling · ${answer.probe} probes trained on ${answer.trained_on}`,
        charts: [trajectoryChart(answer, measure, FIGURE), .../** @type {const} */ (['cosine', 'mahalanobis']).map((name) => distanceChart(answer, name, {...FIGURE, height: 130}))],
        legend: [{style: EDIT_STYLES.original, line: true, label: texts.original}, {style: EDIT_STYLES.edit, line: true, label: texts.edit},
          {style: TYPICAL_STYLE, line: true, label: 'two train texts (median)'}],
        footnotes: [flipSentence(answer), 'From top to bottom: the probe, the cosine distance and the Mahalanobis distance of the two texts.'],
      }),
    };
  }

  /** Many pairs. */
  renderPairs() {
    const {hasPairs, edited} = this.seen;
    const {inputs, config} = this.askedPairs();
    const columns = this.kinds(config.source);
    const result = inputs ? answers.read(this.keys.pairs) ?? {state: 'loading'} : null;
    const answer = result?.state === 'ready' ? result.answer : null;
    const sources = [{value: 'dataset', title: `pairs of the data set (${PAIR_COLUMN})`}, {value: 'sent', title: `edits made here (${formatCount(edited.pairs.length)})`}];
    const kinds = [...columns.map((value) => ({value, title: kindTitle(value)})), {value: '-', title: '(all together)'}];
    const controls = html`
      ${hasPairs && edited.pairs.length ? html`<span class="toolbar-part">${renderSelect('source', 'Pairs', sources, this.source(), (source) => choose({source}))}</span>` : nothing}
      ${columns.length ? html`<span class="toolbar-part">${renderSelect('by', 'By', kinds, config.by || '-', (by) => choose({by}))}</span>` : nothing}`;
    return html`<div class="module-container">
      ${this.renderToolbar(controls, answer ? this.pairsFiles(answer) : null)}
      <div class="module-results-area">
        ${!result ? this.renderNoPairs() : answer ? this.renderSummary(answer) : this.renderWaiting(result, 'The pairs could not be looked at.', 'pairs')}
        ${PAIRS_GUIDE}
      </div>
    </div>`;
  }

  renderNoPairs() {
    return card(html`This data set has no column <b>${PAIR_COLUMN}</b> that says which rows are an original and its edit, and nothing was edited on this page yet.
      Edit examples in the Datapoint Editor, or make some under Generate: all of them are looked at here.`);
  }

  /** @param {any} answer */
  renderSummary(answer) {
    const layer = this.layerOf(answer);
    const {width, height} = this.size;
    const columns = width >= 560 ? 2 : 1;
    const size = {width: Math.floor(width / columns), height: Math.round(Math.max(150, Math.min((0.6 * width) / columns, 0.34 * height, 260)))};
    const {nOrphans} = this.seen.edited;
    const row = answer.layers[layer];
    const failing = failingPairs(answer, layer);
    const values = (/** @type {number} */ at) => summaryWords(answer.layers[at]);
    return html`<div class="caption" role="status"><b>${countOf(answer.n, 'pair')}</b> ${answer.source === 'sent' ? 'edited on this page' : `among the dev rows, by ${answer.column}`};
        ${answer.n_judged < answer.n ? html`in <b>${formatCount(answer.n_judged)}</b> it is known what becomes of the label;` : nothing}
        the label changes in ${answer.n_label_changes && answer.n_label_changes === answer.n_judged ? 'all of them' : answer.n_label_changes ? formatCount(answer.n_label_changes) : 'none of them'}.</div>
      ${answer.source === 'sent' && answer.n_judged > 0 && answer.n_label_changes === 0 ? html`<div class="remark">An edit that should change the label needs the other label in the editor; until then consistency
        asks whether the probe keeps to the label.</div>` : nothing}
      ${answer.reliable ? nothing : html`<div class="doubt">${doubtWords(answer)}</div>`}
      ${renderLegend([{style: PAIRS_STYLES.consistency, label: 'consistency: right on both texts'}, {style: PAIRS_STYLES.flip_rate, label: 'flip rate: the answer changes'}])}
      <div class="charts">${pairsCharts(answer, answer, {...size, current: layer, hovered: this.hoveredLayer}).map((chart) => layerSlider({
        chart: svgElement(chart), nLayers: answer.n_layers, layer, words: [layerName(layer), ...values(layer)].join(', '), hover: (under) => this.hover(under),
        tooltip: this.hoveredLayer === null ? nothing : this.renderTooltip([layerName(this.hoveredLayer), ...values(this.hoveredLayer)], answer.n_layers, MARGIN, size.width),
      }))}</div>
      <div class="reading"><b>${layerHeading(layer, answer.best_layer)}:</b> ${summaryWords(row).join(' · ')}
        ${layer === answer.best_layer ? nothing : html`<button class="text-button" @click=${() => currentLayer.set(null)}>back to layer ${answer.best_layer} (dev-chosen)</button>`}
        ${this.renderSelectPairs(answer, failing, `select the ${countOf(failing.length, 'pair')} not followed`)}</div>
      ${answer.kinds.length ? this.renderKinds(answer, layer) : nothing}
      ${this.renderAbout({...answer, notes: [...answer.notes, ...(answer.source === 'sent' && nOrphans ? [`${countOf(nOrphans, 'edit')} left out: the original is not among the examples any more.`] : [])]})}`;
  }

  /** A button that selects pairs in LIT. @param {any} answer @param {number[]} pairs @param {string} words */
  renderSelectPairs(answer, pairs, words) {
    const ids = idsOfPairs(answer, pairs);
    return ids.length === 0 ? nothing : html`<button class="text-button failing" @click=${() => this.selectionService.selectIds(ids, this)}>${words}</button>`;
  }

  /** The kinds of pairs at the current layer. @param {any} answer @param {number} layer */
  renderKinds(answer, layer) {
    const width = this.size.width - 24;
    const bar = Math.max(50, Math.round(0.24 * width));
    return html`<h4>By ${kindTitle(answer.by)}, at layer ${layer}</h4>
      <div style="padding:0 12px"><table class="bars kinds"><colgroup><col style=${`width:${Math.round(0.24 * width)}px`}><col style=${`width:${bar}px`}><col><col style="width:96px"></colgroup>
      <thead><tr><th scope="col">${kindTitle(answer.by)}</th><th scope="col">consistency, 0 to 1</th><th scope="col"></th><th scope="col">not followed</th></tr></thead>
      <tbody>${answer.kinds.map((/** @type {any} */ kind) => {
        const {consistency: mean, consistency_low: low, consistency_high: high, flip_rate: flips} = kind.layers[layer];
        const failing = failingPairs(answer, layer, kind.pairs);
        const n = kind.n_judged === kind.n ? formatCount(kind.n) : `${formatCount(kind.n_judged)} of ${formatCount(kind.n)}`;
        return html`<tr class=${kind.reliable ? nothing : 'quiet'}>
          <th scope="row">${this.renderSelectPairs(answer, kind.pairs, kind.value)}</th>
          <td>${svgElement(barCell({mean, low, high}, {width: bar, height: 18, domain: [0, 1], quiet: !kind.reliable}))}</td>
          <td class="number"><span>${intervalText({layer, score: mean, low, high})}</span> <span class="also">n = ${n}, flips ${flips.toFixed(2)}</span></td>
          <td class="act">${failing.length ? this.renderSelectPairs(answer, failing, `select ${formatCount(failing.length)}`) : kind.n_judged ? 'none' : '–'}</td></tr>`;
      })}</tbody></table></div>`;
  }

  /** @param {any} answer */
  pairsFiles(answer) {
    const {model, dataset} = this.seen;
    const layer = this.layerOf(answer);
    return {
      name: `counterfactual_pairs_${model}_${dataset}`,
      csv: pairsCsv(model, dataset, answer),
      figure: figurePage({
        title: `How probes follow edits: ${answer.encoder} on ${dataset}`,
        setting: `${answer.pooling} pooling · ${answer.probe} probes trained on ${answer.trained_on} · ${countOf(answer.n, 'pair')}`,
        charts: pairsCharts(answer, answer, FIGURE),
        legend: [{style: PAIRS_STYLES.consistency, line: true, label: 'consistency: right on both texts (below: median change)'}, {style: PAIRS_STYLES.flip_rate, line: true, label: 'flip rate: the answer changes'},
          ...answer.kinds.map((/** @type {any} */ {value, n, layers}) => ({style: null, line: false, label: `${kindTitle(answer.by)} ${value}: consistency ${formatScore(layers[layer].consistency)} at layer ${layer}, n = ${n}`}))],
        footnotes: ['Shaded bands: 95 % intervals over pairs.'],
      }),
    };
  }
});

/** The answer to a question; null until it is there. @param {string} key */
function answerOf(key) {
  const result = answers.read(key);
  return result?.state === 'ready' ? result.answer : null;
}

/** The column by which pairs are told apart until another is chosen. @param {string[]} columns */
function defaultKind(columns) {
  return columns.includes('phenomenon') ? 'phenomenon' : '';
}

/** What people read of a way to tell pairs apart. @param {string} by */
function kindTitle(by) {
  return by === BY_RULE ? 'rule or generator' : by;
}

/** Tells a pair from others. @param {import('./edit_pairs.js').EditPair} pair */
function pairKey({original, edit}) {
  return JSON.stringify([original.id, edit.id]);
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
