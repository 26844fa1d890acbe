import assert from 'node:assert/strict';
import {test} from 'node:test';
import {provenanceRows} from '../../lit_probe/client/lib/provenance_rows.js';
import {shellWords} from '../../lit_probe/client/lib/shell_words.js';

const CARD = {
  model: {id: 'org/encoder', revision: null, sha256: {weights: 'abc', config: 'def'}},
  pooling: 'mean', max_length: 128, keep: 'head', probe: 'logistic', seed: 0, versions: {torch: '2.0'},
  datasets: {sst2: {
    label_names: ['negative', 'positive'], n: {train: 6920, dev: 872}, share_truncated: {train: 0.0123, dev: null}, headline: 'balanced_accuracy',
    best_layer: 4, data: {source: 'a folder', sha256: {train: '123'}, seed: 0},
  }},
};

test('the card’s facts stand in groups, and what is not known is left out', () => {
  const groups = provenanceRows(CARD);
  assert.deepEqual(groups.map(({title}) => title), ['Encoder', 'Settings', 'Data set sst2', 'Library versions']);
  assert.deepEqual(groups[0].facts, [['model', 'org/encoder'], ['sha256 of weights', 'abc'], ['sha256 of config', 'def']]);
  const facts = Object.fromEntries(groups[2].facts);
  assert.equal(facts.examples, 'train 6,920, dev 872');
  assert.equal(facts['texts truncated'], 'train 1.2 %');
  assert.equal(facts['layer chosen on dev'], '4, by balanced accuracy');
  assert.equal(facts.seed, '0');
  assert.equal(facts['sha256 of train'], '123');
});

test('a command can be pasted into a shell, whatever its words hold', () => {
  assert.equal(shellWords(['lit-probe', '--datasets=csv=my file.csv', "--text_column=it's"]), "lit-probe '--datasets=csv=my file.csv' '--text_column=it'\\''s'");
  assert.equal(shellWords(['--model=sentence-transformers/all-MiniLM-L6-v2']), '--model=sentence-transformers/all-MiniLM-L6-v2');
});
