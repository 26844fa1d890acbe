import assert from 'node:assert/strict';
import {test} from 'node:test';
import {salienceColor} from '../../../lit_probe/client/charts/palette.js';
import {inTurn} from '../../../lit_probe/client/page/waiting.js';
import {chipLines, salienceChart, salienceCsv, saliencePage} from '../../../lit_probe/client/salience/salience_files.js';
import {
  changedOptions, FIRST_CHOICES, knownTarget, salienceConfig, salienceRows, shownTargets,
} from '../../../lit_probe/client/salience/salience_plan.js';
import {
  diagnosticsWords, explainedWords, predictionRules, rankCorrelation, rowAgreement, salienceRow, secondText, keptTogether,
} from '../../../lit_probe/client/salience/salience_row.js';
import {shownWidth, significant, significantInterval} from '../../../lit_probe/client/words/format.js';
import {contrast, luminance, sides} from '../colors.mjs';
import {textOf, withClass} from '../example_answers.mjs';

const ANSWER = {
  method: 'lime', title: 'LIME', signed: true, explained: 'probe at layer 3', layer: 3, class_name: 'positive', target: {scalar: 'logit'}, value: 2.3149,
  tokens: ['[CLS]', 'not', 'dis', '##mal', '[SEP]'], scores: [0, -0.5, 0.75, 0.25, 0], words: [null, 0, 1, 1, null],
  by_word: {words: ['not', 'dismal'], scores: [-0.5, 1]}, diagnostics: {seed: 0, r2: 0.91}, warning: '', no_explanation: '',
};
const CATALOGUE = {
  methods: [
    {name: 'gradient_l2', title: 'Gradient (L2 norm)', signed: false, cheap: true, uses: []},
    {name: 'lime', title: 'LIME', signed: true, cheap: false, uses: ['samples', 'seed']},
  ],
  options: {samples: {default: 256, low: 2, high: 5000}, seed: {default: 0, low: 0, high: 9}, steps: {default: 50, low: 1, high: 500}},
  aggregations: {signed: ['sum', 'max'], sizes: ['l2', 'max']}, n_layers: 3, class_names: {probe: ['negative', 'positive'], model: null}, head_classes: null,
};
const SECTION = (rows) => ({title: 'Selected text', id: 'a', text: 'not <dismal>', rows, agreement: rowAgreement(rows), beyondLimit: ['gone']});

test('a row shows words, or tokens with the special ones marked, as shares of its largest score', () => {
  const words = salienceRow('LIME', ANSWER, 'words').units;
  assert.deepEqual(words.map(({text, share}) => [text, share]), [['not', -0.5], ['dismal', 1]]);
  const tokens = salienceRow('LIME', ANSWER, 'tokens').units;
  assert.deepEqual(tokens.map(({special}) => special), [true, false, false, false, true]);
  assert.equal(tokens[2].share, 1);
  assert.equal(tokens[1].score, -0.5);
});

test('a row of zeros has shares of zero', () => {
  const flat = {...ANSWER, by_word: {words: ['a', 'b'], scores: [0, 0]}};
  assert.deepEqual(salienceRow('LIME', flat, 'words').units.map(({share}) => share), [0, 0]);
});

test('Spearman’s ρ sees order alone, shares ranks between equal values, and is not defined for a flat row', () => {
  assert.equal(rankCorrelation([1, 2, 3], [10, 20, 1000]), 1);
  assert.equal(rankCorrelation([1, 2, 3], [3, 2, 1]), -1);
  assert.ok(Math.abs(rankCorrelation([1, 2, 2, 4], [1, 2, 3, 4]) - 0.9486832980505138) < 1e-12);
  assert.equal(rankCorrelation([1, 1, 1], [1, 2, 3]), null);
  assert.equal(rankCorrelation([], []), null);
});

test('signed rows are compared with signs, a row of sizes with the sizes of the other', () => {
  const row = (scores, signed) => salienceRow('r', {...ANSWER, signed, by_word: {words: ['a', 'b', 'c'], scores}}, 'words');
  const [signed, opposite, sizes] = [row([-3, 1, 2], true), row([3, -1, -2], true), row([3, 1, 2], false)];
  assert.deepEqual(rowAgreement([signed, opposite, sizes]).map((line) => line.map((rho) => Math.round(rho * 1e9) / 1e9)), [[1, -1, 1], [-1, 1, 1], [1, 1, 1]]);
});

