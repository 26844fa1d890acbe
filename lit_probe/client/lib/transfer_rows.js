// @ts-check

/**
 * A transfer answer as rows of a heat map: one per pair of data sets, with its scores over layers.
 *
 * @param {any} answer  of the interpreter `transfer`
 * @returns {{train: string, test: string, own: boolean, n: number, leftOut: number, cells: {layer: number, score: ?number, low: ?number, high: ?number, reason: string}[]}[]}
 */
export function transferRows({train, test, n, left_out: leftOut, layers}) {
  return train.flatMap((/** @type {string} */ from, /** @type {number} */ i) => test.map((/** @type {string} */ to, /** @type {number} */ j) => ({
    train: from, test: to, own: from === to, n: n[i][j], leftOut: leftOut[i][j],
    cells: layers.map((/** @type {any} */ {layer, scores, low, high, reasons}) =>
      ({layer, score: scores[i][j], low: low[i][j], high: high[i][j], reason: reasons[i][j]})),
  })));
}
