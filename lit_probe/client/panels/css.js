// @ts-check
/** The style sheets of our panels, on top of LIT's own. */
import {COLORS, LIT_COLORS, SCHEMES} from '../charts/palette.js';

// LIT draws the arrow of a drop-down in a grey that a dark page swallows.
const ARROW = `url('data:image/svg+xml;charset=US-ASCII,%3Csvg%20xmlns%3D%22http%3A%2F%2Fwww.w3.org%2F2000%2Fsvg%22%20width%3D%2210%22%20height%3D%226%22%3E%3Cpath%20fill%3D%22%23B4BAC0%22%20d%3D%22M0%200h10l-5%206z%22%2F%3E%3C%2Fsvg%3E')`;

/** What all our panels need. */
export const PANEL_CSS = `
  :host { display: block; height: 100%; color-scheme: ${SCHEMES}; color: var(--lit-neutral-800); background: ${COLORS.paper}; font-family: Roboto, sans-serif;
          ${Object.entries(LIT_COLORS).map(([name, value]) => `${name}: ${value};`).join(' ')} }
  @media (prefers-color-scheme: dark) { .dropdown, .dropdown:active { ${SCHEMES === 'light' ? '' : `background-image: ${ARROW};`} } }
  .hairline-button:disabled { background: none; }
  .filled-button:enabled { background: var(--lit-cyea-600); border-color: var(--lit-cyea-600); color: ${COLORS.paper}; }
  .filled-button:enabled:hover { background: var(--lit-cyea-700); }
  .module-toolbar { justify-content: space-between; border-bottom: 1px solid var(--lit-neutral-200); }
  .toolbar-part { display: flex; align-items: center; flex-wrap: wrap; min-width: 0; }
  .dropdown { max-width: 220px; text-overflow: ellipsis; }
  .hairline-button { margin: 2px; padding: 0 8px; }
  .hairline-button:focus-visible, .text-button:focus-visible { outline: 2px solid var(--lit-cyea-500); }
  .module-results-area { overflow-x: hidden; scrollbar-gutter: stable; }
  .stale { opacity: .45; }
  .caption, .legend, .decision, .doubt, .remark, .reading, .notes, .example { padding: 0 12px; }
  .caption { margin-top: 8px; line-height: 18px; }
  .left-out, .decision, .doubt, .remark { color: var(--lit-neutral-700); }
  .legend { display: flex; flex-wrap: wrap; column-gap: 16px; align-items: center; margin-top: 4px; font-size: 12px; }
  .legend label, .legend span { display: inline-flex; align-items: center; min-height: 22px; }
  .legend label { cursor: pointer; }
  .legend input { margin: 0 4px 0 0; accent-color: var(--lit-cyea-600); }
  .legend svg { flex: none; margin-right: 6px; }
  .chart { position: relative; cursor: pointer; outline: none; margin-top: 2px; }
  .chart:focus-visible { box-shadow: inset 0 0 0 2px var(--lit-cyea-500); }
  .chart svg, .strips svg { display: block; pointer-events: none; }
  .charts { display: flex; flex-wrap: wrap; }
  .tooltip { position: absolute; bottom: 46px; padding: 5px 8px; background: ${COLORS.raised}; border: 1px solid var(--lit-neutral-300); border-radius: 3px;
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
  .quote { unicode-bidi: isolate; overflow: hidden; text-overflow: ellipsis; white-space: pre; color: var(--lit-neutral-700); }
  .badge { padding: 0 6px; border-radius: 8px; font-size: 11px; line-height: 16px; background: var(--lit-bric-100); color: var(--lit-bric-700); }
  .strips { margin: 4px 0 8px; cursor: pointer; }
  .guide { margin: 0 12px 12px; font-size: 12px; line-height: 17px; color: var(--lit-neutral-800); }
  .guide summary { cursor: pointer; color: var(--lit-cyea-600); }
  .guide p { margin: 6px 0; max-width: 640px; }
  .card { margin: 12px; padding: 10px 12px; border-left: 3px solid var(--lit-cyea-500); background: var(--lit-mintonal-p-1); line-height: 18px; }
  .card.error { border-left-color: var(--google-red-600); background: var(--google-red-50); }
  .card .message { white-space: pre-wrap; overflow-wrap: anywhere; }
  .card .hairline-button { display: inline-block; margin: 8px 8px 0 0; }
  .working { display: flex; flex-wrap: wrap; align-items: center; gap: 6px 14px; }
  progress { width: 100%; height: 6px; margin-top: 8px; accent-color: var(--lit-cyea-600); }
  h4 { margin: 10px 12px 0; font-size: 12px; font-weight: bold; }
  .cancel, .again { margin-left: auto; }
  .more { padding: 0 12px; }
  .more > summary { cursor: pointer; line-height: 22px; font-size: 12px; color: var(--lit-cyea-600); }
  .more .legend { padding: 0; margin-top: 0; }
  .overlays .state { color: var(--lit-neutral-700); margin-left: 4px; }
  .legend .swatch { width: 22px; height: 6px; margin-right: 6px; background: ${COLORS.marked}; min-height: 0; }
  .legend .heat { width: 90px; height: 10px; min-height: 0; border: 1px solid var(--lit-neutral-300); }
  .heat-key { column-gap: 8px; }
  .waiting span { white-space: nowrap; }
  .compared select { font: inherit; max-width: 150px; }
  .info-button { display: inline-block; width: 18px; height: 18px; margin: 0 6px; padding: 0; border: 1px solid var(--lit-cyea-600); border-radius: 9px; background: none;
                 color: var(--lit-cyea-600); font: italic bold 12px/15px serif; cursor: pointer; vertical-align: middle; }
  .info-button:hover, .info-button[aria-expanded=true] { background: var(--lit-cyea-600); color: ${COLORS.paper}; }
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
  .multiples { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(190px, 100%), 1fr)); gap: 0 8px; padding: 6px 12px; }
  .multiple { display: grid; grid-row: span 4; grid-template-rows: subgrid; grid-template-columns: minmax(0, 1fr); align-content: start; padding-bottom: 10px; }
  .multiple .title { display: flex; align-items: center; min-width: 0; white-space: nowrap; }
  .multiple .title > * { flex: none; }
  .multiple .name { flex: 0 1 auto; min-width: 0; margin: 0 6px 0 0; overflow: hidden; text-overflow: ellipsis; font-size: 12px; }
  .multiple .why { font-size: 11px; line-height: 14px; }
  .multiple.doubtful { color: var(--lit-neutral-700); }
  .multiple .chart { margin: 0; }
  .plain { cursor: default; }
  .legend.kinds { column-gap: 4px; row-gap: 4px; }
  .kind-button { display: inline-flex; align-items: center; max-width: 100%; min-height: 24px; padding: 0 8px; border: 1px solid var(--lit-neutral-300); border-radius: 12px;
                 background: none; font: inherit; color: inherit; overflow-wrap: anywhere; text-align: left; cursor: pointer; }
  .kind-button:hover { background: var(--lit-mintonal-p-1); }
  .kind-button[aria-pressed=true] { background: var(--lit-mintonal-p-4); border-color: var(--lit-cyea-600); font-weight: bold; }
  .kind-button:focus-visible { outline: 2px solid var(--lit-cyea-500); }
  .grid-mark { width: 12px; height: 12px; margin-right: 6px; box-sizing: border-box; border: 1px solid ${COLORS.axis};
               background: repeating-linear-gradient(0deg, ${COLORS.axis} 0 1px, transparent 1px 4px), repeating-linear-gradient(90deg, ${COLORS.axis} 0 1px, transparent 1px 4px); }
  .legend.kinds .grid-mark { min-height: 0; }
`;

