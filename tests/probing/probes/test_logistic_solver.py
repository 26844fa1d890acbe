"""Regressions that are solved together end where scikit-learn ends with each of them."""

import tracemalloc

import numpy as np
import pytest
from planted import planted
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from lit_probe.probing.probes import fit_logistic
from lit_probe.probing.probes.logistic_solver import Basis, Regressions, solve
from lit_probe.probing.probes.training_data import fold_standardisations, standardisation


def correlated(n_rows: int, width: int, n_classes: int, seed: int = 0):
    """Rows whose spectrum falls as that of real layers, and labels that depend on all of it."""
    random = np.random.default_rng(seed)
    turn, _ = np.linalg.qr(random.normal(size=(width, width)))
    rows = random.normal(size=(n_rows, width))
    logits = rows @ (random.normal(size=(width, n_classes)) * np.arange(1, width + 1)[:, None] ** -0.5)
    labels = (2 * logits / logits.std() + random.gumbel(size=logits.shape)).argmax(axis=1)
    return (rows @ (np.arange(1.0, width + 1)[:, None] ** -1 * turn) + 3).astype(np.float32), labels


def objective(rows, labels, weight, bias, penalty, row_weights) -> float:
    """The weighted mean log-loss plus the penalty, in double precision, written anew."""
    logits = rows @ weight.T + bias
    logits = np.concatenate([np.zeros_like(logits), logits], axis=1) if logits.shape[1] == 1 else logits
    top = logits.max(axis=1)
    losses = top + np.log(np.exp(logits - top[:, None]).sum(axis=1)) - logits[np.arange(len(labels)), labels]
    return float(np.average(losses, weights=row_weights) + penalty / 2 * (weight**2).sum())


@pytest.mark.parametrize("class_weight", [None, "balanced"])
@pytest.mark.parametrize("c", [1e-4, 1e-2, 1.0])
@pytest.mark.parametrize("n_classes", [2, 3, 12])
@pytest.mark.parametrize(("n_rows", "width"), [(400, 30), (90, 120)])
def test_one_regression_ends_at_scikit_learns_optimum(n_rows, width, n_classes, c, class_weight):
    x, labels = correlated(n_rows, width, n_classes)
    probe = fit_logistic(x, labels, n_classes, c=c, class_weight=class_weight)
    scaled = StandardScaler().fit_transform(x.astype(np.float64))
    model = LogisticRegression(C=c, class_weight=class_weight, tol=1e-9, max_iter=50_000).fit(scaled, labels)
    counts = np.bincount(labels)
    row_weights = np.ones(n_rows) if class_weight is None else (n_rows / (n_classes * counts))[labels]
    penalty = 1 / (c * n_rows)
    weight, bias = probe.coef_, probe.intercept_
    ours = objective(scaled, labels, weight, bias, penalty, row_weights)
    theirs = objective(scaled, labels, model.coef_, model.intercept_, penalty, row_weights)
    assert ours == pytest.approx(theirs, rel=1e-6)
    assert weight == pytest.approx(model.coef_, abs=2e-4 * np.abs(model.coef_).max())
    assert probe.predict_proba(x) == pytest.approx(model.predict_proba(scaled), abs=2e-5)
    assert probe.converged and probe.settings["largest_gradient"] <= 1e-7
    if n_classes > 2:
        assert weight.sum(axis=0) == pytest.approx(0, abs=1e-12) and bias.sum() == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("n_classes", [2, 5])
def test_together_they_end_where_each_ends_alone(n_classes):
    x, labels = correlated(300, 20, n_classes)
    mean, scale = standardisation(x)
    rows = ((x - mean) / scale).astype(np.float32)
    # Three parts with a standardisation each, of which two leave rows out, and three penalties.
    weights = np.ones((300, 3))
    weights[:100, 1] = weights[200:, 2] = 0
    asked = Regressions(
        rows=x,
        labels=labels,
        n_classes=n_classes,
        mean=np.stack([mean, mean + 0.1, mean - 0.2]),
        inverse=1 / np.stack([scale, 2 * scale, 0.5 * scale]),
        weights=weights / weights.sum(axis=0),
        part=np.tile(np.arange(3), 3),
        penalty=np.repeat([1e-3, 1e-1, 10.0], 3),
        dtype=np.float64,
    )
    basis = Basis.of(rows)
    together = solve(asked, basis, tolerance=1e-7, max_iter=500)
    assert together.largest_gradient.max() <= 1e-7
    for index in range(9):
        alone = solve(asked.among(np.array([index])), basis, tolerance=1e-7, max_iter=500)
        assert together.weight[index] == pytest.approx(alone.weight[0], abs=1e-4)
        assert together.bias[index] == pytest.approx(alone.bias[0], abs=1e-4)
    # More penalty, smaller weights.
    sizes = np.linalg.norm(together.weight.reshape(3, 3, -1), axis=2)
    assert (np.diff(sizes, axis=0) < 0).all()


