/** How light a colour of the palette is, on a light page and on a dark one. */

/** @param {string} color  `light-dark(A, B)` @returns {string[]}  A and B */
export function sides(color) {
  const found = color.match(/^light-dark\(((?:[^(),]|\([^)]*\))+), ((?:[^(),]|\([^)]*\))+)\)$/);
  return found ? [found[1], found[2]] : [color, color];
}

const channels = (color) => (color.startsWith('#') ? [1, 3, 5].map((i) => parseInt(color.slice(i, i + 2), 16)) : color.match(/\d+/g).map(Number));

/** The channels of `#RRGGBB` or `rgb(…)` in proportion to light. */
export const linear = (color) => channels(color).map((channel) => channel / 255).map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));

/** As WCAG 2 defines it. */
export function luminance(color) {
  const [r, g, b] = linear(color);
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

/** As WCAG 2 defines it: from 1 to 21. */
export function contrast(one, other) {
  const [low, high] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (high + 0.05) / (low + 0.05);
}
