"""The linear probe: logistic regression on standardised activations, its regularisation chosen on train alone."""

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lit_probe.probing.probes.cross_validation import Folds, stratified_folds
from lit_probe.probing.probes.fitted import FittedProbe
from lit_probe.probing.probes.fitting_scope import fitting_scope
from lit_probe.probing.probes.living_units import fitted_to_living_units
from lit_probe.probing.probes.logistic_solver import Basis, Regressions, Solutions, solve
from lit_probe.probing.probes.options import ProbeOptions
from lit_probe.probing.probes.training_data import (
    BLOCK,
    check_training_data,
    fold_standardisations,
    row_weights,
    standardisation,
    standardised,
)

C_GRID = (1e-4, 1e-3, 1e-2, 1e-1, 1.0)
MAX_ITER = 10_000

# On the largest entry of the gradient of the mean loss. The search has to rank five values of C; the final fit is the result.
_SEARCH_TOLERANCE = 1e-5
_FINAL_TOLERANCE = 1e-7
# L-BFGS also stops when no step lowers the loss any more in float64, with a gradient just above the tolerance.
_CONVERGED_GRADIENT = 1e-5
# Near the smallest loss the quick search is off by up to 4e-4. Losses this close are worked out again at the final tolerance.
_CLOSE = 1e-3
# Two cross-validated losses closer than that still is are a tie.
_TIE = 1e-6
# scikit-learn's log_loss takes no probability for less.
_LARGEST_LOSS = -np.log(np.finfo(np.float64).eps)
# The quick search reads rows that are standardised as all of train is, in float32. A fold that stretches a unit by more than
# that again, as where one row alone makes it large, would leave too few digits of it.
_LARGEST_STRETCH = 30.0


@fitted_to_living_units
def fit_logistic(
    x: ArrayLike,
    labels: ArrayLike,
    n_classes: int,
    groups: ArrayLike | None = None,
    seed: int = 0,
    *,
    c: float | None = None,
    class_weight: str | None = None,
    max_iter: int = MAX_ITER,
) -> FittedProbe:
    """Fits an L2-regularised logistic regression to scikit-learn's optimum; multinomial for three or more classes.

    ``C`` comes from 10^-4, 10^-3, 10^-2, 10^-1, 10^0 by stratified 3-fold cross-validation on these rows alone, by group where
    groups exist (`stratified_folds`), standardising inside each fold on its fitting part. The smallest log-loss, averaged over
    the folds, wins; ties go to the smaller ``C``. The probe is then fitted on all rows at that ``C``.

    Args:
      x: ``[n_examples, d_model]`` activations of the train split, float32 or float64.
      labels: ``[n_examples]`` class indices in 0..n_classes-1.
      n_classes: the number of classes; each needs 2 examples or more.
      groups: ``[n_examples]`` what must not be split between folds, or None.
      seed: the seed of the shuffled folds.
      c: the value of ``C``; None chooses it by cross-validation.
      class_weight: ``"balanced"`` lets every class count alike, in the fit and in cross-validation; None every row.
      max_iter: L-BFGS iterations per fit. When they do not suffice, ``converged`` is False.

    Returns:
      The probe. ``settings`` holds ``C``, the grid with its cross-validated losses and the folds (unless ``c`` was given), the
      seed and the optimiser's end.

    Raises:
      ProbeError: a class has fewer than 2 examples, the activations are not finite, or an option is out of range.
    """
    ProbeOptions(regularisation=c, class_weight=class_weight)
    values, classes = check_training_data(x, labels, n_classes)
    mean, scale = standardisation(values)
    with fitting_scope:
        rows = _in_float32(values, mean, scale)
        basis = Basis.of(rows)
        on_all = Regressions(
            rows=values,
            labels=classes,
            n_classes=n_classes,
            mean=mean[None],
            inverse=1 / scale[None],
            weights=_shares(classes, np.arange(len(classes)), class_weight)[:, None],
            part=np.zeros(1, dtype=np.int64),
            penalty=np.zeros(1),
            dtype=np.float64,
        )
        search: dict[str, Any] = {}
        start = None
        if c is None:
            folds = stratified_folds(classes, groups, seed)
            c, start, search = _search(on_all, rows, basis, folds, max_iter, class_weight)
        del rows
        asked = replace(on_all, penalty=np.array([1 / (c * len(classes))]))
        end = solve(asked, basis, tolerance=_FINAL_TOLERANCE, max_iter=max_iter, start=start)
    [weight], [bias], [n_iter], [gradient] = end.weight, end.bias, end.n_iter.tolist(), end.largest_gradient.tolist()
    if n_classes == 2:
        weight, bias = np.concatenate([-weight, weight]) / 2, np.concatenate([-bias, bias]) / 2
    return FittedProbe(
        kind="logistic",
        classes_=np.arange(n_classes),
        mean=mean,
        scale=scale,
        layers=((weight, bias),),
        converged=n_iter < max_iter and gradient <= _CONVERGED_GRADIENT,
        settings={
            "C": c,
            **search,
            **({} if class_weight is None else {"class_weight": class_weight}),
            "seed": seed,
            "n_train": len(classes),
            "n_iter": n_iter,
            "max_iter": max_iter,
            "tolerance": _FINAL_TOLERANCE,
            "largest_gradient": gradient,
        },
    )


