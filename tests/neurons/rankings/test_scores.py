"""Each ranking against its formula, worked out in another way."""

from itertools import combinations

import numpy as np
import pytest
from planted_neurons import planted_neuron, rank_arrays
from scipy.special import logsumexp
from scipy.stats import multivariate_normal, norm
from sklearn.metrics import average_precision_score

from lit_probe.errors import LitProbeError
from lit_probe.neurons.rankings import RankingOptions
from lit_probe.neurons.rankings.average_precision import average_precisions
from lit_probe.neurons.rankings.gaussian import LEAST_VARIANCE, PRIOR_ROWS
from lit_probe.probing.probes.penalised import class_indicators, fit_penalised_linear, fit_penalised_logistic


def arrays(n_classes: int = 3):
    values, labels = planted_neuron(n=150, n_layers=1, d_model=6, layer=0, unit=2, n_classes=n_classes, strength=1.0)
    return values, labels


def test_weight_mass_is_the_share_of_absolute_weights_overall_and_per_class():
    values, labels = arrays()
    ranking = rank_arrays(values, labels, "weight_mass")
    weights = fit_penalised_logistic(values[:, 0], labels, 3, strength=0.1).layers[0][0]
    weights = weights - weights.mean(axis=0)
    assert ranking.scores == pytest.approx(np.abs(weights).sum(axis=0) / np.abs(weights).sum(), abs=1e-12)
    assert ranking.class_scores == pytest.approx(weights / np.abs(weights).sum(axis=1, keepdims=True), abs=1e-12)
    assert ranking.scores.sum() == pytest.approx(1)


@pytest.mark.parametrize("name", ["l1", "l2", "elastic_net"])
@pytest.mark.parametrize("regression", ["logistic", "linear"])
def test_regression_rankings_are_the_weights_of_the_penalised_fit(name, regression):
    values, labels = arrays()
    options = RankingOptions(regression=regression, strength=0.02, l1_ratio=0.3)
    ranking = rank_arrays(values, labels, name, options)
    x = values[:, 0]
    if regression == "logistic":
        weights = fit_penalised_logistic(x, labels, 3, penalty=name, strength=0.02, l1_ratio=0.3).layers[0][0]
    else:
        weights = fit_penalised_linear(x, class_indicators(labels, 3), penalty=name, strength=0.02, l1_ratio=0.3).weights
    weights = weights - weights.mean(axis=0)
    assert ranking.scores == pytest.approx(np.abs(weights).sum(axis=0) / np.abs(weights).sum())


def test_an_l1_ranking_says_how_many_neurons_have_no_weight():
    values, labels = planted_neuron(n_layers=1, layer=0)
    ranking = rank_arrays(values, labels, "l1", RankingOptions(strength=0.1))
    assert ranking.settings["by_layer"]["0"] == {"n_without_weight": int((ranking.scores == 0).sum()), "converged": True}
    assert 10 < (ranking.scores == 0).sum() < 24


def test_probeless_is_the_published_formula():
    # Antverg & Belinkov 2022: r = sum over pairs of classes of |mean(z) - mean(z')|. Means here: (0, 3), (1, 1), (5, 2).
    x = np.float32([[-1, 2], [1, 4], [1, 1], [1, 1], [4, 2], [6, 2]])[:, None]
    labels = np.array([0, 0, 1, 1, 2, 2])
    ranking = rank_arrays(x, labels, "probeless")
    assert ranking.scores.tolist() == [1 + 5 + 4, 2 + 1 + 1]
    assert np.abs(ranking.class_scores).tolist() == [[6, 3], [5, 3], [9, 2]]
    assert ranking.signs.tolist() == [[-1, 1], [-1, -1], [1, 1]]


def test_probeless_agrees_with_a_loop_over_pairs():
    values, labels = arrays()
    means = [values[labels == c, 0].mean(axis=0, dtype=float) for c in range(3)]
    expected = sum(np.abs(one - other) for one, other in combinations(means, 2))
    assert rank_arrays(values, labels, "probeless").scores == pytest.approx(expected)


def test_mean_gap_is_in_standard_deviations():
    values, labels = arrays()
    x = values[:, 0].astype(float)
    gaps = np.array([(x[labels == c].mean(axis=0) - x[labels != c].mean(axis=0)) / x.std(axis=0) for c in range(3)])
    ranking = rank_arrays(values, labels, "mean_gap")
    assert ranking.class_scores == pytest.approx(gaps)
    assert ranking.scores == pytest.approx(np.abs(gaps).mean(axis=0))


def test_average_precision_is_scikit_learns_ties_included():
    random = np.random.default_rng(0)
    x = np.round(random.normal(size=(80, 5)), 1).astype(np.float32)
    labels = np.arange(80) % 3
    found = average_precisions(x, labels, 3)
    for side, values in enumerate((x, -x)):
        for c in range(3):
            expected = [average_precision_score(labels == c, values[:, unit]) for unit in range(5)]
            assert found[side, c] == pytest.approx(expected)


