import assert from 'node:assert/strict';
import {test} from 'node:test';
import {editOfAddress, withMeta} from '../../../lit_probe/client/page/address.js';

const META = {added: true, source: 'manual', parentId: 'abc'};
const SPEC = {text: {name: 'TextSegment'}, note: {name: 'TextSegment'}, truncated: {name: 'BooleanLitType'}, stars: {name: 'Scalar'}};
const READ = {data: {text: 'a', note: 'its default', truncated: 'false', stars: '4.5', _id: '', _meta: {source: 'url'}}, id: '', meta: {source: 'url', added: true}};
const TOLD = {text: 'a', truncated: 'false', stars: '4.5', rule: 'negation', _meta: JSON.stringify({source: 'manual', parentId: 'abc'})};

test('an address says where an edit comes from, and not its id', () => {
  const address = withMeta('/lit/?data_text=a%3F&data__meta=%5Bobject+Object%5D&data__id=x&layout=edits', (id) => (id === 'x' ? META : undefined));
  const parameters = new URLSearchParams(address.split('?')[1]);
  assert.deepEqual([...parameters.keys()], ['data_text', 'data__meta', 'layout']);
  assert.deepEqual(JSON.parse(parameters.get('data__meta')), {source: 'manual', parentId: 'abc'});
  assert.equal(parameters.get('data_text'), 'a?');
  assert.ok(address.startsWith('/lit/?'));
});

test('an address without an edit stays as LIT writes it', () => {
  for (const address of ['/?layout=words&selection=a%2Cb', '/', '/?x=what?']) assert.equal(withMeta(address, () => undefined), address);
});

test('an edit comes back with the types of its fields, its original and what a generator added', () => {
  const {data, meta} = editOfAddress(READ, TOLD, SPEC);
  assert.deepEqual(data, {text: 'a', note: '', truncated: false, stars: 4.5, rule: 'negation', _id: '', _meta: meta});
  assert.deepEqual(meta, {source: 'manual', added: true, parentId: 'abc'});
});

test('an address by hand, an old or a broken one is read as LIT reads it', () => {
  for (const _meta of [undefined, '[object Object]', '{"parentId": ', '7']) assert.equal(editOfAddress(READ, {text: 'a', _meta}, SPEC), READ);
});

test('nothing but words is taken from what an address says of an edit', () => {
  const {meta} = editOfAddress(READ, {...TOLD, _meta: JSON.stringify({parentId: {a: 1}, source: 'manual', added: false, other: 'x'})}, SPEC);
  assert.deepEqual(meta, {source: 'manual', added: true});
});
