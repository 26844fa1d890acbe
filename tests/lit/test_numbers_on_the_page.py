"""A data set whose label is a number, on LIT's page: its fields, scores, edits and maps are those of the study."""

from __future__ import annotations

import json
import math
import re
import time

import numpy as np
import pytest
from lit_nlp.api import types
from lit_nlp.api.dataset import IndexedDataset
from lit_nlp.lib import caching, serialize
from tiny_numbers import number_splits
from tiny_probing import computed, models_of, tiny_splits

from lit_probe.data.labelled_texts import LabelledTexts, Splits
from lit_probe.data.numbers import strata_by
from lit_probe.encoder.activations import extract_activations
from lit_probe.errors import UnknownNameError
from lit_probe.lit.generators import generators_for
from lit_probe.lit.host import fields
from lit_probe.lit.host.dataset import ProbeDataset
from lit_probe.lit.host.labels import NumberLabels
from lit_probe.lit.host.metrics import LIT_METRICS
from lit_probe.lit.interpreters import INTERPRETERS
from lit_probe.lit.interpreters.salience import salience_rows

TEXT = "the film was very awful and slow"


@pytest.fixture(scope="module")
def model(encoder):
    return models_of([computed(encoder, number_splits())])[0]


@pytest.fixture(scope="module")
def dataset(model):
    return IndexedDataset(base=model.dataset)


@pytest.fixture(scope="module")
def study(model):
    return model.study.result()


def ask(name, model, dataset, inputs=(), **config):
    answer = INTERPRETERS[name].run(list(inputs), model, dataset, config=config)
    return json.loads(serialize.to_json(answer))


def edited(row, text=TEXT):
    return {**row, fields.TEXT: text, "_id": "", "_meta": {"added": True, "parentId": row.get("_id")}}


def on_dev(dataset):
    return [row for row in dataset.examples if row[fields.SPLIT] == "dev"]


def test_the_label_is_a_number_and_the_description_says_so(dataset, model):
    label = dataset.spec()[fields.LABEL]
    splits = model.study.splits
    assert type(label) is types.Scalar
    assert {row[fields.LABEL] for row in dataset.examples} == {float(one) for _, rows in splits.items() for one in rows.labels}
    assert "The label is a number, 19" in dataset.description() and "Confusion" not in dataset.description()
    assert (label.min_val, label.max_val) == (model.labels.low, model.labels.high)


def test_a_sample_holds_small_and_large_numbers_in_their_share():
    splits = number_splits()
    shown = ProbeDataset(splits, show_train=20, max_shown=40)
    numbers = np.array([row[fields.LABEL] for row in shown.examples if row[fields.SPLIT] == "dev"])
    assert len(numbers) < len(splits.dev)
    for share in (0.2, 0.5, 0.8):
        assert abs((numbers < np.quantile(splits.dev.labels, share)).mean() - share) < 0.06


def test_predictions_are_the_studys_and_lit_finds_the_label_beside_them(dataset, model, study):
    rows = on_dev(dataset)
    spec = model.output_spec()
    assert type(spec[fields.PROBE]) is types.RegressionScore and spec[fields.PROBE].parent == fields.LABEL
    predicted = list(model.predict(rows))
    for layer in range(study.layerwise.n_layers):
        assert [one[f"probe_layer_0{layer}"] for one in predicted] == study.predictions("dev")[:, layer, 0].tolist()
    assert [one[fields.PROBE] for one in predicted] == study.predictions("dev")[:, study.best_layer, 0].tolist()
    assert set(predicted[0]) == set(spec)
    for one in predicted:
        json.loads(serialize.to_json(one))


def test_lit_shows_the_model_on_its_own_rows_and_on_no_other_number(encoder, dataset, model):
    other, classes = models_of([computed(encoder, number_splits("other"))])[0], models_of([computed(encoder, tiny_splits())])[0]
    assert model.is_compatible_with_dataset(dataset)
    for one, another in ((model, other), (other, model), (model, classes), (classes, model)):
        assert not one.is_compatible_with_dataset(IndexedDataset(base=another.dataset))


@pytest.mark.parametrize("metric", ["r2", "pearson", "spearman", "mae"])
def test_the_curve_has_the_digits_of_the_command_line(dataset, model, study, metric):
    answer = ask("layer_metrics", model, dataset, whole=True, metric=metric)
    assert (answer["status"], answer["decision"], answer["headline"]) == ("ready", None, "r2")
    by_split = {one["split"]: one for one in answer["series"]}
    row = study.metrics("dev").scores[metric]
    assert [(one["score"], one["low"], one["high"]) for one in by_split["dev"]["layers"]] == [
        (one.value, one.low, one.high) for one in row
    ]
    assert by_split["test"]["layers"][study.best_layer]["score"] == study.test_metrics().scores[metric].value
    assert [one["name"] for one in answer["metrics"]] == ["r2", "pearson", "spearman", "mae"]
    assert study.metrics("dev").scores["r2"][study.best_layer].value > 0.5


