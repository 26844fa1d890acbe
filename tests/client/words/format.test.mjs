import assert from 'node:assert/strict';
import {test} from 'node:test';
import {curveChart} from '../../../lit_probe/client/curves/curve_chart.js';
import {paperFigure} from '../../../lit_probe/client/curves/curve_files.js';
import {stripChart} from '../../../lit_probe/client/curves/example_section.js';
import {amongNumbers, oneLine, shorten} from '../../../lit_probe/client/words/format.js';
import {DEV, findAll, makeAnswer, withClass} from '../example_answers.mjs';

const LONG = 'a class whose name is a whole sentence, as in data sets of natural language inference and of intents, and then some more words';
const shown = (node) => node.children.filter((child) => typeof child === 'string').join('');
const whole = (node) => findAll(node, ({name}) => name === 'title').map(shown);

test('a text that fits stays as it is', () => {
  assert.equal(shorten('positive', 8), 'positive');
  assert.equal(shorten('', 3), '');
});

test('a longer one keeps its beginning and its end', () => {
  assert.equal(shorten('abcdefghij', 7), 'abc…hij');
  assert.equal(shorten('abcdefghij', 6), 'abc…ij');
  assert.equal(shorten('abcdefghij', 1), '…');
  assert.equal(shorten('abcdefghij', -3), '…');
  assert.equal(shorten('one two three', 9), 'one…hree');
});

test('wide characters count twice, and none is cut in two', () => {
  assert.equal(shorten('肯定的な', 8), '肯定的な');
  assert.equal(shorten('肯定的な意見', 7), '肯…見');
  assert.ok(shorten('😀😀😀😀😀😀', 5).isWellFormed());
});

test('the title of a chart’s axis is no longer than the chart is high, and is there in full', () => {
  const answer = makeAnswer([DEV], {metric_title: `Recall (${LONG})`});
  const view = {width: 500, height: 190, drawn: [{series: DEV, mode: 'line'}], domain: [0, 1], currentLayer: null, hoveredLayer: null};
  const [title] = withClass(curveChart(answer, view), 'axis-title');
  assert.ok(shown(title).length <= 25 && shown(title).startsWith('Recall (a') && shown(title).endsWith('words)'), shown(title));
  assert.deepEqual(whole(title), [answer.metric_title]);
});

test('a long class name is shortened above its strip, its mark as the gold label is not', () => {
  const example = {label: LONG, edited: false, truncated: false, probabilities: [[0.6, 0.4]], model: null};
  const strips = withClass(stripChart(example, [LONG, 'other'], {width: 400, currentLayer: 0, hoveredLayer: null}), 'class-strip');
  const [gold, other] = strips.map(({children}) => children[0]);
  assert.ok(shown(gold).startsWith('gold label: a class') && shown(gold).length <= 54, shown(gold));
  assert.deepEqual(whole(gold), [`gold label: ${LONG}`]);
  assert.equal(shown(other), 'other');
});

test('the lines of a figure end inside it', () => {
  const figure = paperFigure(makeAnswer([DEV], {metric_title: `Recall (${LONG})`}), [{series: DEV, mode: 'line'}], `slice “${LONG}”`, LONG);
  const lines = findAll(figure, ({name}) => name === 'text').filter(({attributes}) => attributes.x === 56);
  assert.ok(lines.length >= 4);
  for (const line of lines) assert.ok(shown(line).length <= 105, shown(line));
  assert.ok(shown(figure.children[0]).includes(LONG));
});

test('a text on one line loses its line breaks and no space', () => {
  assert.equal(oneLine('très  bien\r\n\n  ou \u2028pas'), 'très  bien   ou  pas');
});

test('numbers are told apart, and their whole part is written out', () => {
  const pair = (a, b) => [amongNumbers(a, [b]), amongNumbers(b, [a])];
  assert.deepEqual(pair(2001.9677, 1999), ['2001.97', '1999']);
  assert.deepEqual(pair(12.4727, 13.932), ['12.47', '13.93']);
  assert.deepEqual(pair(1.0000000123, 1.0000000095), ['1.0000000123', '1.0000000095']);
  assert.deepEqual(pair(1.25e13, 1.4e13), ['12500000000000', '14000000000000']);
  assert.deepEqual(pair(-0.00123456, 5), ['0', '5']);
  assert.deepEqual(pair(-7.3, -7.3), ['−7.3', '−7.3']);
  assert.equal(amongNumbers(1996.38), '1996');
  assert.equal(amongNumbers(0), '0');
  assert.equal(amongNumbers(0.00012345, [0]), '0.000123');
  assert.equal(amongNumbers(1e300, [-1e300]), '1e+300');
});