def test_a_basis_only_changes_the_way():
    x, labels = correlated(200, 10, 3)
    scaled = StandardScaler().fit_transform(x.astype(np.float64))
    asked = Regressions(
        rows=scaled,
        labels=labels,
        n_classes=3,
        mean=np.zeros((1, 10)),
        inverse=np.ones((1, 10)),
        weights=np.full((200, 1), 1 / 200),
        part=np.zeros(1, dtype=np.int64),
        penalty=np.array([1e-2]),
        dtype=np.float64,
    )
    good = solve(asked, Basis.of(scaled.astype(np.float32)), tolerance=1e-9, max_iter=1000)
    strange = Basis.of(np.random.default_rng(1).normal(size=(4, 10)).astype(np.float32))
    worse = solve(asked, strange, tolerance=1e-9, max_iter=1000)
    assert worse.weight == pytest.approx(good.weight, abs=1e-6)
    assert good.n_iter[0] < worse.n_iter[0]


@pytest.mark.parametrize("shape", [(50, 7), (7, 50)])
def test_a_basis_is_that_of_the_gram_matrix(shape):
    rows = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    basis = Basis.of(rows)
    assert basis.vectors.shape == (shape[1], 7)
    assert basis.vectors.T @ basis.vectors == pytest.approx(np.eye(7), abs=1e-5)
    assert (basis.vectors * basis.values) @ basis.vectors.T == pytest.approx(rows.T @ rows / shape[0], abs=1e-5)


def test_rows_that_are_all_alike_have_an_empty_basis_and_a_probe_of_shares():
    assert Basis.of(np.zeros((5, 3), dtype=np.float32)).values.size == 0
    probe = fit_logistic(np.full((40, 3), 7.0), np.arange(40) % 4 // 3, 2)
    assert probe.predict_proba(np.full((1, 3), 7.0)) == pytest.approx(np.array([[0.75, 0.25]]), abs=1e-6)


@pytest.mark.parametrize(
    "kind",
    [
        "one unit",
        "twice the same",
        "float64 far from 0",
        "one of a thousand",
        *(f"an outlier of 1e{n}" for n in (12, 15, 24, 38, 100)),
    ],
)
def test_odd_rows_end_at_scikit_learns_optimum_too(kind):
    x, labels = correlated(600, 6, 2)
    x = x.astype(np.float64)
    if kind == "one unit":
        x = x[:, :1]
    if kind == "twice the same":
        x = np.concatenate([x, x, -x], axis=1)
    if kind.startswith("an outlier of "):
        x[0] = float(kind.removeprefix("an outlier of "))
    if kind == "float64 far from 0":
        x = x + 1e5
    if kind == "one of a thousand":
        labels = (np.arange(600) < 3).astype(np.int64)
    probe = fit_logistic(x, labels, 2)
    scaled = StandardScaler().fit_transform(x)
    model = LogisticRegression(C=probe.settings["C"], tol=1e-10, max_iter=50_000).fit(scaled, labels)
    assert probe.predict_proba(x) == pytest.approx(model.predict_proba(scaled), abs=1e-5)
    assert probe.converged


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("outlier", [1e6, 1e15, 1e24, 3e38])
def test_a_row_that_stretches_one_unit_leads_no_fit_astray(outlier, n_classes, dtype):
    x, labels = correlated(300, 20, n_classes)
    x = x.astype(dtype)
    x[3, 2] = outlier
    probe = fit_logistic(x, labels, n_classes)
    scaled = StandardScaler().fit_transform(x.astype(np.float64))
    model = LogisticRegression(C=probe.settings["C"], tol=1e-10, max_iter=50_000).fit(scaled, labels)
    assert probe.predict_proba(x) == pytest.approx(model.predict_proba(scaled), abs=1e-5)
    # What the folds without the row have found is no start for all rows.
    assert probe.converged and probe.settings["n_iter"] < 50


def test_classes_far_apart_stay_finite():
    x = np.where(np.arange(90)[:, None] % 3 == np.arange(3), 1e4, -1e4) + np.random.default_rng(0).normal(size=(90, 3))
    probe = fit_logistic(x, np.arange(90) % 3, 3)
    assert probe.settings["C"] == 1.0 and probe.converged
    assert (probe.predict(x) == np.arange(90) % 3).all()


@pytest.mark.parametrize("far", [0.0, 1e9])
def test_statistics_of_folds_are_those_of_their_rows(far):
    x = np.random.default_rng(0).normal(size=(1200, 9)) * 3 + 5
    x[:, 4] = 2.5
    x[0, 2] = far
    held = [np.arange(1200)[np.arange(1200) % 5 % 3 == fold] for fold in range(3)]
    means, scales = fold_standardisations(x, held)
    for fold in range(3):
        mean, scale = standardisation(np.delete(x, held[fold], axis=0))
        assert means[fold] == pytest.approx(mean, rel=1e-12)
        assert np.array_equal(np.isinf(scales[fold]), np.isinf(scale)) and np.isinf(scale[4])
        assert scales[fold] == pytest.approx(scale, rel=1e-12)


@pytest.mark.parametrize(("n_classes", "most_copies"), [(2, 2), (16, 3)])
def test_a_fit_takes_no_more_memory_than_a_few_copies_of_its_rows(n_classes, most_copies):
    data = planted(n_classes, strength=1.0, n_train=6000, d_model=512)
    fit_logistic(data.x[:400], data.labels[:400], n_classes)
    tracemalloc.start()
    try:
        fit_logistic(data.x, data.labels, n_classes)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert data.x.dtype == np.float32 and peak < most_copies * data.x.nbytes