def test_a_metric_of_classes_is_refused(dataset, model):
    with pytest.raises(UnknownNameError, match="accuracy"):
        ask("layer_metrics", model, dataset, metric="accuracy")


def test_lits_metrics_table_says_the_same_as_the_curve(dataset, model, study):
    of_classes, of_numbers = LIT_METRICS.values()
    assert of_numbers.is_compatible(model, dataset) and not of_classes.is_compatible(model, dataset)
    found = of_numbers.run(on_dev(dataset), caching.CachingModelWrapper(model, "worths"), dataset)
    row = next(one["metrics"] for one in found if one["pred_key"] == fields.PROBE)
    scores = study.metrics("dev").scores
    assert row == {"n": len(study.splits.dev)} | {name: scores[name][study.best_layer].value for name in scores}
    assert all(one["metrics"]["n"] == 0 and one["metrics"]["r2"] is None for one in of_numbers.run([], model, dataset))


@pytest.mark.parametrize("label", [None, "3", True, math.nan, math.inf, -math.inf, 10**400, [], {}])
def test_what_is_no_finite_number_is_no_label(dataset, model, label):
    assert model.labels.read({fields.LABEL: label}) is None
    row = {**on_dev(dataset)[0], fields.LABEL: label}
    answer = ask("layer_metrics", model, dataset, [row, *on_dev(dataset)[1:]])
    assert answer["left_out"]["unlabelled"] == 1


def test_a_row_with_another_number_is_no_row_of_the_data(dataset, model):
    row, *others = on_dev(dataset)
    assert model.holds(model.dataset, row) and not model.holds(model.dataset, {**row, fields.LABEL: row[fields.LABEL] + 1})
    assert ask("layer_metrics", model, dataset, [{**row, fields.LABEL: 0}, *others])["left_out"]["edited"] == 1


def test_an_edit_shows_its_number_at_every_layer(dataset, model, study):
    row = on_dev(dataset)[0]
    answer = ask("layer_predictions", model, dataset, [row, edited(row)])
    expected = study.layerwise.predictions(extract_activations(model.encoder, [row[fields.TEXT], TEXT], study.pooling))
    assert [one["edited"] for one in answer["examples"]] == [False, True]
    assert answer["examples"][0]["label"] == row[fields.LABEL]
    np.testing.assert_allclose([one["probabilities"] for one in answer["examples"]], expected, rtol=1e-6)


def test_an_edits_way_and_the_neurons_parts_add_up(dataset, model, study):
    row = on_dev(dataset)[0]
    pair = [row, edited(row)]
    answer = ask("counterfactual_by_layer", model, dataset, pair, part="trajectory")
    assert (answer["label_names"], answer["flip_layers"], answer["first_flip"]) == ([], [], None)
    before, after = (
        np.array([one["probabilities"] for one in ask("layer_predictions", model, dataset, [side])["examples"]])[0, :, 0]
        for side in pair
    )
    layer = study.best_layer
    assert [one["before"][0] for one in answer["layers"]] == before.tolist()
    np.testing.assert_allclose([one["margin_change"] for one in answer["layers"]], after - before)
    neurons = ask("counterfactual_by_layer", model, dataset, pair, part="neurons", layer=layer, top=3)
    assert neurons["against_name"] is None
    moved = sum(one["moved"] for one in neurons["neurons"]) + neurons["others"]
    assert neurons["change"] == pytest.approx(after[layer] - before[layer]) == pytest.approx(moved)
    words = ask("counterfactual_by_layer", model, dataset, pair, part="salience", layer=layer, method="occlusion")
    assert (words["scalar"], words["value_after"]) == ("number", pytest.approx(after[layer], rel=1e-5))


@pytest.mark.parametrize("method", ["gradient_l2", "input_x_gradient", "integrated_gradients", "occlusion"])
def test_salience_explains_the_number_whatever_class_is_asked_for(dataset, model, study, method):
    row = on_dev(dataset)[0]
    answer = ask("salience_map", model, dataset, [row], method=method, target="class:number", scalar="margin")
    assert answer["status"] == "ready", answer
    assert answer["target"] == {"class_index": 0, "scalar": "number"}
    place = on_dev(dataset).index(row)
    assert answer["value"] == pytest.approx(study.predictions("dev")[place, study.best_layer, 0], rel=1e-5)
    assert answer["gold"] == row[fields.LABEL]


def test_integrated_gradients_of_a_number_add_up(dataset, model):
    answer = ask("salience_map", model, dataset, [on_dev(dataset)[0]], method="integrated_gradients", steps=200)
    diagnostics = answer["diagnostics"]
    share = next(value for name, value in diagnostics.items() if "completeness" in name or "gap" in name)
    assert abs(share) < 0.05, diagnostics


