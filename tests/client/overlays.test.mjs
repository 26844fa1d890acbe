import assert from 'node:assert/strict';
import {test} from 'node:test';
import {alikeSentence, optimismSentence} from '../../lit_probe/client/lib/comparison_sentences.js';
import {curveChart} from '../../lit_probe/client/lib/curve_chart.js';
import {curveCsv} from '../../lit_probe/client/lib/curve_csv.js';
import {layersAlike, overlaysOf} from '../../lit_probe/client/lib/overlays.js';
import {overlayValues} from '../../lit_probe/client/lib/overlay_values.js';
import {scoreDomain} from '../../lit_probe/client/lib/score_domain.js';
import {DEV, makeAnswer, textOf, withClass} from './example_answers.mjs';

const LAYERS = [0.5, 0.51, 0.52, 0.5].map((score, layer) => ({layer, score, low: score - 0.03, high: score + 0.03}));
const COMPARISON = {
  best_layer: 2, test: 'mcnemar',
  layers: [false, false, true, true].map((indistinguishable, layer) => ({layer, indistinguishable})),
  optimism: {layer: 2, dev: 0.812, test: 0.806, optimism: 0.006, low: -0.02, high: 0.03},
};
const KNOWN = {
  wishes: {majority: true, alike: true, embeddings: true, tfidf: true, shuffled: true, length: true},
  baselines: {tfidf: {score: 0.71, low: 0.68, high: 0.74}, shuffled: {layers: LAYERS}},
  comparison: COMPARISON, dev: DEV,
};

test('what is switched on and measured is drawn: one line per baseline, or one value per layer', () => {
  const overlays = overlaysOf(KNOWN);
  assert.deepEqual(overlays.references.map(({name, label}) => [name, label]), [['embeddings', 'embeddings 0.700'], ['tfidf', 'TF-IDF 0.710']]);
  assert.deepEqual(overlays.lines.map(({name, points}) => [name, points.length]), [['shuffled', 4]]);
  assert.deepEqual(overlays.shaded, [2, 3]);
});

test('what is switched off is not drawn, though it is known', () => {
  const overlays = overlaysOf({...KNOWN, wishes: {majority: false}});
  assert.deepEqual(overlays, {majority: false, references: [], lines: [], shaded: []});
});

test('a baseline that could not be fitted has no line', () => {
  assert.deepEqual(overlaysOf({...KNOWN, wishes: {tfidf: true}, baselines: {tfidf: {score: null, reason: 'no word repeats'}}}).references, []);
});

test('the axis makes room for the baselines', () => {
  const drawn = [{series: DEV, mode: 'line'}];
  const values = overlayValues(overlaysOf({...KNOWN, baselines: {tfidf: {score: 0.2}}}));
  assert.ok(scoreDomain(drawn, 2, {others: values})[0] <= 0.2);
  assert.ok(scoreDomain(drawn, 2, {majority: false})[0] > 0.509);
});

test('the chart names every baseline and shades like layers', () => {
  const drawn = [{series: DEV, mode: 'line'}];
  const overlays = overlaysOf(KNOWN);
  const drawing = curveChart(makeAnswer([DEV]), {width: 500, height: 300, drawn, domain: [0, 1], currentLayer: null, hoveredLayer: null, overlays});
  assert.deepEqual(withClass(drawing, 'end-label').map(textOf).sort(), ['TF-IDF 0.710', 'embeddings 0.700', 'shuffled labels']);
  assert.equal(withClass(drawing, 'shaded-layer').length, 2);
  assert.equal(withClass(drawing, 'band').length, 1);
});

test('drawn baselines are rows of the table', () => {
  const csv = curveCsv(makeAnswer([DEV]), [{series: DEV, mode: 'line'}], {model: 'm', dataset: 'sst2', examples: 'all'}, overlaysOf(KNOWN));
  const rows = csv.trimEnd().split('\r\n');
  assert.equal(rows.length, 1 + 4 + 2 + 4);
  assert.ok(rows.includes('m,sst2,all,sst2,baseline: tfidf,mean,accuracy,dev,,0.71,,,,,,'));
});

test('a best layer that stands alone shades nothing', () => {
  const alone = {...COMPARISON, layers: COMPARISON.layers.map((row) => ({...row, indistinguishable: row.layer === 2}))};
  assert.deepEqual(layersAlike(alone), []);
  assert.deepEqual(layersAlike(null), []);
  assert.equal(alikeSentence(alone), 'On dev every other layer differs from layer 2 (McNemar’s test, Holm-corrected).');
});

test('the comparison is said in words', () => {
  assert.equal(alikeSentence(COMPARISON), 'Layer 3 cannot be told apart from layer 2 on dev (McNemar’s test, Holm-corrected).');
  assert.equal(optimismSentence(COMPARISON), 'Optimism of the choice at layer 2: dev 0.812 − test 0.806 = 0.006 [−0.020, 0.030].');
  assert.equal(optimismSentence({optimism: {optimism: null}}), '');
});
