// @ts-check
/** The tour of the page: a card that tells the tutorial's steps one by one, and outlines what each step speaks of. */
/** @import {Box} from './card_place.js' */
/** @import {TourStep} from './tour_steps.js' */
import {addToBar, chooseLayout} from '../page/lit_frame.js';
import {dialogIsOpen, hasLayout, layoutMenu, openLayout, panelInPage, tabInPage, whenStarted} from '../page/lit_places.js';
import {cardPlace, overlap} from './card_place.js';
import {OFFER_CSS, TOUR_CSS} from './tour_css.js';
import {TOUR_STEPS} from './tour_steps.js';

/** How often, in milliseconds, the card looks where its target stands: layouts change, tabs are clicked, panels scroll. */
const LOOK = 100;
/** How long a target may be gone, in milliseconds, before the card says so: a change of layout takes a moment. */
const PATIENCE = 1500;
const MEMORY = 'lit_probe.tour';
const OUTLINE = 4;

/** Puts the tour into LIT's bar and offers it on the first visit. In a frame, as in a notebook's cell, there is no room for it. */
export function offerTour() {
  if (window.parent !== window) return;
  addToBar('Tour', 'Eight steps through the page', () => openTour());
  whenStarted(() => {
    if (!wasClosed() && openLayout() !== 'notebook') showOffer();
  });
}

/** Whether somebody closed the tour in this browser. */
function wasClosed() {
  return storage()?.getItem(MEMORY) === 'closed';
}

function rememberClosed() {
  storage()?.setItem(MEMORY, 'closed');
}

/** The browser's memory for this page; null where its settings forbid it, and then each visit is the first. @returns {?Storage} */
function storage() {
  try {
    return window.localStorage;
  } catch (error) {
    console.info('lit_probe: this browser lets the page remember nothing, so the tour is offered at each visit.', error);
    return null;
  }
}

/** A strip with the offer, which takes room of its own above LIT's status bar and so covers nothing. */
function showOffer() {
  const strip = sheltered(OFFER_CSS);
  strip.className = 'tour-offer';
  const remove = () => {
    rememberClosed();
    strip.remove();
  };
  shadowOf(strip).append(node('div', {class: 'offer', role: 'region', 'aria-label': 'Offer of a tour'},
    node('b', {}, 'New here?'),
    node('span', {}, `A tour shows in ${TOUR_STEPS.length} steps how to read this page. It stays at the top, under Tour.`),
    button('take', `Take the tour (${TOUR_STEPS.length} steps)`, () => openTour()),
    button('', 'Not now', remove)));
  const app = document.querySelector('lit-app')?.shadowRoot;
  app?.insertBefore(strip, app.querySelector('lit-app-statusbar'));
}

/** The tour that is open. @type {?{close: () => void}} */
let opened = null;

/** Opens the tour at its first step. */
function openTour() {
  opened?.close();
  document.querySelector('lit-app')?.shadowRoot?.querySelector('.tour-offer')?.remove();
  rememberClosed();
  const frame = node('div', {class: 'outline', 'aria-hidden': 'true'});
  const [count, title, text, hint] = ['count', 'title', 'text', 'hint'].map((name) => node('div', {class: name}));
  const change = button('change', '', () => chooseLayout(String(TOUR_STEPS[at].layout)));
  const back = button('back', 'Back', () => go(at - 1));
  const next = button('next', 'Next', () => (at === TOUR_STEPS.length - 1 ? close() : go(at + 1)));
  const card = node('div', {class: 'card', role: 'dialog', 'aria-modal': 'false'},
    node('div', {class: 'head'}, count, button('close', 'Close', () => close())),
    node('div', {'aria-live': 'polite'}, title, text, hint), change,
    node('div', {class: 'foot'}, back, next));
  const host = sheltered(TOUR_CSS);
  host.className = 'lit-probe-tour';
  shadowOf(host).append(frame, card);
  document.body.append(host);

  let at = 0;
  let seen = performance.now();
  /** @type {Element|undefined} */
  let shown;

  const look = () => {
    const step = TOUR_STEPS[at];
    const {target, words, layout} = whereabouts(step);
    if (target) seen = performance.now();
    else if (performance.now() - seen < PATIENCE) return;
    if (hint.textContent !== words) hint.textContent = words;
    change.hidden = !layout;
    change.textContent = `Open the layout ${step.layout}`;
    if (target && target !== shown) target.scrollIntoView({block: 'nearest', inline: 'nearest'});
    shown = target;
    place(target && boxInSight(target), frame, card);
  };
  const go = (/** @type {number} */ step) => {
    at = step;
    shown = undefined;
    const {title: name, text: told} = TOUR_STEPS[at];
    count.textContent = `Step ${at + 1} of ${TOUR_STEPS.length}`;
    card.setAttribute('aria-label', `Tour, step ${at + 1} of ${TOUR_STEPS.length}: ${name}`);
    title.textContent = name;
    text.textContent = told;
    back.toggleAttribute('disabled', at === 0);
    next.textContent = at === TOUR_STEPS.length - 1 ? 'Done' : 'Next';
    look();
    if (at === 0) next.focus();
  };
  const onKey = (/** @type {KeyboardEvent} */ event) => {
    // A chart or a dialog that has a use for Escape comes first.
    if (event.key === 'Escape' && !event.defaultPrevented && !dialogIsOpen()) close();
  };
  const timer = setInterval(look, LOOK);
  const close = () => {
    clearInterval(timer);
    document.removeEventListener('keydown', onKey);
    host.remove();
    opened = null;
  };
  document.addEventListener('keydown', onKey);
  opened = {close};
  go(0);
}

