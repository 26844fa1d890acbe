// @ts-check
/** Answers about whole data sets, which a browser keeps: it asks whether they have changed, and is mostly told that they have not. */

/** An address that is longer is not asked for. */
const LONGEST = 2000;

/**
 * Lets LIT send one request as the question whether its answer has changed. Only answers of GET are kept, and by the address alone,
 * so the address holds all that is asked. Of all rows it holds a checksum, by which the server knows whether it has the same.
 *
 * @template T
 * @param {string} endpoint  an address of LIT's API, with its slash
 * @param {Record<string, string>} parameters
 * @param {{id: string}[]} inputs  all rows of the data set, or none
 * @param {object|undefined} config
 * @param {() => Promise<T>} send  sends LIT's request, by one call of `fetch` that it makes at once
 * @returns {Promise<T>}
 */
export function askKept(endpoint, parameters, inputs, config, send) {
  const query = new URLSearchParams({...parameters, ...(inputs.length ? {rows: String(checksum(inputs))} : {}), ...(config ? {config: JSON.stringify(config)} : {})});
  const address = `./lit_probe/kept${endpoint}?${query}`;
  if (address.length > LONGEST) return send();
  const {fetch} = globalThis;
  globalThis.fetch = async (...asItIs) => {
    // Pages of other sites cannot send such a header.
    const kept = await fetch(address, {headers: {'X-Lit-Probe': 'kept'}});
    // What makes no sense, or breaks, would do so again; LIT reads the reason in either answer.
    return kept.ok || kept.status === 400 || kept.status === 500 ? kept : fetch(...asItIs);
  };
  try {
    return send();
  } finally {
    globalThis.fetch = fetch;
  }
}

/** Of rows that a page holds, and hands over again and again. @type {WeakMap<object, number>} */
const checksums = new WeakMap();

/** Adler-32 of the ids with commas between them (RFC 1950), as Python's `zlib.adler32`. @param {{id: string}[]} rows @returns {number} */
function checksum(rows) {
  let known = checksums.get(rows);
  if (known === undefined) {
    let [low, high] = [1, 0];
    for (const byte of new TextEncoder().encode(rows.map(({id}) => id).join(','))) {
      low = (low + byte) % 65521;
      high = (high + low) % 65521;
    }
    known = high * 65536 + low;
    checksums.set(rows, known);
  }
  return known;
}
