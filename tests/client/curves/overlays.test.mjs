import assert from 'node:assert/strict';
import {test} from 'node:test';
import {curveChart, scoreDomain} from '../../../lit_probe/client/curves/curve_chart.js';
import {curveCsv, paperFigure} from '../../../lit_probe/client/curves/curve_files.js';
import {
  alikeSentence, askedOfServer, comparedWith, differenceSentence, layersAlike, optimismSentence, OTHER_SPLITS, overlaysOf, overlayValues, repeatedText,
} from '../../../lit_probe/client/curves/overlays.js';
import {inSentence} from '../../../lit_probe/client/words/format.js';
import {DEV, makeAnswer, RECORDED, textOf, withClass} from '../example_answers.mjs';

const LAYERS = [0.5, 0.51, 0.52, 0.5].map((score, layer) => ({layer, score, low: score - 0.03, high: score + 0.03, draws: [score + 0.01, score - 0.02, score + 0.01]}));
const APART = {difference: -0.05, low: -0.09, high: -0.01, p_bootstrap: 0.004, p_mcnemar: 0.0002, p_holm: 0.0006, indistinguishable: false};
const ALIKE = {difference: -0.01, low: -0.03, high: 0.01, p_bootstrap: 0.3, p_mcnemar: 0.25, p_holm: 0.75, indistinguishable: true};
const OF_LAYER_2 = RECORDED.layer_comparison.layers.find(({p_holm: p}) => p === null);
/** A server's answer with other numbers, layer 2 being the best one. */
const COMPARISON = {
  ...RECORDED.layer_comparison, best_layer: 2,
  layers: [APART, APART, OF_LAYER_2, ALIKE].map((row, layer) => ({...row, layer})),
  optimism: {...RECORDED.layer_comparison.optimism, layer: 2, dev: 0.812, test: 0.806, optimism: 0.006, low: -0.02, high: 0.03},
};
const KNOWN = {
  compared: comparedWith(RECORDED.layer_metrics),
  wishes: {majority: true, alike: true, embeddings: true, tfidf: true, shuffled: true, length: true},
  baselines: {tfidf: {score: 0.71, low: 0.68, high: 0.74}, shuffled: {layers: LAYERS}},
  comparison: COMPARISON, dev: DEV,
};

test('what is switched on and measured is drawn: one line per baseline, or one value per layer', () => {
  const overlays = overlaysOf(KNOWN);
  assert.deepEqual(overlays.references.map(({name, label}) => [name, label]), [['embeddings', 'embeddings 0.700'], ['tfidf', 'TF-IDF 0.710']]);
  assert.deepEqual(overlays.lines.map(({name, points}) => [name, points.length]), [['shuffled', 4]]);
  assert.deepEqual(overlays.alike, [2, 3]);
});

test('baselines come from the server, behind what the curve itself holds', () => {
  assert.deepEqual(comparedWith(RECORDED.layer_metrics).map(({title}) => title),
    ['majority baseline', 'embeddings', ...RECORDED.layer_metrics.baselines.map(({title}) => inSentence(title))]);
  assert.deepEqual(askedOfServer({alike: true, majority: true, embeddings: false, tfidf: false, length: true}), ['tfidf', 'length']);
});

test('a baseline of several draws has their range as its band, and not the interval of one', () => {
  const [line] = overlaysOf(KNOWN).lines;
  assert.equal(line.nDraws, 3);
  assert.deepEqual(line.points[0], {x: 0, score: 0.5, low: 0.48, high: 0.51});
  const failed = overlaysOf({...KNOWN, baselines: {shuffled: {layers: [{layer: 0, score: null, low: null, high: null, draws: []}]}}}).lines[0];
  assert.deepEqual(failed.points, [{x: 0, score: null, low: null, high: null}]);
  const drawn = comparedWith(RECORDED.layer_metrics).filter(({nDraws}) => nDraws > 1).map(({name, nDraws}) => [name, nDraws]);
  assert.deepEqual(drawn, [['random_weights', 3], ['shuffled', 5]]);
});

