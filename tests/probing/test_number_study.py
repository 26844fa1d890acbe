"""A study that asks for a number: a planted one is found, an unrelated one is not, and what is of classes refuses."""

from __future__ import annotations

import json

import numpy as np
import pytest

from lit_probe import probe_activations, rank_neurons
from lit_probe.checks.battery import CHECKS, run_battery, run_check
from lit_probe.checks.check import FailedCheck
from lit_probe.data.asked import NUMBER
from lit_probe.encoder.cache import Cache
from lit_probe.errors import ProbeError, UnservedError
from lit_probe.probing.rules import StudyRules

N = 300


def planted(seed=0, groups=None):
    random = np.random.default_rng(seed)
    x = random.normal(size=(N, 3, 12))
    return x, 5 * x[:, 1, 3] + random.normal(size=N) + 40


@pytest.fixture(scope="module")
def study():
    return probe_activations(*planted())


def test_a_planted_number_is_found_and_no_other(study):
    assert study.splits.target == NUMBER and study.headline == "r2" and study.best_layer == 1
    values = [score.value for score in study.metrics("dev").scores["r2"]]
    assert values[1] > 0.9 and max(values[0], values[2]) < 0.15
    assert study.test_metrics().scores["r2"].value > 0.9


def test_permuted_numbers_are_not_found():
    x, y = planted()
    permuted = probe_activations(x, np.random.default_rng(5).permutation(y))
    assert max(score.value for score in permuted.metrics("dev").scores["r2"]) < 0.15


def test_the_scale_of_the_numbers_changes_the_error_alone(study):
    x, y = planted()
    other = probe_activations(x, 1000 * y + 17)
    # Which row goes to which split depends on content, so the scores are alike and not the same.
    assert other.test_metrics().scores["r2"].value > 0.9
    assert other.test_metrics().scores["mae"].value > 100 * study.test_metrics().scores["mae"].value


def test_the_order_of_rows_changes_no_digit():
    x, y = planted()
    order = np.random.default_rng(1).permutation(N)
    texts = np.array([f"row {row}" for row in range(N)])
    one = probe_activations(x, y, texts=texts.tolist())
    other = probe_activations(x[order], y[order], texts=texts[order].tolist())
    assert json.dumps(one.to_json()) == json.dumps(other.to_json())


def test_groups_stay_together():
    x, y = planted()
    study = probe_activations(x, y, groups=[f"author {row % 50}" for row in range(N)])
    assert study.layerwise.probes[0].settings["cv"]["by"] == "group"


def test_a_kept_study_is_read_again_with_every_digit(tmp_path, study):
    first, second = (probe_activations(*planted(), cache=Cache(tmp_path)) for _ in range(2))
    assert json.dumps(first.to_json()) == json.dumps(second.to_json()) == json.dumps(study.to_json())


def test_json_and_table_tell_of_a_number(study):
    written = study.to_json()
    assert written["target"] == NUMBER and written["decision"] is None and written["label_names"] == []
    assert {"r2", "r2_low", "pearson", "spearman", "mae", "mean_r2"} <= set(written["layers"][0])
    assert written["numbers"]["train"]["mean"] == pytest.approx(40, abs=2)
    assert "Mean baseline on dev" in study.table() and "auroc" not in study.table()


def test_kinds_of_probe_and_rules_of_classes_are_refused():
    x, y = planted()
    with pytest.raises(UnservedError, match=r"'logistic' is about classes.*Choose one of: ridge"):
        probe_activations(x, y, probe="logistic")
    with pytest.raises(UnservedError, match="'ridge' is about a number"):
        probe_activations(x, np.arange(N) % 2, probe="ridge")
    for rules in (StudyRules(headline="auroc"), StudyRules(decision="prior")):
        with pytest.raises(UnservedError, match="about classes"):
            probe_activations(x, y, rules=rules)


def test_every_check_serves_a_number_or_says_why_not(study):
    results = run_battery(study, names=list(CHECKS), variants={"repeats": "2"})
    for name, check in CHECKS.items():
        if name == "selectivity":  # given vectors have no words, so all rows are of one type
            assert "cannot be balanced like the task: its largest type" in results[name].error
        elif NUMBER in check.targets:
            assert not isinstance(results[name], FailedCheck), results[name]
        elif name == "description_length":
            assert results[name].error.startswith("Description length does not apply to a number")
        else:
            assert results[name].error == f"{check.title} is about classes; this data set asks for a number."


def test_layers_are_compared_by_r2(study):
    found = run_check("layer_comparison", study)
    assert found.metric == "r2" and found.significance_test == "bootstrap"
    assert [row.indistinguishable for row in found.layers] == [False, True, False]


def test_a_learning_curve_grows_and_ends_with_the_studys_score(study):
    found = run_check("learning_curve", study)
    points = found.layers[1].points
    assert points[-1].score == study.metrics("dev").scores["r2"][1].value and points[0].score < points[-1].score
    assert found.n_train[-1] == len(study.splits.train)


def test_other_splits_score_alike(study):
    found = run_check("repeats", study, variant="5")
    assert found.layers[1].lowest > 0.8 and set(found.chosen) == {1}


def test_what_needs_classes_says_so(study):
    with pytest.raises(ProbeError, match="no probabilities"):
        study.probabilities("dev")
    with pytest.raises(UnservedError, match="about classes"):
        rank_neurons(study, "mean_gap")