def test_average_precision_takes_the_better_direction():
    values, labels = arrays(2)
    values[:, 0, 4] = -values[:, 0, 2]
    ranking = rank_arrays(values, labels, "average_precision")
    assert ranking.scores[4] == pytest.approx(ranking.scores[2])
    assert ranking.class_scores[:, 4] == pytest.approx(-ranking.class_scores[:, 2])


def bits(log_joint, labels) -> float:
    """Class entropy less cross-entropy; log_joint [n, n_classes]."""
    log_posterior = log_joint - logsumexp(log_joint, axis=1, keepdims=True)
    shares = np.bincount(labels) / len(labels)
    return float((log_posterior[np.arange(len(labels)), labels].mean() - (shares * np.log(shares)).sum()) / np.log(2))


def test_gaussian_is_the_mutual_information_under_one_normal_distribution_per_class():
    values, labels = arrays()
    x = values[:, 0].astype(float)
    x = (x - x.mean(axis=0)) / x.std(axis=0)
    expected = []
    for unit in range(6):
        log_joint = [
            norm.logpdf(x[:, unit], part.mean(), np.sqrt(part.var() + LEAST_VARIANCE)) + np.log(len(part) / len(x))
            for part in (x[labels == c, unit] for c in range(3))
        ]
        expected.append(bits(np.stack(log_joint, axis=1), labels))
    assert rank_arrays(values, labels, "gaussian").scores == pytest.approx(expected)


def joint_bits(x, labels, units) -> float:
    log_joint = []
    for c in range(labels.max() + 1):
        part = x[labels == c][:, units]
        covariance = np.cov(part.T, bias=True).reshape(len(units), -1) * len(part) / (len(part) + PRIOR_ROWS)
        np.fill_diagonal(covariance, part.var(axis=0) + LEAST_VARIANCE)
        log_joint.append(multivariate_normal(part.mean(axis=0), covariance).logpdf(x[:, units]) + np.log(len(part) / len(x)))
    return bits(np.stack(log_joint, axis=1), labels)


def test_greedy_gaussian_is_the_step_by_step_joint_search():
    values, labels = arrays()
    random = np.random.default_rng(1)
    values[:, 0, 5] = values[:, 0, 2] + 0.3 * random.normal(size=150)  # nearly a copy of the best neuron
    values[:, 0, 1] += 0.6 * (labels == 1)
    x = values[:, 0].astype(float)
    x = (x - x.mean(axis=0)) / x.std(axis=0)
    chosen, known = [], []
    for _ in range(4):
        tried = {unit: joint_bits(x, labels, [*chosen, unit]) for unit in range(6) if unit not in chosen}
        chosen.append(max(tried, key=tried.get))
        known.append(tried[chosen[-1]])
    alone = rank_arrays(values, labels, "gaussian")
    jointly = rank_arrays(values, labels, "gaussian", RankingOptions(greedy=4))
    assert jointly.order[:4].tolist() == chosen
    assert jointly.settings["by_layer"]["0"]["greedy_bits"] == pytest.approx(known, abs=1e-6)
    assert jointly.scores == pytest.approx(alone.scores)
    # The copy is second for itself, but adds nothing beside the original.
    assert set(alone.order[:2]) == {2, 5} and set(jointly.order[:2]) != {2, 5}


def test_greedy_is_bounded_by_the_layer_and_reads_one_layer():
    values, labels = planted_neuron(d_model=6, unit=2)
    with pytest.raises(LitProbeError, match=r"within one layer. Name the layer"):
        rank_arrays(values, labels, "gaussian", RankingOptions(greedy=2))
    with pytest.raises(LitProbeError, match="7 neurons cannot be chosen jointly: layer 0 has 6"):
        rank_arrays(values[:, 1:], labels, "gaussian", RankingOptions(greedy=7))


def test_random_orders_differ_by_seed_and_layer():
    values, labels = planted_neuron()
    one, other = (rank_arrays(values, labels, "random", RankingOptions(seed=seed)) for seed in (0, 1))
    assert not np.array_equal(one.order, other.order)
    assert not np.array_equal(one.scores[:24], one.scores[24:])


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"regression": "probit"}, "Unknown regression 'probit'. Choose one of: logistic, linear."),
        ({"strength": 0}, "strength of a penalty must be a number above 0; got 0"),
        ({"strength": float("nan")}, "must be a number above 0; got nan"),
        ({"l1_ratio": 1.0}, "between 0 and 1; got 1.0"),
        ({"greedy": -1}, "greedy must be 0 or more; got -1."),
    ],
)
def test_options_out_of_range_are_refused(options, sentence):
    with pytest.raises(LitProbeError, match=sentence):
        RankingOptions(**options)
