import assert from 'node:assert/strict';
import {test} from 'node:test';
import {drawnLayers} from '../../../lit_probe/client/curves/drawn_series.js';
import {drawnSeries} from '../../../lit_probe/client/curves/drawn_series.js';
import {DEV, TEST, TRAIN} from '../example_answers.mjs';

const USUAL = {dev: true, testEverywhere: false, train: false};
const modes = (series, wishes = USUAL) => Object.fromEntries(drawnSeries(series, wishes).map(({series: {split}, mode}) => [split, mode]));

test('by default dev is a line, test a single point, and train is not drawn', () => {
  assert.deepEqual(modes([TRAIN, DEV, TEST]), {dev: 'line', test: 'point', train: 'hidden'});
});

test('the whole test curve is drawn only on request', () => {
  assert.equal(modes([DEV, TEST], {...USUAL, testEverywhere: true}).test, 'line');
});

test('hiding dev does not unveil the test curve', () => {
  assert.deepEqual(modes([DEV, TEST], {...USUAL, dev: false}), {dev: 'hidden', test: 'point'});
});

test('without dev rows the test curve is drawn', () => {
  assert.equal(modes([TEST]).test, 'line');
  assert.equal(modes([TRAIN, TEST]).test, 'line');
});

test('train is drawn on request, or when the rows hold nothing else', () => {
  assert.equal(modes([TRAIN, DEV], {...USUAL, train: true}).train, 'line');
  assert.equal(modes([TRAIN]).train, 'line');
});

test('held-out splits come first', () => {
  assert.deepEqual(drawnSeries([TRAIN, DEV, TEST], USUAL).map(({series}) => series.split), ['dev', 'test', 'train']);
});

test('a line has all layers, a point the dev-chosen one, a hidden series none', () => {
  assert.deepEqual(drawnLayers(TEST, 'line', 2), TEST.layers);
  assert.deepEqual(drawnLayers(TEST, 'point', 2), [TEST.layers[2]]);
  assert.deepEqual(drawnLayers(TEST, 'hidden', 2), []);
});
