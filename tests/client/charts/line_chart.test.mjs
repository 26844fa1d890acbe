import assert from 'node:assert/strict';
import {test} from 'node:test';
import {layerAxis, linearAxis, logAxis, nearest} from '../../../lit_probe/client/charts/axes.js';
import {bandPath, lineChart, linePath, MARGIN, marginFor, spreadLabels} from '../../../lit_probe/client/charts/line_chart.js';
import {svgText} from '../../../lit_probe/client/charts/svg.js';
import {findAll, textOf, withClass} from '../example_answers.mjs';

const STYLE = {color: '#123456', marker: 'circle', dash: ''};
const points = (...scores) => scores.map((score, x) => ({x, score, low: null, high: null}));
const VIEW = {width: 500, height: 260, axis: layerAxis(3), yTitle: 'Score', domain: [0, 1]};

test('references are named at their right end, one under the other where they would overlap', () => {
  const references = [
    {name: 'a', label: 'bag of words 0.700', value: 0.7, color: '#000', dash: '4 3'},
    {name: 'b', label: 'TF-IDF 0.705', value: 0.705, color: '#000', dash: '2 2'},
  ];
  const drawing = lineChart({...VIEW, series: [], references, margin: marginFor(references.map(({label}) => label))});
  const labels = withClass(drawing, 'end-label');
  assert.deepEqual(labels.map(textOf), ['bag of words 0.700', 'TF-IDF 0.705']);
  assert.ok(Number(labels[0].attributes.y) - Number(labels[1].attributes.y) >= 13);
  assert.ok(labels.every(({attributes}) => Number(attributes.x) + 5 * 18 <= VIEW.width));
  assert.equal(withClass(drawing, 'reference').length, 2);
});

test('a series without a value has no label and no NaN', () => {
  const drawing = lineChart({...VIEW, series: [{name: 'empty', mode: 'line', points: points(null, null, null), style: STYLE, label: 'empty'}]});
  assert.equal(withClass(drawing, 'end-label').length, 0);
  assert.ok(!/NaN|Infinity|undefined/.test(svgText(drawing)));
});

test('marked layers have a bar each above the axis, which no value reaches', () => {
  const one = {name: 'one', mode: 'line', points: points(0, 0.5, 0.4), style: STYLE};
  const drawing = lineChart({...VIEW, series: [one], marked: {layers: [1, 2], label: 'alike'}});
  const bars = withClass(drawing, 'marked-layer');
  const [label] = withClass(drawing, 'marked-label');
  assert.equal(bars.length, 2);
  assert.equal(textOf(label), 'alike');
  const lowest = Math.max(...findAll(withClass(drawing, 'series')[0], ({name}) => name === 'circle').map(({attributes}) => Number(attributes.cy)));
  assert.ok(lowest <= Number(label.attributes.y) - 9 && Number(label.attributes.y) < bars[0].attributes.y);
  assert.ok(bars[0].attributes.y + bars[0].attributes.height <= VIEW.height - MARGIN.bottom);
});

test('without marked layers the values have the room down to the axis', () => {
  const one = {name: 'one', mode: 'line', points: points(0, 0.5, 0.4), style: STYLE};
  const [, lowest] = [...findAll(lineChart({...VIEW, series: [one], marked: {layers: [], label: 'alike'}}), ({name}) => name === 'circle')].map(({attributes}) => Number(attributes.cy)).sort((a, b) => a - b).slice(-2);
  assert.equal(lowest, VIEW.height - MARGIN.bottom);
});

test('a small chart has no axis titles and the number 0 for the embeddings', () => {
  const drawing = lineChart({...VIEW, yTitle: '', axis: layerAxis(3, {small: true}), series: []});
  assert.equal(withClass(drawing, 'axis-title').length, 0);
  const names = findAll(withClass(drawing, 'layer-axis')[0], ({name}) => name === 'text').map(textOf);
  assert.deepEqual(names, ['0', '1', '2']);
});

test('without labels the margin is the usual one', () => {
  assert.deepEqual(marginFor([]), MARGIN);
  assert.ok(marginFor(['random weights']).right > 60);
});

