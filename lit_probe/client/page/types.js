// @ts-check
/**
 * The shapes that travel between the server, the pure functions and the panels. Types only: nothing here runs.
 *
 * What the server answers comes first: `tests/client/test_types.py` holds each of these types against an answer that a server gave,
 * field by field. Layers are numbered as in Hugging Face: 0 is the embedding output, i the output of block i.
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
 * @property {?number} majority  the score of a baseline that ignores the text: the most frequent class, the class frequencies of train, or the mean of its numbers
 * @property {boolean} reliable  whether the interval can be trusted
 * @property {string} reason  the reason why it cannot; empty where it can
 * @property {LayerScore[]} layers  `[n_layers]`, layer 0 first
 *
 * @typedef {object} Site  A place at which an encoder is read.
 * @property {string} name  "embeddings", "block 4", "attention 4", "head 4.7", "module encoder.layer.3.output.dense"
 * @property {string} family  layers, attention, mlp, mlp_neurons, heads, module, or vectors
 * @property {number} depth  the number of its block; 0 for the embeddings
 * @property {number} width  the number of its units
 *
 * @typedef {object} LayerMetrics  What the interpreter `layer_metrics` answers when its status is "ready".
 * @property {string} status
 * @property {string} metric
 * @property {string} metric_title
 * @property {'word'} [unit]  what a row is, where it is no text
 * @property {boolean} higher_is_better
 * @property {string} headline
 * @property {?Decision} decision  the rule by which rows are put in a class; null for a metric that reads probabilities
 * @property {string} decision_of_study  the rule of the study itself
 * @property {string} decided_by  the same rule in a sentence; empty where there is none
 * @property {{name: string, title: string}[]} metrics
 * @property {number} best_layer
 * @property {string} chosen_on
 * @property {{layer: number, among: number[], rule: string, sentence: string}} choice  how the layer was chosen, and among which
 * @property {number} n_layers
 * @property {?string[]} layer_names  `[n_layers]` what they are called, where an encoder is not read at all of its layers, or is not ours; null where numbers say it
 * @property {?Site[]} sites  `[n_layers]` what the places are, where an encoder is not read at all of its layers; null where it is
 * @property {number} d_model
 * @property {string} pooling
 * @property {string} probe
 * @property {string[]} label_names
 * @property {string} encoder
 * @property {string} trained_on
 * @property {?{model: string, dataset: string}} asked_of  the model and data set that the server started with, where the probes were made on the page for other labels
 * @property {boolean} own_rows  whether the rows are of the data set that the probes were trained on
 * @property {number} n_rows  how many rows the data set on the page has, those too that are not shown
 * @property {?string} [circular]  the reason why probing this checkpoint for these labels proves nothing: it was fine-tuned on them
 * @property {number[]} not_converged
 * @property {Series[]} series
 * @property {{edited: number, unlabelled: number, not_in_data: number, train: number, seen_in_training: number}} left_out
 * @property {string[]} notes
 * @property {Baseline[]} baselines  those that the server can measure beside the curve, in the order of the legend
 * @property {boolean} [looking_for_copies]  whether copies across splits are still being looked for; the interpreter `provenance` tells them
 *
 * @typedef {SimilarityMap & {status: 'ready', measures: {value: string, title: string}[], others: {value: string, title: string}[]}} LayerSimilarity  What the
 *     interpreter `layer_similarity` answers when its status is "ready", with the measures that may be asked for and the models beside which this one can stand.
 *
 * @typedef {object} SimilarityMap  How alike the layers of one encoder, or of two, are.
 * @property {string} measure
 * @property {string} title
 * @property {string} about  what the measure is, in a sentence or two
 * @property {string} source  the paper
 * @property {SimilarLayers} one  whose layers are the rows of `values`
 * @property {SimilarLayers} other  whose layers are its columns
 * @property {?string} split
 * @property {number} n
 * @property {(?number)[][]} values  `[n_layers][n_other_layers]`
 * @property {?(?number)[][]} by_chance  about what layers with nothing in common would have; null where chance is taken off
 * @property {number} n_saturated  how many pairs of layers are too much alike for want of rows
 * @property {string[]} notes
 *
 * @typedef {object} SimilaritySeries  What it answers about a series of checkpoints.
 * @property {'ready'} status
 * @property {string} measure
 * @property {string} title
 * @property {string} about
 * @property {string} source
 * @property {string[]} checkpoints  what they are called, in their order
 * @property {string[]} layer_names  the same of all
 * @property {?string} split
 * @property {number} n
 * @property {SameLayers[]} same_layers  beside the last, the first and the previous one
 * @property {SimilarityMap[]} maps  of each checkpoint, beside the last
 * @property {string[]} notes
 * @property {{value: string, title: string}[]} measures
 * @property {{value: string, title: string}[]} others
 *
 * @typedef {object} SameLayers
 * @property {string} beside  `last`, `first` or `previous`
 * @property {(?number)[][]} values  `[n_checkpoints][n_layers]`
 * @property {?(?number)[][]} by_chance
 *
 * @typedef {object} SimilarLayers
 * @property {string} name
 * @property {string[]} layer_names
 * @property {?(?number)[]} kept  how many directions of each layer were compared
 *
 * @typedef {object} EncoderComparison  What the interpreter `encoder_comparison` answers when its status is "ready".
 * @property {string} status
 * @property {number} layer
 * @property {number} other
 * @property {string} metric
 * @property {number} n
 * @property {number} difference  the score at `layer` of the one encoder less that at `other` of the other
 * @property {?number} low
 * @property {?number} high
 * @property {number} p_bootstrap
 * @property {?number} p_mcnemar  null where McNemar's test does not apply
 * @property {boolean} reliable
 * @property {string} reason
 *
 * @typedef {object} Computation  Something that the server computes in the background.
 * @property {string} title
 * @property {?number} fraction  how much of it is done, in [0, 1]; null while it waits
 * @property {number} place  how many others have to be done before
 * @property {number[]} questions  the numbers of this page's questions that wait for it
 * @property {number} others  how many other pages wait for it; all programs count as one
 *
 * @typedef {object} RowSplits  What the interpreter `row_splits` answers when its status is "ready".
 * @property {string} status
 * @property {string[]} splits  for each example train, dev, test, or that it is not in the probes' data
 *
 * @typedef {object} ProbeFile  What the interpreter `probe_file` answers when its status is "ready".
 * @property {string} status
 * @property {string} name
 * @property {string} file  its bytes in base64
 *
 * @typedef {object} KeptProbeScores  What the interpreter `kept_probe` answers about scores when its status is "ready".
 * @property {string} status
 * @property {string} part
 * @property {string} title
 * @property {string} encoder
 * @property {string} trained_on
 * @property {number} n_train
 * @property {string} probe
 * @property {string} pooling
 * @property {number[]} layers  those that have a probe in the file
 * @property {number} layer  the one that was chosen for them
 * @property {string} metric
 * @property {boolean} same_classes  whether they tell the classes of the rows apart; if not, nothing is scored
 * @property {Series[]} series  on dev at every layer of the file, on test at the chosen one
 * @property {number} n_trained_on  how many rows of dev and test they were trained on, which are not scored
 * @property {{edited: number, unlabelled: number, not_in_data: number, train: number, seen_in_training: number}} left_out
 * @property {string[]} notes
 *
 * @typedef {object} KeptProbeClasses  What the interpreter `kept_probe` answers about examples when its status is "ready".
 * @property {string} status
 * @property {string} part
 * @property {string[]} classes  of each example
 * @property {string[]} vocabulary
 * @property {number} layer
 *
 * @typedef {object} Baseline  How a baseline is called and drawn.
 * @property {string} name
 * @property {string} title
 * @property {string} color  "#RRGGBB"
 * @property {string} dash  as SVG's `stroke-dasharray`
 * @property {'circle'|'diamond'|'square'|null} marker
 * @property {number} n_draws  how many random draws its line is the mean of; 1 where nothing is drawn by lot
 *
 * @typedef {object} ExamplePrediction  What every layer says of one text.
 * @property {?(string|number)} label  the gold label
 * @property {boolean} edited
 * @property {boolean} truncated
 * @property {number[][]} probabilities  `[n_layers][n_classes]`; of a number `[n_layers][1]`, the number
 * @property {?{label_names: string[], probabilities: number[]}} model  the checkpoint's own classification head, if any
 *
 * @typedef {{rule: string, shares: number[]}} Decision  By which rule a row is put in a class. `shares`: those of train that
 *   probabilities are divided by; none for the most probable class.
 *
 * @typedef {object} LayerPredictions  What the interpreter `layer_predictions` answers when its status is "ready".
 * @property {string} status
 * @property {string[]} label_names
 * @property {number} best_layer
 * @property {Decision} decision
 * @property {ExamplePrediction[]} examples
 *
 * @typedef {{status: string, check: string, title: string, best_layer: number, metric: string, significance_test: string,
 *   layers: ComparedLayer[], optimism: Optimism, reliable: boolean, reason: string, notes: string[]}}
 *   LayerComparison  What the check `layer_comparison` answers. `significance_test`: "mcnemar" or "bootstrap"; `layers`:
 *   `[n_layers]`.
 *
 * @typedef {{layer: number, difference: ?number, low: ?number, high: ?number, p_bootstrap: ?number, p_mcnemar: ?number,
 *   p_holm: ?number, indistinguishable: boolean}}
 *   ComparedLayer  A layer's score less that of the chosen layer, on dev. `p_bootstrap`: null for the chosen layer itself; `p_holm`:
 *   the p-value of the test that is used, corrected for the number of layers.
 *
 * @typedef {{layer: number, dev: ?number, dev_low: ?number, dev_high: ?number, test: ?number, test_low: ?number,
 *   test_high: ?number, optimism: ?number, low: ?number, high: ?number, reliable: boolean, reason: string}}
 *   Optimism  How much the choice of the layer flatters it: its score on dev less that on test.
 *
 * @typedef {{status: string, layer: number, other: number, metric: string, difference: ?number, low: ?number, high: ?number,
 *   p_bootstrap: ?number, p_mcnemar: ?number, reliable: boolean, reason: string}}
 *   TwoLayers  What the check `layer_comparison` answers about two layers.
 *
 * @typedef {{score: ?number, low: ?number, high: ?number, reliable: boolean, reason: string, draws: number[]}}
 *   BaselineScore  A baseline's score on dev with its 95 % interval. `draws`: the score of each random draw, of which `score` is
 *   the mean; empty where nothing is drawn by lot.
 *
 * @typedef {{status: string, check: string, title: string, name: string, per_layer: boolean, metric: string,
 *   not_converged: number[], settings: Record<string, any>, notes: string[], score?: ?number, low?: ?number, high?: ?number,
 *   reliable?: boolean, reason?: string, layers?: (BaselineScore & {layer: number})[]}}
 *   MeasuredBaseline  What the check `baselines` answers about one of them. `score`: where one score is for all layers; so are
 *   the next four; `layers`: `[n_layers]`, where each layer has a score.
 *
 * @typedef {{status: string, check: string, title: string, control: string, metric: string, n_seeds: number, seeds: number[],
 *   n_types: number, most_common: {name: string, share: number}[], share_seen: number, reliable: boolean, reason: string,
 *   layers: {layer: number, task: ?number, control: ?number, controls: number[], selectivity: ?number, low: ?number,
 *   high: ?number}[], memorisation: number[], notes: string[]}}
 *   Selectivity  What the check `selectivity` answers. `control`: a name of what the control labels go by: "word", "first_word"
 *   or "group:COLUMN"; `memorisation`: `[n_layers]`.
 *
 * @typedef {{status: string, metric: string, n: number, n_compared: number, n_permutations: number, slices: SliceDifference[],
 *   notes: string[], layer: number, split: string}}
 *   SliceComparison  What the interpreter `slice_comparison` answers. `slices`: in the order in which they were asked about;
 *   `n_compared`: how many of them are compared.
 *
 * @typedef {{n: number, difference: ?number, p: ?number, p_corrected: ?number, reason: string}}
 *   SliceDifference  A slice's score less that of all examples. `p`: of this slice alone; `p_corrected`: for the number of slices;
 *   `reason`: why it is not compared, empty where it is.
 *
 * @typedef {{status: string, check: string, title: string, portions: number[], n: number, n_uniform: number,
 *   layers: {layer: number, bits: number, uniform_bits: number, prior_bits: number, compression: number,
 *   compression_to_prior: number}[], notes: string[]}}
 *   DescriptionLength  What the check `description_length` answers.
 *
 * @typedef {{layer: number, score: ?number, low: ?number, high: ?number, above: ?number, above_low: ?number, above_high: ?number,
 *   reliable: boolean, reason: string}}
 *   ConceptCell  One concept at one layer. `above`: the share of the way from its baseline to a perfect score.
 *
 * @typedef {{target: string, about: string, study: string, headline: string, metric_title: string, baseline: ?number,
 *   n: Record<string, number>, label_names: string[], best_layer: number, test: {value: ?number, low: ?number, high: ?number, n: number,
 *   reliable: boolean, reason: string}, cells: ConceptCell[]}}
 *   ConceptRow
 *
 * @typedef {{status: string, encoder: string, dataset: string, layer_names: string[], rows: ConceptRow[],
 *   unasked: {dataset: string, target: string, error: string}[], measure: string, notes: string[]}}
 *   ConceptMap  What the interpreter `concept_map` answers.
 *
 * @typedef {{model: string, dataset: string, asked_of: string, title: string, probe: string, pooling: string, sites: string, best_layer: number,
 *   metric: string, score: ?number, n: Record<string, number>}}
 *   MadeProbe  A probe that was made on the page. `model`, `dataset`: what LIT calls them. `asked_of`: the model on whose rows it was fitted.
 *
 * @typedef {{status: string, part: string, targets: {name: string, about: string, target: 'classes'|'number'}[], probes: Record<'classes'|'number', string[]>, poolings: string[],
 *   sites: {name: string, about: string}[], now: {probe: string, pooling: string, sites: string}, dataset: string, made: MadeProbe[],
 *   before: {name: string, title: string, probe: string, pooling: string, sites: string}[], most: number}}
 *   NewProbeOffers  What the interpreter `new_probe` answers to `offers`. `now`: the choices of the probes on the page.
 *   `probes`: by what is asked for, the usual kind first.
 *   `before`: what other servers with this cache have made of these rows.
 *
 * @typedef {{status: string, check: string, title: string, metric: string, metric_title: string, n_dev: number,
 *   majority: ?number, n_train: number[], layers: {layer: number, points: {n: number, score: ?number, low: ?number,
 *   high: ?number}[]}[], notes: string[]}}
 *   LearningCurve  What the check `learning_curve` answers. `n_train`: the sizes of the portions, ascending.
 *
 * @typedef {{status: string, check: string, title: string, split: string, n: number, n_bins: number, folds: {n: number,
 *   by: string}, reliable: boolean, reason: string, layers: CalibratedLayer[], notes: string[]}}
 *   Calibration  What the check `calibration` answers.
 *
 * @typedef {{layer: number, temperature: ?number, fold_temperatures: number[], brier: ?number, log_loss: ?number, ece: ?number,
 *   ece_by_chance: ?number, reliability: ReliabilityBin[], diagram: ReliabilityMark[], brier_after: ?number, log_loss_after: ?number, ece_after: ?number,
 *   ece_by_chance_after: ?number, reliability_after: ReliabilityBin[], diagram_after: ReliabilityMark[]}}
 *   CalibratedLayer  A layer's probabilities as they are and, `_after`, rescaled by one temperature.
 *
 * @typedef {{confidence: number, accuracy: number, n: number}}
 *   ReliabilityBin  How sure a probe is of a group of examples, and how often it is right.
 *
 * @typedef {{confidence: number, accuracy: number, n: number, low: ?number, high: ?number}}
 *   ReliabilityMark  Such a group as it is drawn, with the interval of how often it is right.
 *
 * @typedef {{status: string, check: string, title: string, available: boolean, n: number, model: {accuracy: number,
 *   low: ?number, high: ?number}, layers: AgreeingLayer[], rows: {layer: number, probe_only: number[], model_only: number[],
 *   both_wrong: number[]}[], notes: string[]}}
 *   Agreement  What the check `agreement` answers. `rows`: places among the dev rows.
 *
 * @typedef {{layer: number, both_right: number, probe_only: number, model_only: number, both_wrong: number, agreement: number,
 *   low: ?number, high: ?number}}
 *   AgreeingLayer  Counts of dev examples, and the share on which probe and model say the same.
 *
 * @typedef {{status: string, check: string, title: string, metric: string, metric_title: string, best_layer: number, n: number,
 *   seeds: number[], n_train: number[], n_dev: number[], chosen: number[], layers: RepeatedLayer[], wider: string,
 *   sentence: string, reliable: boolean, reason: string, notes: string[]}}
 *   Repeats  What the check `repeats` answers: the study on other splits of train and dev. `chosen`: `[n]`, the layer that each
 *   chose; `wider`: "splits", "rows", "alike" or "unknown".
 *
 * @typedef {{layer: number, score: ?number, low: ?number, high: ?number, standard_error: ?number, scores: number[], mean: number,
 *   sd: number, lowest: number, highest: number, n_chosen: number}}
 *   RepeatedLayer  A layer's score with its interval over rows, and what it scores on the other splits.
 *
 * @typedef {{status: string, train: string[], test: string[], metric: string, n: number[][], left_out: number[][],
 *   layers: {layer: number, scores: (?number)[][], low: (?number)[][], high: (?number)[][], reasons: string[][],
 *   with_left_out: (?number)[][]}[], notes: string[]}}
 *   Transfer  What the interpreter `transfer` answers; its tables are `[n_train_sets][n_test_sets]`.
 *
 * @typedef {{train: string, test: string, own: boolean, n: number, leftOut: number, cells: {layer: number, score: ?number,
 *   low: ?number, high: ?number, reason: string, withLeftOut: ?number}[]}}
 *   TransferPair  One pair of data sets, its cells by layer. `withLeftOut`: the score of all dev examples, the `leftOut` among them.
 *
 * @typedef {{status: string, near_duplicates: ?{exact: number, near: number, notes: string[]}, card: any,
 *   command: ?string[], statement: string}}
 *   Provenance  What the interpreter `provenance` answers. `card`: the card itself; see `lit_probe/checks/provenance.py`.
 *
 * @typedef {{status: string, html: string, name: string, checks: string[]}}
 *   Report  What the interpreter `report` answers: a page, the name of its file, and the checks that it tells.
 *
 * @typedef {{status: string, methods: SalienceMethod[], options: Record<string, {default: any, title: string, low?: number,
 *   high?: number, choices?: Record<string, string>}>, scalars: string[], aggregations: {signed: string[], sizes: string[]},
 *   n_layers: number, best_layer: number, class_names: {probe: string[], model: ?string[]}, head_classes: ?number[]}}
 *   SalienceMethods  What the interpreter `salience_methods` answers: what can be asked. `head_classes`: the model's class for
 *   each class of the probes.
 *
 * @typedef {{name: string, title: string, description: string, signed: boolean, gradient: boolean, cheap: boolean,
 *   deterministic: boolean, uses: string[], baseline: string, no_explanation: string}}
 *   SalienceMethod  `signed`: whether a score below 0 speaks against the class; `cheap`: whether it is computed without being
 *   asked for; `uses`: the options that it reads; `baseline`: the one of them that says what stands for nothing; empty where none does.
 *   `no_explanation`: why its scores say nothing of a class; empty where they do.
 *
 * @typedef {{status: string, method: string, tokens: string[], scores: number[], signed: boolean, words: (?number)[],
 *   word_texts: string[], words_beyond_limit: string[], explained: string, target: {class_index: number, scalar: string},
 *   class_name: string, value: number, diagnostics: Record<string, number|string>, warning: string, no_explanation: string, title: string, layer: ?number,
 *   class_names: string[], predicted_class: string, predicted_by: string, gold: ?(string|number), by_word: {how: string, words: string[], scores: number[]}}}
 *   SalienceMap  What the interpreter `salience_map` answers about one text. `tokens`: `[n_tokens]`; `scores`: `[n_tokens]`;
 *   `words`: `[n_tokens]`: the word that each token is of; null for special tokens; `explained`: "probe at layer 3" or "model";
 *   `predicted_by`: the rule behind the prediction, where another class is more probable; `warning`: a sentence that a reader must know; empty where there is none.
 *
 * @typedef {{status: string, method: string, option: string, chosen: string, n_words: number, others: {name: string, spearman: ?number,
 *   same_top_word: boolean}[], class_name: string, baseline_class: string, same_class: boolean, sentence: string}}
 *   BaselineComparison  What the interpreter `salience_baselines` answers about one map: how much it depends on its baseline.
 *
 * @typedef {{mean: ?number, low: ?number, high: ?number, n: number}} MeanOverTexts  A mean with its 95 % interval over texts.
 *
 * @typedef {{ids: string[], n_asked: number, source: string}}
 *   ExplainedRows  Which texts were looked at. `source`: "selection" or "dev".
 *
 * @typedef {{reason: string, n: number}[]} LeftOutTexts  How many texts could not be explained, and why.
 *
 * @typedef {{status: string, check: string, check_title: string, explained: string, scalar: string, map_scalar: string,
 *   seed: number, replace: string, random_draws: number, bins: number[], n_texts: number, n_left_out: number,
 *   left_out: LeftOutTexts, n_exhaustive: number, methods: ({method: string, title: string, reason: string, n_maps: number, n_inexact: number} &
 *   FaithfulnessMeans)[], random: FaithfulnessMeans, limits: Record<string, {best: ?number, worst: ?number}>,
 *   macro_f1: MeanOverTexts, notes: string[], rows: ExplainedRows}}
 *   Faithfulness  What the check `faithfulness` answers. `limits`: by measure.
 *
 * @typedef {{comprehensiveness: ?MeanOverTexts, comprehensiveness_normalised: ?MeanOverTexts, sufficiency: ?MeanOverTexts,
 *   sufficiency_normalised: ?MeanOverTexts, tau_loo: ?MeanOverTexts, macro_f1_masked: ?MeanOverTexts}}
 *   FaithfulnessMeans  A method's measures; null for a method that failed.
 *
 * @typedef {{status: string, check: string, check_title: string, explained: string, scalar: string, seed: number,
 *   n_seeds: number, n_texts: number, n_left_out: number, left_out: LeftOutTexts, edits: {name: string, title: string,
 *   n: number, n_unseen: number, mean_change: ?number}[], methods: StableMethod[], notes: string[], rows: ExplainedRows}}
 *   Stability  What the check `stability` answers.
 *
 * @typedef {{method: string, title: string, deterministic: boolean, reason: string, n_maps: number, n_inexact: number, seeds: ?MeanOverTexts,
 *   edits: ?MeanOverTexts, edit_correlation: ?MeanOverTexts}}
 *   StableMethod  A method's measures; null where it failed.
 *
 * @typedef {{status: string, check: string, check_title: string, explained: string, layer: ?number, method: string,
 *   title: string, signed: boolean, target: string, scalar: string, options: Record<string, any>, min_count: number,
 *   top: number, n_texts: number, n_explained: number, n_inexact: number, left_out: LeftOutTexts, classes: ClassWords[], notes: string[],
 *   rows: ExplainedRows}}
 *   SalientWords  What the check `words` answers.
 *
 * @typedef {{class_index: number, class_name: string, n_texts: number, n_words: number, words: {word: string, count: number,
 *   n_occurrences: number, mean: number, low: number, high: number, positions: number[]}[]}}
 *   ClassWords  The words that speak most for a class.
 *
 * @typedef {{status: string, n_layers: number, d_model: number, best_layer: number, n_train: number, label_names: string[],
 *   methods: {name: string, title: string, score_unit: string, options: string[], at_once: boolean}[], options: Record<string,
 *   {default: any, low?: number, high?: number, choices?: string[]}>, selections: string[], replacements: string[],
 *   evaluators: {name: string, title: string}[]}}
 *   NeuronCatalogue  What the interpreter `neuron_ranking` answers to `choices`: what can be asked.
 *
 * @typedef {{status: string, method: string, title: string, score_unit: string, layers: number[], label_names: string[],
 *   n_units: number, settings: Record<string, any>, neurons: RankedNeuron[], layer: number|'all', n_train: number,
 *   select: string, class: ?string, notes: string[], stability?: NeuronStability}}
 *   NeuronRanking  What the interpreter `neuron_ranking` answers. `stability`: where it was asked for.
 *
 * @typedef {{rank: number, layer: number, unit: number, name: string, score: number, class_scores: number[]}}
 *   RankedNeuron  `rank`: the place in the ranking, from 1; `name`: "4:17"; `class_scores`: `[n_classes]`; above 0: more
 *   activation speaks for the class.
 *
 * @typedef {{status: string, method: string, title: string, layers: number[], n_units: number, n_draws: number, seed: number,
 *   points: {k: number, jaccard: number, low: number, high: number, with_full: number, chance: number}[],
 *   frequent: {name: string, layer: number, unit: number, share: number}[]}}
 *   NeuronStability  How far rankings of resampled training texts agree.
 *
 * @typedef {{status: string, part: string, layer: number, unit: number, name: string, split: string, pooling: string, n: number,
 *   mean: number, std: number, edges: number[], classes: ClassActivation[], inputs: any[]}}
 *   NeuronDistribution  What the part `distribution` of `neuron_evidence` answers. `edges`: `[n_bins + 1]`.
 *
 * @typedef {{label: string, n: number, counts: number[], mean: ?number, std: ?number, overlap: ?number, auroc: ?number,
 *   auroc_low: ?number, auroc_high: ?number}}
 *   ClassActivation  A neuron's pooled activation on the texts of a class. `counts`: `[n_bins]`.
 *
 * @typedef {{status: string, part: string, layer: number, unit: number, name: string, column: string, pooling: string,
 *   values: number[]}}
 *   NeuronColumn  What the part `column` of `neuron_evidence` answers. `values`: `[n_texts]`.
 *
 * @typedef {{status: string, part: string, layer: number, unit: number, name: string, split: string, mean: number, std: number,
 *   n_texts: number, n_occurrences: number, n_words: number, n_words_compared: number, n_truncated: number, min_count: number,
 *   max_words: number, highest: NeuronEnd, lowest: NeuronEnd}}
 *   NeuronWords  What the part `words` of `neuron_evidence` answers.
 *
 * @typedef {{words: {word: string, count: number, mean: number, peak: number, tag?: string}[], contexts: NeuronContext[]}}
 *   NeuronEnd  The words and contexts on which a neuron is highest, or lowest. `tag`: where rows are words, the most frequent one.
 *
 * @typedef {{text: number, word_index: number, word: string, value: number, before: string, after: string, shown: string,
 *   id: ?string, tag?: string}}
 *   NeuronContext  A word of a text with what stands around it. `id`: null where LIT does not show the text; `tag`: its own, where
 *   rows are words.
 *
 * @typedef {{status: string, part: string, layer: number, units: number[], pooling: string, texts: NeuronsOnText[],
 *   largest: number[]}}
 *   NeuronTokens  What the part `tokens` of `neuron_evidence` answers about one text or two. `largest`: `[n_neurons]`: the
 *   largest size of a value on tokens that are not special.
 *
 * @typedef {{layer: number, tokens: string[], special: boolean[], words: (?number)[], word_texts: string[],
 *   words_beyond_limit: string[], neurons: {unit: number, name: string, values: number[]}[], pooled: ?number[],
 *   aligned: ?(?number)[]}}
 *   NeuronsOnText  Neurons on the tokens of a text. `tokens`: `[n_tokens]`; `special`: `[n_tokens]`; `words`: `[n_tokens]`;
 *   `pooled`: `[n_neurons]`, null where rows are words; `aligned`: of the second text, the place of each token in the first one.
 *
 * @typedef {{status: string, part: string, layer: number, threshold: number, n: number, n_units: number, n_clusters: number,
 *   independent: number[], clusters: {units: number[], independent: number, cohesion: number}[], cluster: number}}
 *   NeuronClusters  What the part `clusters` of `neuron_evidence` answers. `cluster`: the place of the cluster with the unit
 *   that was asked about.
 *
 * @typedef {{status: string, part: string, layers: number[], n_units: number, explained: number, n_components: number,
 *   seed: number, special: boolean, max_tokens: number, n_texts: number, n_texts_left_out: number, n_iterations: number,
 *   converged: boolean, texts: {text: number, tokens: string[], special: boolean[], aligned: ?(?number)[]}[], factors: {share: number,
 *   on_texts: number[][], neurons: {layer: number, unit: number, name: string, weight: number}[]}[], rows: ExplainedRows}}
 *   NeuronFactors  What the part `factors` of `neuron_evidence` answers. `aligned`: as of `NeuronsOnText`; null where texts are many.
 *
 * @typedef {{status: string, part: string, layer: number, what: string, units: number[], layers: number[],
 *   label_names: string[], decision: Decision, before: number[][][], after: number[][][], model: ?{label_names: string[], before: number[][],
 *   after: number[][]}, moved: number[], random: ?{n: number, mean: number[][][], low: number[][][], high: number[][][],
 *   model: ?{mean: number[][], low: number[][], high: number[][]}}, judged: (MovedStates & {notes: string[]})[],
 *   notes: string[]}}
 *   AblatedTexts  What the part `text` of `neuron_ablation` answers: `[n_texts][n_layers from the changed one][n_classes]`.
 *
 * @typedef {{status: string, part: string, layer: number, what: string, units: number[], layers: number[], label_names: string[],
 *   n_random: number, examples: {words: AblatedWord[]}[], notes: string[]}}
 *   AblatedWords  The same where rows are words.
 *
 * @typedef {{word: string, tag: ?number, read: boolean, said?: number[], now?: number[], before?: number[], after?: number[],
 *   low?: ?number[], high?: ?number[], judged?: MovedStates & {notes: string[]}}}
 *   AblatedWord  A word: by layer from the changed one the tag that is said of it, and now, and the probability of the first; no
 *   numbers where it was not read.
 *
 * @typedef {{moved: number, random_moved: ?number, random_moved_low: ?number, random_moved_high: ?number, moved_ratio: ?number,
 *   matched: boolean, exceeded: ?number}}
 *   MovedStates  How far a change moves the hidden states, beside the random ones. `exceeded`: the number of random sets that
 *   the change exceeds.
 *
 * @typedef {{status: string, part: string, metric: string, title: string, n: number, n_random: number, layers: AblatedLayer[],
 *   model: ?FlippedAnswers, notes: string[], layer: number, what: string, units: number[], rows: ExplainedRows & {split: string,
 *   left_out: {edited: number, unlabelled: number, not_in_data: number, train: number, seen_in_training: number}}}}
 *   AblationSettings
 *
 * @typedef {AblationSettings & MovedStates} AblationCurve  What the part `curve` of `neuron_ablation` answers.
 *
 * @typedef {ScoredChange & FlippedAnswers} AblatedLayer
 *
 * @typedef {{layer: number, before: ?number, before_low: ?number, before_high: ?number, after: ?number, after_low: ?number,
 *   after_high: ?number, random: ?number, random_low: ?number, random_high: ?number}}
 *   ScoredChange  A layer's score before and after a change, and after random ones.
 *
 * @typedef {{flipped: number, random_flipped: ?number, random_flipped_low: ?number, random_flipped_high: ?number,
 *   beyond: boolean}}
 *   FlippedAnswers  The share of answers that change.
 *
 * @typedef {{status: string, part: string, metric: string, title: string, rank: number, n: number, layers: ScoredChange[]}}
 *   Erasure  What the part `erasure` of `neuron_ablation` answers.
 *
 * @typedef {{status: string, part: string, layers: number[], metric: string, metric_title: string, n_dev: number,
 *   n_units: number, logistic_strength: number, majority: ?number}}
 *   JudgedRanking  What every part of `neuron_ablation` about rankings answers.
 *
 * @typedef {{value: ?number, low: ?number, high: ?number, n: number, reliable: boolean, reason: string}}
 *   ScoreOfSet  What a classifier scores that reads some neurons only.
 *
 * @typedef {{mean: number, low: number, high: number, draws: number[]}}
 *   ScoreOfRandom  The same of random sets: the mean and the middle 95 % of the draws.
 *
 * @typedef {{percent: number, k: number, top: ScoreOfSet, bottom: ScoreOfSet, random: ScoreOfRandom}}
 *   RankingPoint  The score from a share of the neurons.
 *
 * @typedef {JudgedRanking & {method: string, evaluator: string, n_draws: number, seed: number, full: ScoreOfSet,
 *   points: RankingPoint[]}}
 *   RankingQuality  What the part `evaluation` answers.
 *
 * @typedef {{method: string, evaluator: string, within: number, k: number, percent: number, names: string[], score: ScoreOfSet,
 *   full: ScoreOfSet, tried: {k: number, value: ?number}[]}}
 *   SmallestSet  The shortest beginning of a ranking that scores within some percentage points of all neurons.
 *
 * @typedef {JudgedRanking & SmallestSet} MinimalSet  What the part `minimal_set` answers.
 *
 * @typedef {{methods: string[], titles: string[], evaluators: string[], evaluator_titles: string[], n_draws: number,
 *   seed: number, full: (?number)[], tables: {percent: number, k: number, scores: (?number)[][], random: ScoreOfRandom[]}[],
 *   mean_scores: (?number)[][]}}
 *   CrossedRankings  Every ranking judged by every classifier: `[n_methods][n_evaluators]`.
 *
 * @typedef {JudgedRanking & CrossedRankings} RankingComparison  What the part `comparison` answers.
 *
 * @typedef {{encoder: string, pooling: string, probe: string, trained_on: string, best_layer: number, n_layers: number,
 *   label_names: string[]}}
 *   ProbesOfAnswer  What the probes behind an answer are.
 *
 * @typedef {{status: string, part: string, class_index: number, class_name: string, decision: Decision, first_flip: ?number, flip_layers: number[],
 *   layers: EditAtLayer[], identical: boolean, warnings: {kind: string, message: string}[], words: {before: [string, boolean][],
 *   after: [string, boolean][]}, examples: {label: ?string, edited: boolean, truncated: boolean}[],
 *   layer_names: ?string[], sites: ?Site[]}}
 *   EditByLayer  `class_index`: the class that is followed: the one that the dev-chosen layer predicts for the original;
 *   `flip_layers`: the layers at which the probe answers otherwise, ascending; `words`: with the space before them, and whether
 *   the other text lacks them.
 *
 * @typedef {EditByLayer & ProbesOfAnswer} Trajectory  What the part `trajectory` of `counterfactual_by_layer` answers.
 *
 * @typedef {{layer: number, before: number[], after: number[], margin_before: number, margin_after: number,
 *   margin_change: number, cosine: number, mahalanobis: number, flipped: boolean, typical_cosine: number,
 *   typical_mahalanobis: number}}
 *   EditAtLayer  What a layer makes of an edit. `before`: `[n_classes]`; `after`: `[n_classes]`.
 *
 * @typedef {{status: string, part: string, layer: number, class_name: string, scalar: string, method: string, title: string,
 *   signed: boolean, rows: {kind: string, before: string, after: string, score_before: number, score_after: number,
 *   change: number}[], largest: number, value_before: number, value_after: number, marks: string[],
 *   notes: string[], methods: {name: string, title: string}[]}}
 *   EditSalience  What the part `salience` of `counterfactual_by_layer` answers. `marks`: a sentence for each text whose map is not exact.
 *
 * @typedef {{status: string, part: string, layer: number, class_name: string, against: number, against_name: string,
 *   change: number, n_units: number, others: number, neurons: {unit: number, before: number, after: number, change: number,
 *   weight: number, moved: number}[]}}
 *   EditNeurons  What the part `neurons` of `counterfactual_by_layer` answers. `others`: the part of the neurons that are not
 *   listed.
 *
 * @typedef {{n: number, n_judged: number, n_units: number, reliable: boolean, layers: PairsAtLayer[]}}
 *   PairsByLayer  How the probes follow many pairs.
 *
 * @typedef {{layer: number, consistency: ?number, consistency_low: ?number, consistency_high: ?number, flip_rate: number,
 *   flip_rate_low: ?number, flip_rate_high: ?number, median_change: ?number, median_change_low: ?number,
 *   median_change_high: ?number}}
 *   PairsAtLayer
 *
 * @typedef {{status: string, n_label_changes: number, consistent: (?boolean)[][], flipped: boolean[][], kinds: (PairsByLayer &
 *   {value: string, pairs: number[]})[], pairs: {name: string, ids: (?string)[], labels: (?string)[], value: string}[],
 *   source: string, column: string, by: string, notes: string[], layer_names: ?string[], sites: ?Site[]}}
 *   PairsAnswer  `consistent`: `[n_layers][n_pairs]`; null where nobody knows what becomes of the label; `flipped`:
 *   `[n_layers][n_pairs]`; `source`: "dataset" or "sent".
 *
 * @typedef {PairsAnswer & PairsByLayer & ProbesOfAnswer}
 *   CounterfactualPairs  What the interpreter `counterfactual_pairs` answers.
 *
 * @typedef {object} LayerPicture  One layer's picture.
 * @property {number} layer
 * @property {?string[]} axes  what the two axes are; null where they mean nothing
 * @property {?number} explained  the share that it holds of what `share_of` says of the fitted rows, in [0, 1]
 * @property {?number} trustworthiness  in [0, 1]; null where it is not measured
 * @property {string} reason  why there is no picture; empty where there is one
 * @property {number[][]} xy  `[n_rows][2]` where each row stands; empty where there is no picture
 *
 * @typedef {object} Projections  What the interpreter `projections` answers: the rows that were sent, in the picture of every layer.
 * @property {string} status
 * @property {string} method
 * @property {string} title
 * @property {string} reading  how to read the pictures, and how not to
 * @property {string} share_of  of what `explained` is the share, in words
 * @property {{name: string, title: string, missing: string}[]} methods  all ways; `missing` says why one cannot be asked for
 * @property {string} encoder
 * @property {string} trained_on
 * @property {string} pooling
 * @property {string} probe
 * @property {number} best_layer
 * @property {number} n_layers
 * @property {?string[]} layer_names
 * @property {?Site[]} sites
 * @property {number} n_fitted  to how many rows of train they are fitted
 * @property {?number} boundary  where on the first axis the probe gives both classes the same probability; null where there is no such place
 * @property {LayerPicture[]} layers
 * @property {string[]} notes
 *
 * @typedef {object} IndexedInput  LIT's word for an example with its id.
 * @property {string} id
 * @property {Record<string, any>} data
 * @property {{added?: boolean, source?: string, parentId?: string, rule?: string, expectation?: string}} meta
 *
 * @typedef {object} TaggedWord  A word of a sentence.
 * @property {string} word
 * @property {?number} tag  the index of its tag; null where it has none
 * @property {boolean} read  whether the encoder read a token of it
 * @property {?number[]} probability  `[n_layers]` of its tag; null without a tag, or where it was not read
 * @property {?number[]} predicted  `[n_layers]` the tag that it gets; null where it was not read
 * @property {?number[]} certainty  `[n_layers]` the probability of that one
 *
 * @typedef {object} WordSalience  The answer of `word_salience`.
 * @property {number} layer
 * @property {number} word  the place of the word whose tag is explained
 * @property {number} tag
 * @property {boolean} predicted  whether it is the predicted tag, for want of another
 * @property {number} value  the tag's logit
 * @property {string} title  the method's
 * @property {boolean} signed
 * @property {(?number)[]} scores  `[n_words]`; null for a word that was not read
 * @property {string} warning
 *
 * @typedef {object} WordsByLayer  The answer of `words_by_layer`.
 * @property {string[]} label_names
 * @property {number} best_layer
 * @property {number} n_layers
 * @property {?string[]} layer_names  what places that are not all of an encoder's layers are called
 * @property {string} encoder
 * @property {string} pooling
 * @property {string} probe
 * @property {string} trained_on
 * @property {string} decided_by
 * @property {number} max_length
 * @property {{text: string, split: ?string, words: TaggedWord[], aligned: ?(?number)[]}[]} examples  one, or one and its edit; `split` is null
 *     for an edited text, `aligned` says of each word of the second where it stands in the first
 *
 * @typedef {object} AttendedText  What the attention heads look at in one text.
 * @property {string[]} tokens
 * @property {boolean[]} special
 * @property {?number} seam  of a pair of texts, the first token of the second one
 * @property {boolean} truncated
 * @property {number} side  of each small picture, in cells
 * @property {string} pictures  bytes in base64: `[n_blocks][n_heads][side][side]`, 0 to 255 for weights of 0 to 1
 * @property {number[][]} to_itself  `[n_blocks][n_heads]` share of a head's attention, over the tokens; likewise the next three
 * @property {number[][]} to_previous
 * @property {number[][]} to_next
 * @property {number[][]} to_special
 * @property {number[][]} entropy  `[n_blocks][n_heads]` in bits
 * @property {?number[][]} rollout  `[n_layers][n_tokens]` what share of a layer's vector comes from which token by attention rollout; null where rows are words
 * @property {?number[][][][]} between  of a pair of texts, `[n_blocks][n_heads]` what each text gives to the first and to the second
 *
 * @typedef {object} AttentionHeads  The answer of `attention` about all heads.
 * @property {string} status
 * @property {string} part
 * @property {number} n_blocks
 * @property {number} n_heads
 * @property {string} encoder
 * @property {number} max_length
 * @property {number} max_tokens
 * @property {boolean} is_decoder
 * @property {number} best_layer
 * @property {string} pooling
 * @property {AttendedText[]} examples  one, or one and its edit
 * @property {?(?number)[]} aligned  where each token of the second text stands in the first; null for a single text
 * @property {?number[][]} changes  `[n_blocks][n_heads]` what share of their attention the common tokens turn elsewhere
 * @property {?(?number)[][]} places  `[n_blocks][n_heads]` at which of the probes' places a head is read; null where probes read no heads
 *
 * @typedef {object} AttentionHead  The answer of `attention` about one head.
 * @property {string} status
 * @property {string} part
 * @property {number} block
 * @property {number} head
 * @property {number[][][]} weights  of each text `[n_tokens][n_tokens]`, what the first takes in from the second
 *
 * @typedef {object} AttentionUnits  The answer of `attention` about one token of one head, unit by unit.
 * @property {string} status
 * @property {string} part
 * @property {number} block
 * @property {number} head
 * @property {number} token
 * @property {number[]} query  `[n_units]`
 * @property {number[][]} keys  `[n_tokens][n_units]`
 * @property {number[][]} products  `[n_tokens][n_units]` scaled: they add up to the score of a token
 * @property {number[]} weights  `[n_tokens]`
 * @property {number} scale
 * @property {number} largest_error
 *
 * @typedef {{status: string, part: string, encoder: string, kind: ?('masked'|'next'|'classes'), reason: ?string, no_curve: ?string,
 *   n_layers: number, layers_are_places: boolean, sentence: string, max_watched: number}}
 *   LensAbout  What `lens` answers to `about`. `no_curve`: why a classifier's head has no scores on the data set; `layers_are_places`: whether the page's probes read the layers; `sentence`: how to read it.
 *
 * @typedef {{word: string, token: ?string, pieces: string[], note: string, ranks: number[][], probabilities: number[][]}}
 *   WatchedWord  A word whose rank is followed. `token`: null where the vocabulary cannot spell it; `ranks`: `[n_tokens][n_layers]`.
 *
 * @typedef {{text: string, tokens: string[], special: boolean[], n_read: number, truncated: boolean, top: string[][][],
 *   probabilities: number[][][], entropy: number[][], targets: (?string)[], target_ranks: number[][], target_probabilities: number[][],
 *   watched: WatchedWord[], notes: string[], aligned: ?(?number)[]}}
 *   LensText  What a head says of one text, `[n_tokens][n_layers]` everywhere. `top`, `probabilities`: the likeliest tokens; `targets`:
 *   what does stand there, with its rank (0 for none); `aligned`: where each token of the second text stands in the first.
 *
 * @typedef {{status: string, part: string, encoder: string, task: 'masked'|'next', layer_names: string[], n_vocabulary: number,
 *   tied: boolean, head_bytes: number, examples: LensText[]}}
 *   LensTokens  What `lens` answers to `tokens`.
 *
 * @typedef {{status: string, part: string, label_names: string[], layer_names: string[], examples: {text: string, probabilities: number[][]}[]}}
 *   LensClasses  What `lens` answers to `classes`: `probabilities` are `[n_layers][n_classes]`.
 *
 * @typedef {{value: ?number, low: ?number, high: ?number, n: number, reliable: boolean, reason: string}}
 *   LensScore
 *
 * @typedef {{status: string, part: string, encoder: string, label_names: string[], metric: string, metric_title: string, n: number,
 *   layer_names: string[], best_layer: ?number, head: LensScore[], probes: LensScore[], settled: number[], majority: ?number, notes: string[]}}
 *   LensCurve  What `lens` answers to `curve`. `settled`: the share of rows that are already in the head's final class.
 */

export {};
