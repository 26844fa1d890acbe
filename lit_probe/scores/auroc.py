"""The area under the ROC curve and its 95 % interval."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lit_probe.scores.class_means import mean_interval
from lit_probe.scores.intervals import Interval, Units, bootstrap_weights, critical_value, sum_by_unit

# The model's variance counts as much as what 20 rows of the rarer side say of it.
_ROWS_OF_MODEL = 20
# Variances are told by the rows that are ranked wrongly; from this share of them on, each row counts in full.
_SHARE_TELLING = 1 / 8


def auroc(scores: NDArray[np.float64], labels: NDArray[np.int64], n_classes: int) -> float:
    """Area under the ROC curve of ``scores`` ``[n_examples, n_classes]``; ties count half.

    For two classes, of the second one's score; for more, the unweighted mean of the areas of each class against the rest.
    Every class must occur in ``labels`` ``[n_examples]``.
    """
    return float(np.mean([_placements(scores[:, c], labels == c)[0] for c in _ranked_classes(n_classes)]))


def auroc_interval(scores: NDArray[np.float64], labels: NDArray[np.int64], n_classes: int, units: Units) -> Interval | None:
    """The interval of `auroc`: the areas that a score test does not reject (Newcombe 2006, https://doi.org/10.1002/sim.2324).

    The test's variance depends on the area as Hanley & McNeil's does (1982, https://doi.org/10.1148/radiology.143.1.7063747), and
    is scaled to DeLong's at the area that was found (DeLong et al. 1988, https://doi.org/10.2307/2531595; by group: Obuchowski
    1997, https://doi.org/10.2307/2533958): by as much as it exceeds the model's, and by less as far as it falls below, because
    with few rows, or few that are ranked wrongly, DeLong's is too small. Of several classes the intervals of each against the
    rest are combined (`mean_interval`).

    Covers the truth in 93–98 % of draws for 10 rows or more of the rarer class and areas of 0.55–0.98; DeLong's own, on the logit
    scale, in 86–96 %. Where the scores of the rarer class spread three times as much as the others' it goes down to 91 %, and up
    to 100 % where they spread a third as much.

    Returns:
      Low and high, or None when a class has one row (or group) only, which leaves its variance unknown.
    """
    classes = _ranked_classes(n_classes)
    parts: list[tuple[float, float, float]] = []
    influences = np.zeros((len(classes), len(labels)))
    for influence, c in zip(influences, classes, strict=True):
        positive = labels == c
        area, placement = _placements(scores[:, c], positive)
        sizes = []
        for side in (positive, ~positive):
            n_units = int(side.sum()) if units is None else len(np.unique(units[side]))
            if n_units < 2:
                return None
            sizes.append(n_units)
            influence[side] = (placement[side] - area) / side.sum() * np.sqrt(n_units / (n_units - 1))
        totals = influence if units is None else sum_by_unit(influence, units)
        critical = critical_value(None if units is None else len(totals))
        if 0 < area < 1 and not influence.any():  # all scores are equal
            parts.append((area, area, area))
        else:
            parts.append((area, *_not_rejected(area, float(totals @ totals), sizes[0], sizes[1], critical)))
    return mean_interval(parts, influences, units)


def auroc_draws(
    scores: NDArray[np.float64], labels: NDArray[np.int64], n_classes: int, units: Units, seed: int
) -> NDArray[np.float64]:
    """``[n_layers, n_draws]`` the area of each layer's ``scores`` ``[n_examples, n_layers, n_classes]`` on bootstrap resamples.

    The resamples are those of `bootstrap_weights`, so that draws are paired. Where one lacks a class, or all others, its area is
    0.5: it says nothing.
    """
    n_units = len(labels) if units is None else int(units.max()) + 1
    classes = _ranked_classes(n_classes)
    found = []
    for weights in bootstrap_weights(n_units, seed):
        of_rows = weights if units is None else weights[:, units]
        areas = [[_weighted_area(scores[:, layer, c], labels == c, of_rows) for c in classes] for layer in range(scores.shape[1])]
        found.append(np.mean(areas, axis=1))
    return np.concatenate(found, axis=1)


def _weighted_area(scores: NDArray[np.float64], positive: NDArray[np.bool_], weights: NDArray[np.float32]) -> NDArray[np.float64]:
    """``[n_draws]`` the area where each row counts ``weights`` ``[n_draws, n_examples]`` times."""
    order = np.argsort(scores, kind="stable")
    values, counted = scores[order], weights[:, order].astype(np.float64)
    on, off = counted * positive[order], counted * ~positive[order]
    below = np.concatenate([np.zeros((len(off), 1)), off.cumsum(axis=1)], axis=1)
    # Ties count half: the mean of what stands below a score, and of what stands below or beside it.
    beaten = below[:, np.searchsorted(values, values, "left")] + below[:, np.searchsorted(values, values, "right")]
    pairs = on.sum(axis=1) * off.sum(axis=1)
    area: NDArray[np.float64] = np.divide((on * beaten).sum(axis=1), 2 * pairs, out=np.full(len(pairs), 0.5), where=pairs > 0)
    return area


def _not_rejected(area: float, variance: float, n_on: int, n_off: int, critical: float) -> Interval:
    """The areas from which ``area`` is no further than ``critical`` standard errors."""
    fewest = min(n_on, n_off)
    ratio = variance / _model_variance(area, n_on, n_off) if 0 < area < 1 else 0.0
    telling = fewest * min(1.0, min(area, 1 - area) / _SHARE_TELLING)
    scale = max(ratio, (telling * ratio + _ROWS_OF_MODEL) / (telling + _ROWS_OF_MODEL))

    def end(inside: float, outside: float) -> float:
        for _ in range(60):  # bisection, to the last digit of a double
            middle = (inside + outside) / 2
            if (area - middle) ** 2 <= critical**2 * scale * _model_variance(middle, n_on, n_off):
                inside = middle
            else:
                outside = middle
        return inside

    return end(area, 0.0) if area > 0 else 0.0, end(area, 1.0) if area < 1 else 1.0


def _model_variance(area: float, n_on: int, n_off: int) -> float:
    """Hanley & McNeil's variance, symmetric in the two sides as Newcombe's fifth method takes it."""
    pairs = (n_on + n_off) / 2 - 1
    return area * (1 - area) * (1 + pairs * ((1 - area) / (2 - area) + area / (1 + area))) / (n_on * n_off)


def _ranked_classes(n_classes: int) -> range:
    return range(1, 2) if n_classes == 2 else range(n_classes)


def _placements(scores: NDArray[np.float64], positive: NDArray[np.bool_]) -> tuple[float, NDArray[np.float64]]:
    """The area, and per row the share of the other side's rows that it is ranked rightly against ``[n_examples]``."""
    on, off = np.sort(scores[positive]), np.sort(scores[~positive])
    placement = np.empty(len(scores))
    placement[positive] = _share_below(scores[positive], off)
    placement[~positive] = 1 - _share_below(scores[~positive], on)
    return float(placement[positive].mean()), placement


def _share_below(values: NDArray[np.float64], ordered: NDArray[np.float64]) -> NDArray[np.float64]:
    below = np.searchsorted(ordered, values, "left") + np.searchsorted(ordered, values, "right")
    shares: NDArray[np.float64] = below / (2 * len(ordered))
    return shares
