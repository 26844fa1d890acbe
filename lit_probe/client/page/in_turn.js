// @ts-check

/**
 * Sends requests a few at a time, in their order: all maps are computed in one queue on the server, and requests that wait there
 * would take the few connections that a browser has.
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
