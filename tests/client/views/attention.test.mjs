import assert from 'node:assert/strict';
import {test} from 'node:test';

import {headAtPlace, nearestHead, pictureByKey, pictureLayout, picturePixels, sharesSentence} from '../../../lit_probe/client/views/attention_grid.js';
import {attentionCsv, BLOCKS, changesOf, counterpart, inBlock, linesChart, linesOf, spotSentence} from '../../../lit_probe/client/views/attention_lines.js';
import {bytesOf} from '../../../lit_probe/client/words/files.js';
import {RECORDED, withClass} from '../example_answers.mjs';

const HEADS = RECORDED.attention_heads;
const HEAD = RECORDED.attention_head;
const SIZE = {n_blocks: 3, n_heads: 4};

test('every picture stands inside the drawing, and a pixel of it leads back to its head', () => {
  for (const [size, width] of [[SIZE, 120], [SIZE, 458], [{n_blocks: 12, n_heads: 12}, 458], [{n_blocks: 32, n_heads: 32}, 458]]) {
    const layout = pictureLayout(size, width);
    for (let block = 1; block <= size.n_blocks; block++) {
      for (let head = 0; head < size.n_heads; head++) {
        const [x, y] = [layout.x({block, head}), layout.y({block, head})];
        assert.ok(x + layout.cell <= layout.width && y + layout.cell <= layout.height);
        assert.deepEqual(layout.under(x + 1, y + 1), {block, head});
      }
    }
    assert.equal(layout.under(3, 30), null);
    assert.equal(layout.under(layout.width + 1, 30), null);
  }
  assert.ok(pictureLayout({n_blocks: 12, n_heads: 12}, 458).width <= 458);
});

test('keys walk from head to head and stop at the edge', () => {
  assert.deepEqual(pictureByKey('ArrowDown', {block: 1, head: 2}, SIZE), {block: 2, head: 2});
  assert.deepEqual(pictureByKey('ArrowUp', {block: 1, head: 2}, SIZE), {block: 1, head: 2});
  assert.deepEqual(pictureByKey('End', {block: 2, head: 0}, SIZE), {block: 2, head: 3});
  assert.equal(pictureByKey('a', {block: 1, head: 0}, SIZE), null);
  assert.deepEqual(nearestHead({block: 12, head: 11}, SIZE), {block: 3, head: 3});
});

test('a place of the probes leads to its head', () => {
  const answer = {places: [[null, 5], [6, null]]};
  assert.deepEqual(headAtPlace(answer, 6), {block: 2, head: 0});
  assert.equal(headAtPlace(answer, 0), null);
  assert.equal(headAtPlace(answer, null), null);
  assert.equal(headAtPlace({places: null}, 5), null);
});

test('a small picture holds what the server sent of its head', () => {
  const [text] = HEADS.examples;
  const bytes = bytesOf(text.pictures);
  assert.equal(bytes.length, HEADS.n_blocks * HEADS.n_heads * text.side ** 2);
  const pixels = picturePixels(bytes, text, {block: 2, head: 1}, HEADS.n_heads, [1, 2, 3]);
  assert.deepEqual([...pixels.slice(0, 3)], [1, 2, 3]);
  // The text is short enough for a cell for each two tokens.
  HEAD.weights[0].flat().forEach((weight, i) => assert.ok(Math.abs(pixels[4 * i + 3] / 255 - weight) < 0.003));
});

test('where a head looks is said in shares', () => {
  const text = {to_itself: [[0.5]], to_previous: [[0.25]], to_next: [[0]], to_special: [[0.125]], entropy: [[2]], between: null};
  assert.equal(sharesSentence(text, {block: 1, head: 0}, 'this text'),
    'on average, a token of this text takes 50% of what this head brings it from itself, 25% from the token before it, 0% from the one after it and 13% from special tokens. It looks at about 4.0 tokens at a time.');
  assert.match(sharesSentence({...text, between: [[[[0.9, 0.1], [0.3, 0.7]]]]}, {block: 1, head: 0}, 'this text'),
    /Tokens of the first text take 10% from the second, those of the second 30% from the first\.$/);
});

