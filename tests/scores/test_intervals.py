"""Intervals: against textbook formulas, and whether they cover the truth as often as their docstrings claim."""

import numpy as np
import pytest
from scipy.stats import binom, norm

from lit_probe.scores.auroc import auroc, auroc_interval
from lit_probe.scores.intervals import (
    bootstrap_weights,
    group_units,
    percentile_interval,
    proportion_interval,
    wilson_interval,
)
from lit_probe.scores.metrics import ScoredRows, metrics_for


def share_covering(name: str, truth: float, rows: ScoredRows) -> float:
    scores = metrics_for(rows.label_names)[name].score(rows)
    return float(np.mean([score.low <= truth <= score.high for score in scores]))


def wilson_coverage(p: float, n: int) -> float:
    """Exact, by adding up the binomial probabilities of all counts whose interval holds ``p``."""
    intervals = [wilson_interval(count / n, n) for count in range(n + 1)]
    return float(sum(binom.pmf(count, n, p) for count, (low, high) in enumerate(intervals) if low <= p <= high))


@pytest.mark.parametrize("n", [200, 872])
@pytest.mark.parametrize("p", [0.6, 0.7, 0.8, 0.9, 0.95])
def test_wilson_covers_in_93_to_97_percent_of_draws(p, n):
    assert 0.93 <= wilson_coverage(p, n) <= 0.97


def test_wilson_still_covers_near_one_where_the_percentile_bootstrap_does_not():
    assert 0.92 <= wilson_coverage(0.98, 50) <= 0.98
    random = np.random.default_rng(0)
    hits = random.binomial(50, 0.98, 400)
    covered = 0
    for count in hits:
        interval = percentile_interval(random.binomial(50, count / 50, 1000) / 50, count / 50)
        covered += interval is not None and interval[0] <= 0.98 <= interval[1]
    assert covered / 400 < 0.75


@pytest.mark.parametrize("area", [0.6, 0.8, 0.95])
def test_newcombe_covers_the_macro_average_of_three_classes(area):
    random = np.random.default_rng(1)
    labels = np.arange(600) % 3
    # One score per class, shifted for the class's own rows: each class against the rest has the same area.
    scores = random.normal(size=(600, 1000, 3))
    scores[np.arange(600), :, labels] += norm.ppf(area) * np.sqrt(2)
    assert 0.93 <= share_covering("auroc", area, ScoredRows(1 / (1 + np.exp(-scores)), labels)) <= 0.97


@pytest.mark.parametrize("agreement", [0.5, 0.8])
@pytest.mark.parametrize("p", [0.7, 0.9])
def test_wilson_by_group_covers_rows_that_agree_and_wilson_by_row_does_not(p, agreement):
    random = np.random.default_rng(0)
    units, labels = np.repeat(np.arange(100), 8), np.arange(800) % 2
    shared = (random.random((100, 1000)) < p)[units]
    right = np.where(random.random((800, 1000)) < agreement, shared, random.random((800, 1000)) < p)
    probabilities = np.eye(2)[np.where(right, labels[:, None], 1 - labels[:, None])]
    assert 0.93 <= share_covering("accuracy", p, ScoredRows(probabilities, labels, units)) <= 0.97
    assert share_covering("accuracy", p, ScoredRows(probabilities, labels)) < 0.85


@pytest.mark.parametrize("area", [0.7, 0.9])
def test_newcombe_by_group_covers_rows_that_agree_and_newcombe_by_row_does_not(area):
    random = np.random.default_rng(2)
    units = np.repeat(np.arange(200), 4)
    labels = units % 2
    logits = np.sqrt(0.8) * random.normal(size=(200, 1000))[units] + np.sqrt(0.2) * random.normal(size=(800, 1000))
    positive = 1 / (1 + np.exp(-logits - norm.ppf(area) * np.sqrt(2) * labels[:, None]))
    probabilities = np.stack([1 - positive, positive], axis=2)
    assert 0.93 <= share_covering("auroc", area, ScoredRows(probabilities, labels, units)) <= 0.97
    assert share_covering("auroc", area, ScoredRows(probabilities, labels)) < 0.85


def test_wilson_is_the_textbook_interval_and_stays_within_bounds():
    assert wilson_interval(0.5, 10) == pytest.approx((0.2366, 0.7634), abs=1e-4)
    assert wilson_interval(0.0, 10) == pytest.approx((0.0, 0.2775), abs=1e-4)
    assert wilson_interval(1.0, 10)[1] == 1.0


