// @ts-check

/** The style sheet of all our panels, on top of LIT's own. */
export const PANEL_CSS = `
  :host { display: block; height: 100%; color: var(--lit-neutral-800); font-family: Roboto, sans-serif; }
  .module-toolbar { justify-content: space-between; border-bottom: 1px solid var(--lit-neutral-200); }
  .toolbar-part { display: flex; align-items: center; flex-wrap: wrap; min-width: 0; }
  .dropdown { max-width: 220px; text-overflow: ellipsis; }
  .hairline-button { margin: 2px; padding: 0 8px; }
  .hairline-button:focus-visible, .text-button:focus-visible { outline: 2px solid var(--lit-cyea-500); }
  .module-results-area { overflow-x: hidden; scrollbar-gutter: stable; }
  .stale { opacity: .45; }
  .caption, .legend, .doubt, .remark, .reading, .notes, .example { padding: 0 12px; }
  .caption { margin-top: 8px; line-height: 18px; }
  .left-out, .doubt, .remark { color: var(--lit-neutral-700); }
  .legend { display: flex; flex-wrap: wrap; column-gap: 16px; align-items: center; margin-top: 4px; font-size: 12px; }
  .legend label, .legend span { display: inline-flex; align-items: center; min-height: 22px; }
  .legend label { cursor: pointer; }
  .legend input { margin: 0 4px 0 0; accent-color: var(--lit-cyea-600); }
  .legend svg { flex: none; margin-right: 6px; }
  .chart { position: relative; cursor: pointer; outline: none; margin-top: 2px; }
  .chart:focus-visible { box-shadow: inset 0 0 0 2px var(--lit-cyea-500); }
  .chart svg, .strips svg { display: block; pointer-events: none; }
  .charts { display: flex; flex-wrap: wrap; }
  .tooltip { position: absolute; bottom: 46px; padding: 5px 8px; background: white; border: 1px solid var(--lit-neutral-300); border-radius: 3px;
             box-shadow: 0 1px 3px rgba(0, 0, 0, .2); font-size: 12px; line-height: 17px; pointer-events: none; white-space: nowrap; z-index: 1; }
  .tooltip div { display: flex; align-items: center; }
  .tooltip svg { margin-right: 4px; }
  .reading { line-height: 20px; }
  .text-button { display: inline; margin: 0 0 0 6px; padding: 0; border: none; background: none; color: var(--lit-cyea-600); font: inherit; text-decoration: underline; }
  .text-button:hover { background: none; color: var(--lit-cyea-500); }
  .notes { margin: 6px 0 10px; font-size: 12px; line-height: 17px; color: var(--lit-neutral-700); }
  .example { border-top: 1px solid var(--lit-neutral-200); padding-top: 6px; margin-top: 6px; }
  .example-title { display: flex; gap: 6px; align-items: center; min-width: 0; }
  .example-title b, .badge { flex: none; }
  .quote { unicode-bidi: isolate; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; color: var(--lit-neutral-700); }
  .badge { padding: 0 6px; border-radius: 8px; font-size: 11px; line-height: 16px; background: var(--lit-bric-100); color: var(--lit-bric-700); }
  .strips { margin: 4px 0 8px; cursor: pointer; }
  .guide { margin: 0 12px 12px; font-size: 12px; line-height: 17px; color: var(--lit-neutral-800); }
  .guide summary { cursor: pointer; color: var(--lit-cyea-600); }
  .guide p { margin: 6px 0; max-width: 640px; }
  .card { margin: 12px; padding: 10px 12px; border-left: 3px solid var(--lit-cyea-500); background: var(--lit-mintonal-p-1); line-height: 18px; }
  .card.error { border-left-color: var(--google-red-600); background: var(--google-red-50); }
  .card .message { white-space: pre-wrap; overflow-wrap: anywhere; }
  .card .hairline-button { display: inline-block; margin: 8px 8px 0 0; }
  .working { display: flex; align-items: center; gap: 14px; }
  progress { width: 100%; height: 6px; margin-top: 8px; accent-color: var(--lit-cyea-600); }
  h4 { margin: 10px 12px 0; font-size: 12px; font-weight: bold; }
  .cancel, .again { margin-left: auto; }
  .overlays { margin-top: 0; }
  .overlays .state { color: var(--lit-neutral-700); margin-left: 4px; }
  .legend .swatch { width: 22px; height: 6px; margin-right: 6px; background: #D4BC6A; min-height: 0; }
  .legend .heat { width: 90px; height: 10px; min-height: 0; border: 1px solid var(--lit-neutral-300); }
  .heat-key { column-gap: 8px; }
  .waiting span { white-space: nowrap; }
  .compared select { font: inherit; max-width: 150px; }
  .info-button { display: inline-block; width: 18px; height: 18px; margin: 0 6px; padding: 0; border: 1px solid var(--lit-cyea-600); border-radius: 9px; background: none;
                 color: var(--lit-cyea-600); font: italic bold 12px/15px serif; cursor: pointer; vertical-align: middle; }
  .info-button:hover, .info-button[aria-expanded=true] { background: var(--lit-cyea-600); color: white; }
  .facts { margin: 6px 12px 10px; border-collapse: collapse; font-size: 12px; line-height: 17px; max-width: calc(100% - 24px); table-layout: fixed; }
  .facts th { text-align: left; font-weight: normal; color: var(--lit-neutral-700); padding: 1px 14px 1px 0; vertical-align: top; width: 150px; }
  .facts td { padding: 1px 0; overflow-wrap: anywhere; }
  .facts caption { text-align: left; font-weight: bold; padding-top: 6px; }
  .command { margin: 6px 12px; padding: 8px 10px; background: var(--lit-neutral-100); font: 12px/17px monospace; white-space: pre-wrap; overflow-wrap: anywhere; }
  .cells { margin: 6px 8px; border-collapse: separate; border-spacing: 3px; font-size: 12px; }
  .cells th { font-weight: normal; color: var(--lit-neutral-700); padding: 2px 4px; }
  .cells td { padding: 0; }
  .cell-button { display: block; box-sizing: border-box; width: 112px; padding: 6px 4px; border: 1px solid var(--lit-neutral-300); border-radius: 3px; background: none;
                 font: inherit; color: inherit; text-align: center; cursor: pointer; }
  .cell-button b { display: block; font-size: 16px; }
  .cell-button:hover { background: var(--lit-mintonal-p-1); }
  .cell-button:focus-visible, .info-button:focus-visible { outline: 2px solid var(--lit-cyea-500); }
  .cell-button[disabled] { color: inherit; cursor: default; background: none; }
  .multiples { display: grid; grid-template-columns: repeat(auto-fill, minmax(190px, 1fr)); gap: 8px; padding: 6px 12px; }
  .multiple { min-width: 0; }
  .multiple .name { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; font-size: 12px; }
  .multiple .why { font-size: 11px; line-height: 14px; }
  .multiple.doubtful { color: var(--lit-neutral-600); }
  .multiple .chart { margin: 0; }
  .plain { cursor: default; }
`;
