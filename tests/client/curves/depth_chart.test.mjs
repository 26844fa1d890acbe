import assert from 'node:assert/strict';
import {test} from 'node:test';
import {layerScale} from '../../../lit_probe/client/charts/axes.js';
import {depthsOf} from '../../../lit_probe/client/charts/places.js';
import {curveChart, drawnSeries, NO_OVERLAYS, scoreDomain} from '../../../lit_probe/client/curves/curve_chart.js';
import {curveCsv, paperFigure} from '../../../lit_probe/client/curves/curve_files.js';
import {depthMargin, depthsOfAll, drawnPlaces, overlaysOfKind, placeOfPeer, stripPlaces} from '../../../lit_probe/client/curves/depth_chart.js';
import {stripChart} from '../../../lit_probe/client/curves/example_section.js';
import {findAll, makeAnswer, makePlaces, makeSites, DEV, textOf, withClass} from '../example_answers.mjs';

const SITES = makeSites(3, 2);
const ANSWER = makePlaces(SITES, {best_layer: 5}); // attention 2
const DEPTHS = depthsOf(SITES);
const WISHES = {dev: true, testEverywhere: false, train: false};
const DRAWN = drawnSeries(ANSWER.series, WISHES);
const VIEW = {width: 600, height: 300, drawn: DRAWN, domain: [0, 1], currentLayer: null, hoveredLayer: null};
const LINE = {name: 'weights', mode: 'line', label: 'random weights', style: {color: '#000', marker: null, dash: ''}, points: SITES.map((_, x) => ({x, score: 0.5, low: null, high: null}))};

test('each kind is a line over depth with its name at its end; test is a point at the chosen place', () => {
  const chart = curveChart(ANSWER, VIEW);
  const lines = withClass(chart, 'series').filter(({attributes}) => attributes.class === 'series dev line');
  assert.equal(lines.length, 2);
  assert.equal(new Set(lines.map((line) => line.children[0].attributes.stroke)).size, 2);
  assert.deepEqual(withClass(chart, 'end-label').map(textOf), ['layers', 'attention']);
  assert.deepEqual(findAll(withClass(chart, 'layer-axis')[0], ({name}) => name === 'text').map(textOf), ['embeddings', '1', '2', '3', 'Layer']);
  const margin = depthMargin(DEPTHS, NO_OVERLAYS, []);
  const {x} = layerScale(4, [margin.left, 600 - margin.right]);
  assert.equal(withClass(chart, 'chosen-layer')[0].children[0].attributes.x1, x(2).toFixed(2));
  assert.match(textOf(withClass(chart, 'chosen-layer')[0]), /attention 2, chosen on dev/);
  assert.equal(withClass(chart, 'point').length, 1);
});

test('a lone place of its kind is a point with its interval', () => {
  const sites = [SITES[3], SITES[4]];
  const answer = makePlaces(sites, {best_layer: 0});
  const chart = curveChart(answer, {...VIEW, drawn: drawnSeries(answer.series.slice(0, 1), WISHES)});
  assert.deepEqual(withClass(chart, 'end-label').map(textOf), ['layers', 'attention']);
  assert.equal(withClass(chart, 'interval').length, 2);
});

test('without layers the axis counts blocks; heads alone make no line, and their chosen one no point', () => {
  const attention = makePlaces(SITES.slice(4), {best_layer: 4}); // head 1.1
  const chart = curveChart(attention, {...VIEW, drawn: drawnSeries(attention.series, WISHES)});
  assert.deepEqual(withClass(chart, 'axis-title').map(textOf), ['Accuracy', 'Block']);
  assert.equal(withClass(chart, 'point').length, 0);
});

test('the current place has a ring on its line, a head has none', () => {
  const rings = (currentLayer) => withClass(curveChart(ANSWER, {...VIEW, currentLayer}), 'current-place');
  assert.equal(rings(1).length, 1);
  assert.equal(rings(8).length, 0);
  assert.ok(Number(rings(2)[0].attributes.cy) > Number(rings(5)[0].attributes.cy), 'attention 2 scores higher than block 2');
});

test('a plain encoder, and one of vectors, are drawn as ever', () => {
  assert.equal(depthsOfAll([makeAnswer([DEV])]), null);
  assert.equal(depthsOfAll([makeAnswer([DEV], {sites: DEV.layers.map((_, i) => ({name: `v${i}`, family: 'vectors', depth: i, width: 4})), layer_names: ['v0', 'v1', 'v2', 'v3']})]), null);
});

test('what the curve is compared with is kept for the current kind alone', () => {
  const overlays = {...NO_OVERLAYS, lines: [LINE], alike: [1, 2, 5, 8]};
  const of = (place) => overlaysOfKind(overlays, DEPTHS, place);
  assert.deepEqual(of(5).lines[0].points.map(({x}) => x), [4, 5, 6]);
  assert.deepEqual(of(5).alike, [5]);
  assert.deepEqual(of(0).alike, [1, 2]);
  assert.deepEqual([of(8).lines, of(8).alike], [[], []]);
  const chart = curveChart(ANSWER, {...VIEW, overlays: of(5)});
  assert.equal(withClass(chart, 'weights').filter(({name}) => name === 'g').length, 1);
});