/**
 * What a step points at now, and what it says where that is not yet the thing itself.
 *
 * @param {TourStep} step
 * @returns {{target: Element|undefined, words: string, layout: boolean}}  `layout`: whether another layout must be opened first
 */
function whereabouts({layout, tab, panel, part}) {
  if (layout === null || panel === undefined) return {target: layoutMenu(), words: '', layout: false};
  if (!hasLayout(layout)) return {target: undefined, words: `This page has no layout ${layout}, so its panel is not here.`, layout: false};
  if (openLayout() !== layout) {
    const words = `This is in the layout ${layout}. Choose it in the outlined menu and press Submit, or press the button below.`;
    return {target: layoutMenu(), words, layout: true};
  }
  const target = panelInPage(panel, part) ?? panelInPage(panel);
  if (target) return {target, words: '', layout: false};
  const behind = tabInPage(String(tab));
  return {target: behind, words: behind ? `It stands behind the outlined tab ${tab}. Click on that tab.` : 'The model shown has no such panel.', layout: false};
}

/** The part of an element that no scrolled area cuts off; null for nothing. @param {Element} element @returns {?Box} */
function boxInSight(element) {
  /** @type {?Box} */
  let box = overlap(element.getBoundingClientRect(), {left: 0, top: 0, right: innerWidth, bottom: innerHeight});
  for (let around = outer(element); around && box; around = outer(around)) {
    const style = getComputedStyle(around);
    if (style.overflow !== 'visible' && style.display !== 'contents') box = overlap(box, around.getBoundingClientRect());
  }
  return box;
}

/** @param {Element} element @returns {Element|null} */
function outer(element) {
  const root = element.getRootNode();
  return element.assignedSlot ?? element.parentElement ?? (root instanceof ShadowRoot ? root.host : null);
}

/** @param {?Box|undefined} box @param {HTMLElement} outline @param {HTMLElement} card */
function place(box, outline, card) {
  const frame = {width: document.documentElement.clientWidth, height: innerHeight};
  outline.hidden = !box;
  if (box) {
    // Inside the window even where the target ends at its edge.
    const [left, top] = [Math.max(1, box.left - OUTLINE), Math.max(1, box.top - OUTLINE)];
    const [right, bottom] = [Math.min(frame.width - 1, box.right + OUTLINE), Math.min(frame.height - 1, box.bottom + OUTLINE)];
    Object.assign(outline.style, {left: `${left}px`, top: `${top}px`, width: `${right - left}px`, height: `${bottom - top}px`});
  }
  const size = {width: card.offsetWidth, height: card.offsetHeight};
  const {left, top} = cardPlace(box ?? {left: 0, top: frame.height, right: 0, bottom: frame.height}, size, frame);
  Object.assign(card.style, {left: `${left}px`, top: `${top}px`});
}

/** An element whose content LIT's styles do not reach. @param {string} css @returns {HTMLElement} */
function sheltered(css) {
  const host = document.createElement('div');
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(css);
  host.attachShadow({mode: 'open'}).adoptedStyleSheets = [sheet];
  return host;
}

/** @param {HTMLElement} host @returns {ShadowRoot} */
function shadowOf(host) {
  return /** @type {ShadowRoot} */ (host.shadowRoot);
}

/** @param {string} name @param {Record<string, string>} attributes @param {...(Node|string)} children @returns {HTMLElement} */
function node(name, attributes, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...children);
  return element;
}

/** @param {string} name  its class @param {string} label @param {() => void} press @returns {HTMLElement} */
function button(name, label, press) {
  const element = node('button', {class: name, type: 'button'}, label);
  element.addEventListener('click', press);
  return element;
}
