// @ts-check

/**
 * From no salience to the largest of the row. What speaks for the class and what speaks against it differ in hue (blue and orange,
 * which colour-blind readers tell apart); sizes without a sign have a third hue.
 *
 * @type {Record<'for'|'against'|'size', number[][]>}
 */
const RAMPS = {
  for: [[255, 255, 255], [110, 190, 205], [17, 69, 102]],
  against: [[255, 255, 255], [244, 177, 131], [148, 54, 0]],
  size: [[255, 255, 255], [190, 170, 218], [76, 36, 115]],
};

/** The luminance at which black and white text contrast equally with a fill: 4.6 to 1. */
const MIDDLE_LUMINANCE = 0.179;

/**
 * The colour of a share of a row's largest salience, and of text that is legible on it.
 *
 * @param {number} share  in [-1, 1]
 * @param {boolean} signed
 * @returns {{fill: string, text: string}}
 */
export function salienceColor(share, signed) {
  const size = Math.min(1, Math.abs(share));
  const ramp = RAMPS[!signed ? 'size' : share < 0 ? 'against' : 'for'];
  const [from, to] = size < 0.5 ? ramp : ramp.slice(1);
  const way = size < 0.5 ? 2 * size : 2 * size - 1;
  const channels = from.map((channel, i) => Math.round(channel + way * (to[i] - channel)));
  return {fill: `rgb(${channels.join(', ')})`, text: luminance(channels) < MIDDLE_LUMINANCE ? '#FFFFFF' : '#000000'};
}

/** As WCAG 2 defines it. @param {number[]} channels @returns {number} */
function luminance(channels) {
  const [r, g, b] = channels.map((channel) => channel / 255).map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}
