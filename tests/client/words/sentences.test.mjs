import assert from 'node:assert/strict';
import {test} from 'node:test';
import {seriesLegend} from '../../../lit_probe/client/curves/curve_chart.js';
import {countOf, formatScore} from '../../../lit_probe/client/words/format.js';
import * as sentences from '../../../lit_probe/client/words/sentences.js';
import {DEV, RECORDED, TEST, TRAIN} from '../example_answers.mjs';

const WHOLE = {nShown: 1744, nSelected: 0, slice: null};

test('the panel says which examples the curve is about', () => {
  assert.equal(sentences.selectionSentence({...WHOLE, nRows: 1744}), 'Whole data set: 1,744 rows');
  assert.equal(sentences.selectionSentence({...WHOLE, nRows: 5000}), 'Whole data set: 5,000 rows, of which LIT shows 1,744');
  assert.equal(sentences.selectionSentence({...WHOLE, nSelected: 40}), 'Selection: 40 examples');
  assert.equal(sentences.selectionSentence({...WHOLE, nSelected: 12, slice: 'irony'}), 'Slice “irony”: 12 examples');
});

test('one selected example leaves the whole data set in the curve', () => {
  assert.equal(sentences.selectionSentence({...WHOLE, nSelected: 1, nRows: 1744}), 'Whole data set: 1,744 rows');
});

test('a file names its examples without speaking of the screen', () => {
  assert.equal(sentences.examplesWords({...WHOLE, nRows: 5000}), 'whole data set (5,000 rows)');
  assert.equal(sentences.examplesWords(WHOLE), 'whole data set');
  assert.equal(sentences.examplesWords({...WHOLE, nSelected: 40}), 'selection (40 examples)');
  assert.equal(sentences.examplesWords({...WHOLE, nSelected: 40, slice: 'irony'}), 'slice “irony” (40 examples)');
});

test('test rows that somebody selected are not called the test score', () => {
  assert.equal(sentences.splitWords('test', {...WHOLE, nSelected: 1}), 'test');
  assert.equal(sentences.splitWords('test', {...WHOLE, nSelected: 9}), 'test rows of the selection');
  assert.equal(sentences.splitWords('test', {...WHOLE, nSelected: 9, slice: 'irony'}), 'test rows of “irony”');
  assert.equal(sentences.splitWords('dev', {...WHOLE, nSelected: 9}), 'dev');
});

test('copies that were found later are counted, and told one by one where there are any', () => {
  const notes = ['No text has a copy in another split, exact or near.'];
  assert.deepEqual(sentences.copiesSentences({exact: 0, near: 0, notes}), ['Copies left across splits: 0 exact and 0 near ones.']);
  const found = ['Among 1,744 dev rows, exact copies of train rows: 1; near copies: 1,200.'];
  assert.deepEqual(sentences.copiesSentences({exact: 1, near: 1200, notes: found}), ['Copies left across splits: 1 exact and 1,200 near ones.', ...found]);
});

test('what is left out is counted, in the singular and in the plural', () => {
  const none = {edited: 0, unlabelled: 0, not_in_data: 0, not_in_data: 0, train: 0, seen_in_training: 0};
  assert.deepEqual(sentences.leftOutSentences({...none, edited: 1}, true), ['1 edited row left out']);
  assert.deepEqual(sentences.leftOutSentences({...none, unlabelled: 2, not_in_data: 0, seen_in_training: 1}, false), [
    '1 row left out: the probes know its text, a near copy or its group from training', '2 rows left out: no known label',
  ]);
  assert.deepEqual(sentences.leftOutSentences({...none, train: 500}, true), ['500 train rows left out: the probes were trained on them']);
  assert.deepEqual(sentences.leftOutSentences({...none, train: 500}, false), ['500 train rows left out']);
  assert.deepEqual(sentences.leftOutSentences(none, true), []);
});

