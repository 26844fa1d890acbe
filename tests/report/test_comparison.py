"""Two runs side by side: differences only where the same rows were scored in the same way, and else the reasons."""

from __future__ import annotations

import pytest
from reported_runs import Page, changed

from lit_probe.report.page import report_html
from lit_probe.report.run_file import run_of


def text_of(run: dict, other: dict) -> str:
    text = Page.of(report_html(run_of(run), run_of(other))).text
    return text.split("Two runs side by side")[1].split("Provenance")[0]


def test_the_same_rows_give_differences(run, other_run):
    text = text_of(run, other_run)
    assert "A less B" in text and "not comparable" not in text
    assert "The differences have no interval" in text
    assert "pooling" in text and "mean" in text and "cls" in text


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda one: one["data"]["sha256"].update(dev="another"), "The dev rows differ"),
        (lambda one: one["data"]["sha256"].update(train="another"), "The train rows differ"),
        (lambda one: one["data"].pop("sha256"), "have no hash"),
        (lambda one: one.update(headline="auroc"), "They compare layers by different metrics."),
        (
            lambda one: one.update(decision={"rule": "prior", "shares": [0.5, 0.5]}),
            "They put rows in classes by different rules.",
        ),
    ],
)
def test_what_cannot_be_compared_is_said_and_not_subtracted(run, other_run, change, said):
    text = text_of(run, changed(other_run, lambda one: change(one["datasets"]["films"])))
    assert said in text and "A less B" not in text
    assert "not comparable row by row" in text


def test_a_data_set_of_another_name_with_the_same_rows_is_found(run, other_run):
    renamed = changed(other_run, lambda one: one.update(datasets={"others": {**one["datasets"]["films"]}}))
    assert "A less B" in text_of(run, renamed)


def test_it_is_the_same_run_only_if_all_of_it_is(run):
    other = changed(run, lambda one: one["versions"].update(numpy="0.0"))
    assert "0.000" in text_of(run, other)


def test_places_are_compared_by_their_names(run_at_places, other_run):
    text = text_of(run_at_places, other_run)
    differences = text.split("layer by layer.")[1]
    assert "Only places that both runs have stand here." in differences
    # Layers stand elsewhere in the one than in the other.
    names = other_run["datasets"]["films"]["layer_names"]
    assert run_at_places["datasets"]["films"]["layer_names"][: len(names)] != names
    assert all(name in differences for name in names)
    assert "attention 1" not in differences and "head 1.0" not in differences


def test_runs_without_a_place_in_common_are_said_to_have_none(run_at_places, other_run):
    def rename(one: dict) -> None:
        one["layer_names"] = [f"other {name}" for name in one["layer_names"]]

    text = text_of(run_at_places, changed(other_run, lambda one: rename(one["datasets"]["films"])))
    assert "no place in common" in text and "A less B" not in text


def test_runs_of_different_depth_say_that_a_number_is_another_depth(run, other_run):
    def shorten(one: dict) -> None:
        for rows in ("layers", "layer_names", "probes"):
            one[rows] = one[rows][:-1]
        one.update(best_layer=0, choice={**one["choice"], "layer": 0, "among": [0]})

    text = text_of(run, changed(other_run, lambda one: shorten(one["datasets"]["films"])))
    assert "the same number is another depth, and only those that both have stand here" in text
