import assert from 'node:assert/strict';
import {test} from 'node:test';
import {brightened, COLORS, ENCODER_COLORS, FAMILY_COLORS, familyStyle, lightColors, LIT_COLORS, SPLIT_STYLES} from '../../../lit_probe/client/charts/palette.js';
import {contrast, linear, sides} from '../colors.mjs';

// How linear RGB appears to the three kinds of dichromats: Machado, Oliveira and Fernandes (2009), severity 1.
const VISION = {
  usual: [[1, 0, 0], [0, 1, 0], [0, 0, 1]],
  protanopia: [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
  deuteranopia: [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.01182, 0.04294, 0.968881]],
  tritanopia: [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.3039]],
};

const seenAs = (rgb, matrix) => matrix.map((row) => Math.min(1, Math.max(0, row.reduce((sum, weight, i) => sum + weight * rgb[i], 0))));

/** CIE L*a*b*, D65. */
function lab([r, g, b]) {
  const xyz = [(0.4124 * r + 0.3576 * g + 0.1805 * b) / 0.9505, 0.2126 * r + 0.7152 * g + 0.0722 * b, (0.0193 * r + 0.1192 * g + 0.9505 * b) / 1.089];
  const [x, y, z] = xyz.map((t) => (t > 0.008856 ? Math.cbrt(t) : 7.787 * t + 16 / 116));
  return [116 * y - 16, 500 * (x - y), 200 * (y - z)];
}

const DRAWN = {
  'the splits and the grey of doubt': [...Object.values(SPLIT_STYLES).map(({color}) => color), COLORS.unreliable],
  encoders: ENCODER_COLORS,
  'kinds of places, test and the grey of doubt': [...FAMILY_COLORS, SPLIT_STYLES.test.color, COLORS.unreliable],
};
const APART = {'the splits and the grey of doubt': 15, encoders: 10, 'kinds of places, test and the grey of doubt': 10};

for (const [vision, matrix] of Object.entries(VISION)) {
  for (const [page, scheme] of ['light', 'dark'].entries()) {
    for (const [what, drawn] of Object.entries(DRAWN)) {
      test(`${what} stay apart on a ${scheme} page to an eye with ${vision} vision`, () => {
        const colors = drawn.map((color) => lab(seenAs(linear(sides(color)[page]), matrix)));
        for (let i = 0; i < colors.length; i++) {
          for (let j = 0; j < i; j++) {
            const distance = Math.hypot(...colors[i].map((value, k) => value - colors[j][k]));
            assert.ok(distance > APART[what], `${i} and ${j}: ${distance.toFixed(1)}`);
          }
        }
      });
    }
  }
}

const WRITTEN = ['text', 'quietText', 'ink', 'markedText', 'accent', 'pressedRim'].map((name) => COLORS[name]);
const WRITTEN_BY_LIT = ['neutral-700', 'neutral-800', 'cyea-600', 'cyea-700', 'bric-700'].map((name) => LIT_COLORS[`--lit-${name}`]);
const LINES = [...Object.values(SPLIT_STYLES).map(({color}) => color), ...ENCODER_COLORS, ...FAMILY_COLORS, COLORS.axis, COLORS.unreliable, COLORS.others, COLORS.secondMark, LIT_COLORS['--lit-cyea-500']];

for (const [page, scheme] of ['light', 'dark'].entries()) {
  const on = (ground, color) => contrast(sides(color)[page], sides(ground)[page]);

  test(`text has a contrast of 4.5 or more on a ${scheme} page, and on its cards and tooltips`, () => {
    const grounds = [COLORS.paper, COLORS.raised, COLORS.current, LIT_COLORS['--lit-mintonal-p-1'], LIT_COLORS['--lit-neutral-100']];
    for (const ground of grounds) {
      for (const color of [...WRITTEN, ...WRITTEN_BY_LIT]) assert.ok(on(ground, color) >= 4.5, `${color} on ${ground}: ${on(ground, color).toFixed(2)}`);
    }
    const within = [
      ['--lit-bric-100', '--lit-bric-700'], ['--lit-bric-100', '--lit-neutral-800'], ['--google-red-50', '--lit-neutral-800'], ['--google-red-50', '--lit-cyea-600'],
    ].map(([ground, color]) => [LIT_COLORS[ground], LIT_COLORS[color]]);
    within.push(...['before', 'after', 'fired', 'differs', 'pressed'].map((ground) => [COLORS[ground], COLORS.text]), [LIT_COLORS['--lit-cyea-600'], COLORS.paper]);
    for (const [ground, color] of within) assert.ok(on(ground, color) >= 4.5, `${color} on ${ground}: ${on(ground, color).toFixed(2)}`);
  });

  test(`lines and marks have a contrast of 3 or more on a ${scheme} page`, () => {
    for (const color of LINES) assert.ok(on(COLORS.paper, color) >= 3, `${color}: ${on(COLORS.paper, color).toFixed(2)}`);
  });
}

test('a file gets the light colour of each pair, whatever the pair is made of', () => {
  const dark = /light-dark|color-mix/;
  const text = `fill:${COLORS.text};stroke:${COLORS.rim};color:${brightened('#8A5A00')}`;
  assert.match(text, dark);
  assert.equal(lightColors(text), 'fill:#3C4043;stroke:rgba(60, 64, 67, .13);color:#8A5A00');
  assert.equal(lightColors('what a text says of light-dark(values)'), 'what a text says of light-dark(values)');
});

test('a kind of places keeps its colour and marker whatever else is drawn, and others have those that are left', () => {
  assert.deepEqual(familyStyle('mlp', ['mlp'], 'dev'), familyStyle('mlp', ['layers', 'a.*.b', 'mlp'], 'dev'));
  const known = ['layers', 'attention', 'mlp', 'mlp_neurons'].map((one) => familyStyle(one, [one], 'dev').color);
  assert.ok(!known.includes(familyStyle('a.*.b', ['mlp', 'a.*.b'], 'dev').color));
  assert.equal(new Set([...known, familyStyle('a.*.b', ['a.*.b'], 'dev').color]).size, 5);
  assert.equal(familyStyle('mlp', ['mlp'], 'test').dash, SPLIT_STYLES.test.dash);
});

test('splits are told apart without any colour', () => {
  const styles = Object.values(SPLIT_STYLES);
  assert.equal(new Set(styles.map(({marker}) => marker)).size, styles.length);
  assert.equal(new Set(styles.map(({dash}) => dash)).size, styles.length);
});