test('where nothing is scored, it is said why', () => {
  const none = {edited: 0, unlabelled: 0, not_in_data: 0, not_in_data: 0, train: 0, seen_in_training: 0};
  const said = (counts, own = true, selected = true) => sentences.nothingScoredSentence({...none, ...counts}, own, selected);
  assert.equal(said({train: 30}), 'All 30 selected rows were trained on, so nothing is scored by default.');
  assert.equal(said({train: 30}, true, false), 'All 30 rows were trained on, so nothing is scored by default.');
  assert.equal(said({train: 30, edited: 2}), 'None of these rows is scored by default: 30 train rows left out: the probes were trained on them; 2 edited rows left out.');
  assert.equal(said({edited: 2}), 'None of these rows is scored: 2 edited rows left out.');
  const {left_out: leftOut, own_rows: own} = RECORDED.train_alone;
  assert.match(sentences.nothingScoredSentence(leftOut, own, true), /^All \d+ selected rows were trained on/);
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

test('where the study divides by the shares of train, the class that gains most is said, with its own probability', () => {
  const example = {label: 'positive', edited: false, truncated: false, probabilities: [[0.7, 0.3]], model: null};
  const rare = {rule: 'prior', shares: [0.8, 0.2]};
  assert.equal(sentences.exampleSentence(example, ['negative', 'positive'], 0, 1, rare), 'Layer 0 (embeddings): positive (0.30, more than its share of train, 0.20); gold label positive');
  assert.equal(sentences.decidedIndex([0.1 + 0.2, 0.7], [0.3, 0.7]), 1, 'a constant probe names the frequent class');
  assert.equal(sentences.decidedIndex([0.5, 0.5], [0.5, 0.5]), 0);
});

test('a heading names what is special about a layer', () => {
  assert.equal(sentences.layerHeading(3, 4), 'Layer 3');
  assert.equal(sentences.layerHeading(4, 4), 'Layer 4 (dev-chosen)');
  assert.equal(sentences.layerHeading(0, 0), 'Layer 0 (embeddings, dev-chosen)');
  assert.equal(sentences.layerHeading(0, 1, ['head 1.0', 'head 1.1']), 'Layer 0 (head 1.0)');
  assert.equal(sentences.layerHeading(1, 1, ['head 1.0', 'head 1.1']), 'Layer 1 (head 1.1, dev-chosen)');
  assert.deepEqual([0, 1].map((layer) => sentences.layerName(layer)), ['layer 0 (embeddings)', 'layer 1']);
  assert.deepEqual([0, 1].map((layer) => sentences.layerOption(layer, 0)), ['0 (embeddings, dev-chosen)', '1']);
  assert.equal(sentences.layerName(0, ['head 1.0']), 'layer 0 (head 1.0)');
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

test('what is scored is counted by split, and where test is a single point that is said', () => {
  const drawn = (...modes) => [DEV, TEST, TRAIN].flatMap((series, i) => (modes[i] ? [{series, mode: modes[i]}] : []));
  assert.equal(sentences.scoredSentence(drawn('line', 'point'), 2), 'Scored: 872 dev rows (test: 1,821 rows, at layer 2 only)');
  assert.equal(sentences.scoredSentence(drawn('line', 'line'), 2), 'Scored: 872 dev rows, 1,821 test rows');
  assert.equal(sentences.scoredSentence(drawn('line', 'point', 'line'), 2), 'Scored: 872 dev rows, 500 train rows, which show fit (test: 1,821 rows, at layer 2 only)');
  assert.equal(sentences.scoredSentence(drawn('line', null, 'hidden'), 2), 'Scored: 872 dev rows');
  assert.equal(sentences.scoredSentence([], 2), '');
});

test('what probes read is told of texts and of words', () => {
  assert.equal(sentences.readingOf({pooling: 'mean'}), 'mean pooling');
  assert.equal(sentences.readingOf({pooling: 'last', unit: 'word'}), 'last token of each word');
  assert.equal(sentences.readingOf({pooling: 'mean', unit: 'word'}), 'mean of the tokens of each word');
});

test('a year is written as a year', () => {
  const example = {probabilities: [[2001.9677]], label: 1999, edited: false, truncated: false, model: null};
  assert.equal(sentences.exampleSentence(example, [], 0, 0), 'Layer 0 (embeddings, dev-chosen): 2001.97; gold label 1999 (2.97 too high)');
  assert.equal(sentences.exampleSentence({...example, label: null}, [], 0, 0), 'Layer 0 (embeddings, dev-chosen): 2002; no gold label');
});
