"""Two patterns of a layer's units: amounts are the best ones, planted patterns are found, axes stay those of the layer before."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import nnls

from lit_probe.views.nmf_plane import NmfPlane, fit_nmf_plane


def planted(n=80, seed=0):
    """Rows that are, but for little noise, amounts of two patterns on units of their own."""
    random = np.random.default_rng(seed)
    amounts = random.uniform(size=(n, 2)) * (random.uniform(size=(n, 2)) < 0.5)
    patterns = np.array([[3, 2, 1, 0, 0, 0], [0, 0, 0, 1, 1, 2.0]])
    return amounts, patterns, amounts @ patterns + random.normal(scale=0.01, size=(n, 6)) - 5


@pytest.mark.parametrize(
    "patterns",
    [
        np.random.default_rng(1).uniform(size=(2, 7)),
        np.array([[1, 1, 0, 0, 0, 0, 0], [0, 0, 2, 1, 0, 0, 0.0]]),
        np.array([[1, 2, 3, 4, 5, 6, 7], [1, 2, 3, 4, 5, 6, 7.001]]),
        np.array([[1, 2, 0, 0, 0, 0, 1], [0, 0, 0, 0, 0, 0, 0.0]]),
        np.zeros((2, 7)),
    ],
)
def test_amounts_are_those_of_non_negative_least_squares(patterns):
    x = np.random.default_rng(0).normal(size=(60, 7))
    plane = NmfPlane(np.full(7, 0.1), patterns)
    for row, found in zip(plane.above(x), plane.place(x), strict=True):
        _, left = nnls(patterns.T, row)
        assert (found >= 0).all()
        assert np.linalg.norm(row - found @ patterns) == pytest.approx(left, rel=1e-5)


def test_planted_patterns_are_found():
    amounts, _, x = planted()
    found = fit_nmf_plane(x, 0, None)
    like = np.corrcoef(np.vstack([found.of_fitted.T, amounts.T]))[:2, 2:]
    assert (like.max(axis=1) > 0.9).all() and set(like.argmax(axis=1)) == {0, 1}
    assert found.explained > 0.95 and found.shares.sum() == pytest.approx(1)
    np.testing.assert_allclose(found.of_fitted.max(axis=0), 1)
    assert found.shares[0] >= found.shares[1]


@pytest.mark.parametrize("size", [1e-12, 1.0, 1e12])
def test_the_size_of_numbers_changes_no_picture(size):
    _, _, x = planted()
    np.testing.assert_allclose(fit_nmf_plane(x * size, 0, None).of_fitted, fit_nmf_plane(x, 0, None).of_fitted, atol=1e-6)


def test_axes_stay_those_of_the_layer_before():
    _, _, x = planted()
    straight = fit_nmf_plane(x, 0, None).of_fitted
    np.testing.assert_array_equal(fit_nmf_plane(x, 0, straight).of_fitted, straight)
    np.testing.assert_allclose(fit_nmf_plane(x, 0, straight[:, ::-1]).of_fitted, straight[:, ::-1])


@pytest.mark.parametrize("width", [1, 5])
def test_units_that_are_all_the_same_have_one_pattern(width):
    x = np.arange(10.0)[:, None] * np.ones(width)
    placed = fit_nmf_plane(x, 0, None).of_fitted
    np.testing.assert_allclose(placed[:, 0], np.clip(np.arange(10) - 4.5, 0, None) / 4.5, atol=1e-6)
    assert not placed[:, 1].any()
