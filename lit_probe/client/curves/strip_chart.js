// @ts-check
/** One text's probabilities at every layer, as strips of cells under the curve. */
/** @typedef {import('../page/types.js').ExamplePrediction} ExamplePrediction */
/** @typedef {import('../page/types.js').SvgNode} SvgNode */
import {layerScale} from '../charts/axes.js';
import {FONT, MARGIN} from '../charts/line_chart.js';
import {COLORS, heatColor} from '../charts/palette.js';
import {svgLabel, svgNode} from '../charts/svg.js';

const CELL_HEIGHT = 20;
const ROW_HEIGHT = CELL_HEIGHT + 18;
const NARROWEST_NUMBER = 25;
const CHARACTER = 6.2;

/**
 * How high the strips of so many classes are, in pixels.
 *
 * @param {number} nClasses
 * @returns {number}
 */
export function stripsHeight(nClasses) {
  return nClasses * ROW_HEIGHT + 4;
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
 * @returns {SvgNode}
 */
export function stripChart(example, labelNames, {width, currentLayer, hoveredLayer}) {
  const height = stripsHeight(labelNames.length);
  const layers = layerScale(example.probabilities.length, [MARGIN.left, width - MARGIN.right]);
  return svgNode('svg', {xmlns: 'http://www.w3.org/2000/svg', width, height, viewBox: `0 0 ${width} ${height}`, 'font-family': FONT, 'font-size': 11, fill: COLORS.text},
    ...labelNames.map((name, index) => strip(example, name, index, layers, {width, currentLayer, hoveredLayer})),
  );
}

/**
 * @param {ExamplePrediction} example
 * @param {string} name
 * @param {number} index
 * @param {ReturnType<typeof layerScale>} layers
 * @param {{width: number, currentLayer: number, hoveredLayer: ?number}} view
 * @returns {SvgNode}
 */
function strip(example, name, index, layers, {width, currentLayer, hoveredLayer}) {
  const top = index * ROW_HEIGHT;
  const gold = name === example.label;
  const cells = example.probabilities.map((probabilities, layer) => {
    const {fill, text} = heatColor(probabilities[index]);
    const x = layers.x(layer) - layers.band / 2;
    const number = layers.band < NARROWEST_NUMBER ? null
      : svgNode('text', {x: layers.x(layer).toFixed(2), y: top + 30, 'text-anchor': 'middle', fill: text}, probabilities[index].toFixed(2));
    return svgNode('g', {class: 'cell'},
      svgNode('rect', {x: (x + 0.5).toFixed(2), y: top + 16, width: (layers.band - 1).toFixed(2), height: CELL_HEIGHT, fill, stroke: COLORS.grid}),
      number,
    );
  });
  return svgNode('g', {class: 'class-strip'},
    svgLabel({x: MARGIN.left, y: top + 11, 'font-weight': gold ? 'bold' : 'normal'}, name, width - MARGIN.left - MARGIN.right, CHARACTER, gold ? 'gold label: ' : ''),
    ...cells,
    hoveredLayer === null ? null : outline(layers, hoveredLayer, top, COLORS.axis),
    outline(layers, currentLayer, top, '#202124'),
  );
}

/** @param {ReturnType<typeof layerScale>} layers @param {number} layer @param {number} top @param {string} color @returns {SvgNode} */
function outline(layers, layer, top, color) {
  const x = layers.x(layer) - layers.band / 2;
  return svgNode('rect', {x: x.toFixed(2), y: top + 15.5, width: layers.band.toFixed(2), height: CELL_HEIGHT + 1, fill: 'none', stroke: color, 'stroke-width': 1.5});
}
