import assert from 'node:assert/strict';
import {test} from 'node:test';

import {lensRows} from '../../../lit_probe/client/views/lens_grid.js';
import {rankChart, rankLines} from '../../../lit_probe/client/views/lens_ranks.js';
import {findAll, RECORDED, textOf, withClass} from '../example_answers.mjs';

const ANSWER = RECORDED.lens_tokens;
const VIEW = {nLayers: ANSWER.layer_names.length, nVocabulary: ANSWER.n_vocabulary, width: 400, height: 220};

test('a line for what stands there and for each word that can be spelt, of each text', () => {
  const rows = lensRows(ANSWER).filter(({line}) => line === 1);
  const lines = rankLines(ANSWER, rows, ['Original', 'Edit']);
  const words = ANSWER.examples[0].watched.filter(({token}) => token !== null).length;
  assert.equal(lines.length, 2 * (1 + words));
  assert.match(lines[0].label, /^the token itself, “.+” \(original\)$/);
  assert.deepEqual(lines.map(({style}) => style.dash !== ''), lines.map((_, i) => i >= 1 + words), 'the second text is dashed');
  assert.equal(new Set(lines.slice(0, 1 + words).map(({style}) => style.color)).size, 1 + words);
  assert.ok(lines.some(({label}) => /^“dragon” by its first token “d”/.test(label)));
  const one = {...ANSWER, examples: ANSWER.examples.slice(0, 1)};
  assert.doesNotMatch(rankLines(one, lensRows(one).slice(0, 1), ['Text'])[0].label, /\(/);
});

test('the likeliest stands on top, and every mark within the axes', () => {
  const lines = [{label: 'a', ranks: [VIEW.nVocabulary, 1, 10, 100], style: {color: 'red', marker: 'circle', dash: ''}}];
  const drawing = rankChart(lines, {...VIEW, nLayers: 4, current: 1, hovered: 2});
  const [path] = findAll(withClass(drawing, 'rank-line')[0], ({name}) => name === 'path');
  const heights = path.attributes.d.slice(1).split('L').map((point) => Number(point.split(',')[1]));
  assert.ok(heights[1] < heights[2] && heights[2] < heights[3] && heights[3] < heights[0]);
  assert.ok(heights.every((height) => height >= 12 && height <= VIEW.height - 40));
  assert.match(textOf(drawing), /Rank.*Layer/s);
});
