import assert from 'node:assert/strict';
import {test} from 'node:test';
import {
  ablationCurve, ablationRows, beforeAfter, drawnClasses, neuronHistogram, rankingQualityChart, rowsDomain, stabilityChart,
} from '../../../lit_probe/client/neurons/neuron_charts.js';
import {
  changeConfig, choicesOf, chooseNeurons, FIRST_NEURON_CHOICES, isOff, openedNeuron, pickUnits, rankingKeys, setWords,
  togglePick, unitsAt,
} from '../../../lit_probe/client/neurons/neuron_choices.js';
import {factorsCsv, neuronsCsv, tokensCsv} from '../../../lit_probe/client/neurons/neuron_files.js';
import {
  classScoreWords, curveVerdict, movedSentence, percent, separationSentence, stabilitySentence, textVerdict,
} from '../../../lit_probe/client/neurons/neuron_sentences.js';
import {strongestTexts} from '../../../lit_probe/client/neurons/token_matrix.js';
import {closeGaps, matrixLines} from '../../../lit_probe/client/words/side_by_side.js';
import {findAll, textOf, withClass} from '../example_answers.mjs';

const NEURONS = [
  {rank: 1, layer: 4, unit: 17, name: '4:17', score: 0.5, class_scores: [-0.5, 0.5]},
  {rank: 2, layer: 4, unit: 3, name: '4:3', score: 0.25, class_scores: [0.25, -0.25]},
];
const CATALOGUE = {
  methods: [{name: 'weight_mass', options: []}, {name: 'l1', options: ['regression', 'strength', 'seed']}],
  options: {seed: {default: 0}, strength: {default: 0.001}, greedy: {default: 0}, regression: {default: 'logistic'}},
};
const TEXT = {
  layer: 4, layers: [4, 5], label_names: ['negative', 'positive'], decision: {rule: 'argmax', shares: []}, before: [[[0.25, 0.75], [0.375, 0.625]]], after: [[[0.5, 0.5], [0.75, 0.25]]],
  model: {label_names: ['a', 'b', 'c'], before: [[0.125, 0.25, 0.625]], after: [[0.125, 0.25, 0.625]]},
  judged: [{matched: true, exceeded: 17, notes: [], moved: 0.25, random_moved: 0.26, random_moved_low: 0.2, random_moved_high: 0.3}],
  random: {n: 20, low: [[[0.2, 0.7], [0.3, 0.6]]], high: [[[0.3, 0.8], [0.4, 0.7]]], model: {low: [[0.1, 0.2, 0.6]], high: [[0.2, 0.3, 0.65]]}},
};
const choices = (changes) => ({...FIRST_NEURON_CHOICES, ...changes});

test('the opened neuron is shown while the list is about its layer, else the first of the list', () => {
  assert.equal(openedNeuron(choices({}), 4, NEURONS), '4:17');
  assert.equal(openedNeuron(choices({opened: '4:3'}), 4, NEURONS), '4:3');
  assert.equal(openedNeuron(choices({opened: '2:3'}), 4, NEURONS), '4:17');
  assert.equal(openedNeuron(choices({opened: '2:3'}), null, NEURONS), '2:3');
  assert.equal(openedNeuron(choices({}), 4, []), null);
});

test('chosen neurons of other layers stay when a set of one layer is chosen', () => {
  assert.deepEqual(pickUnits(['2:9', '4:1'], 4, [17, 3]), ['2:9', '4:17', '4:3']);
  assert.deepEqual(unitsAt(['2:9', '4:17', '4:3'], 4), [3, 17]);
  assert.deepEqual(togglePick(togglePick(['2:9'], '4:3'), '2:9'), ['4:3']);
});

test('a ranking is asked with the options that it reads and that are not the default', () => {
  const options = {seed: '0', strength: '0.1', greedy: '50', regression: 'linear'};
  assert.deepEqual(rankingKeys(choices({method: 'l1', options}), CATALOGUE), {method: 'l1', strength: '0.1', regression: 'linear'});
  assert.deepEqual(rankingKeys(choices({method: 'gone', options}), CATALOGUE), {method: 'weight_mass'});
});

test('what is taken away is asked with what matters to it alone', () => {
  const picked = ['4:17', '4:3', '2:9'];
  assert.deepEqual(changeConfig(choices({picked}), 4), {layer: 4, units: [3, 17], replacement: 'mean'});
  assert.deepEqual(changeConfig(choices({picked, replacement: 'scale', factor: 2}), 4), {layer: 4, units: [3, 17], replacement: 'scale', factor: 2});
  assert.deepEqual(changeConfig(choices({picked, what: 'direction'}), 4), {layer: 4, what: 'direction'});
});

