// @ts-check

/**
 * A short key for what is asked: equal questions give equal keys.
 *
 * The ids of a whole data set would make keys of hundreds of kilobytes, so they enter as their number and a 53-bit hash.
 *
 * @param {string[]} words  interpreter, model, data set, configuration
 * @param {string[]} ids  the examples' ids, in data-set order
 * @returns {string}
 */
export function requestKey(words, ids) {
  let high = 0xdeadbeef;
  let low = 0x41c6ce57;
  for (const id of ids) {
    for (let i = 0; i <= id.length; i++) {
      const code = i < id.length ? id.charCodeAt(i) : 0xffff; // The end of an id counts, so that ["ab"] is not ["a", "b"].
      high = Math.imul(high ^ code, 2654435761);
      low = Math.imul(low ^ code, 1597334677);
    }
  }
  high = Math.imul(high ^ (high >>> 16), 2246822507) ^ Math.imul(low ^ (low >>> 13), 3266489909);
  low = Math.imul(low ^ (low >>> 16), 2246822507) ^ Math.imul(high ^ (high >>> 13), 3266489909);
  const hash = 4294967296 * (2097151 & low) + (high >>> 0);
  return JSON.stringify([...words, ids.length, hash]);
}
