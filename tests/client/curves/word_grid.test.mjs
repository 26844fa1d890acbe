import assert from 'node:assert/strict';
import {test} from 'node:test';

import {
  placeIn, rightSentence, wordGrid, wordGridLayout, wordLines, wordsCsv, wordSentences,
} from '../../../lit_probe/client/curves/word_grid.js';
import {findAll, textOf, withClass} from '../example_answers.mjs';

const LABELS = ['DET', 'NOUN', 'VERB'];
const word = (text, tag, probability, predicted, more = {}) => ({
  word: text, tag, read: true, probability: tag === null ? null : probability, predicted, certainty: predicted.map(() => 0.9), ...more});
const FIRST = {text: 'the film was cut', split: 'dev', aligned: null, words: [
  word('the', 0, [0.9, 0.95], [0, 0]),
  word('film', 1, [0.2, 0.9], [2, 1]),
  word('was', null, null, [2, 2]),
  {word: 'cut', tag: 2, read: false, probability: null, predicted: null, certainty: null},
]};
const EDIT = {text: 'the old film was cut', split: null, aligned: [0, null, 1, 2, 3], words: [
  FIRST.words[0], word('old', null, null, [1, 1]), ...FIRST.words.slice(1)]};
const answer = (...examples) => ({
  label_names: LABELS, best_layer: 1, n_layers: 2, layer_names: null, encoder: 'tiny', pooling: 'last', probe: 'logistic', trained_on: 'ud', decided_by: '', max_length: 8, examples});

test('a sentence has a line for each word, with its tag and the one that the layer gives it', () => {
  const one = answer(FIRST);
  const drawing = wordGrid(one, wordLines(one), {width: 460, layer: 0, titles: ['dev sentence']});
  const rows = withClass(drawing, 'word-row');
  assert.deepEqual(rows.map((row) => textOf(withClass(row, 'word')[0])), ['the', 'film', 'was', 'cut']);
  assert.deepEqual(rows.map((row) => textOf(withClass(row, 'gold')[0])), ['DET', 'NOUN', '–', 'VERB']);
  assert.deepEqual(rows.map((row) => textOf(withClass(row, 'said')[0])), ['DET', '× VERB', 'VERB', '']);
  assert.equal(withClass(drawing, 'cell').length, 6, 'none of the word that was cut off');
  assert.match(textOf(rows[3]), /cut off: not read/);
});

test('a wrong cell has a mark, in narrow cells too, and a right one none', () => {
  const one = answer(FIRST);
  for (const width of [240, 460, 900]) {
    const [, film] = withClass(wordGrid(one, wordLines(one), {width, layer: 1, titles: ['']}), 'word-row');
    const [wrong, right] = withClass(film, 'cell').map((cell) => textOf(cell));
    assert.match(wrong, /×/);
    assert.doesNotMatch(right, /×/);
  }
});

test('an edit stands beside its original, the same words in the same line', () => {
  const two = answer(FIRST, EDIT);
  const lines = wordLines(two);
  assert.deepEqual(lines.map((line) => [placeIn(line, 0), placeIn(line, 1)]), [[0, 0], [null, 1], [1, 2], [2, 3], [3, 4]]);
  const drawing = wordGrid(two, lines, {width: 700, layer: 1, titles: ['Original', 'Edit'], word: {side: 1, place: 1}, hovered: {side: 1, line: 1, layer: 0}});
  assert.deepEqual(withClass(drawing, 'side-title').map(textOf), ['Original', 'Edit']);
  assert.equal(withClass(drawing, 'current-word').length, 1);
  assert.equal(withClass(drawing, 'current-layer').length, 2);
  assert.equal(withClass(drawing, 'hovered-cell').length, 1);
});

test('nothing leaves the drawing, however narrow the panel, and a pixel leads to its cell', () => {
  for (const examples of [[FIRST], [FIRST, EDIT]]) {
    const one = answer(...examples);
    const lines = wordLines(one);
    for (const width of [120, 458, 700, 1400]) {
      const drawing = wordGrid(one, lines, {width, layer: 1, titles: ['Original', 'Edit']});
      for (const {attributes} of findAll(drawing, ({name}) => name === 'rect')) {
        assert.ok(Number(attributes.x) >= 0 && Number(attributes.x) + Number(attributes.width) <= Number(drawing.attributes.width));
      }
      const layout = wordGridLayout(one, lines.length, width);
      const side = examples.length - 1;
      assert.deepEqual(layout.cellUnder(layout.x(side, 1) + 3, layout.y(2) + 3, 0), {side, line: 2, layer: 1});
      assert.deepEqual(layout.cellUnder(layout.left(side) + 3, layout.y(2) + 3, 0), {side, line: 2, layer: 0}, 'the word itself: at the current layer');
      assert.equal(layout.cellUnder(3, layout.bottom + 4, 0), null);
    }
  }
});

test('two sentences side by side fit a panel of a page of a thousand pixels, without the column of predicted tags', () => {
  const seven = (example) => ({...example, words: example.words.map((one) => ({...one, predicted: one.predicted && Array(7).fill(0), probability: one.probability && Array(7).fill(0.5), certainty: Array(7).fill(0.5)}))});
  const two = {...answer(seven(FIRST), seven(EDIT)), n_layers: 7};
  const drawing = wordGrid(two, wordLines(two), {width: 459, layer: 1, titles: ['', '']});
  assert.equal(drawing.attributes.width, '459');
  assert.equal(withClass(drawing, 'said').length, 0);
  assert.ok(withClass(wordGrid(two, wordLines(two), {width: 670, layer: 1, titles: ['', '']}), 'said').length > 0);
});

test('sentences say tag, probability and what is predicted in its place', () => {
  const one = answer(FIRST);
  assert.deepEqual(wordSentences(one, FIRST.words[1], 0), ['“film” at layer 0 (embeddings)', 'tag NOUN 0.200', '× predicted VERB 0.900']);
  assert.deepEqual(wordSentences(one, FIRST.words[1], 1), ['“film” at layer 1', 'tag NOUN 0.900, predicted']);
  assert.deepEqual(wordSentences(one, FIRST.words[2], 1), ['“was” at layer 1', 'no tag of its own', 'predicted VERB 0.900']);
  assert.deepEqual(wordSentences(one, FIRST.words[3], 1), ['“cut” at layer 1', 'tag VERB', 'cut off: not read']);
  assert.equal(rightSentence(one, 0, 0), '1 of 2 tags right, 1 without a tag, 1 cut off');
  assert.equal(rightSentence(one, 0, 1), '2 of 2 tags right, 1 without a tag, 1 cut off');
});

test('the table has a row for each word and layer, with every digit', () => {
  const lines = wordsCsv('model', answer(FIRST, EDIT)).trim().split('\r\n');
  assert.equal(lines.length, 1 + 2 * 4 + 2 * 5);
  assert.equal(lines[1], 'model,ud,1,1,the,DET,true,0,0.9,DET,0.9');
  assert.equal(lines[3], 'model,ud,1,2,film,NOUN,true,0,0.2,VERB,0.9');
  assert.equal(lines[7], 'model,ud,1,4,cut,VERB,false,0,,,');
});
