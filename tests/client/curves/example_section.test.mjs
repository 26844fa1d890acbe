import assert from 'node:assert/strict';
import {test} from 'node:test';
import {layerScale} from '../../../lit_probe/client/charts/axes.js';
import {MARGIN} from '../../../lit_probe/client/charts/line_chart.js';
import {heatColor} from '../../../lit_probe/client/charts/palette.js';
import {stripChart, stripRows, stripsHeight} from '../../../lit_probe/client/curves/example_section.js';
import {contrast, luminance, sides} from '../colors.mjs';
import {findAll, textOf, withClass} from '../example_answers.mjs';

const EXAMPLE = {label: 'positive', edited: false, truncated: false, probabilities: [[0.6, 0.4], [0.13, 0.87], [0.02, 0.98]], model: null};
const VIEW = {width: 500, currentLayer: 1, hoveredLayer: null};

test('every class has a cell per layer with its probability', () => {
  const strips = withClass(stripChart(EXAMPLE, ['negative', 'positive'], VIEW), 'class-strip');
  assert.deepEqual(strips.map((strip) => withClass(strip, 'cell').map((cell) => textOf(cell).trim())), [['0.60', '0.13', '0.02'], ['0.40', '0.87', '0.98']]);
});

test('the gold label is named as such, and only it', () => {
  const names = withClass(stripChart(EXAMPLE, ['negative', 'positive'], VIEW), 'class-strip').map((strip) => textOf(strip.children[0]));
  assert.deepEqual(names, ['negative', 'gold label: positive']);
});

test('cells stand in the columns of the curve above', () => {
  const {x} = layerScale(3, [MARGIN.left, VIEW.width - MARGIN.right]);
  const [strip] = withClass(stripChart(EXAMPLE, ['negative', 'positive'], VIEW), 'class-strip');
  withClass(strip, 'cell').forEach((cell, layer) => {
    const {x: left, width} = cell.children[0].attributes;
    assert.ok(Math.abs(Number(left) + Number(width) / 2 - x(layer)) < 0.02);
  });
});

test('narrow cells carry no numbers', () => {
  const texts = findAll(stripChart(EXAMPLE, ['negative', 'positive'], {...VIEW, width: 140}), ({name}) => name === 'text').map(({children}) => children[0]);
  assert.deepEqual(texts, ['negative', 'gold label: po…ve']);
});

test('the picture grows with the number of classes', () => {
  assert.ok(stripsHeight(6) > stripsHeight(2));
  assert.equal(stripChart(EXAMPLE, ['negative', 'positive'], VIEW).attributes.height, stripsHeight(2));
});

test('of many classes the five most probable ones at the current layer have strips, the gold label, and all others one together', () => {
  const names = Array.from({length: 40}, (_, i) => `topic ${i}`);
  const spread = (top) => names.map((_, i) => (i === top ? 0.61 : 0.01));
  const many = {...EXAMPLE, label: 'topic 39', probabilities: [spread(7), spread(3)]};
  const rows = stripRows(many, names, 1);
  assert.deepEqual(rows.map(({name}) => name), ['topic 3', 'topic 0', 'topic 1', 'topic 2', 'topic 4', 'topic 39', '34 other classes together']);
  assert.deepEqual(rows.map(({gold}) => gold), [false, false, false, false, false, true, false]);
  assert.equal(stripRows(many, names, 0)[0].name, 'topic 7');
  for (const layer of [0, 1]) assert.ok(Math.abs(rows.reduce((sum, {probabilities}) => sum + probabilities[layer], 0) - 1) < 1e-9);
  assert.ok(stripChart(many, names, {...VIEW, currentLayer: 1}).attributes.height <= stripsHeight(40));
  assert.deepEqual(stripRows({...many, label: 'topic 3'}, names, 1).map(({name}) => name).slice(-2), ['topic 4', '35 other classes together']);
});

test('six classes or fewer keep the order of the data', () => {
  const names = ['a', 'b', 'c', 'd', 'e', 'f'];
  const six = {...EXAMPLE, probabilities: [[0.1, 0.1, 0.1, 0.1, 0.1, 0.5]]};
  assert.deepEqual(stripRows(six, names, 0).map(({name}) => name), names);
});

test('a higher probability is darker, on a dark page brighter, and its number is legible on it (WCAG contrast of 4.5 or more)', () => {
  for (const [page, direction] of [[0, -1], [1, 1]]) {
    let before = -direction * Infinity;
    for (let probability = 0; probability <= 1.0001; probability += 0.01) {
      const [fill, text] = [heatColor(probability).fill, heatColor(probability).text].map((color) => sides(color)[page]);
      assert.ok(direction * luminance(fill) > direction * before);
      before = luminance(fill);
      assert.ok(contrast(fill, text) >= 4.5, `${probability.toFixed(2)}: ${contrast(fill, text).toFixed(2)}`);
    }
  }
});
