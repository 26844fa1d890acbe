// @ts-check
/** The part of "Probe by layer" about one example: what the probe of each layer says of it, in words and as strips of cells or a line. */
/** @import {Peer, SvgNode} from '../charts/types.js' */
/** @import {ExamplePrediction, LayerMetrics} from '../page/types.js' */
import {layerScale} from '../charts/axes.js';
import {FONT, MARGIN} from '../charts/line_chart.js';
import {COLORS, heatColor} from '../charts/palette.js';
import {svgElement, svgLabel, svgNode} from '../charts/svg.js';
import {answers} from '../page/answers.js';
import {currentLayer, resolveLayer} from '../page/choices.js';
import {exampleText, html, nothing} from '../page/lit_host.js';
import {layerUnder} from '../panels/parts.js';
import {oneLine} from '../words/format.js';
import {exampleSentence, modelSentence} from '../words/sentences.js';
import {layersOf} from './curve_chart.js';
import {depthsOfAll, placeOfPeer, stripPlaces} from './depth_chart.js';
import {NUMBER_HEIGHT, numberLine} from './number_line.js';

/** @typedef {import('../charts/places.js').Depths} Depths */

/**
 * The selected example, or the pinned one: what the probes of every encoder say of it.
 *
 * @param {any} panel
 * @param {'selected'|'pinned'} slot
 * @param {LayerMetrics} about
 * @param {Peer[]} peers
 */
export function renderExample(panel, slot, about, peers) {
  if (about.unit === 'word') return slot === 'selected' ? html`<div class="example left-out">What each layer says about the words of a sentence stands in the panel “Words by layer”.</div>` : nothing;
  const all = depthsOfAll([about, ...peers.map(({answer}) => answer)]);
  const nLayers = all ? Math.max(...all.map(({nDepths}) => nDepths)) : layersOf(about, peers);
  const layer = resolveLayer(currentLayer.get(), about.best_layer, about.n_layers);
  return [
    renderOne(panel, slot, slot, about, {name: peers.length ? about.encoder : '', nLayers, layer, depths: all?.[0] ?? null}),
    panel.seen.primary || slot === 'pinned'
      ? peers.map(({model, name, answer}, i) => renderOne(panel, slot, `${slot} ${model}`, answer, {
        name, nLayers, depths: all?.[i + 1] ?? null,
        layer: all && currentLayer.get() !== null ? placeOfPeer(all, i + 1, layer, answer) : resolveLayer(currentLayer.get(), answer.best_layer, answer.n_layers),
      })) : nothing,
  ];
}

/** @param {any} panel @param {'selected'|'pinned'} slot @param {string} key @param {LayerMetrics} about @param {{name: string, nLayers: number, layer: number, depths: ?Depths}} encoder */
function renderOne(panel, slot, key, about, {name, nLayers, layer, depths}) {
  const title = slot === 'selected' ? 'Selected example' : 'Pinned example';
  const example = slot === 'selected' ? panel.seen.primary : panel.seen.pinned;
  if (!example) {
    return slot === 'pinned' ? nothing : html`<div class="example left-out">Select an example to see what the probe of each layer says about it.</div>`;
  }
  const result = answers.read(panel.keys[key]) ?? {state: 'loading'};
  if (result.state === 'failed') {
    return html`<div class="example"><b>${title}</b><div class="card error" role="alert"><div class="message">${result.message}</div>
      ${panel.renderRetry(result)}</div></div>`;
  }
  if (result.state !== 'ready') return html`<div class="example"><b>${title}</b> ${result.message ?? 'asking the probes …'}</div>`;
  const {label_names: labelNames, decision, examples: [prediction]} = result.answer;
  const shown = depths && stripPlaces(depths, layer);
  const columns = shown?.byDepth === false ? shown.places.length : nLayers;
  // Heads are in a row of their own, which the pointer over the chart says nothing about.
  const hovered = shown?.byDepth === false ? null : panel.hoveredLayer;
  const view = {width: panel.size.width, currentLayer: layer, hoveredLayer: hovered, nLayers: columns, places: shown?.places};
  const strips = labelNames.length ? stripChart(prediction, labelNames, view) : numberLine(prediction, view);
  const hover = (/** @type {?number} */ column) => (shown?.byDepth === false ? undefined : panel.hover(column));
  const pick = (/** @type {number} */ column) => {
    const place = shown ? shown.places[column] ?? null : column;
    if (place !== null) currentLayer.set(place);
  };
  const text = exampleText(example);
  return html`<div class="example ${slot}">
      <div class="example-title"><b>${title}</b>
        ${prediction.edited ? html`<span class="badge">edited</span>` : nothing}
        ${prediction.truncated ? html`<span class="badge" title="The text is longer than the encoder's limit; a part of it was not read">truncated</span>` : nothing}
        <span class="quote" dir="auto" title=${text}>${oneLine(text)}</span></div>
      <div class="verdict">${name ? html`<b>${name}</b>, ` : nothing}${exampleSentence(prediction, labelNames, layer, about.best_layer, decision, about.layer_names)}</div>
      ${prediction.model ? html`<div class="verdict">${modelSentence(prediction.model)}</div>` : nothing}
      ${shown?.words ? html`<div class="verdict strip-words">${shown.words}</div>` : nothing}
    </div>
    <div class="strips" role="img" aria-label=${labelNames.length ? 'Probability of each class at every layer' : 'Number at every layer'}
      @pointermove=${(/** @type {PointerEvent} */ event) => hover(layerUnder(event, columns))}
      @pointerleave=${() => hover(null)}
      @click=${(/** @type {MouseEvent} */ event) => pick(layerUnder(event, columns))}>${svgElement(strips)}</div>`;
}

