import assert from 'node:assert/strict';
import {test} from 'node:test';
import {numberFacts, provenanceRows, shellWords} from '../../../lit_probe/client/panels/provenance_card.js';
import {RECORDED} from '../example_answers.mjs';

const CARD = {
  model: {id: 'org/encoder', revision: null, sha256: {weights: 'abc', config: 'def'}},
  pooling: 'mean', max_length: 128, keep: 'head', probe: 'logistic', seed: 0, versions: {torch: '2.0'},
  datasets: {sst2: {
    label_names: ['negative', 'positive'], n: {train: 6920, dev: 872}, share_truncated: {train: 0.0123, dev: null}, headline: 'balanced_accuracy',
    decision: {rule: 'prior', shares: [0.7, 0.3]}, best_layer: 4, choice: {layer: 4, among: [3, 4], rule: 'one_se'}, data: {source: 'a folder', sha256: {train: '123'}, seed: 0,
      rows: {train: {available: 6920, used: 6920}, dev: {available: 900, used: 872}}, dropped: {'train rows whose text also stands in dev or test': 3}},
  }},
};

test('the card’s facts stand in groups, and what is not known is left out or said', () => {
  const groups = provenanceRows(CARD);
  assert.deepEqual(groups.map(({title}) => title), ['Encoder', 'Settings', 'Data set sst2', 'Library versions']);
  assert.deepEqual(groups[0].facts, [['model', 'org/encoder'], ['revision', 'not given'], ['sha256 of weights', 'abc'], ['sha256 of config', 'def']]);
  const facts = Object.fromEntries(groups[2].facts);
  assert.equal(facts['rows used'], 'train 6,920, dev 872');
  assert.equal(facts['rows available'], 'train 6,920, dev 900');
  assert.equal(facts['left out at load'], '3 train rows whose text also stands in dev or test');
  assert.equal(facts['texts truncated'], 'train 1.2 %');
  assert.equal(facts['layer chosen on dev'], '4, among 3, 4 (one se)');
  assert.equal(facts['class decided by'], 'largest probability ÷ share of train');
  assert.equal(facts['scored by'], 'balanced accuracy');
  assert.equal(facts.seed, '0');
  assert.equal(facts['sha256 of train'], '123');
});

test('a model that was in a program’s memory is told, and has no revision', () => {
  const [{facts}] = provenanceRows({...CARD, model: {...CARD.model, id: 'mine', in_memory: true}});
  assert.deepEqual(facts.slice(0, 2), [['model', 'mine (in a program’s memory)'], ['sha256 of weights', 'abc']]);
});

test('a command can be pasted into a shell, whatever its words hold', () => {
  assert.equal(shellWords(['lit-probe', '--datasets=csv=my file.csv', "--text_column=it's"]), "lit-probe '--datasets=csv=my file.csv' '--text_column=it'\\''s'");
  assert.equal(shellWords(['--model=sentence-transformers/all-MiniLM-L6-v2']), '--model=sentence-transformers/all-MiniLM-L6-v2');
});

test('a number says by what and on which rows it was measured', () => {
  const number = {...RECORDED.provenance.card.number, layer: 3, value: 'dev 0.783', metric: 'balanced_accuracy'};
  const facts = Object.fromEntries(numberFacts(number));
  assert.equal(facts.check, 'scores by layer');
  assert.equal(facts.metric, 'balanced accuracy');
  assert.equal(facts.layer, '3');
  assert.equal(facts.rows, 'whole data set');
  assert.match(facts['dev rows'], /^60 texts, sha256 [0-9a-f]{64}$/);
  assert.match(facts.interval, /Wilson/);
  assert.equal(provenanceRows({...CARD, number})[0].title, 'This number');
  const control = numberFacts({check: 'selectivity', control: 'first_word', labellings: '5, by the first usable seeds from 0 on'});
  assert.deepEqual(control, [['check', 'selectivity'], ['control labels by', 'first word'], ['control labellings', '5, by the first usable seeds from 0 on']]);
});

test('a template stands on one line among the settings, and texts alone say none', () => {
  const settings = (card) => Object.fromEntries(provenanceRows(card).find(({title}) => title === 'Settings').facts);
  const {template, chat} = settings({...CARD, template: 'Review: {text}\nIt was', chat: 'user\n{text}\n'});
  assert.equal(template, 'Review: {text}\\nIt was');
  assert.equal(chat, 'user\\n{text}\\n');
  assert.ok(!('template' in settings(CARD)) && !('chat' in settings(CARD)));
});
