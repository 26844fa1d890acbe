// @ts-check
/** The list of what the server computes in the background, behind a button of LIT's bar, with a way to give each of them up. */
/** @import {Computation} from '../page/types.js' */
import {COLORS, LIT_COLORS, SCHEMES} from '../charts/palette.js';
import {answers} from '../page/answers.js';
import {thisPage} from '../page/leaving.js';
import {addToBar} from '../page/lit_frame.js';
import {interpretation, services} from '../page/lit_host.js';
import {computationWords} from './computation_words.js';

/** Milliseconds between two looks at the list while it is open. */
const PAUSE = 1000;
const BLUE = LIT_COLORS['--lit-cyea-600'];

const CSS = `
  :host { color-scheme: ${SCHEMES}; }
  .list { position: fixed; top: 44px; right: 12px; z-index: 3; box-sizing: border-box; width: min(460px, calc(100vw - 24px)); max-height: 60vh; overflow: auto;
          padding: 10px 14px 12px; border: 1px solid ${COLORS.axis}; border-radius: 6px; background: ${COLORS.raised}; color: ${COLORS.text}; font: 13px/19px Roboto, sans-serif;
          box-shadow: 0 4px 16px rgba(0, 0, 0, .3); }
  .head, li { display: flex; justify-content: space-between; align-items: center; gap: 12px; }
  h2 { margin: 0; font-size: 15px; }
  ul { margin: 6px 0 0; padding: 0; list-style: none; }
  li { padding: 6px 0; border-top: 1px solid ${COLORS.axis}; overflow-wrap: anywhere; }
  .state { color: ${COLORS.quietText}; }
  button { flex: none; padding: 3px 12px; border: 1px solid ${COLORS.axis}; border-radius: 4px; background: none; color: ${BLUE}; font: inherit; cursor: pointer; }
  button:focus-visible { outline: 2px solid ${BLUE}; outline-offset: 1px; }`;

/** The list that is open. @type {?{close: () => void}} */
let opened = null;

/** Puts the list into LIT's bar. In a frame, as in a notebook's cell, there is no room for it. */
export function offerComputations() {
  if (window.parent === window) addToBar('Jobs', 'What the server computes in the background', () => (opened ? opened.close() : open()));
}

function open() {
  const before = focused();
  const host = document.createElement('div');
  host.className = 'lit-probe-computations';
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(CSS);
  const root = host.attachShadow({mode: 'open'});
  root.adoptedStyleSheets = [sheet];
  const close = button('close', 'Close', () => shut());
  const status = element('div', {role: 'status', 'aria-live': 'polite'});
  const list = element('ul', {});
  const head = element('div', {class: 'head'}, element('h2', {}, 'Jobs in the background'), close);
  root.append(element('div', {class: 'list', role: 'dialog', 'aria-modal': 'false', 'aria-label': 'Jobs in the background'}, head, status, list));
  document.body.append(host);
  close.focus();

  let shown = '';
  /** @type {any} */
  let timer;
  const look = async () => {
    clearTimeout(timer);
    try {
      draw(await computations());
    } catch (error) {
      status.textContent = error instanceof Error ? error.message : String(error);
    }
    if (opened === own) timer = setTimeout(() => void look(), PAUSE);
  };
  const draw = (/** @type {Computation[]} */ all) => {
    status.textContent = all.length ? '' : 'Nothing is computed in the background.';
    if (JSON.stringify(all) === shown) return;
    shown = JSON.stringify(all);
    const at = root.activeElement?.getAttribute('aria-label');
    list.replaceChildren(...all.map((one) => item(one, look)));
    // Who stands on a button stays there while others are done.
    if (at) (/** @type {?HTMLElement} */ ([...list.querySelectorAll('button')].find((one) => one.getAttribute('aria-label') === at)) ?? close).focus();
  };
  const onKey = (/** @type {KeyboardEvent} */ event) => {
    if (event.key === 'Escape' && !event.defaultPrevented) shut();
  };
  const shut = () => {
    clearTimeout(timer);
    document.removeEventListener('keydown', onKey);
    host.remove();
    opened = null;
    before?.focus();
  };
  document.addEventListener('keydown', onKey);
  const own = (opened = {close: shut});
  void look();
}

/** @param {Computation} one @param {() => Promise<void>} look  a function that looks again */
function item(one, look) {
  const {state, whose} = computationWords(one);
  const words = element('div', {}, element('div', {}, one.title), element('div', {class: 'state'}, [state, whose].filter(Boolean).join('; ')));
  if (!one.questions.length) return element('li', {}, words);
  const giveUp = button('cancel', 'Cancel', () => {
    for (const question of one.questions) answers.cancelNumber(question);
    void look();
  });
  giveUp.setAttribute('aria-label', `Cancel ${one.title}`);
  return element('li', {}, words, giveUp);
}

/** @returns {Promise<Computation[]>} */
async function computations() {
  const {currentModels, currentDataset: dataset} = services().appState;
  const asker = thisPage.askerOf('the list of computations');
  const answer = await interpretation({model: currentModels[0], dataset, interpreter: 'computations', inputs: [], config: {}, asker});
  if (answer.status !== 'ready') throw new Error(answer.message);
  return answer.computations;
}

/** What has the focus, within all shadow trees. @returns {?HTMLElement} */
function focused() {
  let found = document.activeElement;
  while (found?.shadowRoot?.activeElement) found = found.shadowRoot.activeElement;
  return /** @type {?HTMLElement} */ (found);
}

/** @param {string} name @param {Record<string, string>} attributes @param {...(Node|string)} children @returns {HTMLElement} */
function element(name, attributes, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

/** @param {string} name  its class @param {string} label @param {() => void} press @returns {HTMLElement} */
function button(name, label, press) {
  const made = element('button', {class: name, type: 'button'}, label);
  made.addEventListener('click', press);
  return made;
}