const CELL_HEIGHT = 20;
const ROW_HEIGHT = CELL_HEIGHT + 18;
const NARROWEST_NUMBER = 25;
const CHARACTER = 6.2;

/** So many classes each have a strip; of more, the most probable ones. */
const MOST_STRIPS = 6;
const TOP = 5;

/**
 * The strips of one text: one per class, in the data's order, where there are few. Of many classes the five that are most probable at
 * the current layer, the gold label wherever it stands, and one strip for all others together.
 *
 * @param {ExamplePrediction} example
 * @param {string[]} labelNames
 * @param {number} layer  the current one
 * @returns {{name: string, gold: boolean, probabilities: number[]}[]}  `probabilities`: `[n_layers]`
 */
export function stripRows(example, labelNames, layer) {
  const row = (/** @type {number} */ index) =>
    ({name: labelNames[index], gold: labelNames[index] === example.label, probabilities: example.probabilities.map((one) => one[index])});
  const all = labelNames.map((_, index) => index);
  if (all.length <= MOST_STRIPS) return all.map(row);
  const now = example.probabilities[layer];
  const sorted = [...all].sort((a, b) => now[b] - now[a] || a - b);
  const shown = sorted.filter((index, place) => place < TOP || labelNames[index] === example.label);
  const others = all.filter((index) => !shown.includes(index));
  const together = example.probabilities.map((one) => others.reduce((sum, index) => sum + one[index], 0));
  return [...shown.map(row), {name: `${others.length} other classes together`, gold: false, probabilities: together}];
}

/**
 * How high the strips of a text are at most, or the line of its number, in pixels.
 *
 * @param {number} nClasses  0: a number
 * @returns {number}
 */
export function stripsHeight(nClasses) {
  if (nClasses === 0) return NUMBER_HEIGHT;
  return (nClasses <= MOST_STRIPS ? nClasses : TOP + 2) * ROW_HEIGHT + 4;
}

/**
 * One text's probability of each class at every layer: a strip of cells per class, in the same columns as the curve above.
 *
 * @param {ExamplePrediction} example
 * @param {string[]} labelNames
 * @param {object} view
 * @param {number} view.width
 * @param {number} view.currentLayer
 * @param {?number} view.hoveredLayer
 * @param {number} [view.nLayers]  how many layers the chart above has, where that is more
 * @param {(?number)[]} [view.places]  the place in each column, where a column is not a layer: null for none; `hoveredLayer` then is a column
 * @returns {SvgNode}
 */
export function stripChart(example, labelNames, {width, currentLayer: current, hoveredLayer, nLayers = example.probabilities.length, places}) {
  const all = stripRows(example, labelNames, current);
  const rows = places ? all.map((row) => ({...row, probabilities: places.map((place) => (place === null ? null : row.probabilities[place]))})) : all;
  const currentLayer = places ? places.indexOf(current) : current;
  const height = rows.length * ROW_HEIGHT + 4;
  const layers = layerScale(nLayers, [MARGIN.left, width - MARGIN.right]);
  return svgNode('svg', {xmlns: 'http://www.w3.org/2000/svg', width, height, viewBox: `0 0 ${width} ${height}`, 'font-family': FONT, 'font-size': 11, fill: COLORS.text},
    ...rows.map((row, index) => strip(row, index, layers, {width, currentLayer, hoveredLayer})),
  );
}

/**
 * @param {{name: string, gold: boolean, probabilities: (?number)[]}} row
 * @param {number} index  its place
 * @param {ReturnType<typeof layerScale>} layers
 * @param {{width: number, currentLayer: number, hoveredLayer: ?number}} view
 * @returns {SvgNode}
 */
function strip({name, gold, probabilities}, index, layers, {width, currentLayer, hoveredLayer}) {
  const top = index * ROW_HEIGHT;
  const cells = probabilities.map((probability, layer) => {
    if (probability === null) return null;
    const {fill, text} = heatColor(probability);
    const x = layers.x(layer) - layers.band / 2;
    const number = layers.band < NARROWEST_NUMBER ? null
      : svgNode('text', {x: layers.x(layer).toFixed(2), y: top + 30, 'text-anchor': 'middle', fill: text}, probability.toFixed(2));
    return svgNode('g', {class: 'cell'},
      svgNode('rect', {x: (x + 0.5).toFixed(2), y: top + 16, width: (layers.band - 1).toFixed(2), height: CELL_HEIGHT, fill, stroke: COLORS.grid}),
      number,
    );
  });
  return svgNode('g', {class: 'class-strip'},
    svgLabel({x: MARGIN.left, y: top + 11, 'font-weight': gold ? 'bold' : 'normal'}, name, width - MARGIN.left - MARGIN.right, CHARACTER, gold ? 'gold label: ' : ''),
    ...cells,
    hoveredLayer === null ? null : outline(layers, hoveredLayer, top, COLORS.axis),
    currentLayer < 0 ? null : outline(layers, currentLayer, top, COLORS.ink),
  );
}

/** @param {ReturnType<typeof layerScale>} layers @param {number} layer @param {number} top @param {string} color @returns {SvgNode} */
function outline(layers, layer, top, color) {
  const x = layers.x(layer) - layers.band / 2;
  return svgNode('rect', {x: x.toFixed(2), y: top + 15.5, width: layers.band.toFixed(2), height: CELL_HEIGHT + 1, fill: 'none', stroke: color, 'stroke-width': 1.5});
}
