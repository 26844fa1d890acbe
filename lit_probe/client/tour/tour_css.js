// @ts-check
/** The style sheets of the tour: its card with the outline, and the strip that offers it. */
import {COLORS, LIT_COLORS, SCHEMES, SPLIT_STYLES} from '../charts/palette.js';

const [BLUE, DARKER_BLUE, PALE] = ['--lit-cyea-600', '--lit-cyea-700', '--lit-mintonal-p-4'].map((name) => LIT_COLORS[name]);

const BUTTONS_CSS = `
  button { padding: 3px 12px; border: 1px solid ${COLORS.axis}; border-radius: 4px; background: none; color: ${BLUE}; font: 13px/18px Roboto, sans-serif; cursor: pointer; }
  button:hover { background: ${PALE}; }
  button[disabled] { opacity: .4; cursor: default; background: none; }
  button:focus-visible { outline: 2px solid ${BLUE}; outline-offset: 2px; }
  .take, .next { background: ${BLUE}; border-color: ${BLUE}; color: ${COLORS.paper}; }
  .take:hover, .next:hover { background: ${DARKER_BLUE}; }`;

export const OFFER_CSS = `
  :host { flex: none; color-scheme: ${SCHEMES}; }
  .offer { display: flex; flex-wrap: wrap; align-items: center; gap: 4px 12px; padding: 5px 16px; border-top: 2px solid ${BLUE}; background: ${PALE}; color: ${COLORS.text};
           font: 13px/20px Roboto, sans-serif; }
  .take { margin-left: auto; }
  ${BUTTONS_CSS}`;

// Above the panels and LIT's bar, below LIT's dialogs, in which a layout is chosen.
export const TOUR_CSS = `
  :host { color-scheme: ${SCHEMES}; }
  .card, .outline { position: fixed; box-sizing: border-box; z-index: 3; }
  .outline { border: 3px solid ${SPLIT_STYLES.test.color}; border-radius: 4px; box-shadow: 0 0 0 2px ${COLORS.paper}; pointer-events: none; }
  .card { width: 320px; padding: 10px 14px 12px; border: 1px solid ${COLORS.axis}; border-radius: 6px; background: ${COLORS.raised}; color: ${COLORS.text}; font: 13px/19px Roboto, sans-serif;
          box-shadow: 0 4px 16px rgba(0, 0, 0, .3); }
  .head, .foot { display: flex; justify-content: space-between; align-items: center; }
  .count { font-size: 12px; color: ${COLORS.quietText}; }
  .close { border-color: transparent; padding: 2px 6px; margin-right: -6px; }
  .title { margin: 4px 0; font-size: 15px; font-weight: bold; }
  .hint { margin-top: 8px; font-weight: bold; }
  .hint:empty { display: none; }
  .change { margin-top: 6px; }
  .foot { margin-top: 12px; }
  [hidden] { display: none; }
  ${BUTTONS_CSS}`;
