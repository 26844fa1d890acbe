import assert from 'node:assert/strict';
import {test} from 'node:test';
import {svgNode, svgText} from '../../../lit_probe/client/charts/svg.js';

test('a drawing becomes nested elements with their attributes and text', () => {
  const drawing = svgNode('g', {fill: 'red'}, svgNode('text', {x: 1}, 'Layer'), null);
  assert.equal(svgText(drawing), '<g fill="red"><text x="1">Layer</text></g>');
});

test('text from data never becomes markup', () => {
  const text = svgText(svgNode('text', {id: '"><script>'}, '</text><script>alert("x")</script>&'));
  assert.equal(text, '<text id="&quot;&gt;&lt;script&gt;">&lt;/text&gt;&lt;script&gt;alert(&quot;x&quot;)&lt;/script&gt;&amp;</text>');
});

test('a text keeps its spaces in a file', () => {
  assert.equal(svgText(svgNode('text', {x: 1}, 'très  bien')), '<text x="1" xml:space="preserve">très  bien</text>');
});

test('characters that XML does not allow are replaced', () => {
  assert.equal(svgText(svgNode('text', {}, 'a\u0000b\ud800c')), '<text>a\ufffdb\ufffdc</text>');
});
