"""The probe of a number: scikit-learn's ridge, its penalty chosen by cross-validation on train."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import Ridge
from sklearn.model_selection import GroupKFold, KFold
from sklearn.preprocessing import StandardScaler

from lit_probe.errors import ProbeError
from lit_probe.probing.probes import FittedProbe, fit_ridge
from lit_probe.probing.probes.ridge import ALPHA_GRID


def planted(n=150, width=20, seed=0):
    random = np.random.default_rng(seed)
    x = random.normal(size=(n, width)) * np.exp(random.normal(size=width))
    return x, 1000 + 3 * x[:, 0] + random.normal(size=n)


@pytest.mark.parametrize("n, width", [(150, 20), (40, 90), (60, 60)])
def test_it_equals_scikit_learns_ridge(n, width):
    x, y = planted(n, width)
    probe = fit_ridge(x, y)
    scaler = StandardScaler().fit(x)
    model = Ridge(probe.settings["alpha"]).fit(scaler.transform(x), y)
    np.testing.assert_allclose(probe.coef_[0], model.coef_, atol=1e-8)
    np.testing.assert_allclose(probe.predict(x), model.predict(scaler.transform(x)), atol=1e-8)


@pytest.mark.parametrize("groups", [None, np.repeat(np.arange(30), 5)])
def test_alpha_is_that_of_the_smallest_error_in_folds(groups):
    x, y = planted()
    folds = KFold(3, shuffle=True, random_state=7) if groups is None else GroupKFold(3, shuffle=True, random_state=7)
    errors = np.zeros(len(ALPHA_GRID))
    for fitted, held in folds.split(x, y, groups):
        scaler = StandardScaler().fit(x[fitted])
        for place, alpha in enumerate(ALPHA_GRID):
            model = Ridge(alpha).fit(scaler.transform(x[fitted]), y[fitted])
            errors[place] += np.square(model.predict(scaler.transform(x[held])) - y[held]).mean() / 3
    probe = fit_ridge(x, y, groups=groups, seed=7)
    assert probe.settings["alpha"] == ALPHA_GRID[int(errors.argmin())]
    np.testing.assert_allclose(probe.settings["cv_squared_error"], errors / y.var(), rtol=1e-8)
    assert probe.settings["cv"]["by"] == ("row" if groups is None else "group")


def test_numbers_on_another_scale_give_the_same_probe_on_that_scale():
    x, y = planted()
    one, other = fit_ridge(x, y), fit_ridge(x, 1000 * y - 5)
    assert one.settings["alpha"] == other.settings["alpha"]
    np.testing.assert_allclose(other.predict(x), 1000 * one.predict(x) - 5, rtol=1e-9)


def test_dead_units_are_left_out():
    x, y = planted()
    dead = np.insert(x, 3, 7.0, axis=1)
    probe = fit_ridge(dead, y)
    assert probe.dead_units == [3]
    np.testing.assert_array_equal(probe.predict(dead), fit_ridge(x, y).predict(x))


def test_it_is_saved_and_loaded_with_every_digit(tmp_path):
    x, y = planted()
    probe = fit_ridge(x, y)
    probe.save(tmp_path / "probe")
    loaded = FittedProbe.load(tmp_path / "probe")
    np.testing.assert_array_equal(loaded.predict(x), probe.predict(x))
    assert loaded.settings == probe.settings and loaded.n_classes == 0


@pytest.mark.parametrize(
    "labels, said",
    [([1.0, 2.0, 3.0], "at least 6"), ([2.0] * 8, "have the number 2"), ([np.nan, *range(7)], "finite number per example")],
)
def test_what_cannot_be_fitted_is_refused(labels, said):
    with pytest.raises(ProbeError, match=said):
        fit_ridge(np.random.default_rng(0).normal(size=(len(labels), 2)), labels)


def test_it_has_no_probabilities():
    x, y = planted()
    with pytest.raises(ProbeError, match="no probabilities"):
        fit_ridge(x, y).predict_proba(x)
