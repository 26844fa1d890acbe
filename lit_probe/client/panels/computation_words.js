// @ts-check
/** What is said of a computation in the list of them. */
/** @import {Computation} from '../page/types.js' */

/**
 * How far it is, and who waits for it.
 *
 * @param {Computation} one
 * @returns {{state: string, whose: string}}
 */
export function computationWords({fraction, place, questions, others}) {
  const before = place === 1 ? 'one other is done before it' : `${place} others are done before it`;
  const state = fraction !== null ? `${Math.round(fraction * 100)} % done` : place === 0 ? 'starting' : `waiting: ${before}`;
  const elsewhere = others === 1 ? 'another page or program' : `${others} other pages or programs`;
  if (!questions.length) return {state, whose: others ? `asked for by ${elsewhere}` : ''};
  return {state, whose: others ? `this page and ${elsewhere} wait for it, and it goes on for them` : ''};
}
