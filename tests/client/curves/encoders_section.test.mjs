import assert from 'node:assert/strict';
import {test} from 'node:test';
import {encoderSentence} from '../../../lit_probe/client/curves/encoders_section.js';
import {RECORDED} from '../example_answers.mjs';

const FOUND = {layer: 3, other: 2, metric: 'accuracy', n: 1166, difference: 0.06, low: 0.012, high: 0.108, p_bootstrap: 0.02, p_mcnemar: 0.016, reliable: true, reason: ''};

test('two encoders are compared at their layers, on the same rows, with interval and test', () => {
  assert.equal(encoderSentence('bert', 'electra', FOUND),
    'bert at layer 3 less electra at layer 2, on the same 1,166 dev rows: 0.060 [0.012, 0.108], p = 0.016 (McNemar’s test)');
});

test('rows in groups have the bootstrap test, few rows a warning', () => {
  const said = encoderSentence('bert', 'electra', {...FOUND, p_mcnemar: null, reliable: false, reason: 'dev has 9 rows of “negative”'});
  assert.match(said, /p = 0.020 \(bootstrap test\)\. Not to be relied on: dev has 9 rows/);
});

test('the answer of a server has what the sentence says', () => {
  assert.match(encoderSentence('a', 'a', RECORDED.encoder_comparison), /^a at layer \d less a at layer \d, on the same \d+ dev rows: 0\.000, p = 1\.000/);
});
