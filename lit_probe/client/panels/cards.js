// @ts-check
/** @typedef {import('../page/result_store.js').Result} Result */
import {html, nothing} from '../page/lit_host.js';

/**
 * A statement in the place of what cannot be shown.
 *
 * @param {unknown} text
 */
export function card(text) {
  return html`<div class="card">${text}</div>`;
}

/**
 * What is being done, how far it is, and a way to end it.
 *
 * @param {Result} result
 * @param {() => void} [cancel]  without it there is no button
 */
export function progressCard({message, fraction}, cancel) {
  return html`<div class="card" role="status">
    <div class="working"><lit-spinner size=${24} color="var(--app-secondary-color, #1F6180)"></lit-spinner><div>${message}</div>
      ${cancel ? html`<button class="hairline-button cancel" @click=${cancel}>Cancel</button>` : nothing}</div>
    ${typeof fraction === 'number' ? html`<progress max="1" value=${fraction} aria-label="Progress"></progress>` : nothing}
  </div>`;
}

/**
 * Why there is no result, and a way to try again.
 *
 * @param {string} title
 * @param {string|undefined} message  the server's sentence
 * @param {?() => void} retry  null where asking again cannot help: the message says what does
 */
export function errorCard(title, message, retry) {
  return html`<div class="card error" role="alert">
    <b>${title}</b>
    <div class="message">${message}</div>
    ${retry ? html`<button class="hairline-button retry" @click=${retry}>Retry</button>` : nothing}
  </div>`;
}

/**
 * That a computation was ended, and a way to start it again.
 *
 * @param {() => void} start
 */
export function cancelledCard(start) {
  return html`<div class="card" role="status">The computation was cancelled. What it had finished by then is kept where possible.
    <br><button class="hairline-button start" @click=${start}>Start again</button></div>`;
}
