import assert from 'node:assert/strict';
import {test} from 'node:test';
import {requestKey} from '../../../lit_probe/client/page/request_key.js';

const WORDS = ['layer_metrics', 'enc-on-demo', 'demo', 'accuracy'];

test('equal questions have equal keys', () => {
  assert.equal(requestKey(WORDS, ['a', 'b']), requestKey([...WORDS], ['a', 'b']));
});

test('another word, id, order or border between ids is another question', () => {
  const keys = [
    requestKey(WORDS, ['ab', 'c']), requestKey(WORDS, ['a', 'bc']), requestKey(WORDS, ['c', 'ab']), requestKey(WORDS, ['abc']), requestKey(WORDS, []),
    requestKey(['layer_predictions', ...WORDS.slice(1)], ['ab', 'c']), requestKey([...WORDS.slice(0, 3), 'auroc'], ['ab', 'c']),
  ];
  assert.equal(new Set(keys).size, keys.length);
});

test('a thousand selections of a large data set have a thousand short keys', () => {
  const ids = Array.from({length: 2000}, (_, i) => i.toString(16).padStart(32, '0'));
  const keys = Array.from({length: 1000}, (_, i) => requestKey(WORDS, ids.toSpliced(i, 1)));
  assert.equal(new Set(keys).size, 1000);
  assert.ok(keys.every((key) => key.length < 100));
});
