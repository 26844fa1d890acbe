"""The page's slices against all examples: the library's numbers, on the rows that LIT's metrics count."""

from __future__ import annotations

import numpy as np
import pytest
from neuron_answers import answer_of, ask, of_split
from tiny_probing import edited

from lit_probe.checks.slices import compare_slices
from lit_probe.errors import LitProbeError, UnknownNameError
from lit_probe.scores.decision import Decision
from lit_probe.scores.metrics import METRICS
from lit_probe.scores.scored_rows import ScoredRows

NAME = "slice_comparison"


def test_the_numbers_are_those_of_the_library(model, dataset):
    study, dev, test = model.study.result(), of_split(dataset, "dev"), of_split(dataset, "test")
    half = len(dev) // 2
    slices = [list(range(half)), list(range(half - 5, len(dev)))]
    rows = ScoredRows(study.probabilities("dev")[:, [1]], study.splits.dev.labels, study.splits.dev.groups, study.seed)
    members = np.array([np.isin(np.arange(len(dev)), one) for one in slices])
    expected = compare_slices(rows, members, METRICS[study.headline]).to_json()
    answer = answer_of(NAME, model, dataset, *dev, *test, slices=slices, layer=1)
    expected["notes"].append(study.decision.sentence)
    assert {key: answer[key] for key in expected} == expected
    assert (answer["layer"], answer["split"]) == (1, "dev")
    assert answer_of(NAME, model, dataset, *dev, slices=slices)["layer"] == study.best_layer
    assert answer_of(NAME, model, dataset, *dev, slices=slices, layer=99)["layer"] == study.best_layer


def test_test_rows_count_where_there_is_no_dev_row_and_edited_ones_never(model, dataset):
    test = of_split(dataset, "test")
    changed = edited(test[0], text="a text that was never there")
    answer = answer_of(NAME, model, dataset, changed, *test, slices=[[0, 1, 2, 3], [4, 5, 6]], layer=1, metric="log_loss")
    assert (answer["split"], answer["n"], [one["n"] for one in answer["slices"]]) == ("test", len(test), [3, 3])
    assert answer_of(NAME, model, dataset, changed, slices=[[0]], layer=1)["status"] == "failed"


def test_classes_are_decided_by_the_rule_that_is_asked_for(model, dataset):
    study, dev = model.study.result(), of_split(dataset, "dev")
    slices, half = [list(range(len(dev) // 2))], np.arange(len(dev)) < len(dev) // 2
    told = {}
    for rule in ("argmax", "prior"):
        decision = Decision.by(rule, study.splits.train.labels, 2)
        rows = ScoredRows(study.probabilities("dev")[:, [1]], study.splits.dev.labels, study.splits.dev.groups, 0, None, decision)
        expected = compare_slices(rows, [half], METRICS["accuracy"]).to_json()
        answer = answer_of(NAME, model, dataset, *dev, slices=slices, layer=1, metric="accuracy", decision=rule)
        assert answer["slices"] == expected["slices"]
        assert answer["notes"] == [*expected["notes"], decision.sentence]
        told[rule] = answer["notes"][-1]
    assert told["argmax"] != told["prior"]
    by_study = answer_of(NAME, model, dataset, *dev, slices=slices, layer=1, metric="accuracy")
    assert by_study["notes"][-1] == study.decision.sentence
    assert not any(
        "row is put in" in note for note in answer_of(NAME, model, dataset, *dev, slices=slices, metric="auroc")["notes"]
    )
    with pytest.raises(LitProbeError, match="decision"):
        ask(NAME, model, dataset, *dev, slices=slices, decision="best")


def test_where_no_slice_is_compared_nothing_is_noted(model, dataset):
    dev = of_split(dataset, "dev")
    answer = answer_of(NAME, model, dataset, *dev, slices=[list(range(len(dev))), []], metric="accuracy")
    assert [one["reason"] for one in answer["slices"]] == ["it has all rows", "no row"]
    assert (answer["n_compared"], answer["notes"]) == (0, [])


def test_what_makes_no_sense_is_refused(model, dataset):
    dev = of_split(dataset, "dev")[:4]
    for slices in (None, "all", [0, 1], [["0"]]):
        with pytest.raises(LitProbeError, match=r"'slices' lists for each slice the places of its examples"):
            ask(NAME, model, dataset, *dev, slices=slices)
    with pytest.raises(LitProbeError, match="'slices' may name the places 0 to 3 of the examples sent"):
        ask(NAME, model, dataset, *dev, slices=[[0, 4]])
    with pytest.raises(UnknownNameError, match="Unknown metric 'speed'"):
        ask(NAME, model, dataset, *dev, slices=[[0]], metric="speed")
