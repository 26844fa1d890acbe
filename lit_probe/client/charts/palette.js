// @ts-check
/** The colours, dashes and markers of our charts and panels, on a light page and on a dark one; checked for colour-blind readers. */

/** Whether the browser can choose between two colours itself; one that cannot shows the light page. Node, for its tests, can. */
const CHOOSES = typeof CSS === 'undefined' || CSS.supports('color', 'light-dark(red, red)');

/** The value of CSS's `color-scheme` that our panels have. */
export const SCHEMES = CHOOSES ? 'light dark' : 'light';

/**
 * A colour as the page's scheme wants it. The browser follows when the scheme changes; what is saved keeps the light one.
 *
 * @param {string} light
 * @param {string} dark
 * @returns {string}
 */
function pair(light, dark) {
  return CHOOSES ? `light-dark(${light}, ${dark})` : light;
}

const PAIR = /light-dark\(((?:[^(),]|\([^)]*\))+), (?:[^(),]|\([^)]*\))+\)/g;

/**
 * A text with the light one of each pair of colours in it, for a file: what shows it may know no pairs, and a figure in a paper is
 * light.
 *
 * @param {string} text
 * @returns {string}
 */
export function lightColors(text) {
  return text.replace(PAIR, '$1');
}

/** A colour that is known for light pages alone, such as a server's. @param {string} light @returns {string} */
export function brightened(light) {
  return pair(light, `color-mix(in srgb, ${light}, white 50%)`);
}

/** Colours by what they mean in our panels; on a light page they are LIT's own. */
export const COLORS = {
  text: pair('#3C4043', '#E3E6E9'),
  quietText: pair('#5F6368', '#B4BAC0'),
  ink: pair('#202124', '#F4F6F8'),
  axis: pair('#80868B', '#8F969C'),
  grid: pair('#E8EAED', '#3A4046'),
  unreliable: pair('#80868B', '#7D848B'),
  others: pair('#8A9097', '#858C93'),
  current: pair('#D8F2ED', '#234642'),
  marked: pair('#D4BC6A', '#C9AE55'),
  markedText: pair('#7A5F00', '#E6CC7A'),
  accent: pair('#1F6180', '#7CC4DE'),
  paper: pair('#FFFFFF', '#1F2226'),
  raised: pair('#FFFFFF', '#2E3338'),
  bar: pair('#5FA8B8', '#5FA8B8'),
  quietBar: pair('#BDC1C6', '#5F666D'),
  histogram: pair('#8FC4CF', '#4F8C99'),
  splits: pair('#4C2473', '#C9B2EA'),
  secondMark: pair('#B06000', '#FFB95C'),
  rim: pair('rgba(60, 64, 67, .13)', 'rgba(255, 255, 255, .2)'),
  before: pair('#D6E8F0', '#20475A'),
  after: pair('#FBDCC8', '#5E3417'),
  fired: pair('#CDE9EE', '#1F4A54'),
  differs: pair('#FFF3D6', '#4A3B12'),
  pressed: pair('#E3D9F0', '#463463'),
  pressedRim: pair('#4C2473', '#C9B2EA'),
};

/** LIT's colour variables that our panels use: on a light page as LIT has them. @type {Record<string, string>} */
export const LIT_COLORS = {
  '--lit-neutral-100': pair('#F1F3F4', '#2B3035'),
  '--lit-neutral-200': pair('#E8EAED', '#3A4046'),
  '--lit-neutral-300': pair('#DADCE0', '#4A5158'),
  '--lit-neutral-400': pair('#BDC1C6', '#6B737B'),
  '--lit-neutral-700': pair('#5F6368', '#B4BAC0'),
  '--lit-neutral-800': pair('#3C4043', '#E3E6E9'),
  '--lit-cyea-500': pair('#348199', '#5DB0CB'),
  '--lit-cyea-600': pair('#1F6180', '#7CC4DE'),
  '--lit-cyea-700': pair('#114566', '#A3D9EC'),
  '--lit-mintonal-p-1': pair('#F5F9FA', '#282D32'),
  '--lit-mintonal-p-3': pair('#E9F1F4', '#30373D'),
  '--lit-mintonal-p-4': pair('#E7F0F3', '#343C43'),
  '--lit-bric-100': pair('#F9F1DC', '#453019'),
  '--lit-bric-700': pair('#8B2100', '#FFB59B'),
  '--google-red-50': pair('#FCE8E6', '#44211F'),
  '--google-red-600': pair('#D93025', '#F28B82'),
  '--google-red-700': pair('#C5221F', '#F6A7A0'),
};

/**
 * How each split is drawn. Told apart by lightness, marker and dashes as well as by hue, for colour-blind readers and grey prints.
 *
 * @type {Record<string, {color: string, marker: 'circle'|'diamond'|'square'|'triangle', dash: string}>}
 */
export const SPLIT_STYLES = {
  dev: {color: pair('#1F6180', '#7CC4DE'), marker: 'circle', dash: ''},
  test: {color: pair('#D55E00', '#F28C38'), marker: 'diamond', dash: '7 3'},
  train: {color: pair('#B07AC9', '#A86BD0'), marker: 'square', dash: '2 3'},
};

