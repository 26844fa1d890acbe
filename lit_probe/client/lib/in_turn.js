// @ts-check

/**
 * Sends requests one at a time: all maps are computed in one queue on the server, and requests that wait there would take the
 * few connections that a browser has.
 *
 * @returns {<T>(isWanted: () => boolean, send: () => Promise<T>) => Promise<T>}  rejects what nobody wants any more at its turn
 */
export function inTurn() {
  /** @type {Promise<unknown>} */
  let last = Promise.resolve();
  return (isWanted, send) => {
    const answer = last.then(() => {
      if (!isWanted()) throw new Error('This was not asked: it is not shown any more.');
      return send();
    });
    last = answer.catch(() => undefined);
    return answer;
  };
}
