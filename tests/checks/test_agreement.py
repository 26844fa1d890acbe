"""Probe against model: the four counts, the rows behind them, and heads that cannot be compared."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from planted_studies import sentences

from lit_probe.checks.agreement import Agreement, agreement
from lit_probe.data import split_texts
from lit_probe.encoder.activations import Activations, Block
from lit_probe.encoder.encoder import load_encoder
from lit_probe.probing.head_classes import match_classes
from lit_probe.probing.layerwise import LayerwiseProbe
from lit_probe.probing.study import LayerStudy, probe_layers
from lit_probe.scores.intervals import wilson_interval


@pytest.fixture(scope="module")
def splits():
    texts, labels = sentences()
    return split_texts(texts, labels, name="sentences", label_names=("negative", "positive"))


def study_with_head(tiny_folder, splits, head_names, head_answers, *, noise=1.0) -> LayerStudy:
    """A label planted in layer 1 of two, and a head that answers ``head_answers[split]`` (columns of ``head_names``)."""
    rng = np.random.default_rng(0)
    activations = {}
    for name, rows in splits.items():
        values = rng.normal(scale=noise, size=(2, len(rows), 8)).astype(np.float32)
        values[1, :, 3] += np.where(rows.labels == 1, 1.0, -1.0)
        answers = np.asarray(head_answers(name, rows))
        own = np.full((len(rows), len(head_names)), 0.1 / max(1, len(head_names) - 1), dtype=np.float32)
        own[np.arange(len(rows)), answers] = 0.9
        block = Block(values, np.zeros(len(rows), dtype=bool), np.zeros(len(rows), dtype=np.float32), own)
        activations[name] = Activations((block,), "mean", "planted")
    layerwise = LayerwiseProbe.fit(activations["train"], splits.train.labels, splits.label_names, groups=splits.train.groups)
    encoder = load_encoder(str(tiny_folder()))
    encoder.head_label_names = head_names
    return LayerStudy(encoder, splits, activations, layerwise, seed=0)


def wrong_on_every_third(name, rows):
    return np.where(np.arange(len(rows)) % 3 == 0, 1 - rows.labels, rows.labels)


def test_the_counts_and_rows_are_those_counted_one_by_one(tiny_folder, splits):
    study = study_with_head(tiny_folder, splits, ("negative", "positive"), wrong_on_every_third)
    result = agreement(study)
    dev = splits.dev
    model = wrong_on_every_third("dev", dev)
    assert result.available is True
    assert result.n == len(dev)
    for layer, (counts, rows) in enumerate(zip(result.layers, result.rows, strict=True)):
        probe = study.probabilities("dev")[:, layer].argmax(axis=1)
        cells: dict[str, list[int]] = {"both_right": [], "probe_only": [], "model_only": [], "both_wrong": []}
        for row in range(len(dev)):
            key = {(1, 1): "both_right", (1, 0): "probe_only", (0, 1): "model_only", (0, 0): "both_wrong"}
            cells[key[int(probe[row] == dev.labels[row]), int(model[row] == dev.labels[row])]].append(row)
        assert counts.layer == rows.layer == layer
        assert {name: getattr(counts, name) for name in cells} == {name: len(inside) for name, inside in cells.items()}
        assert {name: list(getattr(rows, name)) for name in ("probe_only", "model_only", "both_wrong")} == {
            name: cells[name] for name in ("probe_only", "model_only", "both_wrong")
        }
        assert counts.agreement == pytest.approx(np.mean([a == b for a, b in zip(probe, model, strict=True)]))
        assert (counts.low, counts.high) == pytest.approx(wilson_interval(counts.agreement, len(dev)))
    assert result.model.accuracy == pytest.approx(np.mean(model == dev.labels))
    assert result.layers[1].both_right > result.layers[0].both_right, "the planted layer is right more often"
    assert Agreement.from_json(json.loads(json.dumps(result.to_json(), allow_nan=False))) == result


def test_a_head_that_is_always_right_leaves_the_probe_nothing_of_its_own(tiny_folder, splits):
    result = agreement(study_with_head(tiny_folder, splits, ("negative", "positive"), lambda name, rows: rows.labels))
    assert result.model.accuracy == 1
    assert all(layer.probe_only == layer.both_wrong == 0 < layer.model_only for layer in result.layers)


def test_both_can_be_wrong_without_agreeing(tiny_folder):
    words = {"sun": "joy", "rain": "sadness", "mud": "disgust"}
    texts = [f"{i} days of {word}" for word in words for i in range(60)]
    three = split_texts(texts, [label for label in words.values() for _ in range(60)])
    result = agreement(study_with_head(tiny_folder, three, three.label_names, lambda name, rows: (rows.labels + 1) % 3))
    layer = result.layers[0]
    assert layer.both_right == layer.model_only == 0
    assert layer.agreement < layer.both_wrong / result.n


def test_names_in_another_case_and_order_are_the_same_classes(tiny_folder, splits):
    named = agreement(study_with_head(tiny_folder, splits, ("negative", "positive"), wrong_on_every_third))
    turned = agreement(
        study_with_head(tiny_folder, splits, ("POSITIVE", "Negative"), lambda *args: 1 - wrong_on_every_third(*args))
    )
    assert turned == named
    assert named.notes == ()


def test_numbered_classes_are_matched_by_number_and_that_is_said(tiny_folder, splits):
    named = agreement(study_with_head(tiny_folder, splits, ("negative", "positive"), wrong_on_every_third))
    numbered = agreement(study_with_head(tiny_folder, splits, ("LABEL_0", "LABEL_1"), wrong_on_every_third))
    assert numbered.notes == (
        "The head's classes have no names of their own and were matched by number: LABEL_0 as negative, LABEL_1 as positive.",
    )
    assert replace(numbered, notes=()) == named


@pytest.mark.parametrize(
    ("head", "labels"),
    [
        (("joy", "anger"), ("negative", "positive")),
        (("negative", "neutral", "positive"), ("negative", "positive")),
        (("LABEL_0", "LABEL_1", "LABEL_2"), ("negative", "positive")),
        (("A", "a"), ("a", "A")),
    ],
)
def test_other_classes_match_nothing(head, labels):
    assert match_classes(head, labels, numbered=True) is None


def test_names_in_alphabetical_order_have_no_numbers_that_a_head_could_mean(tiny_folder):
    texts, labels = sentences()
    named = split_texts(texts, labels, name="sentences")
    result = agreement(study_with_head(tiny_folder, named, ("LABEL_0", "LABEL_1"), wrong_on_every_third))
    assert not result.available and "Name the head's classes in the id2label" in result.reason


def test_numbers_are_matched_by_their_value_however_they_sort(tiny_folder):
    texts, labels = [f"text {i} of {i % 12}" for i in range(360)], [float(i % 12) for i in range(360)]
    twelve = split_texts(texts, labels)
    head = tuple(f"LABEL_{i}" for i in range(12))

    def by_number(name, rows):
        return [int(twelve.label_names[label]) for label in rows.labels]

    right = agreement(study_with_head(tiny_folder, twelve, head, by_number))
    assert twelve.label_names == tuple(map(str, range(12))) and right.model.accuracy == 1


def test_other_classes_get_a_reason_and_no_error(tiny_folder, splits):
    result = agreement(study_with_head(tiny_folder, splits, ("joy", "anger"), wrong_on_every_third))
    assert result.available is False
    assert "predicts joy, anger, but the data set's classes are negative, positive" in result.reason


def test_an_encoder_without_a_head_gets_a_reason(tiny_encoder, splits):
    result = agreement(probe_layers(tiny_encoder, splits, probe="majority"))
    assert result.to_json() == {
        "available": False,
        "reason": "tiny-bert has no classification head of its own to compare the probes with.",
        "layers": [],
        "notes": [],
    }


def test_a_real_heads_answers_are_those_that_are_counted(tiny_folder, splits):
    study = probe_layers(load_encoder(str(tiny_folder(n_classes=2))), splits, probe="majority")
    result = agreement(study)
    own = study.activations["dev"].head_probabilities.argmax(axis=1)
    assert result.model.accuracy == pytest.approx((own == splits.dev.labels).mean())
    assert "class 0 as negative" in result.notes[0]


def test_rows_of_one_group_widen_the_interval(tiny_folder, splits):
    grouped = replace(splits, dev=replace(splits.dev, groups=np.array([f"g{i // 4}" for i in range(len(splits.dev))])))
    # The model is right or wrong on whole groups, so four rows say no more than one.
    by_group = study_with_head(
        tiny_folder,
        grouped,
        ("negative", "positive"),
        lambda name, rows: np.where(np.arange(len(rows)) // 4 % 2, rows.labels, 1 - rows.labels),
    )
    alone = LayerStudy(by_group.encoder, splits, by_group.activations, by_group.layerwise, seed=0)
    wide, narrow = agreement(by_group).model, agreement(alone).model
    assert wide.accuracy == narrow.accuracy
    assert wide.high - wide.low > 1.5 * (narrow.high - narrow.low)
