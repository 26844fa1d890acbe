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
 * @property {?number} majority  the score of a baseline that ignores the text: the most frequent class, or the class frequencies of train
 * @property {boolean} reliable  whether the interval can be trusted
 * @property {string} reason  the reason why it cannot; empty where it can
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
 * @property {boolean} own_rows  whether the rows are of the data set that the probes were trained on
 * @property {?string} [circular]  the reason why probing this checkpoint for these labels proves nothing: it was fine-tuned on them
 * @property {number[]} not_converged
 * @property {Series[]} series
 * @property {{edited: number, unlabelled: number, train: number, seen_in_training: number}} left_out
 * @property {string[]} notes
 * @property {Baseline[]} baselines  those that the server can measure beside the curve, in the order of the legend
 *
 * @typedef {object} Baseline  How a baseline is called and drawn.
 * @property {string} name
 * @property {string} title
 * @property {string} color  "#RRGGBB"
 * @property {string} dash  as SVG's `stroke-dasharray`
 * @property {'circle'|'diamond'|'square'|null} marker
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
 * @typedef {object} LineStyle
 * @property {string} color
 * @property {'circle'|'diamond'|'square'|null} marker  null: a line without marks
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
 * @property {number[]} alike  the layers that cannot be told apart from the best one
 *
 * @typedef {object} PlacedAxis  A horizontal axis in pixels.
 * @property {(value: number) => number} x
 * @property {number} band  the room that one value has
 * @property {{at: number, label: string, shift?: number, anchor?: string, bold?: boolean}[]} ticks
 * @property {string} title  the axis' title; empty for none
 *
 * @typedef {{top: number, right: number, bottom: number, left: number}} Margin
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
