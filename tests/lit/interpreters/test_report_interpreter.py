"""The report that the page saves: that of the library, with the checks that are ready."""

from __future__ import annotations

import json

import pytest
from neuron_answers import answer_of, ask
from reported_runs import Page
from tiny_probing import computed, models_of, worded_splits

from lit_probe.checks.battery import CHECKS, run_battery
from lit_probe.lit.interpreters.report import _battery
from lit_probe.report.page import report_html
from lit_probe.report.run_file import run_json, run_of, study_json

QUICK = {name for name, check in CHECKS.items() if check.quick}


@pytest.fixture
def worded(encoder):
    """A model of its own, of sentences with enough different words for a control task."""
    return models_of([computed(encoder, worded_splits())])[0]


def test_it_tells_the_quick_checks_and_says_that_the_others_were_not_run(worded):
    answer = answer_of("report", worded, worded.dataset)
    assert set(answer["checks"]) == QUICK
    page = Page.of(answer["html"])
    for name, check in CHECKS.items():
        assert (f"{check.title}: not run (" in page.text) == (name not in QUICK)
    assert answer["name"] == "report_tiny-bert-on-worded.html"


def test_what_a_panel_has_had_computed_since_stands_in_the_next_one(worded):
    before = answer_of("report", worded, worded.dataset)
    assert answer_of("report", worded, worded.dataset) == before
    answer_of("probe_checks", worded, worded.dataset, check="selectivity")
    for baseline in ("tfidf", "length"):
        answer_of("probe_checks", worded, worded.dataset, check="baselines", baseline=baseline)
    answer_of("probe_checks", worded, worded.dataset, check="repeats", n="2")
    after = answer_of("report", worded, worded.dataset)
    assert set(after["checks"]) == QUICK | {"selectivity", "baselines", "repeats"}
    text = Page.of(after["html"]).text
    assert "Baseline bag of words: not measured." in text and "Baseline text length: not measured." not in text


def test_it_is_the_page_of_the_librarys_numbers(worded):
    for name in CHECKS:
        config = {"n": "2"} if name == "repeats" else {}
        if name != "baselines":
            answer_of("probe_checks", worded, worded.dataset, check=name, **config)
    study = worded.study.result()
    names = [name for name in CHECKS if name != "baselines"]
    battery = run_battery(study, names=names, variants={"repeats": "2"})
    data = {"worded": study_json(study, battery, worded.dataset.copies.result(), worded.circularity)}
    run = json.loads(json.dumps(run_json(study.settings(), data, control="word", repeat=2)))
    assert answer_of("report", worded, worded.dataset)["html"] == report_html(run_of(run))


def test_another_study_of_the_server_leaves_nothing_in_it(models):
    model, other = models_of([one.study for one in models])
    answer_of("probe_checks", other, other.dataset, check="description_length")
    assert "description_length" not in answer_of("report", model, model.dataset)["checks"]


def test_of_several_controls_the_usual_one_is_told(worded):
    for control in ("first_word", "word"):
        answer_of("probe_checks", worded, worded.dataset, check="selectivity", control=control)
        battery, told, _ = _battery(
            {key[2]: answer for key, answer in worded.checks.finished().items() if key[0] == "ProbeChecksInterpreter"},
            "accuracy",
            "text",
        )
        assert told == control == battery["selectivity"].control


def test_the_first_answer_says_that_it_is_made(worded):
    assert ask("report", worded, worded.dataset)["status"] == "computing"
