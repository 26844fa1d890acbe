// @ts-check
/** A file that the server makes, a report or probes: asks the server for it until it is made. */

/** Milliseconds between two looks at a file that is being made. */
const PAUSE = 1000;

/**
 * The file, once it is made. It is asked for anew each time: what has been computed since stands in the next one.
 *
 * @param {() => Promise<any>} ask  a function that asks the server
 * @param {number} [pause]  the milliseconds between two looks
 * @returns {Promise<any>}  what the interpreter answers
 * @throws {Error} with the server's words where it cannot be made
 */
export async function madeFile(ask, pause = PAUSE) {
  for (;;) {
    const answer = await ask();
    if (answer.status === 'ready') return answer;
    if (answer.status !== 'computing' && answer.status !== 'busy') throw new Error(answer.message ?? 'It was given up.');
    await new Promise((resolve) => void setTimeout(resolve, pause));
  }
}
