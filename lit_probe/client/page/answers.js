// @ts-check
import {ResultStore} from './result_store.js';

/** The server's answers to all our panels: they outlive the panels, which LIT re-creates at will. */
export const answers = new ResultStore();

/**
 * One axis for all curves that a reader compares: two models side by side, scored by one metric on one data set.
 */
export class SharedAxis {
  /** @type {Map<object, {group: string, range: [number, number]}>} */
  #members = new Map();
  /** @type {Set<() => void>} */
  #listeners = new Set();

  /**
   * Calls the listener after a change of any axis; returns the function that ends this.
   *
   * @param {() => void} listener
   * @returns {() => void}
   */
  subscribe(listener) {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /**
   * Says what range a curve needs.
   *
   * @param {object} owner  whoever draws the curve; it is in one group at a time
   * @param {string} group  curves of one group share their axis
   * @param {[number, number]} range
   * @returns {[number, number]}  what all curves of the group need
   */
  join(owner, group, range) {
    const before = this.#members.get(owner);
    this.#members.set(owner, {group, range});
    if (before?.group !== group || before.range[0] !== range[0] || before.range[1] !== range[1]) this.#tell();
    const ranges = [...this.#members.values()].filter((member) => member.group === group).map((member) => member.range);
    return [Math.min(...ranges.map(([low]) => low)), Math.max(...ranges.map(([, high]) => high))];
  }

  /**
   * Takes a curve out.
   *
   * @param {object} owner
   */
  leave(owner) {
    if (this.#members.delete(owner)) this.#tell();
  }

  #tell() {
    for (const listener of [...this.#listeners]) listener();
  }
}

/** The axes of all our panels: two models side by side should look alike. */
export const axes = new SharedAxis();
