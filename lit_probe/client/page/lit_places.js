// @ts-check
/** Where LIT's page (lit-nlp 1.3.1) has its parts: panels, tabs, the menu of layouts; and which layout is open. */
import {services} from './lit_host.js';

/**
 * The first element in sight that a path of selectors leads to; each step but the first goes into a shadow root.
 *
 * @param {...string} path
 * @returns {Element|undefined}
 */
function inPage(...path) {
  /** @type {(Document|ShadowRoot)[]} */
  let roots = [document];
  for (const [i, selector] of path.entries()) {
    const found = roots.flatMap((root) => [...root.querySelectorAll(selector)]);
    if (i === path.length - 1) return found.find((element) => element.checkVisibility({checkVisibilityCSS: true}) && element.getBoundingClientRect().width > 0);
    roots = found.flatMap(({shadowRoot}) => shadowRoot ?? []);
  }
}

/** A panel in sight, or a part of it. @param {string} tag @param {string} [part]  a selector */
export function panelInPage(tag, part) {
  const path = ['lit-app', 'lit-modules', 'lit-widget-group', tag];
  return part ? inPage(...path, part) : inPage(...path);
}

/** The tab of this name, should the layout have one. @param {string} name */
export function tabInPage(name) {
  const modules = inPage('lit-app', 'lit-modules');
  return [...(modules?.shadowRoot?.querySelectorAll('.tab') ?? [])].find((tab) => tab.textContent?.trim() === name);
}

/** The button of the menu of layouts; no class of its own tells it from the others, but its icon does. */
export function layoutMenu() {
  const buttons = [...(inPage('lit-app', 'lit-app-toolbar')?.shadowRoot?.querySelectorAll('.headline-button') ?? [])];
  return buttons.find((button) => button.querySelector('.material-icon')?.textContent === 'view_compact');
}

/** Whether one of LIT's dialogs lies over the page. */
export function dialogIsOpen() {
  return ['lit-global-settings', 'lit-documentation'].some((tag) => inPage('lit-app', 'lit-app-toolbar', tag, '#overlay:not(.hide)'));
}

/** @returns {string} the layout that is open; empty before LIT knows */
export const openLayout = () => services().appState.layoutName;

/** @param {string} name @returns {boolean} */
export const hasLayout = (name) => name in services().appState.layouts;

/** Calls back once LIT has its panels on the page. @param {() => void} then */
export function whenStarted(then) {
  if (inPage('lit-app', 'lit-modules')) then();
  else requestAnimationFrame(() => whenStarted(then));
}
