// @ts-check
/** The curve of places of several kinds: a line for each kind over the depth of the encoder, and the heads as a grid. */
/** @import {ChartSeries, DrawnSeries, Overlays, Peer, SvgNode} from '../charts/types.js' */
/** @import {LayerMetrics, Series} from '../page/types.js' */
/** @typedef {import('../charts/places.js').Depths} Depths */
import {layerAxis} from '../charts/axes.js';
import {headGrid} from '../charts/head_grid.js';
import {lineChart, marginFor} from '../charts/line_chart.js';
import {COLORS, ENCODER_COLORS, encoderStyle, familyStyle, SPLIT_STYLES} from '../charts/palette.js';
import {depthsOf, HEADS, kindAt, kindsOf, layersAsDepths, samePlace} from '../charts/places.js';
import {svgNode} from '../charts/svg.js';
import {shorten} from '../words/format.js';
import {majorityLabel, majorityLines} from './majority.js';

const ALIKE_LABEL = 'not distinguishable from the chosen one';
const LONGEST_LABEL = 20;

/**
 * How the places of several encoders are laid out, where that of one of them is over depth.
 *
 * @param {LayerMetrics[]} answers
 * @returns {?Depths[]}  one for each; null where all axes have a column for each place
 */
export function depthsOfAll(answers) {
  const found = answers.map(({sites}) => depthsOf(sites));
  return found.some((one) => one !== null) ? found.map((one, i) => one ?? layersAsDepths(answers[i].n_layers)) : null;
}

/**
 * Which places are points of a chart over depth: not the heads, and of several encoders one kind alone.
 *
 * @param {?Depths[]} all  see `depthsOfAll`
 * @param {number} place  the current one
 * @returns {(curve: number, place: number) => boolean}
 */
export function drawnPlaces(all, place) {
  if (!all) return () => true;
  const kind = all.length > 1 ? drawnKind(all[0], place) : null;
  return (curve, one) => kindAt(all[curve], one) !== HEADS && (kind === null || kindAt(all[curve], one) === kind);
}

/**
 * What is compared with one kind of places: lines over places, and the marks of those alike, are about each place by itself, so those of
 * the current kind are kept. Of heads, which are no line, none.
 *
 * @param {Overlays} overlays
 * @param {Depths} depths
 * @param {number} place  the current one
 * @returns {Overlays}
 */
export function overlaysOfKind(overlays, depths, place) {
  const kind = kindAt(depths, place);
  const kept = (/** @type {number} */ one) => kind !== HEADS && kindAt(depths, one) === kind;
  return {...overlays, lines: overlays.lines.map((line) => ({...line, points: line.points.filter(({x}) => kept(x))})).filter(({points}) => points.length > 0), alike: overlays.alike.filter(kept)};
}

/** The room around a chart over depth: the kinds, and what they are compared with, are named at its right. @param {Depths} depths @param {Overlays} overlays @param {Peer[]} peers */
export function depthMargin(depths, {references, lines}, peers) {
  const kinds = peers.length ? [] : depths.lines.map(({name}) => shorten(name, LONGEST_LABEL));
  return marginFor([...kinds, ...references.map(({label}) => label), ...lines.map(({label}) => label ?? '')]);
}

/**
 * How a kind of places is drawn on a split, as far as the split can be relied on.
 *
 * @param {Depths} depths @param {string} kind @param {Series} series
 */
export function kindStyle(depths, kind, {split, reliable}) {
  const style = familyStyle(kind, depths.lines.map(({name}) => name), split);
  return reliable ? style : {...style, color: COLORS.unreliable};
}

