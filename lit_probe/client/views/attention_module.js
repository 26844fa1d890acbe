// @ts-check
/** The panel "Attention": which tokens does each attention head look at in the selected text, and what does an edit turn elsewhere? */
/** @import {Result} from '../page/answers.js' */
/** @import {AttentionHead, AttentionHeads, AttentionUnits, IndexedInput, LayerMetrics} from '../page/types.js' */
/** @import {Head} from './attention_grid.js' */
/** @import {Spot} from './attention_lines.js' */
import {figurePage} from '../charts/figure_page.js';
import {COLORS, salienceColor} from '../charts/palette.js';
import {answers} from '../page/answers.js';
import {currentLayer, observable} from '../page/choices.js';
import {pairNames} from '../page/edit_pair.js';
import {definePanel, html, nothing} from '../page/lit_host.js';
import {CONTROLS_CSS, PANEL_CSS} from '../panels/css.js';
import {layerPanel} from '../panels/layer_panel.js';
import {card, errorCard, progressCard, renderCaption, renderDownloads, renderNotes, renderSelect} from '../panels/parts.js';
import {shownTexts} from '../panels/shown_texts.js';
import {bytesOf} from '../words/files.js';
import {formatScore, significant} from '../words/format.js';
import {paintHeads, paintLines, paintUnits, ROW, unitUnder} from './attention_canvas.js';
import {headAtPlace, nearestHead, pictureByKey, pictureLayout, sharesSentence} from './attention_grid.js';
import {attentionCsv, BLOCKS, changesOf, counterpart, inBlock, linesChart, linesOf, spotSentence} from './attention_lines.js';
import {shownToken} from './lens_grid.js';

const CHANGE = 'change';

/** The head that is looked at; kept for all copies of the panel. */
const pickedHead = observable(/** @type {Head} */ ({block: 1, head: 0}));
/** What the small pictures show, and which lines of a pair are drawn. */
const pickedView = observable({show: /** @type {?string} */ (null), block: 'all'});
/** The token that is looked at, of which texts. */
const pickedToken = observable(/** @type {?{about: string, side: number, place: number}} */ (null));

/** The height of a line of words, and about the width of a character, in pixels. */
const LINE = 18;
const CHARACTER = 6.2;

const GUIDE = html`<details class="guide"><summary>How to read this</summary>
  <p><b>The small pictures</b> show every head: a row for each block, a column for each head. In a picture, a row is a token that takes in, a column a token that is taken
    from, both in the order of the text; the darker, the larger the weight. A diagonal is a head that looks at a neighbour, a dark column one token that all look at. Longer texts
    share cells, which show their largest weight. Click a picture, or walk with the arrow keys.</p>
  <p><b>The lines</b> show one head: each token at the left takes in from the tokens at the right, the darker the more; its weights add up to 1. Point at a token to see its lines alone, click it
    to keep it. “␣” is a space that belongs to the token. The faintest lines (below 2%, or half of an even share) are left out unless one token is shown. Many heads rest on special tokens when they have nothing to do.</p>
  <p><b>An edit</b> stands beside its original. “Change” shows what share of the attention of the common tokens each head turns elsewhere, and lines that became stronger (blue) or weaker (orange).</p>
  <p><b>Units.</b> A token’s query times another one’s key, unit by unit, adds up to the score whose softmax is the weight. It is shown where that is so to the last digits;
    for models that do more to their scores the panel says what is in the way.</p>
  <p><b>Attention rollout</b> (Abnar & Zuidema 2020) multiplies the blocks, each averaged over its heads and half of every token left as it was.</p>
  <p><b>How not to read it.</b> A weight says how much of a token’s values a head takes in, not what is in them nor what later blocks make of it: it is no explanation of a prediction
    (Jain & Wallace 2019; Wiegreffe & Pinter 2019). What a head carries, a probe at the head says.</p></details>`;

