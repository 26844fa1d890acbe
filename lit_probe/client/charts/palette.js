// @ts-check
/** The colours, dashes and markers of our charts; checked for colour-blind readers. */

/** LIT's own colours, by what they mean in our panels; written out because a downloaded figure knows no style sheet. */
export const COLORS = {
  text: '#3C4043',
  quietText: '#5F6368',
  axis: '#80868B',
  grid: '#E8EAED',
  unreliable: '#80868B',
  current: '#D8F2ED',
  marked: '#D4BC6A',
  markedText: '#7A5F00',
  accent: '#1F6180',
  paper: '#FFFFFF',
};

/**
 * How each split is drawn. Told apart by lightness, marker and dashes as well as by hue, for colour-blind readers and grey prints.
 *
 * @type {Record<string, {color: string, marker: 'circle'|'diamond'|'square', dash: string}>}
 */
export const SPLIT_STYLES = {
  dev: {color: '#1F6180', marker: 'circle', dash: ''},
  test: {color: '#D55E00', marker: 'diamond', dash: '7 3'},
  train: {color: '#B07AC9', marker: 'square', dash: '2 3'},
};

/** The colours of several encoders on one chart, in the order of the page. */
export const ENCODER_COLORS = ['#1F6180', '#D55E00', '#009E73', '#9B5DE5'];

/**
 * How a split of one of several encoders is drawn: the encoder's colour, the split's marker and dashes.
 *
 * @param {number} index  the place of the encoder among those that are shown
 * @param {string} split
 */
export function encoderStyle(index, split) {
  return {...SPLIT_STYLES[split], color: ENCODER_COLORS[index % ENCODER_COLORS.length]};
}

/** LIT's cyan from near white (probability 0) over cyea-300 to cyea-700 (probability 1). */
const HEAT = [[248, 251, 252], [123, 204, 204], [17, 69, 102]];
const LIGHTEST_FOR_WHITE = 0.79; // Here black and white text contrast equally with the fill: 4.5 to 1, what WCAG asks for.

/**
 * The colour of a probability and of text that is legible on it.
 *
 * @param {number} probability  a number in [0, 1]
 * @returns {{fill: string, text: string}}
 */
export function heatColor(probability) {
  const share = Math.min(1, Math.max(0, probability));
  const [from, to] = share < 0.5 ? HEAT : HEAT.slice(1);
  const way = share < 0.5 ? 2 * share : 2 * share - 1;
  const channels = from.map((channel, i) => Math.round(channel + way * (to[i] - channel)));
  return {fill: `rgb(${channels.join(', ')})`, text: share > LIGHTEST_FOR_WHITE ? '#FFFFFF' : '#000000'};
}

/** Two lines of one chart that are no splits: what is asked about, and what it is held against. */
export const PAIR_STYLES = {
  first: SPLIT_STYLES.dev,
  second: {...SPLIT_STYLES.test, marker: /** @type {'square'} */ ('square')},
};

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
 * @param {number} share  a number in [-1, 1]
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
