import assert from 'node:assert/strict';
import {test} from 'node:test';

import {classLensChart, classLensCsv, classLensSentences, classStrips, leftOutClasses, saidAt} from '../../../lit_probe/client/views/class_lens_chart.js';
import {RECORDED, withClass} from '../example_answers.mjs';

const score = (value) => ({value, low: value - 0.1, high: value + 0.1, n: 40, reliable: true, reason: ''});
const CURVE = {...RECORDED.lens_curve, head: [0.5, 0.6, 0.9].map(score), probes: [0.7, 0.8, 0.9].map(score), settled: [0.5, 0.75, 1], best_layer: 2, majority: 0.5};

test('head and probes each have a line; at other places than the layers the head alone', () => {
  const view = {width: 500, height: 280, current: 1, hovered: 0};
  const drawing = classLensChart(CURVE, view);
  assert.deepEqual([withClass(drawing, 'head').length > 0, withClass(drawing, 'probes').length > 0, withClass(drawing, 'chosen-layer').length], [true, true, 1]);
  const alone = classLensChart({...CURVE, probes: [], best_layer: null, majority: null}, view);
  assert.deepEqual([withClass(alone, 'probes').length, withClass(alone, 'chosen-layer').length, withClass(alone, 'majority').length], [0, 0, 0]);
});

test('a layer is told in words', () => {
  assert.deepEqual(classLensSentences(CURVE, 1), ['head 0.600 [0.500, 0.700]', 'probe 0.800 [0.700, 0.900]', '75 % of the rows in the head’s final class']);
  assert.equal(classLensSentences({...CURVE, probes: []}, 0).length, 2);
});

test('a text has strips of its likeliest classes, and it is said that there are more', () => {
  const names = Array.from({length: 40}, (_, i) => `class ${i}`);
  const row = names.map((_, i) => i / 780);
  const many = {label_names: names, examples: [{text: 'a', probabilities: [row.toReversed(), row]}]};
  const strips = classStrips(many, 0);
  assert.deepEqual(strips.map(({title}) => title), ['class 39', 'class 38', 'class 37', 'class 36']);
  assert.deepEqual(strips[0].cells.map(({share}) => share), [0, 39 / 780]);
  assert.match(leftOutClasses(many), /Of 40 classes the 4/);
  assert.equal(leftOutClasses(RECORDED.lens_classes), '');
  assert.equal(saidAt(many, 0, 0), 'class 0 0.050');
});

test('a table has a row for each layer', () => {
  const [head, ...rows] = classLensCsv('m', CURVE).trim().split('\r\n');
  assert.equal(rows.length, 3);
  assert.match(head, /^model,metric,n,layer,head,.*settled$/);
  assert.match(classLensCsv('m', {...CURVE, probes: []}).split('\r\n')[1], /,,,,0.5$/);
});
