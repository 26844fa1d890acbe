"""A data set of pairs in LIT: two fields of text, both read, both editable, and every component answers."""

from __future__ import annotations

import json
import re
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import tiny_encoders
import transformers
from lit_nlp.api import types
from lit_nlp.api.dataset import Dataset, IndexedDataset
from lit_nlp.lib import caching
from nli_rows import nli_rows
from tiny_probing import computed, edited, models_of

from lit_probe import DatasetOptions, load_dataset
from lit_probe.counterfactuals.rules import UNKNOWN
from lit_probe.data.text_pairs import joined
from lit_probe.encoder.activations import extract_activations
from lit_probe.encoder.encoder import load_encoder
from lit_probe.errors import LitProbeError
from lit_probe.lit.generators import generators_for
from lit_probe.lit.host.dataset import ProbeDataset
from lit_probe.lit.host.metrics import LIT_METRICS
from lit_probe.lit.host.model import ProbeModel
from lit_probe.lit.interpreters import INTERPRETERS
from lit_probe.lit.interpreters.salience import salience_rows
from lit_probe.lit.plugin import ProbeModel as PluginModel

FIELDS = ("premise", "hypothesis")
OPTIONS = DatasetOptions(text_column="premise,hypothesis")


def table(**names: str) -> dict[str, list[str]]:
    return {names.get(name, name): [row[name] for row in nli_rows()] for name in ("premise", "hypothesis", "label", "genre")}


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """A tiny masked language model whose tokenizer has bert's pair form."""
    folder = tmp_path_factory.mktemp("pairs") / "tiny-bert"
    tiny_encoders.build(folder, own_pair_form=True)
    transformers.AutoModelForMaskedLM.from_config(transformers.AutoConfig.from_pretrained(folder)).save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def pair_model(folder) -> ProbeModel:
    (model,) = models_of([computed(load_encoder(str(folder)), load_dataset(table(), options=OPTIONS))])
    return model


@pytest.fixture(scope="module")
def pair_dataset(pair_model) -> IndexedDataset:
    return IndexedDataset(base=pair_model.dataset)


def cached(model: ProbeModel) -> caching.CachingModelWrapper:
    """The model as LIT calls it."""
    return caching.CachingModelWrapper(model, model.name)


def test_both_texts_are_fields_by_the_names_of_their_columns(pair_model):
    spec, inputs = pair_model.dataset.spec(), pair_model.input_spec()
    assert [name for name, type_ in spec.items() if isinstance(type_, types.TextSegment)] == list(FIELDS)
    assert "text" not in spec and [name for name in inputs if name != "label"] == list(FIELDS)
    assert pair_model.is_compatible_with_dataset(pair_model.dataset)
    for example in pair_model.dataset.examples:
        assert joined(example["premise"], example["hypothesis"]) in pair_model.dataset.texts


def test_the_same_columns_in_the_other_order_are_other_fields(pair_model):
    """A model of the one would read the rows of the other the other way round, and find none of them."""
    both = [
        load_dataset(table(), options=DatasetOptions(text_column=word)) for word in ("premise,hypothesis", "hypothesis,premise")
    ]
    both = [replace(splits, name=name) for splits, name in zip(both, ("nli", "swapped"), strict=True)]
    studies = [computed(pair_model.encoder, splits) for splits in both]
    models = models_of(studies, lambda splits: ProbeDataset(splits, others=[other for other in both if other is not splits]))
    assert models[0].text_fields == ("premise_first", "hypothesis_second")
    assert models[1].text_fields == ("hypothesis_first", "premise_second")
    for model, other in (models, models[::-1]):
        assert cached(model).is_compatible_with_dataset(model.dataset)
        assert not cached(model).is_compatible_with_dataset(other.dataset)


@pytest.mark.parametrize(
    "names", [("text", "label_2"), ("_id", "probe_split"), ("label text", "in_train"), ("a b", "a:b"), ("probe", "tokens")]
)
def test_columns_with_names_that_are_taken_get_others(names):
    splits = load_dataset(table(premise=names[0], hypothesis=names[1]), options=DatasetOptions(text_column=names))
    dataset = ProbeDataset(splits)
    fields = dataset.text_fields
    assert len({*fields, "text", "label", "probe_split", "in_train", "probe", "tokens"}) == 8
    assert all(re.fullmatch(r"[^_:,/][\w.-]*", name) for name in fields)
    assert {(one[fields[0]], one[fields[1]]) for one in dataset.examples} <= {
        (row["premise"], row["hypothesis"]) for row in nli_rows()
    }


