import assert from 'node:assert/strict';
import {test} from 'node:test';
import {layerScale} from '../../../lit_probe/client/charts/axes.js';
import {MARGIN} from '../../../lit_probe/client/charts/line_chart.js';
import {COLORS, ENCODER_COLORS, SPLIT_STYLES} from '../../../lit_probe/client/charts/palette.js';
import {svgText} from '../../../lit_probe/client/charts/svg.js';
import {curveChart, drawnLayers, drawnSeries, scoreDomain} from '../../../lit_probe/client/curves/curve_chart.js';
import {paperFigure} from '../../../lit_probe/client/curves/curve_files.js';
import {DEV, findAll, makeAnswer, makeSeries, TEST, textOf, TRAIN, withClass} from '../example_answers.mjs';

const VIEW = {width: 500, height: 300, currentLayer: null, hoveredLayer: null};
const LINE_AND_POINT = [{series: DEV, mode: 'line'}, {series: TEST, mode: 'point'}, {series: TRAIN, mode: 'hidden'}];
const chart = (series, drawn, changes = {}) => curveChart(makeAnswer(series), {...VIEW, drawn, domain: scoreDomain(drawn, 2), ...changes});
const marks = (node) => findAll(node, ({name, attributes}) => name !== 'text' && attributes.stroke === COLORS.paper);

test('a line has a mark per layer and a band, a point has one mark and a bar, a hidden series nothing', () => {
  const drawing = chart([TRAIN, DEV, TEST], LINE_AND_POINT);
  const [dev] = withClass(drawing, 'series').filter((node) => node.attributes.class.includes('dev'));
  const [point] = withClass(drawing, 'series').filter((node) => node.attributes.class.includes('test'));
  assert.equal(marks(dev).length, 4);
  assert.equal(withClass(drawing, 'band').length, 1);
  assert.equal(marks(point).length, 1);
  assert.equal(withClass(point, 'interval').length, 1);
  assert.equal(withClass(drawing, 'series').length, 2);
});

test('a higher score stands higher', () => {
  const [series] = withClass(chart([DEV], [{series: DEV, mode: 'line'}]), 'series');
  const heights = marks(series).map(({attributes}) => Number(attributes.cy));
  assert.ok(heights[2] < heights[3] && heights[3] < heights[1] && heights[1] < heights[0]);
});

test('the axes have titles, and layers their names', () => {
  const drawing = chart([DEV], [{series: DEV, mode: 'line'}]);
  assert.deepEqual(withClass(drawing, 'axis-title').map(textOf), ['Accuracy', 'Layer']);
  const names = findAll(withClass(drawing, 'layer-axis')[0], ({name}) => name === 'text').map(textOf);
  assert.deepEqual(names, ['embeddings', '1', '2', '3', 'Layer']);
});

test('the dev-chosen layer is marked at its place', () => {
  const [mark] = withClass(chart([DEV], [{series: DEV, mode: 'line'}]), 'chosen-layer');
  assert.equal(textOf(mark).trim(), 'chosen on dev');
  const {x} = layerScale(4, [MARGIN.left, VIEW.width - MARGIN.right]);
  assert.equal(Number(mark.children[0].attributes.x1), Number(x(2).toFixed(2)));
});

test('one curve has one labelled majority line, several share one label that tells them apart', () => {
  const one = withClass(chart([DEV], [{series: DEV, mode: 'line'}]), 'majority');
  assert.deepEqual(one.map(({name}) => name), ['line', 'text']);
  assert.equal(textOf(one[1]), 'baseline 0.509');
  const two = withClass(chart([DEV, TEST], [{series: DEV, mode: 'line'}, {series: TEST, mode: 'line'}]), 'majority');
  assert.equal(two.length, 3);
  assert.equal(textOf(two[2]), 'baseline dev 0.509, test 0.501');
});

test('majority lines of the same height share one value', () => {
  const train = makeSeries('train', [0.8, 0.85, 0.9, 0.95], {majority: 0.5091});
  const lines = withClass(chart([DEV, train], [{series: DEV, mode: 'line'}, {series: train, mode: 'line'}]), 'majority');
  assert.equal(textOf(lines.at(-1)), 'baseline 0.509');
});

test('a metric without a majority baseline has no such line', () => {
  const series = makeSeries('dev', [0.7, 0.8], {majority: null});
  assert.equal(withClass(chart([series], [{series, mode: 'line'}]), 'majority').length, 0);
});

test('what is not to be relied on is grey', () => {
  const doubtful = makeSeries('dev', [0.7, 0.8, 0.9, 0.6], {n: 12, reliable: false, reason: 'only 12 rows'});
  const drawing = chart([doubtful], [{series: doubtful, mode: 'line'}]);
  assert.equal(withClass(drawing, 'band')[0].attributes.fill, COLORS.unreliable);
  assert.ok(marks(drawing).every(({attributes}) => attributes.fill === COLORS.unreliable));
  assert.equal(withClass(chart([DEV], [{series: DEV, mode: 'line'}]), 'band')[0].attributes.fill, SPLIT_STYLES.dev.color);
});

