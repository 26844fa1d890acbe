// @ts-check
/**
 * The table of contents of lit_probe's panels: one line per panel, its tag and its file, which is loaded with the first layout that shows it.
 *
 * LIT's page loads this module after LIT's own bundle and before the `load` event on which LIT starts.
 */
import {keepEditsInAddress} from './page/address.js';
import {fitGenerator} from './page/generator_panel.js';
import {thisPage} from './page/leaving.js';
import {fitFrame} from './page/lit_frame.js';
import {holdRequestsForProbes, importPanel, loadPanelsOfLayouts, lookForKnownExamples} from './page/lit_host.js';
import {offerComputations} from './panels/computations.js';
import {showTooltipsAsTheyAre} from './page/plain_tooltips.js';
import {offerTour} from './tour/tour.js';

importPanel('layer-metrics-module', new URL('./curves/layer_metrics_module.js', import.meta.url));
importPanel('selectivity-module', new URL('./checks/selectivity_module.js', import.meta.url));
importPanel('calibration-module', new URL('./checks/calibration_module.js', import.meta.url));
importPanel('description-length-module', new URL('./checks/description_length_module.js', import.meta.url));
importPanel('learning-curve-module', new URL('./checks/learning_curve_module.js', import.meta.url));
importPanel('agreement-module', new URL('./checks/agreement_module.js', import.meta.url));
importPanel('transfer-module', new URL('./checks/transfer_module.js', import.meta.url));
importPanel('layer-similarity-module', new URL('./views/layer_similarity_module.js', import.meta.url));
importPanel('words-by-layer-module', new URL('./curves/words_by_layer_module.js', import.meta.url));
importPanel('concept-map-module', new URL('./curves/concept_map_module.js', import.meta.url));
importPanel('new-probe-module', new URL('./making/new_probe_module.js', import.meta.url));
importPanel('slices-by-layer-module', new URL('./curves/slices_by_layer_module.js', import.meta.url));
importPanel('salience-rows-module', new URL('./salience/salience_rows_module.js', import.meta.url));
importPanel('salience-quality-module', new URL('./salience/salience_quality_module.js', import.meta.url));
importPanel('salient-words-module', new URL('./salience/salient_words_module.js', import.meta.url));
importPanel('neurons-module', new URL('./neurons/neurons_module.js', import.meta.url));
importPanel('neuron-activations-module', new URL('./neurons/neuron_activations_module.js', import.meta.url));
importPanel('neuron-factors-module', new URL('./neurons/neuron_factors_module.js', import.meta.url));
importPanel('counterfactual-by-layer-module', new URL('./counterfactuals/counterfactual_by_layer_module.js', import.meta.url));
importPanel('attention-module', new URL('./views/attention_module.js', import.meta.url));
importPanel('projections-module', new URL('./views/projections_module.js', import.meta.url));
importPanel('lens-module', new URL('./views/lens_module.js', import.meta.url));
importPanel('provenance-module', new URL('./checks/provenance_module.js', import.meta.url));

loadPanelsOfLayouts();
fitFrame();
showTooltipsAsTheyAre();
fitGenerator();
keepEditsInAddress();
thisPage.tellWhenLeft(window);
holdRequestsForProbes();
lookForKnownExamples();
offerTour();
offerComputations();
