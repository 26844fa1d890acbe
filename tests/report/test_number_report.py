"""The report of a number: every value is that of layers.json, and nothing on it speaks of classes."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest
from reported_runs import Page, at, changed

from lit_probe.checks.battery import CHECKS, run_battery
from lit_probe.checks.leakage import near_duplicates
from lit_probe.data import split_texts
from lit_probe.data.asked import NUMBER
from lit_probe.encoder.encoder import load_encoder
from lit_probe.errors import LitProbeError
from lit_probe.probing.study import probe_layers
from lit_probe.report.numbers import shown
from lit_probe.report.page import report_html
from lit_probe.report.run_file import run_json, run_of, study_json

WORDS = "good bad dull great film movie plot scene music ending light sound".split()


@pytest.fixture(scope="module")
def run(tiny_folder):
    random = np.random.default_rng(0)
    texts = [" ".join(random.choice(WORDS, random.integers(3, 30))) + f" {row}" for row in range(160)]
    splits = split_texts(texts, [len(text.split()) + random.normal() for text in texts], target="number", name="lengths")
    study = probe_layers(load_encoder(str(tiny_folder(seed=7))), splits)
    battery = run_battery(study, names=tuple(CHECKS), variants={"repeats": "2"})
    datasets = {"lengths": study_json(study, battery, near_duplicates(splits))}
    written = run_json(study.settings(), datasets, control="word", repeat=2, targets=[NUMBER])
    return json.loads(json.dumps(written, allow_nan=False))


@pytest.fixture(scope="module")
def page(run):
    return Page.of(report_html(run_of(run)))


def test_every_value_is_that_of_layers_json(run, page):
    assert len(page.values) > 100
    for value in page.values:
        found = at(run, value.at)
        expected = ", ".join(map(shown, found)) if isinstance(found, list) else shown(found)
        assert value.text == expected, value.at


def test_it_speaks_of_a_number_and_its_mean(page):
    text = page.text
    for said in ("Decodable: ", "a test R² of", "the mean of train", "A number is asked for.", "Where the numbers lie.",
                 "ridge regression", "Mean absolute error", "Spearman", "Mean of train on test",
                 "Description length does not apply to a number", "Hoerl", "Bonett"):  # fmt: skip
        assert said in text, said
    for wrong in (
        "majority class",
        "Classes (",
        "log-loss",
        "Rows are put in",
        "A row is put in",
        "AUROC",
        "Wilson",
        "most frequent tag",
    ):
        assert wrong not in text, wrong
    assert not re.search(r"\bNone\b|\bnan\b", text)


def test_a_run_of_both_is_refused(run):
    def classes_too(one):
        one["datasets"]["lengths"]["label_names"] = ["a", "b"]

    def no_numbers(one):
        del one["datasets"]["lengths"]["numbers"]

    def word_in_a_score(one):
        one["datasets"]["lengths"]["layers"][0]["r2"] = "high"

    for change in (classes_too, no_numbers, word_in_a_score):
        with pytest.raises(LitProbeError, match=r"is not what this version writes|cannot be reported"):
            run_of(changed(run, change))


def test_a_second_run_is_set_beside_it(run):
    def worse(one):
        one["seed"] = 7
        for row in one["datasets"]["lengths"]["layers"]:
            row["r2"] = row["r2"] and min(row["r2"], row["r2_high"])

    text = Page.of(report_html(run_of(run), run_of(changed(run, worse)))).text
    assert "R² on the same dev rows, layer by layer." in text
