// Answers as the server sends them, small enough to check by hand; and answers that a server sent.
import {readFileSync} from 'node:fs';

/** What a server answered, by interpreter or check; `tests/lit/interpreters/test_recorded_answers.py` watches that it still answers so. */
export const RECORDED = JSON.parse(readFileSync(new URL('./recorded_answers.json', import.meta.url), 'utf-8'));

/** A series whose score at layer i is `scores[i]`, with an interval of ± 0.02; null stays null. */
export function makeSeries(split, scores, {n = 872, majority = 0.509, reliable = true, reason = ''} = {}) {
  const layers = scores.map((score, layer) => ({layer, score, low: score === null ? null : score - 0.02, high: score === null ? null : score + 0.02}));
  return {split, n, n_by_class: [n - Math.floor(n / 2), Math.floor(n / 2)], majority, reliable, reason, layers};
}

/** The answer of `layer_metrics` over these series; layer 2 of 4 is the dev-chosen one. */
export function makeAnswer(series, changes = {}) {
  return {
    status: 'ready', metric: 'accuracy', metric_title: 'Accuracy', higher_is_better: true, headline: 'accuracy',
    decision: {rule: 'argmax', shares: []}, decision_of_study: 'argmax', decided_by: 'A row is put in the most probable class.',
    choice: {layer: 2, among: [2, 3], rule: 'one_se', sentence: 'Layer 2 was chosen.'},
    metrics: [{name: 'accuracy', title: 'Accuracy'}], best_layer: 2, chosen_on: 'dev', n_layers: series[0]?.layers.length ?? 4, d_model: 384,
    pooling: 'mean', probe: 'logistic', label_names: ['negative', 'positive'], encoder: 'all-MiniLM-L6-v2', trained_on: 'sst2', own_rows: true,
    not_converged: [], series, left_out: {edited: 0, unlabelled: 0, not_in_data: 0, not_in_data: 0, train: 0, seen_in_training: 0}, notes: [], baselines: RECORDED.layer_metrics.baselines, ...changes,
  };
}

/** Places of several kinds: a layer and an attention for each of so many blocks, the embeddings, and so many heads for each. */
export function makeSites(nBlocks, nHeads = 0) {
  const blocks = Array.from({length: nBlocks}, (_, i) => i + 1);
  const site = (name, family, depth, width = 32) => ({name, family, depth, width});
  return [
    site('embeddings', 'layers', 0), ...blocks.map((block) => site(`block ${block}`, 'layers', block)),
    ...blocks.map((block) => site(`attention ${block}`, 'attention', block)),
    ...blocks.flatMap((block) => Array.from({length: nHeads}, (_, head) => site(`head ${block}.${head}`, 'heads', block, 8))),
  ];
}

/** The answer of `layer_metrics` over such places, the scores of all rising by 0.01 from place to place. */
export function makePlaces(sites, changes = {}) {
  const dev = makeSeries('dev', sites.map((_, place) => 0.5 + place / 100));
  const test = makeSeries('test', sites.map((_, place) => 0.49 + place / 100));
  return makeAnswer([dev, test], {sites, layer_names: sites.map(({name}) => name), n_layers: sites.length, ...changes});
}

export const DEV = makeSeries('dev', [0.7, 0.75, 0.812, 0.8]);
export const TEST = makeSeries('test', [0.69, 0.74, 0.806, 0.79], {n: 1821, majority: 0.501});
export const TRAIN = makeSeries('train', [0.8, 0.85, 0.9, 0.95], {n: 500, majority: 0.52});

/** All nodes of a drawing that satisfy a condition, in drawing order. */
export function findAll(node, accepts) {
  if (typeof node === 'string') return [];
  return [...(accepts(node) ? [node] : []), ...node.children.flatMap((child) => findAll(child, accepts))];
}

/** The nodes of a drawing with this class. */
export function withClass(node, name) {
  return findAll(node, ({attributes}) => String(attributes.class ?? '').split(' ').includes(name));
}

/** All text of a drawing. */
export function textOf(node) {
  return typeof node === 'string' ? node : node.children.map(textOf).join(' ');
}