test('special tokens do not count towards ρ, and rows that divide the text otherwise have none', () => {
  const tokens = salienceRow('LIME', ANSWER, 'tokens');
  const zeroed = {...tokens, units: tokens.units.map((unit) => (unit.special ? {...unit, score: 99} : unit))};
  assert.equal(rowAgreement([tokens, zeroed])[0][1], 1);
  assert.equal(rowAgreement([tokens, salienceRow('LIME', ANSWER, 'words')])[0][1], null);
});

test('no salience is the colour of paper, more of it stands out more, and text is legible on it (WCAG contrast of 4.5 or more)', () => {
  for (const [direction, signed] of [[1, true], [-1, true], [1, false]]) {
    assert.equal(sides(salienceColor(0, signed).fill)[0], 'rgb(255, 255, 255)');
    for (const [page, way] of [[0, -1], [1, 1]]) {
      let before = -way * Infinity;
      for (let size = 0; size <= 1.0001; size += 0.01) {
        const {fill, text} = salienceColor(direction * size, signed);
        const [filled, written] = [sides(fill)[page], sides(text)[page]];
        assert.ok(way * luminance(filled) > way * before, `${direction * size}`);
        before = luminance(filled);
        assert.ok(contrast(filled, written) >= 4.5, `${direction * size}: ${contrast(filled, written)}`);
      }
    }
  }
});

test('for, against and size have three different colours', () => {
  assert.equal(new Set([salienceColor(1, true).fill, salienceColor(-1, true).fill, salienceColor(1, false).fill]).size, 3);
});

test('numbers have three significant digits, whatever their size', () => {
  assert.deepEqual([2.3149, -0.000213456, 0, null].map(significant), ['2.31', '−0.000213', '0', '–']);
  assert.equal(significantInterval({mean: 0.03123, low: -0.021, high: 0.04144}), '0.0312 [−0.021, 0.0414]');
});

test('what is explained is said in words', () => {
  assert.equal(explainedWords(salienceRow('LIME', ANSWER, 'words')), 'probe at layer 3, logit of “positive” = 2.31');
});

/** What is said under a row. */
const said = (diagnostics, method = 'lime', value = 2, scalar = 'logit') => diagnosticsWords({method, scalar, value, diagnostics});

test('diagnostics say how good a map is, and name what they do not know by its key', () => {
  assert.equal(said({samples: 256, replace: 'mask', seed: 0, r2: 0.948, effective_samples: 131.6, n_samples: 256, enumerated: 0}),
    'R² 0.948 · effective samples 132 of 256 · words become the mask token · seed 0');
  assert.equal(said({n_samples: 21, unit: 'word', replace: 'delete'}), '21 texts read · words are deleted · word by word');
  assert.equal(said({new_number: 4}), 'new number 4');
  assert.equal(said({}), '');
});

test('a path says from where and how far the number goes, and warns of a baseline that is surer of the class than the text', () => {
  assert.equal(said({seed: 7, steps: 50, baseline: 'zero', change: 3.1, completeness_gap: 0.012}, 'integrated_gradients', 3),
    'up by 3.1 from −0.1 (all words replaced by zeros) · completeness gap 0.012 · 50 steps · seed 7');
  assert.match(said({steps: 50, baseline: 'pad', change: -0.577, completeness_gap: 0}, 'integrated_gradients', 0.863),
    /^down by 0\.577 from 1\.44 \(all words replaced by pad\) · the baseline is surer of this class than the text is: try another one · completeness gap 0 · 50 steps$/);
  assert.match(said({baselines: 'pad, mean', change: 1, completeness_gap: 0}, 'gradient_shap'), /^up by 1 from 1 \(on average over the baselines pad, mean\) · completeness/);
});

