// @ts-check

/**
 * Moves labels apart that would stand on one another, each as little as its neighbours allow.
 *
 * @param {number[]} wanted  where the middle of each label should be, in pixels
 * @param {number} height  of a label
 * @param {[number, number]} range  the labels' middles stay inside it as long as there is room
 * @returns {number[]}  in the order of `wanted`
 */
export function spreadLabels(wanted, height, [top, bottom]) {
  const order = wanted.map((_, i) => i).sort((a, b) => wanted[a] - wanted[b] || a - b);
  const placed = [...wanted];
  let free = top;
  for (const i of order) {
    placed[i] = Math.max(wanted[i], free);
    free = placed[i] + height;
  }
  let ceiling = bottom;
  for (const i of order.reverse()) {
    placed[i] = Math.min(placed[i], ceiling);
    ceiling = placed[i] - height;
  }
  return placed;
}
