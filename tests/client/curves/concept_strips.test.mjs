import assert from 'node:assert/strict';
import {test} from 'node:test';

import {stripChart} from '../../../lit_probe/client/charts/strip_chart.js';
import {conceptSentence, conceptStrips} from '../../../lit_probe/client/curves/concept_strips.js';
import {findAll, makeAnswer, makeSeries, textOf, withClass} from '../example_answers.mjs';

const cell = (layer, above, more = {}) => ({layer, score: 0.5 + above / 2, low: 0.4, high: 0.9, above, above_low: 0, above_high: 1, reliable: true, reason: '', ...more});
const row = (target, cells, more = {}) => ({target, about: '', study: `demo (${target})`, headline: 'accuracy', metric_title: 'Accuracy', baseline: 0.5, n: {train: 700, dev: 1166, test: 164}, label_names: ['a', 'b'], best_layer: 1, cells, ...more});
const MAP = {status: 'ready', encoder: 'tiny', dataset: 'demo', layer_names: ['0', '1', '2', '3'], unasked: [], measure: '', notes: [], rows: [
  row('surface:question', [0.9, 0.8, -0.2, 0].map((above, i) => cell(i, above)), {about: 'does the text end with a question mark?', best_layer: 0}),
  row('label', [cell(0, 0.1, {reliable: false, reason: 'few'}), cell(1, 0.4), cell(2, 0.3, {score: null, low: null, high: null, above: null, above_low: null, above_high: null}), cell(3, 0.2)]),
]};
const ABOUT = makeAnswer([makeSeries('dev', [0.5, 0.6, 0.7, 0.6])]);

test('a concept is a strip with a cell per layer, and its question where the name does not say it', () => {
  const [surface, label] = conceptStrips(MAP);
  assert.equal(surface.title, 'surface:question: does the text end with a question mark? 2 classes, n = 1,166');
  assert.equal(label.title, 'label, 2 classes, n = 1,166');
  assert.deepEqual([surface.bold, label.bold, surface.chosen, label.chosen], [false, true, 0, 1]);
  assert.deepEqual(label.cells.map(({words}) => words), ['0.10?', '0.40', '–', '0.20']);
  assert.deepEqual(surface.cells.map(({share}) => share), [0.9, 0.8, -0.2, 0]);
});

test('a sentence says score, interval and baseline, and what is not defined', () => {
  assert.equal(conceptSentence(MAP.rows[0], 2), 'surface:question: accuracy 0.400 [0.400, 0.900], baseline 0.500');
  assert.equal(conceptSentence(MAP.rows[1], 2), 'label: accuracy –, baseline 0.500');
});

test('strips mark the chosen layer of each, the current and the hovered one, and no cell leaves the drawing', () => {
  const drawing = stripChart(conceptStrips(MAP), ABOUT, {width: 420, current: 2, hovered: 3, bestLayer: null});
  assert.equal(withClass(drawing, 'strip').length, 2);
  assert.equal(withClass(drawing, 'cell').length, 8);
  assert.equal(withClass(drawing, 'chosen').length, 2);
  assert.equal(withClass(drawing, 'outline').length, 4);
  assert.deepEqual(withClass(drawing, 'cell').map((one) => textOf(one).trim()).slice(0, 3), ['0.90', '0.80', '-0.20']);
  for (const {attributes} of findAll(drawing, ({name}) => name === 'rect')) {
    assert.ok(Number(attributes.x) >= 0 && Number(attributes.x) + Number(attributes.width) <= 420);
  }
});

test('cells too narrow for numbers have none', () => {
  assert.equal(textOf(withClass(stripChart(conceptStrips(MAP), ABOUT, {width: 150}), 'cell')[0]).trim(), '');
});
