// @ts-check

/**
 * @typedef {object} AblationRow  What one reader (a layer's probe, or the model's own head) says of a text, before and after.
 * @property {string} name  "layer 5", "the model’s own head"
 * @property {string} className  whose probability this is: the class that it predicted before
 * @property {string} predictedAfter
 * @property {number} before
 * @property {number} after
 * @property {?number} low  the smallest of the random sets; null where there are none
 * @property {?number} high
 */

/**
 * The answer of the part `text` for one of its texts, as rows.
 *
 * @param {any} answer
 * @param {number} index  of the text
 * @returns {AblationRow[]}
 */
export function ablationRows({layers, label_names: names, before, after, model, random}, index) {
  const of = (/** @type {string} */ name, /** @type {string[]} */ classes, /** @type {number[]} */ was, /** @type {number[]} */ is, /** @type {?number[]} */ low, /** @type {?number[]} */ high) => {
    const top = was.indexOf(Math.max(...was));
    return {name, className: classes[top], predictedAfter: classes[is.indexOf(Math.max(...is))], before: was[top], after: is[top], low: low ? low[top] : null, high: high ? high[top] : null};
  };
  const rows = layers.map((/** @type {number} */ layer, /** @type {number} */ i) =>
    of(`layer ${layer}`, names, before[index][i], after[index][i], random?.low[index][i] ?? null, random?.high[index][i] ?? null));
  if (!model) return rows;
  const spread = random?.model;
  return [...rows, of('the model’s own head', model.label_names, model.before[index], model.after[index], spread?.low[index] ?? null, spread?.high[index] ?? null)];
}