test('the axis of scores holds the lines, not the heads', () => {
  const low = {...ANSWER, series: ANSWER.series.map((one) => ({...one, majority: 0.5, layers: one.layers.map((row) => (row.layer >= 7 ? {...row, score: 0.05, low: 0.04, high: 0.06} : row))}))};
  const drawn = drawnSeries(low.series, WISHES);
  const isDrawn = drawnPlaces([DEPTHS], 0);
  assert.ok(scoreDomain(drawn, 5, {isDrawn})[0] > 0.3);
  assert.ok(scoreDomain(drawn, 5)[0] < 0.1);
});

test('several encoders have a line each, of the current kind, also where one is deeper or has layers alone', () => {
  const deeper = makePlaces(makeSites(5), {best_layer: 2, encoder: 'deeper'});
  const plain = makeAnswer([DEV], {encoder: 'plain', n_layers: 4, best_layer: 2});
  const peers = [deeper, plain].map((answer) => ({model: answer.encoder, name: answer.encoder, answer, drawn: drawnSeries(answer.series, WISHES)}));
  const all = depthsOfAll([ANSWER, deeper, plain]);
  const lengths = (place) => withClass(curveChart(ANSWER, {...VIEW, currentLayer: place, peers}), 'series').filter(({attributes}) => attributes.class === 'series dev line')
    .map((line) => findAll(line, ({attributes}) => attributes['stroke-width'] === 1 || attributes.r).length).reverse();
  assert.deepEqual(lengths(1), [4, 6, 4]);
  assert.deepEqual(lengths(4), [3, 5, 0]);
  assert.equal(deeper.sites[placeOfPeer(all, 1, 6, deeper)].name, 'attention 3');
  assert.equal(placeOfPeer(all, 2, 6, plain), plain.best_layer);
});

test('the strips of a text stand under the curve, those of a head side by side with its block', () => {
  assert.deepEqual(stripPlaces(DEPTHS, 5), {places: [null, 4, 5, 6], words: 'By depth: attention.', byDepth: true});
  const heads = stripPlaces(DEPTHS, 10);
  assert.deepEqual([heads.places, heads.byDepth], [[9, 10], false]);
  const probabilities = SITES.map((_, place) => [place / 20, 1 - place / 20]);
  const chart = stripChart({probabilities, label: 'a'}, ['a', 'b'], {width: 500, currentLayer: 5, hoveredLayer: null, nLayers: 4, places: [null, 4, 5, 6]});
  assert.equal(withClass(chart, 'cell').length, 6);
  assert.match(textOf(withClass(chart, 'class-strip')[0]), /0\.20 0\.25 0\.30|0\.20\s+0\.25\s+0\.30/);
});

test('the table has name, family and depth of places, and of nothing else', () => {
  const about = {model: 'm', dataset: 'd', examples: 'all'};
  const lines = curveCsv(ANSWER, DRAWN, about, {...NO_OVERLAYS, lines: [{...LINE, points: LINE.points.slice(4, 5)}]}).trim().split('\n').map((line) => line.split(','));
  assert.deepEqual(lines[0].slice(-3).map((one) => one.trim()), ['name', 'family', 'depth']);
  assert.deepEqual(lines[1 + 5].slice(-3).map((one) => one.trim()), ['attention 2', 'attention', '2']);
  assert.deepEqual(lines.at(-1).slice(-3).map((one) => one.trim()), ['attention 1', 'attention', '1']);
  assert.ok(lines.every((line) => line.length === lines[0].length));
  assert.doesNotMatch(curveCsv(makeAnswer([DEV]), [{series: DEV, mode: 'line'}], about), /family/);
});

test('the figure has the lines, the grid and a legend of the kinds; of heads alone the grid', () => {
  const figure = paperFigure(ANSWER, DRAWN, 'all', 'demo');
  assert.equal(withClass(figure, 'head').length, 6);
  assert.match(textOf(figure), /probes by place/);
  assert.match(textOf(figure), /first one at the top/);
  assert.match(textOf(figure), /test, n = [\d,]+, attention 2 only/);
  const heads = makePlaces(SITES.slice(7), {best_layer: 0});
  const alone = paperFigure(heads, drawnSeries(heads.series, WISHES), 'all', 'demo');
  assert.equal(withClass(alone, 'head').length, 6);
  assert.equal(withClass(alone, 'layer-axis').length, 0);
  assert.doesNotMatch(textOf(paperFigure(makeAnswer([DEV]), [{series: DEV, mode: 'line'}], 'all', 'demo')), /place|Grid/);
});
