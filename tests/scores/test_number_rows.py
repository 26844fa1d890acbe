"""Scores of numbers: their values, what they do not depend on, and that their intervals hold the truth as often as they say."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import pearsonr, spearmanr
from sklearn.metrics import mean_absolute_error, r2_score

from lit_probe.errors import ProbeError
from lit_probe.scores.by_target import trivial_score
from lit_probe.scores.number_rows import NUMBER_METRICS, NumberRows

N_DRAWS = 600


def drawn(random, n, r2=0.5, groups=None):
    if groups is None:
        said, error = random.normal(size=(2, n))
    else:
        own, shared = random.normal(size=(2, n)), random.normal(size=(2, groups))
        said, error = np.sqrt(0.5) * (own + np.repeat(shared, n // groups, axis=1))
    said = np.sqrt(r2) * said
    return said, said + np.sqrt(1 - r2) * error


def scores(said, labels, groups=None):
    rows = NumberRows(said[:, None, None], labels, groups)
    return {name: metric.score(rows)[0] for name, metric in NUMBER_METRICS.items()}


def test_values_are_those_of_scikit_learn_and_scipy():
    said, labels = drawn(np.random.default_rng(0), 80)
    found = {name: score.value for name, score in scores(said, labels).items()}
    assert found["r2"] == pytest.approx(r2_score(labels, said))
    assert found["pearson"] == pytest.approx(pearsonr(labels, said)[0])
    assert found["spearman"] == pytest.approx(spearmanr(labels, said)[0])
    assert found["mae"] == pytest.approx(mean_absolute_error(labels, said))


def test_another_scale_changes_the_error_alone():
    said, labels = drawn(np.random.default_rng(0), 80)
    one, other = scores(said, labels), scores(1000 * said + 7, 1000 * labels + 7)
    for name in ("r2", "pearson", "spearman"):
        for part in ("value", "low", "high"):
            assert getattr(one[name], part) == pytest.approx(getattr(other[name], part), abs=1e-9)
    assert other["mae"].value == pytest.approx(1000 * one["mae"].value)


@pytest.mark.parametrize("n, r2, groups", [(100, 0.2, None), (200, 0.5, None), (200, 0.9, None), (400, 0.5, 40)])
def test_intervals_hold_the_truth_in_93_to_98_percent_of_draws(n, r2, groups):
    random, held = np.random.default_rng(1), dict.fromkeys(NUMBER_METRICS, 0)
    truth = {"r2": r2, "pearson": np.sqrt(r2), "mae": np.sqrt(2 / np.pi * (1 - r2))}
    truth["spearman"] = 6 / np.pi * np.arcsin(np.sqrt(r2) / 2)
    units = None if groups is None else np.repeat(np.arange(groups), n // groups)
    for _ in range(N_DRAWS):
        found = scores(*drawn(random, n, r2, groups), units)
        for name, score in found.items():
            held[name] += score.low <= truth[name] <= score.high
    # The standard error of such a share is 0.009.
    assert all(0.92 <= count / N_DRAWS <= 0.985 for count in held.values()), held


def test_copies_of_rows_do_not_make_an_interval_narrower():
    said, labels = drawn(np.random.default_rng(0), 60)
    alone, copied = scores(said, labels), scores(np.repeat(said, 5), np.repeat(labels, 5), np.repeat(np.arange(60), 5))
    for name in NUMBER_METRICS:
        width = [score[name].high - score[name].low for score in (alone, copied)]
        assert width[1] > 0.85 * width[0]


def test_a_constant_prediction_has_no_correlation_and_equal_labels_no_r2():
    labels = np.arange(40.0)
    found = scores(np.full(40, 3.0), labels)
    assert found["pearson"].value is None and "same number" in found["pearson"].reason and found["r2"].value < 0
    assert scores(labels, np.full(40, 2.0))["r2"].reason == "all rows have the same number"
    assert scores(labels, labels)["r2"].value == 1.0


def test_few_rows_are_doubtful_and_none_have_no_score():
    said, labels = drawn(np.random.default_rng(0), 12)
    assert not scores(said, labels)["r2"].reliable
    assert scores(np.empty(0), np.empty(0))["mae"].reason == "no rows"


def test_what_does_not_fit_is_refused():
    with pytest.raises(ProbeError, match="predictions"):
        NumberRows(np.zeros((3, 1, 2)), np.zeros(3))
    with pytest.raises(ProbeError, match="finite"):
        NumberRows(np.full((3, 1, 1), np.nan), np.zeros(3))


def test_resamples_of_r2_lie_about_it():
    said, labels = drawn(np.random.default_rng(0), 300)
    rows = NumberRows(np.stack([said, -said], axis=1)[:, :, None], labels + 1e6)
    assert rows.resampled_r2.shape == (2, 1000)
    np.testing.assert_allclose(rows.resampled_r2.mean(axis=1), rows.r2, rtol=0.05)


def test_the_mean_of_train_is_the_trivial_score():
    assert trivial_score("r2", [1.0, 3.0], [1.0, 3.0], ()) == 0.0
    assert trivial_score("pearson", [1.0, 3.0], [1.0, 3.0], ()) is None