const ATTENTION_CSS = `
  canvas { display: block; color: ${COLORS.accent}; caret-color: ${COLORS.secondMark}; border: 0 solid; border-top-color: ${COLORS.grid}; border-bottom-color: ${COLORS.ink}; }
  .scroller { overflow-x: auto; margin: 4px 12px 0; }
  .pictures { position: relative; outline: none; cursor: pointer; width: max-content; }
  .pictures:focus-visible, .tokens:focus-visible { box-shadow: 0 0 0 2px var(--lit-cyea-500); }
  .told { padding: 0 12px; font-size: 12px; line-height: 18px; overflow-wrap: anywhere; min-height: 18px; }
  .carried code { white-space: nowrap; }
  .of-token { height: ${2 * LINE}px; overflow: hidden; }
  .sides { display: flex; gap: 12px; padding: 6px 12px 0; }
  .side { flex: none; min-width: 0; }
  .side-title { font-weight: bold; font-size: 12px; line-height: 18px; }
  .bipartite { display: flex; position: relative; }
  .headings { display: flex; font-size: 11px; line-height: 16px; color: var(--lit-neutral-700); }
  .headings span { flex: none; white-space: nowrap; padding: 0 4px; box-sizing: border-box; }
  .headings span:first-child { text-align: right; }
  .tokens { flex: none; outline: none; cursor: pointer; }
  .token { height: ${ROW}px; line-height: ${ROW}px; font-size: 12px; padding: 0 4px; box-sizing: border-box; overflow: hidden; text-overflow: ellipsis; white-space: pre; }
  .tokens.from .token { text-align: right; }
  .token.special { color: var(--lit-neutral-700); }
  .token.seam { border-top: 1px solid var(--lit-neutral-400); }
  .token.new { font-style: italic; text-decoration: underline dotted; }
  .token.picked { outline: 2px solid ${COLORS.ink}; outline-offset: -2px; }
  .token.echo { outline: 1px dashed ${COLORS.ink}; outline-offset: -1px; }
  .rollout { padding: 2px 12px; }
  .units { display: flex; padding: 4px 12px; }
  .units .numbers { flex: none; width: 58px; font-variant-numeric: tabular-nums; }
  .units .numbers .token { text-align: right; }
`;

