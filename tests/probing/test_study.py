"""The flow as a whole: the chosen layer, zero work the second time, the same digits for the same data in any order."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from counted import count_forwards
from planted_studies import sentences
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.model_selection import StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import lit_probe
from lit_probe.data import load_dataset, split_texts
from lit_probe.data.options import DatasetOptions
from lit_probe.encoder.activations import Activations
from lit_probe.encoder.cache import Cache
from lit_probe.encoder.checkpoint import DEFAULT_MODEL
from lit_probe.encoder.encoder import load_encoder
from lit_probe.encoder.pooling import POOLINGS
from lit_probe.errors import EncoderError, UnknownNameError
from lit_probe.probing.layerwise import LayerwiseProbe
from lit_probe.probing.study import LayerStudy, probe_layers
from lit_probe.scores.metrics import score_layers


@pytest.fixture(scope="module")
def splits():
    return split_texts(*sentences(), name="sentences")


@pytest.fixture(scope="module")
def study(tiny_folder, splits) -> LayerStudy:
    return probe_layers(load_encoder(str(tiny_folder())), splits)


def test_five_lines_from_texts_to_a_table_of_layers(tiny_folder):
    texts, labels = sentences()
    splits = lit_probe.split_texts(texts, labels)
    encoder = lit_probe.load_encoder(str(tiny_folder()))
    study = lit_probe.probe_layers(encoder, splits)
    table = study.table()
    assert "chosen on dev" in table and study.choice.sentence in table
    assert [line.split()[0] for line in table.splitlines()[1:5]] == ["0", "1", "2", "3"]


def test_a_word_that_decides_the_label_is_decodable_already_from_the_embeddings(study):
    rows = study.to_json()["layers"]
    assert rows[0]["accuracy_low"] > 0.8
    assert rows[0]["majority_accuracy"] == pytest.approx(0.5, abs=0.02)


def test_a_concept_planted_in_one_layer_is_found_there_and_nowhere_else(study, splits):
    rng = np.random.default_rng(0)
    activations = {}
    for name, rows in splits.items():
        values = rng.normal(size=(len(rows), 4, 16)).astype(np.float32)
        values[:, 2, 5] += np.where(rows.labels == 1, 3.0, -3.0)
        activations[name] = Activations.from_array(values)
    layerwise = LayerwiseProbe.fit(activations["train"], splits.train.labels, splits.label_names, groups=splits.train.groups)
    planted = LayerStudy(study.encoder, splits, activations, layerwise, seed=0)
    accuracies = [row["accuracy"] for row in planted.to_json()["layers"]]
    assert planted.best_layer == 2
    assert accuracies[2] > 0.9
    assert all(accuracies[layer] < 0.75 for layer in (0, 1, 3))


def test_layers_json_holds_the_same_digits_as_a_direct_score(study, splits):
    result = study.to_json()
    for metric in ("accuracy", "auroc", "log_loss", "macro_f1"):
        scores = score_layers(metric, study.probabilities("dev"), splits.dev.labels, splits.dev.groups, study.seed)
        assert [row[metric] for row in result["layers"]] == [score.value for score in scores]
        assert [row[f"{metric}_low"] for row in result["layers"]] == [score.low for score in scores]
    assert result["test"]["layer"] == result["best_layer"] == study.best_layer
    assert result["test"]["n"] == len(splits.test)


def test_layers_json_is_json_with_finite_numbers(study):
    json.dumps({**study.settings().to_json(), **study.to_json()}, allow_nan=False)


def test_a_second_identical_run_makes_no_forward_pass_and_no_fit(tiny_folder, splits, tmp_path, monkeypatch):
    def run():
        encoder = load_encoder(str(tiny_folder()))
        passes = count_forwards(encoder)
        result = probe_layers(encoder, splits, cache=Cache(tmp_path / "cache")).to_json()
        return passes, result

    passes, first = run()
    assert passes

    def refuse(*_, **__):
        raise AssertionError("a probe was fitted again")

    monkeypatch.setattr(LayerwiseProbe, "fit", refuse)
    passes, second = run()
    assert passes == []
    assert first == second


@pytest.mark.parametrize("change", ["labels", "probe", "seed"])
def test_other_labels_probes_or_seeds_are_fitted_anew(tiny_folder, splits, tmp_path, monkeypatch, change):
    cache = Cache(tmp_path / "cache")
    encoder = load_encoder(str(tiny_folder()))
    probe_layers(encoder, splits, cache=cache)
    fits = []
    fit = LayerwiseProbe.fit.__func__
    monkeypatch.setattr(
        LayerwiseProbe, "fit", classmethod(lambda cls, *args, **kwargs: fits.append(1) or fit(cls, *args, **kwargs))
    )
    options = {"probe": {"probe": "majority"}, "seed": {"seed": 1}}.get(change, {})
    if change == "labels":
        splits = replace(splits, train=replace(splits.train, labels=1 - splits.train.labels))
    probe_layers(encoder, splits, cache=cache, **options)
    assert fits == [1]


def test_the_same_data_in_another_order_gives_the_same_digits(tiny_folder):
    texts, labels = sentences()
    order = np.random.default_rng(1).permutation(len(texts))

    def run(rows):
        splits = split_texts([texts[i] for i in rows], [labels[i] for i in rows])
        return probe_layers(load_encoder(str(tiny_folder())), splits).to_json()

    first, second = run(range(len(texts))), run(order)
    assert first["layers"] == second["layers"]
    assert first["test"] == second["test"]


def test_other_test_rows_change_neither_probes_nor_the_chosen_layer(tiny_folder, study, splits):
    changed = replace(splits, test=splits.test.select(range(10)))
    other = probe_layers(load_encoder(str(tiny_folder())), changed)
    assert other.best_layer == study.best_layer
    for ours, theirs in zip(study.layerwise.probes, other.layerwise.probes, strict=True):
        assert np.array_equal(ours.coef_, theirs.coef_)
        assert np.array_equal(ours.intercept_, theirs.intercept_)


def test_permuted_labels_give_chance(tiny_folder, splits):
    rng = np.random.default_rng(0)
    permuted = {name: replace(rows, labels=rng.permutation(rows.labels)) for name, rows in splits.items()}
    result = probe_layers(load_encoder(str(tiny_folder())), replace(splits, **permuted)).to_json()
    for row in result["layers"]:
        assert row["accuracy_low"] < 0.55, "the interval reaches chance"


def test_progress_tells_every_step_to_its_end(tiny_folder, splits):
    heard: dict[str, tuple[int, int, str]] = {}

    def progress(step, done, total, unit):
        assert done >= heard.get(step, (0, 0, ""))[0]
        heard[step] = (done, total, unit)

    probe_layers(load_encoder(str(tiny_folder())), splits, progress=progress)
    assert list(heard) == [
        "Encoding sentences train",
        "Encoding sentences dev",
        "Encoding sentences test",
        "Fitting logistic probes on sentences",
    ]
    assert all(done == total for done, total, _ in heard.values())


def test_unknown_names_list_the_choices_before_any_work(tiny_encoder, splits):
    with pytest.raises(UnknownNameError, match=f"Unknown pooling 'avg'. Choose one of: {', '.join(sorted(POOLINGS))}."):
        probe_layers(tiny_encoder, splits, pooling="avg")
    with pytest.raises(UnknownNameError, match=r"Unknown probe 'svm'. Choose one of: elastic_net, l1, lda, logistic, maj."):
        probe_layers(tiny_encoder, splits, probe="svm")


def default_encoder():
    try:
        return load_encoder(DEFAULT_MODEL)
    except EncoderError as error:
        pytest.skip(f"the default model is not here: {error}")


def chosen_by_hand(x, y, c_values=(1e-4, 1e-3, 1e-2, 1e-1, 1.0)) -> float:
    """Mean log-loss over three stratified folds, the smaller C on ties: the stated rule, written with scikit-learn alone."""
    folds = list(StratifiedKFold(3, shuffle=True, random_state=0).split(x, y))
    losses = []
    for c in c_values:
        model = make_pipeline(StandardScaler(), LogisticRegression(C=c, max_iter=10_000))
        losses.append(np.mean([log_loss(y[test], model.fit(x[train], y[train]).predict_proba(x[test])) for train, test in folds]))
    return c_values[int(np.argmin(losses))]


@pytest.mark.parametrize(("name", "folder", "n"), [("sst2_sentences", "sst2", 1_500), ("imdb", "imdb", 120)])
def test_real_layers_agree_with_an_independent_scikit_learn_fit(test_data, name, folder, n):
    splits = load_dataset(name, str(test_data / folder), DatasetOptions(max_examples=n))
    splits = replace(splits, train=replace(splits.train, groups=None))
    study = probe_layers(default_encoder(), splits)
    rows = study.to_json()["layers"]
    for layer in (0, 3, 6):
        train, dev = study.activations["train"].layer(layer), study.activations["dev"].layer(layer)
        # Without the three units of the last layer that are constant but for rounding.
        spread = train.std(axis=0, dtype=np.float64)
        varies = spread > 1e-6 * np.median(spread)
        assert np.flatnonzero(~varies).tolist() == study.layerwise.probes[layer].dead_units
        train, dev = train[:, varies], dev[:, varies]
        settings = study.layerwise.probes[layer].settings
        assert settings["C"] == chosen_by_hand(train.astype(np.float64), splits.train.labels)
        # At scikit-learn's default tolerance of 1e-4 the fit stops early enough to turn single examples around.
        model = make_pipeline(StandardScaler(), LogisticRegression(C=settings["C"], max_iter=10_000, tol=1e-8))
        accuracy = model.fit(train.astype(np.float64), splits.train.labels).score(dev.astype(np.float64), splits.dev.labels)
        assert abs(accuracy - rows[layer]["accuracy"]) < 0.001
