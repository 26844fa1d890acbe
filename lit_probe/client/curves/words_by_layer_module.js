// @ts-check
/** The panel "Words by layer": at which layer is the tag of each word of the selected sentence decodable? */
/** @import {Result} from '../page/answers.js' */
/** @import {IndexedInput, WordSalience, WordsByLayer} from '../page/types.js' */
/** @import {MatrixLine} from '../words/side_by_side.js' */
/** @import {Cell} from './word_grid.js' */
import {figurePage} from '../charts/figure_page.js';
import {COLORS, salienceColor} from '../charts/palette.js';
import {svgElement} from '../charts/svg.js';
import {answers} from '../page/answers.js';
import {currentLayer, currentWord, resolveLayer} from '../page/choices.js';
import {pairNames} from '../page/edit_pair.js';
import {definePanel, html, nothing} from '../page/lit_host.js';
import {CONTROLS_CSS, PANEL_CSS} from '../panels/css.js';
import {layerPanel} from '../panels/layer_panel.js';
import {backButton, card, errorCard, progressCard, renderCaption, renderDownloads, renderNotes} from '../panels/parts.js';
import {shownTexts} from '../panels/shown_texts.js';
import {countOf, significant} from '../words/format.js';
import {layerHeading, placeTitle, readingOf} from '../words/sentences.js';
import {placeIn, rightSentence, wordGrid, wordGridLayout, wordLines, wordsCsv, wordSentences} from './word_grid.js';

const GUIDE = html`<details class="guide"><summary>How to read this</summary>
  <p><b>A row is a word</b> of the selected sentence, a column a layer; layer 0 is the embedding output, which has seen no context. The darker a cell,
    the more probable the word’s own tag is to the probe of that layer. “×”: the probe gives the word another tag there. Beside the words stand their tags, and
    those that the probe of the current layer gives them.</p>
  <p><b>Grey words</b> have no tag of their own: they were neither fitted nor scored, and the pointer shows what the probes say of them. Words that
    the encoder did not read, because the sentence is longer than it reads, have no numbers.</p>
  <p><b>An edit</b> stands beside the sentence that it was made from, word by word. Words that stand in both keep their tags; new ones have a predicted tag alone.
    Edit the text in the Datapoint Editor and press Add, or pin one sentence and select another.</p>
  <p><b>Click a cell</b>, or walk with the arrow keys and press Enter, to make its layer the current one of all lit_probe panels, and its word the current
    word. Escape goes back to the layer chosen on dev. <b>The line below</b> says which words of the sentence speak for the tag of the current word at that layer: the
    gradient of the tag’s logit at each word’s embeddings, times these. At layer 0 a word has only itself. What a probe can read off a layer need not be what the model uses.</p></details>`;

const WORDS_CSS = `
  .scroller { overflow-x: auto; }
  .chart.words svg { max-width: none; }
  .words-reading { padding: 0 12px; font-size: 12px; line-height: 18px; }
  .salience { padding: 4px 12px; font-size: 13px; line-height: 24px; overflow-wrap: anywhere; }
  .salience span { padding: 2px 4px; border-radius: 2px; }
  .salience .explained { outline: 2px solid ${COLORS.ink}; }
  .chart.words .tooltip { bottom: auto; }
`;

