import assert from 'node:assert/strict';
import {test} from 'node:test';
import {emptySlices, facetGroups, sliceGroups} from '../../../lit_probe/client/curves/slices.js';

const INPUTS = ['film', 'product', 'product', '', null, false].map((domain, i) => ({id: `e${i}`, data: {domain}, meta: {}}));
const told = (groups) => groups.map(({name, inputs}) => [name, inputs.map(({id}) => id)]);

test('values of a column become groups, the largest first, then by name', () => {
  assert.deepEqual(told(facetGroups(INPUTS, 'domain')), [
    ['(none)', ['e3', 'e4']], ['product', ['e1', 'e2']], ['false', ['e5']], ['film', ['e0']],
  ]);
});

test('an example may stand in several slices, and empty slices are left out', () => {
  const slices = [{name: 'few', ids: ['e0']}, {name: 'gone', ids: ['e9']}, {name: 'more', ids: ['e0', 'e1']}];
  assert.deepEqual(told(sliceGroups(INPUTS, slices)), [['more', ['e0', 'e1']], ['few', ['e0']]]);
});

test('slices without any of the examples are named, empty ones are not', () => {
  const inputs = [{id: 'a', data: {}, meta: {}}, {id: 'b', data: {}, meta: {}}];
  assert.deepEqual(emptySlices(inputs, [{name: 'both', ids: ['a', 'b']}, {name: 'train only', ids: ['c']}, {name: 'nothing', ids: []}]), ['train only']);
});

test('groups of one size stand in the order in which people count', () => {
  const inputs = ['class 10', 'class 9', 'class 1', 'b', 'a'].map((topic, i) => ({id: String(i), data: {topic}}));
  assert.deepEqual(facetGroups(inputs, 'topic').map(({name}) => name), ['a', 'b', 'class 1', 'class 9', 'class 10']);
});
