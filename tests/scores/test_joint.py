"""Joint scores of several yes/no targets: worked by hand, as scikit-learn says, and intervals that cover."""

from __future__ import annotations

import numpy as np
import pytest

from lit_probe.scores.joint import joint_scores


def test_scores_are_those_of_scikit_learn():
    from sklearn.metrics import accuracy_score, f1_score

    random = np.random.default_rng(0)
    labels = random.random((300, 4)) < [0.1, 0.3, 0.5, 0.9]
    says = np.where(random.random(labels.shape) < 0.8, labels, ~labels)
    one = joint_scores("dev", says, labels, [False, False, True, True], None, list("abcd"), [0, 1, 2, 3])
    expected = (f1_score(labels, says, average="macro"), f1_score(labels, says, average="micro"), accuracy_score(labels, says))
    assert (one.macro_f1.value, one.micro_f1.value, one.subset_accuracy.value) == pytest.approx(expected)
    assert one.subset_baseline == pytest.approx(accuracy_score(labels, np.tile([False, False, True, True], (300, 1))))
    assert all(score.low < score.value < score.high for score in (one.macro_f1, one.micro_f1, one.subset_accuracy))


def test_nothing_to_find_has_no_f1_and_few_rows_are_not_relied_on():
    none = np.zeros((20, 2), bool)
    one = joint_scores("dev", none, none, [False, False], None, ["a", "b"], [0, 0])
    assert one.macro_f1.value is None and one.micro_f1.value is None and one.subset_accuracy.value == 1
    assert not one.subset_accuracy.reliable and "only 20 rows" in one.subset_accuracy.reason


def test_intervals_cover_where_the_answers_to_a_row_go_together():
    random, held, draws = np.random.default_rng(1), np.zeros(3), 300
    truth = None
    for draw in range(draws + 1):
        n = 200_000 if draw == 0 else 200
        labels = random.random((n, 3)) < 0.4
        wrong = (random.random((n, 1)) < 0.2) & (random.random((n, 3)) < 0.8)
        one = joint_scores("dev", labels ^ wrong, labels, [False] * 3, None, list("abc"), [0, 0, 0])
        scores = (one.macro_f1, one.micro_f1, one.subset_accuracy)
        if draw == 0:
            truth = [score.value for score in scores]
        else:
            held += [score.low <= value <= score.high for score, value in zip(scores, truth, strict=True)]
    assert (np.abs(held / draws - 0.95) < 0.03).all(), held / draws
