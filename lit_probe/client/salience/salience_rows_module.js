// @ts-check
/**
 * The panel "Salience side by side": which words of one text speak for a class, by several methods, at all layers, or to the probe
 * and to the model.
 *
 * The panel only draws. Each row is a question of its own to the server, so that rows appear as they are answered.
 */
/** @import {Result} from '../page/answers.js' */
/** @import {IndexedInput} from '../page/types.js' */
/** @import {SalienceSection} from './salience_files.js' */
/** @import {PlannedRow} from './salience_plan.js' */
/** @import {SalienceRow, SalienceUnit} from './salience_row.js' */
import {figurePage} from '../charts/figure_page.js';
import {salienceColor} from '../charts/palette.js';
import {placeNames} from '../charts/places.js';
import {answers} from '../page/answers.js';
import {definePanel, exampleText, fitTogether, html, interpretation, nothing, pinnedExample, textFields} from '../page/lit_host.js';
import {card, renderFigureButtons, renderSelect} from '../panels/parts.js';
import {download} from '../words/files.js';
import {amongNumbers, countOf, formatScore, oneLine, shorten, significant} from '../words/format.js';
import {renderMethodBoxes, renderOptions} from './method_settings.js';
import {COLOR_WORDS, salienceChart, salienceCsv, saliencePage} from './salience_files.js';
import {choose, salienceChoices, saliencePanel} from './salience_panel.js';
import {pickedMethods, salienceRows} from './salience_plan.js';
import {diagnosticsWords, explainedWords, keptTogether, predictionRules, rowAgreement, salienceRow} from './salience_row.js';

const ROWS = [{value: 'methods', title: 'methods'}, {value: 'layers', title: 'all layers'}, {value: 'both', title: 'probe and model'}];
const SHOW = [{value: 'words', title: 'words'}, {value: 'tokens', title: 'tokens'}];
const FIGURE_WIDTH = 900;
const MOST_NAMED = 40;
/** Pixels below which a row's name stands above its words instead of beside them. */
const NARROW = 520;
const RHO = 'Spearman’s rank correlation with the first row that is there. Where one of the two rows has no signs, sizes are compared.';

const GUIDE = html`<details class="guide"><summary>How to read this</summary>
  <p><b>The question.</b> Which words of this text speak for the class? Each row is one map of the same text: the stronger a word’s
    colour, the more the explained number hangs on it, by that row’s method. What is explained stands above the rows: a layer’s probe,
    or the model’s own prediction, and which number of which class.</p>
  <p><b>Blue</b> words speak for the class, <b>orange</b> words against it; of a number, they raise and lower it. <b>Purple</b> rows come from methods that only give sizes:
    they cannot tell for from against. Every row has its own scale, so colours show the order of the words within a row; to compare
    rows, use ρ, or point at a word to read its score in all rows at once.</p>
  <p><b>No single method is right.</b> Gradients look at tiny changes of the numbers behind the words; occlusion, LIME and KernelSHAP
    take words out and look again. Where they disagree, take none at its word; “How far to trust it” measures which of them deserves it.</p>
  <p><b>Attention rollout is no explanation.</b> It says which tokens would reach what is read if attention were all there is, whatever the
    class. It stands here for comparison: where another row looks like it, that row may show mixing, and no reason.</p>
  <p><b>The line under a row</b> says how it was made and how good it is. Scores should add up to the change from the baseline to the text:
    more steps, or noisy copies, are taken by themselves until the <i>completeness gap</i> is at most 2 % of the change. Where the most
    growth is not enough, the row says “Not exact”. A low <i>R²</i>, or few <i>effective samples</i>: the simple model that LIME or KernelSHAP fits does not describe this text; take more perturbed texts.
    <i>Exact</i> Shapley values need neither: all texts were read.</p>
  <p><b>Other baselines.</b> Some maps compare the text with one where words are replaced or left out. By what, is a choice, and another choice
    can give another map: the last line of a row says how far. If it changes much, read only what all baselines agree on.</p>
  <p><b>By layer</b>, the maps show from which words the concept is decodable at each layer. That a word matters to the probe does not
    mean that the model relies on it: compare “probe and model”.</p></details>`;

