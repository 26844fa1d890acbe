import assert from 'node:assert/strict';
import {test} from 'node:test';
import {scoreDomain} from '../../../lit_probe/client/curves/score_domain.js';
import {DEV, makeSeries, TEST, TRAIN} from '../example_answers.mjs';

test('the axis holds every drawn score, interval and majority line', () => {
  const [low, high] = scoreDomain([{series: DEV, mode: 'line'}, {series: TEST, mode: 'line'}], 2);
  assert.ok(low < TEST.majority);
  assert.ok(high > 0.812 + 0.02);
});

test('what is not drawn takes no room', () => {
  const withHidden = scoreDomain([{series: DEV, mode: 'line'}, {series: TRAIN, mode: 'hidden'}], 2);
  assert.deepEqual(withHidden, scoreDomain([{series: DEV, mode: 'line'}], 2));
});

test('a lone point takes the room of its own layer only', () => {
  const low = makeSeries('test', [0.1, 0.2, 0.806, 0.3], {majority: 0.05});
  const [least] = scoreDomain([{series: DEV, mode: 'line'}, {series: low, mode: 'point'}], 2);
  assert.ok(least > 0.4);
});

test('the axis stops at 1 and at 0 where the scores do', () => {
  const [, high] = scoreDomain([{series: makeSeries('dev', [0.9, 0.98], {majority: 0.9}), mode: 'line'}], 0);
  assert.equal(high, 1);
  const [low] = scoreDomain([{series: makeSeries('dev', [0.02, 0.03], {majority: 0}), mode: 'line'}], 0);
  assert.equal(low, 0);
});

test('log-loss above 1 and correlations below 0 are not cut off', () => {
  assert.ok(scoreDomain([{series: makeSeries('dev', [1.4, 0.6], {majority: 0.69}), mode: 'line'}], 0)[1] > 1.4);
  assert.ok(scoreDomain([{series: makeSeries('dev', [-0.2, 0.3], {majority: 0}), mode: 'line'}], 0)[0] < -0.2);
});

test('equal scores get an axis of a tenth at least, also at the very top', () => {
  for (const score of [0.5, 0.999, 0.001]) {
    const series = {...makeSeries('dev', [score, score], {majority: null})};
    series.layers = series.layers.map((one) => ({...one, low: score, high: score}));
    const [low, high] = scoreDomain([{series, mode: 'line'}], 0);
    assert.ok(high - low >= 0.1 - 1e-12 && low <= score && score <= high, `${low}–${high}`);
  }
});

test('no score at all still gives an axis', () => {
  assert.deepEqual(scoreDomain([], 0), [0, 1]);
  assert.deepEqual(scoreDomain([{series: makeSeries('dev', [null, null], {majority: null}), mode: 'line'}], 0), [0, 1]);
});
