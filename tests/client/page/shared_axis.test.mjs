import assert from 'node:assert/strict';
import {test} from 'node:test';
import {SharedAxis} from '../../../lit_probe/client/page/answers.js';

test('curves of one group share an axis that holds them all, other groups keep theirs', () => {
  const axis = new SharedAxis();
  const [left, right, other] = [{}, {}, {}];
  assert.deepEqual(axis.join(left, 'accuracy', [0.5, 0.8]), [0.5, 0.8]);
  assert.deepEqual(axis.join(right, 'accuracy', [0.6, 0.9]), [0.5, 0.9]);
  assert.deepEqual(axis.join(other, 'log-loss', [0, 2]), [0, 2]);
  assert.deepEqual(axis.join(left, 'accuracy', [0.5, 0.8]), [0.5, 0.9]);
});

test('a curve that leaves, or changes its metric, no longer counts', () => {
  const axis = new SharedAxis();
  const [left, right] = [{}, {}];
  axis.join(left, 'accuracy', [0.1, 0.8]);
  axis.join(left, 'mcc', [-1, 1]);
  assert.deepEqual(axis.join(right, 'accuracy', [0.6, 0.9]), [0.6, 0.9]);
  axis.leave(left);
  assert.deepEqual(axis.join(right, 'mcc', [0, 0.5]), [0, 0.5]);
});

test('the others are told when an axis changes, and only then', () => {
  const axis = new SharedAxis();
  const [left, right] = [{}, {}];
  let told = 0;
  const end = axis.subscribe(() => told++);
  axis.join(left, 'accuracy', [0.5, 0.8]);
  axis.join(left, 'accuracy', [0.5, 0.8]);
  assert.equal(told, 1);
  axis.join(right, 'accuracy', [0.4, 0.8]);
  axis.leave(left);
  axis.leave(left);
  assert.equal(told, 3);
  end();
  axis.join(left, 'accuracy', [0, 1]);
  assert.equal(told, 3);
});
