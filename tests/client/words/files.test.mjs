import assert from 'node:assert/strict';
import {test} from 'node:test';
import {fileName} from '../../../lit_probe/client/words/files.js';

test('a file’s name keeps letters, digits, dots, underscores and hyphens', () => {
  assert.equal(fileName('card_all-MiniLM-L6-v2.json'), 'card_all-MiniLM-L6-v2.json');
  assert.equal(fileName('layer_metrics_org/model_a b_recall:très bien.csv'), 'layer_metrics_org_model_a_b_recall_tr_s_bien.csv');
  assert.equal(fileName('../x.svg'), '_x.svg');
});
