"""Which class probabilities stand for: rules, and what they do to scores where a class is rare."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import norm

from lit_probe.errors import ProbeError, UnknownNameError
from lit_probe.scores.decision import ARGMAX, Decision
from lit_probe.scores.metrics import METRICS, metrics_for, score_layers
from lit_probe.scores.scored_rows import ScoredRows


def rows_of(share: float, area: float, n: int, seed: int = 0):
    """Calibrated probabilities of a class with this share that normal scores rank with this AUROC, and labels."""
    random = np.random.default_rng(seed)
    distance = np.sqrt(2) * norm.ppf(area)
    labels = (random.random(n) < share).astype(int)
    scores = distance * (random.normal(size=n) + distance * (labels - 0.5)) + np.log(share / (1 - share))
    positive = 1 / (1 + np.exp(-scores))
    return np.stack([1 - positive, positive], axis=1)[:, None], labels


@pytest.mark.parametrize(("share", "area", "plain", "best"), [(0.23, 0.889, 0.753, 0.806), (0.08, 0.63, 0.5, 0.593)])
def test_with_a_rare_class_the_most_probable_class_hides_what_the_probe_knows(share, area, plain, best):
    """100,000 rows, standard error 0.002 and 0.003: the figures of `Decision`, which are those of the normal distribution."""
    probabilities, labels = rows_of(share, area, 100_000)
    by_prior = Decision.by("prior", labels, 2)
    found = [score_layers("balanced_accuracy", probabilities, labels, decision=rule)[0].value for rule in (ARGMAX, by_prior)]
    assert found == pytest.approx([plain, best], abs=0.009)
    assert score_layers("auroc", probabilities, labels)[0].value == pytest.approx(area, abs=0.009)


def test_no_other_threshold_has_a_better_balanced_accuracy():
    probabilities, labels = rows_of(0.15, 0.8, 50_000)
    ours = score_layers("balanced_accuracy", probabilities, labels, decision=Decision.by("prior", labels, 2))[0].value
    others = [Decision("prior", (1 - share, share)) for share in np.linspace(0.02, 0.6, 30)]
    assert ours >= max(score_layers("balanced_accuracy", probabilities, labels, decision=one)[0].value for one in others) - 0.003


def test_the_rule_moves_what_counts_decisions_and_nothing_else():
    probabilities, labels = rows_of(0.2, 0.8, 500)
    rule = Decision.by("prior", labels, 2)
    for name in METRICS:
        full = name if name in metrics_for(["0", "1"]) else f"{name}:1"
        plain, moved = (score_layers(full, probabilities, labels, decision=one)[0] for one in (ARGMAX, rule))
        assert (plain == moved) == (name in ("auroc", "log_loss")), name


def test_of_equal_shares_it_is_the_most_probable_class():
    probabilities = np.random.default_rng(0).dirichlet(np.ones(3), (200, 4))
    assert np.array_equal(Decision.by("prior", [0, 1, 2], 3).classes(probabilities), ARGMAX.classes(probabilities))
    assert np.array_equal(ARGMAX.classes(probabilities), probabilities.argmax(axis=2))


def test_adjusted_logits_decide_as_probabilities_do():
    random = np.random.default_rng(1)
    logits = random.normal(size=(300, 5, 4))
    probabilities = np.exp(logits) / np.exp(logits).sum(axis=2, keepdims=True)
    for rule in (ARGMAX, Decision.by("prior", random.choice(4, 100, p=[0.7, 0.1, 0.1, 0.1]), 4)):
        assert np.array_equal(rule.adjusted(logits).argmax(axis=2), rule.classes(probabilities))
        assert np.array_equal(rule.classes_of_logits(logits), rule.classes(probabilities))


def test_the_rule_for_other_train_labels_takes_their_shares():
    assert Decision.by("prior", [0, 0, 0, 1], 2).of_other_train([1, 1, 1, 0]).shares == (0.25, 0.75)
    assert ARGMAX.of_other_train([1, 0]) == ARGMAX


def test_a_probe_that_has_learnt_nothing_names_the_frequent_class():
    """Its quotients are all 1 but for rounding, which would name the rare class in 43 % of data sets."""
    random = np.random.default_rng(0)
    for _ in range(200):
        labels = np.concatenate([[0, 1, 2], random.choice(3, 60, p=[0.7, 0.2, 0.1])])
        logits = np.log(np.bincount(labels) / len(labels)) + random.normal()
        constant = np.exp(logits) / np.exp(logits).sum()
        decided = Decision.by("prior", labels, 3).classes(np.tile(constant, (5, 1)))
        assert set(decided) == {int(np.bincount(labels).argmax())}


def test_shares_and_rule_go_together():
    assert Decision.by("prior", [0, 0, 0], 2) == ARGMAX, "no probe can be fitted without a row of each class"
    for rule, shares in (("prior", ()), ("argmax", (0.5, 0.5)), ("prior", (1.0, 0.0))):
        with pytest.raises(ProbeError, match="does not go with the shares"):
            Decision(rule, shares)


def test_an_unknown_rule_is_refused():
    with pytest.raises(UnknownNameError, match="Unknown decision rule 'mode'"):
        Decision("mode")


def test_a_rare_class_is_a_doubt_of_the_metrics_that_weigh_classes_alone():
    """Three rows of a class among 300: TREC's accuracy has 500 rows, and nothing is wrong with its interval."""
    labels = np.repeat([0, 1, 2], [150, 147, 3])
    rows = ScoredRows(np.random.default_rng(0).dirichlet(np.ones(3), (300, 2)), labels, label_names=("a", "b", "rare"))
    doubtful = {name for name, metric in metrics_for(rows.label_names).items() if not metric.score(rows)[0].reliable}
    of_classes = {f"{name}:rare" for name in ("precision", "recall", "f1")}
    assert doubtful == {"balanced_accuracy", "macro_f1", "auroc"} | of_classes
    few = ScoredRows(rows.probabilities[:20], labels[:20], label_names=rows.label_names)
    assert not METRICS["accuracy"].score(few)[0].reliable and not METRICS["log_loss"].score(few)[0].reliable
