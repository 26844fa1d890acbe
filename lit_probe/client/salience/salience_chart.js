// @ts-check
/** @typedef {import('../page/types.js').SvgNode} SvgNode */
/** @typedef {import('./salience_row.js').SalienceRow} SalienceRow */
import {FONT} from '../charts/line_chart.js';
import {COLORS} from '../charts/palette.js';
import {salienceColor} from '../charts/salience_color.js';
import {svgLabel, svgNode} from '../charts/svg.js';
import {formatScore, significant} from '../words/format.js';
import {shorten, shownWidth} from '../words/shorten.js';
import {diagnosticsWords, explainedWords} from './diagnostics_words.js';

const LABEL = 168;
const RHO = 52;
const LINE = 24;
const CHARACTER = 6.7;
const PADDING = 10;
const GAP = 3;

/**
 * The rows of one text as a drawing that stands alone.
 *
 * @param {string} title  of the text: "Selected text"
 * @param {SalienceRow[]} rows
 * @param {(?number)[]} rhos  ρ of each row to the first one
 * @param {{width: number}} view
 * @returns {SvgNode}
 */
export function salienceChart(title, rows, rhos, {width}) {
  const room = width - LABEL - RHO;
  let y = 26;
  const drawn = rows.map((row, i) => {
    const texts = row.units.map(({text}) => shorten(text, Math.floor((room - PADDING) / CHARACTER)));
    const widths = texts.map((text) => PADDING + CHARACTER * shownWidth(text));
    const places = chipLines(widths, room, GAP);
    const nLines = 1 + (places.at(-1)?.line ?? 0);
    const top = y;
    y += nLines * LINE + 20;
    return svgNode('g', {class: 'salience-row', transform: `translate(0 ${top})`},
      svgLabel({x: 12, y: 15, 'font-weight': 'bold'}, row.label, LABEL - 18),
      svgNode('text', {x: width - 12, y: 15, 'text-anchor': 'end'}, i === 0 ? '' : formatScore(rhos[i])),
      ...row.units.map((unit, j) => chip(unit, row.signed, texts[j], widths[j], LABEL + places[j].x, places[j].line * LINE)),
      svgLabel({x: LABEL, y: nLines * LINE + 10, 'font-size': 10, fill: COLORS.quietText}, [explainedWords(row), diagnosticsWords(row)].filter(Boolean).join(' · '), width - LABEL - 12, 5.1),
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
 * @param {number[]} widths  of the chips, none wider than the line
 * @param {number} room  the width of a line
 * @param {number} gap
 * @returns {{x: number, line: number}[]}
 */
export function chipLines(widths, room, gap) {
  let [x, line] = [0, 0];
  return widths.map((width) => {
    if (x > 0 && x + width > room) [x, line] = [0, line + 1];
    const place = {x, line};
    x += width + gap;
    return place;
  });
}
