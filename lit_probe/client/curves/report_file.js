// @ts-check
/** The report of a model's probes as a file: asks the server for it until it is made. */
/** @import {Report} from '../page/types.js' */

/** Milliseconds between two looks at a report that is being made. */
const PAUSE = 1000;

/**
 * The report, once it is made. It is asked for anew each time: what has been computed since stands in the next one.
 *
 * @param {() => Promise<any>} ask  a function that asks the server
 * @param {number} [pause]  the milliseconds between two looks
 * @returns {Promise<Report>}
 * @throws {Error} with the server's words where it cannot be made
 */
export async function madeReport(ask, pause = PAUSE) {
  for (;;) {
    const answer = await ask();
    if (answer.status === 'ready') return answer;
    if (answer.status !== 'computing') throw new Error(answer.message ?? 'The report was given up.');
    await new Promise((resolve) => void setTimeout(resolve, pause));
  }
}
