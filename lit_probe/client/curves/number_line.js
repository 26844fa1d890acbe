// @ts-check
/** One text's number at every layer, where the probes are asked for a number: a small chart in the columns of the curve above it. */
/** @import {SvgNode} from '../charts/types.js' */
/** @import {ExamplePrediction} from '../page/types.js' */
import {layerAxis} from '../charts/axes.js';
import {HALO, lineChart, MARGIN} from '../charts/line_chart.js';
import {COLORS, SPLIT_STYLES} from '../charts/palette.js';
import {svgNode} from '../charts/svg.js';
import {amongNumbers} from '../words/format.js';

/** How high the chart is, in pixels. */
export const NUMBER_HEIGHT = 116;
const AIR = 0.12;

/**
 * @param {ExamplePrediction} example
 * @param {object} view
 * @param {number} view.width
 * @param {number} view.currentLayer
 * @param {?number} view.hoveredLayer
 * @param {number} [view.nLayers]  how many layers the chart above has, where that is more
 * @param {(?number)[]} [view.places]  the place in each column, where a column is not a layer: null for none
 * @returns {SvgNode}
 */
export function numberLine({probabilities, label}, {width, currentLayer: current, hoveredLayer, nLayers = probabilities.length, places}) {
  const columns = places ?? probabilities.map((_, layer) => layer);
  const points = columns.flatMap((place, x) => (place === null ? [] : [{x, score: probabilities[place][0], low: null, high: null}]));
  const gold = typeof label === 'number' ? [label] : [];
  const beside = (places ? places.includes(current) : current < probabilities.length) ? [probabilities[current][0]] : [];
  const values = [...points.map(({score}) => score), ...gold];
  const [least, most] = [Math.min(...values), Math.max(...values)];
  const air = AIR * (most - least) || 0.5;
  return lineChart({
    width, height: NUMBER_HEIGHT, margin: {...MARGIN, top: 10, bottom: 22}, yTitle: 'Number', domain: [least - air, most + air],
    axis: layerAxis(nLayers, {current: places ? places.indexOf(current) : current, small: true}),
    series: [{name: 'number', mode: 'line', points, style: SPLIT_STYLES.dev}],
    references: gold.map((value) => ({name: 'label', label: '', value, color: COLORS.quietText, dash: '4 3'})),
    current: places ? places.indexOf(current) : current, hovered: hoveredLayer,
    // The names of lines stand at their right ends, where the columns of the curve above leave no room.
    above: ({right, y}) => gold.map((value) => svgNode('text', {x: right, y: (y(value) - 4).toFixed(2), 'text-anchor': 'end', fill: COLORS.quietText, ...HALO}, `label ${amongNumbers(value, beside)}`)),
  });
}
