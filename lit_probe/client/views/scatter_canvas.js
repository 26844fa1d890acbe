// @ts-check
/** Small scatter plots on canvases: the points on one, and what moves with the pointer on another that lies over it. */
/** @import {Point} from './scatter.js' */

/**
 * @typedef {object} Inks  Colours as the browser has resolved them: a canvas knows no pairs.
 * @property {string} ink
 * @property {string} accent
 * @property {string} pinned
 * @property {string} quiet
 * @property {string} paper  what lies behind all
 */

/** From so many points on they are squares, which are drawn faster. */
const MANY = 1_000;
const SQUARE = 2;
const RADIUS = 2;
const PALE = 0.22;

/** The colours of marks, from the style of a canvas. @param {HTMLCanvasElement} canvas @returns {Inks} */
export function inksOf(canvas) {
  const {color, outlineColor, borderTopColor, caretColor} = getComputedStyle(canvas);
  const {backgroundColor} = getComputedStyle(/** @type {HTMLElement} */ (canvas.parentElement));
  return {ink: color, accent: outlineColor, pinned: caretColor, quiet: borderTopColor, paper: backgroundColor};
}

/**
 * A canvas's context, cleared, that draws in pixels of the page.
 *
 * @param {HTMLCanvasElement} canvas
 * @param {number} side
 */
export function cleared(canvas, side) {
  const dense = Math.ceil(window.devicePixelRatio * side);
  if (canvas.width !== dense || canvas.height !== dense) Object.assign(canvas, {width: dense, height: dense});
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext('2d'));
  context.setTransform(dense / side, 0, 0, dense / side, 0, 0);
  context.clearRect(0, 0, side, side);
  return context;
}

/**
 * Draws the points, colour by colour; where some are selected, these over the others, which are pale.
 *
 * @param {CanvasRenderingContext2D} context
 * @param {Point[]} points
 * @param {string[]} colors
 * @param {Set<number>} selected  indices; empty: all count alike
 */
export function drawPoints(context, points, colors, selected) {
  for (const chosen of selected.size ? [false, true] : [true]) {
    /** @type {Map<string, Point[]>} */
    const byColor = new Map();
    for (const [index, point] of points.entries()) {
      if (selected.size && selected.has(index) !== chosen) continue;
      const of = byColor.get(colors[index]);
      if (of) of.push(point);
      else byColor.set(colors[index], [point]);
    }
    context.globalAlpha = chosen ? 0.85 : PALE;
    for (const [color, of] of byColor) {
      context.fillStyle = color;
      if (points.length > MANY) {
        // On whole pixels, which need no smoothing.
        for (const [x, y] of of) context.fillRect(Math.round(x) - 1, Math.round(y) - 1, SQUARE, SQUARE);
        continue;
      }
      context.beginPath();
      for (const [x, y] of of) {
        context.moveTo(x + RADIUS, y);
        context.arc(x, y, RADIUS, 0, 2 * Math.PI);
      }
      context.fill();
    }
  }
  context.globalAlpha = 1;
}

/** A ring around a point. @param {CanvasRenderingContext2D} context @param {Point} at @param {string} color @param {string} paper @param {number} radius */
export function drawRing(context, [x, y], color, paper, radius) {
  context.beginPath();
  context.arc(x, y, radius, 0, 2 * Math.PI);
  stroke(context, color, paper, 2);
}

/** Strokes the path with a margin of paper, which sets it off from points of any colour. @param {CanvasRenderingContext2D} context @param {string} color @param {string} paper @param {number} width */
function stroke(context, color, paper, width) {
  for (const [ink, wide] of /** @type {[string, number][]} */ ([[paper, width + 2.5], [color, width]])) {
    context.strokeStyle = ink;
    context.lineWidth = wide;
    context.stroke();
  }
}

/** An edit: a diamond of its colour with a rim, and the way that it went from its original. @param {CanvasRenderingContext2D} context @param {?Point} from @param {Point} to @param {string} color @param {string} rim @param {string} paper */
export function drawMove(context, from, [x, y], color, rim, paper) {
  if (from) {
    context.beginPath();
    context.moveTo(...from);
    context.lineTo(x, y);
    stroke(context, rim, paper, 1.4);
  }
  context.beginPath();
  for (const [dx, dy] of [[0, -5], [5, 0], [0, 5], [-5, 0]]) context.lineTo(x + dx, y + dy);
  context.closePath();
  stroke(context, rim, paper, 1.4);
  context.fillStyle = color;
  context.fill();
}

/** A line that is being drawn, closed. @param {CanvasRenderingContext2D} context @param {Point[]} line @param {string} color */
export function drawLasso(context, line, color) {
  context.beginPath();
  for (const [x, y] of line) context.lineTo(x, y);
  context.closePath();
  context.strokeStyle = color;
  context.lineWidth = 1.2;
  context.setLineDash([4, 3]);
  context.stroke();
  context.setLineDash([]);
  context.globalAlpha = 0.08;
  context.fillStyle = color;
  context.fill();
  context.globalAlpha = 1;
}

/** A line from top to bottom, where the probe changes its mind. @param {CanvasRenderingContext2D} context @param {number} x @param {number} side @param {string} color */
export function drawBoundary(context, x, side, color) {
  context.beginPath();
  context.moveTo(x, 0);
  context.lineTo(x, side);
  context.strokeStyle = color;
  context.lineWidth = 1;
  context.setLineDash([3, 3]);
  context.stroke();
  context.setLineDash([]);
}
