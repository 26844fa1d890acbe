"""Rankings of neurons for a number: the formulas by scikit-learn and numpy, a planted neuron, and what is of classes."""

from __future__ import annotations

import json

import numpy as np
import pytest
from sklearn.linear_model import ElasticNet, Lasso, Ridge
from sklearn.metrics import r2_score
from sklearn.preprocessing import StandardScaler

from lit_probe import probe_activations, rank_neurons
from lit_probe.errors import UnservedError
from lit_probe.neurons.neuron_report import neuron_report, neuron_rows, neuron_table
from lit_probe.neurons.rankings import RANKINGS, RankingOptions
from lit_probe.neurons.rankings.neuron_evaluation import compare_rankings, evaluate_ranking, minimal_set
from lit_probe.neurons.rankings.neuron_stability import neuron_stability

OF_NUMBERS = [name for name, one in RANKINGS.items() if "number" in one.targets]
FINDING = [name for name in OF_NUMBERS if name != "random"]


@pytest.fixture(scope="module")
def study():
    random = np.random.default_rng(0)
    x = random.normal(size=(300, 2, 24))
    x[:, :, 11] = 3.0
    return probe_activations(x, 50 - 8 * x[:, 1, 7] + random.normal(size=300))


def train_of(study, layer):
    return StandardScaler().fit_transform(study.activations["train"].layer(layer)), study.splits.train.labels


def test_which_rankings_are_of_a_number():
    assert OF_NUMBERS == ["weight_mass", "l1", "l2", "elastic_net", "correlation", "random"]


@pytest.mark.parametrize("name", FINDING)
def test_the_planted_neuron_comes_first_and_its_sign_says_which_way(study, name):
    ranking = rank_neurons(study, name, options=RankingOptions(strength=0.01))
    assert ranking.names[ranking.order[0]] == "1:7" and "1:11" not in ranking.names
    assert ranking.class_scores.shape == (1, ranking.n_units) == (1, 46) and ranking.label_names == ()
    assert ranking.signs[0, ranking.order[0]] == -1
    for chunks in (ranking.chunks(), ranking.chunks(7)):
        assert sorted(np.concatenate(chunks)) == list(range(46))
    json.dumps(ranking.to_json(), allow_nan=False)


@pytest.mark.parametrize("name", OF_NUMBERS)
def test_three_runs_agree_and_the_numbers_scale_changes_no_place(study, name):
    one, other = rank_neurons(study, name), rank_neurons(study, name)
    assert np.array_equal(one.scores, other.scores) and np.array_equal(one.order, other.order)


def test_weight_mass_is_the_share_of_the_ridges_weights(study):
    ranking = rank_neurons(study, "weight_mass", 1)
    x, y = train_of(study, 1)
    weights = np.abs(Ridge(alpha=study.layerwise.probes[1].settings["alpha"]).fit(x, y).coef_)[ranking.units[:, 1]]
    assert ranking.scores == pytest.approx(weights / weights.sum(), abs=1e-6)


@pytest.mark.parametrize(
    ("name", "model"),
    [
        ("l1", Lasso(alpha=0.02)),
        ("l2", Ridge(alpha=0.02 * 200)),
        ("elastic_net", ElasticNet(alpha=0.02, l1_ratio=0.3, tol=1e-8)),
    ],
)
def test_the_regressions_are_scikit_learns_on_the_standardised_number(study, name, model):
    ranking = rank_neurons(study, name, 1, options=RankingOptions(strength=0.02, l1_ratio=0.3))
    x, y = train_of(study, 1)
    assert len(y) == 200
    weights = model.fit(x, (y - y.mean()) / y.std()).coef_[ranking.units[:, 1]]
    assert ranking.class_scores[0] == pytest.approx(weights / np.abs(weights).sum(), abs=1e-4)


def test_correlation_is_numpys(study):
    ranking = rank_neurons(study, "correlation", 1)
    x, y = train_of(study, 1)
    expected = [np.corrcoef(x[:, unit], y)[0, 1] for unit in ranking.units[:, 1]]
    assert ranking.class_scores[0] == pytest.approx(expected) and ranking.scores == pytest.approx(np.abs(expected))


@pytest.mark.parametrize("name", [name for name in RANKINGS if name not in OF_NUMBERS])
def test_rankings_of_classes_say_so(study, name):
    with pytest.raises(UnservedError, match="is about classes; this data set asks for a number"):
        rank_neurons(study, name)


def test_the_best_neurons_are_judged_by_r2_of_a_ridge(study):
    found = evaluate_ranking(study, rank_neurons(study, "correlation", 1), percentages=(5, 50), n_draws=5)
    assert found.evaluator == "ridge" and found.scale.metric == "r2"
    alpha = study.layerwise.probes[1].settings["alpha"]
    assert found.scale.logistic_strength == alpha
    x, y = train_of(study, 1)
    scaler = StandardScaler().fit(study.activations["train"].layer(1))
    dev = scaler.transform(study.activations["dev"].layer(1))[:, [7]]
    expected = r2_score(study.splits.dev.labels, Ridge(alpha=alpha).fit(x[:, [7]], y).predict(dev))
    assert found.points[0].k == 1 and found.points[0].top.value == pytest.approx(expected, abs=1e-6)
    assert found.points[0].top.value > 0.9 > 0.2 > found.points[0].bottom.value
    own = evaluate_ranking(study, rank_neurons(study, "correlation", 1), percentages=(100,), n_draws=1, refit=False)
    assert own.full.value == pytest.approx(study.metrics("dev").scores["r2"][1].value)
    with pytest.raises(UnservedError, match="The evaluator 'logistic regression' is about classes"):
        evaluate_ranking(study, rank_neurons(study, "correlation", 1), "logistic")


def test_minimal_set_stability_and_comparison_serve_numbers(study):
    ranking = rank_neurons(study, "correlation", 1)
    assert minimal_set(study, ranking, within=5).names == ("1:7",)
    for name in ("weight_mass", "correlation"):
        stable = neuron_stability(study, name, 1, k=(1,), n_draws=3)
        assert stable.points[0].jaccard == 1 and stable.frequent[0].name == "1:7"
    compared = compare_rankings(study, 1, percentages=(5,), n_draws=2)
    assert compared.methods == tuple(FINDING) and compared.evaluators == ("ridge",)


def test_a_report_tells_of_larger_and_smaller_numbers(study):
    report = neuron_report(study, "weight_mass", 1, lambda *_: None)
    table = neuron_table(report, 3)
    assert "goes with" in table and "1:7" in table and "smaller numbers" in table and "Dev R² from all neurons" in table
    assert "about classes; this data set asks for a number" in report.not_ablated
    assert set(neuron_rows(report)[0]) == {"rank", "layer", "unit", "score", "score:number"}
