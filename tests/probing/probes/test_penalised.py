"""The penalised regressions reach the objective that scikit-learn reaches, whatever solver gets there."""

import json

import numpy as np
import pytest
from planted import planted
from sklearn.linear_model import ElasticNet as SklearnElasticNet
from sklearn.linear_model import Lasso, LogisticRegression, Ridge
from sklearn.preprocessing import StandardScaler

from lit_probe.errors import ProbeError, UnknownNameError
from lit_probe.probing.probes.penalised import PENALTIES, class_indicators, fit_penalised_linear, fit_penalised_logistic

L1_SHARES = {"l1": 1.0, "l2": 0.0, "elastic_net": 0.5}


def log_loss_objective(x, labels, weights, bias, strength, share) -> float:
    logits = x @ weights.T + bias
    logits = np.concatenate([np.zeros_like(logits), logits], axis=1) if logits.shape[1] == 1 else logits
    log_normaliser = np.log(np.exp(logits - logits.max(axis=1, keepdims=True)).sum(axis=1)) + logits.max(axis=1)
    loss = (log_normaliser - logits[np.arange(len(labels)), labels]).mean()
    return float(loss + strength * (share * np.abs(weights).sum() + (1 - share) / 2 * (weights**2).sum()))


def correlated(n_classes: int, n: int = 400, d_model: int = 20):
    data = planted(n_classes, strength=1.5, n_train=n, d_model=d_model)
    # Neurons of a real layer overlap; that is what makes the solvers differ.
    mix = np.random.default_rng(3).normal(size=(d_model, d_model)) + np.eye(d_model)
    return (data.x @ mix * 7 + 2).astype(np.float32), data.labels


@pytest.mark.parametrize("strength", [0.3, 1e-2, 1e-4])
@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("penalty", PENALTIES)
def test_the_logistic_objective_is_scikit_learns(penalty, n_classes, strength):
    x, labels = correlated(n_classes)
    probe = fit_penalised_logistic(x, labels, n_classes, penalty=penalty, strength=strength)
    scaled = StandardScaler().fit_transform(x.astype(np.float64))
    share = L1_SHARES[penalty]
    model = LogisticRegression(
        C=1 / (strength * len(x)), l1_ratio=share, solver="saga" if share else "lbfgs", tol=1e-7, max_iter=50_000, random_state=1
    ).fit(scaled, labels)
    theirs = log_loss_objective(scaled, labels, model.coef_, model.intercept_, strength, share)
    ours = log_loss_objective(scaled, labels, probe.coef_, probe.intercept_, strength, share)
    assert ours == pytest.approx(theirs, abs=5e-4)
    # SAGA, which more than two classes with an L1 part take, is the least exact; the other solvers fall short of nothing.
    assert ours < theirs + (5e-4 if share and n_classes > 2 else 1e-6)
    assert probe.settings["objective"] == pytest.approx(ours, abs=1e-9)
    assert probe.converged and probe.kind == f"logistic_{penalty}"
    assert probe.predict_proba(x) == pytest.approx(model.predict_proba(scaled), abs=0.02)


@pytest.mark.parametrize("strength", [0.1, 1e-3])
@pytest.mark.parametrize("penalty", PENALTIES)
def test_the_linear_objective_is_scikit_learns_for_every_target(penalty, strength):
    x, labels = correlated(3)
    targets = class_indicators(labels, 3)
    fit = fit_penalised_linear(x, targets, penalty=penalty, strength=strength)
    scaled = StandardScaler().fit_transform(x.astype(np.float64))
    share = L1_SHARES[penalty]
    model = {
        "l1": Lasso(alpha=strength, tol=1e-9, max_iter=100_000),
        "l2": Ridge(alpha=strength * len(x)),
        "elastic_net": SklearnElasticNet(alpha=strength, l1_ratio=share, tol=1e-9, max_iter=100_000),
    }[penalty].fit(scaled, targets)
    squares = ((targets - model.predict(scaled)) ** 2).sum() / (2 * len(x))
    size = share * np.abs(model.coef_).sum() + (1 - share) / 2 * (model.coef_**2).sum()
    assert fit.settings["objective"] == pytest.approx(squares + strength * size, abs=1e-5)
    assert fit.weights == pytest.approx(model.coef_, abs=0.01)
    assert fit.predict(x) == pytest.approx(model.predict(scaled), abs=0.02)
    assert fit.converged


