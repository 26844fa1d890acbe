// @ts-check
/** A short number for long lists of strings. */

/**
 * A 53-bit number: equal for equal lists, and in practice for no others.
 *
 * @param {string[]} strings
 * @returns {number}
 */
export function hashOf(strings) {
  let high = 0xdeadbeef;
  let low = 0x41c6ce57;
  for (const string of strings) {
    for (let i = 0; i <= string.length; i++) {
      const code = i < string.length ? string.charCodeAt(i) : 0xffff; // The end of a string counts, so that ["ab"] is not ["a", "b"].
      high = Math.imul(high ^ code, 2654435761);
      low = Math.imul(low ^ code, 1597334677);
    }
  }
  high = Math.imul(high ^ (high >>> 16), 2246822507) ^ Math.imul(low ^ (low >>> 13), 3266489909);
  low = Math.imul(low ^ (low >>> 16), 2246822507) ^ Math.imul(high ^ (high >>> 13), 3266489909);
  return 4294967296 * (2097151 & low) + (high >>> 0);
}
