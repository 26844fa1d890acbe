"""The registry of checks on a tiny real study: complete, JSON-ready, cached by content, ended on demand."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest
from counted import count_fits
from tiny_probing import worded_splits

from lit_probe.checks.baselines import BASELINES
from lit_probe.checks.battery import (
    CHECKS,
    USUAL_CHECKS,
    check_table,
    find_check,
    layer_columns,
    run_battery,
    run_check,
    stored_near_duplicates,
    work_left,
)
from lit_probe.checks.check import FailedCheck
from lit_probe.checks.description_length import DescriptionLength
from lit_probe.checks.leakage import near_duplicates
from lit_probe.checks.learning_curve import LearningCurve
from lit_probe.data.labelled_texts import Splits
from lit_probe.encoder import cache as cache_module
from lit_probe.encoder.cache import Cache
from lit_probe.encoder.encoder import load_encoder
from lit_probe.errors import CancelledError, DatasetError, LitProbeError, UnknownNameError
from lit_probe.probing.pace import Work
from lit_probe.probing.study import LayerStudy, probe_layers

OF_TEXTS = [name for name, one in BASELINES.items() if "text" in one.units and "classes" in one.targets and not one.for_pairs]


@pytest.fixture(scope="module")
def study(tiny_folder) -> LayerStudy:
    return probe_layers(load_encoder(str(tiny_folder())), worded_splits())


@pytest.fixture(scope="module")
def cache(tmp_path_factory) -> Cache:
    """A cache that holds the whole battery of the study once one test has asked for it."""
    return Cache(tmp_path_factory.mktemp("cache"))


@pytest.fixture(scope="module")
def results(study, cache):
    return run_battery(study, cache, names=list(CHECKS))


def refuse_to_compute(*_, **__):
    raise AssertionError("computed again")


def must_be_read(monkeypatch, check: str) -> None:
    """From now on, computing the check is an error; reading it is not."""
    monkeypatch.setitem(CHECKS, check, dataclasses.replace(CHECKS[check], compute=refuse_to_compute))


@pytest.mark.parametrize("name", CHECKS)
def test_every_check_answers_with_layers_and_notes_in_finite_json(results, study, name):
    result = results[name]
    assert type(result).from_json(json.loads(json.dumps(result.to_json(), allow_nan=False))) == result
    assert all(isinstance(note, str) for note in result.notes)
    if name == "baselines":
        assert [one.name for one in result.baselines] == OF_TEXTS
    elif name != "agreement":  # this checkpoint has no head of its own
        assert [layer.layer for layer in result.layers] == list(range(study.encoder.n_layers))


@pytest.mark.parametrize("name", [name for name, check in CHECKS.items() if not check.keeps_parts])
def test_a_result_is_read_from_the_cache_and_not_computed_twice(results, study, cache, name, monkeypatch):
    must_be_read(monkeypatch, name)
    assert run_check(name, study, cache) == results[name]
    with pytest.raises(AssertionError, match="computed again"):
        run_check(name, study)


@pytest.mark.parametrize("name", [name for name, check in CHECKS.items() if not check.quick])
def test_a_check_has_the_work_that_it_says_and_none_where_its_answer_is_kept(study, tmp_path, name, monkeypatch):
    fits, passes, kept = count_fits(monkeypatch), [], Cache(tmp_path)
    work, n_train = work_left(name, study, kept), len(study.splits.train)
    assert work is not None and work.fits > 0 and (work.read > 0) == (name == "baselines")
    read_block = cache_module.extract_block

    def counted(encoder, texts, *arguments):
        passes.append(len(texts))
        return read_block(encoder, texts, *arguments)

    monkeypatch.setattr(cache_module, "extract_block", counted)
    answer = run_check(name, study, kept)
    assert sum(passes) == work.read
    # A fit to a few rows takes as much as its units do, and other splits have a row more or less where rows share a text.
    n_units = max(study.encoder.widths)
    parts = [(n_rows + n_units) / (n_train + n_units) for n_rows in fits]
    assert sum(parts) == pytest.approx(work.fits, rel=0.05 if name == "repeats" else 1e-9)
    assert work_left(name, study, kept) is None
    assert run_check(name, study, kept) == answer and sum(passes) == work.read


def test_what_two_checks_share_is_work_once(study):
    fresh = LayerStudy(study.encoder, study.splits, study.activations, study.layerwise, study.seed)
    assert work_left("learning_curve", fresh, Cache(None)) == work_left("description_length", fresh, Cache(None)) != Work()
    run_check("description_length", fresh)
    assert work_left("learning_curve", fresh, Cache(None)) == Work()


def test_the_bar_of_baselines_goes_by_what_each_has_to_do(study):
    told = []
    run_check("baselines", study, Cache(None), lambda done, total: told.append((done, total)))
    assert len({total for _, total in told}) == 1 and sorted(told) == told and told[-1][0] == told[-1][1]
    own = BASELINES["random_weights"].work(study, Cache(None)).in_rows(len(study.splits.train))
    assert own > told[-1][1] / 2


def test_baselines_are_kept_one_by_one(results, study, cache):
    steps = []
    start = cache.size()
    one = run_check("baselines", study, cache, lambda done, total: steps.append((done, total)), "tfidf")
    assert one == results["baselines"].baselines[OF_TEXTS.index("tfidf")]
    assert cache.size() == start, "nothing was stored again"
    assert one.score == layer_columns(results, 4)[0]["baselines"]["tfidf"]


def test_what_takes_much_longer_is_computed_only_where_it_is_named(study, cache, results):
    assert set(CHECKS) - set(USUAL_CHECKS) == {"repeats"}
    assert list(run_battery(study, cache)) == list(USUAL_CHECKS)
    assert list(run_battery(study, cache, names=["repeats"], variants={"repeats": "2"})) == ["repeats"]


def test_other_splits_are_counted_by_a_whole_number_and_kept_one_by_one(study, cache, results, monkeypatch):
    fits = count_fits(monkeypatch)
    three = run_check("repeats", study, cache, variant="3")
    assert not fits and three.n == 3 and three.seeds == results["repeats"].seeds[:3]
    for variant in ("ten", "-3", "2.5", "1"):
        with pytest.raises(LitProbeError, match="ther splits"):
            run_check("repeats", study, cache, variant=variant)


def test_another_control_is_another_result(results, study, cache):
    assert run_check("selectivity", study, cache, refuse_to_compute, "word") == results["selectivity"], "the default by its name"
    first_word = run_check("selectivity", study, cache, variant="first_word")
    assert (results["selectivity"].control, first_word.control) == ("word", "first_word")
    assert first_word.layers != results["selectivity"].layers


def test_the_columns_of_layers_json_hold_the_numbers_of_the_checks(results, study):
    columns = layer_columns(results, study.encoder.n_layers)
    assert len(columns) == study.encoder.n_layers
    for layer, column in enumerate(columns):
        assert column["selectivity"] == results["selectivity"].layers[layer].selectivity
        assert column["description_length"] == results["description_length"].layers[layer].bits
        assert column["brier"] == results["calibration"].layers[layer].brier
        assert list(column["baselines"]) == OF_TEXTS
        assert column["baselines"]["random_weights"] == _baseline(results, "random_weights").layers[layer].score
        assert column["agreement"] is None, "this checkpoint has no head"
        repeated = results["repeats"].layers[layer]
        band = [column[f"repeat_{name}"] for name in ("low", "mean", "high", "sd")]
        assert band == [repeated.lowest, repeated.mean, repeated.highest, repeated.sd]
        assert column["baselines"]["majority"] == _baseline(results, "majority").score


def _baseline(results, name):
    return next(one for one in results["baselines"].baselines if one.name == name)


def test_a_check_that_cannot_be_computed_says_why_and_the_others_go_on(study, monkeypatch):
    def refuse(*_):
        raise DatasetError("The control cannot be balanced.")

    for name in CHECKS:
        if name not in ("calibration", "layer_comparison"):
            monkeypatch.setitem(CHECKS, name, dataclasses.replace(CHECKS[name], compute=refuse))
    results = run_battery(study)
    assert results["selectivity"] == FailedCheck("The control cannot be balanced.")
    assert results["calibration"].layers
    column = layer_columns(results, study.encoder.n_layers)[0]
    assert column["selectivity"] is None and column["baselines"] == dict.fromkeys(OF_TEXTS) and column["brier"] > 0


LONG_CHECKS = [(name, None) for name, check in CHECKS.items() if not check.quick]


@pytest.mark.parametrize(("name", "variant"), [*LONG_CHECKS, ("baselines", "random_weights"), ("baselines", "shuffled")])
def test_a_long_check_tells_its_progress_and_can_be_ended(study, name, variant):
    seen = []

    def progress(done, total):
        seen.append((done, total))
        if len(seen) == 3:
            raise CancelledError("not wanted")

    with pytest.raises(CancelledError):
        run_check(name, study, progress=progress, variant=variant)
    assert len(seen) == 3 and all(0 <= done <= total for done, total in seen)


def test_a_cancelled_battery_ends_as_a_whole(study):
    def progress(step, done, total, unit):
        raise CancelledError("not wanted")

    with pytest.raises(CancelledError):
        run_battery(study, progress=progress)


def test_the_battery_tells_which_check_it_is_at(study, cache, results):
    steps = []
    run_battery(study, cache, lambda step, done, total, unit: steps.append(step))
    assert set(steps) <= {f"{check.title} on worded" for check in CHECKS.values()}


def test_unknown_names_are_refused_with_the_choices(study):
    with pytest.raises(UnknownNameError, match=f"Unknown check 'selectivty'. Choose one of: {', '.join(sorted(CHECKS))}"):
        run_check("selectivty", study)
    with pytest.raises(UnknownNameError, match="'calibration' has no variants"):
        find_check("calibration", "first_word")
    with pytest.raises(UnknownNameError, match="Unknown baseline 'tf'"):
        run_check("baselines", study, variant="tf")


def other_studies(study: LayerStudy) -> dict[str, LayerStudy]:
    """The study with one thing changed."""
    splits, dev = study.splits, study.splits.dev
    flipped = dataclasses.replace(dev, labels=np.array([1 - dev.labels[0], *dev.labels[1:]]))
    grouped = dataclasses.replace(dev, groups=np.arange(len(dev)).astype(str))
    columned = dataclasses.replace(dev, columns={"author": np.arange(len(dev))})

    def on(dev_rows) -> LayerStudy:
        changed = Splits(splits.name, splits.train, dev_rows, splits.test, splits.provenance)
        return LayerStudy(study.encoder, changed, study.activations, study.layerwise, study.seed)

    return {
        "a label of dev": on(flipped),
        "groups of dev": on(grouped),
        "a column of dev": on(columned),
        "the seed": LayerStudy(study.encoder, splits, study.activations, study.layerwise, study.seed + 1),
        "the probes": probe_layers(study.encoder, splits, probe="majority"),
        "the pooling": probe_layers(study.encoder, splits, pooling="cls"),
    }


def test_the_fingerprint_depends_on_all_that_decides_a_result(study):
    others = {what: other.fingerprint for what, other in other_studies(study).items()}
    assert len({study.fingerprint, *others.values()}) == 1 + len(others), others


def test_the_same_study_made_twice_has_one_fingerprint(study, tiny_folder):
    again = probe_layers(load_encoder(str(tiny_folder())), worded_splits())
    assert again is not study and again.fingerprint == study.fingerprint


def test_results_of_another_rule_are_not_read(study, cache, results, monkeypatch):
    monkeypatch.setattr("lit_probe.checks.battery.selectivity", refuse_to_compute)
    assert run_check("selectivity", study, cache) == results["selectivity"]
    monkeypatch.setattr("lit_probe.checks.control_task.function_words_hash", lambda: "of other words")
    with pytest.raises(AssertionError, match="computed again"):
        run_check("selectivity", study, cache)

    weights = dataclasses.replace(BASELINES["random_weights"], predict=refuse_to_compute)
    monkeypatch.setitem(BASELINES, "random_weights", weights)
    assert run_check("baselines", study, cache, variant="random_weights") == _baseline(results, "random_weights")
    monkeypatch.setitem(BASELINES, "random_weights", dataclasses.replace(weights, n_draws=weights.n_draws + 1))
    with pytest.raises(AssertionError, match="computed again"):
        run_check("baselines", study, cache, variant="random_weights")


def test_near_duplicates_are_stored_by_content(cache, monkeypatch):
    splits = worded_splits()
    assert stored_near_duplicates(splits, cache) == near_duplicates(splits)
    monkeypatch.setattr("lit_probe.checks.battery.near_duplicates", refuse_to_compute)
    assert stored_near_duplicates(splits, cache).rows
    with pytest.raises(AssertionError, match="computed again"):
        stored_near_duplicates(worded_splits(seed=3), cache)


def test_only_the_named_checks_are_computed_and_the_others_leave_no_number(study, cache, results):
    some = run_battery(study, cache, names=("calibration",))
    assert list(some) == ["calibration"]
    (column, *_) = layer_columns(some, study.encoder.n_layers)
    assert column["brier"] == results["calibration"].layers[0].brier
    assert column["selectivity"] is None and column["baselines"] == dict.fromkeys(OF_TEXTS)


def test_the_table_has_a_line_for_each_layer_and_for_what_went_wrong(study, results):
    broken = {**results, "selectivity": FailedCheck("The control cannot be balanced.")}
    head, *lines = check_table(broken, study.encoder.n_layers).splitlines()
    assert head.split()[-len(OF_TEXTS) :] == OF_TEXTS
    assert [line.split()[0] for line in lines[:4]] == ["0", "1", "2", "3"]
    assert lines[4] == "Selectivity: The control cannot be balanced."
    assert f"{results['calibration'].layers[2].brier:.3f}" in lines[2] and "n/a" not in "".join(lines[:4])


def test_under_the_table_stand_the_layers_alike_the_optimism_and_every_note_once(study, results):
    lines = check_table(results, study.encoder.n_layers).splitlines()
    comparison, best = results["layer_comparison"], study.best_layer
    alike = [str(row.layer) for row in comparison.layers if row.indistinguishable and row.layer != best]
    said = f"Layers that cannot be told apart from layer {best}, which was chosen on dev: {', '.join(alike)}."
    if not alike:
        said = f"Every other layer differs from layer {best}, which was chosen on dev."
    assert f"Comparison of layers: {said}" in lines
    one = comparison.optimism
    numbers = f"{one.optimism:.3f} [{one.low:.3f} to {one.high:.3f}]"
    scores = f"dev {one.dev:.3f} less test {one.test:.3f} is {numbers}"
    assert f"Comparison of layers: Optimism of choosing layer {best} on dev: {scores}." in lines
    for result in results.values():
        for note in result.notes:
            assert sum(line.endswith(f": {note}") for line in lines) == 1, note


def test_what_two_checks_say_is_said_once_with_both_names():
    length = DescriptionLength((), 0, 0, (), notes=("Alike.",))
    curve = LearningCurve("accuracy", "Accuracy", 0, None, (), (), notes=("Alike.", "Else."))
    told = check_table({"description_length": length, "learning_curve": curve}, 0)
    assert told.splitlines() == ["Description length, Learning curve: Alike.", "Learning curve: Else."]


def test_layers_that_all_differ_and_a_baseline_without_a_score_are_told(study, results):
    comparison, baselines = results["layer_comparison"], results["baselines"]
    apart = (dataclasses.replace(row, indistinguishable=row.layer == study.best_layer) for row in comparison.layers)
    failed = (BASELINES[name].failure(name, study, "Train has no words.") for name in ("tfidf", "random_weights"))
    changed = {
        "layer_comparison": dataclasses.replace(comparison, layers=tuple(apart)),
        "baselines": dataclasses.replace(baselines, baselines=tuple(failed)),
    }
    lines = check_table(changed, study.encoder.n_layers).splitlines()
    assert f"Comparison of layers: Every other layer differs from layer {study.best_layer}, which was chosen on dev." in lines
    assert "Baselines: TF-IDF has no score: Train has no words." in lines
    assert "Baselines: Random weights has no score: Train has no words." in lines


def test_where_the_checkpoint_has_a_head_the_table_shows_how_often_the_probes_agree_with_it(tiny_folder):
    study = probe_layers(load_encoder(str(tiny_folder(n_classes=2))), worded_splits())
    results = run_battery(study, names=("agreement",))
    head, *lines = check_table(results, study.encoder.n_layers).splitlines()
    assert head.split()[-1] == "agreement"
    for layer, line in zip(results["agreement"].layers, lines, strict=False):
        assert line.split()[-1] == f"{layer.agreement:.3f}"
    model = results["agreement"].model
    assert f"accuracy of {model.accuracy:.3f} [{model.low:.3f} to {model.high:.3f}] on n = 60." in lines[4]


def test_the_battery_takes_another_control_where_it_is_told_to(study, cache):
    told = run_battery(study, cache, names=("selectivity", "calibration"), variants={"selectivity": "first_word"})
    assert told["selectivity"] == run_check("selectivity", study, cache, variant="first_word")


def test_without_a_cache_the_battery_fits_every_portion_once(study, monkeypatch):
    fits = count_fits(monkeypatch)
    fresh = LayerStudy(study.encoder, study.splits, study.activations, study.layerwise, study.seed)
    run_battery(fresh, names=("description_length", "learning_curve"))
    assert fits == [16, 19, 38, 75]
