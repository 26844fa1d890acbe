import assert from 'node:assert/strict';
import {test} from 'node:test';
import {editedFields} from '../../../lit_probe/client/page/generator_panel.js';

const original = {data: {text: 'fine', label: 'positive', probe_split: 'dev', truncated: false}, meta: {}};
const edit = (changes) => ({data: {...original.data, ...changes}, meta: {parentId: 'a'}});
const find = (id) => (id === 'a' ? original : null);

test('the columns of a table of edits are what the models read and what differs from the original', () => {
  const edits = [edit({text: 'not fine', rule: 'negation'}), edit({text: 'fine indeed'})];
  assert.deepEqual([...editedFields(edits, find, ['text', 'label'])].sort(), ['label', 'rule', 'text']);
});

test('of an edit whose original is not known all columns are shown', () => {
  const stray = {...edit({}), meta: {parentId: 'gone'}};
  assert.deepEqual([...editedFields([stray], find, [])], Object.keys(original.data));
});
