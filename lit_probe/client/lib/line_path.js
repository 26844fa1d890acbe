// @ts-check

/**
 * The path of a line through points; a point without a value interrupts it.
 *
 * @param {{x: number, y: ?number}[]} points  in pixels
 * @returns {string}  the `d` attribute of an SVG path
 */
export function linePath(points) {
  let pen = 'M';
  let path = '';
  for (const {x, y} of points) {
    if (y === null) {
      pen = 'M';
      continue;
    }
    path += `${pen}${x.toFixed(2)},${y.toFixed(2)}`;
    pen = 'L';
  }
  return path;
}
