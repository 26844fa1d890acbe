import assert from 'node:assert/strict';
import {test} from 'node:test';
import {svgText} from '../../../lit_probe/client/charts/svg.js';
import {
  distanceChart, pairsCharts, pairsCsv, trajectoryChart, trajectoryCsv, trajectoryValues,
} from '../../../lit_probe/client/counterfactuals/counterfactual_charts.js';
import {
  editedPairs, failingPairs, flipSentence, idsOfPairs, judgedSentence, madeSentence,
} from '../../../lit_probe/client/counterfactuals/edit_pairs.js';
import {editPair} from '../../../lit_probe/client/page/edit_pair.js';

const row = (id) => ({id, data: {}, meta: {}});
const edit = (id, parentId) => ({id, data: {}, meta: {added: true, parentId}});
const [A, B, A1, A2, B1, LOST] = [row('a'), row('b'), edit('a1', 'a'), edit('a2', 'a'), edit('b1', 'b'), edit('lost', 'gone')];
const INPUTS = [A, B, A1, B1, A2, LOST];

test('a selected edit is compared with its parent, and a parent with its last edit', () => {
  assert.deepEqual(editPair({primary: A1, pinned: null, inputs: INPUTS}), {original: A, edit: A1, how: 'edit'});
  assert.deepEqual(editPair({primary: A, pinned: null, inputs: INPUTS}), {original: A, edit: A2, how: 'edit'});
});

test('a pinned example is compared with the selected one, an edit never as the original of its parent', () => {
  assert.deepEqual(editPair({primary: B, pinned: A, inputs: INPUTS}), {original: A, edit: B, how: 'pinned'});
  assert.deepEqual(editPair({primary: A1, pinned: A, inputs: INPUTS}), {original: A, edit: A1, how: 'edit'});
  assert.deepEqual(editPair({primary: A, pinned: A1, inputs: INPUTS}), {original: A, edit: A1, how: 'edit'});
  assert.deepEqual(editPair({primary: A2, pinned: A1, inputs: INPUTS}), {original: A1, edit: A2, how: 'pinned'});
  assert.deepEqual(editPair({primary: A, pinned: A, inputs: INPUTS}), {original: A, edit: A2, how: 'edit'});
});

test('without an edit there is no pair, and an edit without its parent says so', () => {
  assert.equal(editPair({primary: null, pinned: A, inputs: INPUTS}), null);
  assert.equal(editPair({primary: B, pinned: null, inputs: [A, B, A1]}), null);
  assert.equal(editPair({primary: LOST, pinned: null, inputs: INPUTS}), 'orphan');
  assert.deepEqual(editPair({primary: LOST, pinned: B, inputs: INPUTS}), {original: B, edit: LOST, how: 'pinned'});
});

test('all edits of the page are found with their parents', () => {
  assert.deepEqual(editedPairs(INPUTS), {pairs: [[A, A1], [B, B1], [A, A2]], nOrphans: 1});
  assert.deepEqual(editedPairs([A, B]), {pairs: [], nOrphans: 0});
});

test('the layers that flip are said in a sentence', () => {
  const say = (layers, identical = false) => flipSentence({flip_layers: layers, n_layers: 6, identical});
  assert.equal(say([3, 4, 5]), 'The probe answers otherwise from layer 3 on.');
  assert.equal(say([5]), 'The probe answers otherwise at the last layer only.');
  assert.equal(say([0, 1, 2, 3, 4, 5]), 'The probe answers otherwise at every layer.');
  assert.equal(say([2]), 'The probe answers otherwise at layer 2 only.');
  assert.equal(say([1, 2, 3]), 'The probe answers otherwise at layers 1 to 3.');
  assert.equal(say([1, 2]), 'The probe answers otherwise at layers 1 and 2.');
  assert.equal(say([0, 2, 5]), 'The probe answers otherwise at layers 0, 2 and 5.');
  assert.equal(say([]), 'The probe of every layer gives both texts the same answer.');
  assert.match(say([], true), /same: nothing differs/);
});

