"""What every probe kind asks of its training data, and the standardisation learnt from it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lit_probe.errors import ProbeError

MIN_CLASSES = 2
MIN_EXAMPLES_PER_CLASS = 2
MIN_NUMBERS = 6
# Rows that are cast or standardised at a time, where no copy of all of them is wanted.
BLOCK = 512

# What tells a unit that is constant but for rounding: see `standardisation`.
_ROUNDINGS = 4
_LEAST_SHARE = 1e-6


def check_labels(labels: ArrayLike, label_names: Sequence[str]) -> NDArray[np.int64]:
    """``[n_examples]`` int64: the labels, once every class has enough of them.

    Raises:
      ProbeError: there are fewer than 2 classes, a label is out of range, or a class has fewer than 2 training examples.

    >>> check_labels([0, 1, 1], ["negative", "positive"])  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    ...
    lit_probe.errors.ProbeError: A probe needs at least 2 training examples of each class, but 'negative' has 1. Add ...
    """
    if len(label_names) < MIN_CLASSES:
        raise ProbeError(f"A probe needs {MIN_CLASSES} classes or more to tell apart; got {len(label_names)}.")
    values = np.asarray(labels, dtype=np.int64)
    if values.ndim != 1 or (values.size and (values.min() < 0 or values.max() >= len(label_names))):
        raise ProbeError(f"Labels must be one number per example in 0..{len(label_names) - 1}.")
    counts = np.bincount(values, minlength=len(label_names))
    rare = [f"{name!r} has {count}" for name, count in zip(label_names, counts, strict=True) if count < MIN_EXAMPLES_PER_CLASS]
    if rare:
        raise ProbeError(
            f"A probe needs at least {MIN_EXAMPLES_PER_CLASS} training examples of each class, but {', '.join(rare)}. "
            "Add examples or leave the class out."
        )
    return values


def check_numbers(labels: ArrayLike) -> NDArray[np.float64]:
    """``[n_examples]`` float64: the labels, once there are enough of them.

    Raises:
      ProbeError: a label is not finite, there are fewer than 6, or all are the same.

    >>> check_numbers([1, 2, 3])
    Traceback (most recent call last):
    ...
    lit_probe.errors.ProbeError: A probe of a number needs at least 6 training examples; got 3. Add examples.
    """
    values = np.asarray(labels, dtype=np.float64)
    if values.ndim != 1 or not np.isfinite(values).all():
        raise ProbeError("Labels that are numbers must be one finite number per example.")
    if len(values) < MIN_NUMBERS:
        raise ProbeError(f"A probe of a number needs at least {MIN_NUMBERS} training examples; got {len(values)}. Add examples.")
    if np.ptp(values) == 0:
        raise ProbeError(f"All {len(values)} training examples have the number {values[0]:g}, so there is nothing to fit.")
    return values


def check_training_data(x: ArrayLike, labels: ArrayLike, n_classes: int) -> tuple[NDArray[Any], NDArray[np.int64]]:
    """``x`` ``[n_examples, d_model]`` and ``labels`` ``[n_examples]``, once they can be fitted.

    Raises:
      ProbeError: as `check_labels`; the lengths disagree; or ``x`` has no unit, NaN or infinity.
    """
    checked = check_labels(labels, [f"class {index}" for index in range(n_classes)])
    return check_activations(x, len(checked)), checked


def check_training_numbers(x: ArrayLike, labels: ArrayLike) -> tuple[NDArray[Any], NDArray[np.float64]]:
    """``x`` ``[n_examples, d_model]`` and numbers ``[n_examples]``, once they can be fitted.

    Raises:
      ProbeError: as `check_numbers`; the lengths disagree; or ``x`` has no unit, NaN or infinity.
    """
    checked = check_numbers(labels)
    return check_activations(x, len(checked)), checked


def check_activations(x: ArrayLike, n_labels: int) -> NDArray[Any]:
    """``x`` ``[n_examples, d_model]``, once it can be fitted to so many labels.

    Raises:
      ProbeError: the lengths disagree; or ``x`` has no unit, NaN or infinity.
    """
    values = np.asarray(x)
    if values.ndim != 2 or len(values) != n_labels or not values.shape[1]:
        raise ProbeError(
            f"Activations [n_examples, d_model] with a unit or more and as many labels are needed; got {list(values.shape)} and "
            f"{n_labels}."
        )
    # A sum is NaN or infinite as soon as one term is, and needs no second array of this size.
    if not np.isfinite(values.sum(dtype=np.float64)):
        n_bad = int((~np.isfinite(values).all(axis=1)).sum())
        raise ProbeError(f"The activations of {n_bad} of {len(values)} training examples hold NaN or infinity.")
    return values


def standardisation(x: NDArray[Any]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mean and scale, each ``[d_model]`` float64, of ``x`` ``[n_examples, d_model]``, as in scikit-learn's StandardScaler.

    The scale is the standard deviation. It is infinite for a *dead* unit, one that is constant but for rounding, so that nothing
    is left of it when it is standardised: its standard deviation is no more than 4 roundings of float32 at its mean, or less than
    a millionth of the median of the units that are alive. Scaled up to 1, rounding errors of such units would be read like any
    signal (three of the 384 units of all-MiniLM-L6-v2's last layer have 2e-9 to 7e-33, where 0.2 is usual).
    """
    mean, variance = _mean_and_variance(x, np.arange(len(x)))
    return mean, _scale(mean, variance, len(x))


