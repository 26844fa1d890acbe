// @ts-check
/** @typedef {import('./salience_csv.js').SalienceSection} SalienceSection */
/** @typedef {import('./salience_row.js').SalienceRow} SalienceRow */
import {diagnosticsWords} from './diagnostics_words.js';
import {explainedWords} from './diagnostics_words.js';
import {formatScore} from '../words/format.js';
import {salienceColor} from '../charts/salience_color.js';
import {significant} from '../words/format.js';
import {svgNode} from '../charts/svg.js';
import {svgText} from '../charts/svg.js';

const CSS = `body{font:14px/1.5 Roboto,'Helvetica Neue',Arial,sans-serif;color:#3C4043;max-width:1000px;margin:24px auto;padding:0 16px}
h1{font-size:20px}h2{font-size:16px;margin-top:28px}h3{font-size:14px;margin:18px 0 4px}p{margin:4px 0}.quiet{color:#5F6368;font-size:12px}
.chip{display:inline-block;margin:0 3px 3px 0;padding:1px 5px;border:1px solid #E8EAED;border-radius:2px;white-space:pre-wrap}
table{border-collapse:collapse;font-size:12px;margin:8px 0}th,td{padding:2px 8px;text-align:right;font-weight:normal;border-bottom:1px solid #E8EAED}th:first-child{text-align:left}`;

export const COLOR_WORDS = 'Blue speaks for the class, orange against it; purple shows sizes that have no sign. Each row has its own scale: the full colour is its largest score in size.';

/**
 * The drawn maps as a web page in one file that needs nothing else.
 *
 * @param {string} title
 * @param {string} setting  what was measured, in a line
 * @param {SalienceSection[]} sections
 * @returns {string}
 */
export function saliencePage(title, setting, sections) {
  const body = element('body', {},
    element('h1', {}, title), element('p', {class: 'quiet'}, setting), element('p', {class: 'quiet'}, COLOR_WORDS),
    ...sections.flatMap(({title: name, text, rows, agreement, beyondLimit}) => [
      element('h2', {}, name), element('p', {dir: 'auto'}, text),
      ...(beyondLimit.length ? [element('p', {class: 'quiet'}, `Beyond the encoder's limit, not read: ${beyondLimit.join(' ')}`)] : []),
      ...rows.flatMap(rowElements),
      agreementTable(rows, agreement),
    ]));
  return `<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">${svgText(element('title', {}, title))}<style>${CSS}</style></head>${svgText(body)}</html>\n`;
}

const element = svgNode;

/** @param {SalienceRow} row */
function rowElements(row) {
  const chips = row.units.map(({text, score, share, special}) => {
    if (special) return element('span', {class: 'chip quiet', title: 'a special token, never scored'}, text);
    const {fill, text: color} = salienceColor(share, row.signed);
    return element('span', {class: 'chip', style: `background:${fill};color:${color}`, title: significant(score), 'data-score': score}, text);
  });
  return [
    element('h3', {}, row.label),
    element('div', {dir: 'auto'}, ...chips),
    element('p', {class: 'quiet'}, [explainedWords(row), diagnosticsWords(row)].filter(Boolean).join(' · ')),
  ];
}

/** @param {SalienceRow[]} rows @param {(?number)[][]} agreement */
function agreementTable(rows, agreement) {
  return element('table', {},
    element('tr', {}, element('th', {}, 'Spearman’s ρ between rows'), ...rows.map((_, i) => element('th', {}, String(i + 1)))),
    ...rows.map(({label}, i) => element('tr', {}, element('th', {}, `${i + 1}. ${label}`), ...rows.map((_, j) => element('td', {}, formatScore(agreement[i][j]))))));
}
