// @ts-check
/** The questions that our panels ask the server, and its answers, which outlive the panels. */
/** @import {Asker} from './leaving.js' */
import {hashOf} from './hash.js';
import {thisPage} from './leaving.js';

/**
 * @typedef {object} Result  What is known about one question.
 * @property {'loading'|'computing'|'failed'|'cancelled'|'ready'} state
 * @property {any} [answer]  the answer, when it is ready
 * @property {string} [message]  a sentence: what the server is doing, or why it failed
 * @property {boolean} [said]  whether a failure is the server's last word: asking again cannot help
 * @property {boolean} [final]  whether it has also said that nobody who asks may have it tried again
 * @property {?number} [fraction]  how much of it is done, in [0, 1]
 *
 * @typedef {object} Question
 * @property {Result} result
 * @property {(asker: Asker) => Promise<any>} load
 * @property {boolean} inFlight  whether the server has been asked and has not answered yet
 * @property {any} timer  the timer of the next request
 * @property {Promise<void>} turn  a promise that is settled when everything sent so far has been answered
 */

/**
 * Answers of the server, kept outside the panels because LIT re-uses and re-creates panels at will.
 *
 * Panels say what they want; equal questions are asked once. One whose answer is still being computed is asked again every second.
 * A question that nobody wants any more is not asked again, and the server is told, so that it need not go on. Answers are kept (a
 * bounded number); failures are not. What a reader has cancelled stays cancelled until somebody starts it again: the question alone
 * would start it anew.
 */
export class ResultStore {
  /** @type {Map<string, Question>} */
  #questions = new Map();
  /** @type {Map<object, Map<string, string>>} */
  #wanted = new Map();
  /** @type {Set<() => void>} */
  #listeners = new Set();
  /** @type {{delay: number, pause: number, grace: number, capacity: number, page: import('./leaving.js').ShownPage}} */
  #settings;

  /**
   * @param {object} [settings]
   * @param {number} [settings.delay]  the milliseconds before a new question is sent, so that a passing selection sends none
   * @param {number} [settings.pause]  the milliseconds between two looks at a running computation
   * @param {number} [settings.grace]  the milliseconds after which a question that nobody wants is given up: LIT takes panels away and makes them anew
   * @param {number} [settings.capacity]  how many answers are kept beside those wanted now
   * @param {import('./leaving.js').ShownPage} [settings.page]  the page in whose name the server is asked
   */
  constructor({delay = 120, pause = 1000, grace = 1000, capacity = 64, page = thisPage} = {}) {
    this.#settings = {delay, pause, grace, capacity, page};
  }

