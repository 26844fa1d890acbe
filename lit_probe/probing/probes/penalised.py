"""Regressions with a chosen penalty on standardised activations: what neurons are ranked by and rankings are judged by.

Both minimise the mean loss plus ``strength · (l1_ratio · |w|₁ + (1 - l1_ratio) / 2 · |w|²)`` (Zou & Hastie 2005,
https://doi.org/10.1111/j.1467-9868.2005.00503.x), the intercept free: scikit-learn's objectives with ``C = 1 / (strength · n)``
or ``alpha = strength``. The L2 norm is squared, so that ``l2`` is the ridge penalty. scikit-learn does the fitting, but for the
logistic ``l2``, which the probes' own solver fits 1.1 to 16 times as fast (`benchmarks/README.md`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lit_probe.errors import ProbeError
from lit_probe.probing.probes.fitted import FittedProbe
from lit_probe.probing.probes.fitting_scope import fitting_scope
from lit_probe.probing.probes.logistic_solver import Basis, Regressions, Solutions, solve
from lit_probe.probing.probes.training_data import (
    alive_only,
    check_activations,
    check_training_data,
    standardisation,
    standardised,
)
from lit_probe.registry import lookup

# Penalty -> the share of L1 in it; None takes the caller's l1_ratio.
PENALTIES: dict[str, float | None] = {"l1": 1.0, "l2": 0.0, "elastic_net": None}

STRENGTH = 1e-3
L1_RATIO = 0.5
_FEWEST_ROWS = 2
MAX_ITER = 5_000
# SAGA gets no further in reasonable time, but it is near the optimum then; L-BFGS takes few more steps.
_TOLERANCE = 1e-4
_LBFGS_TOLERANCE = 1e-6
# Of proximal Newton: what still counts as a fall of the objective, how short a step may get, how flat the loss.
_SMALLEST_GAIN = 1e-9
_SMALLEST_STEP = 1e-3
_LEAST_CURVATURE = 1e-6


def fit_penalised_logistic(
    x: ArrayLike,
    labels: ArrayLike,
    n_classes: int,
    *,
    penalty: str = "l2",
    strength: float = STRENGTH,
    l1_ratio: float = L1_RATIO,
    seed: int = 0,
    start: FittedProbe | None = None,
    max_iter: int = MAX_ITER,
) -> FittedProbe:
    """Fits a logistic regression, multinomial for three or more classes.

    ``l2`` takes L-BFGS (`logistic_solver`). Where there is an L1 part, two classes take proximal Newton steps, ten times as fast
    at 7,000 examples of 384 features as SAGA, which more classes take.

    Args:
      x: ``[n_examples, d_model]`` activations of the train split.
      labels: ``[n_examples]`` class indices in 0..n_classes-1.
      n_classes: the number of classes; each needs 2 examples or more.
      penalty: a name in `PENALTIES`.
      strength: the strength of the penalty beside the *mean* log-loss, more than 0; the same whatever the number of examples.
      l1_ratio: share of L1 in ``elastic_net``, between 0 and 1.
      seed: the seed of the order in which SAGA visits the examples; the other solvers draw nothing.
      start: a linear probe of these classes to start from; the optimum is the same.
      max_iter: the largest number of iterations of the solver. When it does not suffice, ``converged`` is False.

    Returns:
      The probe, of kind ``logistic_l1`` and so on; ``settings`` holds the ``objective`` it reached.

    Raises:
      UnknownNameError: there is no such penalty.
      ProbeError: a class has fewer than 2 examples, the activations are not finite or an option is out of range.
    """
    _l1_share(penalty, strength, l1_ratio)
    values, classes = check_training_data(x, labels, n_classes)
    options: dict[str, Any] = {"penalty": penalty, "strength": strength, "l1_ratio": l1_ratio, "seed": seed}
    return penalised_logistic(values, classes, n_classes, **options, start=start, max_iter=max_iter)


def penalised_logistic(
    values: NDArray[Any],
    classes: NDArray[np.int64],
    n_classes: int,
    *,
    penalty: str,
    strength: float,
    l1_ratio: float,
    seed: int,
    start: FittedProbe | None,
    max_iter: int = MAX_ITER,
) -> FittedProbe:
    """`fit_penalised_logistic` of rows that are known to be in order, where a class may have a single one, as in a fold."""
    share = _l1_share(penalty, strength, l1_ratio)
    mean, scale = standardisation(values)
    if (alive := np.isfinite(scale)).any() and not alive.all():
        return penalised_logistic(
            alive_only(values, alive),
            classes,
            n_classes,
            penalty=penalty,
            strength=strength,
            l1_ratio=l1_ratio,
            seed=seed,
            start=None if start is None else _part_of(start, alive),
            max_iter=max_iter,
        ).among(alive)
    scaled = standardised(values, mean, scale)
    begin = None
    if start is not None:
        # Given in this probe's standardised features: the weights belong to the raw ones, the intercept to their zero.
        raw = start.coef_ / start.scale
        begin = raw * np.where(np.isfinite(scale), scale, 0.0), start.intercept_ + raw @ (mean - start.mean)
    with fitting_scope:
        if share == 0:
            weight, bias, n_iter = _by_lbfgs(scaled, classes, n_classes, strength, max_iter, begin)
        elif n_classes == 2:
            weight, bias, n_iter = _proximal_newton(scaled, classes, strength, share, max_iter, begin)
        else:
            weight, bias, n_iter = _by_saga(scaled, classes, strength, share, max_iter, seed, begin)
    objective = _logistic_objective(scaled, classes, weight, bias, strength, share)
    if n_classes == 2:
        weight, bias = np.concatenate([-weight, weight]) / 2, np.concatenate([-bias, bias]) / 2
    return FittedProbe(
        kind=f"logistic_{penalty}",
        classes_=np.arange(n_classes),
        mean=mean,
        scale=scale,
        layers=((weight, bias),),
        converged=n_iter < max_iter,
        settings={
            "penalty": penalty,
            "strength": strength,
            "l1_ratio": share,
            "objective": objective,
            "seed": seed,
            "n_train": len(classes),
            "n_iter": n_iter,
            "max_iter": max_iter,
        },
    )


def _part_of(probe: FittedProbe, alive: NDArray[np.bool_]) -> FittedProbe:
    """A linear probe of some of the units."""
    [(weight, bias)] = probe.layers
    return replace(probe, mean=probe.mean[alive], scale=probe.scale[alive], layers=((weight[:, alive], bias),))


# Weights [1 or n_classes, d_model], bias, and how many iterations it took.
_Solution = tuple[NDArray[np.float64], NDArray[np.float64], int]
_Start = tuple[NDArray[np.float64], NDArray[np.float64]] | None


def _by_lbfgs(
    x: NDArray[np.float64], labels: NDArray[np.int64], n_classes: int, strength: float, max_iter: int, start: _Start
) -> _Solution:
    n_rows, width = x.shape
    asked = Regressions(
        rows=x,
        labels=labels,
        n_classes=n_classes,
        mean=np.zeros((1, width)),
        inverse=np.ones((1, width)),
        weights=np.full((n_rows, 1), 1 / n_rows),
        part=np.zeros(1, dtype=np.int64),
        penalty=np.array([strength]),
        dtype=np.float64,
    )
    begin = None if start is None else Solutions(start[0][None], start[1][None], np.zeros(1, dtype=np.int64), np.zeros(1))
    end = solve(asked, Basis.of(x.astype(np.float32)), tolerance=_LBFGS_TOLERANCE, max_iter=max_iter, start=begin)
    return end.weight[0], end.bias[0], int(end.n_iter[0])


def _by_saga(
    x: NDArray[np.float64],
    labels: NDArray[np.int64],
    strength: float,
    l1_share: float,
    max_iter: int,
    seed: int,
    start: _Start,
) -> _Solution:
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(
        C=1 / (strength * len(labels)),
        l1_ratio=l1_share,
        solver="saga",
        tol=_TOLERANCE,
        max_iter=max_iter,
        random_state=seed,
        warm_start=start is not None,
    )
    if start is not None:
        model.coef_, model.intercept_ = start
    model.fit(x, labels)
    return model.coef_, model.intercept_, int(np.max(model.n_iter_))


def _proximal_newton(
    x: NDArray[np.float64], labels: NDArray[np.int64], strength: float, l1_share: float, max_iter: int, start: _Start
) -> _Solution:
    """Two classes: the log-loss is replaced by its quadratic at the current weights, whose elastic net scikit-learn solves.

    Friedman et al. 2010, https://doi.org/10.18637/jss.v033.i01. Steps that do not lower the objective are halved.
    """
    from sklearn.linear_model import ElasticNet

    n = len(labels)
    share = labels.mean()
    weight, bias = start or (np.zeros((1, x.shape[1])), np.log([share / (1 - share)]))
    objective = _logistic_objective(x, labels, weight, bias, strength, l1_share)
    for n_iter in range(1, max_iter + 1):
        margins = (x @ weight.T + bias)[:, 0]
        probability = 1 / (1 + np.exp(-np.clip(margins, -500, 500)))
        curvature = np.maximum(probability * (1 - probability), _LEAST_CURVATURE)
        # scikit-learn divides the squares by the sum of their weights, the log-loss is divided by n.
        step = ElasticNet(
            alpha=strength * n / curvature.sum(), l1_ratio=l1_share, precompute=True, warm_start=True, tol=1e-6, max_iter=MAX_ITER
        )
        step.coef_ = weight[0].copy()
        step.fit(x, margins + (labels - probability) / curvature, sample_weight=curvature)
        towards, shift, size = step.coef_ - weight, step.intercept_ - bias, 1.0
        while size > _SMALLEST_STEP:
            reached = _logistic_objective(x, labels, weight + size * towards, bias + size * shift, strength, l1_share)
            if reached <= objective:
                break
            size /= 2
        else:
            return weight, bias, n_iter  # as low as float64 tells
        weight, bias = weight + size * towards, bias + size * shift
        if objective - reached <= _SMALLEST_GAIN:
            return weight, bias, n_iter - 1
        objective = reached
    return weight, bias, max_iter


def _logistic_objective(
    x: NDArray[np.float64],
    labels: NDArray[np.int64],
    weight: NDArray[np.float64],
    bias: NDArray[np.float64],
    strength: float,
    l1_share: float,
) -> float:
    logits = x @ weight.T + bias
    if logits.shape[1] == 1:
        logits = np.concatenate([-logits, logits], axis=1) / 2
    loss = np.logaddexp.reduce(logits, axis=1) - logits[np.arange(len(labels)), labels]
    return float(loss.mean()) + _penalty(weight, strength, l1_share)


@dataclass(frozen=True, eq=False)
class LinearFit:
    """A linear regression on standardised activations.

    Attributes:
      weights: ``[n_targets, d_model]`` on the standardised features.
      bias: ``[n_targets]``.
      mean: ``[d_model]``, subtracted first.
      scale: ``[d_model]``, divided by next.
      converged: whether the solver reached its tolerance.
      settings: what reproduces the fit, and the ``objective`` it reached, summed over the targets.
    """

    weights: NDArray[np.float64]
    bias: NDArray[np.float64]
    mean: NDArray[np.float64]
    scale: NDArray[np.float64]
    converged: bool
    settings: Mapping[str, Any] = field(default_factory=dict)

    def predict(self, x: ArrayLike) -> NDArray[np.float64]:
        """``[n_examples, n_targets]`` for ``x`` ``[n_examples, d_model]``."""
        predicted: NDArray[np.float64] = standardised(np.asarray(x), self.mean, self.scale) @ self.weights.T + self.bias
        return predicted


def fit_penalised_linear(
    x: ArrayLike,
    targets: ArrayLike,
    *,
    penalty: str = "l2",
    strength: float = STRENGTH,
    l1_ratio: float = L1_RATIO,
    max_iter: int = MAX_ITER,
) -> LinearFit:
    """Fits a linear regression per target on half the mean squared error: ridge, lasso or elastic net.

    Args:
      x: ``[n_examples, d_model]`` activations of the train split.
      targets: ``[n_examples]`` or ``[n_examples, n_targets]`` numbers, such as `class_indicators`.
      penalty: a name in `PENALTIES`.
      strength: the strength of the penalty, more than 0.
      l1_ratio: share of L1 in ``elastic_net``, between 0 and 1.
      max_iter: rounds of coordinate descent where there is an L1 part. When they do not suffice, ``converged`` is False.

    Raises:
      UnknownNameError: there is no such penalty.
      ProbeError: the lengths disagree, there are fewer than 2 rows, a number is not finite or an option is out of range.
    """
    share = _l1_share(penalty, strength, l1_ratio)
    wanted = np.asarray(targets, dtype=np.float64)
    wanted = wanted[:, None] if wanted.ndim == 1 else wanted
    values = check_activations(x, len(wanted))
    if len(values) < _FEWEST_ROWS:
        raise ProbeError(f"A linear regression needs {_FEWEST_ROWS} training examples or more; got {len(values)}.")
    if not np.isfinite(wanted).all():
        raise ProbeError("The targets of a linear regression must be finite numbers.")
    mean, scale = standardisation(values)
    if (alive := np.isfinite(scale)).any() and not alive.all():
        options = {"strength": strength, "l1_ratio": l1_ratio}
        fit = fit_penalised_linear(alive_only(values, alive), wanted, penalty=penalty, max_iter=max_iter, **options)
        weights, wide_mean = np.zeros((len(fit.weights), len(alive))), np.zeros(len(alive))
        weights[:, alive], wide_mean[alive] = fit.weights, fit.mean
        return replace(fit, weights=weights, mean=wide_mean, scale=scale)
    scaled = standardised(values, mean, scale)
    with fitting_scope:
        from sklearn.linear_model import ElasticNet, Ridge

        if share == 0:
            model = Ridge(alpha=strength * len(scaled), solver="cholesky").fit(scaled, wanted)
            n_iter = 0
        else:
            # The Gram matrix once, then rounds that no longer depend on the number of examples.
            model = ElasticNet(alpha=strength, l1_ratio=share, precompute=True, tol=_TOLERANCE, max_iter=max_iter)
            model.fit(scaled, wanted)
            n_iter = int(np.max(model.n_iter_))
    weights = np.atleast_2d(model.coef_)
    bias = np.atleast_1d(model.intercept_)
    residuals = wanted - scaled @ weights.T - bias
    return LinearFit(
        weights,
        bias,
        mean,
        scale,
        n_iter < max_iter,
        {
            "penalty": penalty,
            "strength": strength,
            "l1_ratio": share,
            "objective": float((residuals**2).sum()) / (2 * len(scaled)) + _penalty(weights, strength, share),
            "n_train": len(scaled),
            "n_iter": n_iter,
            "max_iter": max_iter,
        },
    )


def class_indicators(labels: ArrayLike, n_classes: int) -> NDArray[np.float64]:
    """``[n_examples, n_classes]``: 1 where an example has the class, else 0.

    >>> class_indicators([1, 0], n_classes=2)
    array([[0., 1.],
           [1., 0.]])
    """
    indicators: NDArray[np.float64] = (np.asarray(labels)[:, None] == np.arange(n_classes)).astype(np.float64)
    return indicators


def _l1_share(penalty: str, strength: float, l1_ratio: float) -> float:
    share = lookup(PENALTIES, penalty, "penalty")
    if not (np.isfinite(strength) and strength > 0):
        raise ProbeError(f"The strength of a penalty must be a number above 0; got {strength}.")
    if not 0 < l1_ratio < 1:
        raise ProbeError(f"The share of L1 in an elastic net must lie between 0 and 1; got {l1_ratio}. For 0 or 1 take l2 or l1.")
    return l1_ratio if share is None else share


def _penalty(weights: NDArray[np.float64], strength: float, l1_share: float) -> float:
    return float(strength * (l1_share * np.abs(weights).sum() + (1 - l1_share) / 2 * (weights**2).sum()))
