"""Whether the interval of every metric holds the truth as often as its docstring claims, rare classes and few groups included.

Each case draws 1,000 data sets and counts; the standard error of a share of 0.95 is then 0.007, so that 0.93 and 0.97 are
three of them away. Counts are discrete: near a recall of 1, and with four rows of a class, single cases of any interval lie
outside.
"""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import norm

from lit_probe.scores.class_means import balanced_accuracy_interval, f1_interval, macro_f1_interval, mcc_interval
from lit_probe.scores.metrics import ScoredRows, metrics_for

N_DRAWS = 1000


def share_covering(name: str, truth: float, rows: ScoredRows) -> float:
    """The share of layers, each a data set of its own with the same labels, whose interval holds ``truth``."""
    scores = metrics_for(rows.label_names)[name].score(rows)
    return float(np.mean([score.low is not None and score.low <= truth <= score.high for score in scores]))


def true_values(cells):
    """The metrics of a population with these shares of label (row) and answer (column)."""
    actual, predicted, hits = cells.sum(axis=1), cells.sum(axis=0), np.diag(cells)
    f1 = 2 * hits / (actual + predicted)
    spread = np.sqrt((1 - (actual**2).sum()) * (1 - (predicted**2).sum()))
    mcc = (hits.sum() - actual @ predicted) / spread
    return {"balanced_accuracy": (hits / actual).mean(), "macro_f1": f1.mean(), "mcc": mcc, "f1:1": f1[1]}


def coverage(n, shares, confusion, seed):
    """By metric, the share of data sets of ``n`` rows whose interval holds the value of the population.

    Labels are drawn as well as answers; a data set that lacks a class has no score, and is drawn again.
    """
    n_classes = len(shares)
    cells = np.asarray(shares)[:, None] * confusion
    truth, random = true_values(cells), np.random.default_rng(seed)
    held = dict.fromkeys(truth, 0)
    for _ in range(N_DRAWS):
        labels = np.zeros(n, dtype=int)
        while len(np.unique(labels)) < n_classes:
            labels, predicted = np.divmod(random.choice(n_classes**2, size=n, p=cells.ravel()), n_classes)
        found = {
            "balanced_accuracy": balanced_accuracy_interval(predicted, labels, n_classes, None),
            "macro_f1": macro_f1_interval(predicted, labels, n_classes, None),
            "mcc": mcc_interval(predicted, labels, n_classes, None),
            "f1:1": f1_interval(predicted, labels, 1, None),
        }
        for name, interval in found.items():
            held[name] += interval is not None and interval[0] <= truth[name] <= interval[1]
    return {name: count / N_DRAWS for name, count in held.items()}


def two_classes(recall, recall_of_rare):
    return np.array([[recall, 1 - recall], [1 - recall_of_rare, recall_of_rare]])


# Rows, rows of the rare class, recalls: the first is a case in which the percentile bootstrap of rows covered 68 %.
RARE = [
    (225, 10, 0.97, 0.9),
    (225, 20, 0.97, 0.9),
    (450, 30, 0.97, 0.9),
    (200, 10, 0.8, 0.6),
    (450, 20, 0.95, 0.5),
    (1000, 20, 0.9, 0.9),
    (100, 30, 0.8, 0.7),
    (200, 100, 0.6, 0.6),
    (872, 436, 0.95, 0.95),
]


@pytest.mark.parametrize("case", RARE)
def test_rare_classes_are_covered(case):
    n, n_rare, *recalls = case
    found = coverage(n, [1 - n_rare / n, n_rare / n], two_classes(*recalls), seed=n)
    assert all(0.925 <= share <= 0.975 for share in found.values()), found


@pytest.mark.parametrize("case", [(225, 4, 0.97, 0.9), (100, 5, 0.6, 0.6), (400, 40, 0.99, 0.99)])
def test_four_rows_of_a_class_and_recalls_near_one_are_covered_nearly_as_well(case):
    n, n_rare, *recalls = case
    found = coverage(n, [1 - n_rare / n, n_rare / n], two_classes(*recalls), seed=n)
    assert all(0.91 <= share <= 0.98 for share in found.values()), found


@pytest.mark.parametrize("recall", [0.6, 0.9])
@pytest.mark.parametrize("shares", [(0.5, 0.3, 0.2), (0.8, 0.15, 0.05), (0.5, 0.2, 0.1, 0.1, 0.05, 0.05)])
def test_several_classes_are_covered(shares, recall):
    confusion = np.full((len(shares), len(shares)), (1 - recall) / (len(shares) - 1))
    np.fill_diagonal(confusion, recall)
    found = coverage(400, shares, confusion, seed=len(shares))
    assert all(0.925 <= share <= 0.975 for share in found.values()), found