  /**
   * Calls the listener after every change; returns the function that ends this.
   *
   * @param {() => void} listener
   * @returns {() => void}
   */
  subscribe(listener) {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /**
   * What is known about a question; undefined when nobody asked it.
   *
   * @param {string} key
   * @returns {Result|undefined}
   */
  read(key) {
    return this.#questions.get(key)?.result;
  }

  /**
   * Notes that a panel now wants the answer to this question in this place, instead of what it wanted there before.
   *
   * @param {object} owner  the panel
   * @param {string} slot  the place in the panel
   * @param {?string} key  null: nothing is wanted there any more
   * @param {(asker: Asker) => Promise<any>} load  a function that asks the server; its answer has a `status`: "ready", "computing", "busy", "failed" or "cancelled"
   */
  want(owner, slot, key, load) {
    const slots = this.#wanted.get(owner) ?? new Map();
    this.#wanted.set(owner, slots);
    const before = slots.get(slot);
    if (key === null) slots.delete(slot);
    else slots.set(slot, key);
    if (before !== undefined && before !== key) this.#leave(before);
    if (key === null) return;
    const known = this.#questions.get(key);
    if (known) {
      this.#questions.delete(key); // Set again: the map's order is the order of last use.
      this.#questions.set(key, known);
      return;
    }
    /** @type {Question} */
    const question = {result: {state: 'loading'}, load, inFlight: false, timer: null, turn: Promise.resolve()};
    this.#questions.set(key, question);
    question.timer = setTimeout(() => void this.#ask(key, question), this.#settings.delay);
    this.#forgetOldest();
  }

  /**
   * Forgets what a panel wanted, once it has left the page.
   *
   * @param {object} owner
   */
  release(owner) {
    const slots = this.#wanted.get(owner);
    this.#wanted.delete(owner);
    for (const key of slots?.values() ?? []) this.#leave(key);
  }

  /**
   * Asks a failed or cancelled question again, at once.
   *
   * @param {string} key
   */
  retry(key) {
    const question = this.#questions.get(key);
    if (question?.result.state !== 'failed' && question?.result.state !== 'cancelled') return;
    question.result = {state: 'loading'};
    this.#tell();
    void this.#ask(key, question, true);
  }

  /**
   * Gives a computation up; it goes on where another page waits for it.
   *
   * @param {string} key
   * @param {(asker: Asker) => Promise<any>} send  a function that tells the server
   */
  cancel(key, send) {
    const question = this.#questions.get(key);
    if (question?.result.state !== 'loading' && question?.result.state !== 'computing') return;
    clearTimeout(question.timer);
    question.result = {state: 'cancelled'};
    this.#tell();
    // In turn: a look at the computation that reached the server later would start it again.
    question.turn = question.turn.then(async () => {
      let result;
      try {
        result = resultOf(await send(this.#settings.page.askerOf(key)));
      } catch (error) {
        result = failureOf(error);
      }
      // It may have been finished before it could be cancelled.
      if (result.state !== 'ready' && result.state !== 'failed') return;
      question.result = result;
      this.#tell();
    });
  }

  /**
   * Gives up the computation that a question waits for; whoever shows the question says that it was cancelled.
   *
   * @param {number} number  the question's, as the server was told it
   */
  cancelNumber(number) {
    const {page} = this.#settings;
    const key = [...this.#questions.keys()].find((one) => page.askerOf(one).question === number);
    const giveUp = async () => {
      page.giveUpNumber(number);
      return {status: 'cancelled'};
    };
    if (key === undefined) void giveUp();
    else this.cancel(key, giveUp);
  }

  /** @param {string} key @param {Question} question @param {boolean} [again] @returns {Promise<void>} */
  #ask(key, question, again = false) {
    question.turn = question.turn.then(async () => {
      if (question.result.state === 'cancelled') return;
      question.inFlight = true;
      const asker = this.#settings.page.askerOf(key);
      /** @type {Result} */
      let result;
      try {
        result = resultOf(await question.load(again ? {...asker, again} : asker));
      } catch (error) {
        result = failureOf(error);
      }
      question.inFlight = false;
      const {state} = /** @type {Result} */ (question.result);
      if (state !== 'cancelled' || result.state === 'ready') question.result = result;
      if (!isKept(question.result) && !this.#isWanted(key)) this.#drop(key, question);
      else if (question.result.state === 'computing') question.timer = setTimeout(() => void this.#ask(key, question), this.#settings.pause);
      this.#tell();
    });
    return question.turn;
  }

  /** @param {string} key */
  #leave(key) {
    const question = this.#questions.get(key);
    // A request under way is let run: its answer is worth keeping, and `#ask` forgets anything else.
    if (!question || question.inFlight || isKept(question.result) || this.#isWanted(key)) return;
    clearTimeout(question.timer);
    this.#drop(key, question);
  }

  /** Forgets a question. The server is told where it computes the answer. @param {string} key @param {Question} question */
  #drop(key, question) {
    this.#questions.delete(key);
    const {grace, page} = this.#settings;
    if (question.result.state === 'computing') setTimeout(() => void (this.#isWanted(key) || page.giveUp(key)), grace);
  }

  /** @param {string} key */
  #isWanted(key) {
    return [...this.#wanted.values()].some((slots) => [...slots.values()].includes(key));
  }

  #forgetOldest() {
    const idle = [...this.#questions].filter(([key, {inFlight}]) => !inFlight && !this.#isWanted(key)).map(([key]) => key);
    for (const key of idle.slice(0, Math.max(0, idle.length - this.#settings.capacity))) this.#questions.delete(key);
  }

  #tell() {
    for (const listener of [...this.#listeners]) listener();
  }
}

/** The server's answers to all our panels: they outlive the panels, which LIT re-creates at will. */
export const answers = new ResultStore();

/** @param {any} answer @returns {Result} */
function resultOf(answer) {
  if (answer?.status === 'ready') return {state: 'ready', answer};
  if (answer?.status === 'computing') return {state: 'computing', message: answer.message, fraction: answer.fraction ?? null};
  // It is not taken in yet: asked again, it will be.
  if (answer?.status === 'busy') return {state: 'computing', message: answer.message, fraction: null};
  if (answer?.status === 'failed') {
    const final = answer.can_retry === false ? {final: true} : {};
    return {state: 'failed', message: answer.message, said: answer.can_retry !== true, ...final};
  }
  if (answer?.status === 'cancelled') return {state: 'cancelled'};
  return {state: 'failed', message: `The server sent an answer without a known status: ${JSON.stringify(answer)?.slice(0, 200)}`};
}

/** @param {unknown} error @returns {Result} */
function failureOf(error) {
  return {state: 'failed', message: error instanceof Error ? error.message : String(error)};
}

/** Whether a result outlives the wish for it. @param {Result} result */
function isKept({state}) {
  return state === 'ready' || state === 'cancelled';
}

/**
 * A short key for what is asked: equal questions give equal keys.
 *
 * The ids of a whole data set would make keys of hundreds of kilobytes, so they enter as their number and a 53-bit hash.
 *
 * @param {string[]} words  the interpreter, model, data set, configuration
 * @param {string[]} ids  the examples' ids, in data-set order
 * @returns {string}
 */
export function requestKey(words, ids) {
  return JSON.stringify([...words, ids.length, hashOf(ids)]);
}
