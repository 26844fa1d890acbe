// @ts-check
/**
 * The table of contents of lit_probe's panels: one line per panel, its tag and its file.
 *
 * LIT's page loads this module after LIT's own bundle and before the `load` event on which LIT starts.
 */
import {holdRequestsForProbes, importPanel, fitNarrowScreens} from './lib/lit_host.js';

importPanel('layer-metrics-module', new URL('./modules/layer_metrics_module.js', import.meta.url));
importPanel('selectivity-module', new URL('./modules/selectivity_module.js', import.meta.url));
importPanel('calibration-module', new URL('./modules/calibration_module.js', import.meta.url));
importPanel('description-length-module', new URL('./modules/description_length_module.js', import.meta.url));
importPanel('learning-curve-module', new URL('./modules/learning_curve_module.js', import.meta.url));
importPanel('agreement-module', new URL('./modules/agreement_module.js', import.meta.url));
importPanel('transfer-module', new URL('./modules/transfer_module.js', import.meta.url));
importPanel('slices-by-layer-module', new URL('./modules/slices_by_layer_module.js', import.meta.url));
importPanel('salience-rows-module', new URL('./modules/salience_rows_module.js', import.meta.url));
importPanel('salience-quality-module', new URL('./modules/salience_quality_module.js', import.meta.url));
importPanel('salient-words-module', new URL('./modules/salient_words_module.js', import.meta.url));
importPanel('neurons-module', new URL('./modules/neurons_module.js', import.meta.url));
importPanel('neuron-activations-module', new URL('./modules/neuron_activations_module.js', import.meta.url));
importPanel('counterfactual-by-layer-module', new URL('./modules/counterfactual_by_layer_module.js', import.meta.url));
importPanel('provenance-module', new URL('./modules/provenance_module.js', import.meta.url));

fitNarrowScreens();
holdRequestsForProbes();