@pytest.mark.parametrize("n_groups", [10, 15, 40, 200])
@pytest.mark.parametrize("agreement", [0.0, 0.5])
def test_few_groups_are_covered(n_groups, agreement):
    """Groups of eight rows, half of them of each class, whose answers agree in that share. The percentile bootstrap at ten groups
    covered 86–88 %."""
    random = np.random.default_rng(n_groups)
    units, labels = np.repeat(np.arange(n_groups), 8), np.arange(8 * n_groups) % 2
    confusion = two_classes(0.85, 0.75)
    shared = random.random((n_groups, N_DRAWS))[units]
    shift = np.where(random.random((8 * n_groups, N_DRAWS)) < agreement, shared, random.random((8 * n_groups, N_DRAWS)))
    # Class 1 counts its answers from the other end, so that rows of a group are right together.
    shift = np.where(labels[:, None] == 1, 1 - shift, shift)
    answers = (shift > confusion[labels, 0][:, None]).astype(int)
    rows, truth = ScoredRows(np.eye(2)[answers], labels, units), true_values(0.5 * confusion)
    found = {name: share_covering(name, value, rows) for name, value in truth.items()}
    assert all(0.925 <= share <= 0.995 for share in found.values()), found


@pytest.mark.parametrize("sharpness", [0.5, 1.0, 2.0])
@pytest.mark.parametrize(("n_groups", "size"), [(30, 1), (200, 1), (872, 1), (10, 10), (15, 10), (40, 5)])
def test_the_log_loss_is_covered_for_timid_calibrated_and_overconfident_probabilities(n_groups, size, sharpness):
    random = np.random.default_rng(n_groups)

    def drawn(n_draws):
        shared = random.normal(size=(n_groups, n_draws)) if size > 1 else np.zeros((n_groups, n_draws))
        logits = 2 * random.normal(size=(n_groups * size, n_draws)) + np.repeat(shared, size, axis=0)
        return logits, random.random(logits.shape) < 1 / (1 + np.exp(-logits))

    truth = np.mean([np.logaddexp(0, np.where(y, -1, 1) * sharpness * s).mean() for s, y in [drawn(200_000 // n_groups)]])
    logits, truths = drawn(N_DRAWS)
    # One row per label: where the answer is 0, the probability of the other class is asked for.
    positive = 1 / (1 + np.exp(-sharpness * np.where(truths, logits, -logits)))
    units = np.repeat(np.arange(n_groups), size) if size > 1 else None
    rows = ScoredRows(np.stack([1 - positive, positive], axis=2), np.ones(n_groups * size, dtype=int), units)
    assert 0.92 <= share_covering("log_loss", truth, rows) <= 0.975


@pytest.mark.parametrize("area", [0.55, 0.75, 0.9, 0.98])
@pytest.mark.parametrize(("n", "n_rare"), [(100, 10), (225, 10), (450, 30), (100, 50), (800, 400)])
def test_areas_are_covered(n, n_rare, area):
    """DeLong's interval on the logit scale covered 86–88 % with ten rows of the rarer class and an area of 0.9 or more."""
    random = np.random.default_rng(n)
    labels = (np.arange(n) < n_rare).astype(int)
    logits = random.normal(size=(n, N_DRAWS)) + norm.ppf(area) * np.sqrt(2) * labels[:, None]
    positive = 1 / (1 + np.exp(-logits))
    rows = ScoredRows(np.stack([1 - positive, positive], axis=2), labels)
    assert 0.93 <= share_covering("auroc", area, rows) <= 0.985


@pytest.mark.parametrize("spread", [1 / 3, 3])
def test_areas_of_scores_that_spread_unequally_are_covered_too(spread):
    random = np.random.default_rng(3)
    labels = (np.arange(450) < 150).astype(int)
    logits = random.normal(size=(450, N_DRAWS)) * np.where(labels, spread, 1)[:, None]
    logits += norm.ppf(0.8) * np.sqrt(1 + spread**2) * labels[:, None]
    positive = 1 / (1 + np.exp(-logits))
    rows = ScoredRows(np.stack([1 - positive, positive], axis=2), labels)
    assert 0.93 <= share_covering("auroc", 0.8, rows) <= 0.98