definePanel('words-by-layer-module', (LitPanel) => class WordsByLayerModule extends layerPanel(LitPanel) {
  static title = 'Words by layer';
  static infoMarkdown = `**At which layer is the tag of each word decodable?** The probability of every word’s tag at each layer, for the selected sentence and its edit.
“How to read this”, at the bottom of the panel, says more.`;
  static interpreter = 'words_by_layer';
  static css = PANEL_CSS + CONTROLS_CSS + WORDS_CSS;

  /** The last sentences that were drawn: pale while the next ones are on their way. @type {?{model: string, dataset: string, shown: IndexedInput[], answer: WordsByLayer}} */
  last = null;
  /** The cell under the pointer. @type {?Cell} */
  hovered = null;
  /** The cell that keys have led to. @type {?Cell} */
  cursor = null;
  focused = false;
  /** The ids of the sentences that keys walk through. */
  about = '';
  /** Whether keys have moved the cursor, so that it may stand out of sight. */
  moved = false;

  choices() {
    // What is known of the words decides whether one of them can be explained.
    return [currentLayer, currentWord, /** @type {any} */ (answers)];
  }

  observed() {
    return shownTexts(this);
  }

  questions() {
    const {shown} = this.seen;
    const ids = shown.map((/** @type {IndexedInput} */ {id}) => id).join(' ');
    if (ids !== this.about) [this.about, this.cursor, this.hovered] = [ids, null, null];
    const words = this.want('words', 'words_by_layer', shown.length ? shown : null, {});
    const known = shown.length ? answers.read(words) : undefined;
    const answer = known?.state === 'ready' ? /** @type {WordsByLayer} */ (known.answer) : null;
    const picked = answer && pickedWord(answer, shown);
    const asked = answer && picked && answer.examples[picked.side].words[picked.place].read ? picked : null;
    return {
      words,
      salience: this.want('salience', 'word_salience', asked ? [shown[asked.side]] : null, answer && asked ? {word: asked.place, layer: layerOf(answer)} : {}),
    };
  }

  /** @param {unknown} changed */
  updated(changed) {
    super.updated(changed);
    if (!this.moved || !this.cursor) return;
    this.moved = false;
    this.shadowRoot?.querySelector(`#${cellId(this.cursor)}`)?.scrollIntoView({block: 'nearest', inline: 'nearest'});
  }

  renderContent() {
    const {model, dataset, shown} = this.seen;
    const result = shown.length ? answers.read(this.keys.words) ?? {state: 'loading'} : null;
    if (result?.state === 'ready') this.last = {model, dataset, shown, answer: result.answer};
    const kept = this.last && this.last.model === model && this.last.dataset === dataset ? this.last : null;
    const drawn = result?.state === 'ready' || result?.state === 'loading' ? kept : null;
    return html`<div class="module-container">
      ${result?.state === 'ready' && kept ? html`<div class="module-toolbar wrapped"><span class="downloads">${renderDownloads(this.files(kept.answer))}</span></div>` : nothing}
      <div class="module-results-area">
        ${!result ? card('Select a sentence to see what the probe of each layer says of its words.') : drawn ? this.renderWords(drawn, result.state === 'loading') : this.renderWaiting(result)}
        ${GUIDE}
      </div></div>`;
  }

  /** @param {Result} result */
  renderWaiting(result) {
    if (result.state === 'failed') return errorCard('The words could not be shown.', result.message, result.said ? null : () => this.retry());
    return progressCard({...result, message: result.message ?? 'Asking the probes of all layers'});
  }

  /** What the sentences are called. @param {WordsByLayer} answer @returns {string[]} */
  titles({examples}) {
    if (examples.length === 1) return [examples[0].split ? `${examples[0].split} sentence` : 'edited sentence'];
    return pairNames(this.seen.how);
  }

  /** @param {NonNullable<typeof this.last>} drawn @param {boolean} stale */
  renderWords({answer, shown}, stale) {
    const layer = layerOf(answer);
    const lines = wordLines(answer);
    if (lines.length === 0) return card('This text has no word.');
    const word = pickedWord(answer, shown);
    const layout = wordGridLayout(answer, lines.length, this.size.width);
    const at = (/** @type {Cell} */ cell) => (lines[cell.line] && cell.side < answer.examples.length ? placeIn(lines[cell.line], cell.side) : null);
    const cursor = this.cursor && at(this.cursor) !== null ? this.cursor : firstCell(lines, layer, word);
    const over = this.hovered && at(this.hovered) !== null ? this.hovered : this.focused ? cursor : null;
    const sentences = (/** @type {Cell} */ cell) => wordSentences(answer, answer.examples[cell.side].words[/** @type {number} */ (at(cell))], cell.layer);
    const pick = (/** @type {Cell} */ cell) => {
      const place = at(cell);
      if (place === null) return;
      this.cursor = cell;
      currentWord.set({example: shown[cell.side].id, place});
      currentLayer.set(cell.layer);
    };
    const under = (/** @type {MouseEvent} */ event) => {
      const {left, top} = /** @type {HTMLElement} */ (event.currentTarget).getBoundingClientRect();
      const cell = layout.cellUnder(event.clientX - left, event.clientY - top, layer);
      return cell && at(cell) !== null ? cell : null;
    };
    const show = (/** @type {Partial<{hovered: ?Cell, cursor: ?Cell, focused: boolean, moved: boolean}>} */ change) => {
      Object.assign(this, change);
      this.requestUpdate();
    };
    const onKey = (/** @type {KeyboardEvent} */ event) => {
      if (event.key === 'Enter' || event.key === ' ') pick(cursor);
      else if (event.key === 'Escape') {
        show({cursor: null});
        currentWord.set(null);
        currentLayer.set(null);
      } else {
        const target = cellByKey(event.key, cursor, answer, lines);
        if (!target) return;
        show({cursor: target, hovered: null, moved: true});
      }
      event.preventDefault();
    };
    const grid = wordGrid(answer, lines, {width: this.size.width, layer, titles: this.titles(answer), word, hovered: over, ofCell: (cell) => ({
      role: 'gridcell', id: cellId(cell), 'aria-label': sentences(cell).join(', '),
      'aria-selected': word && word.side === cell.side && word.place === at(cell) && cell.layer === layer ? 'true' : 'false'})});
    const reading = word ? wordSentences(answer, answer.examples[word.side].words[word.place], layer).join(': ') : '';
    return html`<div class=${stale ? 'stale' : ''} aria-busy=${stale ? 'true' : 'false'}>
      ${renderCaption(html`<b>${layerHeading(layer, answer.best_layer, answer.layer_names)}:</b> ${answer.examples.map((_, i) => `${answer.examples.length > 1 ? `${this.titles(answer)[i]} ` : ''}${rightSentence(answer, i, layer)}`).join('; ')}
        ${backButton(layer, answer.best_layer, answer.layer_names)}`)}
      <div class="scroller"><div class="chart words" role="grid" tabindex="0" aria-label="Words by layers" aria-activedescendant=${cellId(cursor)} style=${`width:${layout.width.toFixed(0)}px`}
        @keydown=${onKey} @focus=${() => show({focused: true})} @blur=${() => show({focused: false, cursor: null})}
        @pointermove=${(/** @type {PointerEvent} */ event) => {
        const cell = under(event);
        if (JSON.stringify(cell) !== JSON.stringify(this.hovered)) show({hovered: cell});
      }} @pointerleave=${() => show({hovered: null})} @click=${(/** @type {MouseEvent} */ event) => {
        const cell = under(event);
        if (cell) pick(cell);
      }}>${svgElement(grid)}${over ? this.renderCellTooltip(sentences(over), layout, over) : nothing}</div></div>
      ${reading ? html`<div class="words-reading" role="status"><b>Current word:</b> ${reading}</div>` : nothing}
      ${word && !stale ? this.renderSalience(answer, word) : nothing}
      ${renderNotes(this.notes(answer), {...answer, unit: 'word'})}</div>`;
  }

  /** Which words speak for the tag of the current one. @param {WordsByLayer} answer @param {{side: number, place: number}} word */
  renderSalience(answer, {side, place}) {
    const {words} = answer.examples[side];
    if (!words[place].read) return nothing;
    const result = answers.read(this.keys.salience) ?? {state: 'loading'};
    if (result.state === 'failed') return errorCard('The word could not be explained.', result.message, result.said ? null : () => this.retry());
    if (result.state !== 'ready') return html`<div class="words-reading" role="status">Asking which words speak for its tag …</div>`;
    const found = /** @type {WordSalience} */ (result.answer);
    const largest = Math.max(...found.scores.map((score) => Math.abs(score ?? 0)));
    return html`<div class="words-reading"><b>Which words speak for ${answer.label_names[found.tag]}</b>${found.predicted ? ', its predicted tag' : ''}: ${found.title} of its logit (${significant(found.value)}) at
        ${placeTitle(found.layer, answer.layer_names)}. Blue speaks for it, orange against it; the largest score is ${significant(largest)}.</div>
      <div class="salience" dir="auto">${words.map(({word: text}, at) => {
        const score = found.scores[at];
        const {fill, text: ink} = salienceColor(score === null || largest === 0 ? 0 : score / largest, found.signed);
        return html`<span class=${at === place ? 'explained' : ''} style=${`background:${fill};color:${ink}`} title=${score === null ? 'not read' : significant(score)}>${text}</span> `;
      })}</div>
      ${found.warning ? html`<div class="words-reading">${found.warning}</div>` : nothing}`;
  }

  /** Under the cell, and where that would leave the panel, as far at its side as it fits. @param {string[]} lines @param {ReturnType<typeof wordGridLayout>} layout @param {Cell} cell */
  renderCellTooltip(lines, layout, cell) {
    const room = Math.max(...lines.map((line) => line.length)) * 6.4 + 20;
    const left = Math.max(0, Math.min(layout.x(cell.side, cell.layer) - room / 2, layout.width - room));
    const top = layout.y(cell.line) + 24;
    return html`<div class="tooltip" style=${`left:${left.toFixed(0)}px; top:${top.toFixed(0)}px`}>${lines.map((line) => html`<div>${line}</div>`)}</div>`;
  }

  /** @param {WordsByLayer} answer @returns {string[]} */
  notes({examples, max_length: maxLength, decided_by: decidedBy}) {
    const words = examples.flatMap((example) => example.words);
    const unread = words.filter(({read}) => !read).length;
    const edits = examples.filter(({split}) => !split);
    const fresh = edits.flatMap((example) => example.words).filter(({tag}) => tag === null).length;
    return [
      ...(unread ? [`${countOf(unread, 'word')} not read: the encoder reads ${maxLength} tokens of a sentence.`] : []),
      ...(edits.length ? [`An edited sentence is never scored. Its words keep the tags that they have in the original${fresh ? `; ${countOf(fresh, 'word')} without a tag there ${fresh === 1 ? 'has' : 'have'} a predicted one alone` : ''}.`] : []),
      ...(decidedBy ? [decidedBy] : []),
    ];
  }

  /** @param {WordsByLayer} answer */
  files(answer) {
    const {model, dataset} = this.seen;
    const layer = layerOf(answer);
    return {
      name: `words_by_layer_${model}_${dataset}`,
      csv: wordsCsv(model, answer),
      figure: figurePage({
        title: `Words by layer: ${answer.encoder} on ${dataset}`,
        setting: `${readingOf({pooling: answer.pooling, unit: 'word'})} · ${answer.probe} probes trained on ${answer.trained_on}`,
        charts: [wordGrid(answer, wordLines(answer), {width: 640, layer, titles: this.titles(answer), onScreen: false})],
        footnotes: answer.examples.map((_, i) => `${this.titles(answer)[i]}, ${layerHeading(layer, answer.best_layer, answer.layer_names)}: ${rightSentence(answer, i, layer)}`),
      }),
    };
  }
});