definePanel('attention-module', (LitPanel) => class AttentionModule extends layerPanel(LitPanel) {
  static title = 'Attention';
  static infoMarkdown = `**Which tokens does each attention head look at?** All heads at a glance, one head between the tokens, and one token unit by unit, for the selected text and its edit.
“How to read this”, at the bottom of the panel, says more.`;
  static interpreter = 'attention';
  static css = PANEL_CSS + CONTROLS_CSS + ATTENTION_CSS;

  /** The last texts that were drawn: pale while the next ones are on their way. @type {?{about: string, answer: AttentionHeads, bytes: Uint8Array[]}} */
  last = null;
  /** @type {?Head} */
  hoveredHead = null;
  /** The token under the pointer. @type {?(Spot & {side: number})} */
  hoveredToken = null;
  /** The unit under the pointer, with the row that it is in. @type {?{unit: number, row: number}} */
  hoveredUnit = null;

  choices() {
    // What is known of all heads decides whether one of them can be asked for.
    return [currentLayer, pickedHead, pickedView, pickedToken, /** @type {any} */ (answers)];
  }

  observed() {
    return shownTexts(this);
  }

  /** The texts that are shown, and by which model. */
  get about() {
    const {model, dataset, shown} = this.seen;
    return [model, dataset, ...shown.map((/** @type {IndexedInput} */ {id}) => id)].join(' ');
  }

  questions() {
    const {shown} = this.seen;
    const heads = this.want('heads', 'attention', shown.length ? shown : null, {part: 'heads'});
    const known = shown.length ? answers.read(heads) : undefined;
    const answer = known?.state === 'ready' ? /** @type {AttentionHeads} */ (known.answer) : null;
    const head = answer ? headOf(answer) : null;
    const token = answer ? this.tokenOf(answer) : null;
    return {
      heads,
      head: this.want('head', 'attention', answer ? shown : null, {part: 'head', ...head}),
      units: this.want('units', 'attention', token ? [shown[token.side]] : null, {part: 'units', ...head, token: token?.place ?? 0}),
      scores: this.want('scores', 'layer_metrics', answer?.places ? [] : null, {whole: true}),
    };
  }

  /** The token that is looked at, if these texts have it. @param {AttentionHeads} answer */
  tokenOf(answer) {
    const token = pickedToken.get();
    return token && token.about === this.about && token.place < (answer.examples[token.side]?.tokens.length ?? 0) ? token : null;
  }

  renderContent() {
    const {shown} = this.seen;
    const result = shown.length ? answers.read(this.keys.heads) ?? {state: 'loading'} : null;
    if (result?.state === 'ready') {
      const answer = /** @type {AttentionHeads} */ (result.answer);
      if (this.last?.answer !== answer) this.last = {about: this.about, answer, bytes: answer.examples.map(({pictures}) => bytesOf(pictures))};
    }
    const drawn = result?.state === 'ready' ? this.last : null;
    const head = drawn ? this.headAnswer(drawn.answer) : null;
    return html`<div class="module-container">
      ${drawn ? this.renderToolbar(drawn.answer, head) : nothing}
      <div class="module-results-area">
        ${!result ? card('Select a text to see which of its tokens each attention head looks at.') : drawn ? this.renderAttention(drawn.answer, head) : this.renderWaiting(result)}
        ${GUIDE}
      </div></div>`;
  }

  /** The weights of the head that is looked at, once they are there. @param {AttentionHeads} answer @returns {?AttentionHead} */
  headAnswer(answer) {
    const result = answers.read(this.keys.head);
    const found = result?.state === 'ready' ? /** @type {AttentionHead} */ (result.answer) : null;
    const at = headOf(answer);
    return found && found.block === at.block && found.head === at.head ? found : null;
  }

  /** @param {Result} result */
  renderWaiting(result) {
    if (result.state === 'failed') return errorCard('Attention could not be shown.', result.message, result.said ? null : () => this.retry());
    return progressCard({...result, message: result.message ?? 'Asking the encoder for its attention weights'});
  }

  /** What the texts are called. @param {AttentionHeads} answer @returns {string[]} */
  titles({examples}) {
    if (examples.length === 1) return ['Text'];
    return pairNames(this.seen.how);
  }

  /** What the small pictures show: a side's number, or `change`. @param {AttentionHeads} answer @returns {string} */
  shows(answer) {
    const {show} = pickedView.get();
    if (answer.examples.length === 1) return '0';
    return show ?? (answer.changes ? CHANGE : '0');
  }

  /** @param {AttentionHeads} answer @param {?AttentionHead} head */
  renderToolbar(answer, head) {
    const titles = this.titles(answer);
    const two = answer.examples.length > 1;
    const seam = answer.examples.some((text) => text.seam !== null);
    const pick = (/** @type {Partial<ReturnType<typeof pickedView.get>>} */ change) => pickedView.set({...pickedView.get(), ...change});
    return html`<div class="module-toolbar wrapped">
      ${two ? html`<div class="toolbar-part">${renderSelect('attention-show', 'Show', [{value: '0', title: titles[0]}, {value: '1', title: titles[1]}, ...(answer.changes ? [{value: CHANGE, title: 'Change'}] : [])],
        this.shows(answer), (show) => pick({show}))}</div>` : nothing}
      ${seam ? html`<div class="toolbar-part">${renderSelect('attention-block', 'Lines', Object.entries(BLOCKS).map(([value, title]) => ({value, title})), pickedView.get().block, (block) => pick({block}))}</div>` : nothing}
      ${head ? html`<span class="downloads">${renderDownloads(this.files(answer, head))}</span>` : nothing}</div>`;
  }

  /** @param {AttentionHeads} answer @param {?AttentionHead} head */
  renderAttention(answer, head) {
    const at = headOf(answer);
    const told = this.hoveredHead ?? at;
    const {examples} = answer;
    const titles = this.titles(answer);
    const layout = pictureLayout(answer, this.size.width - 24);
    const show = (/** @type {?Head} */ hovered) => {
      if (JSON.stringify(hovered) === JSON.stringify(this.hoveredHead)) return;
      this.hoveredHead = hovered;
      this.requestUpdate();
    };
    const under = (/** @type {MouseEvent} */ event) => {
      const {left, top} = /** @type {HTMLElement} */ (event.currentTarget).getBoundingClientRect();
      return layout.under(event.clientX - left, event.clientY - top);
    };
    const onKey = (/** @type {KeyboardEvent} */ event) => {
      const next = pictureByKey(event.key, at, answer);
      if (!next) return;
      pickHead(answer, next);
      event.preventDefault();
    };
    const name = examples.length === 1 ? 'this text' : titles[1] === 'Edit' ? 'the edit' : 'the selected text';
    const changed = answer.changes ? ` Against the ${titles[0].toLowerCase()}${titles[1] === 'Edit' ? '' : ' text'}, it turns ${Math.round(answer.changes[told.block - 1][told.head] * 100)}% of the common tokens’ attention elsewhere.` : '';
    return html`<div class="of-head" style=${`min-height:${this.captionHeight(answer)}px`}>${renderCaption(html`<b>Block ${told.block}, head ${told.head}:</b> ${sharesSentence(examples[examples.length - 1], told, name)}${changed}`)}</div>
      <div class="scroller"><div class="pictures" role="application" aria-roledescription="grid of attention heads" tabindex="0" aria-label=${`Block ${at.block}, head ${at.head} of ${answer.n_blocks} blocks with ${answer.n_heads} heads`}
        @keydown=${onKey} @pointermove=${(/** @type {PointerEvent} */ event) => show(under(event))} @pointerleave=${() => show(null)}
        @click=${(/** @type {MouseEvent} */ event) => {
        const head = under(event);
        if (head) pickHead(answer, head);
      }}><canvas class="heads"></canvas></div></div>
      ${this.shows(answer) === CHANGE ? html`<div class="told">The darkest head turns ${Math.round(largestChange(answer) * 100)}% of the common tokens’ attention elsewhere. Lines of the ${titles[1].toLowerCase()}: blue for more than before, orange for less.</div>` : nothing}
      <div class="told carried">${this.renderCarried(answer, at)}</div>
      ${this.renderHead(answer, head)}
      ${renderNotes(this.notes(answer))}`;
  }

  /** What a probe reads off the head: "attends to" beside "carries". @param {AttentionHeads} answer @param {Head} at */
  renderCarried({places}, {block, head}) {
    if (!places) return html`What a head carries is not known here: the probes read no heads. Start with <code>--sites=layers,heads</code> to have a probe’s score beside each head.`;
    const place = places[block - 1][head];
    if (place === null) return `No probe reads head ${block}.${head}: it is not among the places of the probes.`;
    const result = answers.read(this.keys.scores) ?? {state: 'loading'};
    if (result.state === 'failed') return `What this head carries could not be asked: ${result.message}`;
    if (result.state !== 'ready') return 'Asking what a probe reads off this head …';
    const about = /** @type {LayerMetrics} */ (result.answer);
    const series = about.series.find(({split}) => split === 'dev') ?? about.series[0];
    if (!series) return 'No row is scored, so what this head carries is not known.';
    return html`<b>What it carries:</b> a probe reads the label off this head with ${about.metric_title.toLowerCase()} ${formatScore(series.layers[place].score)} on ${series.split}
      (baseline ${formatScore(series.majority)})${currentLayer.get() === place ? '.' : html`. <button class="text-button" @click=${() => currentLayer.set(place)}>Show it in all panels</button>`}`;
  }

  /** @param {AttentionHeads} answer @param {?AttentionHead} head */
  renderHead(answer, head) {
    if (!head) {
      const result = answers.read(this.keys.head) ?? {state: 'loading'};
      return result.state === 'failed' ? errorCard('The head could not be shown.', result.message, result.said ? null : () => this.retry()) : html`<div class="told" role="status">Asking for the weights of this head …</div>`;
    }
    const token = this.tokenOf(answer);
    const spot = this.hoveredToken ?? (token ? {side: token.side, column: /** @type {'from'} */ ('from'), place: token.place} : null);
    const told = spot ? spotSentence(answer.examples[spot.side].tokens, head.weights[spot.side], spot) : 'Point at a token to see its lines alone; click it, or walk with the arrow keys, to keep it.';
    return html`<div class="told of-token" role="status" title=${told}>${told}</div>
      <div class="sides">${answer.examples.map((_, side) => this.renderSide(answer, head, side, spot))}</div>
      ${token ? this.renderUnits(answer, token) : nothing}
      ${this.renderRollout(answer, head.block)}`;
  }

  /** Room for what is said of any head, so that nothing moves under a pointer that goes from head to head. @param {AttentionHeads} answer */
  captionHeight({examples, changes}) {
    return this.heightOf(235 + (changes ? 85 : 0) + (examples.some(({between}) => between) ? 100 : 0));
  }

  /** Room for so many characters. @param {number} characters */
  heightOf(characters) {
    return LINE * Math.ceil((characters * CHARACTER) / Math.max(100, this.size.width - 24)) + 4;
  }

  /** How wide the parts of one text are. @param {number} nTexts */
  widths(nTexts) {
    const whole = nTexts > 1 ? (this.size.width - 36) / 2 : Math.min(560, this.size.width - 24);
    const tokens = Math.floor(Math.min(150, whole * 0.34));
    return {whole: Math.floor(whole), tokens, lines: Math.floor(whole) - 2 * tokens};
  }

  /** @param {AttentionHeads} answer @param {AttentionHead} head @param {number} side @param {?(Spot & {side: number})} spot */
  renderSide(answer, head, side, spot) {
    const {tokens, special, seam} = answer.examples[side];
    const widths = this.widths(answer.examples.length);
    const token = this.tokenOf(answer);
    const own = spotIn(answer, side, spot);
    const shade = (/** @type {'from'|'to'} */ column, /** @type {number} */ place) => {
      if (!own || own.column === column) return '';
      const share = column === 'to' ? head.weights[side][own.place][place] : head.weights[side][place][own.place];
      return `background: color-mix(in srgb, ${COLORS.accent} ${(share * 70).toFixed(0)}%, transparent)`;
    };
    const isNew = (/** @type {number} */ place) => answer.aligned !== null && counterpart(answer.aligned, side, place) === null;
    const pick = (/** @type {number} */ place) => {
      const same = token?.side === side && token.place === place;
      pickedToken.set(same ? null : {about: this.about, side, place});
    };
    const hover = (/** @type {?(Spot & {side: number})} */ next) => {
      this.hoveredToken = next;
      this.requestUpdate();
    };
    const onKey = (/** @type {KeyboardEvent} */ event) => {
      const at = token?.side === side ? token.place : -1;
      const next = {ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: tokens.length - 1}[event.key];
      if (event.key === 'Escape') pickedToken.set(null);
      else if (next === undefined) return;
      else pickedToken.set({about: this.about, side, place: Math.min(tokens.length - 1, Math.max(0, next))});
      event.preventDefault();
    };
    const column = (/** @type {'from'|'to'} */ name) => tokens.map((text, place) => html`<div role="option" id=${`token-${side}-${name}-${place}`} dir="auto"
      class=${`token${special[place] ? ' special' : ''}${seam === place ? ' seam' : ''}${isNew(place) ? ' new' : ''}${token?.side === side && token.place === place && name === 'from' ? ' picked' : ''}${own && own.place === place && own.column === name && spot?.side !== side ? ' echo' : ''}`}
      style=${shade(name, place)} title=${text} aria-selected=${token?.side === side && token.place === place && name === 'from' ? 'true' : 'false'}
      @pointerenter=${() => hover({side, column: name, place})} @click=${() => pick(place)}>${shownToken(text)}</div>`);
    const title = answer.examples.length > 1 ? this.titles(answer)[side] : '';
    return html`<div class="side" style=${`width:${widths.whole}px`}>
      ${title ? html`<div class="side-title">${title}${side === 1 && this.shows(answer) === CHANGE ? ': change' : ''}</div>` : nothing}
      <div class="headings"><span style=${`width:${widths.tokens}px`}>takes in</span><span style=${`margin-left:${widths.lines}px;width:${widths.tokens}px`}>taken from</span></div>
      <div class="bipartite" @pointerleave=${() => hover(null)}>
        <div class="tokens from" role="listbox" tabindex="0" aria-label=${`${title} tokens that take in`} aria-activedescendant=${token?.side === side ? `token-${side}-from-${token.place}` : nothing}
          style=${`width:${widths.tokens}px`} @keydown=${onKey}>${column('from')}</div>
        <canvas class="lines" data-side=${side}></canvas>
        <div class="tokens to" role="listbox" aria-label=${`${title} tokens that are taken from`} style=${`width:${widths.tokens}px`}>${column('to')}</div>
      </div></div>`;
  }

  /** @param {AttentionHeads} answer @param {{side: number, place: number}} token */
  renderUnits(answer, token) {
    const result = answers.read(this.keys.units) ?? {state: 'loading'};
    const {tokens, special} = answer.examples[token.side];
    const title = html`<h4>Unit by unit: the query of “${shownToken(tokens[token.place])}”${answer.examples.length > 1 ? ` (${this.titles(answer)[token.side]})` : ''}</h4>`;
    if (result.state === 'failed') return html`${title}<div class="told unknown">${result.message}</div>`;
    if (result.state !== 'ready') return html`${title}<div class="told" role="status">Asking for queries and keys …</div>`;
    const units = /** @type {AttentionUnits} */ (result.answer);
    const over = this.hoveredUnit;
    const told = over && over.unit < units.query.length ? unitSentence(units, over, tokens) : `In the first row the query; below it each token’s key and, at its right, query × key × ${significant(units.scale)}. Blue is above 0, orange below. Products add up to the score, and the softmax of the scores gives the weights, to within ${significant(units.largest_error)}.`;
    const width = this.unitsWidth();
    const onMove = (/** @type {PointerEvent} */ event) => {
      const {left, top} = /** @type {HTMLElement} */ (event.currentTarget).getBoundingClientRect();
      const [unit, row] = [unitUnder(event.clientX - left, width, units.query.length), Math.floor((event.clientY - top) / ROW) - 1];
      this.hoveredUnit = unit === null || row < 0 || row >= tokens.length ? null : {unit, row};
      this.requestUpdate();
    };
    return html`${title}<div class="told" style=${`min-height:${this.heightOf(205)}px`}>${told}</div>
      <div class="units"><div class="numbers" style="width:100px"><div class="token special">query</div>${tokens.map((text, place) => html`<div class=${`token${special[place] ? ' special' : ''}`} dir="auto" title=${text}>${shownToken(text)}</div>`)}</div>
        <canvas class="strips-of-units" @pointermove=${onMove} @pointerleave=${() => {
          this.hoveredUnit = null;
          this.requestUpdate();
        }}></canvas>
        <div class="numbers"><div class="token special">weight</div>${units.weights.map((share) => html`<div class="token weight">${share.toFixed(3)}</div>`)}</div></div>`;
  }

  /** What all blocks up to that of the head mix into the vector of the text. @param {AttentionHeads} answer @param {number} block */
  renderRollout(answer, block) {
    if (answer.examples.some(({rollout}) => !rollout)) return nothing;
    return html`<h4>Attention rollout up to block ${block}: no explanation</h4>
      <div class="told">If attention were all there is, the layer’s vector (${answer.pooling} pooling) would be mixed from the tokens like this. It knows nothing of what is in them, of feed-forward parts or of any class.</div>
      ${answer.examples.map(({tokens, special, rollout}, side) => {
        const shares = /** @type {number[][]} */ (rollout)[block];
        const largest = Math.max(...shares);
        return html`<div class="rollout chips"><span class="text-name">${answer.examples.length > 1 ? this.titles(answer)[side] : nothing}</span>${tokens.map((token, place) => {
          const {fill, text} = salienceColor(shares[place] / largest, false);
          return html`<span class=${`chip${special[place] ? ' special' : ''}`} dir="auto" style=${`background:${fill};color:${text}`} title=${`${(100 * shares[place]).toFixed(1)}%`}>${shownToken(token)}</span>`;
        })}</div>`;
      })}`;
  }

  unitsWidth() {
    return Math.max(60, Math.min(640, this.size.width - 24 - 100 - 58));
  }

  /** @param {AttentionHeads} answer @returns {string[]} */
  notes({encoder, examples, max_tokens: maxTokens, max_length: maxLength, is_decoder: isDecoder}) {
    return [
      `${encoder}: weights of one pass of this text, computed in the plain (“eager”) way for it alone. Texts of up to ${maxTokens} tokens are shown; the encoder reads ${maxLength}.`,
      ...(examples.some(({truncated}) => truncated) ? [`The text is longer than ${maxLength} tokens: the rest was not read.`] : []),
      ...(isDecoder ? ['A decoder: a token takes in from itself and from those before it alone.'] : []),
    ];
  }

  /** @param {unknown} changed */
  updated(changed) {
    super.updated(changed);
    if (!this.seen || !this.last || this.last.about !== this.about) return;
    const {answer, bytes} = this.last;
    const show = this.shows(answer);
    const canvas = /** @type {?HTMLCanvasElement} */ (this.shadowRoot?.querySelector('canvas.heads') ?? null);
    // Pointing at tokens changes no picture.
    const painted = canvas && [this.about, show, this.size.width, JSON.stringify([headOf(answer), this.hoveredHead])].join(' ');
    if (canvas && (canvas.dataset.painted !== painted)) {
      canvas.dataset.painted = painted ?? '';
      const side = Number(show);
      paintHeads(canvas, answer, {width: this.size.width - 24, picture: show === CHANGE ? null : {text: answer.examples[side], bytes: bytes[side]}, picked: headOf(answer), hovered: this.hoveredHead});
    }
    const head = this.headAnswer(answer);
    if (!head) return;
    const token = this.tokenOf(answer);
    const spot = this.hoveredToken ?? (token ? {side: token.side, column: /** @type {'from'} */ ('from'), place: token.place} : null);
    for (const lines of /** @type {HTMLCanvasElement[]} */ ([...(this.shadowRoot?.querySelectorAll('canvas.lines') ?? [])])) {
      const side = Number(lines.dataset.side);
      paintLines(lines, this.linesIn(answer, head, side, spotIn(answer, side, spot)), {width: this.widths(answer.examples.length).lines, nTokens: answer.examples[side].tokens.length, largest: this.changesIn(answer, side) ? 0.5 : 1});
    }
    const units = answers.read(this.keys.units);
    const strips = /** @type {?HTMLCanvasElement} */ (this.shadowRoot?.querySelector('canvas.strips-of-units') ?? null);
    if (strips && units?.state === 'ready') paintUnits(strips, /** @type {AttentionUnits} */ (units.answer), this.unitsWidth());
  }

  /** Whether lines of this text show what an edit changes. @param {AttentionHeads} answer @param {number} side */
  changesIn(answer, side) {
    return side === 1 && answer.aligned !== null && this.shows(answer) === CHANGE;
  }

  /** @param {AttentionHeads} answer @param {AttentionHead} head @param {number} side @param {?Spot} spot */
  linesIn(answer, head, side, spot) {
    const weights = this.changesIn(answer, side) ? changesOf(head.weights[0], head.weights[1], answer.aligned ?? []) : head.weights[side];
    return linesOf(weights, {spot, keep: inBlock(answer.examples[side].seam, pickedView.get().block)});
  }

  /** Files that are made when they are asked for: a row for each two tokens. @param {AttentionHeads} answer @param {AttentionHead} head */
  files(answer, head) {
    const {model} = this.seen;
    const titles = this.titles(answer);
    const charts = () => answer.examples.map((text, side) => linesChart(this.changesIn(answer, side) ? `${titles[side]}: change` : titles[side], text, this.linesIn(answer, head, side, null)));
    return {
      name: `attention_${model}_${head.block}_${head.head}`,
      get csv() {
        return attentionCsv(model, answer, head, titles);
      },
      get figure() {
        return figurePage({
          title: `Attention of block ${head.block}, head ${head.head}: ${answer.encoder}`,
          setting: 'each token at the left takes in from those at the right; the darker, the larger the weight',
          charts: charts(),
          footnotes: ['The faintest lines are left out. What a head looks at is no explanation of a prediction.'],
        });
      },
    };
  }
});

