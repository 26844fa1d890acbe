import assert from 'node:assert/strict';
import {test} from 'node:test';
import {buttonNames, columnName, columnWords, modelsOn, partsOf, shortName} from '../../../lit_probe/client/page/model_names.js';

const DATASETS = ['demo', 'sst2', 'ab-on-sst2'];
const MODELS = ['bert-on-demo', 'minilm-on-demo', 'bert-on-sst2', 'minilm-on-ab-on-sst2'];

test('a model has an encoder and a data set, and the longest data set counts', () => {
  assert.deepEqual(partsOf('bert-on-demo', DATASETS), {encoder: 'bert', trainedOn: 'demo'});
  assert.deepEqual(partsOf('minilm-on-ab-on-sst2', DATASETS), {encoder: 'minilm', trainedOn: 'ab-on-sst2'});
  assert.deepEqual(partsOf('a-on-b-on-demo', DATASETS), {encoder: 'a-on-b', trainedOn: 'demo'});
  assert.equal(partsOf('a classifier', DATASETS), null);
});

test('beside its own data set a model is called by its encoder, elsewhere the data set is named, and other models keep their name', () => {
  assert.equal(shortName('bert-on-demo', 'demo', DATASETS), 'bert');
  assert.equal(shortName('bert-on-sst2', 'demo', DATASETS), 'bert (probes of sst2)');
  assert.equal(shortName('a classifier', 'demo', DATASETS), 'a classifier');
});

test('with another data set each encoder brings the probes of that data set, once, or stays where it has none', () => {
  assert.deepEqual(modelsOn(['bert-on-demo', 'minilm-on-demo'], 'sst2', MODELS, DATASETS), ['bert-on-sst2', 'minilm-on-demo']);
  assert.deepEqual(modelsOn(['bert-on-demo', 'bert-on-sst2'], 'demo', MODELS, DATASETS), ['bert-on-demo']);
  assert.deepEqual(modelsOn(['a classifier'], 'demo', MODELS, DATASETS), ['a classifier']);
});

test('a column drops the name of the only model, and names the model shortly where there are several', () => {
  const nameOf = (model) => shortName(model, 'demo', DATASETS);
  assert.equal(columnName('bert-on-demo:probe:class', ['bert-on-demo'], nameOf), 'probe:class');
  assert.equal(columnName('bert-on-demo:probe:class', ['bert-on-demo', 'minilm-on-demo'], nameOf), 'probe:class · bert');
  assert.equal(columnName('label', ['bert-on-demo'], nameOf), 'label');
});

test('what a probe predicts is told in words, and of which encoder where there are several', () => {
  const nameOf = (model) => shortName(model, 'demo', DATASETS);
  const both = ['bert-on-demo', 'minilm-on-demo'];
  assert.equal(columnWords('bert-on-demo:probe_color_by:class', ['bert-on-demo'], nameOf), 'the class that the probe predicts');
  assert.equal(columnWords('bert-on-demo:probe_color_by:class', both, nameOf), 'the class that the probe predicts (bert)');
  assert.equal(columnWords('bert-on-demo:probe_color_by:correct', ['bert-on-demo'], nameOf), 'whether the probe is right');
  assert.equal(columnWords('bert-on-demo:probe_layer_03:class', both, nameOf), 'probe_layer_03:class · bert');
  assert.equal(columnWords('a classifier:probe_color_by:class', ['bert-on-demo'], nameOf), 'a classifier:probe_color_by:class');
  for (const own of ['label', 'probe_color_by:class', '']) assert.equal(columnWords(own, both, nameOf), own);
});

test('a run beside another run of its encoder is called by its brackets on the buttons', () => {
  assert.deepEqual(buttonNames(['bert', 'bert (cls)', 'bert (random weights)', 'electra']), ['bert', '… (cls)', '… (random weights)', 'electra']);
  assert.deepEqual(buttonNames(['bert (cls)', 'bert (mlp)']), ['bert (cls)', '… (mlp)']);
});

test('where it could be another encoder that is meant, the name is whole', () => {
  for (const names of [['bert', 'electra', 'bert (cls)'], ['bert (mlp)', 'electra (mlp)'], ['bert', 'bert-base'], ['bert', 'bert (probes of b)']]) {
    assert.deepEqual(buttonNames(names), names);
  }
});
