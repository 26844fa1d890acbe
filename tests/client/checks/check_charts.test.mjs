import assert from 'node:assert/strict';
import {test} from 'node:test';
import {figurePage} from '../../../lit_probe/client/charts/figure_page.js';
import {svgText} from '../../../lit_probe/client/charts/svg.js';
import {
  agreementChart, agreementDomain, calibrationChart, calibrationDomain, compressionDomain, descriptionLengthChart,
  learningCurveChart, learningCurveDomain, priorCoincides, reliabilityChart, selectivityCharts, selectivityDomains,
  transferChart, transferRows,
} from '../../../lit_probe/client/checks/check_charts.js';
import {heldOutSeries, sliceChart} from '../../../lit_probe/client/curves/slices.js';
import {checkCsv} from '../../../lit_probe/client/words/files.js';
import {transferSentence} from '../../../lit_probe/client/words/sentences.js';
import {DEV, makeAnswer, makeSeries, RECORDED, TEST, textOf, TRAIN, withClass} from '../example_answers.mjs';

const ABOUT = makeAnswer([], {n_layers: 3, best_layer: 1});
const SIZE = {width: 420, height: 240};
const layers = (makeRow) => [0, 1, 2].map((layer) => ({layer, ...makeRow(layer)}));
const SELECTIVITY = {layers: layers((i) => ({task: 0.7 + i / 20, control: 0.6, selectivity: 0.1 + i / 20, low: i === 2 ? null : 0.02, high: i === 2 ? null : 0.2}))};
const MARKS = [{confidence: 0.6, accuracy: 0.55, n: 20, low: 0.34, high: 0.74}, {confidence: 0.9, accuracy: 0.95, n: 20, low: null, high: null}];
const CALIBRATION = {layers: layers((i) => ({ece: 0.1, ece_after: 0.05 + i / 100, ece_by_chance: 0.04, brier: 0.2, brier_after: null, diagram: MARKS, diagram_after: []}))};
const LENGTH = {layers: layers((i) => ({compression: 0.9 + i, compression_to_prior: 0.95 + i}))};
const CURVE = {metric_title: 'Accuracy', n_train: [16, 64, 256], majority: 0.5,
  layers: layers((i) => ({points: [16, 64, 256].map((n, k) => ({n, score: 0.5 + k / 10 + i / 50, low: 0.45, high: 0.9}))}))};
const AGREEMENT = {layers: layers((i) => ({agreement: 0.7 + i / 10, low: 0.6, high: 0.95}))};
const TRANSFER = {train: ['a', 'b'], test: ['a', 'b'], metric: 'accuracy', n: [[100, 20], [100, 40]], left_out: [[0, 20], [0, 0]],
  layers: layers((i) => ({scores: [[0.9, i === 0 ? null : 0.6], [0.7, 0.8]], low: [[0.8, null], [0.6, 0.7]], high: [[0.95, null], [0.8, 0.9]], reasons: [['', 'only 20 rows'], ['', '']], with_left_out: [[0.9, 0.8], [0.7, 0.8]]}))};

test('no chart of a check holds NaN, whatever is missing', () => {
  const drawings = [
    ...selectivityCharts(SELECTIVITY, ABOUT, {...SIZE, domains: selectivityDomains(SELECTIVITY), current: 0}),
    reliabilityChart(CALIBRATION.layers[0], SIZE),
    ...['ece', 'brier'].map((measure) => calibrationChart(CALIBRATION, ABOUT, measure, {...SIZE, domain: calibrationDomain(CALIBRATION, measure)})),
    descriptionLengthChart(LENGTH, ABOUT, {...SIZE, domain: compressionDomain(LENGTH)}),
    learningCurveChart(CURVE, {...SIZE, domain: learningCurveDomain(CURVE, 0), layer: 0, bestLayer: 1, yTitle: 'Accuracy'}),
    agreementChart(AGREEMENT, ABOUT, {...SIZE, domain: agreementDomain(AGREEMENT), hovered: 2}),
    transferChart(transferRows(TRANSFER), ABOUT, {width: 420, current: 1, hovered: 0}),
  ];
  for (const drawing of drawings) assert.ok(!/NaN|Infinity|undefined/.test(svgText(drawing)));
});

