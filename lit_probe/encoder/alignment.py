"""Which tokens, or words, of a text stand in its edited version too, and where."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import SequenceMatcher

import numpy as np
from numpy.typing import NDArray


def align(one: Sequence[str], other: Sequence[str]) -> NDArray[np.int64]:
    """``[n_pairs, 2]`` positions in ``one`` and in ``other`` of what stands in both, rising in both columns.

    By the longest common runs (Ratcliff & Metzener 1988), whatever the case: an insertion moves what follows it instead of
    pairing it with its new neighbours. What was inserted, removed or replaced is in no pair.

    >>> align("a fine film".split(), "Well , a very fine film".split()).tolist()
    [[0, 2], [1, 4], [2, 5]]
    """
    matcher = SequenceMatcher(None, [text.casefold() for text in one], [text.casefold() for text in other], autojunk=False)
    pairs = [(run.a + i, run.b + i) for run in matcher.get_matching_blocks() for i in range(run.size)]
    return np.array(pairs, dtype=np.int64).reshape(-1, 2)


def paired_scores(
    one: Sequence[str], scores: NDArray[np.float64], other: Sequence[str], other_scores: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The scores of two versions of a text, word beside word.

    Args:
      one: ``[n_one]`` the words of one version.
      scores: ``[n_one]``.
      other: ``[n_other]`` the words of the other version.
      other_scores: ``[n_other]``.

    Returns:
      ``[n_pairs, 2]`` the scores of the words that stand in both, and ``[n_alone]`` those of the words of either version that
      do not stand in the other.

    >>> pairs, alone = paired_scores(["fine", "film"], np.array([3.0, 1.0]), ["a", "fine", "film"], np.array([0.5, 2.0, 1.0]))
    >>> pairs.tolist(), alone.tolist()
    ([[3.0, 2.0], [1.0, 1.0]], [0.5])
    """
    places = align(one, other)
    pairs = np.column_stack([scores[places[:, 0]], other_scores[places[:, 1]]])
    return pairs, np.concatenate([np.delete(scores, places[:, 0]), np.delete(other_scores, places[:, 1])])
