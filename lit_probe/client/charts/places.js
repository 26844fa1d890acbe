// @ts-check
/**
 * Where the places stand at which an encoder is read beside its layers or in their stead: lines over depth, and a grid of heads. A place
 * has a number in every answer, its index among all that are read; here its number becomes a line and a depth, or a row and a column.
 */
/** @import {Site} from '../page/types.js' */

/**
 * @typedef {object} PlaceLine  Places that make one line over depth.
 * @property {string} name  a family, or the path of a module with `*` for the number of its block
 * @property {Map<number, number>} at  depth → the place's number, by ascending depth
 *
 * @typedef {object} Depths  The places of an encoder, laid out over its depth.
 * @property {Site[]} sites
 * @property {PlaceLine[]} lines
 * @property {Map<number, number>[]} heads  a row for each block that has heads, by ascending depth: a head's own number → its place's number
 * @property {number} nDepths
 */

export const HEADS = 'heads';
const LAYERS = 'layers';
const MODULE = 'module';
const VECTORS = 'vectors';

/** Whether places are of other kinds than layers alone; those of files of vectors are of no known kind. @param {?Site[]|undefined} sites @returns {sites is Site[]} */
function areSites(sites) {
  return Boolean(sites?.some(({family}) => family !== LAYERS)) && !sites?.some(({family}) => family === VECTORS);
}

/**
 * The names of places that say more than their numbers: an encoder's own parts, or some of its layers; null where it is read at all of its
 * layers, and where vectors are all that is known.
 *
 * @param {{sites?: ?Site[], layer_names?: ?string[]}} about
 * @returns {?string[]}
 */
export function placeNames({sites, layer_names: names = null}) {
  return sites && !sites.some(({family}) => family === VECTORS) ? names : null;
}

