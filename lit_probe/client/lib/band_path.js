// @ts-check

/**
 * The outline of an interval band; points without an interval split it into several areas.
 *
 * A stretch of a single point has no area and is left out: its interval is drawn as a bar by the caller.
 *
 * @param {{x: number, low: ?number, high: ?number}[]} points  in pixels
 * @returns {string}  the `d` attribute of an SVG path
 */
export function bandPath(points) {
  /** @type {{x: number, low: number, high: number}[][]} */
  const stretches = [[]];
  for (const {x, low, high} of points) {
    if (low === null || high === null) stretches.push([]);
    else stretches[stretches.length - 1].push({x, low, high});
  }
  return stretches
    .filter((stretch) => stretch.length > 1)
    .map((stretch) => {
      const upper = stretch.map(({x, high}) => `${x.toFixed(2)},${high.toFixed(2)}`);
      const lower = stretch.map(({x, low}) => `${x.toFixed(2)},${low.toFixed(2)}`).reverse();
      return `M${[...upper, ...lower].join('L')}Z`;
    })
    .join('');
}