definePanel('salience-rows-module', (LitPanel) => class SalienceRowsModule extends saliencePanel(LitPanel) {
  static title = 'Salience side by side';
  static infoMarkdown = `**Which words speak for the class?** One text, explained by several methods, at all layers, or for probe and model. It follows
the current layer. “How to read this”, at the bottom, says more.`;

  /** The place in the text of the word under the pointer. @type {?{section: string, at: number}} */
  hovered = null;
  /** The maps whose comparison with other baselines has begun. @type {Set<string>} */
  compared = new Set();
  /** What each row showed last: pale in its place while it is computed anew for the same text. @type {Map<string, {id: string, answer: any}>} */
  last = new Map();

  observed() {
    const primary = /** @type {?IndexedInput} */ (this.selectionService.primarySelectedInputData);
    const pinned = pinnedExample();
    const {currentDataset: dataset} = this.appState;
    return {model: this.model, dataset, primary, pinned: pinned && pinned.id !== primary?.id ? pinned : null, fits: fitTogether(this.model, dataset)};
  }

  /** @returns {{name: string, title: string, example: IndexedInput}[]} */
  texts() {
    const {primary, pinned} = this.seen;
    return [
      ...(primary ? [{name: 'selected', title: 'Selected text', example: primary}] : []),
      ...(pinned ? [{name: 'pinned', title: 'Pinned text', example: pinned}] : []),
    ];
  }

  /** The choices, as far as this model can follow them: without a head of its own there is nothing to compare the probe with. */
  chosen() {
    const choices = salienceChoices.get();
    const rows = choices.rows === 'both' && !this.catalogue().class_names.model ? /** @type {const} */ ('methods') : choices.rows;
    return {...choices, rows, explain: this.explained()};
  }

  /** The rows of layers, and of probe and model, begin with the probe. @returns {'probe'|'model'} */
  namedBy() {
    return this.chosen().rows === 'methods' ? this.explained() : 'probe';
  }

  /** @returns {PlannedRow[]} */
  plan() {
    return salienceRows(this.chosen(), this.catalogue(), this.layer(), this.about()?.best_layer ?? null, placeNames(this.about() ?? {}));
  }

  furtherQuestions() {
    const wanted = this.texts().flatMap(({name, example}) => this.plan().filter((row) => this.isComputed(row, example)).map((row) => ({example, row, slot: `${name} ${row.id}`})));
    const keys = Object.fromEntries(wanted.map(({example, row, slot}) => [slot, this.wantInTurn(slot, 'salience_map', [example], row.config)]));
    const stateOf = (/** @type {string} */ slot) => answers.read(keys[slot])?.state ?? 'loading';
    // Other baselines take several maps each: no new comparison begins before all that was asked for is there.
    const isBusy = wanted.some(({slot}) => ['loading', 'computing'].includes(stateOf(slot)));
    for (const {example, row, slot} of wanted.filter(({row, slot}) => row.hasBaseline && stateOf(slot) === 'ready')) {
      const wish = wishOf(row, example);
      if (isBusy && !this.compared.has(wish)) continue;
      this.compared.add(wish);
      keys[besides(slot)] = this.wantInTurn(besides(slot), 'salience_baselines', [example], row.config);
    }
    return keys;
  }

  /** @param {PlannedRow} row @param {IndexedInput} example */
  isComputed(row, example) {
    return row.cheap || this.isWished(wishOf(row, example));
  }

  renderContent() {
    if (!this.catalogue()) return this.renderNotYet(false);
    const {rows: kind, explain} = this.chosen();
    const notYet = this.renderNotYet(kind === 'layers' || (kind === 'methods' && explain === 'probe'));
    const sections = notYet ? [] : this.texts().map((text) => ({...text, ...this.section(text)}));
    return html`<div class="module-container">
      ${this.renderToolbar(sections.filter(({rows}) => rows.length > 0))}
      <div class="module-results-area">
        ${this.renderSettings()}
        ${notYet ?? [this.renderKey(sections), sections.length ? sections.map((section) => this.renderSection(section))
          : card('Select a text in LIT, or add an edited one, to see which of its words speak for the class.')]}
        ${GUIDE}
      </div>
    </div>`;
  }

  /** The rows of a text that are there. @param {{name: string, title: string, example: IndexedInput}} text @returns {SalienceSection} */
  section({name, title, example}) {
    const {show} = salienceChoices.get();
    const found = this.plan().flatMap((row) => {
      const result = this.resultOf(name, row);
      return result.state === 'ready' ? [{row, answer: result.answer}] : [];
    });
    const rows = found.map(({row, answer}) => salienceRow(row.label, answer, show, this.comparisonOf(name, row)?.answer?.sentence));
    return {title, id: example.id, text: exampleText(example), rows, agreement: rowAgreement(rows), beyondLimit: found[0]?.answer.words_beyond_limit ?? []};
  }

  /** @param {string} name @param {PlannedRow} row @returns {Result} */
  resultOf(name, row) {
    return answers.read(this.keys[`${name} ${row.id}`]) ?? {state: 'loading'};
  }

  /** What is known of a row's other baselines; undefined where nothing was asked. @param {string} name @param {PlannedRow} row @returns {Result|undefined} */
  comparisonOf(name, row) {
    return answers.read(this.keys[besides(`${name} ${row.id}`)]);
  }

  /** @param {SalienceSection[]} sections  the sections that have something to save */
  renderToolbar(sections) {
    const {rows, method, scalar, show, explain} = this.chosen();
    const {methods, scalars} = this.catalogue();
    const part = (/** @type {unknown} */ content) => html`<span class="toolbar-part">${content}</span>`;
    const hasHead = Boolean(this.catalogue().class_names.model);
    return html`<div class="module-toolbar wrapped">
      ${part(renderSelect('rows', 'Rows', hasHead ? ROWS : ROWS.slice(0, 2), rows, (value) => choose({rows: /** @type {any} */ (value)})))}
      ${rows === 'methods' ? nothing : part(renderSelect('method', 'Method', methods.map((/** @type {any} */ {name, title}) => ({value: name, title})), method, (value) => choose({method: value})))}
      ${rows === 'methods' ? this.renderExplain() : nothing}
      ${rows === 'layers' || (rows === 'methods' && explain === 'model') ? nothing : this.renderLayer()}
      ${this.renderTarget()}
      ${this.explainsNumber() ? nothing : part(renderSelect('scalar', 'Number', scalars.map((/** @type {string} */ value) => ({value, title: value})), scalar, (value) => choose({scalar: value})))}
      ${part(renderSelect('show', 'Show', SHOW, show, (value) => choose({show: /** @type {any} */ (value)})))}
      ${sections.length ? this.renderDownloads(sections) : nothing}
    </div>`;
  }

  /** @param {SalienceSection[]} sections */
  renderDownloads(sections) {
    const {model, dataset} = this.seen;
    const name = `salience_${model}_${dataset}`;
    const title = `Which words speak for the class: ${model} on ${dataset}`;
    const about = this.about();
    const {rows: kind} = this.chosen();
    const setting = [
      ...(kind === 'methods' ? [] : [sections[0].rows[0].title]),
      ...(about ? [about.encoder, `${about.pooling} pooling`, `${about.probe} probes trained on ${about.trained_on}`] : [model]),
    ].join(' · ');
    const figure = () => figurePage({
      title, setting, charts: sections.map(({title: text, rows, agreement}) => salienceChart(text, rows, agreement[0], {width: FIGURE_WIDTH})),
      legend: sections.map(({title: text, text: words}) => ({style: null, line: false, label: `${text}: ${words}`})), footnotes: [COLOR_WORDS],
    });
    return html`<span class="toolbar-part downloads">
      <button class="hairline-button save-csv" title="Download the scores as a table" @click=${() => download(`${name}.csv`, 'text/csv', salienceCsv(model, dataset, salienceChoices.get().show, sections))}>CSV</button>
      ${renderFigureButtons(name, figure, 'the rows')}
      <button class="hairline-button save-html" title="Download the rows as a web page in one file" @click=${() => download(`${name}.html`, 'text/html', saliencePage(title, setting, sections))}>HTML</button>
    </span>`;
  }

  renderSettings() {
    const catalogue = this.catalogue();
    const choices = this.chosen();
    const methods = choices.rows === 'methods' ? pickedMethods(choices, catalogue) : catalogue.methods.filter((/** @type {any} */ {name}) => name === choices.method);
    return html`<details class="settings"><summary>${choices.rows === 'methods' ? 'Methods and options' : 'Options'}</summary>
      ${choices.rows === 'methods' ? renderMethodBoxes(catalogue) : nothing}${renderOptions(catalogue, methods)}</details>`;
  }

  /** What the colours say. @param {SalienceSection[]} sections */
  renderKey(sections) {
    const rows = sections.flatMap((section) => section.rows);
    const signed = rows.some((row) => row.signed);
    const sizes = rows.some((row) => !row.signed);
    if (rows.length === 0) return nothing;
    return html`<div class="color-key">
      ${signed ? html`<span>${this.explainsNumber() ? 'lowers the number' : 'against the class'} <i class="ramp" style=${rampStyle(-1, true)}></i> ${this.explainsNumber() ? 'raises it' : 'for it'}</span>` : nothing}
      ${sizes ? html`<span>size without sign: small <i class="ramp" style=${rampStyle(0, false)}></i> large</span>` : nothing}
      <span>Each row has its own scale.</span></div>`;
  }

  /** @param {SalienceSection & {name: string, example: IndexedInput}} section */
  renderSection(section) {
    const {name, title, example, text, rows, agreement, beyondLimit} = section;
    const plan = this.plan();
    const explained = new Set(rows.map(explainedWords));
    const shared = explained.size === 1 ? [...explained][0] : null;
    const undone = plan.filter((row) => !this.isComputed(row, example));
    const hovered = this.hovered?.section === name ? this.hovered.at : null;
    let place = -1;
    return html`<div class="section ${name}">
      <div class="section-title"><b>${title}</b>${example.meta.added ? html`<span class="badge">edited</span>` : nothing}
        <span class="quote" dir="auto" title=${text}>${oneLine(text)}</span>
        ${undone.length > 1 ? html`<button class="hairline-button compute-all" @click=${() => this.makeWishes(undone.map((row) => wishOf(row, example)))}>Compute all</button>` : nothing}</div>
      <div class="explained" role="status">Explained: <b>${shared ?? this.explainedInGeneral()}</b>${this.renderOtherClasses(name)}</div>
      ${predictionRules(this.readyAnswers(name)).map((words) => html`<div class="explained rule">${words}</div>`)}
      <div class=${this.size.width < NARROW ? 'rows narrow' : 'rows'}>
        <div class="head"></div><div class="head"></div><div class="head rho" title=${RHO}>${hovered === null ? 'ρ to first' : 'score'}</div>
        ${plan.map((row) => {
          const result = this.resultOf(name, row);
          if (result.state === 'ready') place++;
          return this.renderRow(section, row, result, rows[place], place, shared === null, hovered);
        })}
      </div>
      ${beyondLimit.length ? html`<div class="beyond" title=${beyondLimit.join(' ')}>${countOf(beyondLimit.length, 'word')} beyond the encoder’s limit
        ${beyondLimit.length === 1 ? 'was' : 'were'} not read: <span dir="auto">${beyondLimit.slice(0, MOST_NAMED).join(' ')}${beyondLimit.length > MOST_NAMED ? ' …' : ''}</span></div>` : nothing}
      ${rows.length > 1 ? renderAgreement(rows, agreement) : nothing}
    </div>`;
  }

  /** What is explained, as long as no map says it exactly, or where rows explain different things. */
  explainedInGeneral() {
    const {rows, target, scalar} = this.chosen();
    const what = rows === 'layers' ? 'the probe of each layer' : rows === 'both' ? `${this.probeName()}, and the model` : this.explainedName();
    const which = target === 'predicted' ? 'the predicted class' : target === 'gold' ? 'the gold label' : `“${target.slice('class:'.length)}”`;
    return this.explainsNumber() ? `${what}, its number` : `${what}, ${scalar} of ${which}`;
  }

  /** The maps of a text that are there. @param {string} name @returns {any[]} */
  readyAnswers(name) {
    return this.plan().map((row) => this.resultOf(name, row)).filter(({state}) => state === 'ready').map(({answer}) => answer);
  }

  /** The predicted class and the gold label of a text; a number is predicted by what is explained. @param {string} name */
  renderOtherClasses(name) {
    const found = this.readyAnswers(name);
    if (found.length === 0) return nothing;
    const gold = ` · gold label: ${typeof found[0].gold === 'number' ? amongNumbers(found[0].gold, found.map(({value}) => value)) : found[0].gold ?? 'none'}`;
    if (this.explainsNumber()) return gold;
    const predicted = new Set(found.map((answer) => answer.predicted_class));
    return [predicted.size === 1 ? ` · predicted: ${[...predicted][0]}` : ' · predictions differ', gold].join('');
  }

  /**
   * @param {SalienceSection & {name: string, example: IndexedInput}} section @param {PlannedRow} row @param {Result} result
   * @param {SalienceRow|undefined} drawn @param {number} place  among the rows that are there @param {boolean} ownWords  whether the row says what it explains
   * @param {?number} hovered
   */
  renderRow({name, example, agreement}, row, result, drawn, place, ownWords, hovered) {
    const slot = `${this.seen.model} ${name} ${row.config.method} ${row.label}`;
    if (result.state === 'ready') {
      this.last.set(slot, {id: example.id, answer: result.answer});
      const map = /** @type {SalienceRow} */ (drawn);
      const under = [...(ownWords ? [explainedWords(map)] : []), diagnosticsWords(map)].filter(Boolean).join(' · ');
      const score = hovered === null ? null : map.units[hovered];
      return [html`<div class="label">${row.label}</div>`,
        html`<div class="map" data-method=${map.method}>${this.renderChips(name, map, hovered)}${under ? html`<div class="under">${under}</div>` : nothing}
          ${map.warning ? html`<div class="marked" role="note">${map.warning}</div>` : nothing}
          ${map.noExplanation ? html`<div class="under no-explanation" role="note">${map.noExplanation}</div>` : nothing}${this.renderComparison(name, row, example)}</div>`,
        score ? html`<div class="rho hovered-score">${score.special ? '–' : significant(score.score)}</div>`
          : html`<div class="rho" title=${RHO}>${place === 0 ? '' : formatScore(agreement[0][place])}</div>`];
    }
    return [html`<div class="label">${row.label}</div>`, html`<div class="map">${this.renderMissing(name, row, result, example, slot)}</div>`, html`<div class="rho"></div>`];
  }

  /** A row that is not there. @param {string} name @param {PlannedRow} row @param {Result} result @param {IndexedInput} example @param {string} slot */
  renderMissing(name, row, result, example, slot) {
    if (!this.isComputed(row, example)) {
      return html`<button class="hairline-button compute" title="This method takes longer than the others" @click=${() => this.makeWishes([wishOf(row, example)])}>Compute</button>`;
    }
    if (result.state === 'failed') {
      const retry = html`<button class="text-button retry" @click=${() => answers.retry(this.keys[`${name} ${row.id}`])}>retry</button>`;
      return html`<div class="row-error" role="alert">${result.message}${result.said ? nothing : retry}</div>`;
    }
    if (result.state === 'cancelled') {
      return html`<span class="pending">cancelled</span><button class="text-button retry" @click=${() => answers.retry(this.keys[`${name} ${row.id}`])}>compute</button>`;
    }
    if (result.state === 'computing') {
      return html`<span class="pending" role="status">${result.message}</span><button class="text-button cancel" @click=${() => this.cancel(`${name} ${row.id}`, 'salience_map', row, example)}>Cancel</button>`;
    }
    const last = this.last.get(slot);
    if (last?.id === example.id) return html`<div class="pale" aria-busy="true">${this.renderChips(name, salienceRow(row.label, last.answer, salienceChoices.get().show), null)}</div>`;
    return html`<span class="pending" role="status">computing …</span>`;
  }

  /** How much a map depends on its baseline. @param {string} name @param {PlannedRow} row @param {IndexedInput} example */
  renderComparison(name, row, example) {
    if (!row.hasBaseline) return nothing;
    const slot = besides(`${name} ${row.id}`);
    const {state, message, answer, said} = this.comparisonOf(name, row) ?? /** @type {Result} */ ({state: 'loading'});
    const again = (/** @type {string} */ words) => html`<button class="text-button retry" @click=${() => answers.retry(this.keys[slot])}>${words}</button>`;
    const words = state === 'ready' ? answer.sentence
      : state === 'failed' ? [`Other baselines: ${message}`, said ? nothing : again('retry')]
      : state === 'cancelled' ? ['Other baselines: cancelled', again('compute')]
      : ['Comparing with other baselines …', state === 'computing' ? html`<button class="text-button cancel" @click=${() => this.cancel(slot, 'salience_baselines', row, example)}>Cancel</button>` : nothing];
    return html`<div class="other-baselines" aria-busy=${state === 'loading' || state === 'computing' ? 'true' : 'false'}>${words}</div>`;
  }

  /** Gives up what takes long. @param {string} slot @param {string} interpreter @param {PlannedRow} row @param {IndexedInput} example */
  cancel(slot, interpreter, row, example) {
    const {model, dataset} = this.seen;
    const config = {...row.config, cancel: true};
    answers.cancel(this.keys[slot], (asker) => interpretation({model, dataset, interpreter, inputs: [example], config, asker}));
  }

  /** @param {string} name @param {SalienceRow} map @param {?number} hovered */
  renderChips(name, map, hovered) {
    const top = map.units.filter(({special}) => !special).sort((a, b) => Math.abs(b.share) - Math.abs(a.share)).slice(0, 3);
    const point = (/** @type {?number} */ at) => {
      this.hovered = at === null ? null : {section: name, at};
      this.requestUpdate();
    };
    return html`<div class="chips" dir="auto" role="group" aria-label=${`${map.label}: most salient ${top.map(({text, score}) => `${text} ${significant(score)}`).join(', ')}`}
        @pointerleave=${() => point(null)}>${keptTogether(map.units).map((units, i, all) => html`${nameOfText(units, all[i - 1])}<span class="kept">${units.map(([unit, at]) => {
      const same = at === hovered ? ' same' : '';
      if (unit.special) return html`<span class=${`chip special${same}`} title="A special token, never scored" @pointerenter=${() => point(at)}>${unit.text}</span>`;
      const {fill, text} = salienceColor(unit.share, map.signed);
      return html`<span class=${`chip${same}`} style=${`background:${fill};color:${text}`} title=${`${unit.text}: ${unit.score}`} @pointerenter=${() => point(at)}>${unit.text}</span>`;
    })}</span>`)}</div>`;
  }
});