/** The head that is looked at: that of the current place, or the picked one. @param {AttentionHeads} answer @returns {Head} */
function headOf(answer) {
  return headAtPlace(answer, currentLayer.get()) ?? nearestHead(pickedHead.get(), answer);
}

/** @param {AttentionHeads} answer */
function largestChange({changes}) {
  return Math.max(...(changes ?? [[0]]).flat());
}

/** Looks at a head, in all panels where probes read it. @param {AttentionHeads} answer @param {Head} head */
function pickHead(answer, head) {
  const place = answer.places?.[head.block - 1][head.head] ?? null;
  pickedHead.set(head);
  // The head of another place would stay in its way.
  if (place !== null) currentLayer.set(place);
  else if (headAtPlace(answer, currentLayer.get())) currentLayer.set(null);
}

/** The token of this text that stands for the one that is looked at, in this text or in the other. @param {AttentionHeads} answer @param {number} side @param {?(Spot & {side: number})} spot @returns {?Spot} */
function spotIn(answer, side, spot) {
  if (!spot || spot.side === side) return spot;
  const place = answer.aligned && counterpart(answer.aligned, spot.side, spot.place);
  return place === null ? null : {column: spot.column, place};
}

/** @param {AttentionUnits} units @param {{unit: number, row: number}} over @param {string[]} tokens */
function unitSentence({query, keys, products, scale, weights}, {unit, row}, tokens) {
  const score = products[row].reduce((sum, one) => sum + one, 0);
  return `Unit ${unit}, “${shownToken(tokens[row])}”: query ${significant(query[unit])} × key ${significant(keys[row][unit])} × ${significant(scale)} = ${significant(products[row][unit])}; of a score of ${significant(score)}, weight ${weights[row].toFixed(3)}`;
}
