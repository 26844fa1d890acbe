import assert from 'node:assert/strict';
import {test} from 'node:test';
import {emptySlices, facetGroups, lookedAt, sliceGroups, sliceP, slicesSentence, undefinedSentence} from '../../../lit_probe/client/curves/slices.js';
import {RECORDED} from '../example_answers.mjs';

const INPUTS = ['film', 'product', 'product', '', null, false].map((domain, i) => ({id: `e${i}`, data: {domain}, meta: {}}));
const told = (groups) => groups.map(({name, inputs}) => [name, inputs.map(({id}) => id)]);

test('values of a column become groups, the largest first, then by name', () => {
  assert.deepEqual(told(facetGroups(INPUTS, 'domain')), [
    ['(none)', ['e3', 'e4']], ['product', ['e1', 'e2']], ['false', ['e5']], ['film', ['e0']],
  ]);
});

test('an example may stand in several slices, and empty slices are left out', () => {
  const slices = [{name: 'few', ids: ['e0']}, {name: 'gone', ids: ['e9']}, {name: 'more', ids: ['e0', 'e1']}];
  assert.deepEqual(told(sliceGroups(INPUTS, slices)), [['more', ['e0', 'e1']], ['few', ['e0']]]);
});

test('slices without any of the examples are named, empty ones are not', () => {
  const inputs = [{id: 'a', data: {}, meta: {}}, {id: 'b', data: {}, meta: {}}];
  assert.deepEqual(emptySlices(inputs, [{name: 'both', ids: ['a', 'b']}, {name: 'train only', ids: ['c']}, {name: 'nothing', ids: []}]), ['train only']);
});

test('groups of one size stand in the order in which people count', () => {
  const inputs = ['class 10', 'class 9', 'class 1', 'b', 'a'].map((topic, i) => ({id: String(i), data: {topic}}));
  assert.deepEqual(facetGroups(inputs, 'topic').map(({name}) => name), ['a', 'b', 'class 1', 'class 9', 'class 10']);
});

const NAMES = ['film', 'book', 'food'];
const SLICE = (p, corrected, reason = '', n = 40) => ({n, difference: 0.1, p, p_corrected: corrected, reason});
const COMPARISON = {layer: 4, split: 'dev', n_compared: 3, slices: [SLICE(0.01, 0.03), SLICE(0.02, 0.06), SLICE(0.5, 0.9)]};
const said = (changes) => slicesSentence({names: NAMES, nLooked: 3, comparison: COMPARISON, corrected: true, ...changes});

test('the slices that differ are named, corrected for how many are shown', () => {
  assert.equal(said({}), '3 slices shown. At layer 4 film differs from all examples, corrected for 3 slices.');
  const none = {...COMPARISON, slices: COMPARISON.slices.map((one) => ({...one, p_corrected: 0.05}))};
  assert.equal(said({comparison: none}), '3 slices shown. At layer 4 none differs from all examples, corrected for 3 slices.');
});

test('without the correction it is said what chance alone does', () => {
  assert.equal(said({corrected: false}), '3 slices shown. At layer 4 film, book differ from all examples, not corrected: of 3 slices that do not differ, '
    + 'at least one seems to in up to 14 % of cases.');
  assert.match(said({corrected: false, comparison: {...COMPARISON, n_compared: 20}}), /up to 64 % of cases/);
});

test('of many slices a few are named, and a single one needs no correction', () => {
  const names = Array.from({length: 8}, (_, i) => `s${i}`);
  const comparison = {...COMPARISON, n_compared: 8, slices: names.map(() => SLICE(0.001, 0.008))};
  assert.match(said({names, nLooked: 8, comparison}), /s0, s1, s2, s3, s4, 3 more differ from/);
  const one = {...COMPARISON, n_compared: 1, slices: [SLICE(0.01, 0.01)]};
  assert.equal(said({names: ['film'], nLooked: 1, comparison: one}), '1 slice shown. At layer 4 film differs from all examples.');
  assert.equal(said({comparison: null}), '3 slices shown.');
});

