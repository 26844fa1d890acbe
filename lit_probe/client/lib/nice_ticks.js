// @ts-check

/**
 * Round values (1, 2 or 5 times a power of ten apart) that lie inside a range.
 *
 * @param {number} low
 * @param {number} high  must be above `low`
 * @param {number} count  about how many ticks are wanted
 * @returns {{values: number[], step: number, digits: number}}  `digits`: decimals that tell the ticks apart
 */
export function niceTicks(low, high, count) {
  const rough = (high - low) / Math.max(1, count);
  const power = Math.floor(Math.log10(rough));
  const fraction = rough / 10 ** power;
  const factor = fraction < 1.5 ? 1 : fraction < 3.5 ? 2 : fraction < 7.5 ? 5 : 10;
  const digits = Math.max(0, -(factor === 10 ? power + 1 : power));
  const step = factor * 10 ** power;
  const values = [];
  for (let i = Math.ceil(low / step - 1e-9); i <= Math.floor(high / step + 1e-9); i++) {
    values.push(Number((i * step).toFixed(digits)));
  }
  return {values, step, digits};
}