test('a sentence says in how many pairs something is expected of the label, and that the others are not counted', () => {
  const say = (n, nJudged, nChanges) => judgedSentence({n, n_judged: nJudged, n_label_changes: nChanges});
  assert.equal(say(12, 12, 12), 'The label changes in all of them.');
  assert.equal(say(12, 12, 3), 'The label changes in 3 of them.');
  assert.equal(say(12, 12, 0), 'The label changes in none of them.');
  assert.equal(say(12, 5, 3), 'In 5 of them it is known what becomes of the label (it changes in 3); the other 7 are not counted in consistency and median change.');
  assert.match(say(2, 1, 1), /changes in all\); the other one is not counted/);
  assert.equal(say(4, 0, 0), 'Nothing is expected of the label in any of them, so none is counted in consistency and median change.');
});

test('an edit says what made it and what is expected of its label, or that nothing is', () => {
  assert.equal(madeSentence({rule: 'negation: is → is not', expectation: 'label expected to change'}), 'negation: is → is not (the label is expected to change)');
  assert.equal(madeSentence({rule: 'good → odd', expectation: 'no expectation'}), 'good → odd (nothing is expected of the label)');
  assert.equal(madeSentence({rule: 'good → odd'}), 'good → odd (nothing is expected of the label)');
});

const layers = (make) => [0, 1, 2].map((layer) => ({layer, ...make(layer)}));
const ANSWER = {
  label_names: ['neg', 'pos'], class_index: 1, class_name: 'pos', first_flip: 1, flip_layers: [1, 2], n_layers: 3, best_layer: 2, identical: false,
  layers: layers((i) => ({before: [0.3 - i / 10, 0.7 + i / 10], after: [0.4 + i / 5, 0.6 - i / 5], margin_before: 1 + i, margin_after: 0.5 - i, margin_change: -0.5 - 2 * i,
    cosine: 0.01 * i, mahalanobis: i, typical_cosine: 0.4, typical_mahalanobis: 9, flipped: i > 0})),
};
const SUMMARY = {n: 4, n_judged: 3, n_units: 2, reliable: false, layers: layers((i) => ({consistency: 0.5, consistency_low: i ? 0.1 : null, consistency_high: i ? 0.9 : null, flip_rate: 0.4, flip_rate_low: 0.1,
  flip_rate_high: 0.8, median_change: -0.1, median_change_low: null, median_change_high: null}))};
const PAIRS = {...SUMMARY, source: 'dataset', column: 'pair_id', by: 'kind', kinds: [{value: 'plain, "odd"', pairs: [0, 2], ...SUMMARY}], n_layers: 3, best_layer: 2,
  consistent: [[true, true, true, true], [false, true, false, true], [true, false, false, false]],
  pairs: [{ids: ['a', 'b']}, {ids: ['c', null]}, {ids: ['a', 'd']}, {ids: ['e', 'f']}]};

