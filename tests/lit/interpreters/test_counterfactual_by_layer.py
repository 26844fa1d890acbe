"""What every layer makes of one edit, as LIT's page asks for it: at once, with warnings, words and neurons."""

import threading
import time

import numpy as np
import pytest
from lit_nlp.lib import serialize
from tiny_probing import computed, edited, models_of, tiny_splits

from lit_probe.counterfactuals.pair_changes import TrainGeometry
from lit_probe.encoder.encoder import load_encoder
from lit_probe.errors import LitProbeError
from lit_probe.lit.host.pending_study import PendingStudy
from lit_probe.lit.interpreters import INTERPRETERS
from lit_probe.lit.interpreters.train_geometries import geometry_of, prepare_geometries
from lit_probe.salience import EXPLAINING_METHODS

interpreter = INTERPRETERS["counterfactual_by_layer"]


def run(model, dataset, inputs, **config):
    answer = interpreter.run(inputs, model, dataset, config=config)
    return serialize.from_json(serialize.to_json(answer, simple=True, allow_nan=False))


@pytest.fixture
def pair(dataset):
    """A dev row and an edit that replaces its adjective by one of the other class."""
    row = next(example for example in dataset.examples if example["probe_split"] == "dev" and "good" in example["text"])
    return [row, edited(row, text=row["text"].replace("good", "awful"))]


def test_an_edit_s_way_through_the_layers_is_that_of_the_probes(model, dataset, pair):
    answer = run(model, dataset, pair)
    study = model.study.result()
    assert answer["status"] == "ready"
    assert answer["class_name"] == "positive"
    assert answer["n_layers"] == len(answer["layers"]) == study.encoder.n_layers
    probabilities = INTERPRETERS["layer_predictions"].run(pair, model, dataset)["examples"]
    for end, texts in zip(("before", "after"), probabilities, strict=True):
        assert [row[end] for row in answer["layers"]] == texts["probabilities"]
    flips = [np.argmax(row["before"]) != np.argmax(row["after"]) for row in answer["layers"]]
    assert flips == [row["flipped"] for row in answer["layers"]]
    assert answer["flip_layers"] == np.flatnonzero(flips).tolist() != []
    assert answer["first_flip"] == answer["flip_layers"][0]
    for row in answer["layers"]:
        assert row["margin_change"] == pytest.approx(row["margin_after"] - row["margin_before"])
        assert row["typical_cosine"] > 0 and row["typical_mahalanobis"] > 0
    assert not answer["identical"] and answer["warnings"] == []
    assert [word for word, changed in answer["words"]["after"] if changed] == [" awful"]
    assert [one["edited"] for one in answer["examples"]] == [False, True]


def test_identical_texts_differ_by_nothing_and_it_is_said(model, dataset, pair):
    answer = run(model, dataset, [pair[0], edited(pair[0])])
    assert answer["identical"] and answer["first_flip"] is None
    assert [warning["kind"] for warning in answer["warnings"]] == ["same_text"]
    for row in answer["layers"]:
        assert row["margin_change"] == row["cosine"] == row["mahalanobis"] == 0
        assert row["before"] == row["after"]


def test_edits_that_the_encoder_does_not_see_are_warned_of(tiny_folder):
    encoder = load_encoder(str(tiny_folder()), max_length=8)
    (model,) = models_of([computed(encoder, tiny_splits())])
    row = {"text": "the film was very good and slow and fast and dull"}
    beyond = run(model, model.dataset, [row, {"text": row["text"].replace("dull", "funny")}])
    capitals = run(model, model.dataset, [row, {"text": row["text"].replace("film", "FILM")}])
    seen = run(model, model.dataset, [row, {"text": row["text"].replace("good", "awful")}])
    assert [answer["warnings"][0]["kind"] for answer in (beyond, capitals, seen)] == ["beyond_limit", "same_tokens", "truncated"]
    assert all(one["truncated"] for one in seen["examples"])
    for answer in (beyond, capitals):
        assert all(layer["margin_change"] == 0 for layer in answer["layers"])


@pytest.mark.parametrize("text", ["", "   "])
def test_an_edit_that_empties_the_text_fails_with_a_sentence(model, dataset, pair, text):
    answer = run(model, dataset, [pair[0], edited(pair[0], text=text)])
    assert answer["status"] == "failed"
    assert "edited text is empty" in answer["message"]


@pytest.mark.parametrize("part", ["trajectory", "neurons", "salience"])
@pytest.mark.parametrize("n", [0, 1, 3])
def test_a_text_without_a_partner_fails_with_a_sentence(model, dataset, pair, n, part):
    answer = run(model, dataset, [pair[0]] * n, part=part)
    assert answer["status"] == "failed"
    assert f"two must be sent; {n} were" in answer["message"]


def test_the_neurons_that_moved_most_add_up_to_the_change_of_the_margin(model, dataset, pair):
    trajectory = run(model, dataset, pair)
    for layer in (0, 2):
        answer = run(model, dataset, pair, part="neurons", layer=str(layer), top="4")
        assert len(answer["neurons"]) == 4 and answer["layer"] == layer
        assert (answer["class_name"], answer["against_name"]) == ("positive", "negative")
        total = answer["others"] + sum(one["moved"] for one in answer["neurons"])
        assert total == pytest.approx(trajectory["layers"][layer]["margin_change"])
        assert answer["change"] == pytest.approx(total)
    assert run(model, dataset, pair, part="neurons")["layer"] == model.study.result().best_layer


