// @ts-check
/**
 * The table of contents of lit_probe's panels: one line per panel, its tag and its file.
 *
 * LIT's page loads this module after LIT's own bundle and before the `load` event on which LIT starts.
 */
import {importPanel} from './lib/lit_host.js';

importPanel('layer-metrics-module', new URL('./modules/layer_metrics_module.js', import.meta.url));
