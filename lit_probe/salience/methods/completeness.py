"""Whether scores add up to the change that they share out, and what is said of a map whose scores do not."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lit_probe.salience.token_scores import MethodScores

# The largest gap between the sum and the change, as a share of the change.
TOLERANCE = 0.02
# A change that is smaller counts as this much: next to nothing, any rounding would be a large share.
_LEAST_CHANGE = 0.1


def share_missed(total: float, change: float) -> float:
    """The completeness gap, as a share of the change that the scores should add up to.

    >>> share_missed(1.9, 2.0)
    0.05
    >>> share_missed(0.005, 0.0)
    0.05
    """
    return round(abs(total - change) / max(abs(change), _LEAST_CHANGE), 12)


def shared_out(scores: NDArray[np.float64], change: float, n_used: int, points: str, remedy: str) -> MethodScores:
    """The scores, with how far they are from adding up, and marked where that is more than `TOLERANCE`.

    Args:
      scores: ``[n_tokens]``, those of special tokens 0.
      change: what they should add up to.
      n_used: the number of points that they were computed from.
      points: what these points are called: ``steps``.
      remedy: what a reader can do: ``more steps``.
    """
    total = float(scores.sum())
    said = {"change": change, "completeness_gap": abs(total - change), "gap_share": share_missed(total, change)}
    if said["gap_share"] <= TOLERANCE:
        return MethodScores(scores, {**said, "n_used": n_used})
    counted = f"{n_used:,} {points if n_used > 1 else points.removesuffix('s')}"
    warning = (
        f"Not exact: after {counted} the scores add up to {total:.3g}, while the change is {change:.3g}. "
        f"Small differences between words mean nothing. What helps: {remedy}."
    )
    return MethodScores(scores, {**said, "n_used": n_used}, warning)
