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
