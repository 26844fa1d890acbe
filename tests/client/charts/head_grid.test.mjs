import assert from 'node:assert/strict';
import {test} from 'node:test';
import {gridLayout, headGrid, isBelow, scaleEnds} from '../../../lit_probe/client/charts/head_grid.js';
import {depthsOf} from '../../../lit_probe/client/charts/places.js';
import {svgText} from '../../../lit_probe/client/charts/svg.js';
import {findAll, makeSites, textOf, withClass} from '../example_answers.mjs';

const DEPTHS = depthsOf(makeSites(3, 2));
const FIRST = 7; // head 1.0
const scoresOf = (depths, value = (place) => 0.4 + place / 50) => depths.sites.map((_, layer) => ({layer, score: value(layer), low: null, high: null}));
const grid = (depths, view = {}) => headGrid(depths, {width: 480, scores: scoresOf(depths), majority: 0.55, higherIsBetter: true, title: 'Accuracy on dev', ...view});

test('the first block is the first row, and the pixel of a head leads back to it', () => {
  const layout = gridLayout(DEPTHS, 480);
  assert.ok(layout.y(0) < layout.y(2) && layout.x(0) < layout.x(1));
  const middle = (row, head) => layout.placeUnder(layout.x(head) + layout.cell.width / 2, layout.y(row) + layout.cell.height / 2);
  assert.deepEqual([middle(0, 0), middle(0, 1), middle(2, 1)], [FIRST, FIRST + 1, FIRST + 5]);
  assert.equal(layout.placeUnder(2, 10), null);
  assert.equal(layout.placeUnder(470, 10), null);
  assert.equal(layout.placeUnder(100, 2000), null);
  assert.equal(layout.placeUnder(100, -5), null);
});

test('as many as 32 heads by 32 blocks stand inside a narrow panel, each large enough to be hit', () => {
  const depths = depthsOf(makeSites(32, 32));
  const {cell, x, height} = gridLayout(depths, 440);
  assert.ok(x(31) + cell.width <= 440);
  assert.ok(cell.width >= 9 && cell.height >= 9 && height < 480, `${cell.width} x ${cell.height}, ${height}`);
  const labels = withClass(grid(depths, {width: 440}), 'head-number').map(({attributes}) => Number(attributes.x));
  assert.ok(labels.length > 5 && labels.slice(1).every((at, i) => at - labels[i] >= 18));
});

test('heads that do worse than the baseline have a mark, others none, and scores are written where there is room', () => {
  const drawing = grid(DEPTHS);
  const worse = scoresOf(DEPTHS).filter(({score, layer}) => layer >= FIRST && score < 0.55).length;
  assert.ok(worse > 0);
  assert.equal(withClass(drawing, 'below').length, worse + 1, 'one more in the key');
  assert.equal(withClass(drawing, 'head').length, 6);
  assert.deepEqual(withClass(drawing, 'head').map(textOf).map((text) => text.trim()), ['0.54', '0.56', '0.58', '0.60', '0.62', '0.64']);
  assert.equal(withClass(grid(DEPTHS, {majority: null}), 'below').length, 0);
  assert.ok(isBelow(0.7, 0.6, false) && !isBelow(0.7, 0.6, true) && !isBelow(null, 0.6, true) && !isBelow(0.5, null, true));
});

test('colours go from the baseline to the best score, whichever way is better', () => {
  assert.deepEqual(scaleEnds([0.4, 0.8, null], 0.5, true), {worst: 0.5, best: 0.8});
  assert.deepEqual(scaleEnds([0.4, 0.8], 0.7, false), {worst: 0.7, best: 0.4});
  assert.deepEqual(scaleEnds([0.4, 0.8], null, true), {worst: 0.4, best: 0.8});
  assert.deepEqual(scaleEnds([0.3, 0.4], 0.5, true), {worst: 0.5, best: 0.5});
  assert.deepEqual(scaleEnds([null], null, true), {worst: 0, best: 0});
  const fills = (view) => withClass(grid(DEPTHS, view), 'head').map((cell) => cell.children[0].attributes.fill);
  assert.equal(new Set(fills({scores: scoresOf(DEPTHS, () => 0.3)})).size, 1);
  assert.ok(new Set(fills({})).size > 3);
  assert.doesNotMatch(svgText(grid(DEPTHS, {scores: scoresOf(DEPTHS, () => null), majority: null})), /NaN|Infinity|undefined/);
});

test('the current, the chosen and the hovered head are outlined; places that are no heads are not', () => {
  const count = (view, name) => withClass(grid(DEPTHS, view), name).length;
  assert.equal(count({current: FIRST}, 'current-head'), 1);
  assert.equal(count({chosen: FIRST + 1}, 'chosen-head'), 1);
  assert.equal(count({hovered: FIRST}, 'hovered-head'), 1);
  assert.equal(count({current: 2, chosen: 5}, 'current-head') + count({current: 2, chosen: 5}, 'chosen-head'), 0);
});

test('the page reads it aloud cell by cell, a file says nothing of it', () => {
  const told = grid(DEPTHS, {ofCell: (place) => ({role: 'gridcell', id: `head-${place}`})});
  assert.equal(findAll(told, ({attributes}) => attributes.role === 'gridcell').length, 6);
  assert.equal(findAll(told, ({attributes}) => attributes.role === 'row').length, 3);
  assert.doesNotMatch(svgText(grid(DEPTHS)), /role=/);
});
