"""The linear probe: logistic regression on standardised activations, its regularisation chosen on train alone."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lit_probe.probing.probes.cross_validation import Folds, stratified_folds
from lit_probe.probing.probes.fitted import FittedProbe
from lit_probe.probing.probes.fitting_scope import fitting_scope
from lit_probe.probing.probes.living_units import fitted_to_living_units
from lit_probe.probing.probes.training_data import (
    check_training_data,
    row_weights,
    standardisation,
    standardised,
)

C_GRID = (1e-4, 1e-3, 1e-2, 1e-1, 1.0)
MAX_ITER = 10_000

# On the largest entry of the gradient of the mean loss. The search has to rank five values of C; the final fit is the result.
_SEARCH_TOLERANCE = 1e-5
_FINAL_TOLERANCE = 1e-7
# L-BFGS also stops when the loss no longer changes in float64, with a gradient just above the tolerance.
_CONVERGED_GRADIENT = 1e-5
# The quick search is off by up to 3e-4. Losses this close to the smallest are worked out again at the final tolerance.
_CLOSE = 1e-3
# Two cross-validated losses closer than that still is are a tie.
_TIE = 1e-6


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
    """Fits an L2-regularised logistic regression (scikit-learn, L-BFGS); multinomial for three or more classes.

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
      ProbeError: a class has fewer than 2 examples, or the activations are not finite.
    """
    values, classes = check_training_data(x, labels, n_classes)
    mean, scale = standardisation(values)
    with fitting_scope:
        search: dict[str, Any] = {}
        if c is None:
            c, search = _search(values, classes, stratified_folds(classes, groups, seed), max_iter, class_weight)
        scaled = standardised(values, mean, scale)
        model = _regression(_FINAL_TOLERANCE, max_iter, C=c, class_weight=class_weight).fit(scaled, classes)
        gradient = _largest_gradient(model, scaled, classes, class_weight)
    n_iter = int(model.n_iter_[0])
    weight, bias = model.coef_, model.intercept_
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


def _search(
    values: NDArray[Any], classes: NDArray[np.int64], folds: Folds, max_iter: int, class_weight: str | None
) -> tuple[float, dict[str, Any]]:
    """The ``C`` of the smallest cross-validated loss, and how it was found."""
    losses = _cross_validated_losses(values, classes, folds, max_iter, C_GRID, np.float32, _SEARCH_TOLERANCE, class_weight)
    close = losses <= losses.min() + _CLOSE
    if close.sum() > 1:
        grid = tuple(np.array(C_GRID)[close])
        losses[close] = _cross_validated_losses(
            values, classes, folds, max_iter, grid, np.float64, _FINAL_TOLERANCE, class_weight
        )
    return C_GRID[int(np.argmax(losses <= losses.min() + _TIE))], {
        "c_grid": list(C_GRID),
        "cv_log_loss": losses.tolist(),
        "cv": {"folds": len(folds.pairs), "by": folds.by, "note": folds.note},
    }


def _cross_validated_losses(
    x: NDArray[Any],
    labels: NDArray[np.int64],
    folds: Folds,
    max_iter: int,
    grid: Sequence[float],
    dtype: type[np.floating[Any]],
    tolerance: float,
    class_weight: str | None,
) -> NDArray[np.float64]:
    """Log-loss per value of C in ``grid`` (ascending), averaged over the folds."""
    losses = np.empty((len(folds.pairs), len(grid)))
    least = np.finfo(np.float64).eps  # scikit-learn's log_loss clips there too
    for fold, (fitted, held) in enumerate(folds.pairs):
        mean, scale = standardisation(x[fitted])
        # float32 halves the time of the search.
        part, rest = standardised(x[fitted], mean, scale).astype(dtype, copy=False), standardised(x[held], mean, scale)
        # From strong to weak regularisation, each fit starts where the last one ended: half the iterations, the same optimum.
        model = _regression(tolerance, max_iter, warm_start=True, class_weight=class_weight)
        weights = None if class_weight is None else row_weights(labels[held])
        for index, c in enumerate(grid):
            model.set_params(C=c).fit(part, labels[fitted])
            of_label = model.predict_proba(rest)[np.arange(len(held)), labels[held]]
            row_losses = -np.log(np.maximum(of_label, least))
            losses[fold, index] = row_losses.mean() if weights is None else np.average(row_losses, weights=weights)
    means: NDArray[np.float64] = losses.mean(axis=0)
    return means


def _regression(tolerance: float, max_iter: int, **options: Any) -> Any:
    # scikit-learn takes a second to import, and a start from the cache fits nothing.
    from sklearn.linear_model import LogisticRegression

    return LogisticRegression(solver="lbfgs", tol=tolerance, max_iter=max_iter, **options)


def _largest_gradient(model: Any, scaled: NDArray[np.float64], labels: NDArray[np.int64], class_weight: str | None) -> float:
    """The largest entry of the gradient of mean log-loss + |w|²/(2 C n) at the solution: 0 at the optimum."""
    errors = model.predict_proba(scaled)
    errors[np.arange(len(labels)), labels] -= 1.0
    if class_weight is not None:
        errors *= row_weights(labels)[:, None]
    errors = errors[:, 1:] if model.coef_.shape[0] == 1 else errors
    on_weights = (errors.T @ scaled + model.coef_ / model.C) / len(labels)
    return float(max(np.abs(on_weights).max(), np.abs(errors.mean(axis=0)).max()))