/** The colours of several encoders on one chart, in the order of the page. */
export const ENCODER_COLORS = [pair('#1F6180', '#7CC4DE'), pair('#D55E00', '#F28C38'), pair('#009E73', '#35C79C'), pair('#9B5DE5', '#BE9AF5')];

/**
 * How a split of one of several encoders is drawn: the encoder's colour, the split's marker and dashes.
 *
 * @param {number} index  the place of the encoder among those that are shown
 * @param {string} split
 */
export function encoderStyle(index, split) {
  return {...SPLIT_STYLES[split], color: ENCODER_COLORS[index % ENCODER_COLORS.length]};
}

/**
 * How the kinds of places of one encoder are drawn, those after the fourth for whatever else is read. The marker tells them apart where the
 * colour does not; the split has the dashes.
 *
 * @type {{color: string, marker: 'circle'|'diamond'|'square'|'triangle'}[]}
 */
const FAMILY_STYLES = [
  {color: ENCODER_COLORS[0], marker: 'circle'},
  {color: ENCODER_COLORS[2], marker: 'square'},
  {color: ENCODER_COLORS[3], marker: 'diamond'},
  {color: pair('#5A3A00', '#E6DC5A'), marker: 'triangle'},
  {color: pair('#A03060', '#FF8AC8'), marker: 'circle'},
];
export const FAMILY_COLORS = FAMILY_STYLES.map(({color}) => color);
const KNOWN_FAMILIES = ['layers', 'attention', 'mlp', 'mlp_neurons'];

/**
 * How a split of one kind of places is drawn: the kind's colour and marker, the split's dashes.
 *
 * @param {string} family
 * @param {string[]} families  all that are drawn
 * @param {string} split
 */
export function familyStyle(family, families, split) {
  const known = KNOWN_FAMILIES.indexOf(family);
  const index = families.filter((one) => !KNOWN_FAMILIES.includes(one)).indexOf(family);
  const style = FAMILY_STYLES[known < 0 ? (KNOWN_FAMILIES.length + index) % FAMILY_STYLES.length : known];
  return {...style, dash: SPLIT_STYLES[split].dash};
}

/** A way of colours from nothing over the middle to the most, on a light page and on a dark one. @typedef {{light: number[][], dark: number[][]}} Ramp */

/** LIT's cyan: probability 0, one half and 1. @type {Ramp} */
const HEAT = {
  light: [[248, 251, 252], [123, 204, 204], [17, 69, 102]],
  dark: [[42, 47, 52], [38, 116, 128], [160, 228, 236]],
};

/** The luminance at which black and white text contrast equally with a fill: 4.6 to 1. */
const MIDDLE_LUMINANCE = 0.179;

/** A place on a ramp as a colour, and that of text that is legible on it. @param {number[][]} ramp @param {number} share  in [0, 1] */
function onRamp(ramp, share) {
  const [from, to] = share < 0.5 ? ramp : ramp.slice(1);
  const way = share < 0.5 ? 2 * share : 2 * share - 1;
  const channels = from.map((channel, i) => Math.round(channel + way * (to[i] - channel)));
  return {fill: `rgb(${channels.join(', ')})`, text: luminance(channels) < MIDDLE_LUMINANCE ? '#FFFFFF' : '#000000'};
}

/** @param {Ramp} ramp @param {number} share  in [0, 1] @returns {{fill: string, text: string}} */
function rampColor({light, dark}, share) {
  const [day, night] = [onRamp(light, share), onRamp(dark, share)];
  return {fill: pair(day.fill, night.fill), text: pair(day.text, night.text)};
}

/**
 * The colour of a probability and of text that is legible on it.
 *
 * @param {number} probability  a number in [0, 1]
 * @returns {{fill: string, text: string}}
 */
export function heatColor(probability) {
  return rampColor(HEAT, Math.min(1, Math.max(0, probability)));
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
 * @type {Record<'for'|'against'|'size', Ramp>}
 */
const RAMPS = {
  for: {light: [[255, 255, 255], [110, 190, 205], [17, 69, 102]], dark: [[46, 51, 56], [36, 112, 134], [150, 222, 236]]},
  against: {light: [[255, 255, 255], [244, 177, 131], [148, 54, 0]], dark: [[46, 51, 56], [150, 84, 32], [255, 196, 150]]},
  size: {light: [[255, 255, 255], [190, 170, 218], [76, 36, 115]], dark: [[46, 51, 56], [106, 82, 146], [216, 192, 246]]},
};

/**
 * The colour of a share of a row's largest salience, and of text that is legible on it.
 *
 * @param {number} share  a number in [-1, 1]
 * @param {boolean} signed
 * @returns {{fill: string, text: string}}
 */
export function salienceColor(share, signed) {
  return rampColor(RAMPS[!signed ? 'size' : share < 0 ? 'against' : 'for'], Math.min(1, Math.abs(share)));
}

/** As WCAG 2 defines it. @param {number[]} channels @returns {number} */
function luminance(channels) {
  const [r, g, b] = channels.map((channel) => channel / 255).map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}
