// @ts-check

const ACTIONS = ['keydown', 'pointerdown'];

/**
 * Calls once, when nobody has typed or clicked for a while.
 *
 * @param {() => void} act
 * @param {number} patience  in milliseconds
 * @param {EventTarget} page  what hears of keys and clicks
 * @returns {() => void}  gives it up
 */
export function whenIdle(act, patience, page) {
  /** @type {any} */
  let timer;
  const end = () => {
    clearTimeout(timer);
    for (const action of ACTIONS) page.removeEventListener(action, wait, {capture: true});
  };
  const wait = () => {
    clearTimeout(timer);
    timer = setTimeout(() => {
      end();
      act();
    }, patience);
  };
  for (const action of ACTIONS) page.addEventListener(action, wait, {capture: true});
  wait();
  return end;
}
