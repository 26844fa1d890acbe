import assert from 'node:assert/strict';
import {test} from 'node:test';

import {
  agreementSentence, cellSentences, cellValue, ENTROPY, lensCsv, lensGrid, lensLayout, lensMarks, lensRows, lensTokens, settledAt, shadesOf, shortCount, shownToken, TARGET, TOP_TOKEN,
} from '../../../lit_probe/client/views/lens_grid.js';
import {findAll, RECORDED, textOf, withClass} from '../example_answers.mjs';

const WATCHED = {word: 'bad', token: ' bad', pieces: [' bad'], note: '', ranks: [[4, 1], [1000, 2]], probabilities: [[0.1, 0.6], [0.001, 0.2]]};
const UNKNOWN = {word: '☃', token: null, pieces: [], note: 'cannot spell', ranks: [], probabilities: []};
const FIRST = {
  text: 'a film', tokens: ['a', ' film'], special: [false, false], n_read: 2, truncated: false, notes: [], aligned: null,
  top: [[[' x', ' y'], [' bad', ' y']], [[' z', ' y'], [' w', ' y']]], probabilities: [[[0.5, 0.2], [0.6, 0.1]], [[0.3, 0.1], [0.9, 0.05]]],
  entropy: [[5, 2], [10, 0]], targets: [' film', null], target_ranks: [[1024, 1], [0, 0]], target_probabilities: [[0.001, 0.5], [0, 0]], watched: [WATCHED, UNKNOWN],
};
const EDIT = {...FIRST, text: 'a new', tokens: ['a', ' new'], aligned: [0, null]};
const answer = (...examples) => ({encoder: 'tiny', task: 'next', layer_names: ['embeddings', 'block 1'], n_vocabulary: 1024, tied: true, head_bytes: 0, examples});
const ONE = answer(FIRST);
const TWO = answer(FIRST, EDIT);
const draw = (one, more = {}) => lensGrid(one, lensRows(one), {width: 400, shade: TOP_TOKEN, titles: ['Original', 'Edit'], ...more});

test('spaces and line breaks of tokens can be seen', () => {
  assert.equal(shownToken(' a\n\tb'), '␣a⏎⇥b');
});

test('a text has a row for each token; an edit stands under it, token by token', () => {
  assert.deepEqual(lensRows(ONE), [{side: 0, place: 0, line: 0}, {side: 0, place: 1, line: 1}]);
  assert.deepEqual(lensRows(TWO), [{side: 0, place: 0, line: 0}, {side: 1, place: 0, line: 0}, {side: 0, place: 1, line: 1}, {side: 1, place: 1, line: 1}]);
  const rows = withClass(draw(TWO), 'token-row');
  assert.deepEqual(rows.map((row) => textOf(withClass(row, 'token')[0])), ['a', 'a', '␣film', '␣new']);
  assert.equal(withClass(draw(TWO), 'edit').length, 2);
});

test('cells show the likeliest token, the entropy or a rank, and colours go with them', () => {
  const [first, second] = lensRows(ONE);
  assert.deepEqual(cellValue(ONE, first, 0, TOP_TOKEN), {share: 0.5, words: '␣x'});
  assert.deepEqual(cellValue(ONE, second, 0, ENTROPY), {share: 1, words: '10.0'});
  assert.deepEqual(cellValue(ONE, first, 0, TARGET), {share: 0, words: '1k'}, 'the last of all');
  assert.deepEqual(cellValue(ONE, first, 1, TARGET), {share: 1, words: '1'});
  assert.deepEqual(cellValue(ONE, second, 1, TARGET), {share: null, words: ''}, 'nothing stands there');
  assert.deepEqual(cellValue(ONE, first, 1, 'watch 0'), {share: 1, words: '1'});
  assert.equal(cellValue(ONE, first, 0, 'watch 0').share, 0.8);
  assert.equal(cellValue(ONE, first, 0, 'watch 7').words, '␣x', 'a word that is not watched any more');
});

test('only what has a rank is offered', () => {
  assert.deepEqual(shadesOf(ONE).map(({value}) => value), [TOP_TOKEN, ENTROPY, TARGET, 'watch 0']);
  assert.match(shadesOf({...ONE, task: 'masked'})[2].title, /token itself/);
});

test('ranks are short', () => {
  assert.deepEqual([7, 999, 1000, 1234, 9949, 9950, 31250].map(shortCount), ['7', '999', '1k', '1.2k', '9.9k', '10k', '31k']);
});

