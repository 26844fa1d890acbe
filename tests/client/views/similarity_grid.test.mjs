import assert from 'node:assert/strict';
import {test} from 'node:test';
import {svgText} from '../../../lit_probe/client/charts/svg.js';
import {
  cellLayout, colorEnds, layerWords, pairByKey, pairWords, rowSentence, similarityColor, similarityGrid, similarityMarks, similarityRows,
} from '../../../lit_probe/client/views/similarity_grid.js';
import {RECORDED, textOf, withClass} from '../example_answers.mjs';

const names = (n) => ['embeddings', ...Array.from({length: n - 1}, (_, i) => `block ${i + 1}`)];
const side = (name, n, kept = null) => ({name, layer_names: names(n), kept});
const VALUES = [[1, 0.9, 0.25, null], [0.9, 1, 0.5, null], [0.25, 0.5, 1, null], [null, null, null, null]];
const OWN = {
  measure: 'cka', title: 'CKA', about: '', source: '', one: side('bert', 4), other: side('bert', 4), split: 'train', n: 120, values: VALUES, by_chance: null,
  n_saturated: 0, notes: [],
};
const TWO = {
  ...OWN, measure: 'svcca', title: 'SVCCA', one: side('bert', 2, [5, 1200]), other: side('gpt', 3, [7, 8, null]), values: [[0.5, -0.31, null], [0.25, 0.125, null]],
  by_chance: [[0.2, 0.3, null], [1, 1, null]],
};
const many = (n) => ({...OWN, one: side('bert', n), other: side('bert', n), values: Array.from({length: n}, () => Array.from({length: n}, () => 0.5))});

test('layer 0 is the first row and the first column, and the pixel of a cell leads back to it', () => {
  const layout = cellLayout(TWO, 480);
  for (const [row, column] of [[0, 0], [1, 2], [0, 2]]) {
    assert.deepEqual(layout.pairUnder(layout.x(column) + layout.size / 2, layout.y(row) + layout.size / 2), {row, column});
  }
  for (const [x, y] of [[2, 20], [470, 20], [100, 2000], [100, -5]]) assert.equal(layout.pairUnder(x, y), null);
});

test('every cell has its value, where there is room, and a dash where there is none', () => {
  assert.deepEqual(withClass(similarityGrid(TWO, {width: 480}), 'pair').map((cell) => textOf(cell).trim()), ['.50', '−.31', '–', '.25', '.13', '–']);
  assert.deepEqual(withClass(similarityGrid(OWN, {width: 480}), 'pair').slice(0, 4).map((cell) => textOf(cell).trim()), ['1', '.90', '.25', '–']);
  assert.ok(withClass(similarityGrid(many(25), {width: 440}), 'pair').every((cell) => textOf(cell).trim() === ''));
});

test('a grid of any size stands inside the panel, its cells are square and its labels do not meet', () => {
  for (const n of [1, 2, 13, 49, 145]) {
    for (const width of [300, 440, 900]) {
      const layout = cellLayout(many(n), width);
      assert.ok(layout.right <= width && layout.size > 0);
      const at = withClass(similarityGrid(many(n), {width}), 'column-number').map(({attributes}) => Number(attributes.x));
      assert.ok(at.length > 0 && at.slice(1).every((x, i) => x - at[i] >= 19.9), `${n} in ${width}`);
      const rows = withClass(similarityGrid(many(n), {width}), 'row-number').map(({attributes}) => Number(attributes.y));
      assert.ok(rows.slice(1).every((y, i) => y - rows[i] >= 11.9));
    }
  }
});

test('colours begin at 0 or at the least value, and what is below 0 has a colour of its own', () => {
  assert.deepEqual(colorEnds(OWN, false), {least: 0, most: 1});
  assert.deepEqual(colorEnds(OWN, true), {least: 0.25, most: 1});
  assert.deepEqual(colorEnds({values: [[null, 1]]}, true), {least: 0, most: 1});
  assert.deepEqual(colorEnds({values: [[null]]}, true), {least: 0, most: 1});
  const whole = colorEnds(TWO, false);
  assert.notEqual(similarityColor(-0.5, whole).fill, similarityColor(0.5, whole).fill);
  assert.notEqual(similarityColor(-0.5, whole).fill, similarityColor(0, whole).fill);
  assert.equal(similarityColor(0.25, colorEnds(OWN, true)).fill, similarityColor(0, whole).fill);
});