test('where dev tells nothing about the uncertainty, selectivity is drawn without a band', () => {
  const unknown = {layers: SELECTIVITY.layers.map((row) => ({...row, low: null, high: null}))};
  const drawing = selectivityCharts(unknown, ABOUT, {...SIZE, domains: selectivityDomains(unknown), current: 0});
  for (const chart of drawing) assert.ok(!/NaN|null|undefined/.test(svgText(chart)));
  const bands = (charts) => charts.flatMap((chart) => withClass(chart, 'band')).filter(({attributes}) => attributes.d !== '').length;
  assert.equal(bands(drawing), 0);
  assert.equal(bands(selectivityCharts(SELECTIVITY, ABOUT, {...SIZE, domains: selectivityDomains(SELECTIVITY)})), 1);
});

test('the axis of the difference always shows 0', () => {
  assert.ok(selectivityDomains(SELECTIVITY).difference[0] <= 0);
  assert.ok(selectivityDomains({layers: [{task: 0.9, control: 0.5, selectivity: 0.4, low: 0.3, high: 0.5}]}).difference[0] <= 0);
});

test('no compression, 1, is always on the axis', () => {
  const [low, high] = compressionDomain({layers: [{compression: 3, compression_to_prior: 2.5}]});
  assert.ok(low <= 1 && high >= 3);
});

test('two codes that cost the same are drawn one over the other, the dashed one on top, and it is known', () => {
  const equal = {layers: layers((i) => ({compression: 1 + i, compression_to_prior: 1 + i}))};
  assert.deepEqual([priorCoincides(equal), priorCoincides(LENGTH)], [true, false]);
  const drawn = withClass(descriptionLengthChart(equal, ABOUT, {...SIZE, domain: [0, 4]}), 'series');
  assert.equal(drawn.at(-1).attributes.class, 'series compression line');
});

test('what a server sent can be drawn', () => {
  const {layer_metrics: about, selectivity, description_length: length, learning_curve: curve, calibration, agreement, transfer} = RECORDED;
  const drawings = [
    ...selectivityCharts(selectivity, about, {...SIZE, domains: selectivityDomains(selectivity)}),
    descriptionLengthChart(length, about, {...SIZE, domain: compressionDomain(length)}),
    learningCurveChart(curve, {...SIZE, domain: learningCurveDomain(curve, 1), layer: 1, bestLayer: about.best_layer, yTitle: curve.metric_title}),
    reliabilityChart(calibration.layers[1], SIZE),
    calibrationChart(calibration, about, 'ece', {...SIZE, domain: calibrationDomain(calibration, 'ece')}),
    agreementChart(agreement, about, {...SIZE, domain: agreementDomain(agreement)}),
    transferChart(transferRows(transfer), about, {width: 420}),
  ];
  for (const drawing of drawings) assert.ok(!/NaN|Infinity|undefined/.test(svgText(drawing)));
});

test('what chance alone gives is drawn beside the calibration error, and beside no other measure', () => {
  const drawn = (measure) => withClass(calibrationChart(CALIBRATION, ABOUT, measure, {...SIZE, domain: [0, 1]}), 'chance').length;
  assert.deepEqual([drawn('ece'), drawn('brier')], [1, 0]);
});

