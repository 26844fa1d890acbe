// @ts-check
/** Answers about whole data sets, which a browser keeps: it asks whether they have changed, and is mostly told that they have not. */

/** An address that is longer is not asked for. */
const LONGEST = 2000;

/**
 * Lets LIT send one request as the question whether its answer has changed. Only answers of GET are kept, and by the address alone,
 * so the address holds all that is asked; `web.py` knows what "whole" stands for.
 *
 * @template T
 * @param {string} endpoint  an address of LIT's API, with its slash
 * @param {Record<string, string>} parameters
 * @param {boolean} hasInputs  whether it is asked about all rows of the data set, or about none
 * @param {object|undefined} config
 * @param {() => Promise<T>} send  sends LIT's request, by one call of `fetch` that it makes at once
 * @returns {Promise<T>}
 */
export function askKept(endpoint, parameters, hasInputs, config, send) {
  const query = new URLSearchParams({...parameters, ...(hasInputs ? {inputs: 'whole'} : {}), ...(config ? {config: JSON.stringify(config)} : {})});
  const address = `./lit_probe/kept${endpoint}?${query}`;
  if (address.length > LONGEST) return send();
  const {fetch} = globalThis;
  globalThis.fetch = async (...asItIs) => {
    // Pages of other sites cannot send such a header.
    const kept = await fetch(address, {headers: {'X-Lit-Probe': 'kept'}});
    return kept.ok ? kept : fetch(...asItIs);
  };
  try {
    return send();
  } finally {
    globalThis.fetch = fetch;
  }
}