test('points that were taken beyond those asked for are told, and the width of LIME’s kernel in both conventions', () => {
  assert.equal(said({steps: 50, growth: 8, completeness_gap: 0.01, gap_share: 0.01, n_used: 190}), 'completeness gap 0.01 · 190 steps (50 asked for)');
  assert.equal(said({steps: 50, growth: 8, n_used: 50}), '50 steps');
  assert.equal(said({steps: 1, growth: 1, n_used: 1}), '1 step');
  assert.equal(said({steps: 1, growth: 8, n_used: 7}), '7 steps (1 asked for)');
  assert.equal(said({noise_samples: 1, noise: 0.5}), '1 noisy copy · noise 0.5');
  assert.match(said({noise_samples: 5, growth: 1, n_used: 8, baselines: 'pad, mask, zero, mean', change: 1}, 'gradient_shap'), / · 8 noisy copies \(5 asked for\), 2 for each baseline$/);
  assert.match(said({noise_samples: 5, growth: 1, n_used: 5, baselines: 'zero', change: 1}, 'gradient_shap'), / · 5 noisy copies$/);
  assert.equal(said({noise_samples: 32, growth: 8, n_used: 256}), '256 noisy copies (32 asked for)');
  assert.equal(said({noise_samples: 32, noise: 0.5}), '32 noisy copies · noise 0.5');
  const widths = {width_in_paper: 0.35355, width_in_package: 0.25};
  assert.equal(said({kernel: 'package', kernel_width: 0.25, ...widths}), 'kernel width 0.25 as in the lime package (0.354 in the paper)');
  assert.equal(said({kernel: 'paper', kernel_width: 0.35355, ...widths}), 'kernel width 0.354 (0.25 in the lime package)');
});

test('what a reader must know of a map, and how much hangs on its baseline, stands in every file, whole', () => {
  const [warning, baselines] = ['Not exact: after 400 steps the scores add up to 1.2, while the change is 1.', `With other baselines (mask, zero): ${'Spearman 0.68 to 0.75. '.repeat(8)}`.trim()];
  const row = salienceRow('LIME', {...ANSWER, warning}, 'words', baselines);
  assert.deepEqual([row.warning, row.baselines], [warning, baselines]);
  const page = saliencePage('A', 'B', [SECTION([row])]);
  assert.ok(page.includes(warning) && page.includes(baselines));
  const [header, line] = salienceCsv('tiny', 'demo', 'words', [SECTION([row])]).split('\r\n');
  assert.ok(header.includes(',warning,other_baselines,') && line.includes(warning) && line.includes(baselines));
  const [plain, chart] = [salienceRow('LIME', ANSWER, 'words'), row].map((one) => salienceChart('Selected text', [one], [1], {width: 700}));
  const lines = withClass(chart, 'salience-row')[0].children.filter((node) => node.attributes?.['font-size'] === 10).slice(1);
  assert.equal(lines.map(textOf).join(' '), `${warning} ${baselines}`);
  assert.ok(lines.length > 2 && lines.every((one) => textOf(one).length * 5.1 <= 700 - 168));
  assert.ok(chart.attributes.height - plain.attributes.height >= 13 * lines.length);
});

test('a map that explains nothing says so in every file, and in words how it was made', () => {
  const none = 'It is the same for every class.';
  const rollout = {...ANSWER, signed: false, no_explanation: none, diagnostics: {blocks: 3, share_of_special_tokens: 0.62}};
  const row = salienceRow('Attention rollout', rollout, 'words');
  assert.equal(row.noExplanation, none);
  const section = {title: 'Selected text', id: '1', text: 'not dismal', rows: [row], agreement: [[1]], beyondLimit: []};
  assert.ok(saliencePage('t', 's', [section]).includes(none));
  assert.ok(salienceCsv('m', 'd', 'words', [section]).includes(none));
  assert.ok(textOf(salienceChart('Selected text', [row], [1], {width: 900})).includes(none));
  assert.equal(diagnosticsWords(row), 'through 3 blocks · 62 % comes from special tokens, which have no score');
  assert.match(diagnosticsWords({...row, diagnostics: {blocks: 0, share_of_special_tokens: 0}}), /^before the first block · 0 % /);
});

test('a row knows whether its method has a baseline', () => {
  const methods = [{...CATALOGUE.methods[0], baseline: ''}, {...CATALOGUE.methods[1], baseline: 'replace'}];
  assert.deepEqual(salienceRows(FIRST_CHOICES, {...CATALOGUE, methods}, 2, 1).map(({hasBaseline}) => hasBaseline), [false, true]);
});

test('KernelSHAP over all texts is exact, whatever its R²', () => {
  const all = {replace: 'mask', r2: 0.4, effective_samples: 9, n_samples: 16, enumerated: 1};
  assert.match(said(all, 'kernel_shap'), /^exact Shapley values · words become/);
  assert.doesNotMatch(said(all, 'kernel_shap'), /R²|effective/);
  assert.match(said(all, 'lime'), /R² 0\.4 .*every perturbed text was read/);
  assert.match(said({...all, enumerated: 0}, 'kernel_shap'), /R² 0\.4 /);
});