/** A server's answer with other numbers: at layer i ten scores around 0.6. */
const REPEATS = {
  ...RECORDED.repeats,
  layers: [0.6, 0.61, 0.62, 0.6].map((mean, layer) => ({...RECORDED.repeats.layers[0], layer, mean, lowest: mean - 0.125, highest: mean + 0.1})),
};

test('other splits are a band from the lowest to the highest score, with a line at the mean', () => {
  const known = {...KNOWN, wishes: {repeats: true}, repeats: REPEATS};
  const [band] = overlaysOf(known).lines;
  assert.deepEqual(band.points[2], {x: 2, score: 0.62, low: 0.495, high: 0.72});
  assert.equal(band.label, '10 other splits');
  assert.deepEqual(overlaysOf({...known, wishes: {}}).lines, []);
  assert.deepEqual(overlaysOf({...known, repeats: null}).lines, []);
  assert.ok(!askedOfServer({repeats: true}).includes(OTHER_SPLITS.name), 'they are no baseline');
});

test('the axis makes room for a band, and not for intervals that are not drawn', () => {
  const values = overlayValues(overlaysOf({...KNOWN, wishes: {repeats: true, shuffled: true}, repeats: REPEATS}));
  assert.deepEqual([Math.min(...values), Math.max(...values)].map((value) => value.toFixed(3)), ['0.475', '0.720']);
});

test('a band that is no interval has a rim, which the interval over rows has not', () => {
  const drawn = [{series: DEV, mode: 'line'}];
  const overlays = overlaysOf({...KNOWN, wishes: {repeats: true}, repeats: REPEATS});
  const drawing = curveChart(makeAnswer([DEV]), {width: 500, height: 300, drawn, domain: [0, 1], currentLayer: null, hoveredLayer: null, overlays});
  const bands = withClass(drawing, 'band');
  assert.deepEqual(bands.map(({attributes}) => [attributes.class, attributes['stroke-dasharray']]), [['band repeats', '2 2'], ['band dev', undefined]]);
  assert.deepEqual(withClass(drawing, 'end-label').map(textOf), ['10 other splits']);
});

test('other splits are rows of the table and a footnote of the figure, under their own name', () => {
  const drawn = [{series: DEV, mode: 'line'}];
  const overlays = overlaysOf({...KNOWN, wishes: {repeats: true}, repeats: REPEATS});
  const csv = curveCsv(makeAnswer([DEV]), drawn, {model: 'm', dataset: 'sst2', examples: 'all'}, overlays);
  assert.ok(csv.includes('m,sst2,all,sst2,"10 other splits: mean, lowest, highest",mean,accuracy,dev,0,0.6,0.475,0.7,'), csv);
  const figure = textOf(paperFigure(makeAnswer([DEV]), drawn, 'all', 'sst2', overlays));
  assert.match(figure, /10 other splits of train and dev: line at the mean of their dev scores, band from the lowest to the highest\./);
});

test('what other splits give at a layer is said in words', () => {
  assert.equal(repeatedText(REPEATS, 2), 'over 10 other splits mean 0.620, 0.495 to 0.720');
});

test('what is switched off is not drawn, though it is known', () => {
  const overlays = overlaysOf({...KNOWN, wishes: {majority: false}});
  assert.deepEqual(overlays, {majority: false, references: [], lines: [], alike: []});
});

test('a baseline that could not be fitted has no line', () => {
  assert.deepEqual(overlaysOf({...KNOWN, wishes: {tfidf: true}, baselines: {tfidf: {score: null, reason: 'no word repeats'}}}).references, []);
});

test('the axis makes room for the baselines', () => {
  const drawn = [{series: DEV, mode: 'line'}];
  const values = overlayValues(overlaysOf({...KNOWN, baselines: {tfidf: {score: 0.2}}}));
  assert.ok(scoreDomain(drawn, 2, {others: values})[0] <= 0.2);
  assert.ok(overlayValues(overlaysOf(KNOWN)).includes(0.48), 'the ends of bands are seen as well');
  assert.ok(scoreDomain(drawn, 2, {majority: false})[0] > 0.509);
});