test('faint lines are left out, but not those of one token', () => {
  const weights = [[0.9, 0.1, 0], [0.01, 0.5, 0.49], [0.005, 0.005, 0.99]];
  assert.deepEqual(linesOf(weights, {}).map(({from, to}) => [from, to]), [[0, 1], [1, 2], [1, 1], [0, 0], [2, 2]]);
  assert.deepEqual(linesOf(weights, {spot: {column: 'from', place: 2}}).length, 3);
  assert.deepEqual(linesOf(weights, {spot: {column: 'to', place: 0}}).map(({from}) => from), [2, 1, 0]);
  const spread = Array.from({length: 200}, () => Array(200).fill(1 / 200));
  assert.equal(linesOf(spread, {}).length, 200 * 200, 'attention that is spread evenly is seen');
  assert.deepEqual(linesOf([[null, -0.5]], {}), [{from: 0, to: 1, share: -0.5}]);
});

test('a pair of texts has four blocks, which are all lines', () => {
  const weights = [1, 2, 3].map(() => [1 / 3, 1 / 3, 1 / 3]);
  const n = (block) => linesOf(weights, {keep: inBlock(1, block)}).length;
  assert.deepEqual(Object.keys(BLOCKS).map(n), [9, 1, 2, 2, 4]);
  assert.equal(linesOf(weights, {keep: inBlock(null, '0-1')}).length, 9, 'a single text has none');
});

test('what an edit changes is told for tokens that stand in both texts', () => {
  const changes = changesOf([[0.5, 0.5], [1, 0]], [[0.25, 0.5, 0.25], [0, 1, 0], [1, 0, 0]], [0, null, 1]);
  assert.deepEqual(changes, [[-0.25, null, -0.25], [null, null, null], [0, null, 0]]);
  assert.equal(counterpart([0, null, 1], 1, 1), null);
  assert.equal(counterpart([0, null, 1], 1, 2), 1);
  assert.equal(counterpart([0, null, 1], 0, 1), 2);
  assert.equal(counterpart([0, null], 0, 1), null);
});

test('a token is told with its largest weights', () => {
  const weights = [[0.2, 0.8], [0.6, 0.4]];
  assert.equal(spotSentence(['a', ' film'], weights, {column: 'from', place: 1}), '“␣film” takes in most from “a” 0.600, “␣film” 0.400');
  assert.equal(spotSentence(['a', ' film'], weights, {column: 'to', place: 0}), '“a” is taken in most by “␣film” 0.600, “a” 0.200');
});

test('the table has every weight, beside that of the original', () => {
  const lines = attentionCsv('model', HEADS, HEAD, ['Original', 'Edit']).trim().split('\r\n');
  const [one, other] = HEADS.examples.map(({tokens}) => tokens.length);
  assert.equal(lines.length, 1 + one ** 2 + other ** 2);
  assert.equal(lines[1], `model,Original,2,1,0,[CLS],0,[CLS],${HEAD.weights[0][0][0]},`);
  assert.equal(lines[1 + one ** 2], `model,Edit,2,1,0,[CLS],0,[CLS],${HEAD.weights[1][0][0]},${HEAD.weights[0][0][0]}`);
});

test('a drawing for a file holds its lines and escapes nothing away', () => {
  const text = {tokens: ['<b>', 'film'], special: [true, false]};
  const chart = linesChart('Block 1, head 0', text, [{from: 0, to: 1, share: 0.5}, {from: 1, to: 0, share: -0.25}]);
  const lines = withClass(chart, 'attends');
  assert.deepEqual(lines.map(({attributes}) => attributes['stroke-opacity']), ['0.500', '0.250']);
  assert.notEqual(lines[0].attributes.stroke, lines[1].attributes.stroke);
  for (const {attributes} of lines) assert.ok(Number(attributes.y2) < Number(chart.attributes.height) && Number(attributes.x2) < Number(chart.attributes.width));
});