test('the rows of methods are asked about the current layer, and only what differs from the defaults is said', () => {
  const rows = salienceRows({...FIRST_CHOICES, options: {samples: '64', seed: '0', steps: '9'}}, CATALOGUE, 2, 1);
  assert.deepEqual(rows.map(({label, cheap, config}) => ({label, cheap, config})), [
    {label: 'Gradient (L2 norm)', cheap: true, config: {method: 'gradient_l2', explain: 'probe', layer: '2', target: 'predicted', scalar: 'logit'}},
    {label: 'LIME', cheap: false, config: {method: 'lime', explain: 'probe', layer: '2', target: 'predicted', scalar: 'logit', samples: '64'}},
  ]);
  assert.deepEqual(salienceRows(FIRST_CHOICES, CATALOGUE, null, null), []);
  assert.deepEqual(salienceRows({...FIRST_CHOICES, explain: 'model'}, CATALOGUE, null, null).map(({config}) => config.layer), [undefined, undefined]);
  assert.deepEqual(salienceRows({...FIRST_CHOICES, methods: ['lime']}, CATALOGUE, 2, 1).map(({label}) => label), ['LIME']);
});

test('the rows of layers are one method at every layer', () => {
  const rows = salienceRows({...FIRST_CHOICES, rows: 'layers', method: 'lime'}, CATALOGUE, 2, 1);
  assert.deepEqual(rows.map(({label, config}) => [label, config.method, config.layer]),
    [['Layer 0 (embeddings)', 'lime', '0'], ['Layer 1 (dev-chosen)', 'lime', '1'], ['Layer 2', 'lime', '2']]);
  assert.equal(new Set(rows.map(({id}) => id)).size, 3);
});

test('the model has a row beside the probe’s only where it has a head', () => {
  const both = {...FIRST_CHOICES, rows: 'both'};
  assert.deepEqual(salienceRows(both, CATALOGUE, 2, 1).map(({label}) => label), ['Probe at layer 2']);
  const headed = {...CATALOGUE, class_names: {...CATALOGUE.class_names, model: ['negative', 'positive']}};
  assert.deepEqual(salienceRows(both, headed, 2, 1).map(({label, config}) => [label, config.explain]), [['Probe at layer 2', 'probe'], ['Model', 'model']]);
});

test('a class of another data set gives way to the predicted one, and another aggregation is said', () => {
  assert.equal(knownTarget('class:positive', CATALOGUE), 'class:positive');
  assert.equal(knownTarget('class:animal', CATALOGUE), 'predicted');
  assert.equal(knownTarget('gold', CATALOGUE), 'gold');
  const choices = {...FIRST_CHOICES, target: 'class:positive', aggregation: {signed: 'max', sizes: 'l2'}};
  assert.deepEqual(salienceConfig(choices, CATALOGUE, CATALOGUE.methods[1], 'probe', 0),
    {method: 'lime', explain: 'probe', layer: '0', target: 'class:positive', scalar: 'logit', aggregation: 'max'});
  assert.deepEqual(changedOptions({samples: '256', seed: '3', steps: '7'}, CATALOGUE, ['samples', 'seed']), {seed: '3'});
});

test('a chosen class stays chosen in the rows of the other one, which may write it otherwise', () => {
  const headed = {...CATALOGUE, class_names: {probe: ['negative', 'positive'], model: ['POSITIVE', 'NEGATIVE']}, head_classes: [1, 0]};
  for (const rows of ['methods', 'layers', 'both']) {
    for (const explain of ['probe', 'model']) {
      for (const target of ['class:POSITIVE', 'class:positive', 'gold']) {
        const plan = salienceRows({...FIRST_CHOICES, rows, explain, target}, headed, 2, 1);
        assert.deepEqual([...new Set(plan.map(({config}) => config.target))], [target], `${rows} ${explain}`);
      }
    }
  }
  assert.deepEqual(shownTargets('class:POSITIVE', headed, 'probe'), {names: ['negative', 'positive'], target: 'class:positive'});
  assert.deepEqual(shownTargets('class:negative', headed, 'model'), {names: ['POSITIVE', 'NEGATIVE'], target: 'class:NEGATIVE'});
  assert.deepEqual(shownTargets('class:positive', headed, 'probe').target, 'class:positive');
  assert.deepEqual(shownTargets('class:animal', headed, 'probe').target, 'predicted');
  const others = {...headed, class_names: {...headed.class_names, model: ['joy', 'anger']}, head_classes: null};
  assert.deepEqual(shownTargets('class:joy', others, 'probe'), {names: ['negative', 'positive', 'joy'], target: 'class:joy'});
  assert.deepEqual(shownTargets('gold', CATALOGUE, 'model'), {names: ['negative', 'positive'], target: 'gold'});
});