/**
 * A line for each kind of places; of several encoders, a line for each of them, of the current kind.
 *
 * @param {LayerMetrics} answer
 * @param {Depths[]} all  the layouts of the encoder and its peers
 * @param {object} view
 * @param {number} view.width
 * @param {number} view.height
 * @param {DrawnSeries[]} view.drawn
 * @param {[number, number]} view.domain
 * @param {?number} view.currentLayer  the current place
 * @param {?number} view.hoveredLayer  the depth under the pointer
 * @param {Overlays} view.overlays  those of the current kind
 * @param {Peer[]} view.peers
 * @param {number} view.place  the place whose kind several encoders are compared in
 * @returns {SvgNode}
 */
export function depthChart(answer, all, {width, height, drawn, domain, currentLayer, hoveredLayer, overlays, peers, place}) {
  const [depths] = all;
  const depthAt = (/** @type {number} */ place) => depths.sites[place].depth;
  const nDepths = Math.max(...all.map((one) => one.nDepths));
  const current = currentLayer === null ? null : depthAt(currentLayer);
  const lines = drawn.filter(({mode}) => mode === 'line');
  const best = answer.best_layer;
  const kind = drawnKind(depths, place);
  const series = peers.length === 0 ? kindSeries(answer, depths, drawn)
    : [{answer, drawn}, ...peers].flatMap((one, i) => encoderSeries(one.answer, all[i], one.drawn, kind, i));
  return lineChart({
    width, height, domain,
    axis: layerAxis(nDepths, {bestLayer: depthAt(best), current, title: all.some(({lines: some}) => some.some(({name}) => name === 'layers')) ? 'Layer' : 'Block'}),
    yTitle: answer.metric_title,
    series: [...series, ...overlays.lines.map((line) => ({...line, points: line.points.map((point) => ({...point, x: depthAt(point.x)}))}))],
    references: overlays.references,
    marked: overlays.alike.length ? {layers: overlays.alike.map(depthAt), label: ALIKE_LABEL} : null,
    chosen: peers.length ? [answer, ...peers.map((peer) => peer.answer)].flatMap(({best_layer: at}, i) =>
      (kindAt(all[i], at) === kind ? [{at: all[i].sites[at].depth, label: i === 0 ? `chosen on ${answer.chosen_on}` : '', color: ENCODER_COLORS[i % ENCODER_COLORS.length]}] : []))
      : {at: depthAt(best), label: `${shorten(depths.sites[best].name, LONGEST_LABEL)}, chosen on ${answer.chosen_on}`},
    current, hovered: hoveredLayer,
    margin: depthMargin(depths, overlays, peers),
    beneath: (plot) => (overlays.majority ? majorityLines(plot, lines) : []),
    above: (plot) => [
      ...(overlays.majority ? majorityLabel(plot, lines, depthAt(best) < nDepths / 2 ? 'end' : 'start') : []),
      ...(currentLayer === null || peers.length ? [] : ringsAround(plot, lines, depths, currentLayer)),
    ],
  });
}

/** The kind of which several encoders have a line each: the current one, or the first where that is drawn as a grid. @param {Depths} depths @param {number} place */
export function drawnKind(depths, place) {
  const kind = kindAt(depths, place);
  return kind === HEADS ? depths.lines[0]?.name ?? '' : kind;
}

/** @param {LayerMetrics} answer @param {Depths} depths @param {DrawnSeries[]} drawn @returns {ChartSeries[]} */
function kindSeries({best_layer: best}, depths, drawn) {
  return drawn.filter(({mode}) => mode !== 'hidden').flatMap(({series, mode}) => {
    const points = (/** @type {Iterable<[number, number]>} */ at) => [...at].map(([x, place]) => ({...series.layers[place], x}));
    if (mode === 'line') {
      return depths.lines.map(({name, at}) => ({
        // A lone place has no line, and its interval no area.
        name: series.split, mode: at.size === 1 ? 'point' : 'line', points: points(at), style: kindStyle(depths, name, series), label: series === drawn.find((one) => one.mode === 'line')?.series ? shorten(name, LONGEST_LABEL) : ''}));
    }
    if (kindAt(depths, best) === HEADS) return [];
    const style = series.reliable ? SPLIT_STYLES[series.split] : {...SPLIT_STYLES[series.split], color: COLORS.unreliable};
    return [{name: series.split, mode: /** @type {const} */ ('point'), points: points([[depths.sites[best].depth, best]]), style}];
  });
}

