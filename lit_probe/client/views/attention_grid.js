// @ts-check
/** All attention heads as small pictures: a row for each block, a column for each head. Where they stand, and what is in each. */
/** @import {AttendedText, AttentionHeads} from '../page/types.js' */

/** @typedef {{block: number, head: number}} Head  A head: its block from 1, its number in it from 0. */

const LEFT = 56;
const TOP = 18;
const FOOT = 6;
const LARGEST = 48;
const SMALLEST = 9;
const GAP = 2;
/** All blocks share so many pixels, so that the lines of one head are not far below. */
const ROOM = 300;

/**
 * Where the pictures stand, in pixels; the first block in the first row.
 *
 * @param {{n_blocks: number, n_heads: number}} answer
 * @param {number} width  the room there is; more heads than fit make the drawing wider
 */
export function pictureLayout({n_blocks: nBlocks, n_heads: nHeads}, width) {
  const cell = Math.max(SMALLEST, Math.min(LARGEST, Math.floor((width - LEFT) / nHeads), Math.floor(ROOM / nBlocks)));
  return {
    cell, left: LEFT, top: TOP,
    width: LEFT + nHeads * cell,
    height: TOP + nBlocks * cell + FOOT,
    /** The inside of a picture. */
    inside: cell - GAP,
    x: (/** @type {Head} */ {head}) => LEFT + head * cell,
    y: (/** @type {Head} */ {block}) => TOP + (block - 1) * cell,
    /** @param {number} x @param {number} y @returns {?Head}  the head under a pixel */
    under(x, y) {
      const at = {block: Math.floor((y - TOP) / cell) + 1, head: Math.floor((x - LEFT) / cell)};
      return at.block >= 1 && at.block <= nBlocks && at.head >= 0 && at.head < nHeads ? at : null;
    },
    /** Numbers of so many rows or columns share a label. */
    step: Math.ceil(14 / cell),
  };
}

/**
 * The head that a key leads to.
 *
 * @param {string} key
 * @param {Head} from
 * @param {{n_blocks: number, n_heads: number}} answer
 * @returns {?Head}  null for a key that leads nowhere
 */
export function pictureByKey(key, {block, head}, {n_blocks: nBlocks, n_heads: nHeads}) {
  /** @type {Record<string, [number, number]>} */
  const steps = {ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1], Home: [0, -nHeads], End: [0, nHeads]};
  const step = steps[key];
  if (!step) return null;
  return {block: Math.min(nBlocks, Math.max(1, block + step[0])), head: Math.min(nHeads - 1, Math.max(0, head + step[1]))};
}

/**
 * The picked head, or the nearest that this model has.
 *
 * @param {Head} picked
 * @param {{n_blocks: number, n_heads: number}} answer
 * @returns {Head}
 */
export function nearestHead({block, head}, {n_blocks: nBlocks, n_heads: nHeads}) {
  return {block: Math.min(block, nBlocks), head: Math.min(head, nHeads - 1)};
}

/**
 * The head that is read at a place of the probes.
 *
 * @param {AttentionHeads} answer
 * @param {?number} place
 * @returns {?Head}
 */
export function headAtPlace({places}, place) {
  if (!places || place === null) return null;
  const row = places.findIndex((heads) => heads.includes(place));
  return row < 0 ? null : {block: row + 1, head: places[row].indexOf(place)};
}

/**
 * A head's small picture as the pixels of an image: one colour, the more opaque the larger the weight.
 *
 * @param {Uint8Array} bytes  of all heads
 * @param {AttendedText} text
 * @param {Head} head
 * @param {number} nHeads  of a block
 * @param {number[]} color  red, green and blue
 * @returns {Uint8ClampedArray<ArrayBuffer>}  `[side][side][4]`
 */
export function picturePixels(bytes, {side}, {block, head}, nHeads, [red, green, blue]) {
  const start = ((block - 1) * nHeads + head) * side * side;
  const pixels = new Uint8ClampedArray(side * side * 4);
  for (let i = 0; i < side * side; i++) pixels.set([red, green, blue, bytes[start + i]], 4 * i);
  return pixels;
}

const percent = (/** @type {number} */ share) => `${Math.round(share * 100)}%`;

/**
 * Where a head looks on the whole, in sentences.
 *
 * @param {AttendedText} text
 * @param {Head} at
 * @param {string} name  what the text is called: "this text"
 * @returns {string}
 */
export function sharesSentence(text, {block, head}, name) {
  const [itself, previous, next, special] = [text.to_itself, text.to_previous, text.to_next, text.to_special].map((of) => percent(of[block - 1][head]));
  const between = text.between?.[block - 1][head];
  const texts = between ? ` Tokens of the first text take ${percent(between[0][1])} from the second, those of the second ${percent(between[1][0])} from the first.` : '';
  const spread = (2 ** text.entropy[block - 1][head]).toFixed(1);
  return `on average, a token of ${name} takes ${itself} of what this head brings it from itself, ${previous} from the token before it, ${next} from the one after it and ${special} from special tokens. It looks at about ${spread} tokens at a time.${texts}`;
}