test('a cell is told in words', () => {
  const [first, second] = lensRows(ONE);
  assert.deepEqual(cellSentences(ONE, first, 1), [
    'after “a” at layer 1', '“␣bad” 0.600, “␣y” 0.100', 'entropy 2.00 bits', 'what follows, “␣film”: rank 1 (0.5)', '“␣bad”: rank 1 (0.6)']);
  assert.equal(cellSentences(ONE, second, 0).length, 4, 'nothing follows');
  assert.match(cellSentences({...ONE, task: 'masked'}, first, 0)[0], /^in place of “a” at layer 0 \(embeddings\)$/);
});

test('what the model says is settled from some layer on', () => {
  assert.equal(settledAt(FIRST, 0), 1);
  assert.equal(settledAt({...FIRST, top: [[['w'], ['v'], ['w'], ['w']]]}, 0), 2);
  assert.equal(settledAt({...FIRST, top: [[['w'], ['w']]]}, 0), 0);
  assert.equal(agreementSentence(FIRST, 1), 'what the model says');
  assert.equal(agreementSentence(FIRST, 0), '0 of 2 tokens as at the last layer');
});

test('nothing leaves the drawing, however narrow the panel, and a pixel leads to its cell', () => {
  for (const one of [ONE, TWO, RECORDED.lens_tokens]) {
    for (const width of [200, 400, 900]) {
      const rows = lensRows(one);
      const layout = lensLayout(one, rows, width);
      const drawing = lensGrid(one, rows, {width, shade: ENTROPY, titles: ['Original', 'Edit']});
      for (const {attributes: {x, y, width: wide, height}} of findAll(drawing, ({name, attributes}) => name === 'rect' && attributes.width)) {
        assert.ok(Number(x) >= 0 && Number(x) + Number(wide) <= layout.width && Number(y) + Number(height) <= layout.height);
      }
      rows.forEach((_, row) => {
        assert.deepEqual(layout.cellUnder(layout.x(1) + 3, layout.y(row) + 3, 0), {row, layer: 1});
        assert.deepEqual(layout.cellUnder(layout.left - 10, layout.y(row) + 3, 1), {row, layer: 1}, 'over the token');
      });
      assert.equal(layout.cellUnder(layout.x(0), 2, 0), null);
      assert.equal(layout.cellUnder(layout.x(layout.nLayers) + 5, layout.y(0) + 1, 0), null);
    }
  }
});

test('marks lie over the grid', () => {
  const rows = lensRows(ONE);
  const layout = lensLayout(ONE, rows, 400);
  const marks = lensMarks(layout, rows, {layer: 1, picked: 0, hovered: {row: 1, layer: 0}});
  assert.deepEqual(['current-layer', 'picked-token', 'hovered-cell'].map((name) => withClass(marks, name).length), [1, 1, 1]);
  assert.equal(findAll(lensMarks(layout, rows, {layer: null, picked: null, hovered: null}), ({name}) => name === 'rect').length, 0);
});

test('cells have attributes of their own where they are read aloud', () => {
  const cells = withClass(draw(ONE, {ofCell: ({row, layer}) => ({id: `cell-${row}-${layer}`, role: 'gridcell'})}), 'cell');
  assert.deepEqual(cells.map(({attributes}) => attributes.id), ['cell-0-0', 'cell-0-1', 'cell-1-0', 'cell-1-1']);
});

test('a table has a row for each text, token and layer, and nothing where nothing is', () => {
  const [head, ...rows] = lensCsv('m', TWO).trim().split('\r\n').map((line) => line.split(','));
  assert.deepEqual(head, ['model', 'text', 'place', 'token', 'layer', 'token_1', 'probability_1', 'token_2', 'probability_2', 'entropy_bits', 'target', 'target_rank', 'target_probability',
    'rank of bad', 'probability of bad', 'rank of ☃', 'probability of ☃']);
  assert.equal(rows.length, 8);
  assert.deepEqual(rows[0], ['m', '1', '1', 'a', '0', ' x', '0.5', ' y', '0.2', '5', ' film', '1024', '0.001', '4', '0.1', '', '']);
  assert.deepEqual(rows[3].slice(10), ['', '', '', '2', '0.2', '', '']);
});

test('the column that stays in sight has the tokens of the grid at the same height', () => {
  const kept = lensTokens(TWO, lensRows(TWO), {width: 400, picked: 1});
  const place = (node) => [textOf(node).trim(), node.attributes.y];
  assert.deepEqual(withClass(kept, 'kept-token').map(place), withClass(draw(TWO), 'token').map(place));
  assert.ok(kept.attributes.width < lensLayout(TWO, lensRows(TWO), 400).left);
});