/** @param {LayerMetrics} answer @param {Depths} depths @param {DrawnSeries[]} drawn @param {string} kind @param {number} index @returns {ChartSeries[]} */
function encoderSeries({best_layer: best}, depths, drawn, kind, index) {
  const at = depths.lines.find(({name}) => name === kind)?.at ?? new Map();
  return drawn.filter(({mode}) => mode !== 'hidden').map(({series, mode}) => {
    const shown = [...at].filter(([, place]) => mode === 'line' || place === best);
    const style = encoderStyle(index, series.split);
    return {name: series.split, mode: mode === 'line' ? 'line' : 'point', points: shown.map(([x, place]) => ({...series.layers[place], x})), style: series.reliable ? style : {...style, color: COLORS.unreliable}};
  });
}

/** Which of the points of its depth is the current place. @param {any} plot @param {DrawnSeries[]} lines @param {Depths} depths @param {number} place @returns {SvgNode[]} */
function ringsAround({axis, y}, lines, depths, place) {
  if (kindAt(depths, place) === HEADS) return [];
  return lines.flatMap(({series}) => {
    const {score} = series.layers[place];
    return score === null ? [] : [svgNode('circle', {
      class: 'current-place', cx: axis.x(depths.sites[place].depth).toFixed(2), cy: y(score).toFixed(2), r: 7.5, fill: 'none', stroke: COLORS.ink, 'stroke-width': 1.5})];
  });
}

/** The series by which heads are coloured: the first of those that are drawn at all places. @param {DrawnSeries[]} drawn @returns {?Series} */
export function gridSeries(drawn) {
  return (drawn.find(({mode}) => mode === 'line') ?? drawn.find(({mode}) => mode === 'point'))?.series ?? null;
}

/**
 * The heads of an encoder.
 *
 * @param {LayerMetrics} answer
 * @param {Depths} depths
 * @param {Series} series
 * @param {{width: number, current?: ?number, hovered?: ?number, ofCell?: ?(place: number) => Record<string, string>}} view
 * @returns {SvgNode}
 */
export function gridOf(answer, depths, series, view) {
  return headGrid(depths, {
    ...view, scores: series.layers, majority: series.majority, higherIsBetter: answer.higher_is_better, chosen: answer.best_layer,
    title: `${answer.metric_title} on ${series.split}`,
  });
}

/** The place of a peer that stands where the current one of the first encoder stands; its own chosen one where it has none. @param {Depths[]} all @param {number} index @param {number} place @param {LayerMetrics} peer */
export function placeOfPeer(all, index, place, peer) {
  return samePlace(all[0], place, all[index]) ?? peer.best_layer;
}

/**
 * The columns in which one text's strips of cells stand: as the curve above, by depth; of heads those of the current one's block.
 *
 * @param {Depths} depths
 * @param {number} place  the current one
 * @returns {{places: (?number)[], words: string, byDepth: boolean}}
 */
export function stripPlaces(depths, place) {
  const {sites, lines, heads, nDepths} = depths;
  const kind = kindAt(depths, place);
  if (kind === HEADS) {
    const row = heads.find((one) => [...one.values()].includes(place)) ?? new Map();
    return {places: [...row.values()], words: `The heads of block ${sites[place].depth}, ${sites[[...row.values()][0]].name} first.`, byDepth: false};
  }
  const at = lines.find(({name}) => name === kind)?.at ?? new Map();
  return {places: Array.from({length: nDepths}, (_, depth) => at.get(depth) ?? null), words: kindsOf(depths).length > 1 ? `By depth: ${kind}.` : '', byDepth: true};
}
