import assert from 'node:assert/strict';
import {test} from 'node:test';
import {bandPath} from '../../../lit_probe/client/charts/line_chart.js';
import {linePath} from '../../../lit_probe/client/charts/line_chart.js';

test('a line goes through its points in order', () => {
  assert.equal(linePath([{x: 0, y: 5}, {x: 10, y: 2.5}]), 'M0.00,5.00L10.00,2.50');
});

test('a point without a value interrupts the line', () => {
  assert.equal(linePath([{x: 0, y: 1}, {x: 1, y: null}, {x: 2, y: 3}, {x: 3, y: 4}]), 'M0.00,1.00M2.00,3.00L3.00,4.00');
});

test('a line without values is empty', () => {
  assert.equal(linePath([{x: 0, y: null}]), '');
});

test('a band runs along the upper ends and back along the lower ones', () => {
  const points = [{x: 0, low: 8, high: 2}, {x: 10, low: 7, high: 1}];
  assert.equal(bandPath(points), 'M0.00,2.00L10.00,1.00L10.00,7.00L0.00,8.00Z');
});

test('points without an interval split the band, and a single point has no area', () => {
  const at = (x) => ({x, low: 8, high: 2});
  const path = bandPath([at(0), at(1), {x: 2, low: null, high: null}, at(3), {x: 4, low: null, high: 1}, at(5), at(6)]);
  assert.equal(path.split('Z').length - 1, 2);
  assert.ok(!path.includes('3.00,2'));
});