test('the reliability plot is square and has the diagonal, and a mark with its interval and no line per bin', () => {
  const drawing = reliabilityChart(CALIBRATION.layers[0], SIZE);
  const [perfect] = withClass(drawing, 'perfect');
  const {x1, x2, y1, y2} = perfect.attributes;
  assert.ok(Math.abs((Number(x2) - Number(x1)) - (Number(y1) - Number(y2))) < 0.02);
  const [before] = withClass(drawing, 'before');
  // The interval's lower end, 0.34, is not below the plot.
  const [, lowest] = withClass(before, 'interval')[0].attributes.d.match(/V([\d.]+)/) ?? [];
  assert.ok(Number(lowest) <= Number(y1) && Number(lowest) > Number(y2), `${lowest} ${y1} ${y2}`);
  assert.equal(withClass(before, 'interval').length, 1);
  assert.equal(withClass(before, 'line').length, 0);
  assert.ok(before.attributes.class.includes('point'));
});

test('the learning curve draws the current layer on top, and names it and the dev-chosen one', () => {
  const drawing = learningCurveChart(CURVE, {...SIZE, domain: [0, 1], layer: 2, bestLayer: 1, yTitle: 'Accuracy'});
  assert.deepEqual(withClass(drawing, 'series').map(({attributes}) => attributes.class.split(' ')[1]), ['layer-0', 'layer-1', 'layer-2']);
  assert.deepEqual(withClass(drawing, 'end-label').map(textOf).sort(), ['baseline', 'layer 1', 'layer 2']);
  assert.equal(withClass(drawing, 'band').length, 1);
});

test('the heat map has a row per pair, each with a cell per layer', () => {
  const rows = transferRows(TRANSFER);
  assert.deepEqual(rows.map(({train, test: to, own}) => [train, to, own]), [['a', 'a', true], ['a', 'b', false], ['b', 'a', false], ['b', 'b', true]]);
  assert.equal(rows[2].cells[0].score, 0.7);
  assert.equal(transferSentence(rows[1], 1), 'a → b 0.600 (with the 20 left out: 0.800)');
  assert.equal(transferSentence(rows[1], 0), 'a → b not defined (with the 20 left out: 0.800)');
  assert.equal(transferSentence(rows[2], 1), 'b → a 0.700 [0.600, 0.800]');
  const pairs = withClass(transferChart(rows, ABOUT, {width: 420}), 'strip');
  assert.deepEqual(withClass(pairs[1], 'cell').map((cell) => textOf(cell).trim()), ['–', '0.60?', '0.60?']);
});

test('a slice shows dev, else test, never train, with all examples behind it', () => {
  assert.equal(heldOutSeries(makeAnswer([TRAIN, TEST, DEV])).split, 'dev');
  assert.equal(heldOutSeries(makeAnswer([TRAIN, TEST])).split, 'test');
  assert.equal(heldOutSeries(makeAnswer([TRAIN])), null);
  const drawing = (whole) => sliceChart(makeSeries('dev', [0.5, 0.6, 0.7, 0.6]), whole, makeAnswer([DEV]), {width: 200, height: 130, domain: [0, 1], current: 0});
  assert.equal(withClass(drawing(DEV), 'whole').length, 1);
  assert.equal(withClass(drawing(TEST), 'whole').length, 0);
});

test('a check’s table says what it was measured on, with empty cells for what is not known', () => {
  const csv = checkCsv('enc-on-sst2', ABOUT, ['layer', 'selectivity', 'low'], SELECTIVITY.layers);
  assert.deepEqual(csv.trimEnd().split('\r\n').slice(0, 2), ['model,trained_on,probe,pooling,layer,selectivity,low', 'enc-on-sst2,sst2,logistic,mean,0,0.1,0.02']);
  assert.ok(csv.endsWith(',2,0.2,\r\n'));
});

test('a figure of several charts puts one under the other', () => {
  const charts = selectivityCharts(SELECTIVITY, ABOUT, {...SIZE, domains: selectivityDomains(SELECTIVITY)});
  const page = figurePage({title: 'T', setting: 's', charts});
  const places = page.children.filter(({attributes}) => attributes.transform).map(({attributes}) => Number(attributes.transform.match(/ (\d+)\)/)[1]));
  assert.equal(places[1] - places[0], SIZE.height);
  assert.ok(page.attributes.height >= places[1] + SIZE.height);
});