test('something is off at the layer where it was switched off, as long as there is something', () => {
  const off = {layer: 4, what: 'neurons'};
  assert.equal(isOff(choices({off, picked: ['4:3']}), 4), true);
  assert.equal(isOff(choices({off, picked: ['4:3']}), 5), false);
  assert.equal(isOff(choices({off, picked: ['5:3']}), 4), false);
  assert.equal(isOff(choices({off, picked: ['4:3'], what: 'direction'}), 4), false);
  assert.equal(isOff(choices({picked: ['4:3']}), 4), false);
});

test('each model has choices of its own', () => {
  chooseNeurons('one', {opened: '4:3'});
  assert.equal(choicesOf('one').opened, '4:3');
  assert.equal(choicesOf('two').opened, null);
});

test('a set is named as long as it is short', () => {
  assert.deepEqual([[], [3], [3, 17], [1, 2, 3, 4]].map((units) => setWords(4, units)), ['no neuron of layer 4', 'neuron 4:3', 'neurons 4:3 and 4:17', '4 neurons of layer 4']);
});

test('rows of an ablation speak of the class that was predicted before, also of the model’s own head', () => {
  const rows = ablationRows(TEXT, 0);
  assert.deepEqual(rows.map(({name, own, className, predictedAfter, before, after}) => [name, own, className, predictedAfter, before, after]), [
    ['layer 4', true, 'positive', 'negative', 0.75, 0.5], ['layer 5', false, 'positive', 'negative', 0.625, 0.25], ['the model’s own head', false, 'c', 'c', 0.625, 0.625]]);
  const rare = ablationRows({...TEXT, decision: {rule: 'prior', shares: [0.8, 0.2]}}, 0);
  assert.deepEqual(rare.map(({className, predictedAfter}) => [className, predictedAfter]), [['positive', 'positive'], ['positive', 'positive'], ['c', 'c']]);
  assert.deepEqual(rows.map(({low, high}) => [low, high]), [[0.7, 0.8], [0.6, 0.7], [0.6, 0.65]]);
  assert.deepEqual(ablationRows({...TEXT, random: null, model: null}, 0).map(({low}) => low), [null, null]);
});

test('the axis of the rows holds all that is drawn, is not too narrow, and stays within 0 and 1', () => {
  const [low, high] = rowsDomain(ablationRows(TEXT, 0));
  assert.ok(low <= 0.25 && high >= 0.8 && low >= 0 && high <= 1);
  const [from, to] = rowsDomain([{before: 0.99, after: 0.99, low: null, high: null}]);
  assert.ok(to === 1 && to - from >= 0.1);
});

test('the verdict leaves the changed layer’s own probe out, and needs random changes', () => {
  const rows = ablationRows(TEXT, 0);
  const [judged] = TEXT.judged;
  assert.match(textVerdict(rows, 20, judged), /more than with 17 of the 20 random sets of like size\. One text is little evidence/);
  assert.match(textVerdict(rows, 20, {...judged, exceeded: 20}), /20 of the 20 .*1 text in 21/);
  assert.match(textVerdict([rows[0]], 20, {...judged, exceeded: null}), /^No layer comes after this one/);
  assert.match(textVerdict(rows, 0, {...judged, matched: false, exceeded: null}), /no random set/);
  for (const exceeded of [0, 20]) assert.doesNotMatch(textVerdict(rows, 20, {...judged, exceeded}), /depends/);
});

test('random changes of another size give no verdict, but say so', () => {
  const unlike = {...TEXT.judged[0], matched: false, exceeded: 20, notes: ['The random changes move 0.1 times as far.']};
  assert.equal(textVerdict(ablationRows(TEXT, 0), 20, unlike), 'The random changes move 0.1 times as far.');
  const row = {layer: 5, flipped: 0.5, beyond: true, random_flipped: 0.02, random_flipped_low: 0, random_flipped_high: 0.05};
  const verdict = curveVerdict({layer: 4, layers: [row], model: null, n_random: 20, ...unlike});
  assert.match(verdict, /move 0\.1 times as far\.$/);
  assert.doesNotMatch(verdict, /depends/);
});

test('how far the hidden states are moved is said as it was measured', () => {
  assert.equal(movedSentence(TEXT.judged[0]), 'The change moves the hidden states by 0.25 of their length, the random ones by 0.26 (0.2 to 0.3).');
  assert.equal(movedSentence({moved: 0.25, random_moved: null}), 'The change moves the hidden states by 0.25 of their length.');
});