/** The line that a place belongs to: its family; of modules those whose paths differ in the number of their block. @param {Site} site */
function lineOf({family, name}) {
  return family === MODULE ? name.replace(/^module /, '').replace(/(^|\.)\d+(?=[.:#]|$)/, '$1*') : family;
}

/** A head's own number, from 0: 7 of "head 4.7". @param {Site} site */
export function headOf({name}) {
  return Number(name.slice(name.lastIndexOf('.') + 1));
}

/**
 * Places over depth.
 *
 * @param {?Site[]|undefined} sites  as the server tells them
 * @returns {?Depths}  null where numbers do for an axis: there are layers alone, files of vectors, or two places of one kind at one depth
 */
export function depthsOf(sites) {
  if (!areSites(sites)) return null;
  /** @type {Map<string, Map<number, number>>} */
  const lines = new Map();
  /** @type {Map<number, Map<number, number>>} */
  const heads = new Map();
  for (const [number, site] of sites.entries()) {
    const [by, key, where] = site.family === HEADS ? [heads, site.depth, headOf(site)] : [lines, lineOf(site), site.depth];
    const members = /** @type {Map<any, Map<number, number>>} */ (by).get(key) ?? new Map();
    if (members.has(where)) return null;
    /** @type {Map<any, Map<number, number>>} */ (by).set(key, members.set(where, number));
  }
  /** @template T @param {Map<number, T>} map */
  const ascending = (map) => new Map([...map].sort(([a], [b]) => a - b));
  return {
    sites,
    lines: [...lines].map(([name, at]) => ({name, at: ascending(at)})),
    heads: [...ascending(heads).values()].map(ascending),
    nDepths: 1 + Math.max(...sites.map(({depth}) => depth)),
  };
}

/** The layers of an encoder that is read at no other places, beside one that is. @param {number} nLayers @returns {Depths} */
export function layersAsDepths(nLayers) {
  const sites = Array.from({length: nLayers}, (_, depth) => ({name: depth === 0 ? 'embeddings' : `block ${depth}`, family: LAYERS, depth, width: 0}));
  return {sites, lines: [{name: LAYERS, at: new Map(sites.map(({depth}) => [depth, depth]))}], heads: [], nDepths: nLayers};
}

/** The names of all kinds of places, in the order in which they were asked for. @param {Depths} depths @returns {string[]} */
export function kindsOf({sites}) {
  return [...new Set(sites.map((site) => lineOf(site)))];
}

/** The kind of a place. @param {Depths} depths @param {number} place */
export function kindAt({sites}, place) {
  return lineOf(sites[place]);
}

/** The places over depth that belong together with one: its line, or the heads of its number in all blocks. @param {Depths} depths @param {number} place @returns {Map<number, number>} */
function alongDepth({sites, lines, heads}, place) {
  const site = sites[place];
  const line = lines.find(({name}) => name === lineOf(site));
  if (line) return line.at;
  const number = headOf(site);
  return new Map(heads.flatMap((row) => {
    const head = row.get(number);
    return head === undefined ? [] : [[sites[head].depth, head]];
  }));
}

/** Of places over depth the nearest to a depth, the earlier of two. @param {Map<number, number>} at @param {number} depth @returns {number} */
function nearestTo(at, depth) {
  return [...at].reduce((best, one) => (Math.abs(one[0] - depth) < Math.abs(best[0] - depth) ? one : best))[1];
}

/**
 * The place that is meant by a click on a depth: of the kind of the current one where that has a place there, else of the nearest kind
 * that has; where none has, the nearest of its own kind.
 *
 * @param {Depths} depths
 * @param {number} place  the current one
 * @param {number} depth
 * @returns {number}
 */
export function placeAtDepth(depths, place, depth) {
  const own = alongDepth(depths, place);
  const kinds = depths.lines.map(({name}) => name);
  const at = kinds.indexOf(kindAt(depths, place));
  const others = depths.lines.map((line, i) => ({line, far: Math.abs(i - at)})).sort((a, b) => a.far - b.far);
  return own.get(depth) ?? others.map(({line}) => line.at.get(depth)).find((one) => one !== undefined) ?? nearestTo(own, depth);
}

/**
 * The place of another kind that is nearest in depth.
 *
 * @param {Depths} depths
 * @param {number} place  the current one
 * @param {string} kind
 * @returns {number}
 */
export function placeOfKind(depths, place, kind) {
  if (kindAt(depths, place) === kind) return place;
  const at = depths.lines.find(({name}) => name === kind)?.at
    ?? new Map(depths.heads.map((row) => /** @type {[number, number]} */ ([depths.sites[[...row.values()][0]].depth, [...row.values()][0]])));
  return nearestTo(at, depths.sites[place].depth);
}

/**
 * The place to which a key leads from the current one, along its own kind.
 *
 * @param {Depths} depths
 * @param {number} place
 * @param {string} key  as a `KeyboardEvent` has it
 * @returns {?number|undefined}  null: back to the chosen place; undefined: the key means nothing
 */
export function placeByKey(depths, place, key) {
  const own = [...alongDepth(depths, place).values()];
  const at = own.indexOf(place);
  const page = Math.max(2, Math.round(own.length / 4));
  /** @type {Record<string, number>} */
  const targets = {
    ArrowLeft: at - 1, ArrowDown: at - 1, ArrowRight: at + 1, ArrowUp: at + 1, PageDown: at - page, PageUp: at + page, Home: 0, End: own.length - 1,
  };
  if (key === 'Escape') return null;
  return key in targets ? own[Math.min(own.length - 1, Math.max(0, targets[key]))] : undefined;
}

/**
 * The head to which an arrow leads in the grid; at its edge the same one.
 *
 * @param {Depths} depths
 * @param {number} place  a head
 * @param {string} key
 * @returns {number|undefined}  undefined: the key means nothing
 */
export function headByKey({sites, heads}, place, key) {
  const rows = heads.map((row) => [...row.values()]);
  const y = rows.findIndex((row) => row.includes(place));
  const x = rows[y].indexOf(place);
  /** @type {Record<string, [number, number]>} */
  const targets = {
    ArrowLeft: [y, x - 1], ArrowRight: [y, x + 1], ArrowUp: [y - 1, x], ArrowDown: [y + 1, x], Home: [y, 0], End: [y, rows[y].length - 1],
    PageUp: [0, x], PageDown: [rows.length - 1, x],
  };
  if (!(key in targets)) return undefined;
  const [toY, toX] = targets[key];
  const row = rows[Math.min(rows.length - 1, Math.max(0, toY))];
  if (toY === y) return row[Math.min(row.length - 1, Math.max(0, toX))];
  // A block of which other heads are read: the nearest of them.
  const number = headOf(sites[place]);
  return nearestTo(new Map(row.map((head) => [headOf(sites[head]), head])), number);
}

/** The places of an encoder that stand where one of another encoder stands: of the same name, else of the same kind and depth. @param {Depths} from @param {number} place @param {Depths} to @returns {?number} */
export function samePlace(from, place, to) {
  const {name, depth} = from.sites[place];
  const at = to.sites.findIndex((site) => site.name === name);
  return at >= 0 ? at : to.lines.find((line) => line.name === kindAt(from, place))?.at.get(depth) ?? null;
}

/**
 * Places in a row, kind by kind, for axes that have a column for each place: of which kind a place is, the borders of the kinds, and what a
 * place is called among its kind.
 *
 * @param {?Site[]|undefined} sites
 * @returns {?{groupOf: (place: number) => number, groups: {from: number, to: number, label: string}[], labels: string[], middles: number[]}}
 *     `middles`: the places that are labelled if there is room; null where numbers do
 */
export function kindsInARow(sites) {
  if (!areSites(sites)) return null;
  // A line within the heads of one block, and none from block to block.
  const keys = sites.map((site) => (site.family === HEADS ? `${HEADS} ${site.depth}` : lineOf(site)));
  let group = -1;
  const groupAt = keys.map((key, place) => (key === keys[place - 1] ? group : ++group));
  /** @type {{from: number, to: number, label: string}[]} */
  const groups = [];
  sites.forEach((site, place) => {
    const last = groups[groups.length - 1];
    if (last?.label === lineOf(site)) last.to = place;
    else groups.push({from: place, to: place, label: lineOf(site)});
  });
  /** @type {number[][]} the places of each group */
  const members = [];
  groupAt.forEach((one, place) => (members[one] ??= []).push(place));
  // Of the heads of a block the middle one bears its number.
  const middles = members.flatMap((places) => (sites[places[0]].family === HEADS ? [places[Math.floor((places.length - 1) / 2)]] : places));
  return {groupOf: (place) => groupAt[place], groups, labels: sites.map(({depth}) => String(depth)), middles};
}