/** The current layer of the answer's encoder. @param {WordsByLayer} answer */
function layerOf({best_layer: bestLayer, n_layers: nLayers}) {
  return resolveLayer(currentLayer.get(), bestLayer, nLayers);
}

/** The current word, where it is one of these sentences. @param {WordsByLayer} answer @param {IndexedInput[]} shown @returns {?{side: number, place: number}} */
function pickedWord(answer, shown) {
  const picked = currentWord.get();
  const side = picked ? shown.findIndex(({id}) => id === picked.example) : -1;
  return picked && side >= 0 && picked.place < answer.examples[side].words.length ? {side, place: picked.place} : null;
}

/** @param {Cell} cell */
function cellId({side, line, layer}) {
  return `cell-${side}-${line}-${layer}`;
}

/** Where keys begin: at the current word, or the first one. @param {MatrixLine[]} lines @param {number} layer @param {?{side: number, place: number}} word @returns {Cell} */
function firstCell(lines, layer, word) {
  const side = word?.side ?? (lines[0].first ? 0 : 1);
  const line = word ? lines.findIndex((one) => placeIn(one, word.side) === word.place) : 0;
  return {side, line, layer};
}

/**
 * The cell to which a key leads: over lines in which the sentence has no word, and from one sentence into the other.
 *
 * @param {string} key @param {Cell} from @param {WordsByLayer} answer @param {MatrixLine[]} lines
 * @returns {?Cell}  null: the key means nothing, or leads nowhere
 */
function cellByKey(key, {side, line, layer}, {n_layers: nLayers, examples}, lines) {
  const [down, right] = [{ArrowDown: 1, ArrowUp: -1}[key] ?? 0, {ArrowRight: 1, ArrowLeft: -1}[key] ?? 0];
  if (key === 'Home' || key === 'End') return {side, line, layer: key === 'Home' ? 0 : nLayers - 1};
  if (down) {
    let next = line + down;
    while (lines[next] && placeIn(lines[next], side) === null) next += down;
    return {side, line: lines[next] ? next : line, layer};
  }
  if (!right) return null;
  const next = layer + right;
  if (next >= 0 && next < nLayers) return {side, line, layer: next};
  const other = side + right;
  return other >= 0 && other < examples.length && placeIn(lines[line], other) !== null ? {side: other, line, layer: right > 0 ? 0 : nLayers - 1} : {side, line, layer};
}