def _in_float32(x: NDArray[Any], mean: NDArray[np.float64], scale: NDArray[np.float64]) -> NDArray[np.float32]:
    """``[n_examples, d_model]`` standardised rows."""
    rows = np.empty(x.shape, dtype=np.float32)
    for start in range(0, len(x), BLOCK):
        rows[start : start + BLOCK] = standardised(x[start : start + BLOCK], mean, scale)
    return rows


def _shares(labels: NDArray[np.int64], counted: NDArray[np.int64], class_weight: str | None) -> NDArray[np.float64]:
    """``[n_examples]`` what each row counts, 0 but for those ``counted``; together 1."""
    shares = np.zeros(len(labels))
    shares[counted] = (1.0 if class_weight is None else row_weights(labels[counted])) / len(counted)
    return shares


def _search(
    on_all: Regressions,
    rows: NDArray[np.float32],
    basis: Basis,
    folds: Folds,
    max_iter: int,
    class_weight: str | None,
) -> tuple[float, Solutions, dict[str, Any]]:
    """The ``C`` of the smallest cross-validated loss, where the fit to all rows may start, and how it was found."""
    n_folds = len(folds.pairs)
    means, scales = fold_standardisations(on_all.rows, [held for _, held in folds.pairs])
    in_folds = replace(
        on_all,
        mean=means,
        inverse=1 / scales,
        weights=np.stack([_shares(on_all.labels, fitted, class_weight) for fitted, _ in folds.pairs], axis=1),
        part=np.tile(np.arange(n_folds), len(C_GRID)),
        penalty=np.concatenate([[1 / (c * len(fitted)) for fitted, _ in folds.pairs] for c in C_GRID]),
    )
    held = np.stack([_shares(on_all.labels, held, class_weight) for _, held in folds.pairs], axis=1)

    def cross_validated(asked: Regressions, tolerance: float, start: Solutions | None) -> tuple[NDArray[np.float64], Solutions]:
        """Log-loss per value of C, averaged over the folds, and where the regressions ended."""
        ends = solve(asked, basis, tolerance=tolerance, max_iter=max_iter, start=start)
        by_fold = np.empty(len(asked.part))
        for some in asked.some_at_a_time():
            few, reached = asked.among(some), ends.among(some)
            losses, _ = few.row_losses(few.logits(reached.weight, reached.bias))
            by_fold[some] = (np.minimum(losses, _LARGEST_LOSS) * held[:, few.part]).sum(axis=0, dtype=np.float64)
        return by_fold.reshape(-1, n_folds).mean(axis=1), ends

    losses, ends = cross_validated(_in_quick_rows(in_folds, on_all, rows), _SEARCH_TOLERANCE, None)
    close = losses <= losses.min() + _CLOSE
    of_close = np.repeat(close, n_folds)
    ends = ends.among(of_close)
    if close.sum() > 1:
        losses[close], ends = cross_validated(in_folds.among(of_close), _FINAL_TOLERANCE, ends)
    chosen = int(np.argmax(losses <= losses.min() + _TIE))
    place = close[:chosen].sum() * n_folds
    start = _together(in_folds, ends.among(np.arange(place, place + n_folds)), on_all)
    return (
        C_GRID[chosen],
        start,
        {
            "c_grid": list(C_GRID),
            "cv_log_loss": losses.tolist(),
            "cv": {"folds": n_folds, "by": folds.by, "note": folds.note},
        },
    )


def _in_quick_rows(in_folds: Regressions, on_all: Regressions, rows: NDArray[np.float32]) -> Regressions:
    """The same regressions, read from ``rows``: those of ``on_all``, standardised and in float32."""
    alive = on_all.inverse[0] > 0
    scale = np.divide(1.0, on_all.inverse[0], out=np.zeros_like(on_all.inverse[0]), where=alive)
    stretch = in_folds.inverse * scale
    if stretch.max(initial=0.0) > _LARGEST_STRETCH:
        return in_folds
    return replace(
        in_folds,
        rows=rows,
        mean=(in_folds.mean - on_all.mean) * on_all.inverse,
        inverse=stretch,
        dtype=np.float32,
    )


def _together(in_folds: Regressions, ends: Solutions, on_all: Regressions) -> Solutions:
    """The mean of what the folds' regressions say of a row, as one regression on all rows."""
    raw = ends.weight * in_folds.inverse[:, None, :]
    bias = ends.bias - np.einsum("pkd,pd->pk", raw, in_folds.mean) + raw @ on_all.mean[0]
    alive = on_all.inverse[0] > 0
    weight = np.divide(raw.mean(axis=0), on_all.inverse[0], out=np.zeros_like(raw[0]), where=alive)
    return Solutions(weight[None], bias.mean(axis=0)[None], np.zeros(1, dtype=np.int64), np.zeros(1))
