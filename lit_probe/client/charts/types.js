// @ts-check
/**
 * The shapes from which drawings are made. Types only: nothing here runs.
 *
 * @typedef {object} DrawnSeries  How a series is drawn: over all layers, at the chosen layer only, or not at all.
 * @property {Series} series
 * @property {'line'|'point'|'hidden'} mode
 *
 * @typedef {object} LineStyle
 * @property {string} color
 * @property {'circle'|'diamond'|'square'|'triangle'|null} marker  null: a line without marks
 * @property {string} dash  as SVG's `stroke-dasharray`; empty for a solid line
 * @property {number} [width]  the line's width in pixels; 2 if not given
 *
 * @typedef {object} ChartSeries  A line of points with their intervals, or points alone.
 * @property {string} name  a class that its elements get
 * @property {'line'|'point'} mode
 * @property {{x: number, score: ?number, low: ?number, high: ?number}[]} points
 * @property {LineStyle} style
 * @property {boolean} [band]  whether its intervals are drawn; they are if nothing is said
 * @property {string} [label]  a name beside its right end
 * @property {number} [nDraws]  how many random draws its points are the means of, with their range in place of an interval
 * @property {string} [inTable]  what its rows are called in a table; a baseline of its name if nothing is said
 * @property {string} [footnote]  what its band is, where it is no 95 % interval
 *
 * @typedef {object} Chosen  A place on the horizontal axis that is marked.
 * @property {number} at
 * @property {string} label  words over the mark; empty for none
 * @property {string} [color]
 *
 * @typedef {object} Peer  Another encoder's curve on the same chart.
 * @property {string} model  its name in LIT
 * @property {string} name  what it is called beside its line
 * @property {LayerMetrics} answer
 * @property {DrawnSeries[]} drawn
 *
 * @typedef {object} Reference  A horizontal line.
 * @property {string} name  a class that its element gets
 * @property {string} label  the name beside its right end; empty for none
 * @property {number} value
 * @property {string} color
 * @property {string} dash
 *
 * @typedef {object} Overlays  What a curve is compared with.
 * @property {boolean} majority  whether the majority baseline is drawn
 * @property {Reference[]} references
 * @property {ChartSeries[]} lines
 * @property {number[]} alike  the layers that cannot be told apart from the chosen one
 *
 * @typedef {object} PlacedAxis  A horizontal axis in pixels.
 * @property {(value: number) => number} x
 * @property {number} band  the room that one value has
 * @property {{at: number, label: string, shift?: number, anchor?: string, bold?: boolean}[]} ticks
 * @property {string} title  the axis' title; empty for none
 * @property {(value: number) => number} [groupOf]  of which kind a place is: no line goes from one kind to the next
 * @property {{from: number, to: number, label: string}[]} [groups]  the kinds with their first and last place, named under the axis
 *
 * @typedef {object} Strip  One question's cells over layers.
 * @property {string} title
 * @property {boolean} bold
 * @property {?number} chosen  the layer with a dashed frame, if any
 * @property {{layer: number, share: ?number, words: string}[]} cells  `share`: how strong the colour is, none up to 0 and full from 1 on
 *
 * @typedef {{top: number, right: number, bottom: number, left: number}} Margin
 *
 * @typedef {object} SvgNode  A piece of a drawing as plain data.
 * @property {string} name
 * @property {Record<string, string|number>} attributes
 * @property {(SvgNode|string)[]} children
 */
/** @import {LayerMetrics, Series} from '../page/types.js' */

export {};