def test_predictions_of_rows_and_of_edits_are_those_of_the_pair(pair_model, pair_dataset):
    row = pair_dataset.examples[0]
    edits = [
        edited(row, premise="the story was good"),
        edited(row, hypothesis="we loved it"),
        edited(row, hypothesis=""),
        edited(row, premise=row["hypothesis"], hypothesis=row["premise"]),
        edited(row, premise="a\x1fb", hypothesis="c\x1fd"),
    ]
    predicted = list(pair_model.predict([row, *edits]))
    texts = [joined(one["premise"], one["hypothesis"]) for one in (row, *edits)]
    expected = extract_activations(pair_model.encoder, texts).values
    for prediction, values in zip(predicted, expected, strict=True):
        np.testing.assert_allclose(prediction["layer_03"], values[3], atol=1e-5)
    assert predicted[0]["tokens"].count("[SEP]") == 2
    assert len({one["probe"].tobytes() for one in predicted}) == len(predicted)


@pytest.mark.parametrize("missing", ["premise", "hypothesis"])
@pytest.mark.parametrize("value", [None, 3, ["a"]])
def test_an_example_without_one_of_its_texts_is_refused_by_name(pair_model, pair_dataset, missing, value):
    with pytest.raises(LitProbeError, match=f"needs a string in its field '{missing}'"):
        list(pair_model.predict([{**pair_dataset.examples[0], missing: value}]))


def test_the_sign_of_a_seam_in_a_single_text_makes_no_pair(model, dataset):
    one, other = (edited(dataset.examples[0], text=text) for text in ("a good\x1ffilm", "a good film"))
    ours, plain = model.predict([one, other])
    assert ours["tokens"] == plain["tokens"]


QUESTIONS = {
    "the curve": ("layer_metrics", 1, {}),
    "predictions by layer": ("layer_predictions", 1, {}),
    "an edit by layer": ("counterfactual_by_layer", 2, {"part": "trajectory"}),
    "an edit's neurons": ("counterfactual_by_layer", 2, {"part": "neurons", "layer": 2}),
    "an edit's salience": ("counterfactual_by_layer", 2, {"part": "salience", "layer": 2, "method": "gradient_l2"}),
    "pairs of the page": ("counterfactual_pairs", 2, {"source": "sent"}),
    "a map": ("salience_map", 1, {"method": "gradient_l2"}),
    "words of a neuron": ("neuron_evidence", 1, {"part": "words", "layer": 2, "unit": 1}),
    "an ablation": ("neuron_ablation", 1, {"part": "text", "layer": 2, "units": [1, 2]}),
}


@pytest.mark.parametrize("what", QUESTIONS)
def test_interpreters_answer_about_a_row_and_its_edit(pair_model, pair_dataset, what):
    name, n_inputs, config = QUESTIONS[what]
    row = pair_dataset.examples[0]
    inputs = [row, edited(row, hypothesis="we never loved what was awful")][:n_inputs]
    deadline = time.monotonic() + 60
    while (answer := INTERPRETERS[name].run(inputs, cached(pair_model), pair_dataset, config=config))["status"] == "computing":
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert answer["status"] == "ready", answer
    assert "\\u001f" not in json.dumps(answer, default=str)


def test_the_curve_scores_the_rows_that_the_study_scores(pair_model, pair_dataset):
    dev = [row for row in pair_dataset.examples if row["probe_split"] == "dev"]
    answer = INTERPRETERS["layer_metrics"].run(dev, cached(pair_model), pair_dataset, config={})
    assert answer["splits"]["dev"]["n"] == len(dev) if "splits" in answer else answer["status"] == "ready"


