"""By which rules a study is scored: what ``auto`` means, and that studies by other rules are other studies."""

from __future__ import annotations

import numpy as np
import pytest

from lit_probe.errors import UnknownNameError
from lit_probe.probing.rules import StudyRules
from lit_probe.scores.decision import ARGMAX

EVEN, SKEWED = [0, 1, 0, 1], [0] * 7 + [1] * 3


@pytest.mark.parametrize(
    ("labels", "headline", "metric", "decision"),
    [
        (EVEN, "auto", "accuracy", "argmax"),
        (SKEWED, "auto", "balanced_accuracy", "prior"),
        (SKEWED, "accuracy", "accuracy", "argmax"),
        (SKEWED, "auroc", "auroc", "prior"),
        (EVEN, "auroc", "auroc", "argmax"),
        (EVEN, "balanced_accuracy", "balanced_accuracy", "prior"),
    ],
)
def test_auto_scores_unbalanced_classes_by_balanced_accuracy_and_decides_beside_the_train_shares(
    labels, headline, metric, decision
):
    rules = StudyRules(headline)
    assert (rules.headline_for(labels, 2), rules.decision_for(labels, 2).rule) == (metric, decision)


def test_a_rule_that_is_named_is_taken():
    assert StudyRules(decision="argmax").decision_for(SKEWED, 2) == ARGMAX
    assert StudyRules(decision="prior").decision_for(SKEWED, 2).shares == (0.7, 0.3)
    assert np.allclose(StudyRules(decision="prior").decision_for(EVEN, 2).shares, 0.5)


@pytest.mark.parametrize("wrong", [{"headline": "f1"}, {"decision": "mode"}, {"layer_choice": "best"}])
def test_unknown_rules_are_refused(wrong):
    with pytest.raises(UnknownNameError, match="Choose one of"):
        StudyRules(**wrong)
