"""How well several yes/no targets of the same rows are found together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lit_probe.results import Result
from lit_probe.scores.class_means import f1_interval, mean_interval
from lit_probe.scores.intervals import Interval, group_units, proportion_interval
from lit_probe.scores.metrics import Score
from lit_probe.scores.scored_rows import too_few

JOINT_MADE_BY = (
    "each target decided at its own dev-chosen layer; micro F1 of all answers yes, with Jeffreys of the share that is right; "
    "macro F1, the mean over targets, combined by MOVER; subset accuracy, the share of rows with every target right, with "
    "Wilson; over rows, or groups"
)


@dataclass(frozen=True)
class JointScores(Result):
    """The scores of several targets together, on one split.

    Attributes:
      split: the name of the rows that were scored.
      n: the number of rows.
      targets: ``[n_targets]`` the names of the targets.
      layers: ``[n_targets]`` the layer at which each is decided.
      macro_f1: the mean of the targets' F1 of yes, of those that some row has or gets.
      micro_f1: the F1 of yes over all rows and targets.
      subset_accuracy: the share of rows with all targets right.
      subset_baseline: the same of the most frequent answer of train to each target.
      made_by: how they are computed.
    """

    split: str
    n: int
    targets: tuple[str, ...]
    layers: tuple[int, ...]
    macro_f1: Score
    micro_f1: Score
    subset_accuracy: Score
    subset_baseline: float
    made_by: str = JOINT_MADE_BY


def joint_scores(
    split: str,
    predicted: ArrayLike,
    labels: ArrayLike,
    usual: Sequence[bool],
    groups: ArrayLike | None,
    targets: Sequence[str],
    layers: Sequence[int],
) -> JointScores:
    """The joint scores of answers.

    Args:
      split: the name of the rows.
      predicted: ``[n_rows, n_targets]`` whether the probe says yes.
      labels: ``[n_rows, n_targets]`` whether it is yes.
      usual: ``[n_targets]`` the most frequent answer of train.
      groups: ``[n_rows]`` what is not independent of each other, or None.
      targets: ``[n_targets]`` their names.
      layers: ``[n_targets]`` the layer of each.
    """
    says, is_so = np.asarray(predicted, dtype=bool), np.asarray(labels, dtype=bool)
    n, n_targets = says.shape
    units = group_units(groups)
    doubt = too_few(n, None if units is None else int(units.max()) + 1)

    def score(value: float | None, interval: Interval | None) -> Score:
        if value is None:
            return Score(None, None, None, n, False, "no row is yes or said to be")
        low, high = (None, None) if interval is None else (min(interval[0], value), max(interval[1], value))
        lack = "" if interval else "no interval: all rows belong to one or two groups"
        return Score(value, low, high, n, not doubt, "; ".join(filter(None, (doubt, lack))))

    # The answers to all targets of a row are not independent: rows, or groups, are what varies.
    of_rows = np.arange(n) if units is None else units
    cells = np.repeat(of_rows, n_targets)
    right = (says == is_so).all(axis=1)
    micro = f1_interval(says.ravel().astype(np.int64), is_so.ravel().astype(np.int64), 1, cells) if (says | is_so).any() else None
    return JointScores(
        split,
        n,
        tuple(targets),
        tuple(layers),
        score(*_macro(says, is_so, units)),
        score(_f1(says, is_so), micro),
        score(float(right.mean()), proportion_interval(right, np.ones(n, dtype=bool), units)),
        float((np.asarray(usual, dtype=bool) == is_so).all(axis=1).mean()),
    )


def _f1(says: NDArray[np.bool_], is_so: NDArray[np.bool_]) -> float | None:
    total = int(says.sum()) + int(is_so.sum())
    return 2 * float((says & is_so).sum()) / total if total else None


def _macro(
    says: NDArray[np.bool_], is_so: NDArray[np.bool_], units: NDArray[np.int64] | None
) -> tuple[float | None, Interval | None]:
    parts, influences, missing = [], [], False
    for own, wanted in zip(says.T, is_so.T, strict=True):
        value = _f1(own, wanted)
        if value is None:
            continue
        ends = f1_interval(own.astype(np.int64), wanted.astype(np.int64), 1, units)
        missing |= ends is None
        parts.append((value, *(ends or (value, value))))
        influences.append((2.0 * (own & wanted) - value * (own.astype(float) + wanted)) / (own.sum() + wanted.sum()))
    if not parts:
        return None, None
    mean = float(np.mean([value for value, _, _ in parts]))
    return mean, None if missing else mean_interval(parts, np.array(influences), units)
