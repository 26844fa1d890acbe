import assert from 'node:assert/strict';
import {test} from 'node:test';
import {barCell} from '../../../lit_probe/client/charts/bar_cell.js';
import {
  faithfulnessMeasures, meanText, measureChart, qualityCsv, stabilityMeasures,
} from '../../../lit_probe/client/salience/measures.js';
import {wordsChart, wordsCsv, wordsDomain} from '../../../lit_probe/client/salience/salient_words_views.js';
import {textOf, withClass} from '../example_answers.mjs';

const mean = (value) => ({mean: value, low: value - 0.1, high: value + 0.1, n: 20});
const MEASURES = {
  comprehensiveness: mean(0.3), comprehensiveness_normalised: mean(0.8), sufficiency: mean(0.1), sufficiency_normalised: mean(0.7), tau_loo: mean(0.4), macro_f1_masked: mean(0.5),
};
const FAILED = Object.fromEntries(Object.keys(MEASURES).map((name) => [name, null]));
const FAITHFULNESS = {
  explained: 'probe at layer 2', scalar: 'probability', map_scalar: 'logit', n_texts: 20, seed: 0, bins: [10, 20, 30, 40, 50],
  methods: [{method: 'lime', title: 'LIME', reason: '', ...MEASURES}, {method: 'ig', title: 'Integrated gradients', reason: 'No gradient.', ...FAILED}],
  random: {...MEASURES, comprehensiveness_normalised: mean(0.45)}, macro_f1: mean(0.9),
  limits: {comprehensiveness: {best: 0.6, worst: -0.1}, sufficiency: {best: -0.05, worst: 0.6}, tau_loo: {best: 1, worst: -1}, macro_f1_masked: {best: 0.2, worst: 0.95}},
};
const STABILITY = {
  explained: 'probe at layer 2', scalar: 'logit', n_texts: 20, seed: 0, n_seeds: 5,
  edits: [{name: 'bye', title: 'append “ Bye.”', n: 20}, {name: 'spaces', title: 'double a space', n: 0}],
  methods: [{method: 'lime', title: 'LIME', deterministic: false, reason: '', seeds: mean(0.8), edits: mean(0.7), edit_correlation: mean(0.2)},
    {method: 'occlusion', title: 'Occlusion', deterministic: true, reason: '', seeds: {mean: 1, low: 1, high: 1, n: 20}, edits: mean(0.9), edit_correlation: {mean: null, low: null, high: null, n: 0}}],
};

test('bars of faithfulness are normalised between the limits, beside the raw fall, and end with the random order', () => {
  const [comprehensiveness] = faithfulnessMeasures(FAITHFULNESS);
  assert.deepEqual(comprehensiveness.rows.map(({name, quiet}) => [name, quiet]), [['lime', false], ['ig', false], ['random', true]]);
  assert.equal(comprehensiveness.rows[0].bar.mean, 0.8);
  assert.equal(comprehensiveness.rows[0].raw.mean, 0.3);
  assert.deepEqual(comprehensiveness.references, [0.45]);
  assert.match(comprehensiveness.sentence, /probability.*10 to 50 %.*worst possible on average −0\.100, best 0\.600/);
});

test('the macro-F1 of the texts as they are is marked, and said to be missing without gold labels', () => {
  const marked = faithfulnessMeasures(FAITHFULNESS).find(({name}) => name === 'macro_f1_masked');
  assert.deepEqual(marked.references, [0.9]);
  const nothing = {mean: null, low: null, high: null, n: 0};
  const unlabelled = faithfulnessMeasures({...FAITHFULNESS, macro_f1: nothing, random: {...FAITHFULNESS.random, macro_f1_masked: nothing},
    limits: {...FAITHFULNESS.limits, macro_f1_masked: {best: null, worst: null}}}).find(({name}) => name === 'macro_f1_masked');
  assert.deepEqual(unlabelled.references, []);
  assert.match(unlabelled.sentence, /No gold label is known/);
});