test('the verdict over the data compares the share of changed answers with all random sets', () => {
  const row = (layer, flipped) => ({layer, flipped, beyond: layer > 4 && flipped > 0.25, random_flipped: 0.02, random_flipped_low: 0, random_flipped_high: 0.05});
  const answer = (exceeded, ...flipped) => ({layer: 4, layers: flipped.map((share, i) => row(4 + i, share)), model: null, n_random: 20, matched: true, notes: [], exceeded});
  assert.match(curveVerdict(answer(9, 0.5, 0.04)), /^4.0 % of the answers of layer 5 change; .*More than with 9 of the 20 .*nothing says that the pass depends on it\.$/);
  // More than all random sets at one layer is not more than all at all layers together.
  assert.match(curveVerdict(answer(19, 0.5, 0.06)), /nothing says that the pass depends on it/);
  assert.match(curveVerdict(answer(20, 0.5, 0.3, 0.04)), /More than with any of the 20 random sets .* most clearly at layer 5: there the pass depends on it/);
  assert.match(curveVerdict(answer(null, 0.5)), /^No layer comes after this one/);
  assert.match(curveVerdict({...answer(20, 0.5, 0.1), n_random: 0}), /no random set/);
  assert.match(curveVerdict({...answer(20, 0.5, 0), model: {flipped: 0.25, beyond: true, random_flipped: 0, random_flipped_low: 0, random_flipped_high: 0}}), /^25 % of the answers of the model’s own head/);
});

test('sentences about one neuron and about the ranking say what chance would give', () => {
  assert.equal(separationSentence({label: 'good', n: 9, auroc: 0.75, auroc_low: 0.5, auroc_high: 0.9}),
    'A text with the label good activates it more than another one does with probability 0.75 [0.50, 0.90]; 0.5 is chance.');
  assert.match(separationSentence({label: 'good', n: 1, auroc: null, auroc_low: null, auroc_high: null}), /too few texts \(1\)/);
  assert.equal(classScoreWords(['bad', 'good'], [-0.5, 0.5]), 'bad −0.5, good 0.5');
  assert.match(stabilitySentence({n_draws: 20, points: [{k: 10, jaccard: 0.25, chance: 0.0131}]}), /first 10 .* 0\.250 .* chance 0\.013/);
  assert.deepEqual([0, 0.004, 0.0999, 0.5, 1].map(percent), ['0 %', '0.4 %', '10 %', '50 %', '100 %']);
});

test('the histogram draws a row of shares per class on one scale, and marks texts', () => {
  const answer = {edges: [0, 1, 2], classes: [{label: 'negative', n: 4, counts: [4, 0], mean: 0.5}, {label: 'positive', n: 40, counts: [20, 20], mean: 1}]};
  const chart = neuronHistogram(answer, {width: 400, marks: [{label: 'selected', value: 3}]});
  const heights = withClass(chart, 'class-histogram').map((row) => withClass(row, 'bar').map(({attributes}) => Number(attributes.height)));
  assert.equal(heights[0].length, 1);
  assert.ok(Math.abs(heights[0][0] / heights[1][0] - 2) < 1e-2);
  assert.equal(heights[1][0], heights[1][1]);
  assert.equal(textOf(withClass(chart, 'text-mark')[0]).trim(), 'selected');
  assert.ok(textOf(chart).includes('n = 40'));
});

test('a histogram of a neuron that never changes, or of an empty class, is drawn all the same', () => {
  const chart = neuronHistogram({edges: [2, 2], classes: [{label: 'a', n: 0, counts: [0], mean: null}, {label: 'b', n: 3, counts: [3], mean: 2}]}, {width: 400});
  assert.ok(!JSON.stringify(chart).includes('NaN'));
});

test('before and after are drawn over the range of the random changes', () => {
  const [row] = ablationRows(TEXT, 0);
  const drawing = beforeAfter(row, {width: 114, height: 18, domain: [0, 1]});
  const x = (name) => Number(withClass(drawing, name)[0].attributes.cx);
  assert.deepEqual([x('before'), x('after')], [7 + 75, 7 + 50]);
  assert.equal(withClass(drawing, 'random')[0].attributes.x, '76.00');
  assert.equal(withClass(beforeAfter({...row, low: null, high: null}, {width: 114, height: 18, domain: [0, 1]}), 'random').length, 0);
});

const ofClasses = (chart, classes) => findAll(chart, ({attributes}) => attributes.class === classes);