def test_lits_metrics_count_the_held_out_pairs(pair_model, pair_dataset):
    for metric in (one for one in LIT_METRICS.values() if one.is_compatible(cached(pair_model), pair_dataset)):
        [first, *_] = metric.run(pair_dataset.examples, cached(pair_model), pair_dataset)
        assert max(value for value in first["metrics"].values() if value is not None) > 1


def test_lits_salience_rows_have_the_tokens_of_both_texts(pair_model, pair_dataset):
    [row] = [one for title, one in salience_rows([pair_model]).items() if "L2" in title][:1]
    [found] = row.run([pair_dataset.examples[0]], cached(pair_model), pair_dataset, config={})
    tokens = next(iter(found.values())).tokens
    assert tokens == pair_model.encoder.encode([pair_model.text_of(pair_dataset.examples[0])], with_tokens=True)[0].tokens


CONFIGS = {
    "Ablation Flip": {"Fields to ablate": ["hypothesis"]},
    "HotFlip": {},
    "Masked Words": {},
    "Negation and Contrast": {},
    "Scrambler": {"Fields to scramble": ["hypothesis"]},
    "Word Replacer": {"Substitutions": "was -> is", "Fields to replace": ["hypothesis"]},
}


@pytest.mark.parametrize("name", CONFIGS)
def test_a_generator_changes_the_fields_and_no_seam_is_left_in_them(pair_model, pair_dataset, name):
    row = dict(pair_dataset.examples[0])
    made = generators_for([pair_model])[name].generate(row, cached(pair_model), pair_dataset, CONFIGS[name])
    if name not in ("Ablation Flip", "HotFlip"):
        assert made
    for edit in made:
        assert set(FIELDS) <= set(edit) and "text" not in edit
        assert not any("\x1f" in str(value) for value in edit.values())
        changed = {field for field in FIELDS if edit[field] != row[field]}
        assert changed and (name not in ("Ablation Flip", "Scrambler", "Word Replacer") or changed == {"hypothesis"})
        assert edit["_meta"]["expectation"] == UNKNOWN


def test_a_generator_takes_both_fields_one_or_none_of_another_name(pair_model, pair_dataset):
    replacer, row = generators_for([pair_model])["Word Replacer"], pair_dataset.examples[0]
    config = {"Substitutions": "was -> is"}
    both = replacer.generate(row, cached(pair_model), pair_dataset, config)
    assert {field for edit in both for field in FIELDS if edit[field] != row[field]} == set(FIELDS)
    for wrong in ([], ["text"], "premise", ["premise", "label"]):
        with pytest.raises(LitProbeError, match="must be a list of 'premise' and 'hypothesis', or of one of them"):
            replacer.generate(row, cached(pair_model), pair_dataset, {**config, "Fields to replace": wrong})


class NliDataset(Dataset):
    """Somebody else's data set of pairs."""

    def __init__(self):
        self._examples = [{"p": row["premise"], "h": row["hypothesis"], "gold": row["label"]} for row in nli_rows()]

    def spec(self):
        return {
            "p": types.TextSegment(),
            "h": types.TextSegment(),
            "gold": types.CategoryLabel(vocab=["contradiction", "entailment"]),
        }


def test_two_fields_of_somebody_elses_data_set_make_pairs(folder, pair_model):
    data = NliDataset()
    theirs = PluginModel(str(folder), data, text=("p", "h"), label="gold", background=False)
    assert theirs.study.splits.pair == ("p", "h") and theirs.study.splits.provenance["pair"] == ["p", "h"]
    example = data.examples[0]
    assert theirs.text_of(example) == joined(example["p"], example["h"])
    [prediction] = theirs.predict([{**example, "h": "we loved it"}])
    expected = extract_activations(theirs.encoder, [joined(example["p"], "we loved it")]).values[0]
    np.testing.assert_allclose(prediction["layer_03"], expected[3], atol=1e-5)
    indexed = IndexedDataset(base=data)
    answer = INTERPRETERS["layer_metrics"].run(indexed.examples, cached(theirs), indexed, config={})
    assert answer["status"] == "ready"
    with pytest.raises(LitProbeError, match=r"2 fields of text: p, h\. Say which one is read: text='p', or text=\['p', 'h'\]"):
        PluginModel(str(folder), data, background=False)
