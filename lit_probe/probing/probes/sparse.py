"""Linear probes with few weights: logistic regression with an L1 penalty or an elastic net, its strength chosen on train."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lit_probe.probing.probes.cross_validation import Folds, stratified_folds
from lit_probe.probing.probes.fitted import FittedProbe
from lit_probe.probing.probes.fitting_scope import fitting_scope
from lit_probe.probing.probes.living_units import fitted_to_living_units
from lit_probe.probing.probes.options import ProbeOptions
from lit_probe.probing.probes.penalised import penalised_logistic
from lit_probe.probing.probes.training_data import check_training_data, standardisation, standardised

# At 10^-3 no weight is left of some thousands of rows, at 1 nearly all are.
C_GRID = (1e-3, 1e-2, 1e-1, 1.0)
# The solvers reach the optimum to about 5e-4 of the loss: two cross-validated losses closer than that are a tie.
_TIE = 5e-4
# The share of L1 in the penalty.
L1_RATIOS = {"l1": 1.0, "elastic_net": 0.5}
# On the largest entry of the gradient, as far as the bounds leave one.
_TOLERANCE = 1e-6
_MAX_ITER = 5_000


@fitted_to_living_units
def fit_l1(
    x: ArrayLike,
    labels: ArrayLike,
    n_classes: int,
    groups: ArrayLike | None = None,
    seed: int = 0,
    *,
    c: float | None = None,
) -> FittedProbe:
    """Fits scikit-learn's ``LogisticRegression(l1_ratio=1, C=c)`` on standardised activations.

    Most units get a weight of exactly 0 (Tibshirani 1996, https://doi.org/10.1111/j.2517-6161.1996.tb02080.x). ``C`` comes from
    10^-3, 10^-2, 10^-1, 1 by the same folds as that of `fit_logistic`; ties go to the smaller one. Three classes or more are
    fitted as multinomial.

    Args:
      x: ``[n_examples, d_model]`` activations of the train split.
      labels: ``[n_examples]`` class indices in 0..n_classes-1.
      n_classes: the number of classes; each needs 2 examples or more.
      groups: ``[n_examples]`` what must not be split between folds, or None.
      seed: the seed of the shuffled folds.
      c: the value of ``C``, more than 0; None chooses it by cross-validation.

    Raises:
      ProbeError: a class has fewer than 2 examples, the activations are not finite, or ``c`` is out of range.
    """
    return _fit("l1", x, labels, n_classes, groups, seed, c)


@fitted_to_living_units
def fit_elastic_net(
    x: ArrayLike,
    labels: ArrayLike,
    n_classes: int,
    groups: ArrayLike | None = None,
    seed: int = 0,
    *,
    c: float | None = None,
) -> FittedProbe:
    """As `fit_l1`, with half of the penalty on the squares of the weights (``l1_ratio=0.5``), so that like units stay together.

    Zou & Hastie 2005, https://doi.org/10.1111/j.1467-9868.2005.00503.x; so neurons were found by Dalvi et al. 2019,
    https://arxiv.org/abs/1812.09355. Arguments and errors are those of `fit_l1`.
    """
    return _fit("elastic_net", x, labels, n_classes, groups, seed, c)


def _fit(
    kind: str, x: ArrayLike, labels: ArrayLike, n_classes: int, groups: ArrayLike | None, seed: int, c: float | None
) -> FittedProbe:
    ProbeOptions(regularisation=c)
    values, classes = check_training_data(x, labels, n_classes)
    search: dict[str, Any] = {}
    with fitting_scope:
        if c is None:
            c, search = _search(kind, values, classes, n_classes, stratified_folds(classes, groups, seed), seed)
        probe = _penalised(kind, values, classes, n_classes, c, seed, None)
    # In scikit-learn's shape: a binary probe has one weight for each unit.
    n_weights = int(np.count_nonzero(probe.coef_))
    told = {"l1_ratio": L1_RATIOS[kind], "n_weights": n_weights, "seed": seed, "n_train": len(classes)}
    steps = {name: probe.settings[name] for name in ("n_iter", "max_iter")}
    return replace(probe, kind=kind, settings={"C": c, **search, **told, **steps})


def _search(
    kind: str, values: NDArray[Any], classes: NDArray[np.int64], n_classes: int, folds: Folds, seed: int
) -> tuple[float, dict[str, Any]]:
    """The ``C`` of the smallest cross-validated loss, and how it was found."""
    losses = np.empty((len(folds.pairs), len(C_GRID)))
    least = np.finfo(np.float64).eps
    for fold, (fitted, held) in enumerate(folds.pairs):
        probe = None
        for index, c in enumerate(C_GRID):
            # From strong to weak, each from where the last one ended.
            probe = _penalised(kind, values[fitted], classes[fitted], n_classes, c, seed, probe)
            of_label = probe.predict_proba(values[held])[np.arange(len(held)), classes[held]]
            losses[fold, index] = -np.log(np.maximum(of_label, least)).mean()
    means = losses.mean(axis=0)
    return C_GRID[int(np.argmax(means <= means.min() + _TIE))], {
        "c_grid": list(C_GRID),
        "cv_log_loss": means.tolist(),
        "cv": {"folds": len(folds.pairs), "by": folds.by, "note": folds.note},
    }


def _penalised(
    kind: str,
    x: NDArray[Any],
    labels: NDArray[np.int64],
    n_classes: int,
    c: float,
    seed: int,
    start: FittedProbe | None,
) -> FittedProbe:
    strength = 1 / (c * len(labels))
    if n_classes == 2:
        options: dict[str, Any] = {"penalty": kind, "strength": strength, "l1_ratio": L1_RATIOS["elastic_net"], "seed": seed}
        return penalised_logistic(x, labels, n_classes, **options, start=start)
    return _multinomial(x, labels, n_classes, strength, L1_RATIOS[kind], start)


def _multinomial(
    x: NDArray[Any],
    labels: NDArray[np.int64],
    n_classes: int,
    strength: float,
    l1_share: float,
    start: FittedProbe | None,
) -> FittedProbe:
    """Three classes or more: weights as differences of two numbers that are not negative, which L-BFGS-B finds.

    The penalty is then smooth, and a weight is 0 where both numbers are (Schmidt et al. 2007,
    https://doi.org/10.1007/978-3-540-74958-5_28). A layer of 384 units takes seconds, where SAGA takes minutes.
    """
    from scipy.optimize import minimize

    mean, scale = standardisation(x)
    scaled = standardised(x, mean, scale)
    rows, shape = np.arange(len(labels)), (n_classes, x.shape[1])
    size = n_classes * x.shape[1]

    def loss(numbers: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        up, down, bias = numbers[:size], numbers[size : 2 * size], numbers[2 * size :]
        weight = (up - down).reshape(shape)
        logits = scaled @ weight.T + bias
        norm = np.logaddexp.reduce(logits, axis=1)
        errors = np.exp(logits - norm[:, None])
        errors[rows, labels] -= 1.0
        errors /= len(labels)
        flat = weight.ravel()
        towards = (errors.T @ scaled).ravel() + strength * (1 - l1_share) * flat
        even = strength * l1_share
        value = (norm - logits[rows, labels]).mean() + even * (up + down).sum() + strength * (1 - l1_share) / 2 * flat @ flat
        return float(value), np.concatenate([towards + even, even - towards, errors.sum(axis=0)])

    begin = np.zeros(2 * size + n_classes)
    begin[2 * size :] = np.log(np.bincount(labels, minlength=n_classes) / len(labels))
    if start is not None:
        # The weights belong to raw features, the intercept to their zero; a unit that this part does not vary gets none.
        raw = np.where(np.isfinite(start.scale), start.coef_ / start.scale, 0.0)
        weight = raw * np.where(np.isfinite(scale), scale, 0.0)
        begin = np.concatenate(
            [np.maximum(weight, 0).ravel(), np.maximum(-weight, 0).ravel(), start.intercept_ + raw @ (mean - start.mean)]
        )
    bounds = [(0.0, None)] * (2 * size) + [(None, None)] * n_classes
    options = {"maxiter": _MAX_ITER, "maxfun": 2 * _MAX_ITER, "gtol": _TOLERANCE, "ftol": 1e-12, "maxcor": 20}
    found = minimize(loss, begin, jac=True, method="L-BFGS-B", bounds=bounds, options=options)
    weight = (found.x[:size] - found.x[size : 2 * size]).reshape(shape)
    return FittedProbe(
        kind="",
        classes_=np.arange(n_classes),
        mean=mean,
        scale=scale,
        layers=((weight, found.x[2 * size :]),),
        converged=bool(found.success),
        settings={"n_iter": int(found.nit), "max_iter": _MAX_ITER},
    )