/** What stands before the first word of either text of a pair: its field. @param {[SalienceUnit, number][]} units @param {[SalienceUnit, number][]} [before] */
function nameOfText(units, before) {
  const names = textFields();
  const part = units[0][0].part ?? 0;
  return names.length < 2 || (before && (before[0][0].part ?? 0) === part) ? nothing : html`<span class="text-name">${names[part]}</span>`;
}

/** Where the comparison with other baselines stands, beside a map's own place. @param {string} slot */
function besides(slot) {
  return `${slot} baselines`;
}

/** What a reader asks for with a row's button. @param {PlannedRow} row @param {IndexedInput} example */
function wishOf({config}, example) {
  return JSON.stringify([example.id, config]);
}

/** @param {number} from @param {boolean} signed */
function rampStyle(from, signed) {
  const stops = Array.from({length: 9}, (_, i) => salienceColor(from + ((1 - from) * i) / 8, signed).fill);
  return `background:linear-gradient(90deg, ${stops.join(', ')})`;
}

/** @param {SalienceRow[]} rows @param {(?number)[][]} agreement */
function renderAgreement(rows, agreement) {
  return html`<details class="agreement"><summary>How alike the rows rank the words (Spearman’s ρ)</summary><div class="scrolled"><table>
    <thead><tr><th></th>${rows.map((_, i) => html`<th scope="col">${i + 1}</th>`)}</tr></thead>
    <tbody>${rows.map(({label}, i) => html`<tr><th scope="row" title=${label}>${i + 1}. ${shorten(label, 24)}</th>${rows.map((_, j) => {
      const rho = agreement[i][j];
      const {fill, text} = salienceColor(rho ?? 0, true);
      return html`<td style=${`background:${fill};color:${text}`}>${rho === null ? '–' : rho.toFixed(2).replace('-', '−')}</td>`;
    })}</tr>`)}</tbody></table></div></details>`;
}
