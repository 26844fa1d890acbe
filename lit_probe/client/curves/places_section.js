// @ts-check
/**
 * The parts of "Probe by layer" about places of several kinds: the row of kinds, and the grid of heads, which is also a control of the
 * current place.
 */
/** @import {DrawnSeries} from '../charts/types.js' */
/** @import {LayerMetrics, Series} from '../page/types.js' */
/** @import {Examples} from '../words/sentences.js' */
/** @typedef {import('../charts/places.js').Depths} Depths */
import {gridLayout, isBelow} from '../charts/head_grid.js';
import {headByKey, HEADS, kindAt, kindsOf, placeOfKind} from '../charts/places.js';
import {svgElement} from '../charts/svg.js';
import {currentLayer} from '../page/choices.js';
import {html, nothing} from '../page/lit_host.js';
import {legendElement} from '../panels/parts.js';
import {formatScore} from '../words/format.js';
import {layerSentence, splitWords} from '../words/sentences.js';
import {gridOf, gridSeries, kindStyle} from './depth_chart.js';

const CHARACTER = 6.4;

/**
 * The kinds of places: what each looks like, and which one is current. A click goes to the place of that kind that is nearest in depth.
 *
 * @param {Depths} depths
 * @param {number} place  the current one
 * @param {DrawnSeries[]} drawn
 * @param {boolean} several  whether encoders share the chart: lines then have their colours
 */
export function renderKinds(depths, place, drawn, several) {
  const kinds = kindsOf(depths);
  if (kinds.length === 1) return nothing;
  const series = gridSeries(drawn);
  return html`<div class="legend kinds" role="group" aria-label="Kind of place">Current kind: ${kinds.map((kind) => {
    const pressed = kind === kindAt(depths, place);
    return html`<button class="kind-button" aria-pressed=${pressed ? 'true' : 'false'} @click=${() => currentLayer.set(placeOfKind(depths, place, kind))}>
      ${several || series === null ? nothing : kind === HEADS ? html`<span class="grid-mark" aria-hidden="true"></span>` : legendElement(kindStyle(depths, kind, series))}${kind}</button>`;
  })}</div>`;
}

/**
 * The heads by block, coloured by score.
 *
 * @param {any} panel
 * @param {LayerMetrics} answer
 * @param {Depths} depths
 * @param {DrawnSeries[]} drawn
 * @param {number} place  the current one
 * @param {Examples} examples
 * @param {boolean} several  whether encoders share the panel: the grid is that of the first one
 */
export function renderHeads(panel, answer, depths, drawn, place, examples, several) {
  const series = gridSeries(drawn);
  if (depths.heads.length === 0 || series === null) return nothing;
  const {width} = panel.size;
  const layout = gridLayout(depths, width);
  const own = kindAt(depths, place) === HEADS;
  // Keys go on from the current head, or from the first one.
  const cursor = panel.headCursor ?? (own ? place : [...depths.heads[0].values()][0]);
  const shown = panel.hoveredHead ?? (panel.headFocused ? cursor : null);
  const grid = gridOf(answer, depths, series, {width, current: own ? place : null, hovered: shown, ofCell: (head) => ({
    role: 'gridcell', id: `head-${head}`, 'aria-selected': head === place ? 'true' : 'false', 'aria-label': headWords(answer, series, head, examples).join(', ')})});
  const under = (/** @type {MouseEvent} */ event) => {
    const {left, top} = /** @type {HTMLElement} */ (event.currentTarget).getBoundingClientRect();
    return layout.placeUnder(event.clientX - left, event.clientY - top);
  };
  const show = (/** @type {Partial<{hoveredHead: ?number, headCursor: ?number, headFocused: boolean}>} */ change) => {
    Object.assign(panel, change);
    panel.requestUpdate();
  };
  const onKey = (/** @type {KeyboardEvent} */ event) => {
    if (event.key === 'Enter' || event.key === ' ') currentLayer.set(cursor);
    else if (event.key === 'Escape') {
      show({headCursor: null});
      currentLayer.set(null);
    } else {
      const target = headByKey(depths, cursor, event.key);
      if (target === undefined) return;
      show({headCursor: target, hoveredHead: null});
    }
    event.preventDefault();
  };
  const pick = (/** @type {MouseEvent} */ event) => {
    const head = under(event);
    if (head === null) return;
    show({headCursor: head});
    currentLayer.set(head);
  };
  return html`<div class="caption heads-caption"><b>Heads</b>${several ? ` of ${answer.encoder}` : ''}: a row for each block, the first one at the top; a column for each head.
      Click a head, or walk with the arrow keys and press Enter.</div>
    <div class="chart heads" role="grid" tabindex="0" aria-label="Heads by block" aria-activedescendant=${`head-${cursor}`}
      @keydown=${onKey} @focus=${() => show({headFocused: true})} @blur=${() => show({headFocused: false, headCursor: null})}
      @pointermove=${(/** @type {PointerEvent} */ event) => {
    const head = under(event);
    if (head !== panel.hoveredHead) show({hoveredHead: head});
  }} @pointerleave=${() => show({hoveredHead: null})} @click=${pick}>
      ${svgElement(grid)}${shown === null ? nothing : renderHeadTooltip(headWords(answer, series, shown, examples), depths, layout, shown, width)}</div>
    <div class="remark heads-remark">Outlined: the current head${kindAt(depths, answer.best_layer) === HEADS ? '; dashed: the one chosen on dev' : ''}.
      ${depths.heads.reduce((n, row) => n + row.size, 0)} heads are compared: the best of so many looks better than it is, by luck. Its test score does not.</div>`;
}

/** A head's score in words. @param {LayerMetrics} answer @param {Series} series @param {number} head @param {Examples} examples */
function headWords(answer, series, head, examples) {
  const score = series.layers[head];
  return [
    `${layerSentence(score, series.n, answer.layer_names)} (${splitWords(series.split, examples)})`,
    ...(isBelow(score.score, series.majority, answer.higher_is_better) ? [`worse than the baseline ${formatScore(series.majority)}`] : []),
    ...(head === answer.best_layer ? ['chosen on dev'] : []),
  ];
}

/** @param {string[]} lines @param {Depths} depths @param {ReturnType<typeof gridLayout>} layout @param {number} head @param {number} width */
function renderHeadTooltip(lines, {heads}, layout, head, width) {
  const row = heads.findIndex((one) => [...one.values()].includes(head));
  const [number] = [...heads[row]].find(([, place]) => place === head) ?? [0];
  // Under the head, and where that would leave the panel, as far at its side as it fits.
  const room = Math.max(...lines.map((line) => line.length)) * CHARACTER + 20;
  const left = Math.max(0, Math.min(layout.x(number) + layout.cell.width / 2 - room / 2, width - room));
  const top = layout.y(row) + layout.cell.height + 6;
  return html`<div class="tooltip" style=${`left:${left.toFixed(0)}px; bottom:auto; top:${top.toFixed(0)}px`}>${lines.map((line) => html`<div>${line}</div>`)}</div>`;
}