test('the current layer’s column is tinted and its number bold', () => {
  const drawing = chart([DEV], [{series: DEV, mode: 'line'}], {currentLayer: 3});
  assert.equal(withClass(drawing, 'current-layer').length, 1);
  const bold = findAll(withClass(drawing, 'layer-axis')[0], (node) => node.attributes['font-weight'] === 'bold' && !node.attributes.class);
  assert.deepEqual(bold.map(textOf), ['3']);
});

test('a lone point beside a line does not cover the line’s own point', () => {
  const drawing = chart([DEV, TEST], LINE_AND_POINT);
  const {x} = layerScale(4, [MARGIN.left, VIEW.width - MARGIN.right]);
  const [bar] = withClass(drawing, 'interval');
  assert.ok(Number(/H([\d.]+)/.exec(bar.attributes.d)[1]) > x(2) + 5);
});

test('no number in a drawing is NaN, whatever is missing', () => {
  const holes = makeSeries('dev', [null, 0.7, null, 0.9], {majority: null});
  const empty = makeSeries('test', [null, null, null, null], {n: 0, majority: null});
  for (const mode of ['line', 'point']) {
    for (const width of [180, 500, 1400]) {
      const text = svgText(chart([holes, empty], [{series: holes, mode: 'line'}, {series: empty, mode}], {width, currentLayer: 0, hoveredLayer: 3}));
      assert.ok(!/NaN|Infinity|undefined/.test(text));
    }
  }
});

test('everything drawn stays inside the picture, from a narrow column to a full screen', () => {
  const many = makeSeries('dev', Array.from({length: 25}, (_, i) => 0.6 + i / 100));
  for (const width of [240, 480, 1400]) {
    const drawing = chart([many], [{series: many, mode: 'line'}], {width});
    for (const {attributes} of marks(drawing)) {
      assert.ok(attributes.cx - attributes.r >= 0 && Number(attributes.cx) + Number(attributes.r) <= width);
      assert.ok(attributes.cy >= 0 && attributes.cy <= VIEW.height);
    }
  }
});

