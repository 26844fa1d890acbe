// @ts-check
/** The style sheets of the tour: its card with the outline, and the strip that offers it. */

const BUTTONS_CSS = `
  button { padding: 3px 12px; border: 1px solid #80868B; border-radius: 4px; background: none; color: #1F6180; font: 13px/18px Roboto, sans-serif; cursor: pointer; }
  button:hover { background: #E8F4F8; }
  button[disabled] { opacity: .4; cursor: default; background: none; }
  button:focus-visible { outline: 2px solid #1F6180; outline-offset: 2px; }
  .take, .next { background: #1F6180; border-color: #1F6180; color: #FFFFFF; }
  .take:hover, .next:hover { background: #174A62; }`;

export const OFFER_CSS = `
  :host { flex: none; }
  .offer { display: flex; flex-wrap: wrap; align-items: center; gap: 4px 12px; padding: 5px 16px; border-top: 2px solid #1F6180; background: #E8F4F8; color: #3C4043;
           font: 13px/20px Roboto, sans-serif; }
  .take { margin-left: auto; }
  ${BUTTONS_CSS}`;

// Above the panels and LIT's bar, below LIT's dialogs, in which a layout is chosen.
export const TOUR_CSS = `
  .card, .outline { position: fixed; box-sizing: border-box; z-index: 3; }
  .outline { border: 3px solid #D55E00; border-radius: 4px; box-shadow: 0 0 0 2px #FFFFFF; pointer-events: none; }
  .card { width: 320px; padding: 10px 14px 12px; border: 1px solid #80868B; border-radius: 6px; background: #FFFFFF; color: #3C4043; font: 13px/19px Roboto, sans-serif;
          box-shadow: 0 4px 16px rgba(0, 0, 0, .3); }
  .head, .foot { display: flex; justify-content: space-between; align-items: center; }
  .count { font-size: 12px; color: #5F6368; }
  .close { border-color: transparent; padding: 2px 6px; margin-right: -6px; }
  .title { margin: 4px 0; font-size: 15px; font-weight: bold; }
  .hint { margin-top: 8px; font-weight: bold; }
  .hint:empty { display: none; }
  .change { margin-top: 6px; }
  .foot { margin-top: 12px; }
  [hidden] { display: none; }
  ${BUTTONS_CSS}`;
