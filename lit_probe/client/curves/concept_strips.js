// @ts-check
/** The map of concepts in strips and in words. */
/** @import {Strip} from '../charts/types.js' */
/** @import {ConceptMap, ConceptRow} from '../page/types.js' */
import {formatCount, formatScore, inSentence} from '../words/format.js';

/**
 * A strip per concept, coloured by the share of the way from the baseline to a perfect score.
 *
 * @param {ConceptMap} map
 * @returns {Strip[]}
 */
export function conceptStrips({rows}) {
  return rows.map(({target, about, n, label_names: labelNames, best_layer: chosen, cells}) => ({
    title: `${target}${about ? `: ${about}` : ','} ${formatCount(labelNames.length)} classes, n = ${formatCount(n.dev)}`,
    bold: target === 'label',
    chosen,
    cells: cells.map(({layer, above, reliable}) => ({layer, share: above, words: above === null ? '–' : `${above.toFixed(2)}${reliable ? '' : '?'}`})),
  }));
}

/**
 * One concept at one layer: "domain: accuracy 0.880 [0.821, 0.921], baseline 0.482".
 *
 * @param {ConceptRow} row
 * @param {number} layer
 * @returns {string}
 */
export function conceptSentence({target, metric_title: title, baseline, cells}, layer) {
  const {score, low, high} = cells[layer];
  const interval = low === null || high === null ? '' : ` [${formatScore(low)}, ${formatScore(high)}]`;
  return `${target}: ${inSentence(title)} ${formatScore(score)}${interval}, baseline ${formatScore(baseline)}`;
}
