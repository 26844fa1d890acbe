// @ts-check
/** Values of neurons on the tokens of one text, or of two side by side. */
/** @import {MatrixLine, MatrixSide} from '../words/side_by_side.js' */
import {salienceColor} from '../charts/palette.js';
import {html, nothing} from '../page/lit_host.js';

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
