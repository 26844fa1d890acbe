// @ts-check
/** The rows of a text as files: a drawing, a table, and a web page. */
/** @import {SvgNode} from '../charts/types.js' */
/** @import {SalienceRow} from './salience_row.js' */
import {FONT} from '../charts/line_chart.js';
import {COLORS, lightColors, salienceColor} from '../charts/palette.js';
import {svgLabel, svgNode, svgText} from '../charts/svg.js';
import {csvTable} from '../words/files.js';
import {formatScore, shorten, shownWidth, significant} from '../words/format.js';
import {diagnosticsWords, explainedWords} from './salience_row.js';

const LABEL = 168;
const RHO = 52;
const LINE = 24;
const CHARACTER = 6.7;
const SMALL_LINE = 13;
const SMALL_CHARACTER = 5.1;
const PADDING = 10;
const GAP = 3;

/**
 * The rows of one text as a drawing that stands alone.
 *
 * @param {string} title  the text's title: "Selected text"
 * @param {SalienceRow[]} rows
 * @param {(?number)[]} rhos  the ρ of each row to the first one
 * @param {{width: number}} view
 * @returns {SvgNode}
 */
export function salienceChart(title, rows, rhos, {width}) {
  const room = width - LABEL - RHO;
  let y = 26;
  const drawn = rows.map((row, i) => {
    const texts = row.units.map(({text}) => shorten(text, Math.floor((room - PADDING) / CHARACTER)));
    const widths = texts.map((text) => PADDING + CHARACTER * shownWidth(text));
    const places = chipLines(widths, room, GAP, row.units.findIndex(({part}) => part));
    const nLines = 1 + (places.at(-1)?.line ?? 0);
    const top = y;
    const remarks = [row.warning, row.noExplanation, row.baselines].filter(Boolean).flatMap((words) => wrapped(words, width - LABEL - 12));
    y += nLines * LINE + 20 + remarks.length * SMALL_LINE;
    return svgNode('g', {class: 'salience-row', transform: `translate(0 ${top})`},
      svgLabel({x: 12, y: 15, 'font-weight': 'bold'}, row.label, LABEL - 18),
      svgNode('text', {x: width - 12, y: 15, 'text-anchor': 'end'}, i === 0 ? '' : formatScore(rhos[i])),
      ...row.units.map((unit, j) => chip(unit, row.signed, texts[j], widths[j], LABEL + places[j].x, places[j].line * LINE)),
      svgLabel({x: LABEL, y: nLines * LINE + 10, 'font-size': 10, fill: COLORS.quietText}, [explainedWords(row), diagnosticsWords(row)].filter(Boolean).join(' · '), width - LABEL - 12, SMALL_CHARACTER),
      ...remarks.map((words, j) => svgNode('text', {x: LABEL, y: nLines * LINE + 10 + (j + 1) * SMALL_LINE, 'font-size': 10, fill: COLORS.quietText}, words)),
    );
  });
  return svgNode('svg', {xmlns: 'http://www.w3.org/2000/svg', width, height: y + 4, viewBox: `0 0 ${width} ${y + 4}`, 'font-family': FONT, 'font-size': 11, fill: COLORS.text},
    svgNode('text', {x: 12, y: 14, 'font-weight': 'bold', fill: COLORS.accent}, title),
    svgNode('text', {x: width - 12, y: 14, 'text-anchor': 'end', fill: COLORS.quietText}, 'ρ to first'),
    ...drawn,
  );
}

/**
 * @param {import('./salience_row.js').SalienceUnit} unit @param {boolean} signed @param {string} text @param {number} width @param {number} x @param {number} y
 * @returns {SvgNode}
 */
function chip({text: whole, score, share, special}, signed, text, width, x, y) {
  const {fill, text: color} = special ? {fill: COLORS.paper, text: COLORS.quietText} : salienceColor(share, signed);
  return svgNode('g', {class: 'chip'},
    svgNode('rect', {x: x.toFixed(1), y: y.toFixed(1), width: width.toFixed(1), height: LINE - 4, rx: 2, fill, stroke: COLORS.grid}),
    svgNode('text', {x: (x + width / 2).toFixed(1), y: (y + 14).toFixed(1), 'text-anchor': 'middle', 'font-size': 12, fill: color}, text),
    svgNode('title', {}, special ? `${whole}: a special token, never scored` : `${whole}: ${significant(score)}`),
  );
}

/**
 * Puts chips side by side into lines, as a browser would.
 *
 * @param {number[]} widths  the chips' widths, none wider than the line
 * @param {number} room  the width of a line
 * @param {number} gap
 * @param {number} [second]  the chip that begins a line in any case: the first one of the second text of a pair
 * @returns {{x: number, line: number}[]}
 */
export function chipLines(widths, room, gap, second = -1) {
  let [x, line] = [0, 0];
  return widths.map((width, at) => {
    if (x > 0 && (at === second || x + width > room)) [x, line] = [0, line + 1];
    const place = {x, line};
    x += width + gap;
    return place;
  });
}

