import assert from 'node:assert/strict';
import {readFileSync} from 'node:fs';
import {test} from 'node:test';
import {columnName, leftOutWords, loadedProbes, loadProbes, scoreLines} from '../../../lit_probe/client/curves/kept_probe_section.js';
import {base64Of, bytesOf, MAX_FILE} from '../../../lit_probe/client/words/files.js';

const recorded = JSON.parse(readFileSync(new URL('../recorded_answers.json', import.meta.url), 'utf8')).kept_probe_scores;
const score = (layer, value) => ({layer, score: value, low: value - 0.1, high: value + 0.1});
const answer = {
  layers: [0, 1], layer: 1, same_classes: true, n_trained_on: 0, notes: [],
  series: [
    {split: 'dev', n: 1200, reliable: true, reason: '', layers: [score(0, 0.5), score(1, 0.75)]},
    {split: 'test', n: 20, reliable: false, reason: 'fewer than 30 rows', layers: [score(1, 0.7)]},
  ],
};
const CHOSEN = 'Their chosen layer 1: dev 0.750 [0.650, 0.850], n = 1,200 · test 0.700 [0.600, 0.800], n = 20 (not to be relied on: fewer than 30 rows)';

test('the chosen layer is told once, and another one before it', () => {
  assert.deepEqual(scoreLines(answer, 1), [CHOSEN]);
  assert.deepEqual(scoreLines(answer, 0), ['Layer 0: dev 0.500 [0.400, 0.600], n = 1,200', CHOSEN]);
});

test('a layer that the file does not have is told', () => {
  assert.equal(scoreLines(answer, 4)[0], 'Layer 4: the file has layers 0 and 1 alone');
  assert.equal(scoreLines({...answer, layers: [1]}, 4)[0], 'Layer 4: the file has layer 1 alone');
});

test('other classes have no scores, and no rows have none', () => {
  assert.deepEqual(scoreLines({...answer, same_classes: false, series: []}, 1), []);
  assert.deepEqual(scoreLines({...answer, series: []}, 1), ['None of these rows can be scored.']);
});

test('rows of training are counted before the notes', () => {
  assert.deepEqual(leftOutWords({...answer, notes: ['a']}), ['a']);
  assert.match(leftOutWords({...answer, n_trained_on: 1})[0], /^One of these rows is left out/);
  assert.match(leftOutWords({...answer, n_trained_on: 1200, notes: ['a']})[0], /^1,200 of these rows are left out/);
});

test('a column has the name of its file and something of its content, and nothing that a page could take for a tag', () => {
  assert.equal(columnName({name: 'a.b.safetensors', content: '', hash: 36 ** 4 + 1}), 'a.b 0001');
  assert.equal(columnName({name: '<img src=x>.safetensors', content: '', hash: 36 ** 5}), '‹img src=x› 0000');
});

test('a file that cannot be read is told, and takes the place of the one before', async () => {
  const named = (name, arrayBuffer) => /** @type {any} */ ({name, size: 3, arrayBuffer});
  await loadProbes(named('a.safetensors', async () => new Uint8Array([1, 2, 3]).buffer));
  assert.equal(loadedProbes.get().file.content, 'AQID');
  await loadProbes(named('b.safetensors', async () => { throw new Error('it was moved'); }));
  assert.deepEqual(loadedProbes.get(), {file: null, problem: 'b.safetensors cannot be read: it was moved. Choose it again.'});
});

test('an answer of the server has its lines', () => {
  assert.match(scoreLines(recorded, recorded.layer)[0], /^Their chosen layer \d: dev \d\.\d+ \[.*\], n = \d+ · test/);
});

test('bytes survive base64, many of them too', () => {
  const bytes = Uint8Array.from({length: 100_003}, (_, i) => (i * 7) % 256);
  assert.deepEqual(bytesOf(base64Of(bytes)), bytes);
  assert.equal(base64Of(new Uint8Array()), '');
  const python = readFileSync(new URL('../../../lit_probe/lit/interpreters/kept_probes.py', import.meta.url), 'utf8');
  assert.match(python, /^MAX_FILE = 16 \* 2\*\*20$/m);
  assert.equal(MAX_FILE, 16 * 2 ** 20);
});