test('stability greys methods without a seed and names the edits that count', () => {
  const [seeds, edits] = stabilityMeasures(STABILITY);
  assert.deepEqual(seeds.rows.map(({title, quiet}) => [title, quiet]), [['LIME', false], ['Occlusion', true]]);
  assert.ok(edits.rows.every(({quiet}) => !quiet));
  assert.equal(seeds.rows[1].bar.mean, 1);
  assert.match(edits.sentence, /append “ Bye\.”\.$/);
});

test('a bar begins at zero, and its interval stays on the axis', () => {
  const view = {width: 108, height: 18, domain: /** @type {[number, number]} */ ([-1, 1])};
  const [bar] = withClass(barCell({mean: 0.5, low: 0.2, high: 3}, view), 'bar');
  assert.equal(Number(bar.attributes.x), 54);
  assert.equal(Number(bar.attributes.width), 25);
  const [left] = withClass(barCell({mean: -0.5, low: null, high: null}, view), 'bar');
  assert.equal(Number(left.attributes.x), 29);
  // An end that lies beyond the axis has no mark.
  assert.match(String(withClass(barCell({mean: 0.5, low: 0.2, high: 3}, view), 'interval')[0].attributes.d), /^M64\.0,6v6M64\.0,9H104\.0$/);
  assert.equal(withClass(barCell({mean: null, low: null, high: null}, view), 'bar').length, 0);
});

test('the figure says why a method failed', () => {
  const rows = withClass(measureChart(faithfulnessMeasures(FAITHFULNESS)[0], {width: 760}), 'measure-row');
  assert.match(textOf(rows[0]), /LIME.*0\.800 \[0\.700, 0\.900\] · fall 0\.300/);
  assert.match(textOf(rows[1]), /Integrated gradients.*No gradient\./);
  assert.equal(meanText({mean: null, low: null, high: null}), '–');
});

test('the table of both checks has every number, the random order and the limits', () => {
  const lines = qualityCsv('tiny', 'demo', {faithfulness: FAITHFULNESS, stability: STABILITY}).trim().split('\r\n');
  assert.ok(lines.includes('tiny,demo,probe at layer 2,20,0,faithfulness,lime,tau_loo,0.4,0.30000000000000004,0.5,20,'));
  assert.ok(lines.some((line) => line.includes('faithfulness,random,comprehensiveness_normalised,0.45')));
  assert.ok(lines.some((line) => line.includes('faithfulness,best possible,sufficiency,-0.05')));
  assert.ok(lines.some((line) => line.includes('ig,tau_loo,,,,,No gradient.')));
  assert.ok(lines.some((line) => line.includes('stability,occlusion,seeds,1,1,1,20')));
});

const WORDS = {
  explained: 'probe at layer 2', method: 'lime', scalar: 'logit', target: 'predicted', rows: {ids: ['x', 'y', 'z']},
  classes: [{class_name: 'positive', n_texts: 3, words: [{word: 'great', count: 2, n_occurrences: 3, mean: 0.4, low: 0.1, high: 0.7, positions: [0, 2]}]}, {class_name: 'negative', n_texts: 0, words: []}],
};

test('salient words share one axis that holds zero, also where there are none, and one wide interval does not shrink the bars', () => {
  assert.deepEqual(wordsDomain(WORDS), [0, 0.7]);
  const wide = {...WORDS.classes[0].words[0], low: -9, high: 9};
  assert.deepEqual(wordsDomain({classes: [{words: [...WORDS.classes[0].words, wide]}]}), [-0.8, 0.8]);
  assert.deepEqual(wordsDomain({classes: []}), [0, 1]);
});

test('salient words are drawn with their counts and saved with their examples', () => {
  assert.match(textOf(wordsChart(WORDS.classes[0], [0, 0.7], {width: 760})), /positive \(3 texts\).*great.*0\.4 \[0\.1, 0\.7\] · 2 texts/s);
  assert.ok(wordsCsv('tiny', 'demo', WORDS).includes('positive,3,great,2,3,0.4,0.1,0.7,x z'));
});
