// @ts-check

const LABEL_WIDTH = 22;

/**
 * The layers whose number is written under the axis: all where there is room, else evenly spaced ones.
 *
 * @param {number} nLayers
 * @param {number} band  width of one layer's column in pixels
 * @param {number[]} always  layers that are labelled in any case; their crowded neighbours give way
 * @returns {number[]}  ascending
 */
export function layerTicks(nLayers, band, always) {
  const room = Math.max(1, Math.ceil(LABEL_WIDTH / band));
  const step = [1, 2, 3, 4, 5, 6, 8, 10].find((candidate) => candidate >= room) ?? room;
  const fixed = [...new Set(always)];
  const regular = Array.from({length: nLayers}, (_, layer) => layer)
    .filter((layer) => layer % step === 0)
    .filter((layer) => fixed.every((other) => layer === other || Math.abs(layer - other) >= room));
  return [...new Set([...regular, ...fixed])].sort((a, b) => a - b);
}