/** Words in lines that fit. @param {string} text @param {number} room @returns {string[]} */
function wrapped(text, room) {
  const words = text.split(' ');
  /** @type {string[][]} */
  const lines = [];
  chipLines(words.map((word) => SMALL_CHARACTER * shownWidth(word)), room, SMALL_CHARACTER).forEach(({line}, i) => (lines[line] ??= []).push(words[i]));
  return lines.map((line) => line.join(' '));
}

/**
 * @typedef {object} SalienceSection  One text with its rows.
 * @property {string} title  "Selected text"
 * @property {string} id  the example's
 * @property {string} text
 * @property {SalienceRow[]} rows
 * @property {(?number)[][]} agreement  Spearman's ρ between rows
 * @property {string[]} beyondLimit  the words that were not read
 */

/**
 * The drawn maps as a table: one line for each word, or token, of each row.
 *
 * @param {string} model  LIT's name
 * @param {string} dataset
 * @param {'words'|'tokens'} show
 * @param {SalienceSection[]} sections
 * @returns {string}
 */
export function salienceCsv(model, dataset, show, sections) {
  const columns = ['model', 'dataset', 'example', 'text', 'row', 'method', 'explained', 'layer', 'class', 'scalar', 'value',
    'rho_to_first_row', 'diagnostics', 'warning', 'other_baselines', 'unit', 'position', show === 'words' ? 'word' : 'token', 'score', 'share_of_largest'];
  return csvTable(columns, sections.flatMap(({id, text, rows, agreement}) => rows.flatMap((row, i) => row.units.map((unit, position) => [
    model, dataset, id, text, row.label, row.method, row.explained, row.layer, row.className, row.scalar, row.value,
    agreement[0][i], JSON.stringify(row.diagnostics), row.warning || row.noExplanation, row.baselines, show.slice(0, -1), position, unit.text, unit.special ? null : unit.score, unit.special ? null : unit.share,
  ]))));
}

const CSS = `body{font:14px/1.5 Roboto,'Helvetica Neue',Arial,sans-serif;color:${COLORS.text};max-width:1000px;margin:24px auto;padding:0 16px}
h1{font-size:20px}h2{font-size:16px;margin-top:28px}h3{font-size:14px;margin:18px 0 4px}p{margin:4px 0}.quiet{color:${COLORS.quietText};font-size:12px}
.chip{display:inline-block;margin:0 3px 3px 0;padding:1px 5px;border:1px solid ${COLORS.grid};border-radius:2px;white-space:pre-wrap}.text{white-space:pre-wrap;overflow-wrap:anywhere}
table{border-collapse:collapse;font-size:12px;margin:8px 0}th,td{padding:2px 8px;text-align:right;font-weight:normal;border-bottom:1px solid ${COLORS.grid}}th:first-child{text-align:left}`;

export const COLOR_WORDS = 'Blue speaks for the class, orange against it; purple shows sizes that have no sign. Each row has its own scale: the full colour is its largest score in size.';

/**
 * The drawn maps as a web page in one file that needs nothing else.
 *
 * @param {string} title
 * @param {string} setting  a line about what was measured
 * @param {SalienceSection[]} sections
 * @returns {string}
 */
export function saliencePage(title, setting, sections) {
  const body = element('body', {},
    element('h1', {}, title), element('p', {class: 'quiet'}, setting), element('p', {class: 'quiet'}, COLOR_WORDS),
    ...sections.flatMap(({title: name, text, rows, agreement, beyondLimit}) => [
      element('h2', {}, name), element('p', {class: 'text', dir: 'auto'}, text),
      ...(beyondLimit.length ? [element('p', {class: 'quiet'}, `Beyond the encoder's limit, not read: ${beyondLimit.join(' ')}`)] : []),
      ...rows.flatMap(rowElements),
      agreementTable(rows, agreement),
    ]));
  return `<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">${svgText(element('title', {}, title))}<style>${lightColors(CSS)}</style></head>${svgText(body)}</html>\n`;
}

const element = svgNode;

/** @param {SalienceRow} row */
function rowElements(row) {
  const chips = row.units.map(({text, score, share, special}) => {
    if (special) return element('span', {class: 'chip quiet', title: 'a special token, never scored'}, text);
    const {fill, text: color} = salienceColor(share, row.signed);
    return element('span', {class: 'chip', style: `background:${fill};color:${color}`, title: significant(score), 'data-score': score}, text);
  });
  const second = row.units.findIndex(({part}) => part);
  return [
    element('h3', {}, row.label),
    ...(second > 0 ? [chips.slice(0, second), chips.slice(second)] : [chips]).map((line) => element('div', {dir: 'auto'}, ...line)),
    element('p', {class: 'quiet'}, [explainedWords(row), diagnosticsWords(row)].filter(Boolean).join(' · ')),
    ...[row.warning, row.noExplanation, row.baselines].filter(Boolean).map((words) => element('p', {class: 'quiet'}, words)),
  ];
}

/** @param {SalienceRow[]} rows @param {(?number)[][]} agreement */
function agreementTable(rows, agreement) {
  return element('table', {},
    element('tr', {}, element('th', {}, 'Spearman’s ρ between rows'), ...rows.map((_, i) => element('th', {}, String(i + 1)))),
    ...rows.map(({label}, i) => element('tr', {}, element('th', {}, `${i + 1}. ${label}`), ...rows.map((_, j) => element('td', {}, formatScore(agreement[i][j]))))));
}
