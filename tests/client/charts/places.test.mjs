import assert from 'node:assert/strict';
import {test} from 'node:test';
import {layerAxis} from '../../../lit_probe/client/charts/axes.js';
import {brokenUp, lineChart} from '../../../lit_probe/client/charts/line_chart.js';
import {
  depthsOf, headByKey, kindsInARow, kindsOf, layersAsDepths, placeAtDepth, placeByKey, placeNames, placeOfKind, samePlace,
} from '../../../lit_probe/client/charts/places.js';
import {findAll, makeSites, textOf, withClass} from '../example_answers.mjs';

const SITES = makeSites(3, 2); // 0..3 layers, 4..6 attention, 7.. heads: 7 is head 1.0, 8 is head 1.1, 9 is head 2.0
const DEPTHS = depthsOf(SITES);
const named = (name) => SITES.findIndex((site) => site.name === name);
const site = (name, family, depth) => ({name, family, depth, width: 8});

test('places of several kinds are lines over depth, and heads rows of their blocks', () => {
  assert.deepEqual(DEPTHS.lines.map(({name, at}) => [name, [...at]]), [
    ['layers', [[0, 0], [1, 1], [2, 2], [3, 3]]], ['attention', [[1, 4], [2, 5], [3, 6]]]]);
  assert.deepEqual(DEPTHS.heads.map((row) => [...row]), [[[0, 7], [1, 8]], [[0, 9], [1, 10]], [[0, 11], [1, 12]]]);
  assert.equal(DEPTHS.nDepths, 4);
  assert.deepEqual(kindsOf(DEPTHS), ['layers', 'attention', 'heads']);
});

test('layers alone, vectors alone and nothing at all are no places over depth', () => {
  assert.equal(depthsOf(null), null);
  assert.equal(depthsOf(undefined), null);
  assert.equal(depthsOf([]), null);
  assert.equal(depthsOf(SITES.slice(0, 4)), null);
  assert.equal(depthsOf([site('a', 'vectors', 0), site('b', 'vectors', 0)]), null);
  assert.equal(depthsOf([site('a', 'vectors', 0), site('attention 1', 'attention', 1)]), null);
});

test('names of places stand in for numbers but where an encoder is read at all its layers, or is known by its vectors', () => {
  assert.deepEqual(placeNames({sites: SITES.slice(1, 3), layer_names: ['block 1', 'block 2']}), ['block 1', 'block 2']);
  assert.equal(placeNames({sites: null, layer_names: null}), null);
  assert.equal(placeNames({sites: [site('a', 'vectors', 0)], layer_names: ['a']}), null);
});

test('modules of one path but for the block are one line; two paths are two; two places of one path at one depth need a column each', () => {
  const module = (path, depth) => site(`module ${path}`, 'module', depth);
  const two = depthsOf([module('encoder.layer.0.output', 1), module('encoder.layer.1.output', 2), module('encoder.layer.0.experts.0', 1), module('encoder.layer.0.experts.1', 1)]);
  assert.deepEqual(two.lines.map(({name}) => name), ['encoder.layer.*.output', 'encoder.layer.*.experts.0', 'encoder.layer.*.experts.1']);
  assert.deepEqual(depthsOf([module('embeddings', 0), module('layer.0:input', 1), module('layer.1:input', 2)]).lines.map(({name}) => name), ['embeddings', 'layer.*:input']);
  assert.equal(depthsOf([module('layer.0#1', 1), module('layer.1#1', 2)]).lines[0].name, 'layer.*#1');
  assert.equal(depthsOf([module('layer.0', 1), module('layer.1', 1)]), null);
});

test('a click on a depth keeps the kind of the current place; where it has none there, the nearest kind that has', () => {
  assert.equal(placeAtDepth(DEPTHS, named('attention 1'), 3), named('attention 3'));
  assert.equal(placeAtDepth(DEPTHS, named('attention 1'), 0), named('embeddings'));
  assert.equal(placeAtDepth(DEPTHS, named('head 1.1'), 3), named('head 3.1'));
  const attentionAlone = depthsOf(SITES.slice(4, 7));
  assert.equal(placeAtDepth(attentionAlone, 2, 0), 0);
});

test('another kind is taken up at the nearest depth', () => {
  assert.equal(placeOfKind(DEPTHS, named('attention 2'), 'layers'), named('block 2'));
  assert.equal(placeOfKind(DEPTHS, named('embeddings'), 'attention'), named('attention 1'));
  assert.equal(placeOfKind(DEPTHS, named('block 3'), 'heads'), named('head 3.0'));
  assert.equal(placeOfKind(DEPTHS, named('head 2.1'), 'heads'), named('head 2.1'));
});