/** The controls, rows and bars of the panels about words, neurons and edits. */
export const CONTROLS_CSS = `
  .module-toolbar.wrapped { display: flex; flex-wrap: wrap; height: auto; min-height: 36px; row-gap: 2px; padding: 3px 8px; justify-content: flex-start; column-gap: 10px; }
  .wrapped .toolbar-part { flex-wrap: nowrap; }
  .wrapped .downloads { margin-left: auto; }
  .wrapped .dropdown { max-width: 150px; }
  .wrapped .settings { margin: 0; }
  .settings { margin: 4px 12px 0; font-size: 12px; line-height: 20px; }
  .settings summary { cursor: pointer; color: var(--lit-cyea-600); }
  .settings .choices { display: flex; flex-wrap: wrap; gap: 2px 14px; padding: 4px 0 2px 12px; }
  .settings label { display: inline-flex; align-items: center; min-height: 24px; cursor: pointer; }
  .settings label > span { margin-right: 5px; color: var(--lit-neutral-700); }
  .settings input[type=checkbox] { margin: 0 4px 0 0; accent-color: var(--lit-cyea-600); }
  .settings input[type=number] { width: 64px; height: 20px; box-sizing: border-box; padding: 0 4px; border: 1px solid var(--lit-neutral-400); border-radius: 2px; font: inherit; }
  .settings select { height: 22px; font: inherit; border: 1px solid var(--lit-neutral-400); border-radius: 2px; background: ${COLORS.paper}; color: inherit; max-width: 220px; }
  .color-key { display: flex; flex-wrap: wrap; gap: 2px 14px; padding: 0 12px; margin-top: 4px; font-size: 12px; line-height: 20px; color: var(--lit-neutral-700); }
  .color-key span { display: inline-flex; align-items: center; gap: 5px; }
  .ramp { display: inline-block; width: 84px; height: 10px; border: 1px solid var(--lit-neutral-300); }
  .section { border-top: 1px solid var(--lit-neutral-200); margin-top: 6px; padding: 6px 12px 0; }
  .section-title { display: flex; gap: 6px; align-items: baseline; min-width: 0; }
  .section-title b, .section-title .hairline-button { flex: none; }
  .section-title .hairline-button { margin-left: auto; }
  .rows { display: grid; grid-template-columns: minmax(92px, 132px) minmax(0, 1fr) 58px; margin-top: 4px; }
  .rows > div { padding: 5px 0 4px; border-top: 1px solid var(--lit-neutral-100); min-width: 0; }
  .rows .head { border-top: none; padding: 0 0 2px; font-size: 11px; line-height: 14px; color: var(--lit-neutral-700); }
  .rows .compute { height: 22px; margin: -2px 0; padding: 0 8px; font-size: 12px; line-height: 20px; }
  .rows .label { padding-right: 8px; font-size: 12px; line-height: 16px; overflow-wrap: anywhere; }
  .rows .rho { text-align: right; font-size: 12px; line-height: 16px; font-variant-numeric: tabular-nums; }
  .rows .under, .rows .marked, .rows .other-baselines { color: var(--lit-neutral-700); font-size: 11px; line-height: 15px; overflow-wrap: anywhere; }
  .rows .marked { color: var(--google-red-700); }
  .rows .hovered-score { color: var(--lit-cyea-700); font-weight: bold; }
  .rows .pale { opacity: .4; }
  .rows.narrow { grid-template-columns: minmax(0, 1fr) 58px; grid-auto-flow: dense; }
  .rows.narrow .head:nth-child(2) { display: none; }
  .rows.narrow .map { grid-column: 1 / -1; border-top: none; padding-top: 0; }
  .rows.narrow .label, .rows.narrow .rho { padding-bottom: 2px; }
  .chips { line-height: 21px; }
  .chips .kept { white-space: nowrap; }
  .chips .text-name { display: block; margin-top: 2px; color: var(--lit-neutral-700); font-size: 11px; line-height: 14px; }
  .chip { display: inline-block; margin: 0 3px 2px 0; padding: 0 4px; border-radius: 2px; box-shadow: inset 0 0 0 1px ${COLORS.rim}; font-size: 12px; line-height: 18px;
          max-width: 100%; box-sizing: border-box; overflow-wrap: anywhere; white-space: pre-wrap; cursor: default; }
  .chip.special { color: var(--lit-neutral-700); font-size: 11px; }
  .chip.same { outline: 2px solid ${COLORS.ink}; }
  .pending { color: var(--lit-neutral-700); font-size: 12px; }
  .row-error { color: var(--google-red-700); font-size: 12px; line-height: 16px; overflow-wrap: anywhere; }
  .explained { margin-top: 2px; font-size: 12px; line-height: 18px; overflow-wrap: anywhere; }
  .beyond { margin-top: 4px; font-size: 12px; line-height: 17px; color: var(--lit-neutral-700); overflow-wrap: anywhere; }
  .agreement { margin-top: 6px; font-size: 12px; }
  .agreement summary { cursor: pointer; color: var(--lit-cyea-600); }
  .agreement .scrolled { overflow-x: auto; }
  .agreement table { border-collapse: separate; border-spacing: 1px; margin: 4px 0; font-size: 11px; }
  .agreement th { font-weight: normal; text-align: left; padding: 1px 6px 1px 0; white-space: nowrap; }
  .agreement thead th { text-align: center; padding: 0 2px; }
  .agreement td { min-width: 30px; padding: 2px 3px; text-align: center; font-variant-numeric: tabular-nums; }
  .measure { padding: 0 12px; margin-top: 12px; }
  .measure h4 { margin: 0; }
  .measure p, .intro { margin: 2px 0 4px; font-size: 12px; line-height: 17px; color: var(--lit-neutral-700); max-width: 640px; }
  .intro { padding: 0 12px; }
  .block-title { margin: 12px 12px 0; font-size: 13px; font-weight: bold; }
  .block + .block { border-top: 1px solid var(--lit-neutral-200); margin-top: 10px; }
  .hairline-button.start { margin: 4px 12px; }
  .bars { width: 100%; border-collapse: collapse; font-size: 12px; table-layout: fixed; }
  .bars th { font-weight: normal; text-align: left; padding: 1px 6px 1px 0; line-height: 15px; overflow-wrap: anywhere; }
  .bars thead th { color: var(--lit-neutral-700); font-size: 11px; vertical-align: bottom; }
  .bars td { padding: 1px 0; }
  .bars td.number { text-align: right; font-variant-numeric: tabular-nums; padding-left: 6px; }
  .bars td.number span { white-space: nowrap; }
  .bars tr.quiet th, .bars tr.quiet td { color: var(--lit-neutral-700); }
  .bars .ends { display: flex; justify-content: space-between; }
  .bars .raw { color: var(--lit-neutral-700); margin-left: 6px; }
  .bars svg { display: block; }
  .bars .text-button { margin: 0; max-width: 100%; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; text-align: left; display: block; }
  .classes { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(380px, 100%), 1fr)); gap: 4px 20px; padding: 0 12px; }
  .class-words { min-width: 0; }
  .class-words h4 { margin: 10px 0 2px; }
`;
