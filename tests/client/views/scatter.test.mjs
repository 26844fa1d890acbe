// The arithmetic of small scatter plots.
import assert from 'node:assert/strict';
import {test} from 'node:test';
import {svgText} from '../../../lit_probe/client/charts/svg.js';
import {boxLine, frameOf, gridLayout, inside, lengthOf, pictureGrid, pictureWords, placesCsv, pointByKey, pointUnder, sharedColors} from '../../../lit_probe/client/views/scatter.js';
import {RECORDED} from '../example_answers.mjs';

test('plots stand side by side as far as there is room, and fill it', () => {
  for (let width = 100; width < 2000; width += 7) {
    const {columns, side} = gridLayout(width);
    assert.ok(columns * side + (columns - 1) * 8 <= Math.max(120, width - 24));
    assert.ok(columns === 1 || side >= 148);
  }
  assert.equal(gridLayout(700).columns, 4);
});

test('a frame keeps shapes: as far across as down, all points inside', () => {
  const xy = [[0, 0], [10, 0], [10, 2], [5, -3]];
  const points = xy.map(frameOf(xy, 100).toPoint);
  for (const [x, y] of points) assert.ok(x >= 8 - 1e-9 && x <= 92 + 1e-9 && y >= 8 && y <= 92);
  assert.ok(points[2][1] < points[1][1], 'up is up');
  assert.equal(Math.hypot(points[1][0] - points[0][0], points[1][1] - points[0][1]), 84);
});

test('one place, equal places and none are framed too', () => {
  assert.deepEqual(frameOf([[3, 3]], 100).toPoint([3, 3]), [50, 50]);
  assert.deepEqual(frameOf([[3, 3], [3, 3]], 100).toPoint([3, 3]), [50, 50]);
  assert.deepEqual(frameOf([], 100).toPoint([0, 0]), [50, 50]);
});

test('a line holds the points inside it, also where it is not convex', () => {
  const points = [[1, 1], [5, 5], [9, 1], [5, 1], [20, 20]];
  assert.deepEqual(inside(points, boxLine([0, 0], [10, 10])), [0, 1, 2, 3]);
  assert.deepEqual(inside(points, boxLine([10, 10], [0, 0])), [0, 1, 2, 3], 'drawn the other way round');
  assert.deepEqual(inside(points, [[0, 0], [4, 0], [4, 8], [6, 8], [6, 0], [10, 0], [10, 10], [0, 10]]), [0, 2]);
  assert.deepEqual(inside(points, []), []);
  assert.deepEqual(inside(points, [[0, 0]]), []);
});

test('the length of a line tells a click from a drawing', () => {
  assert.equal(lengthOf([[0, 0]]), 0);
  assert.equal(lengthOf([[0, 0], [3, 4], [3, 5]]), 6);
});

test('the point under the pointer is the nearest within reach', () => {
  assert.equal(pointUnder([[0, 0], [10, 0], [14, 0]], [12.5, 0]), 2);
  assert.equal(pointUnder([[0, 0]], [30, 0]), null);
  assert.equal(pointUnder([], [0, 0]), null);
});

test('arrow keys lead to the nearest point in their direction', () => {
  const points = [[50, 50], [60, 52], [90, 50], [50, 20], [48, 80]];
  assert.equal(pointByKey(points, 0, 'ArrowRight'), 1);
  assert.equal(pointByKey(points, 1, 'ArrowRight'), 2);
  assert.equal(pointByKey(points, 0, 'ArrowUp'), 3);
  assert.equal(pointByKey(points, 0, 'ArrowDown'), 4);
  assert.equal(pointByKey(points, 2, 'ArrowRight'), 2, 'stays at the edge');
  assert.equal(pointByKey(points, null, 'ArrowUp'), 0);
  assert.equal(pointByKey(points, 0, 'Tab'), null);
  assert.equal(pointByKey([], null, 'ArrowUp'), null);
});

test('what is said of a picture', () => {
  const picture = {layer: 1, axes: null, explained: 0.456, trustworthiness: null, reason: '', xy: []};
  assert.equal(pictureWords(picture), '46 %');
  assert.equal(pictureWords({...picture, trustworthiness: 0.934}), 'trust 0.93');
  assert.equal(pictureWords({...picture, explained: null}), '');
  assert.equal(pictureWords({...picture, reason: 'All the same.'}), '');
});

test('the table has a line for each row and layer, and the drawing a dot', () => {
  const answer = RECORDED.projections;
  const rows = answer.layers[0].xy.map((_, i) => ({id: `id${i}`, text: 'a "film"', split: 'dev', color: 'positive'}));
  const table = placesCsv('m', answer, rows, 'label').trimEnd().split('\r\n');
  assert.equal(table.length, 1 + answer.n_layers * rows.length);
  assert.equal(table[0], 'model,trained_on,projection,layer,id,text,split,label,x,y');
  assert.ok(table[1].endsWith(`,dev,positive,${answer.layers[0].xy[0].join(',')}`));
  const drawing = svgText(pictureGrid(answer, rows.map(() => 'red')));
  assert.equal(drawing.match(/h0/g)?.length, answer.n_layers * rows.length);
  const broken = {...answer, layers: answer.layers.map((layer, i) => (i ? layer : {...layer, xy: [], reason: 'All <3> rows are alike.'}))};
  assert.ok(svgText(pictureGrid(broken, [])).includes('All &lt;3&gt; rows'));
  assert.equal(placesCsv('m', broken, rows, '').trimEnd().split('\r\n').length, 1 + (answer.n_layers - 1) * rows.length);
});

test('colours that come round again are told, others are not', () => {
  const legend = (n) => Array.from({length: n}, (_, i) => ({color: `c${i % 7}`}));
  assert.deepEqual([0, 2, 7].map((n) => sharedColors(legend(n))), ['', '', '']);
  assert.equal(sharedColors(legend(40)), '40 values share 7 colours.');
  assert.equal(sharedColors([{color: 'a'}, {color: 'a'}]), '2 values share 1 colour.');
});
