// @ts-check

/**
 * Puts chips side by side into lines, as a browser would.
 *
 * @param {number[]} widths  of the chips, none wider than the line
 * @param {number} room  the width of a line
 * @param {number} gap
 * @returns {{x: number, line: number}[]}
 */
export function chipLines(widths, room, gap) {
  let [x, line] = [0, 0];
  return widths.map((width) => {
    if (x > 0 && x + width > room) [x, line] = [0, line + 1];
    const place = {x, line};
    x += width + gap;
    return place;
  });
}