test('of many requests a few are under way at once, in their order', async () => {
  const send = inTurn(3);
  const [begun, ends] = [[], []];
  const all = [0, 1, 2, 3, 4].map((i) => send(() => true, () => {
    begun.push(i);
    return new Promise((resolve) => (ends[i] = resolve));
  }));
  const settle = () => new Promise((resolve) => setTimeout(resolve));
  await settle();
  assert.deepEqual(begun, [0, 1, 2]);
  ends[1]();
  await settle();
  assert.deepEqual(begun, [0, 1, 2, 3]);
  ends[0]();
  ends[2]();
  await settle();
  ends[3]();
  ends[4]();
  await Promise.all(all);
  assert.deepEqual(begun, [0, 1, 2, 3, 4]);
});

test('requests are sent one at a time where one is let through, and those that nobody wants any more not at all', async () => {
  const send = inTurn(1);
  const events = [];
  const job = (name, wanted = true) => send(() => wanted, async () => {
    events.push(`${name} begins`);
    await new Promise((resolve) => setTimeout(resolve, 5));
    events.push(`${name} ends`);
    if (name === 'b') throw new Error('broken');
    return name;
  });
  const answers = await Promise.allSettled([job('a'), job('b'), job('c', false), job('d')]);
  assert.deepEqual(events, ['a begins', 'a ends', 'b begins', 'b ends', 'd begins', 'd ends']);
  assert.deepEqual(answers.map(({status}) => status), ['fulfilled', 'rejected', 'rejected', 'fulfilled']);
});

test('chips that do not fit begin a new line', () => {
  assert.deepEqual(chipLines([40, 40, 40, 100], 100, 5), [{x: 0, line: 0}, {x: 45, line: 0}, {x: 0, line: 1}, {x: 0, line: 2}]);
  assert.equal(shownWidth('ab日'), 4);
});

test('the figure holds every row with its words, what it explains and ρ to the first row', () => {
  const rows = [salienceRow('LIME', ANSWER, 'words'), salienceRow('Occlusion', {...ANSWER, by_word: {words: ['not', 'dismal'], scores: [1, -0.5]}}, 'words')];
  const chart = salienceChart('Selected text', rows, rowAgreement(rows)[0], {width: 700});
  const drawn = withClass(chart, 'salience-row');
  assert.equal(drawn.length, 2);
  assert.match(textOf(drawn[1]), /Occlusion.*−1\.000.*not.*dismal.*probe at layer 3/s);
  for (const chip of withClass(chart, 'chip')) {
    const {x, width} = chip.children[0].attributes;
    assert.ok(Number(x) + Number(width) <= 700);
  }
});

test('a very long word stays inside the figure', () => {
  const row = salienceRow('LIME', {...ANSWER, by_word: {words: ['x'.repeat(400)], scores: [1]}}, 'words');
  const [chip] = withClass(salienceChart('Selected text', [row], [1], {width: 700}), 'chip');
  assert.ok(Number(chip.children[0].attributes.x) + Number(chip.children[0].attributes.width) <= 700);
});

