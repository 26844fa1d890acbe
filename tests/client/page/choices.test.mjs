import assert from 'node:assert/strict';
import {test} from 'node:test';
import {currentLayer, observable, resolveLayer} from '../../../lit_probe/client/page/choices.js';

test('listeners hear of changes, and only of changes', () => {
  const value = observable(1);
  const heard = [];
  const end = value.subscribe((next) => heard.push(next));
  value.set(1);
  value.set(2);
  end();
  value.set(3);
  assert.deepEqual(heard, [2]);
  assert.equal(value.get(), 3);
});

test('a listener may end its own subscription while being told', () => {
  const value = observable(0);
  const heard = [];
  const end = value.subscribe(() => end());
  value.subscribe((next) => heard.push(next));
  value.set(1);
  assert.deepEqual(heard, [1]);
});

test('until a layer is picked, every panel shows its own dev-chosen one', () => {
  assert.equal(currentLayer.get(), null);
  assert.equal(resolveLayer(null, 4, 7), 4);
});

test('a picked layer is shown by the models that have it, layer 0 included', () => {
  assert.equal(resolveLayer(0, 4, 7), 0);
  assert.equal(resolveLayer(6, 4, 7), 6);
  assert.equal(resolveLayer(11, 4, 7), 4);
});
