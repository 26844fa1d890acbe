// @ts-check
/**
 * Short names for our models. LIT knows a model as "encoder-on-dataset"; beside the name of the data set on the page the
 * encoder's name is enough.
 */

/**
 * The encoder of a model, and the data set on which its probes were trained.
 *
 * @param {string} model  its name in LIT
 * @param {Iterable<string>} datasets  the names of all data sets
 * @returns {?{encoder: string, trainedOn: string}}  null for a model that is not named like ours
 */
export function partsOf(model, datasets) {
  // The longest data set's name counts: one may end like another.
  const fitting = [...datasets].filter((dataset) => model.endsWith(`-on-${dataset}`)).sort((a, b) => b.length - a.length);
  return fitting.length ? {encoder: model.slice(0, -`-on-${fitting[0]}`.length), trainedOn: fitting[0]} : null;
}

/**
 * What a model is called beside the data set that is shown: by its encoder; with the data set of its probes where that is
 * another one.
 *
 * @param {string} model
 * @param {string} shown  the data set on the page
 * @param {Iterable<string>} datasets
 * @returns {string}
 */
export function shortName(model, shown, datasets) {
  const parts = partsOf(model, datasets);
  if (!parts) return model;
  return parts.trainedOn === shown ? parts.encoder : `${parts.encoder} (probes of ${parts.trainedOn})`;
}

/**
 * Names for buttons side by side, where there is little room. Runs of one encoder have what is their own in brackets; behind
 * another run of the same encoder that is enough: "bert", "… (cls)", "… (mlp)".
 *
 * @param {string[]} names
 * @returns {string[]}
 */
export function buttonNames(names) {
  const encoders = names.map((name) => name.replace(/ \((?!probes of )[^()]*\)$/, ''));
  return names.map((name, i) => (name !== encoders[i] && encoders[i] === encoders[i - 1] ? `…${name.slice(encoders[i].length)}` : name));
}

/**
 * The models to show with another data set: of each encoder the one whose probes were trained on it, if there is one.
 *
 * @param {string[]} models  those that are shown now
 * @param {string} dataset  the data set to be shown
 * @param {string[]} known  all models
 * @param {Iterable<string>} datasets
 * @returns {string[]}
 */
export function modelsOn(models, dataset, known, datasets) {
  const own = models.map((model) => {
    const name = `${partsOf(model, datasets)?.encoder}-on-${dataset}`;
    return known.includes(name) ? name : model;
  });
  return [...new Set(own)];
}

/**
 * A column's name in a list, without the part that every model on the page shares. LIT calls the columns of a model
 * "model:field:kind".
 *
 * @param {string} column
 * @param {string[]} models  the models on the page
 * @param {(model: string) => string} nameOf  what a model is called
 * @returns {string}
 */
export function columnName(column, models, nameOf) {
  const model = models.find((name) => column.startsWith(`${name}:`));
  if (model === undefined) return column;
  const field = column.slice(model.length + 1);
  return models.length === 1 ? field : `${field} · ${nameOf(model)}`;
}

/** What the prediction of the chosen layer is in words, by its field and kind: LIT begins with its colours. @type {Record<string, string>} */
const PREDICTED = {'probe_color_by:class': 'the class that the probe predicts', 'probe_color_by:correct': 'whether the probe is right'};

/**
 * What a column is called in a sentence: in words where it is a probe's prediction, else by its name.
 *
 * @param {string} column
 * @param {string[]} models  the models on the page
 * @param {(model: string) => string} nameOf  what a model is called
 * @returns {string}
 */
export function columnWords(column, models, nameOf) {
  const model = models.find((name) => column.startsWith(`${name}:`));
  const words = model === undefined ? undefined : PREDICTED[column.slice(model.length + 1)];
  if (model === undefined || words === undefined) return columnName(column, models, nameOf);
  return models.length === 1 ? words : `${words} (${nameOf(model)})`;
}