test('the web page needs nothing else, and text from data never becomes markup', () => {
  const row = salienceRow('LIME', {...ANSWER, by_word: {words: ['<script>alert(1)</script>', 'dismal'], scores: [1, 0.5]}}, 'words');
  const page = saliencePage('A & B', 'mean pooling', [SECTION([row])]);
  assert.ok(page.startsWith('<!DOCTYPE html>'));
  assert.ok(!page.includes('<script') && page.includes('&lt;script&gt;') && page.includes('A &amp; B'));
  assert.ok(!/(src|href)=/.test(page));
  assert.ok(!/light-dark|var\(/.test(page) && page.includes('color:#3C4043'));
  assert.match(page, /not read: gone/);
});

test('the table has a line for each word, and no score for special tokens', () => {
  const lines = salienceCsv('tiny', 'demo', 'tokens', [SECTION([salienceRow('LIME', ANSWER, 'tokens')])]).trim().split('\r\n');
  assert.equal(lines.length, 6);
  assert.ok(lines[0].endsWith('unit,position,token,score,share_of_largest'));
  assert.ok(lines[1].endsWith('token,0,[CLS],,'));
  assert.ok(lines[3].endsWith('token,2,dis,0.75,1'));
});

test('a mark stays on the line of the word before it, a special token may stand alone', () => {
  const units = ['[CLS]', 'fine', ',', 'really', '!', '!', '[SEP]'].map((text) => ({text, special: text.startsWith('[')}));
  assert.deepEqual(keptTogether(units).map((group) => group.map(([{text}]) => text)), [['[CLS]'], ['fine', ','], ['really', '!', '!'], ['[SEP]']]);
  assert.deepEqual(keptTogether(units).flat().map(([, at]) => at), [0, 1, 2, 3, 4, 5, 6]);
  assert.deepEqual(keptTogether([{text: '…', special: false}]).length, 1);
});

test('the rule is told once for all rows whose class is not the most probable one, and not where it is', () => {
  const rule = '“rare” is predicted beside the class shares of train.';
  assert.deepEqual(predictionRules([{predicted_by: ''}, {predicted_by: rule}, {predicted_by: rule}]), [rule]);
  assert.deepEqual(predictionRules([{predicted_by: ''}]), []);
  assert.deepEqual(predictionRules([]), []);
});

const PAIR = {
  ...ANSWER, tokens: ['[CLS]', 'a', 'b', '##c', '[SEP]', '!', 'd', '[SEP]'], scores: [0, 1, 2, 3, 0, 4, 5, 0], words: [null, 0, 1, 1, null, 2, 3, null],
  by_word: {words: ['a', 'bc', '!', 'd'], scores: [1, 5, 4, 5]},
};

test('the second text of a pair begins after the special tokens between words, and a single text has none', () => {
  assert.equal(secondText(PAIR.words), 5);
  assert.equal(secondText([null, 0, null, null, 1, null]), 4);
  for (const single of [ANSWER.words, [], [null, null], [0, 1], [null, null, 0, 1, null], [0, null]]) assert.equal(secondText(single), null);
});

test('words and tokens say that they stand in the second text, and its first mark is not joined to the first text', () => {
  const words = salienceRow('LIME', PAIR, 'words').units;
  assert.deepEqual(words.map(({part}) => part), [undefined, undefined, 1, 1]);
  assert.deepEqual(salienceRow('LIME', PAIR, 'tokens').units.map(({part}) => part), [undefined, undefined, undefined, undefined, undefined, 1, 1, 1]);
  assert.deepEqual(keptTogether(words).map((group) => group.map(([{text}]) => text)), [['a'], ['bc'], ['!'], ['d']]);
  assert.ok(salienceRow('LIME', ANSWER, 'words').units.every((unit) => !('part' in unit)));
});

test('the second text of a pair begins a line in what is saved', () => {
  assert.deepEqual(chipLines([10, 10, 10], 100, 5, 1), [{x: 0, line: 0}, {x: 0, line: 1}, {x: 15, line: 1}]);
  assert.deepEqual(chipLines([10, 10], 100, 5, 0), [{x: 0, line: 0}, {x: 15, line: 0}]);
  const [single, pair] = [ANSWER, PAIR].map((answer) => saliencePage('Salience', 'set', [SECTION([salienceRow('LIME', answer, 'words')])]));
  assert.equal(pair.match(/<div/g).length, single.match(/<div/g).length + 1);
});

test('a number that falls is no sign of a bad baseline', () => {
  const words = said({change: -3.5, baseline: 'pad'}, 'integrated_gradients', 1996.5, 'number');
  assert.equal(words, 'down by 3.5 from 2000 (all words replaced by pad)');
  assert.match(said({change: -3.5, baseline: 'pad'}, 'integrated_gradients'), /surer of this class/);
});

test('the explained number is written beside its label', () => {
  const row = {explained: 'probe at layer 1', scalar: 'number', className: 'number', value: 2001.9677, gold: 1999};
  assert.equal(explainedWords(row), 'probe at layer 1, number = 2001.97');
  assert.equal(explainedWords({...row, gold: null}), 'probe at layer 1, number = 2002');
});
