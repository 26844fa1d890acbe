// @ts-check
/** @typedef {import('./types.js').Series} Series */
/** @typedef {import('./types.js').DrawnSeries} DrawnSeries */

/**
 * Decides how each split is drawn.
 *
 * Dev is a line. Test is one point at the dev-chosen layer: looking at the whole test curve invites choosing a layer on it.
 * It becomes a line when the user asks, or when the rows hold no dev example. Train, which the probe has seen, is drawn when
 * asked for, or when there is nothing else.
 *
 * @param {Series[]} series
 * @param {{dev: boolean, testEverywhere: boolean, train: boolean}} wishes
 * @returns {DrawnSeries[]}  dev first, then test, then train
 */
export function drawnSeries(series, wishes) {
  const present = new Set(series.map(({split}) => split));
  const order = ['dev', 'test', 'train'];
  const sorted = [...series].sort((a, b) => order.indexOf(a.split) - order.indexOf(b.split));
  return sorted.map((one) => {
    if (one.split === 'dev') return {series: one, mode: wishes.dev ? 'line' : 'hidden'};
    if (one.split === 'test') return {series: one, mode: wishes.testEverywhere || !present.has('dev') ? 'line' : 'point'};
    return {series: one, mode: wishes.train || present.size === 1 ? 'line' : 'hidden'};
  });
}