test('labels keep their places where there is room, and their order where there is not', () => {
  assert.deepEqual(spreadLabels([10, 50, 90], 13, [0, 100]), [10, 50, 90]);
  assert.deepEqual(spreadLabels([52, 50, 51], 10, [0, 100]), [70, 50, 60]);
  const crowded = spreadLabels([98, 99, 100], 10, [0, 100]);
  assert.deepEqual(crowded, [80, 90, 100]);
  assert.deepEqual(spreadLabels([], 10, [0, 100]), []);
});

test('a logarithmic axis gives equal ratios equal widths and always names the last value', () => {
  const {x, ticks} = logAxis([16, 32, 64, 128], 'n')([0, 324]);
  assert.ok(Math.abs((x(32) - x(16)) - (x(128) - x(64))) < 1e-9);
  assert.deepEqual(ticks.map(({label}) => label), ['16', '32', '64', '128']);
  assert.deepEqual(logAxis([16, 32, 64, 128], 'n')([0, 60]).ticks.map(({at}) => at), [16, 128]);
  assert.equal(logAxis([50], 'n')([0, 100]).x(50), 50);
});

test('a straight axis puts its ends at the ends', () => {
  const {x, ticks} = linearAxis([0.5, 1], 'confidence')([56, 486]);
  assert.deepEqual([x(0.5), x(1)], [56, 486]);
  assert.ok(ticks.every(({at}) => at >= 0.5 && at <= 1));
});

test('the nearest value is found, whatever is missing', () => {
  assert.equal(nearest([10, null, 30], 24), 2);
  assert.equal(nearest([10, 20], 15), 0);
  assert.equal(nearest([null], 3), -1);
});

test('a line goes through its points in order', () => {
  assert.equal(linePath([{x: 0, y: 5}, {x: 10, y: 2.5}]), 'M0.00,5.00L10.00,2.50');
});

test('a point without a value interrupts the line', () => {
  assert.equal(linePath([{x: 0, y: 1}, {x: 1, y: null}, {x: 2, y: 3}, {x: 3, y: 4}]), 'M0.00,1.00M2.00,3.00L3.00,4.00');
});

test('a line without values is empty', () => {
  assert.equal(linePath([{x: 0, y: null}]), '');
});

test('a band runs along the upper ends and back along the lower ones', () => {
  const points = [{x: 0, low: 8, high: 2}, {x: 10, low: 7, high: 1}];
  assert.equal(bandPath(points), 'M0.00,2.00L10.00,1.00L10.00,7.00L0.00,8.00Z');
});

test('points without an interval split the band, and a single point has no area', () => {
  const at = (x) => ({x, low: 8, high: 2});
  const path = bandPath([at(0), at(1), {x: 2, low: null, high: null}, at(3), {x: 4, low: null, high: 1}, at(5), at(6)]);
  assert.equal(path.split('Z').length - 1, 2);
  assert.ok(!path.includes('3.00,2'));
});

test('ticks of any unit are told apart and stay within their room', () => {
  const one = (low, high) => {
    const drawing = lineChart({...VIEW, domain: [low, high], series: []});
    return findAll(withClass(drawing, 'score-axis')[0], ({name, attributes}) => name === 'text' && attributes['text-anchor'] === 'end');
  };
  for (const [low, high] of [[1e12, 1.4e12], [-2e13, 3e13], [1, 1 + 1e-8], [-1e-9, 2e-9], [1997, 1998], [1.7e9, 1.7e9 + 40], [0.2, 0.4]]) {
    const ticks = one(low, high);
    const words = ticks.map(textOf);
    assert.ok(words.length > 1 && new Set(words).size === words.length, words.join());
    ticks.forEach(({attributes}, i) => assert.ok(Number(attributes.textLength ?? 6.2 * words[i].length) <= MARGIN.left - 8 - 18, words.join()));
  }
  assert.ok(one(0.2, 0.4).map(textOf).includes('0.30') && one(0.2, 0.4).every(({attributes}) => attributes.textLength === undefined));
  assert.ok(one(1e12, 1.4e12).map(textOf).includes('1.20e12'));
});
