"""Which layer is chosen on dev, and how often it is the best one."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import norm

from lit_probe.errors import ProbeError, UnknownNameError
from lit_probe.probing.layer_choice import LAYER_RULES, choose_layer
from lit_probe.scores.metrics import METRICS, Score
from lit_probe.scores.scored_rows import ScoredRows

DISTANCES = np.array([1.2, 1.3, 1.4, 1.5, 1.7, 2.0, 1.8])
ACCURACIES = norm.cdf(DISTANCES / 2)


def drawn(random, n, sureness=1.0):
    """``n`` rows at seven layers that share half of their errors, with calibrated probabilities where ``sureness`` is 1."""
    labels = random.permutation(np.arange(n) % 2)
    errors = (random.normal(size=(n, 1)) + random.normal(size=(n, len(DISTANCES)))) / np.sqrt(2)
    logits = sureness * DISTANCES * (DISTANCES * (labels - 0.5)[:, None] + errors)
    positive = 1 / (1 + np.exp(-logits))
    return ScoredRows(np.stack([1 - positive, positive], axis=2), labels)


def found(n, n_draws=1000, sureness=1.0):
    """By rule, how often the best layer is chosen, and how much accuracy the chosen one lacks."""
    random = np.random.default_rng(0)
    chosen = {rule: [] for rule in LAYER_RULES}
    for _ in range(n_draws):
        rows = drawn(random, n, sureness)
        scores = METRICS["accuracy"].score(rows), METRICS["log_loss"].score(rows)
        for rule, layers in chosen.items():
            layers.append(choose_layer(*scores, rule).layer)
    best = int(ACCURACIES.argmax())
    return {
        rule: (np.mean(np.array(layers) == best), ACCURACIES[best] - ACCURACIES[layers].mean()) for rule, layers in chosen.items()
    }


def test_the_best_layer_is_found_more_often_where_log_loss_decides_among_equals():
    """1,000 draws of 150 rows, standard error 0.014: by accuracy alone 70 % and 0.010 lost, with log-loss 78 % and 0.007."""
    rules = found(150)
    assert rules["headline"][0] < 0.72 < 0.75 < rules["one_se"][0]
    assert rules["one_se"][1] < 0.75 * rules["headline"][1]
    assert abs(rules["one_se"][0] - rules["log_loss"][0]) < 0.03


def test_one_layer_that_is_far_too_sure_of_itself_misleads_log_loss_more_than_the_default():
    """200 draws: the best layer's logits are 2.5 times as large as they should be, and its log-loss tells nothing good of it."""
    sureness = np.where(ACCURACIES.max() == ACCURACIES, 2.5, 1.0)
    rules = found(800, 200, sureness)
    assert rules["log_loss"][0] < 0.1 < 0.5 < rules["one_se"][0] < rules["headline"][0]


def scores(*values, half=0.06):
    return [Score(value, None if value is None else value - half, value and value + half, 150, True) for value in values]


def test_among_are_the_layers_within_one_standard_error_of_the_best():
    # The interval is 0.06 to each side, so one standard error is 0.031.
    headline, losses = scores(0.70, 0.80, 0.772, 0.768), scores(0.3, 0.47, 0.45, 0.4)
    choice = choose_layer(headline, losses)
    assert (choice.layer, choice.among) == (2, (1, 2))
    assert "Layer 2 has the lowest log-loss" in choice.sentence and "(the others: 1)" in choice.sentence
    assert choose_layer(headline, losses, "headline").among == (1,)
    assert choose_layer(headline, losses, "log_loss").layer == 0


def test_the_standard_error_of_few_groups_is_that_of_their_interval():
    # Student's t of 3 groups is 4.30: the same interval stands for a smaller error.
    headline, losses = scores(0.80, 0.78), scores(0.5, 0.4)
    assert choose_layer(headline, losses).among == (0, 1)
    assert choose_layer(headline, losses, n_groups=3).among == (0,)
    assert choose_layer(headline, losses, n_groups=3).sentence.startswith("Layer 0 has the best score, and no other one")


def test_equal_layers_leave_the_lowest():
    same = scores(0.9, 0.9, 0.9)
    for rule in LAYER_RULES:
        assert choose_layer(same, same, rule).layer == 0
        assert choose_layer(same, same, rule).among == (0, 1, 2)


def test_without_an_interval_only_equal_layers_are_left():
    headline = [Score(value, None, None, 9, False) for value in (0.8, 0.9, 0.9, 0.89)]
    assert choose_layer(headline, scores(0.1, 0.5, 0.4, 0.3)).among == (1, 2)


def test_layers_without_a_score_do_not_count():
    assert choose_layer(scores(None, 0.2, None), scores(0.1, 0.5, 0.1)).layer == 1
    with pytest.raises(ProbeError, match="no layer has a score"):
        choose_layer([Score(None, None, None, 5, False, "no rows")] * 2, scores(0.1, 0.2))
    with pytest.raises(UnknownNameError, match="Choose one of: headline, log_loss, one_se"):
        choose_layer(scores(0.5), scores(0.5), "best")