test('the chart names every baseline and marks like layers', () => {
  const drawn = [{series: DEV, mode: 'line'}];
  const overlays = overlaysOf(KNOWN);
  const drawing = curveChart(makeAnswer([DEV]), {width: 500, height: 300, drawn, domain: [0, 1], currentLayer: null, hoveredLayer: null, overlays});
  assert.deepEqual(withClass(drawing, 'end-label').map(textOf).sort(), ['TF-IDF 0.710', 'embeddings 0.700', 'shuffled labels']);
  assert.equal(withClass(drawing, 'marked-layer').length, 2);
  assert.deepEqual(withClass(drawing, 'marked-label').map(textOf), ['not distinguishable from the chosen one']);
  assert.deepEqual(withClass(drawing, 'band').map(({attributes}) => attributes.class).sort(), ['band dev', 'band shuffled']);
});

test('drawn baselines are rows of the table', () => {
  const csv = curveCsv(makeAnswer([DEV]), [{series: DEV, mode: 'line'}], {model: 'm', dataset: 'sst2', examples: 'all'}, overlaysOf(KNOWN));
  const rows = csv.trimEnd().split('\r\n');
  assert.equal(rows.length, 1 + 4 + 2 + 4);
  assert.ok(rows.includes('m,sst2,all,sst2,baseline: tfidf,mean,accuracy,dev,,0.71,,,,,,,argmax'));
  assert.ok(rows.includes('m,sst2,all,sst2,baseline: shuffled (mean and range of 3 draws),mean,accuracy,dev,0,0.5,0.48,0.51,,,,,argmax'));
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

test('the test that the server used is the one that is named', () => {
  assert.equal(RECORDED.layer_comparison.significance_test, 'mcnemar');
  assert.match(alikeSentence(RECORDED.layer_comparison), /McNemar’s test/);
  assert.match(alikeSentence({...RECORDED.layer_comparison, significance_test: 'bootstrap'}), /bootstrap test/);
});

test('a layer is compared with the best one, corrected for the number of pairs', () => {
  assert.equal(differenceSentence(COMPARISON, 3, null), '−0.010 [−0.030, 0.010], p = 0.750 (McNemar’s test, Holm-corrected)');
  assert.equal(differenceSentence(COMPARISON, 0, null), '−0.050 [−0.090, −0.010], p < 0.001 (McNemar’s test, Holm-corrected)');
  assert.equal(differenceSentence(COMPARISON, 2, null), '');
});

test('two layers that were picked are compared for themselves, by the test that applies', () => {
  const pair = {...RECORDED.two_layers, difference: 0.02, low: -0.01, high: 0.05, p_bootstrap: 0.21, p_mcnemar: 0.19};
  assert.equal(differenceSentence(COMPARISON, 3, pair), '0.020 [−0.010, 0.050], p = 0.190 for these two alone (McNemar’s test)');
  const grouped = {...COMPARISON, significance_test: 'bootstrap'};
  assert.equal(differenceSentence(grouped, 3, {...pair, p_mcnemar: null}), '0.020 [−0.010, 0.050], p = 0.210 for these two alone (bootstrap test)');
});

test('what a server sent can be drawn', () => {
  const {layer_metrics: answer, layer_comparison: comparison, baseline_of_text: tfidf, baseline_by_layer: shuffled} = RECORDED;
  const dev = answer.series.find(({split}) => split === 'dev');
  const wishes = {majority: true, alike: true, tfidf: true, shuffled: true};
  const overlays = overlaysOf({compared: comparedWith(answer), wishes, baselines: {tfidf, shuffled}, comparison, dev});
  assert.equal(overlays.references.length + overlays.lines.length, 2);
  const drawn = [{series: dev, mode: 'line'}];
  const drawing = curveChart(answer, {width: 500, height: 300, drawn, domain: [0, 1], currentLayer: 1, hoveredLayer: null, overlays});
  assert.equal(withClass(drawing, 'marked-layer').length, comparison.layers.filter(({indistinguishable}) => indistinguishable).length);
});
