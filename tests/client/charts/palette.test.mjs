import assert from 'node:assert/strict';
import {test} from 'node:test';
import {COLORS, SPLIT_STYLES} from '../../../lit_probe/client/charts/palette.js';

// How linear RGB appears to the three kinds of dichromats: Machado, Oliveira and Fernandes (2009), severity 1.
const VISION = {
  usual: [[1, 0, 0], [0, 1, 0], [0, 0, 1]],
  protanopia: [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
  deuteranopia: [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.01182, 0.04294, 0.968881]],
  tritanopia: [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.3039]],
};

const linear = (hex) => [1, 3, 5].map((i) => parseInt(hex.slice(i, i + 2), 16) / 255).map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
const seenAs = (rgb, matrix) => matrix.map((row) => Math.min(1, Math.max(0, row.reduce((sum, weight, i) => sum + weight * rgb[i], 0))));

/** CIE L*a*b*, D65. */
function lab([r, g, b]) {
  const xyz = [(0.4124 * r + 0.3576 * g + 0.1805 * b) / 0.9505, 0.2126 * r + 0.7152 * g + 0.0722 * b, (0.0193 * r + 0.1192 * g + 0.9505 * b) / 1.089];
  const [x, y, z] = xyz.map((t) => (t > 0.008856 ? Math.cbrt(t) : 7.787 * t + 16 / 116));
  return [116 * y - 16, 500 * (x - y), 200 * (y - z)];
}

for (const [vision, matrix] of Object.entries(VISION)) {
  test(`the splits and the grey of doubt stay apart to an eye with ${vision} vision`, () => {
    const colors = [...Object.values(SPLIT_STYLES).map(({color}) => color), COLORS.unreliable].map((hex) => lab(seenAs(linear(hex), matrix)));
    for (let i = 0; i < colors.length; i++) {
      for (let j = 0; j < i; j++) {
        const distance = Math.hypot(...colors[i].map((value, k) => value - colors[j][k]));
        assert.ok(distance > 15, `${i} and ${j}: ${distance.toFixed(1)}`);
      }
    }
  });
}

test('splits are told apart without any colour', () => {
  const styles = Object.values(SPLIT_STYLES);
  assert.equal(new Set(styles.map(({marker}) => marker)).size, styles.length);
  assert.equal(new Set(styles.map(({dash}) => dash)).size, styles.length);
});
