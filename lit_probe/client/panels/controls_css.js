// @ts-check

/** What the panels about words need beside the style sheet of all our panels. */
export const SALIENCE_CSS = `
  .module-toolbar.wrapped { display: flex; flex-wrap: wrap; height: auto; min-height: 36px; row-gap: 2px; padding: 3px 8px; justify-content: flex-start; column-gap: 10px; }
  .wrapped .toolbar-part { flex-wrap: nowrap; }
  .wrapped .downloads { margin-left: auto; }
  .wrapped .dropdown { max-width: 150px; }
  .settings { margin: 4px 12px 0; font-size: 12px; line-height: 20px; }
  .settings summary { cursor: pointer; color: var(--lit-cyea-600); }
  .settings .choices { display: flex; flex-wrap: wrap; gap: 2px 14px; padding: 4px 0 2px 12px; }
  .settings label { display: inline-flex; align-items: center; min-height: 24px; cursor: pointer; }
  .settings label > span { margin-right: 5px; color: var(--lit-neutral-700); }
  .settings input[type=checkbox] { margin: 0 4px 0 0; accent-color: var(--lit-cyea-600); }
  .settings input[type=number] { width: 64px; height: 20px; box-sizing: border-box; padding: 0 4px; border: 1px solid var(--lit-neutral-400); border-radius: 2px; font: inherit; }
  .settings select { height: 22px; font: inherit; border: 1px solid var(--lit-neutral-400); border-radius: 2px; background: white; max-width: 220px; }
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
  .rows .under { color: var(--lit-neutral-700); font-size: 11px; line-height: 15px; overflow-wrap: anywhere; }
  .rows .hovered-score { color: var(--lit-cyea-700); font-weight: bold; }
  .rows .pale { opacity: .4; }
  .rows.narrow { grid-template-columns: minmax(0, 1fr) 58px; grid-auto-flow: dense; }
  .rows.narrow .head:nth-child(2) { display: none; }
  .rows.narrow .map { grid-column: 1 / -1; border-top: none; padding-top: 0; }
  .rows.narrow .label, .rows.narrow .rho { padding-bottom: 2px; }
  .chips { line-height: 21px; }
  .chip { display: inline-block; margin: 0 3px 2px 0; padding: 0 4px; border-radius: 2px; box-shadow: inset 0 0 0 1px rgba(60, 64, 67, .13); font-size: 12px; line-height: 18px;
          max-width: 100%; box-sizing: border-box; overflow-wrap: anywhere; white-space: pre-wrap; cursor: default; }
  .chip.special { color: var(--lit-neutral-600); font-size: 11px; }
  .chip.same { outline: 2px solid #202124; }
  .pending { color: var(--lit-neutral-700); font-size: 12px; }
  .row-error { color: var(--google-red-700, #C5221F); font-size: 12px; line-height: 16px; overflow-wrap: anywhere; }
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
