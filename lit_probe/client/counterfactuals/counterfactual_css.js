// @ts-check
/** The style sheet of the panel about edits. */

/** What the panel about edits needs beside the style sheets of all our panels and of those about words. */
export const COUNTERFACTUAL_CSS = `
  .views { display: inline-flex; margin-right: 4px; }
  .views button { height: 24px; padding: 0 10px; border: 1px solid var(--lit-cyea-600); background: none; color: var(--lit-cyea-600); font: inherit; font-size: 12px; cursor: pointer; }
  .views button + button { border-left: none; }
  .views button[aria-pressed=true] { background: var(--lit-cyea-600); color: white; }
  .views button:focus-visible { outline: 2px solid var(--lit-cyea-500); }
  .flip { font-size: 14px; line-height: 20px; }
  .warning { margin: 6px 12px 0; padding: 5px 10px; border-left: 3px solid var(--lit-bric-700, #A63A1E); background: var(--lit-bric-100, #FBE9E4); font-size: 12px; line-height: 17px; }
  .two-texts { display: grid; grid-template-columns: auto minmax(0, 1fr); gap: 2px 8px; margin: 6px 12px 0; font-size: 12px; line-height: 18px; }
  .two-texts .who { display: inline-flex; align-items: center; white-space: nowrap; align-self: start; min-height: 18px; }
  .two-texts .who svg { margin-right: 5px; }
  .two-texts .says { white-space: pre-line; max-height: 72px; overflow: hidden auto; overflow-wrap: anywhere; unicode-bidi: plaintext; }
  .two-texts mark { color: inherit; border-radius: 2px; padding: 0 1px; background: #D6E8F0; }
  .two-texts .edit mark { background: #FBDCC8; }
  .distances { display: grid; grid-template-columns: 1fr 1fr; }
  .distances h4 { margin-top: 8px; }
  .distances h4 span { font-weight: normal; color: var(--lit-neutral-700); }
  .detail { border-top: 1px solid var(--lit-neutral-200); margin-top: 8px; padding: 6px 12px 4px; }
  .detail-title { display: flex; flex-wrap: wrap; gap: 2px 8px; align-items: center; font-size: 12px; }
  .detail-title select { font: inherit; height: 22px; max-width: 170px; margin-left: auto; }
  .detail p { margin: 2px 0 4px; font-size: 12px; line-height: 17px; color: var(--lit-neutral-700); max-width: 640px; }
  .detail .card { margin: 6px 0; }
  .detail tr.changed th { font-weight: bold; }
  .detail .hairline-button { margin: 2px 0; }
  .kinds .text-button { margin: 0; text-align: left; }
  .kinds th { font-weight: normal; text-align: left; }
  .bars.kinds td.act { text-align: left; padding-left: 12px; }
  .bars.kinds thead th:last-child { padding-left: 12px; }
  .also { color: var(--lit-neutral-700); }
`;