test('keys lead along the kind, by depth, and not beyond its ends', () => {
  const go = (name, key) => placeByKey(DEPTHS, named(name), key);
  assert.equal(go('attention 1', 'ArrowRight'), named('attention 2'));
  assert.equal(go('attention 1', 'ArrowLeft'), named('attention 1'));
  assert.equal(go('block 1', 'End'), named('block 3'));
  assert.equal(go('block 3', 'Home'), named('embeddings'));
  assert.equal(go('head 1.1', 'ArrowRight'), named('head 2.1'));
  assert.equal(go('block 1', 'Escape'), null);
  assert.equal(go('block 1', 'a'), undefined);
  assert.equal(go('block 1', 'toString'), undefined);
});

test('arrows lead from head to head and stop at the edges', () => {
  const go = (name, key) => headByKey(DEPTHS, named(name), key);
  assert.equal(go('head 1.0', 'ArrowRight'), named('head 1.1'));
  assert.equal(go('head 1.1', 'ArrowRight'), named('head 1.1'));
  assert.equal(go('head 1.1', 'ArrowDown'), named('head 2.1'));
  assert.equal(go('head 1.1', 'ArrowUp'), named('head 1.1'));
  assert.equal(go('head 3.0', 'ArrowDown'), named('head 3.0'));
  assert.equal(go('head 2.0', 'PageDown'), named('head 3.0'));
  assert.equal(go('head 2.0', 'x'), undefined);
  // Of another block other heads may be read.
  const some = [site('head 1.0', 'heads', 1), site('head 1.5', 'heads', 1), site('head 4.4', 'heads', 4)];
  assert.equal(headByKey(depthsOf(some), 1, 'ArrowDown'), 2);
  assert.equal(headByKey(depthsOf(some), 2, 'ArrowUp'), 1);
});

test('a place is found in another encoder by its name, else by kind and depth', () => {
  const deeper = depthsOf(makeSites(5, 2));
  const at = samePlace(DEPTHS, named('attention 3'), deeper);
  assert.equal(deeper.sites[at].name, 'attention 3');
  assert.equal(samePlace(deeper, deeper.sites.findIndex(({name}) => name === 'attention 5'), DEPTHS), null);
  assert.equal(samePlace(DEPTHS, named('block 2'), layersAsDepths(4)), 2);
});

test('places in a row: no line goes from one kind to the next, nor from the heads of one block to those of the next', () => {
  const {groupOf, groups} = kindsInARow(SITES);
  assert.deepEqual(groups, [{from: 0, to: 3, label: 'layers'}, {from: 4, to: 6, label: 'attention'}, {from: 7, to: 12, label: 'heads'}]);
  assert.ok(groupOf(3) !== groupOf(4) && groupOf(4) === groupOf(6) && groupOf(8) !== groupOf(9) && groupOf(7) === groupOf(8));
  const points = [3, 4, 5].map((x) => ({x, score: 0.5, low: 0.4, high: 0.6}));
  assert.deepEqual(brokenUp(points, groupOf).map(({score}) => score), [0.5, null, 0.5, 0.5]);
  assert.equal(kindsInARow(SITES.slice(0, 4)), null);
});

test('a chart over all places names the kinds under their columns and breaks its lines between them', () => {
  const style = {color: '#000', marker: 'circle', dash: ''};
  const chart = lineChart({
    width: 500, height: 200, yTitle: 'Score', domain: [0, 1], axis: layerAxis(SITES.length, {current: 5, sites: SITES}),
    series: [{name: 'dev', mode: 'line', style, points: SITES.map((_, x) => ({x, score: 0.5, low: 0.4, high: 0.6}))}],
  });
  assert.deepEqual(withClass(chart, 'axis-title').map(textOf), ['Score', 'layers', 'attention', 'heads']);
  const linesOf = (drawing) => findAll(drawing, ({attributes}) => attributes.class === 'line');
  const [line] = linesOf(chart);
  assert.equal(line.attributes.d.match(/M/g).length, 5, 'layers, attention and three blocks of heads');
  const bold = findAll(withClass(chart, 'layer-axis')[0], ({attributes}) => attributes['font-weight'] === 'bold' && attributes.class !== 'axis-title');
  assert.deepEqual(bold.map(textOf), ['2']);
  const plain = lineChart({
    width: 500, height: 200, yTitle: 'Score', domain: [0, 1], axis: layerAxis(4), series: [{name: 'dev', mode: 'line', style, points: [0, 1, 2, 3].map((x) => ({x, score: 0.5, low: null, high: null}))}]});
  assert.equal(linesOf(plain)[0].attributes.d.match(/M/g).length, 1);
});
