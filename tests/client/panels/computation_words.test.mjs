import assert from 'node:assert/strict';
import {test} from 'node:test';
import {computationWords} from '../../../lit_probe/client/panels/computation_words.js';

const ONE = {title: 'Selectivity', fraction: null, place: 0, questions: [1], others: 0};

test('it is said how far a computation is, or how many are done before it', () => {
  assert.deepEqual(computationWords(ONE), {state: 'starting', whose: ''});
  assert.equal(computationWords({...ONE, fraction: 0.456}).state, '46 % done');
  assert.equal(computationWords({...ONE, place: 1}).state, 'waiting: one other is done before it');
  assert.equal(computationWords({...ONE, place: 3}).state, 'waiting: 3 others are done before it');
});

test('it is said whether others wait for it', () => {
  assert.equal(computationWords({...ONE, questions: [], others: 1}).whose, 'asked for by another page or program');
  assert.equal(computationWords({...ONE, questions: [], others: 2}).whose, 'asked for by 2 other pages or programs');
  assert.match(computationWords({...ONE, others: 1}).whose, /^this page and another page or program wait/);
});
