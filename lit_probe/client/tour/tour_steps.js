// @ts-check
/** The eight steps of the tutorial as the page's tour tells them: true for whatever data set and encoder are served. */

/**
 * @typedef {object} TourStep
 * @property {string} title
 * @property {string} text
 * @property {?string} layout  the layout that the step speaks of; null: any
 * @property {string} [tab]  the tab behind which its panel stands
 * @property {string} [panel]  the tag of the panel
 * @property {string} [part]  the part of the panel, by its selector; the panel itself where that part is not there (yet)
 */

/** @type {TourStep[]} */
export const TOUR_STEPS = [
  {
    title: 'What stands where',
    text: 'On the left are the panels of lit_probe; on the right are your examples and LIT’s own panels. This menu changes the '
      + 'layout, which is the set of panels on the page. Each layout answers one question; decodability is the first.',
    layout: null,
  },
  {
    title: 'Read the curve',
    text: 'For every layer a small classifier, a probe, was trained on the activations of train rows. The line is its score on '
      + 'rows that it has not seen, the band the 95 % interval. Where the band reaches the dashed baseline, nothing shows that the '
      + 'concept is decodable there.',
    layout: 'decodability', tab: 'Probe by layer', panel: 'layer-metrics-module', part: '.chart',
  },
  {
    title: 'Is it the concept, or a capable probe?',
    text: 'The same probes are also trained on control labels, which mean nothing. Selectivity is the score on the task minus the '
      + 'score on the control: near 0, a high curve tells more about the probe than about the encoder.',
    layout: 'decodability', tab: 'Selectivity', panel: 'selectivity-module',
  },
  {
    title: 'Pick an example',
    text: 'Click on a row of this table; Search finds words. The tab Probe by layer then also shows what the probe of each layer '
      + 'says about that text.',
    layout: 'decodability', tab: 'Examples', panel: 'data-table-module',
  },
  {
    title: 'Which words?',
    text: 'With an example selected, each row of this panel is one method’s answer: which words speak for the class, and which '
      + 'against it. Methods differ. Do not believe a single map; the tab Trust measures how far you can.',
    layout: 'words', tab: 'Side by side', panel: 'salience-rows-module',
  },
  {
    title: 'Which neurons?',
    text: 'This list ranks the neurons of a layer; click on one to see its activation by class. “Find the words” shows on which '
      + 'words it fires. That a concept is decodable from a neuron does not yet make the neuron a detector of that concept.',
    layout: 'neurons', tab: 'Neurons', panel: 'neurons-module', part: '.neurons',
  },
  {
    title: 'Switch one off',
    text: 'With an example selected, switch a neuron off: it gets its usual value at every token, and the later layers are '
      + 'computed again. The panel then shows how the answers of their probes change, beside random changes of the same size.',
    layout: 'neurons', tab: 'Neurons', panel: 'neurons-module', part: '.fold.switch',
  },
  {
    title: 'Edit the text',
    text: 'Select an example, change a word here and press Add. The tab Counterfactual shows the original and the edit layer by '
      + 'layer, and from which layer on the probe’s answer differs. An edit is never scored as data.',
    layout: 'edits', tab: 'Edit', panel: 'datapoint-editor-module',
  },
];
