import assert from 'node:assert/strict';
import {test} from 'node:test';
import {similarityGrid} from '../../../lit_probe/client/views/similarity_grid.js';
import {BESIDE, isSeries, seriesAsGrid, seriesMaps, seriesRows, seriesSentence, seriesWords} from '../../../lit_probe/client/views/similarity_series.js';
import {RECORDED, textOf, withClass} from '../example_answers.mjs';

const ENDS = {least: 0, most: 1};
const names = ['embeddings', 'block 1'];
const map = (name, values) => ({measure: 'svcca', one: {name, layer_names: names}, other: {name: 'c', layer_names: names}, values, by_chance: null});
const SERIES = {
  measure: 'svcca', title: 'SVCCA', about: '', source: '', split: 'train', n: 90, checkpoints: ['a', 'b', 'c'], layer_names: names, notes: [],
  same_layers: [
    {beside: 'last', values: [[0.1, 0.2], [0.9, null], [1, 1]], by_chance: [[0.3, 0.3], [0.3, null], [0.3, 0.3]]},
    {beside: 'first', values: [[1, 1], [0.4, null], [0.1, 0.2]], by_chance: null},
    {beside: 'previous', values: [[null, null], [0.4, null], [0.9, null]], by_chance: null},
  ],
  maps: [map('a', [[0.1, 0.15], [0.25, 0.2]]), map('b', [[0.9, 0.8], [null, null]]), map('c', [[1, 0.7], [0.7, 1]])],
};
const long = (n) => ({...SERIES, checkpoints: Array.from({length: n}, (_, i) => `step ${i}`), maps: Array.from({length: n}, () => SERIES.maps[0]),
  same_layers: SERIES.same_layers.map((same) => ({...same, values: Array.from({length: n}, () => [0.5, 0.5])}))});

test('a series is told from a comparison of two', () => {
  assert.ok(isSeries(RECORDED.similarity_series) && !isSeries(RECORDED.layer_similarity));
});

test('layers stand down, checkpoints across and numbered from 1', () => {
  const grid = similarityGrid(seriesAsGrid(SERIES, 'last'), {width: 480, axes: {down: 'Layer', across: 'Encoder'}});
  assert.deepEqual(withClass(grid, 'pair').map((cell) => textOf(cell).trim()), ['.10', '.90', '1', '.20', '–', '1']);
  assert.deepEqual(withClass(grid, 'column-number').map((label) => textOf(label).trim()), ['1', '2', '3']);
  assert.deepEqual(withClass(grid, 'axis-title').map((label) => textOf(label).trim()), ['Layer', 'Encoder']);
});

test('a cell says which two layers it is about, and what chance would give', () => {
  assert.deepEqual(seriesWords(SERIES, 'last', {row: 1, column: 0}), ['layer 1 of a and of c', 'SVCCA: 0.200', 'layers with nothing in common: about 0.30']);
  assert.deepEqual(seriesWords(SERIES, 'first', {row: 0, column: 1}), ['layer 0 (embeddings) of b and of a', 'SVCCA: 0.400']);
  assert.deepEqual(seriesWords(SERIES, 'previous', {row: 0, column: 2}), ['layer 0 (embeddings) of c and of b', 'SVCCA: 0.900']);
  assert.deepEqual(seriesWords(SERIES, 'previous', {row: 0, column: 0}), ['layer 0 (embeddings) of a', 'none stands before it']);
  assert.match(seriesWords(SERIES, 'last', {row: 1, column: 1})[1], /does not vary/);
});

test('a layer is told by its checkpoints, of a long series by some of them', () => {
  assert.equal(seriesSentence(SERIES, 'last', 0), 'a 0.100, b 0.900, c 1.000');
  assert.equal(seriesSentence(SERIES, 'previous', 1), 'there is nothing that it could be compared with');
  const words = seriesSentence(long(40), 'last', 0).split(', ');
  assert.ok(words.length === 8 && words[0].startsWith('step 0 ') && words[7].startsWith('step 39 '));
});

test('every checkpoint has a map, of a long series twelve have, and none leaves the panel', () => {
  for (const n of [3, 40]) {
    for (const width of [250, 480, 900]) {
      const drawn = seriesMaps(n === 3 ? SERIES : long(n), {width, ends: ENDS});
      const maps = withClass(drawn, 'series-map');
      assert.equal(maps.length, Math.min(n, 12));
      for (const rect of maps.flatMap(({children}) => children).filter(({name}) => name === 'rect')) {
        const {x, y, width: wide, height: high} = rect.attributes;
        assert.ok(Number(x) >= 0 && Number(x) + Number(wide) <= width && Number(y) + Number(high) <= Number(drawn.attributes.height));
      }
    }
  }
});

test('the table has every pair of layers with the last, and the same layers of the first and the one before', () => {
  const rows = seriesRows(SERIES);
  assert.equal(rows.length, 3 * 4 + 3 * 2 + 2 * 2);
  assert.deepEqual(rows.filter(({beside}) => beside === 'previous').map(({encoder, other_encoder: other, value}) => [encoder, other, value]),
    [['b', 'a', 0.4], ['b', 'a', null], ['c', 'b', 0.9], ['c', 'b', null]]);
  assert.deepEqual(BESIDE.map(({value}) => value), [...new Set(rows.map(({beside}) => beside))]);
});
