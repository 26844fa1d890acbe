// @ts-check

const LEAST_SPAN = 0.2;

/**
 * @typedef {object} AblationRow  What one reader (a layer's probe, or the model's own head) says of a text, before and after.
 * @property {string} name  "layer 5", "the model’s own head"
 * @property {boolean} own  whether it is the probe of the changed layer itself, which reads what was changed and no later pass
 * @property {string} className  whose probability this is: the class that it predicted before
 * @property {string} predictedAfter
 * @property {number} before
 * @property {number} after
 * @property {?number} low  the smallest of the random sets; null where there are none
 * @property {?number} high
 */

/**
 * The range of an axis for rows: everything drawn with some air, and wide enough that a hundredth does not look like a mountain.
 *
 * @param {AblationRow[]} rows
 * @returns {[number, number]}  within [0, 1]
 */
export function rowsDomain(rows) {
  const values = rows.flatMap(({before, after, low, high}) => [before, after, ...(low === null || high === null ? [] : [low, high])]);
  const [least, most] = [Math.min(...values), Math.max(...values)];
  const air = Math.max(0.01, (LEAST_SPAN - (most - least)) / 2);
  return [Math.max(0, Math.floor(100 * (least - air)) / 100), Math.min(1, Math.ceil(100 * (most + air)) / 100)];
}

/**
 * The answer of the part `text` for one of its texts, as rows.
 *
 * @param {any} answer
 * @param {number} index  of the text
 * @returns {AblationRow[]}
 */
export function ablationRows({layer: changed, layers, label_names: names, before, after, model, random}, index) {
  const of = (/** @type {string} */ name, /** @type {boolean} */ own, /** @type {string[]} */ classes, /** @type {number[]} */ was, /** @type {number[]} */ is, /** @type {?number[]} */ low, /** @type {?number[]} */ high) => {
    const top = was.indexOf(Math.max(...was));
    return {name, own, className: classes[top], predictedAfter: classes[is.indexOf(Math.max(...is))], before: was[top], after: is[top], low: low ? low[top] : null, high: high ? high[top] : null};
  };
  const rows = layers.map((/** @type {number} */ layer, /** @type {number} */ i) =>
    of(`layer ${layer}`, layer === changed, names, before[index][i], after[index][i], random?.low[index][i] ?? null, random?.high[index][i] ?? null));
  if (!model) return rows;
  const spread = random?.model;
  return [...rows, of('the model’s own head', false, model.label_names, model.before[index], model.after[index], spread?.low[index] ?? null, spread?.high[index] ?? null)];
}