test('the downloaded figure stands alone: title, setting, legend, and no style sheet, script or outside address', () => {
  const text = svgText(paperFigure(makeAnswer([TRAIN, DEV, TEST]), LINE_AND_POINT, 'whole data set (3,193 examples)', 'sst2'));
  for (const phrase of [
    'Accuracy of logistic probes by layer: all-MiniLM-L6-v2 on sst2', 'mean pooling', 'trained on sst2', 'whole data set (3,193 examples)',
    'dev, n = 872', 'test, n = 1,821, layer 2 only: 0.806 [0.786, 0.826]', '95 % intervals',
  ]) assert.ok(text.includes(phrase), phrase);
  assert.ok(!/<style|<script|class="current-layer"|href|train, n/.test(text));
  assert.deepEqual([...new Set(text.match(/https?:[^"]*/g))], ['http://www.w3.org/2000/svg']);
});

test('the downloaded figure says why something is grey', () => {
  const doubtful = makeSeries('dev', [0.7, 0.8, 0.9, 0.6], {n: 12, reliable: false, reason: 'only 12 rows'});
  assert.ok(svgText(paperFigure(makeAnswer([doubtful]), [{series: doubtful, mode: 'line'}], 'selection (12 examples)', 'sst2')).includes('(only 12 rows)'));
});

const USUAL = {dev: true, testEverywhere: false, train: false};
const modes = (series, wishes = USUAL) => Object.fromEntries(drawnSeries(series, wishes).map(({series: {split}, mode}) => [split, mode]));

test('by default dev is a line, test a single point, and train is not drawn', () => {
  assert.deepEqual(modes([TRAIN, DEV, TEST]), {dev: 'line', test: 'point', train: 'hidden'});
});

test('the whole test curve is drawn only on request', () => {
  assert.equal(modes([DEV, TEST], {...USUAL, testEverywhere: true}).test, 'line');
});

test('hiding dev does not unveil the test curve', () => {
  assert.deepEqual(modes([DEV, TEST], {...USUAL, dev: false}), {dev: 'hidden', test: 'point'});
});

test('without dev rows the test curve is drawn', () => {
  assert.equal(modes([TEST]).test, 'line');
  assert.equal(modes([TRAIN, TEST]).test, 'line');
});

test('train is drawn on request, or when the rows hold nothing else', () => {
  assert.equal(modes([TRAIN, DEV], {...USUAL, train: true}).train, 'line');
  assert.equal(modes([TRAIN]).train, 'line');
});

test('held-out splits come first', () => {
  assert.deepEqual(drawnSeries([TRAIN, DEV, TEST], USUAL).map(({series}) => series.split), ['dev', 'test', 'train']);
});

test('a line has all layers, a point the dev-chosen one, a hidden series none', () => {
  assert.deepEqual(drawnLayers(TEST, 'line', 2), TEST.layers);
  assert.deepEqual(drawnLayers(TEST, 'point', 2), [TEST.layers[2]]);
  assert.deepEqual(drawnLayers(TEST, 'hidden', 2), []);
});

test('the axis holds every drawn score, interval and majority line', () => {
  const [low, high] = scoreDomain([{series: DEV, mode: 'line'}, {series: TEST, mode: 'line'}], 2);
  assert.ok(low < TEST.majority);
  assert.ok(high > 0.812 + 0.02);
});

test('what is not drawn takes no room', () => {
  const withHidden = scoreDomain([{series: DEV, mode: 'line'}, {series: TRAIN, mode: 'hidden'}], 2);
  assert.deepEqual(withHidden, scoreDomain([{series: DEV, mode: 'line'}], 2));
});

test('a lone point takes the room of its own layer only', () => {
  const low = makeSeries('test', [0.1, 0.2, 0.806, 0.3], {majority: 0.05});
  const [least] = scoreDomain([{series: DEV, mode: 'line'}, {series: low, mode: 'point'}], 2);
  assert.ok(least > 0.4);
});

test('the axis stops at 1 and at 0 where the scores do', () => {
  const [, high] = scoreDomain([{series: makeSeries('dev', [0.9, 0.98], {majority: 0.9}), mode: 'line'}], 0);
  assert.equal(high, 1);
  const [low] = scoreDomain([{series: makeSeries('dev', [0.02, 0.03], {majority: 0}), mode: 'line'}], 0);
  assert.equal(low, 0);
});

test('log-loss above 1 and correlations below 0 are not cut off', () => {
  assert.ok(scoreDomain([{series: makeSeries('dev', [1.4, 0.6], {majority: 0.69}), mode: 'line'}], 0)[1] > 1.4);
  assert.ok(scoreDomain([{series: makeSeries('dev', [-0.2, 0.3], {majority: 0}), mode: 'line'}], 0)[0] < -0.2);
});

test('equal scores get an axis of a tenth at least, also at the very top', () => {
  for (const score of [0.5, 0.999, 0.001]) {
    const series = {...makeSeries('dev', [score, score], {majority: null})};
    series.layers = series.layers.map((one) => ({...one, low: score, high: score}));
    const [low, high] = scoreDomain([{series, mode: 'line'}], 0);
    assert.ok(high - low >= 0.1 - 1e-12 && low <= score && score <= high, `${low}–${high}`);
  }
});

test('no score at all still gives an axis', () => {
  assert.deepEqual(scoreDomain([], 0), [0, 1]);
  assert.deepEqual(scoreDomain([{series: makeSeries('dev', [null, null], {majority: null}), mode: 'line'}], 0), [0, 1]);
});

test('encoders share one chart: a colour each, one axis that holds all layers and all scores, a mark at each chosen layer', () => {
  const deep = makeAnswer([makeSeries('dev', [0.5, 0.55, 0.6, 0.7, 0.97, 0.9])], {n_layers: 6, best_layer: 4, encoder: 'deep'});
  const peers = [{model: 'deep-on-sst2', name: 'deep', answer: deep, drawn: [{series: deep.series[0], mode: 'line'}]}];
  const drawn = [{series: DEV, mode: 'line'}];
  const domain = scoreDomain(drawn, 2, {peers});
  assert.ok(domain[1] >= 0.97 && domain[0] <= 0.5);
  const drawing = chart([DEV], drawn, {peers, domain});
  assert.deepEqual(withClass(drawing, 'series').map((one) => findAll(one, ({name}) => name === 'path' || name === 'polyline')[0]?.attributes.stroke).reverse(),
    ENCODER_COLORS.slice(0, 2));
  assert.equal(withClass(drawing, 'band').length, 2);
  assert.equal(withClass(drawing, 'chosen-layer').length, 2);
  const names = findAll(withClass(drawing, 'layer-axis')[0], ({name}) => name === 'text').map(textOf);
  assert.ok(names.includes('5'));
});

test('a figure of several encoders names each in title and legend', () => {
  const other = makeAnswer([TEST], {encoder: 'other'});
  const peers = [{model: 'other-on-sst2', name: 'other', answer: other, drawn: [{series: TEST, mode: 'point'}]}];
  const text = svgText(paperFigure(makeAnswer([DEV]), [{series: DEV, mode: 'line'}], 'whole data set', 'sst2', undefined, peers));
  assert.match(text, /all-MiniLM-L6-v2, other on sst2/);
  assert.match(text, /all-MiniLM-L6-v2: dev, n = /);
  assert.match(text, /other: test, n = /);
});
