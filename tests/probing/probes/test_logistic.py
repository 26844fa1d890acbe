import numpy as np
import pytest
from planted import planted
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.model_selection import GridSearchCV, StratifiedGroupKFold, StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from lit_probe.probing.probes import fit_logistic
from lit_probe.probing.probes.logistic import C_GRID


def independent_search(x, labels, cv, groups=None) -> GridSearchCV:
    """scikit-learn's own grid search with the stated rule; of equal scores it takes the first, the smaller C."""
    pipeline = make_pipeline(StandardScaler(), LogisticRegression(max_iter=10_000, tol=1e-8))
    search = GridSearchCV(pipeline, {"logisticregression__C": list(C_GRID)}, scoring="neg_log_loss", cv=cv)
    return search.fit(np.asarray(x, dtype=np.float64), labels, groups=groups)


# The stronger the signal among few features, the weaker the best regularisation: the cases choose different values of C.
@pytest.mark.parametrize(("strength", "d_model", "expected"), [(0.2, 8, 1e-4), (0.2, 4, 1e-2), (1.0, 8, 1e-1), (2.0, 4, 1.0)])
def test_c_and_the_predictions_are_those_of_an_independent_grid_search(strength, d_model, expected):
    data = planted(strength=strength, d_model=d_model)
    probe = fit_logistic(data.x, data.labels, 2, seed=0)
    search = independent_search(data.x, data.labels, StratifiedKFold(3, shuffle=True, random_state=0))
    assert probe.settings["C"] == search.best_params_["logisticregression__C"] == expected
    assert probe.settings["cv_log_loss"] == pytest.approx(-search.cv_results_["mean_test_score"], abs=1e-4)
    theirs = search.predict_proba(data.test_x.astype(np.float64))
    assert probe.predict_proba(data.test_x) == pytest.approx(theirs, abs=1e-5)
    assert np.array_equal(probe.predict(data.test_x), theirs.argmax(axis=1))


@pytest.mark.parametrize("n_classes", [3, 6])
def test_more_than_two_classes_are_multinomial(n_classes):
    data = planted(n_classes, strength=1.5)
    probe = fit_logistic(data.x, data.labels, n_classes, seed=1)
    search = independent_search(data.x, data.labels, StratifiedKFold(3, shuffle=True, random_state=1))
    assert probe.settings["C"] == search.best_params_["logisticregression__C"]
    assert probe.predict_proba(data.test_x) == pytest.approx(search.predict_proba(data.test_x.astype(np.float64)), abs=1e-5)
    assert probe.coef_.shape == (n_classes, 16) and probe.intercept_.shape == (n_classes,)


def test_with_groups_c_is_that_of_an_independent_search_by_group():
    # Every row comes four times under one name: only folds by group see that the features are noise.
    data = planted(strength=0.3, n_train=100, d_model=24)
    x, labels = np.repeat(data.x, 4, axis=0), np.repeat(data.labels, 4)
    groups = np.repeat([f"film {index}" for index in range(100)], 4)
    by_group = fit_logistic(x, labels, 2, groups, seed=0)
    search = independent_search(x, labels, StratifiedGroupKFold(3, shuffle=True, random_state=0), groups)
    assert by_group.settings["C"] == search.best_params_["logisticregression__C"]
    assert by_group.settings["cv"] == {"folds": 3, "by": "group", "note": ""}
    assert fit_logistic(x, labels, 2, seed=0).settings["C"] > by_group.settings["C"]


def test_coefficients_are_scikit_learns():
    data = planted(strength=1.0)
    probe = fit_logistic(data.x, data.labels, 2)
    model = make_pipeline(StandardScaler(), LogisticRegression(C=probe.settings["C"], max_iter=10_000, tol=1e-8))
    model.fit(data.x.astype(np.float64), data.labels)
    assert probe.coef_ == pytest.approx(model[-1].coef_, abs=1e-5)
    assert probe.intercept_ == pytest.approx(model[-1].intercept_, abs=1e-5)


def test_equal_losses_choose_the_smaller_c():
    labels = np.arange(60) % 2
    probe = fit_logistic(np.ones((60, 3)), labels, 2)
    assert probe.settings["C"] == C_GRID[0]
    assert probe.settings["cv_log_loss"] == pytest.approx([log_loss(labels, np.full(60, 0.5))] * 5, abs=1e-6)


def test_standardisation_inside_a_fold_does_not_see_the_held_out_rows():
    # One enormous outlier: standardising on all rows would flatten the feature in every fold and change the losses.
    data = planted(strength=2.0, n_train=90, d_model=2)
    x = data.x.copy()
    x[0] = 1e6
    losses = fit_logistic(x, data.labels, 2).settings["cv_log_loss"]
    search = independent_search(x, data.labels, StratifiedKFold(3, shuffle=True, random_state=0))
    assert losses == pytest.approx(-search.cv_results_["mean_test_score"], abs=1e-3)


def test_the_end_of_the_optimisation_is_on_record():
    data = planted(strength=1.0)
    settings = fit_logistic(data.x, data.labels, 2).settings
    assert settings["n_iter"] < settings["max_iter"]
    assert settings["largest_gradient"] < 1e-6
