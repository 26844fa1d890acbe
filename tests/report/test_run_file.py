"""What is no run of this version is refused with one sentence, whatever it is."""

from __future__ import annotations

import json

import pytest
from reported_runs import changed

from lit_probe.errors import LitProbeError
from lit_probe.report.page import report_html
from lit_probe.report.run_file import read_run, run_of


def of_films(change):
    return lambda run: change(run["datasets"]["films"])


def without(*keys):
    return lambda one: [one.pop(key) for key in keys]


CHANGES = {
    "without rules": (without("rules"), "does not say by which rules its numbers are made, as older versions did not"),
    "without made_by": (without("made_by"), "does not say by which rules its numbers are made, as older versions did not"),
    "without both": (without("rules", "made_by"), "does not say by which rules"),
    "without a model": (without("model"), "is no card"),
    "without data sets": (lambda one: one["datasets"].clear(), "is no card"),
    "a card": (of_films(without("layers")), "is a card, which holds no scores"),
    "another rule": (lambda one: one["made_by"].update(auroc="by eye"), "these are made by other rules here: auroc"),
    "another rule of a check": (lambda one: one["made_by"].update(calibration="by eye"), "other rules here: calibration"),
    "without decisions": (of_films(without("decision")), "is not what this version writes"),
    "without a metric": (of_films(lambda one: one["layers"][0].pop("auroc")), "'auroc' is missing"),
    "a word for a score": (of_films(lambda one: one["test"].update(accuracy="good")), "is not what this version writes"),
    "true for a score": (of_films(lambda one: one["test"].update(accuracy=True)), "is not what this version writes"),
    "a score outside its interval": (of_films(lambda one: one["test"].update(accuracy=-1.0)), "lies outside its interval"),
    "no reason": (of_films(lambda one: one["test"].update(accuracy_reason=None)), "has no reason in words"),
    "a layer too few": (of_films(lambda one: one["layers"].pop()), "do not fit together"),
    "a chosen layer that is not there": (of_films(lambda one: one.update(best_layer=99)), "do not fit together"),
    "a choice of another layer": (of_films(lambda one: one["choice"].update(layer=one["best_layer"] + 1)), "do not fit together"),
    "a check of other layers": (of_films(lambda one: one["checks"]["calibration"]["layers"].pop()), "has other layers"),
    "an unknown check": (of_films(lambda one: one["checks"].update(mood={"notes": []})), "is not what this version writes"),
    "a check of another form": (
        of_films(lambda one: one["checks"].update(selectivity={"n": 3})),
        "is not what this version writes",
    ),
    "a check that is a list": (of_films(lambda one: one["checks"].update(selectivity=[1])), "is not what this version writes"),
    "classes that are numbers": (of_films(lambda one: one.update(label_names=[0, 1])), "is not what this version writes"),
    "copies of another form": (of_films(lambda one: one.update(near_duplicates={"n": 1})), "is not what this version writes"),
    "transfer of another form": (lambda one: one.update(transfer=[]), "is not what this version writes"),
    "a data set that is a list": (lambda one: one["datasets"].update(films=[]), "is no card"),
}


@pytest.mark.parametrize("name", CHANGES)
def test_what_this_version_does_not_write_is_refused_in_one_sentence(run, tmp_path, name):
    change, said = CHANGES[name]
    (tmp_path / "layers.json").write_text(json.dumps(changed(run, change)))
    with pytest.raises(LitProbeError) as told:
        read_run(tmp_path / "layers.json")
    message = str(told.value)
    assert said in message and "layers.json" in message
    assert "\n" not in message and len(message) < 600


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"layer,accuracy\n0,0.5\n",
        b"\xff\xfe\x00",
        b"[]",
        b"null",
        b"3",
        b'"text"',
        b'{"datasets": {"a": {"x": NaN}}}',
        b"[" * 100_000,
    ],
    ids=["empty", "torn", "table", "no text", "list", "null", "number", "string", "NaN", "deep"],
)
def test_a_file_that_is_no_run_is_refused_in_one_sentence(tmp_path, content):
    (tmp_path / "file.json").write_bytes(content)
    with pytest.raises(LitProbeError, match=r"file\.json'.* is no (layers\.json|card)"):
        read_run(tmp_path / "file.json")


def test_a_missing_file_and_a_folder_are_refused(tmp_path):
    with pytest.raises(LitProbeError, match=r"cannot be read: No such file or directory\. Give the layers\.json of a run\."):
        read_run(tmp_path / "none.json")
    with pytest.raises(LitProbeError, match="cannot be read: Is a directory"):
        read_run(tmp_path)


def test_any_single_entry_that_is_lost_is_refused_or_reported_without_it(run):
    """No entry of a data set is missed by chance: without it there is a page, or one sentence."""
    for key in run["datasets"]["films"]:
        lost = changed(run, of_films(without(key)))
        try:
            page = report_html(run_of(lost))
        except LitProbeError:
            continue
        assert key in ("near_duplicates", "circularity", "chosen_on"), key
        assert "What was not checked" in page


def test_rules_of_checks_that_were_not_run_do_not_matter(other_run):
    assert run_of(changed(other_run, lambda one: one["made_by"].update(selectivity="another rule")))