test('a layer is called by its number, and by its name where that says more', () => {
  assert.deepEqual([0, 2].map((layer) => layerWords(names(3), layer)), ['layer 0 (embeddings)', 'layer 2']);
  assert.equal(layerWords(['embeddings', 'block 1 (after the final norm)'], 1), 'layer 1 (after the final norm)');
  assert.equal(layerWords(['head 3.1', 'early'], 0), 'layer 0 (head 3.1)');
  assert.equal(layerWords(['block 4'], 0), 'layer 0 (block 4)');
});

test('a cell says both layers, the value, what chance gives and how many directions there were', () => {
  assert.deepEqual(pairWords(OWN, {row: 1, column: 0}), ['layer 1 and layer 0 (embeddings)', 'CKA: 0.900']);
  assert.deepEqual(pairWords(TWO, {row: 1, column: 1}), ['layer 1 of bert and layer 1 of gpt', 'SVCCA: 0.125', 'layers with nothing in common: about 1.00', 'directions compared: 1,200 and 8']);
  assert.deepEqual(pairWords(TWO, {row: 0, column: 2}).slice(1), ['SVCCA: none, a layer does not vary']);
});

test('a layer says what it is most like, and least', () => {
  assert.equal(rowSentence(OWN, 0), 'most like layer 1 (0.900); least like layer 2 (0.250)');
  assert.equal(rowSentence(TWO, 0), 'most like gpt’s layer 0 (embeddings) (0.500); least like layer 1 (−0.310)');
  assert.equal(rowSentence(OWN, 3), 'there is nothing that it could be compared with');
  assert.equal(rowSentence({...OWN, values: [[1]], one: side('a', 1), other: side('a', 1)}, 0), 'there is nothing that it could be compared with');
  assert.equal(rowSentence({...OWN, values: [[0.5]], one: side('a', 1), other: side('b', 1)}, 0), 'most like b’s layer 0 (embeddings) (0.500)');
});

test('keys lead from cell to cell and stop at the edges', () => {
  const from = (key, pair = {row: 1, column: 1}) => pairByKey(pair, key, 3, 4);
  assert.deepEqual(from('ArrowUp'), {row: 0, column: 1});
  assert.deepEqual(from('ArrowDown', {row: 2, column: 1}), {row: 2, column: 1});
  assert.deepEqual(from('ArrowLeft', {row: 0, column: 0}), {row: 0, column: 0});
  assert.deepEqual(from('End'), {row: 1, column: 3});
  assert.deepEqual(from('Home'), {row: 1, column: 0});
  assert.deepEqual([from('PageUp').row, from('PageDown').row], [0, 2]);
  assert.equal(from('a'), undefined);
});

test('frames lie over the current layer, the picked pair and the pair under the pointer', () => {
  const layout = cellLayout(OWN, 480);
  const marks = similarityMarks(OWN, {width: 480, current: 2, picked: {row: 0, column: 1}, shown: null});
  assert.equal(withClass(marks, 'shown-pair').length, 0);
  assert.equal(Number(withClass(marks, 'picked-pair')[0].attributes.x), layout.x(1));
  assert.ok(Math.abs(Number(withClass(marks, 'current-row')[0].attributes.y) - layout.y(2)) < 2);
});

test('a table has a row for each pair, and a file has no marks of the screen', () => {
  const rows = similarityRows(TWO);
  assert.equal(rows.length, 6);
  assert.deepEqual(rows[1], {measure: 'svcca', split: 'train', n: 120, encoder: 'bert', layer: 0, layer_name: 'embeddings', other_encoder: 'gpt', other_layer: 1, other_layer_name: 'block 1', value: -0.31, by_chance: 0.3});
  const text = svgText(similarityGrid({...OWN, one: side('<script>', 4)}, {width: 480}));
  assert.ok(!text.includes('gridcell') && !text.includes('<script>'));
});

test('an answer of a server is drawn whole', () => {
  const answer = RECORDED.layer_similarity;
  const cells = withClass(similarityGrid(answer, {width: 500}), 'pair');
  assert.equal(cells.length, answer.one.layer_names.length * answer.other.layer_names.length);
  assert.ok(rowSentence(answer, 1).startsWith(`most like ${answer.other.name}’s layer`));
});