def test_one_target_needs_no_second_axis():
    x, labels = correlated(2)
    one, two = (fit_penalised_linear(x, targets) for targets in (labels, labels[:, None]))
    assert one.weights.shape == (1, 20) and np.array_equal(one.weights, two.weights)


def test_more_strength_leaves_fewer_weights():
    x, labels = correlated(2)
    counts = [
        int((fit_penalised_logistic(x, labels, 2, penalty="l1", strength=strength).coef_ != 0).sum())
        for strength in (1e-4, 1e-2, 0.1, 10.0)
    ]
    assert counts == sorted(counts, reverse=True) and counts[0] > counts[2] > counts[3] == 0


def test_separable_classes_and_more_features_than_examples_converge():
    random = np.random.default_rng(0)
    x = random.normal(size=(60, 200))
    x[:, 3] += np.where(np.arange(60) % 2, 20, -20)
    probe = fit_penalised_logistic(x, np.arange(60) % 2, 2, penalty="l1", strength=1e-3)
    assert probe.converged and np.abs(probe.coef_[0]).argmax() == 3
    assert (probe.predict(x) == np.arange(60) % 2).all()


@pytest.mark.parametrize("penalty", PENALTIES)
def test_a_start_changes_the_way_not_the_end(penalty):
    x, labels = correlated(2)
    cold = fit_penalised_logistic(x, labels, 2, penalty=penalty, strength=1e-3)
    other = fit_penalised_logistic(x * 5 + 1, labels, 2, strength=0.5)
    warm = fit_penalised_logistic(x, labels, 2, penalty=penalty, strength=1e-3, start=other)
    assert warm.settings["objective"] == pytest.approx(cold.settings["objective"], abs=1e-6)


def test_a_start_at_the_optimum_is_there_at_once():
    x, labels = correlated(2)
    cold = fit_penalised_logistic(x, labels, 2, strength=1e-3)
    # The same probe in other units: the start is understood in those of the new rows.
    warm = fit_penalised_logistic(x * 1000 - 3, labels, 2, strength=1e-3, start=cold)
    again = fit_penalised_logistic(x, labels, 2, strength=1e-3, start=cold)
    assert again.settings["n_iter"] <= 1 < cold.settings["n_iter"]
    assert warm.settings["objective"] == pytest.approx(cold.settings["objective"], abs=1e-5)


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("penalty", PENALTIES)
def test_a_fit_that_stops_early_says_so(penalty, n_classes):
    x, labels = correlated(n_classes)
    assert not fit_penalised_logistic(x, labels, n_classes, penalty=penalty, strength=1e-4, max_iter=1).converged


def test_settings_are_json():
    x, labels = correlated(2)
    for settings in (fit_penalised_logistic(x, labels, 2).settings, fit_penalised_linear(x, labels).settings):
        assert json.loads(json.dumps(settings, allow_nan=False)) == settings


def test_bad_input_is_refused_in_a_sentence():
    x, labels = correlated(2)
    with pytest.raises(UnknownNameError, match=r"Unknown penalty 'l3'. Choose one of: elastic_net, l1, l2."):
        fit_penalised_logistic(x, labels, 2, penalty="l3")
    with pytest.raises(ProbeError, match="strength of a penalty must be a number above 0; got 0"):
        fit_penalised_linear(x, labels, strength=0)
    with pytest.raises(ProbeError, match="between 0 and 1; got 1"):
        fit_penalised_logistic(x, labels, 2, penalty="elastic_net", l1_ratio=1)
    with pytest.raises(ProbeError, match="'class 2' has 0"):
        fit_penalised_logistic(x, labels, 3)
    with pytest.raises(ProbeError, match="2 classes or more to tell apart; got 1"):
        fit_penalised_logistic(x, np.zeros_like(labels), 1)
    with pytest.raises(ProbeError, match="2 training examples or more; got 1"):
        fit_penalised_linear(x[:1], labels[:1])
    with pytest.raises(ProbeError, match="as many labels are needed"):
        fit_penalised_linear(x[1:], labels)
    with pytest.raises(ProbeError, match="targets of a linear regression must be finite"):
        fit_penalised_linear(x, np.where(labels, np.nan, 0.0))
    x[0, 0] = np.nan
    with pytest.raises(ProbeError, match="1 of 400 training examples hold NaN"):
        fit_penalised_linear(x, labels)
