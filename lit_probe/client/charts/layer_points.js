// @ts-check

/**
 * One column of a check's rows as points of a chart over layers.
 *
 * @param {Record<string, any>[]} layers  rows with a `layer`
 * @param {string} score  the column's name
 * @param {{low: string, high: string}} [interval]  names of the columns with its ends
 * @returns {{x: number, score: ?number, low: ?number, high: ?number}[]}
 */
export function layerPoints(layers, score, interval) {
  return layers.map((row) => ({x: row.layer, score: row[score], low: interval ? row[interval.low] : null, high: interval ? row[interval.high] : null}));
}