test('curves of ablation, erasure, ranking and stability draw what they were given', () => {
  const layers = [4, 5].map((layer) => ({layer, before: 0.8, after: 0.7, random: 0.79, random_low: 0.75, random_high: 0.8}));
  const curve = ablationCurve({layers, title: 'Accuracy'}, {width: 400, height: 200, nLayers: 7});
  assert.deepEqual(['before', 'after', 'random'].map((name) => ofClasses(curve, `series ${name} line`).length), [1, 1, 1]);
  assert.equal(ofClasses(curve, 'band random').length, 1);
  assert.equal(ofClasses(curve, 'band after').length, 0);
  // One point has no band, but a bar.
  const last = ablationCurve({layers: layers.slice(1), title: 'Accuracy'}, {width: 400, height: 200, nLayers: 7});
  assert.equal(ofClasses(last, 'series random point').length, 1);
  assert.equal(ofClasses(last, 'band random').length, 0);
  const score = (value) => ({value, low: value - 0.1, high: value + 0.1});
  const quality = rankingQualityChart({metric_title: 'Accuracy', majority: 0.5, full: score(0.8), points: [1, 10].map((share) => ({percent: share, top: score(0.7), bottom: score(0.5), random: {mean: 0.6, low: 0.5, high: 0.7}}))}, {width: 400, height: 200});
  assert.equal(ofClasses(quality, 'series top line').length, 1);
  assert.equal(ofClasses(quality, 'reference majority').length, 1);
  const stable = stabilityChart({points: [{k: 10, jaccard: 0.2, low: 0.1, high: 0.4, with_full: 0.3, chance: 0.01}, {k: 50, jaccard: 0.4, low: 0.3, high: 0.5, with_full: 0.5, chance: 0.1}]}, {width: 400, height: 200});
  assert.equal(ofClasses(stable, 'series chance line').length, 1);
  for (const chart of [curve, quality, stable]) assert.ok(!JSON.stringify(chart).includes('NaN'));
});

const tokens = (words, aligned = null) => ({tokens: words.split(' '), special: words.split(' ').map((word) => word === '[CLS]'), aligned});
const shown = (lines) => lines.map(({first, second}) => [first?.token ?? null, second?.token ?? null]);

test('the same tokens of two texts stand in one line, and replaced ones share theirs', () => {
  const texts = [tokens('[CLS] a bad film'), tokens('[CLS] a very good film indeed', [0, 1, null, null, 3, null])];
  const lines = matrixLines(texts);
  assert.deepEqual(shown(lines), [['[CLS]', '[CLS]'], ['a', 'a'], [null, 'very'], [null, 'good'], ['bad', null], ['film', 'film'], [null, 'indeed']]);
  assert.deepEqual(shown(closeGaps(lines)), [['[CLS]', '[CLS]'], ['a', 'a'], ['bad', 'very'], [null, 'good'], ['film', 'film'], [null, 'indeed']]);
  assert.deepEqual(shown(matrixLines([texts[0]])), [['[CLS]', null], ['a', null], ['bad', null], ['film', null]]);
  // Nothing is lost, whatever is aligned.
  assert.equal(closeGaps(matrixLines([texts[0], tokens('x y', [null, null])])).filter(({first}) => first).length, 4);
});

test('the texts on which a factor is strongest come first', () => {
  assert.deepEqual(strongestTexts([[0.1], [], [0.9, 0], [0.1]], 3), [2, 0, 3]);
});

test('tables hold every digit that the server sent', () => {
  const ranking = {method: 'l1', score_unit: 'share', label_names: ['negative', 'positive'], neurons: NEURONS, settings: {seed: 0}};
  const lines = neuronsCsv('m', 'd', ranking).trim().split('\r\n');
  assert.equal(lines.length, 1 + 4);
  assert.equal(lines[1], 'm,d,l1,"{""seed"":0}",share,1,4:17,4,17,0.5,negative,-0.5');
  const answer = {texts: [{...tokens('[CLS] a'), neurons: [{name: '4:3', values: [0.123456789, -1]}]}]};
  assert.equal(tokensCsv('m', 'd', ['x'], answer).trim().split('\r\n')[1], 'm,d,x,0,[CLS],true,4:3,0.123456789');
  const factors = {texts: [{text: 1, ...tokens('a film')}], factors: [{share: 1, on_texts: [[0.123456789, 1]]}], rows: {ids: ['x', 'y']}};
  assert.deepEqual(factorsCsv('m', 'd', factors).trim().split('\r\n'), ['model,dataset,text,position,token,pattern,value', 'm,d,y,0,a,1,0.123456789', 'm,d,y,1,film,1,1']);
});

test('of many classes those with enough examples have a histogram, or the largest ones', () => {
  const classes = (counts) => counts.map((n, i) => ({label: `topic ${i}`, n}));
  const few = classes([3, 2, 1]);
  assert.deepEqual(drawnClasses(few), few);
  const many = classes([12, 3, 4, 30, 2, 1, 5, 10, 9]);
  assert.deepEqual(drawnClasses(many).map(({label}) => label), ['topic 0', 'topic 3', 'topic 7']);
  assert.deepEqual(drawnClasses(classes([1, 2, 3, 4, 5, 6, 7, 8, 9])).map(({n}) => n), [4, 5, 6, 7, 8, 9]);
});
