// @ts-check
/** Values of neurons on the tokens of one text, or of two side by side. */
import {salienceColor} from '../charts/palette.js';
import {html, nothing} from '../page/lit_host.js';

/**
 * @typedef {object} MatrixSide  One text's cell of a line.
 * @property {number} at  the place of the token in its text
 * @property {string} token
 * @property {boolean} special
 *
 * @typedef {object} MatrixLine  The same token of both texts, or a token of one of them.
 * @property {?MatrixSide} first
 * @property {?MatrixSide} second
 */

/**
 * Two texts token by token, the same tokens in the same line; of one text, its tokens.
 *
 * @param {{tokens: string[], special: boolean[], aligned: ?(?number)[]}[]} texts  one or two, as the part `tokens` answers
 * @returns {MatrixLine[]}
 */
export function matrixLines([first, second]) {
  const side = (/** @type {{tokens: string[], special: boolean[]}} */ text, /** @type {number} */ at) => ({at, token: text.tokens[at], special: text.special[at]});
  if (!second) return first.tokens.map((_, at) => ({first: side(first, at), second: null}));
  /** @type {MatrixLine[]} */
  const lines = [];
  let next = 0;
  second.tokens.forEach((_, at) => {
    const there = second.aligned?.[at] ?? null;
    if (there === null) {
      lines.push({first: null, second: side(second, at)});
      return;
    }
    while (next < there) lines.push({first: side(first, next++), second: null});
    lines.push({first: side(first, there), second: side(second, at)});
    next = there + 1;
  });
  while (next < first.tokens.length) lines.push({first: side(first, next++), second: null});
  return lines;
}

/**
 * Puts tokens of one text alone beside tokens of the other one alone, where they follow one another: a replaced word shares its lines.
 *
 * @param {MatrixLine[]} lines
 * @returns {MatrixLine[]}
 */
export function closeGaps(lines) {
  /** @type {MatrixLine[]} */
  const closed = [];
  /** @type {MatrixSide[]} */
  let firsts = [];
  /** @type {MatrixSide[]} */
  let seconds = [];
  const flush = () => {
    for (let i = 0; i < Math.max(firsts.length, seconds.length); i++) closed.push({first: firsts[i] ?? null, second: seconds[i] ?? null});
    [firsts, seconds] = [[], []];
  };
  for (const line of lines) {
    if (line.first && line.second) {
      flush();
      closed.push(line);
    } else if (line.first) firsts.push(line.first);
    else if (line.second) seconds.push(line.second);
  }
  flush();
  return closed;
}

/**
 * The values of factors on all tokens of a text: special tokens, which are not factorised, have none.
 *
 * @param {{tokens: string[], special: boolean[]}} text  all of its tokens
 * @param {{tokens: string[], special: boolean[]}} factorised  the tokens that were factorised
 * @param {number[][]} values  `[n_factors][n_factorised]`
 * @returns {?((?number)[][])}  `[n_factors][n_tokens]`; null where these are other tokens
 */
export function factorValues(text, factorised, values) {
  const whole = factorised.tokens.length === text.tokens.length;
  const places = text.tokens.map((_, at) => at).filter((at) => whole || !text.special[at]);
  if (places.length !== factorised.tokens.length || places.some((at, i) => text.tokens[at] !== factorised.tokens[i])) return null;
  return values.map((row) => {
    const spread = /** @type {(?number)[]} */ (text.tokens.map(() => null));
    places.forEach((at, i) => void (spread[at] = row[i]));
    return spread;
  });
}

/**
 * The texts on whose tokens a factor is strongest, strongest first.
 *
 * @param {number[][]} onTexts  `[n_texts][n_tokens]`
 * @param {number} most  how many
 * @returns {number[]}  their places
 */
export function strongestTexts(onTexts, most) {
  const peaks = onTexts.map((values) => Math.max(0, ...values));
  return peaks.map((_, i) => i).sort((a, b) => peaks[b] - peaks[a] || a - b).slice(0, most);
}

/** Up to so many columns have room for their numbers. */
const MOST_NUMBERS = 6;

/**
 * Values on the tokens of one text, or of two side by side, as a heat map: one line per token.
 *
 * @param {object} view
 * @param {MatrixLine[]} view.lines
 * @param {string[]} view.titles  the texts' titles
 * @param {{name: string, title?: string, opened?: boolean, open?: () => void}[]} view.columns
 * @param {(?number)[][][]} view.values  `[n_texts][n_columns][n_tokens]`; null: an empty cell
 * @param {number[]} view.largest  `[n_columns]`: the end of the colours
 * @param {boolean} view.signed
 * @param {?number[][]} [view.pooled]  `[n_texts][n_columns]`: a last line, where numbers have room
 * @param {boolean} [view.narrow]  whether numbers have no room
 * @returns {unknown}
 */
export function renderTokenMatrix({lines, titles, columns, values, largest, signed, pooled = null, narrow = false}) {
  const two = titles.length > 1;
  const dense = narrow || columns.length > MOST_NUMBERS;
  const head = () => columns.map(({name, title, opened, open}) => html`<th scope="col" class="neuron" title=${title ?? name}>${open
    ? html`<button class="opens" aria-pressed=${opened ? 'true' : 'false'} @click=${open}>${name}</button>` : name}</th>`);
  const cells = (/** @type {number} */ text, /** @type {?MatrixSide} */ side) => columns.map(({name}, i) => {
    const value = side ? values[text][i][side.at] : null;
    if (!side || value === null) return html`<td></td>`;
    const {fill, text: ink} = salienceColor(side.special || largest[i] === 0 ? 0 : value / largest[i], signed);
    return html`<td class="value" style=${`background:${fill};color:${ink}`} title=${`${name} on “${side.token}”: ${value}`}>${value.toFixed(2).replace('-', '−')}</td>`;
  });
  const token = (/** @type {?MatrixSide} */ side, /** @type {string} */ place) => html`<td class="token ${place}${side?.special ? ' special' : ''}" dir="auto" title=${side?.token ?? nothing}>${side?.token ?? ''}</td>`;
  const number = (/** @type {number} */ value) => html`<td class="value" title=${value}>${value.toFixed(2).replace('-', '−')}</td>`;
  return html`<div class="matrix-scroll"><table class="matrix ${dense ? 'dense' : ''}">
    <thead>${two ? html`<tr><th class="text-name" colspan=${columns.length + 1}>${titles[0]}</th><th></th><th class="text-name" colspan=${columns.length + 1}>${titles[1]}</th></tr>` : nothing}
      <tr><th></th>${head()}${two ? html`<th></th>${head()}<th></th>` : nothing}</tr></thead>
    <tbody>${lines.map(({first, second}) => html`<tr class=${two && (first?.token !== second?.token) ? 'differs' : ''}>
      ${token(first, 'first')}${cells(0, first)}${two ? html`<td class="gap"></td>${cells(1, second)}${token(second, 'second')}` : nothing}</tr>`)}</tbody>
    ${pooled && !dense ? html`<tfoot><tr><th scope="row">pooled</th>${pooled[0].map(number)}${two ? html`<td class="gap"></td>${pooled[1].map(number)}<td></td>` : nothing}</tr></tfoot>` : nothing}
  </table></div>`;
}
