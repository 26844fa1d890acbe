// @ts-check
/** The style sheet of the panels about neurons, beside that of all our panels. */
import {COLORS, SPLIT_STYLES} from '../charts/palette.js';

/** What the panels about neurons need beside the style sheets of all our panels. */
export const NEURON_CSS = `
  .neurons { display: flex; align-items: stretch; min-height: 0; height: 100%; }
  .neurons .list { flex: none; box-sizing: border-box; border-right: 1px solid var(--lit-neutral-200); overflow: hidden auto; scrollbar-width: thin; }
  .neurons .about { flex: 1; min-width: 0; overflow: hidden auto; scrollbar-gutter: stable; }
  .neurons.stacked { display: block; height: auto; }
  .neurons.stacked .list { width: auto; max-height: 216px; border-right: none; border-bottom: 1px solid var(--lit-neutral-200); }
  .neurons.stacked .about { overflow: visible; }
  .module-results-area.sides { overflow: hidden; }
  .ranked { width: 100%; table-layout: fixed; border-collapse: collapse; font-size: 12px; line-height: 16px; }
  .ranked thead th { position: sticky; top: 0; z-index: 1; background: ${COLORS.paper}; font-weight: normal; font-size: 11px; color: var(--lit-neutral-700); text-align: left; padding: 4px 4px 3px; border-bottom: 1px solid var(--lit-neutral-200); }
  .ranked thead th.sign { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; text-align: center; padding: 4px 1px 3px; }
  .ranked td { padding: 1px 4px; height: 22px; }
  .ranked td.pick { padding-left: 10px; }
  .ranked input { display: block; margin: 0; accent-color: var(--lit-cyea-600); }
  .ranked td.rank { text-align: right; padding-left: 0; color: var(--lit-neutral-700); font-variant-numeric: tabular-nums; }
  .ranked td.score { font-variant-numeric: tabular-nums; white-space: nowrap; }
  .ranked .bar { display: inline-block; height: 8px; background: ${COLORS.bar}; vertical-align: baseline; margin-right: 4px; }
  .ranked td.sign { padding: 1px 2px; text-align: center; }
  .ranked .sign span { display: block; border-radius: 2px; line-height: 16px; font-weight: bold; box-shadow: inset 0 0 0 1px ${COLORS.rim}; }
  .ranked .signs { display: flex; }
  .ranked .signs span { flex: 1; height: 14px; min-width: 0; }
  .ranked .name { margin: 0; padding: 0; border: none; background: none; font: inherit; color: var(--lit-cyea-700); cursor: pointer; text-decoration: underline; text-decoration-color: transparent; white-space: nowrap; }
  .ranked tr:hover .name, .ranked .name:focus-visible { text-decoration-color: currentColor; }
  .ranked tr:hover td { background: var(--lit-mintonal-p-1); cursor: pointer; }
  .ranked tr[aria-current=true] td { background: ${COLORS.current}; }
  .ranked tr[aria-current=true] .name { font-weight: bold; color: inherit; }
  .ranked tr.off .name { text-decoration: line-through; }
  .neuron-title { display: grid; grid-template-columns: minmax(0, 1fr) auto; align-items: baseline; gap: 2px 10px; padding: 8px 12px 4px; line-height: 20px; }
  .neuron-title b { font-size: 15px; }
  .neuron-title .hairline-button { margin: 0; }
  .neuron-title .rank { grid-area: 2 / 1 / auto / -1; }
  .neuron-title .row-error { grid-column: 1 / -1; }
  .fold { border-top: 1px solid var(--lit-neutral-200); }
  .fold > summary { padding: 6px 12px; cursor: pointer; font-size: 13px; font-weight: bold; line-height: 18px; }
  .fold > summary:hover { background: var(--lit-mintonal-p-1); }
  .fold > summary:focus-visible { outline: 2px solid var(--lit-cyea-500); outline-offset: -2px; }
  .fold > summary .under { font-weight: normal; font-size: 12px; color: var(--lit-neutral-700); margin-left: 4px; }
  .fold-content { padding-bottom: 8px; }
  .group-title { padding: 10px 12px 4px; font-size: 11px; font-weight: bold; letter-spacing: .04em; text-transform: uppercase; color: var(--lit-neutral-700); border-top: 1px solid var(--lit-neutral-200); }
  .on-demand { display: flex; flex-wrap: wrap; gap: 4px 8px; align-items: baseline; padding: 2px 12px 4px; font-size: 12px; line-height: 17px; color: var(--lit-neutral-700); }
  .on-demand .hairline-button { flex: none; margin: 0; }
  .on-demand span { flex: 1 1 180px; }
  .words { margin: 0; padding: 2px 12px; font-size: 12px; line-height: 17px; }
  .words.verdict { font-size: 13px; line-height: 18px; }
  .ends-of { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(250px, 100%), 1fr)); gap: 4px 18px; padding: 0 12px; }
  .ends-of h4 { margin: 4px 0 2px; }
  .word-list { display: flex; flex-wrap: wrap; gap: 3px; margin-bottom: 5px; }
  .word-list .chip { margin: 0; }
  .word-list small { opacity: .75; font-size: 10px; }
  .contexts { list-style: none; margin: 0; padding: 0; font-size: 12px; }
  .contexts li { display: flex; gap: 6px; min-width: 0; }
  .contexts .value { flex: none; width: 38px; text-align: right; font-variant-numeric: tabular-nums; color: var(--lit-neutral-700); line-height: 20px; }
  .contexts .tag { flex: none; width: 52px; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; font-size: 11px; line-height: 20px; color: var(--lit-neutral-700); }
  .contexts .context { flex: 1; display: block; min-width: 0; margin: 0; padding: 1px 4px; border: none; background: none; font: inherit; line-height: 18px; color: inherit; text-align: start; overflow: hidden; text-overflow: ellipsis; white-space: pre; cursor: pointer; }
  .contexts .context:hover { background: var(--lit-mintonal-p-1); }
  .contexts .context:disabled { cursor: default; background: none; }
  .contexts .context mark { background: ${COLORS.fired}; color: inherit; font-weight: bold; padding: 0 1px; }
  .set { display: flex; flex-wrap: wrap; gap: 4px 10px; align-items: center; padding: 2px 12px 4px; font-size: 12px; line-height: 20px; }
  .set label { display: inline-flex; gap: 5px; align-items: center; white-space: nowrap; max-width: 100%; }
  .set select { max-width: 190px; }
  .set select, .set input[type=number] { height: 22px; box-sizing: border-box; font: inherit; border: 1px solid var(--lit-neutral-400); border-radius: 2px; background-color: ${COLORS.paper}; padding: 0 3px; }
  .set .dropdown { padding-right: 20px; }
  .set input[type=number] { width: 52px; }
  .set input[type=range] { width: 110px; accent-color: var(--lit-cyea-600); }
  .set .text-button { margin: 0; }
  .set .filled-button { margin: 0; height: 26px; padding: 0 14px; line-height: 24px; }
  .set .members { color: var(--lit-neutral-700); overflow-wrap: anywhere; }
  .status-off { display: inline-block; padding: 0 8px; border-radius: 9px; background: var(--lit-bric-100); color: var(--lit-bric-700); font-size: 11px; line-height: 18px; }
  .effects { width: calc(100% - 24px); margin: 2px 12px 4px; border-collapse: collapse; font-size: 12px; line-height: 18px; table-layout: fixed; }
  .effects-of { padding: 4px 12px 0; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; font-size: 12px; line-height: 18px; }
  .effects th { font-weight: normal; text-align: left; padding: 1px 6px 1px 0; }
  .effects thead th { font-size: 11px; color: var(--lit-neutral-700); }
  .effects td { padding: 1px 4px; font-variant-numeric: tabular-nums; }
  .effects td.numbers { white-space: nowrap; text-align: right; }
  .effects td.numbers b { font-weight: bold; }
  .effects svg { display: block; }
  .effects .ends { display: flex; justify-content: space-between; }
  .turned { margin: 0 2px; }
  .flips { display: block; color: var(--lit-bric-700); font-weight: bold; }
  .legend .ring, .legend .dot, .legend .grey { flex: none; display: inline-block; width: 9px; height: 9px; min-height: 0; box-sizing: border-box; border-radius: 5px; margin-right: 6px; }
  .legend .ring { border: 2px solid ${SPLIT_STYLES.dev.color}; }
  .legend .dot { background: ${SPLIT_STYLES.test.color}; }
  .legend .grey { width: 18px; border-radius: 0; background: ${COLORS.axis}; opacity: .4; }
  .fold .chart { cursor: default; }
  .matrix-scroll { overflow-x: auto; padding: 2px 12px 6px; }
  .matrix { border-collapse: separate; border-spacing: 1px; font-size: 12px; line-height: 16px; }
  .matrix th { font-weight: normal; padding: 1px 4px; white-space: nowrap; }
  .matrix thead th { position: sticky; top: 0; background: ${COLORS.paper}; z-index: 1; font-size: 11px; color: var(--lit-neutral-700); text-align: center; }
  .matrix thead .opens { margin: 0; padding: 0; border: none; background: none; font: inherit; color: var(--lit-cyea-700); cursor: pointer; text-decoration: underline; }
  .matrix thead .opens[aria-pressed=true] { font-weight: bold; color: inherit; text-decoration: none; }
  .matrix thead .text-name { text-align: left; font-weight: bold; color: inherit; max-width: 220px; overflow: hidden; text-overflow: ellipsis; }
  .matrix td.token { padding: 1px 6px; max-width: 130px; overflow: hidden; text-overflow: ellipsis; white-space: pre; }
  .matrix td.token.first { text-align: right; }
  .matrix td.token.special { color: var(--lit-neutral-700); font-size: 11px; }
  .matrix tr.differs td.token { background: ${COLORS.differs}; }
  .matrix td.value { min-width: 38px; padding: 1px 3px; text-align: right; font-variant-numeric: tabular-nums; }
  .matrix.dense td.value { min-width: 12px; padding: 1px 0; font-size: 0; }
  .matrix.dense thead th.neuron { writing-mode: vertical-rl; transform: rotate(180deg); padding: 2px 0; }
  .matrix td.gap { min-width: 10px; }
  .matrix tfoot td, .matrix tfoot th { border-top: 1px solid var(--lit-neutral-300); padding-top: 3px; font-variant-numeric: tabular-nums; text-align: right; }
  .matrix tfoot th { text-align: left; color: var(--lit-neutral-700); }
  .crossed { width: auto; max-width: calc(100% - 24px); margin: 4px 12px; border-collapse: separate; border-spacing: 2px; font-size: 12px; }
  .crossed th { font-weight: normal; text-align: left; padding: 1px 6px 1px 0; }
  .crossed thead th { text-align: center; font-size: 11px; color: var(--lit-neutral-700); padding: 1px 3px; vertical-align: bottom; }
  .crossed td { padding: 2px 8px; text-align: center; font-variant-numeric: tabular-nums; }
  .factor-buttons { display: flex; flex-wrap: wrap; gap: 3px; padding: 4px 12px; }
  .factor-buttons button { margin: 0; padding: 0 7px; border: 1px solid var(--lit-neutral-300); border-radius: 2px; background: ${COLORS.paper}; font: inherit; font-size: 12px; line-height: 20px; cursor: pointer; }
  .factor-buttons small { margin-left: 5px; color: var(--lit-neutral-700); }
  .factor-buttons button[aria-pressed=true] { background: ${COLORS.pressed}; border-color: ${COLORS.pressedRim}; }
  .factor-text { padding: 3px 12px; border-top: 1px solid var(--lit-neutral-100); }
  .factor-text .chips { display: inline; }
`;