def test_lits_own_rows_say_the_number(dataset, model):
    rows = salience_rows([model])
    [found] = rows["Input × gradient"].run([on_dev(dataset)[0]], model, dataset, config={})
    caption = next(iter(found))
    assert "of number" not in caption
    assert re.search(r"number is (19|20)\d\d", caption), caption


def test_generators_that_ask_for_classes_are_not_offered(dataset, model):
    offered = {name for name, one in generators_for([model]).items() if one.is_compatible(model, dataset)}
    assert offered == {"Scrambler", "Word Replacer"}
    [[made, *_]] = generators_for([model])["Word Replacer"].generate_all(
        [{**on_dev(dataset)[0], fields.TEXT: "the film was very good"}],
        model,
        dataset,
        {"Substitutions": "good -> bad", "Fields to replace": ["text"]},
    )
    assert made[fields.LABEL] == on_dev(dataset)[0][fields.LABEL] and "bad" in made[fields.TEXT]


@pytest.mark.parametrize(
    ("config", "n_texts"),
    [
        ({"part": "words", "layer": 1, "unit": 0}, 0),
        ({"part": "tokens", "layer": 1, "units": [0, 1]}, 1),
        ({"part": "column", "layer": 1, "unit": 0}, 2),
        ({"part": "clusters", "layer": 1, "unit": 0}, 0),
        ({"part": "clusters", "layer": 1, "unit": 0, "method": "correlation"}, 0),
        ({"part": "factors", "components": 2}, 2),
    ],
)
def test_what_neurons_are_on_does_not_ask_for_classes(dataset, model, config, n_texts):
    deadline = time.monotonic() + 60
    while (answer := ask("neuron_evidence", model, dataset, on_dev(dataset)[:n_texts], **config))["status"] == "computing":
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert answer["status"] == "ready", answer
    refused = ask("neuron_evidence", model, dataset, part="distribution", layer=1, unit=0)
    assert refused["status"] == "failed" and "asks for a number" in refused["message"]


@pytest.mark.parametrize(
    ("name", "n_texts", "config"),
    [
        ("projections", 9, {"method": "pca"}),
        ("projections", 9, {"method": "probe"}),
        ("layer_similarity", 0, {"measure": "cka"}),
        ("layer_similarity", 0, {"measure": "probe_cosine"}),
        ("attention", 2, {"part": "heads"}),
        ("lens", 0, {"part": "about"}),
    ],
)
def test_pictures_do_not_ask_for_classes(dataset, model, name, n_texts, config):
    deadline = time.monotonic() + 60
    while (answer := ask(name, model, dataset, on_dev(dataset)[:n_texts], **config))["status"] == "computing":
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert answer["status"] == "ready", answer


def test_neurons_are_ranked_for_the_number(dataset, model):
    choices = ask("neuron_ranking", model, dataset, choices=True)
    assert "correlation" in [one["name"] for one in choices["methods"]] and choices["label_names"] == []
    ranking = ask("neuron_ranking", model, dataset, layer=model.study.result().best_layer, method="weight_mass", top=3)
    assert [one["rank"] for one in ranking["neurons"]] == [1, 2, 3]
    refused = ask("neuron_ranking", model, dataset, layer=1, method="mean_gap")
    assert refused["status"] in ("failed", "computing")


def test_what_is_about_classes_says_so_in_a_sentence(dataset, model):
    for name, config in (("salience_checks", {"check": "faithfulness"}), ("transfer", {}), ("counterfactual_pairs", {})):
        answer = ask(name, model, dataset, [], **config)
        assert answer["status"] == "failed" and "asks for a number" in answer["message"], name


@pytest.mark.parametrize(("scale", "start"), [(1e-9, 1.0), (1.0, 1_700_000_000.0), (1e12, 0.0), (30.0, 1990.0), (0.0, 2.0)])
def test_the_description_tells_the_smallest_from_the_largest_number(scale, start):
    parts = {
        split: LabelledTexts(rows.texts, start + scale * np.linspace(0, 1, len(rows.texts)), ())
        for split, rows in tiny_splits().items()
    }
    said = ProbeDataset(Splits("spread", parts["train"], parts["dev"], parts["test"], {})).description()
    low, high = map(float, re.search(r"The label is a number, (\S+) to (\S+)\.\n", said).groups())
    assert high - low == pytest.approx(scale, rel=0.02) and low == pytest.approx(start, abs=0.01 * scale)


def test_numbers_without_spread_in_one_split_are_shown(dataset):
    labels = NumberLabels(2.0, 2.0)
    assert labels.type().step == 0 and strata_by(np.full(5, 2.0), ())[0].tolist() == [0] * 5
