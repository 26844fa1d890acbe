"""The probe of a number: ridge regression on standardised activations, its penalty chosen on train alone."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lit_probe.probing.probes.cross_validation import Folds, plain_folds
from lit_probe.probing.probes.fitted import FittedProbe
from lit_probe.probing.probes.fitting_scope import fitting_scope
from lit_probe.probing.probes.living_units import fitted_to_living_units
from lit_probe.probing.probes.options import ProbeOptions
from lit_probe.probing.probes.training_data import check_training_numbers, standardisation, standardised

# From almost none to one that leaves nothing but the mean of thousands of rows.
ALPHA_GRID = (1e-2, 1e-1, 1.0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6)
# Two cross-validated errors closer than that, as shares of the variance, are a tie.
_TIE = 1e-9


@fitted_to_living_units
def fit_ridge(
    x: ArrayLike,
    labels: ArrayLike,
    n_classes: int = 0,
    groups: ArrayLike | None = None,
    seed: int = 0,
    *,
    alpha: float | None = None,
) -> FittedProbe:
    """Fits a ridge regression: scikit-learn's ``Ridge(alpha)`` on standardised activations (`StandardScaler`).

    ``alpha`` comes from 10^-2, 10^-1, …, 10^6 by 3-fold cross-validation on these rows alone, by group where groups exist
    (`plain_folds`), standardising inside each fold on its fitting part. The smallest squared error, averaged over the folds,
    wins; ties go to the stronger penalty. The probe is then fitted on all rows at that ``alpha``. The numbers are standardised
    for the fit, and weights and bias are those of the numbers as they are.

    Args:
      x: ``[n_examples, d_model]`` activations of the train split, float32 or float64.
      labels: ``[n_examples]`` finite numbers.
      n_classes: 0, as for every probe of a number.
      groups: ``[n_examples]`` what must not be split between folds, or None.
      seed: the seed of the shuffled folds.
      alpha: the penalty; None chooses it by cross-validation.

    Returns:
      The probe. ``settings`` holds ``alpha``, the grid with its cross-validated errors as shares of the variance of the numbers
      (``cv_squared_error``) and the folds (unless ``alpha`` was given), and the seed.

    Raises:
      ProbeError: there are fewer than 6 numbers or all are the same, the activations are not finite, or ``alpha`` is out of
        range.

    >>> x = np.random.default_rng(0).normal(size=(50, 3))
    >>> fit_ridge(x, 1000 + 7 * x[:, 0], alpha=0.01).predict([[2.0, 0.0, 0.0]]).round()
    array([1014.])
    """
    ProbeOptions(regularisation=alpha)
    values, numbers = check_training_numbers(x, labels)
    mean, scale = standardisation(values)
    centre, spread = float(numbers.mean()), float(numbers.std())
    targets = (numbers - centre) / spread
    search: dict[str, Any] = {}
    with fitting_scope:
        if alpha is None:
            alpha, search = _search(values, targets, plain_folds(len(numbers), groups, seed))
        [weights] = _solutions(standardised(values, mean, scale), targets, [alpha])
    return FittedProbe(
        kind="ridge",
        classes_=np.empty(0, dtype=np.int64),
        mean=mean,
        scale=scale,
        layers=((spread * weights[None], np.array([centre])),),
        converged=True,
        settings={"alpha": alpha, **search, "seed": seed, "n_train": len(numbers)},
    )


def _search(values: NDArray[Any], targets: NDArray[np.float64], folds: Folds) -> tuple[float, dict[str, Any]]:
    """The ``alpha`` of the smallest cross-validated squared error, and how it was found."""
    errors = np.empty((len(folds.pairs), len(ALPHA_GRID)))
    for fold, (fitted, held) in enumerate(folds.pairs):
        mean, scale = standardisation(values[fitted])
        part, rest = standardised(values[fitted], mean, scale), standardised(values[held], mean, scale)
        centre = targets[fitted].mean()
        for index, weights in enumerate(_solutions(part, targets[fitted] - centre, ALPHA_GRID)):
            errors[fold, index] = np.square(targets[held] - centre - rest @ weights).mean()
    means = errors.mean(axis=0)
    best = int(np.flatnonzero(means <= means.min() + _TIE).max())
    return ALPHA_GRID[best], {
        "alpha_grid": list(ALPHA_GRID),
        "cv_squared_error": means.tolist(),
        "cv": {"folds": len(folds.pairs), "by": folds.by, "note": folds.note},
    }


def _solutions(x: NDArray[np.float64], targets: NDArray[np.float64], alphas: Sequence[float]) -> list[NDArray[np.float64]]:
    """``[len(alphas)]`` the weights ``[d_model]`` that make |targets - x w|² + alpha |w|² smallest.

    One decomposition serves all of them: of xᵀx, or of xxᵀ where there are fewer rows than units. ``x`` and ``targets`` have
    means of 0, so the intercept is 0.
    """
    n_rows, width = x.shape
    wide = n_rows < width
    values, vectors = np.linalg.eigh(x @ x.T if wide else x.T @ x)
    values = np.maximum(values, 0.0)
    if wide:
        projected = vectors.T @ targets
        return [x.T @ (vectors @ (projected / (values + alpha))) for alpha in alphas]
    projected = vectors.T @ (x.T @ targets)
    return [vectors @ (projected / (values + alpha)) for alpha in alphas]
