import assert from 'node:assert/strict';
import {test} from 'node:test';
import {layerScale, layerTicks, linearScale, niceTicks, SharedAxis} from '../../../lit_probe/client/charts/axes.js';

test('a linear scale maps the ends of its domain to the ends of its range, also upside down', () => {
  const y = linearScale([0.5, 1], [200, 0]);
  assert.equal(y(0.5), 200);
  assert.equal(y(1), 0);
  assert.equal(y(0.75), 100);
});

test('the middle of a layer column lies in that column, for every layer', () => {
  for (const nLayers of [1, 7, 13, 25]) {
    const {x, layerAt, band} = layerScale(nLayers, [56, 400]);
    assert.equal(band * nLayers, 400 - 56);
    for (let layer = 0; layer < nLayers; layer++) assert.equal(layerAt(x(layer)), layer);
  }
});

test('a pixel outside the plot belongs to the nearest layer', () => {
  const {layerAt} = layerScale(7, [56, 400]);
  assert.equal(layerAt(-10), 0);
  assert.equal(layerAt(400), 6);
  assert.equal(layerAt(10_000), 6);
});

test('ticks are round, lie inside the range, and are told apart by their decimals', () => {
  for (const [low, high] of [[0.48, 0.91], [0, 1], [0.801, 0.842], [-0.3, 0.9], [0.02, 14.5], [120, 980]]) {
    for (const count of [2, 4, 8]) {
      const {values, step, digits} = niceTicks(low, high, count);
      assert.ok(values.length >= 1 && values.length <= 2 * count + 2, `${values} for ${count} ticks in ${low}–${high}`);
      assert.ok(values.every((value) => value >= low - 1e-9 && value <= high + 1e-9), `${values} leave ${low}–${high}`);
      assert.ok([1, 2, 5, 10].some((nice) => Math.abs(Math.log10(step / nice) % 1) < 1e-9), `step ${step} is not round`);
      assert.equal(new Set(values.map((value) => value.toFixed(digits))).size, values.length);
    }
  }
});

test('ticks of a usual accuracy axis are every tenth', () => {
  assert.deepEqual(niceTicks(0.48, 0.91, 4).values, [0.5, 0.6, 0.7, 0.8, 0.9]);
});

test('every layer gets its number where there is room', () => {
  assert.deepEqual(layerTicks(7, 60, [0, 4]), [0, 1, 2, 3, 4, 5, 6]);
});

test('in a crowd every other layer is named, and the layers that matter in any case', () => {
  assert.deepEqual(layerTicks(13, 12, [0, 7]), [0, 2, 4, 7, 10, 12]);
});

test('labels never stand closer than they are wide, except two that must both be there', () => {
  for (const band of [5, 9, 14, 21, 30]) {
    for (let best = 0; best < 25; best++) {
      const ticks = layerTicks(25, band, [0, best]);
      assert.ok(ticks.includes(best) && ticks.includes(0));
      for (let i = 1; i < ticks.length; i++) {
        const forced = ticks[i - 1] === 0 && ticks[i] === best;
        assert.ok(forced || (ticks[i] - ticks[i - 1]) * band >= 22, `${ticks} at ${band} pixels`);
      }
    }
  }
});

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

test('a panel that is drawn once more after it has left the page widens no axis and is not kept', () => {
  const axis = new SharedAxis();
  const [gone, right] = [{isConnected: true}, {isConnected: true}];
  axis.join(gone, 'accuracy', [0.1, 0.8]);
  gone.isConnected = false;
  axis.leave(gone);
  assert.deepEqual(axis.join(gone, 'accuracy', [0.1, 0.8]), [0.1, 0.8]);
  assert.deepEqual(axis.join(right, 'accuracy', [0.6, 0.9]), [0.6, 0.9]);
  gone.isConnected = true;
  assert.deepEqual(axis.join(gone, 'accuracy', [0.1, 0.8]), [0.1, 0.9]);
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
