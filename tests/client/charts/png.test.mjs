import assert from 'node:assert/strict';
import test from 'node:test';
import {pngScale} from '../../../lit_probe/client/charts/png.js';

test('a picture has two pixels for one of the drawing, and fewer where browsers can make no more', () => {
  assert.equal(pngScale(640, 340), 2);
  for (const [width, height] of [[640, 20_000], [30_000, 50], [9_000, 9_000], [1, 1e6]]) {
    const scale = pngScale(width, height);
    assert.ok(scale < 2 && scale > 0);
    assert.ok(Math.max(width, height) * scale <= 16_384.001 && width * height * scale ** 2 <= 2 ** 26 + 1);
  }
});
