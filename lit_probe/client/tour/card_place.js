// @ts-check
/** Where the tour's card stands: beside what it speaks of, never over it, and inside the window. */

/** @typedef {{left: number, top: number, right: number, bottom: number}} Box */

const GAP = 12;
const EDGE = 8;

/**
 * The place of a card: the first of below, right, left and above where it has room, next to its target; else the corner in which
 * it hides least of it.
 *
 * @param {Box} target  in pixels of the window
 * @param {{width: number, height: number}} card
 * @param {{width: number, height: number}} frame  the window
 * @returns {{left: number, top: number}}
 */
export function cardPlace(target, card, frame) {
  const lowest = frame.height - card.height - EDGE;
  const rightmost = frame.width - card.width - EDGE;
  const inside = (/** @type {number} */ value, /** @type {number} */ most) => Math.max(EDGE, Math.min(most, value));
  const left = inside(target.left, rightmost);
  const top = inside(target.top, lowest);
  const beside = [
    {left, top: target.bottom + GAP},
    {left: target.right + GAP, top},
    {left: target.left - GAP - card.width, top},
    {left, top: target.top - GAP - card.height},
  ];
  const free = beside.find((place) => place.left >= EDGE && place.left <= rightmost && place.top >= EDGE && place.top <= lowest);
  if (free) return free;
  const corners = [EDGE, lowest].flatMap((y) => [EDGE, rightmost].map((x) => ({left: x, top: y})));
  const hidden = ({left: x, top: y} = corners[0]) =>
    Math.max(0, Math.min(target.right, x + card.width) - Math.max(target.left, x)) *
    Math.max(0, Math.min(target.bottom, y + card.height) - Math.max(target.top, y));
  return corners.reduce((best, corner) => (hidden(corner) < hidden(best) ? corner : best));
}

/** What is common to two boxes; null for nothing. @param {Box} a @param {Box} b @returns {?Box} */
export function overlap(a, b) {
  const box = {left: Math.max(a.left, b.left), top: Math.max(a.top, b.top), right: Math.min(a.right, b.right), bottom: Math.min(a.bottom, b.bottom)};
  return box.left < box.right && box.top < box.bottom ? box : null;
}
