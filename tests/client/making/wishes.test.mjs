import assert from 'node:assert/strict';
import {test} from 'node:test';
import {COLUMN, NEW_FORM, questionOf, SELECTION, SLICES, WORDS} from '../../../lit_probe/client/making/wishes.js';

const row = (id, added = false) => ({id, data: {}, meta: {added}});
const INPUTS = ['a', 'b', 'c', 'd', 'e'].map((id) => row(id));
const PAGE = {inputs: INPUTS, selected: [], slices: []};
const asked = (change, page = {}) => questionOf({...NEW_FORM, ...change}, {...PAGE, ...page});

test('a column is asked for by its name, and choices that are as on the page are not named', () => {
  assert.deepEqual(asked({what: COLUMN, target: 'domain'}), {title: 'domain', inputs: [], config: {target: 'domain'}});
  assert.deepEqual(asked({what: COLUMN, target: 'label', probe: 'mlp', pooling: 'cls', sites: 'heads'}).config,
    {target: 'label', probe: 'mlp', pooling: 'cls', sites: 'heads'});
});

test('words may stand between blanks, commas or bars', () => {
  for (const words of ['not never', ' not,never ', 'not | never', 'not\nnever']) assert.equal(asked({what: WORDS, words}).config.target, 'holds:not|never');
  for (const words of ['', ' ', ',|']) assert.match(asked({what: WORDS, words}).problem, /Type one or more words/);
});

test('a selection is told from the rest, without edited examples', () => {
  const found = asked({what: SELECTION}, {inputs: [...INPUTS, row('f', true)], selected: ['d', 'b', 'f']});
  assert.deepEqual(found.inputs.map(({id}) => id), ['b', 'd', 'a', 'c', 'e']);
  assert.deepEqual(found.config.picked, {names: ['selection', 'rest'], n_first: 2});
});

test('one example, none and all are no selection', () => {
  for (const selected of [[], ['a'], ['a', 'b', 'c', 'd', 'e'], ['a', 'b', 'c', 'd']]) assert.match(asked({what: SELECTION}, {selected}).problem, /leave some unselected/);
});

test('two slices are told apart, in their names', () => {
  const slices = [{name: 'short', ids: ['a', 'c']}, {name: 'long', ids: ['b', 'e', 'gone']}];
  const found = asked({what: SLICES, first: 'long', second: 'short'}, {slices});
  assert.equal(found.title, 'long against short');
  assert.deepEqual(found.inputs.map(({id}) => id), ['b', 'e', 'a', 'c']);
  assert.deepEqual(found.config.picked, {names: ['long', 'short'], n_first: 2});
  assert.match(asked({what: SLICES, first: 'long', second: 'long'}, {slices}).problem, /two different slices/);
  assert.match(asked({what: SLICES, first: 'long', second: 'gone'}, {slices}).problem, /two different slices/);
  assert.match(asked({what: SLICES}, {slices: slices.slice(1)}).problem, /Make two slices first/);
});
