// @ts-check
/**
 * The shapes that travel between the server, the pure functions and the panels. Types only: nothing here runs.
 *
 * Layers are numbered as in Hugging Face: 0 is the embedding output, i the output of block i.
 *
 * @typedef {object} LayerScore  One layer's score with its 95 % interval.
 * @property {number} layer
 * @property {?number} score  null where the metric is not defined, e.g. AUROC over one class
 * @property {?number} low
 * @property {?number} high
 *
 * @typedef {object} Series  The scores of all layers over the rows of one split.
 * @property {string} split  "train", "dev" or "test"
 * @property {number} n  how many rows were scored
 * @property {number[]} n_by_class  `[n_classes]`
 * @property {?number} majority  the score of always answering the larger class
 * @property {boolean} reliable  whether the interval can be trusted
 * @property {string} reason  why it cannot
 * @property {LayerScore[]} layers  `[n_layers]`, layer 0 first
 *
 * @typedef {object} LayerMetrics  What the interpreter `layer_metrics` answers when its status is "ready".
 * @property {string} status
 * @property {string} metric
 * @property {string} metric_title
 * @property {boolean} higher_is_better
 * @property {string} headline
 * @property {{name: string, title: string}[]} metrics
 * @property {number} best_layer
 * @property {string} chosen_on
 * @property {number} n_layers
 * @property {number} d_model
 * @property {string} pooling
 * @property {string} probe
 * @property {string[]} label_names
 * @property {string} encoder
 * @property {string} trained_on
 * @property {number[]} not_converged
 * @property {Series[]} series
 * @property {{edited: number, unlabelled: number, seen_in_training: number}} left_out
 * @property {string[]} notes
 *
 * @typedef {object} ExamplePrediction  One text's probabilities at every layer.
 * @property {?string} label  the gold label
 * @property {boolean} edited
 * @property {boolean} truncated
 * @property {number[][]} probabilities  `[n_layers][n_classes]`
 * @property {?{label_names: string[], probabilities: number[]}} model  the checkpoint's own classification head, if any
 *
 * @typedef {object} LayerPredictions  What the interpreter `layer_predictions` answers when its status is "ready".
 * @property {string} status
 * @property {string[]} label_names
 * @property {number} best_layer
 * @property {ExamplePrediction[]} examples
 *
 * @typedef {object} DrawnSeries  How a series is drawn: over all layers, at the chosen layer only, or not at all.
 * @property {Series} series
 * @property {'line'|'point'|'hidden'} mode
 *
 * @typedef {object} SvgNode  A piece of a drawing as plain data.
 * @property {string} name
 * @property {Record<string, string|number>} attributes
 * @property {(SvgNode|string)[]} children
 *
 * @typedef {object} IndexedInput  LIT's word for an example with its id.
 * @property {string} id
 * @property {Record<string, any>} data
 * @property {{added?: boolean, source?: string, parentId?: string}} meta
 */

export {};
