// @ts-check
/** Who asks the server, and how it hears that the page, or one question of it, has been left: what nobody waits for ends there. */
import {hashOf} from './hash.js';

/**
 * @typedef {object} Asker  Who waits for an answer.
 * @property {string} page  the name of the page, which no later page has
 * @property {number} question  the number of the question within the page
 * @property {boolean} [again]  whether the server shall try again what has failed there
 */

/** One page in a browser, which has a name for as long as it is shown. */
export class ShownPage {
  #name = newName();
  /** @type {(message: object) => void} */
  #send;

  /** @param {(message: object) => void} send  a function that tells the server, even from a page that is being closed */
  constructor(send) {
    this.#send = send;
  }

  /** Who asks a question. @param {string} key  equal for equal questions @returns {Asker} */
  askerOf(key) {
    return {page: this.#name, question: hashOf([key])};
  }

  /** Tells the server that nobody on the page waits for this answer any more. @param {string} key */
  giveUp(key) {
    this.giveUpNumber(this.askerOf(key).question);
  }

  /** The same of a question that the server has named. @param {number} question */
  giveUpNumber(question) {
    this.#send({page: this.#name, question});
  }

  /**
   * Tells the server when the page is left. A browser may bring the same page back: then it needs another name, because the
   * server does not listen to pages that have been left.
   *
   * @param {EventTarget} window
   */
  tellWhenLeft(window) {
    window.addEventListener('pagehide', () => this.#send({page: this.#name}));
    window.addEventListener('pageshow', (event) => {
      if (/** @type {PageTransitionEvent} */ (event).persisted) this.#name = newName();
    });
  }
}

/** This page. */
export const thisPage = new ShownPage((message) => {
  // As JSON: of plain text a page without a referrer would not say where it comes from, and the server would refuse it.
  navigator.sendBeacon('./lit_probe/left', new Blob([JSON.stringify(message)], {type: 'application/json'}));
});

/** 128 random bits; `crypto.randomUUID` is not there on pages without https. @returns {string} */
function newName() {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}
