import assert from 'node:assert/strict';
import {test} from 'node:test';
import {countOf, formatScore} from '../../lit_probe/client/lib/format.js';
import * as sentences from '../../lit_probe/client/lib/sentences.js';
import {seriesLegend} from '../../lit_probe/client/lib/series_legend.js';
import {TEST} from './example_answers.mjs';

test('the panel says which examples the curve is about', () => {
  assert.equal(sentences.selectionSentence({nScored: 1744, nSelected: 0, slice: null}), 'Whole data set shown: 1,744 examples');
  assert.equal(sentences.selectionSentence({nScored: 40, nSelected: 40, slice: null}), 'Selection: 40 examples');
  assert.equal(sentences.selectionSentence({nScored: 12, nSelected: 12, slice: 'irony'}), 'Slice “irony”: 12 examples');
});

test('one selected example leaves the whole data set in the curve', () => {
  assert.equal(sentences.selectionSentence({nScored: 1744, nSelected: 1, slice: null}), 'Whole data set shown: 1,744 examples');
});

test('a file names its examples without speaking of the screen', () => {
  assert.equal(sentences.examplesWords({nScored: 1744, nSelected: 0, slice: null}), 'whole data set (1,744 examples)');
  assert.equal(sentences.examplesWords({nScored: 40, nSelected: 40, slice: null}), 'selection (40 examples)');
  assert.equal(sentences.examplesWords({nScored: 40, nSelected: 40, slice: 'irony'}), 'slice “irony” (40 examples)');
});

test('what is left out is counted, in the singular and in the plural', () => {
  assert.deepEqual(sentences.leftOutSentences({edited: 1, unlabelled: 0, seen_in_training: 0}), ['1 edited example is not scored']);
  assert.deepEqual(sentences.leftOutSentences({edited: 0, unlabelled: 2, seen_in_training: 1}), [
    '2 examples without a known label are not scored',
    '1 example from the probe’s training texts is not scored',
  ]);
  assert.deepEqual(sentences.leftOutSentences({edited: 0, unlabelled: 0, seen_in_training: 0}), []);
});

test('a layer is described by its score, its interval and n', () => {
  const score = {layer: 4, score: 0.8121, low: 0.785, high: 0.8362};
  assert.equal(sentences.layerSentence(score, 872), 'layer 4: 0.812 [0.785, 0.836], n = 872');
});

test('a missing interval or score is not invented', () => {
  assert.equal(sentences.intervalText({layer: 0, score: 0.5, low: null, high: null}), '0.500');
  assert.equal(sentences.intervalText({layer: 0, score: null, low: null, high: null}), 'not defined');
});

test('an example is described by layer, top class and gold label', () => {
  const example = {label: 'positive', edited: false, truncated: false, probabilities: [[0.6, 0.4], [0.13, 0.87]], model: null};
  assert.equal(sentences.exampleSentence(example, ['negative', 'positive'], 1, 1), 'Layer 1 (dev-chosen): positive (0.87); gold label positive');
  assert.equal(sentences.exampleSentence({...example, label: null}, ['negative', 'positive'], 0, 1), 'Layer 0 (embeddings): negative (0.60); no gold label');
});

test('a heading names what is special about a layer', () => {
  assert.equal(sentences.layerHeading(3, 4), 'Layer 3');
  assert.equal(sentences.layerHeading(4, 4), 'Layer 4 (dev-chosen)');
  assert.equal(sentences.layerHeading(0, 0), 'Layer 0 (embeddings, dev-chosen)');
});

test('the model’s own prediction is told from the probe’s', () => {
  assert.equal(sentences.modelSentence({label_names: ['a', 'b', 'c'], probabilities: [0.1, 0.7, 0.2]}), 'The model’s own prediction: b (0.70)');
});

test('fits that did not converge are named', () => {
  assert.equal(sentences.convergenceSentence([]), '');
  assert.equal(sentences.convergenceSentence([3]), 'The probe of layer 3 did not converge');
  assert.equal(sentences.convergenceSentence([1, 2, 5]), 'The probes of layers 1, 2 and 5 did not converge');
});

test('the legend gives a lone point its layer and its value', () => {
  assert.equal(seriesLegend({series: TEST, mode: 'line'}, 2), 'test, n = 1,821');
  assert.equal(seriesLegend({series: TEST, mode: 'point'}, 2), 'test, n = 1,821, layer 2 only: 0.806 [0.786, 0.826]');
});

test('numbers read the same in every browser language', () => {
  assert.equal(countOf(1, 'example'), '1 example');
  assert.equal(countOf(12345, 'example'), '12,345 examples');
  assert.equal(formatScore(-0.25), '−0.250');
  assert.equal(formatScore(null), '–');
});

test('the examples of each split are counted, in the same order always', () => {
  assert.equal(sentences.splitCounts([{split: 'train', n: 5000}, {split: 'dev', n: 166}, {split: 'test', n: 164}]), '166 dev, 164 test, 5,000 train');
});