def fold_standardisations(x: NDArray[Any], held: Sequence[NDArray[np.int64]]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Means and scales, each ``[n_folds, d_model]``, of the rows that each fold does not hold out: `standardisation`'s.

    Each row is read twice in all, not twice for each fold: the statistics of parts are put together (Chan, Golub & LeVeque 1983,
    https://doi.org/10.1080/00031305.1983.10483115).

    Args:
      x: ``[n_examples, d_model]``.
      held: per fold, the indices of the rows that it holds out; together every row once.
    """
    parts = [_mean_and_variance(x, rows) for rows in held]
    means, scales = [], []
    for fold in range(len(held)):
        others = [other for other in range(len(held)) if other != fold]
        n_rows = sum(len(held[other]) for other in others)
        share = {other: len(held[other]) / n_rows for other in others}
        mean = np.sum([share[other] * parts[other][0] for other in others], axis=0)
        variance = np.sum([share[other] * (parts[other][1] + (parts[other][0] - mean) ** 2) for other in others], axis=0)
        means.append(mean)
        scales.append(_scale(mean, variance, n_rows))
    return np.stack(means), np.stack(scales)


def _scale(mean: NDArray[np.float64], variance: NDArray[np.float64], n_rows: int) -> NDArray[np.float64]:
    rounding = n_rows * np.finfo(np.float64).eps
    constant = variance <= rounding * variance + (rounding * mean) ** 2
    spread = np.sqrt(variance)
    alive = ~constant & (spread > _ROUNDINGS * np.finfo(np.float32).eps * np.abs(mean))
    if alive.any():
        # A tenth of loud units, or nine tenths of dead ones, do not hide what is usual.
        usual = np.median(spread[alive & (spread > _LEAST_SHARE * np.quantile(spread[alive], 0.9))])
        alive &= spread > _LEAST_SHARE * usual
    return np.where(alive, spread, np.inf)


def _mean_and_variance(x: NDArray[Any], rows: NDArray[np.int64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Those of some rows, in numpy's digits, without a copy of them all."""
    mean, variance = np.zeros(x.shape[1]), np.zeros(x.shape[1])
    buffer = np.empty((BLOCK + 1, x.shape[1]))
    for total, centre in ((mean, None), (variance, mean)):
        for start in range(0, len(rows), BLOCK):
            some = rows[start : start + BLOCK]
            # numpy adds row after row, so the sum so far is one row more.
            terms = buffer[: len(some) + 1]
            terms[0], terms[1:] = total, x[some]
            if centre is not None:
                np.square(np.subtract(terms[1:], centre, out=terms[1:]), out=terms[1:])
            terms.sum(axis=0, out=total)
        total /= len(rows)
    return mean, variance


def standardised(x: NDArray[Any], mean: NDArray[np.float64], scale: NDArray[np.float64]) -> NDArray[np.float64]:
    """``[n_examples, d_model]`` float64: ``x`` less ``mean``, divided by ``scale``, with one copy only."""
    values: NDArray[np.float64] = np.subtract(x, mean, dtype=np.float64)
    values /= scale
    return values


def row_weights(labels: NDArray[np.int64]) -> NDArray[np.float64]:
    """``[n_examples]`` how much each row counts where every class that is there counts alike; they add up to ``n_examples``.

    >>> row_weights(np.array([0, 0, 0, 1]))
    array([0.66666667, 0.66666667, 0.66666667, 2.        ])
    """
    counts = np.bincount(labels)
    weights: NDArray[np.float64] = len(labels) / (np.count_nonzero(counts) * counts[labels])
    return weights


def alive_only(x: NDArray[Any], alive: NDArray[np.bool_]) -> NDArray[Any]:
    """``[n_examples, n_alive]``: ``x`` without dead units, laid out as it would be without them, for the sake of last digits."""
    return np.ascontiguousarray(x[:, alive])