@pytest.mark.parametrize("method", ["integrated_gradients", "occlusion", "gradient_l2"])
def test_salience_is_of_one_class_in_both_texts_word_beside_word(model, dataset, pair, method):
    trajectory = run(model, dataset, pair)
    answer = run(model, dataset, pair, part="salience", method=method, layer="1")
    assert (answer["class_name"], answer["scalar"], answer["title"]) == ("positive", "margin", EXPLAINING_METHODS[method].title)
    (replaced,) = [row for row in answer["rows"] if row["kind"] != "same"]
    assert (replaced["kind"], replaced["before"], replaced["after"]) == ("replaced", "good", "awful")
    assert [row["before"] for row in answer["rows"]] == pair[0]["text"].split()
    row = trajectory["layers"][1]
    assert answer["value_before"] == pytest.approx(row["margin_before"], abs=1e-4)
    assert answer["value_after"] == pytest.approx(row["margin_after"], abs=1e-4)
    maps = [
        INTERPRETERS["salience_map"].run(
            [one], model, dataset, config={"method": method, "layer": 1, "scalar": "margin", "target": "class:positive"}
        )["by_word"]["scores"]
        for one in pair
    ]
    assert [row["score_before"] for row in answer["rows"]] == maps[0]
    assert [row["score_after"] for row in answer["rows"]] == maps[1]
    assert answer["largest"] >= max(abs(row["change"]) for row in answer["rows"])


@pytest.mark.parametrize("method", EXPLAINING_METHODS)
def test_words_say_which_maps_are_not_exact_and_which_baseline_they_have(model, dataset, pair, method):
    exact = run(model, dataset, pair, part="salience", method=method, layer="1")
    assert exact["marks"] == ["", ""]
    assert ["another choice gives other maps" in note for note in exact["notes"]] == [True] * bool(
        EXPLAINING_METHODS[method].baseline
    )
    if method == "integrated_gradients":
        rough = run(model, dataset, pair, part="salience", method=method, layer="1", steps=1, growth=1, baseline="zero")
        assert any(mark.startswith("Not exact: after 1 step ") for mark in rough["marks"])
        assert rough["notes"][0].startswith("Integrated gradients: maps start from “zero” (zeros); ")


def test_it_is_integrated_gradients_when_no_method_is_named(model, dataset, pair):
    answer = run(model, dataset, pair, part="salience")
    assert answer["method"] == "integrated_gradients"
    assert {one["name"] for one in answer["methods"]} == set(EXPLAINING_METHODS)


@pytest.mark.parametrize(
    "config", [{"part": "none"}, {"layer": 1}, {"part": "neurons", "top": 0}, {"part": "salience", "method": "x"}]
)
def test_a_question_that_cannot_be_understood_is_refused(model, dataset, pair, config):
    with pytest.raises(LitProbeError):
        interpreter.run(pair, model, dataset, config=config)


def test_a_layer_that_is_not_there_fails_with_a_sentence(model, dataset, pair):
    for part in ("neurons", "salience"):
        answer = run(model, dataset, pair, part=part, layer="17")
        assert answer["status"] == "failed" and "17" in answer["message"]


def test_while_the_probes_are_in_the_making_it_says_how_far_they_are(encoder):
    (model,) = models_of([PendingStudy(encoder, tiny_splits())])
    assert run(model, model.dataset, [{"text": "fine"}, {"text": "good"}])["status"] == "computing"


def test_distances_are_made_ready_once_the_study_is_and_a_failed_study_has_none(encoder, monkeypatch):
    study, broken, prepared = PendingStudy(encoder, tiny_splits()), PendingStudy(encoder, tiny_splits()), threading.Event()
    prepare = TrainGeometry.prepare

    def note(geometry):
        prepare(geometry)
        prepared.set()

    monkeypatch.setattr(TrainGeometry, "prepare", note)
    prepare_geometries([broken, study])

    def fail(progress):
        raise LitProbeError("no probes today")

    broken.compute(fail)
    with pytest.raises(LitProbeError, match="no probes today"):
        geometry_of(broken)
    done = computed(encoder, tiny_splits()).result()
    study.compute(lambda progress: done)
    assert prepared.wait(timeout=20)
    assert geometry_of(study) is geometry_of(study)


def test_an_answer_is_there_in_a_fraction_of_a_second(model, dataset, pair):
    geometry_of(model.study).prepare()
    slowest = []
    for number in range(5):
        edit = edited(pair[0], text=f"{pair[0]['text']} and {'slow ' * number}")
        begin = time.perf_counter()
        assert run(model, dataset, [pair[0], edit])["status"] == "ready"
        slowest.append(time.perf_counter() - begin)
    assert sorted(slowest)[2] < 0.5


def test_the_encoder_is_loaded_before_the_first_edit_needs_it(tiny_folder):
    study = computed(load_encoder(str(tiny_folder())), tiny_splits()).result()
    fresh = PendingStudy(load_encoder(str(tiny_folder())), tiny_splits())
    study.encoder = fresh.encoder
    fresh.compute(lambda progress: study)
    (model,) = models_of([fresh])
    assert fresh.encoder._loaded.model is None
    deadline = time.monotonic() + 30
    while (answer := run(model, model.dataset, [], part="prepare"))["status"] == "computing":
        assert time.monotonic() < deadline
        time.sleep(0.02)
    assert answer["status"] == "ready" and fresh.encoder._loaded.model is not None