test('it is said how many slices are compared, and why the others are not', () => {
  const [apart, alike] = [SLICE(0.01, 0.03), SLICE(0.4, 0.6)];
  const [none, oneClass] = [SLICE(null, null, 'no row', 0), SLICE(null, null, "no row has 'yes'")];
  const names = ['a', 'b', 'c', 'd', 'e'];
  const of = (n, ...slices) => slicesSentence({names: names.slice(0, slices.length), nLooked: 1, comparison: {...COMPARISON, n_compared: n, slices}, corrected: true});
  assert.equal(of(2, alike, alike, none, oneClass, none),
    "5 slices shown, 2 compared. At layer 4 none of these differs from all examples, corrected for 2 slices. Not compared: c, e (no dev example); d (no row has 'yes').");
  assert.equal(of(2, apart, alike, none), '3 slices shown, 2 compared. At layer 4 a differs from all examples, corrected for 2 slices. Not compared: c (no dev example).');
  assert.equal(of(1, alike, none), '2 slices shown, 1 compared. At layer 4 it does not differ from all examples. Not compared: b (no dev example).');
  assert.equal(of(0, oneClass, none), "2 slices shown. None can be compared with all examples. Not compared: a (no row has 'yes'); b (no dev example).");
  const many = Array.from({length: 8}, (_, i) => `s${i}`);
  assert.match(slicesSentence({names: many, nLooked: 8, comparison: {...COMPARISON, n_compared: 0, slices: many.map(() => none)}, corrected: true}),
    /Not compared: s0, s1, s2, s3, s4, 3 more \(no dev example\)\.$/);
});

test('the slice with the most dev examples stands first, whatever test holds', () => {
  const rows = [['a', 'test'], ['a', 'test'], ['a', 'test'], ['b', 'dev'], ['b', 'dev'], ['a', 'dev']];
  const inputs = rows.map(([topic, split], i) => ({id: `e${i}`, data: {topic, probe_split: split}, meta: {}}));
  assert.deepEqual(facetGroups(inputs, 'topic').map(({name}) => name), ['b', 'a']);
  assert.deepEqual(facetGroups(inputs.filter(({data}) => data.probe_split === 'test'), 'topic').map(({name}) => name), ['a']);
});

test('where the metric is defined on no slice it is said what to pick', () => {
  const about = {metric_title: 'Balanced accuracy'};
  const of = (...scores) => ({layers: scores.map((score, layer) => ({layer, score, low: null, high: null}))});
  assert.match(undefinedSentence([of(null, null), of(null, null)], about), /^Balanced accuracy is not defined on any of these slices.* accuracy in “Probe by layer”/);
  assert.equal(undefinedSentence([of(null, null), of(0.5, null)], about), '');
  assert.equal(undefinedSentence([], about), '');
});

test('slices of other columns count among those that were looked at, and none counts twice', () => {
  assert.equal(lookedAt('model a', 'domain', NAMES), 3);
  assert.equal(lookedAt('model a', 'domain', NAMES), 3);
  assert.equal(lookedAt('model a', 'label', ['no', 'film']), 5);
  assert.equal(lookedAt('model b', 'label', ['no', 'yes']), 2);
  assert.equal(said({nLooked: 5}), '3 slices shown (5 looked at since the page was loaded). At layer 4 film differs from all examples, corrected for 3 slices.');
});

test('a slice without a score has no p-value', () => {
  assert.deepEqual([sliceP(COMPARISON, 1, false), sliceP(COMPARISON, 1, true), sliceP(COMPARISON, 9, true), sliceP(null, 0, true)], [0.02, 0.06, null, null]);
});

test('the answer that a server gave is said, too', () => {
  const {slice_comparison: recorded} = RECORDED;
  assert.equal(recorded.slices.length, 2);
  assert.match(slicesSentence({names: ['one', 'two'], nLooked: 2, comparison: recorded, corrected: true}), /^2 slices shown\. At layer 1 .* from all examples, corrected for 2 slices\.$/);
});
