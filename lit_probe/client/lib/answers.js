// @ts-check
import {ResultStore} from './result_store.js';
import {SharedAxis} from './shared_axis.js';

/** The server's answers to all our panels: they outlive the panels, which LIT re-creates at will. */
export const answers = new ResultStore();

/** The axes of all our panels: two models side by side should look alike. */
export const axes = new SharedAxis();
