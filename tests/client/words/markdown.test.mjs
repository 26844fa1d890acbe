import assert from 'node:assert/strict';
import {test} from 'node:test';
import {asMarkdown} from '../../../lit_probe/client/words/markdown.js';

test('no sign of markdown, HTML or an address keeps its meaning', () => {
  assert.equal(asMarkdown('[x](https://e.org)'), '\\[x\\]\\(https\\:\\/\\/e\\.org\\)');
  assert.equal(asMarkdown('<img src=x> & *a*_b_'), '&lt;img src\\=x&gt; &amp; \\*a\\*\\_b\\_');
  assert.equal(asMarkdown('www.e.org me@e.org'), 'www\\.e\\.org me\\@e\\.org');
  assert.equal(asMarkdown('    1. a\n\n- b\n==='), '1\\. a \\- b \\=\\=\\=');
  assert.equal(asMarkdown('très bien 😀'), 'très bien 😀');
});
