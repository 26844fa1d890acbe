// @ts-check

/**
 * A value that tells its listeners when it changes.
 *
 * @template T
 * @param {T} initial
 * @returns {{get: () => T, set: (value: T) => void, subscribe: (listener: (value: T) => void) => () => void}}
 *     `subscribe` returns the function that ends the subscription.
 */
export function observable(initial) {
  let value = initial;
  /** @type {Set<(value: T) => void>} */
  const listeners = new Set();
  return {
    get: () => value,
    set(next) {
      if (Object.is(next, value)) return;
      value = next;
      for (const listener of [...listeners]) listener(value);
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
}
