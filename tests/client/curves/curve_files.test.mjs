import assert from 'node:assert/strict';
import {test} from 'node:test';
import {svgText} from '../../../lit_probe/client/charts/svg.js';
import {curveCsv, paperFigure} from '../../../lit_probe/client/curves/curve_files.js';
import {DEV, makeAnswer, makeSeries, TEST, TRAIN} from '../example_answers.mjs';

const ABOUT = {model: 'enc-on-sst2', dataset: 'sst2', examples: 'whole data set (3,193 examples)'};
const rowsOf = (csv) => csv.trimEnd().split('\r\n');

test('the table has a row per drawn layer, in full precision', () => {
  const series = makeSeries('dev', [0.1 + 0.2, 0.75, 0.8]);
  const rows = rowsOf(curveCsv(makeAnswer([series]), [{series, mode: 'line'}], ABOUT));
  assert.equal(rows.length, 1 + 3);
  assert.equal(rows[0].split(',').length, 17);
  assert.ok(rows[1].includes(',0.30000000000000004,'));
});

test('test scores that were not looked at are not exported', () => {
  const drawn = [{series: DEV, mode: 'line'}, {series: TEST, mode: 'point'}, {series: TRAIN, mode: 'hidden'}];
  const rows = rowsOf(curveCsv(makeAnswer([TRAIN, DEV, TEST]), drawn, ABOUT)).slice(1);
  const test = rows.filter((row) => row.includes(',test,'));
  assert.equal(rows.length, 4 + 1);
  assert.equal(test.length, 1);
  assert.ok(test[0].includes(',test,2,0.806,') && test[0].endsWith(',true,true,argmax'));
});

test('a cell with commas, quotes or line breaks stays one cell', () => {
  const csv = curveCsv(makeAnswer([DEV]), [{series: DEV, mode: 'line'}], {...ABOUT, examples: 'slice “a, "b"\n” (2 examples)'});
  assert.ok(csv.includes('"slice “a, ""b""\n” (2 examples)"'));
});

test('what is not defined is an empty cell', () => {
  const series = makeSeries('dev', [null, 0.7], {majority: null});
  const [, first] = rowsOf(curveCsv(makeAnswer([series]), [{series, mode: 'line'}], ABOUT));
  assert.ok(first.includes(',dev,0,,,,872,,true,false'), first);
});

/** Two runs of one encoder, the second with settings of its own. */
function twoRuns(own) {
  const answer = {...makeAnswer([DEV]), encoder: 'enc', probe: 'logistic', pooling: 'mean'};
  const drawn = [{series: DEV, mode: 'line'}];
  return {answer, drawn, peers: [{model: 'enc (b)-on-sst2', name: 'enc (b)', answer: {...answer, ...own}, drawn}]};
}

test('a figure of curves that were measured alike says once how', () => {
  const {answer, drawn, peers} = twoRuns({});
  const figure = svgText(paperFigure(answer, drawn, 'dev', 'sst2', undefined, peers));
  assert.match(figure, /of logistic probes by layer: enc, enc \(b\) on sst2/);
  assert.match(figure, /mean pooling · probes trained on/);
  assert.doesNotMatch(figure, /enc: logistic probes/);
});

test('a figure of runs with other probes or poolings says of each how it was measured', () => {
  for (const own of [{probe: 'mlp'}, {pooling: 'cls'}]) {
    const {answer, drawn, peers} = twoRuns(own);
    const figure = svgText(paperFigure(answer, drawn, 'dev', 'sst2', undefined, peers));
    assert.doesNotMatch(figure, /of logistic probes|>mean pooling/);
    assert.ok(figure.includes('>enc: logistic probes, mean pooling.<'), figure);
    assert.ok(figure.includes(`>enc (b): ${own.probe ?? 'logistic'} probes, ${own.pooling ?? 'mean'} pooling.<`));
  }
});

test('files of a rare class say by which rule rows were put in classes', () => {
  const series = makeSeries('dev', [0.5, 0.6]);
  const drawn = [{series, mode: 'line'}];
  const rare = {decision: {rule: 'prior', shares: [0.8, 0.2]}, decision_of_study: 'prior', decided_by: 'Largest probability ÷ share of train.'};
  const figure = svgText(paperFigure(makeAnswer([series], rare), drawn, 'dev', 'sst2'));
  assert.match(figure, /Largest probability ÷ share of train/);
  assert.doesNotMatch(svgText(paperFigure(makeAnswer([series]), drawn, 'dev', 'sst2')), /most probable class/);
  assert.ok(rowsOf(curveCsv(makeAnswer([series], rare), drawn, ABOUT))[1].endsWith(',prior'));
  assert.ok(rowsOf(curveCsv(makeAnswer([series], {...rare, decision: null}), drawn, ABOUT))[1].endsWith(','));
});

test('every row of the table names the probe and the pooling of its own run', () => {
  const {answer, drawn, peers} = twoRuns({probe: 'mlp', pooling: 'cls'});
  const rows = rowsOf(curveCsv(answer, drawn, ABOUT, undefined, peers)).slice(1);
  assert.ok(rows.filter((row) => row.startsWith('enc-on-sst2,')).every((row) => row.includes(',logistic,mean,')));
  assert.ok(rows.filter((row) => row.startsWith('enc (b)-on-sst2,')).every((row) => row.includes(',mlp,cls,')));
  assert.equal(rows.length, 2 * DEV.layers.length);
});

test('p-values of one layer of a slice stand in that layer’s row alone', () => {
  const series = makeSeries('dev', [0.7, 0.75, 0.8]);
  const of = (test) => rowsOf(curveCsv(makeAnswer([series]), [{series, mode: 'line'}], {...ABOUT, test}));
  const [header, ...rows] = of({split: 'dev', layer: 1, p: 0.01, corrected: 0.04});
  assert.ok(header.endsWith(',decision,p,p_corrected'));
  assert.deepEqual(rows.map((row) => row.split(',').slice(-2)), [['', ''], ['0.01', '0.04'], ['', '']]);
  assert.ok(of({split: 'test', layer: 1, p: 0.01, corrected: 0.04}).slice(1).every((row) => row.endsWith(',,')));
  assert.ok(of({split: '', layer: null, p: null, corrected: null}).slice(1).every((row) => row.endsWith(',,')));
});