test('both texts are lines with the room between them shaded, and the first flip is marked', () => {
  assert.deepEqual(trajectoryValues(ANSWER, 'probability').map(({before}) => before), ANSWER.layers.map(({before}) => before[1]));
  assert.deepEqual(trajectoryValues(ANSWER, 'margin').map(({after}) => after), [0.5, -0.5, -1.5]);
  for (const measure of ['probability', 'margin']) {
    const drawing = svgText(trajectoryChart(ANSWER, measure, {width: 420, height: 240, current: 1, hovered: 2}));
    assert.ok(!/NaN|Infinity|undefined/.test(drawing));
    assert.match(drawing, /class="series original line"/);
    assert.match(drawing, /class="series edit line"/);
    assert.equal(drawing.match(/class="band /g).length, 1);
    assert.match(drawing, /first flip/);
    assert.equal(drawing.match(/class="marked-layer"/g).length, 2);
    assert.match(drawing, /class="reference even"/);
    assert.match(drawing, /of “pos”/);
  }
  const still = svgText(trajectoryChart({...ANSWER, first_flip: null, flip_layers: []}, 'probability', {width: 420, height: 240}));
  assert.ok(!/first flip|marked-layer/.test(still));
  const three = svgText(trajectoryChart({...ANSWER, label_names: ['a', 'b', 'c']}, 'probability', {width: 420, height: 240}));
  assert.ok(!/reference even/.test(three));
});

test('distances stand beside the usual ones, and no distance at all can be drawn', () => {
  const nothing = {...ANSWER, layers: ANSWER.layers.map((one) => ({...one, cosine: 0, typical_cosine: 0}))};
  for (const answer of [ANSWER, nothing]) {
    const drawing = svgText(distanceChart(answer, 'cosine', {width: 220, height: 120}));
    assert.ok(!/NaN|Infinity/.test(drawing));
    assert.match(drawing, /class="series typical line"/);
  }
});

test('many pairs are drawn with their intervals, and without where there is none', () => {
  for (const drawing of pairsCharts(SUMMARY, PAIRS, {width: 420, height: 240, current: 0}).map(svgText)) assert.ok(!/NaN|Infinity|undefined/.test(drawing));
  const unjudged = {layers: SUMMARY.layers.map((one) => ({...one, consistency: null, consistency_low: null, consistency_high: null, median_change: null}))};
  const [shares, change] = pairsCharts(unjudged, PAIRS, {width: 420, height: 240, current: 0}).map(svgText);
  assert.ok(!/NaN|Infinity|undefined/.test(shares + change));
  assert.match(shares, /series consistency line"><path class="line" d=""/);
});

test('pairs that a layer does not follow are found among all or among some, with their ids', () => {
  assert.deepEqual(failingPairs(PAIRS, 1), [0, 2]);
  assert.deepEqual(failingPairs(PAIRS, 2, [0, 2]), [2]);
  assert.deepEqual(failingPairs(PAIRS, 0), []);
  assert.deepEqual(failingPairs({consistent: [[null, false, true, null]]}, 0), [1]);
  assert.deepEqual(idsOfPairs(PAIRS, [0, 1, 2]), ['a', 'b', 'c', 'd']);
});

test('the tables hold every layer, all kinds and every digit', () => {
  const table = trajectoryCsv('m', 'd', {original: 'a, b', edit: 'c'}, ANSWER).trim().split('\r\n');
  assert.equal(table.length, 4);
  assert.ok(table[0].endsWith('original_probability_neg,original_probability_pos,edit_probability_neg,edit_probability_pos'));
  assert.ok(table[3].startsWith('m,d,"a, b",c,2,true,pos,3,-1.5,-4.5,0.02,0.4,2,9,'));
  const pairs = pairsCsv('m', 'd', PAIRS).trim().split('\r\n');
  assert.equal(pairs.length, 7);
  assert.ok(pairs[1].startsWith('m,d,pair_id,kind,all,4,3,2,false,0,0.5,,,0.4,0.1,0.8,-0.1,,'));
  assert.ok(pairs[4].startsWith('m,d,pair_id,kind,"plain, ""odd""",4,'));
});

test('the lines of numbers fill the chart, however small their unit', () => {
  const layers = [0, 1, 2].map((layer) => ({layer, before: [1 + 1e-9 * layer], after: [1 + 2e-9 * layer], cosine: 0, mahalanobis: 0}));
  const about = {...ANSWER, label_names: [], class_index: 0, layers, n_layers: 3, flip_layers: [], first_flip: null};
  const heights = (answer) => [...svgText(trajectoryChart(answer, 'probability', {width: 420, height: 240})).matchAll(/cy="([\d.]+)"/g)].map(([, y]) => Number(y));
  const found = heights(about);
  assert.ok(Math.max(...found) - Math.min(...found) > 70, found.join());
  const flat = heights({...about, layers: layers.map((row) => ({...row, before: [5], after: [5]}))});
  assert.ok(flat.every((y) => y === flat[0] && Number.isFinite(y)));
});
