// @ts-check
/** Requests that wait: for a free connection, for a reader who pauses, or for what they need to be ready. */

/**
 * Sends requests a few at a time, in their order: all salience maps are computed in one queue on the server, and requests
 * that wait there would take the few connections that a browser has.
 *
 * @param {number} atOnce  how many are under way at most
 * @returns {<T>(isWanted: () => boolean, send: () => Promise<T>) => Promise<T>}  rejects what nobody wants any more at its turn
 */
export function inTurn(atOnce) {
  let free = atOnce;
  /** @type {(() => void)[]} */
  const waiting = [];
  return async (isWanted, send) => {
    if (free > 0) free--;
    else await new Promise((/** @type {(value?: unknown) => void} */ resolve) => waiting.push(resolve));
    try {
      if (!isWanted()) throw new Error('This was not asked: it is not shown any more.');
      return await send();
    } finally {
      const next = waiting.shift();
      if (next) next();
      else free++;
    }
  };
}

const ACTIONS = ['keydown', 'pointerdown'];

/**
 * Calls a function once, when nobody has typed or clicked for a while.
 *
 * @param {() => void} act
 * @param {number} patience  a time in milliseconds
 * @param {EventTarget} page  the page, which hears of keys and clicks
 * @returns {() => void}  gives it up
 */
export function whenIdle(act, patience, page) {
  /** @type {any} */
  let timer;
  const end = () => {
    clearTimeout(timer);
    for (const action of ACTIONS) page.removeEventListener(action, wait, {capture: true});
  };
  const wait = () => {
    clearTimeout(timer);
    timer = setTimeout(() => {
      end();
      act();
    }, patience);
  };
  for (const action of ACTIONS) page.addEventListener(action, wait, {capture: true});
  wait();
  return end;
}

/**
 * @typedef {object} Place  What several requests wait for.
 * @property {Promise<void>} ready
 * @property {boolean} isReady
 * @property {?Promise<void>} last  a promise that is settled when the last request that had to wait has been answered; null when none is left
 */

/**
 * Lets requests wait until what they need is ready. Then they pass in the order in which they came, one at a time, and later
 * ones at once: whoever sent them shows the answer that comes last, which must not be that of the older question.
 */
export class WaitingRoom {
  /** @type {Map<string, Place>} */
  #places = new Map();
  /** @type {{pause: number}} */
  #settings;

  /**
   * @param {object} [settings]
   * @param {number} [settings.pause]  milliseconds between two looks at what is waited for
   */
  constructor({pause = 1000} = {}) {
    this.#settings = {pause};
  }

  /**
   * Sends a request as soon as it can be answered.
   *
   * @template T
   * @param {string} key  a name of what it waits for
   * @param {() => Promise<boolean>} isReady
   * @param {() => boolean} isWanted  whether somebody still wants the answer; asked while it waits
   * @param {() => Promise<T>} send
   * @returns {Promise<T>}
   * @throws {Error} when it is not wanted any more
   */
  async pass(key, isReady, isWanted, send) {
    const place = this.#places.get(key) ?? this.#open(key, isReady, isWanted);
    if (place.isReady && !place.last) return send();
    const before = place.last;
    const answer = place.ready.then(() => before).then(send);
    const settled = answer.then(ignore, ignore).then(() => {
      if (place.last === settled) place.last = null;
    });
    place.last = settled;
    return answer;
  }

  /** @param {string} key @param {() => Promise<boolean>} isReady @param {() => boolean} isWanted @returns {Place} */
  #open(key, isReady, isWanted) {
    /** @type {Place} */
    const place = {ready: this.#watch(isReady, isWanted), isReady: false, last: null};
    this.#places.set(key, place);
    place.ready.then(() => void (place.isReady = true), () => void this.#places.delete(key));
    return place;
  }

  /** @param {() => Promise<boolean>} isReady @param {() => boolean} isWanted */
  async #watch(isReady, isWanted) {
    while (!(await isReady())) {
      await new Promise((resolve) => setTimeout(resolve, this.#settings.pause));
      if (!isWanted()) throw new Error('This request was not sent: its answer would not be shown any more.');
    }
  }
}

function ignore() {}