def test_groups_whose_rows_counterbalance_each_other_get_no_narrower_interval_than_single_rows():
    successes, trials = np.array([True, False] * 50), np.ones(100, dtype=bool)
    low, high = proportion_interval(successes, trials, np.repeat(np.arange(50), 2))
    plain_low, plain_high = proportion_interval(successes, trials, None)
    assert low < plain_low and high > plain_high


def test_at_a_proportion_of_one_a_group_counts_as_one_trial():
    everything = np.ones(100, dtype=bool)
    grouped = proportion_interval(everything, everything, np.repeat(np.arange(20), 5))
    assert grouped[0] < wilson_interval(1.0, 20)[0] < wilson_interval(1.0, 100)[0]


def delong_by_hand(scores, positive) -> tuple[float, float]:
    """Area and variance from the definition, all pairs written out."""
    ahead = scores[positive][:, None] - scores[~positive][None]
    kernel = (ahead > 0) + 0.5 * (ahead == 0)
    n_on, n_off = kernel.shape
    return kernel.mean(), kernel.mean(axis=1).var(ddof=1) / n_on + kernel.mean(axis=0).var(ddof=1) / n_off


def test_an_area_counts_ties_half_and_its_variance_is_delongs_where_the_model_says_less():
    """Scores of the rarer side that spread three times as much: DeLong's variance exceeds Hanley & McNeil's, and the score test
    at the end of the interval is 1.96 of its standard errors."""
    random = np.random.default_rng(0)
    labels = (random.random(120) < 0.4).astype(int)
    positive = np.round(random.normal(size=120) * np.where(labels, 3, 1) + labels, 1)
    area, variance = delong_by_hand(positive, labels == 1)
    scores = np.stack([-positive, positive], axis=1)
    assert auroc(scores, labels, 2) == pytest.approx(area)
    n_on, n_off = int(labels.sum()), int((1 - labels).sum())

    def model(value):
        pairs = (n_on + n_off) / 2 - 1
        return value * (1 - value) * (1 + pairs * ((1 - value) / (2 - value) + value / (1 + value))) / (n_on * n_off)

    assert variance > model(area)
    for end in auroc_interval(scores, labels, 2, None):
        assert abs(area - end) == pytest.approx(norm.ppf(0.975) * np.sqrt(variance / model(area) * model(end)))


def test_a_perfect_area_has_an_interval_and_one_group_of_a_class_none():
    labels = np.array([0] * 90 + [1] * 10)
    scores = np.stack([-labels, labels], axis=1).astype(float)
    low, high = auroc_interval(scores, labels, 2, None)
    assert 0.8 < low < 0.95 and high == 1.0
    assert auroc_interval(-scores, labels, 2, None) == pytest.approx((0.0, 1 - low))
    assert auroc_interval(scores, labels, 2, np.arange(100) // 10) is None  # one group holds all positives


def test_scores_that_are_all_equal_have_an_area_of_one_half_for_certain():
    labels = np.arange(20) % 2
    assert auroc_interval(np.ones((20, 2)), labels, 2, None) == (0.5, 0.5)


def test_bootstrap_weights_are_resamples_of_the_same_size_and_chunks_do_not_show():
    few = np.concatenate(list(bootstrap_weights(50, seed=1)))
    assert few.shape == (1000, 50) and (few.sum(axis=1) == 50).all()
    assert few.mean() == 1 and few.var() == pytest.approx(1 - 1 / 50, abs=0.02)
    chunks = list(bootstrap_weights(10_000, seed=1))
    assert sum(len(chunk) for chunk in chunks) == 1000 and max(chunk.nbytes for chunk in chunks) < 2**24
    picks = np.random.default_rng(1).integers(0, 10_000, size=(1000, 10_000))
    assert np.array_equal(chunks[-1][-1], np.bincount(picks[-1], minlength=10_000))


def test_draws_that_never_vary_give_no_interval():
    assert percentile_interval(np.ones(1000), 1.0) is None


def test_a_percentile_interval_always_holds_its_value():
    assert percentile_interval(np.linspace(0.5, 0.6, 1000), 0.7) == pytest.approx((0.5025, 0.7))


def test_units_are_codes_of_groups_and_none_when_every_row_has_its_own():
    assert group_units(["b", "a", "b"]).tolist() == [1, 0, 1]
    assert group_units(["b", "a", "c"]) is None
    assert group_units(None) is None
