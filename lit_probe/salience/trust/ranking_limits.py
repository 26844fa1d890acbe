"""How well and how badly any ranking of a text's words could do, by search over nested sets of words."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

Sets = NDArray[np.bool_]
# Of each set ``[n_sets, n_words]``, what is summed along a ranking ``[n_sets]``.
ValueOf = Callable[[Sets], NDArray[np.float64]]

EXHAUSTIVE_WORDS = 8  # 256 sets at most
BEAM_WIDTH = 1  # wider ones cost more than all methods together


@dataclass(frozen=True, eq=False)
class Chain:
    """The sets of top words of one ranking, each within the next.

    Attributes:
      value: the mean of the sets' values.
      sets: ``[n_sizes, n_words]`` True for the words in the set.
    """

    value: float
    sets: Sets


def highest_chain(n_words: int, sizes: Sequence[int], value_of: ValueOf, width: int | None) -> Chain:
    """The ranking whose top words have the highest mean value, over sets of the given sizes.

    Without a ``width`` every ranking is tried, as paths over sets (a set that several rankings reach is valued once). With one
    it is a greedy beam search: at each size the best ``width`` paths are kept, and words are added by what each of them alone
    adds; the value is then attained by some ranking, but a higher one may exist. The lowest is the highest of the negative.
    For the use of both as limits see Edin et al. 2024, https://arxiv.org/abs/2408.08137 (normalised AOPC).

    Args:
      n_words: the number of words that are ranked.
      sizes: ``[n_sizes]`` numbers of top words, 1..n_words, not falling.
      value_of: the value of any sets of words; asked about many at once.
      width: the number of paths that are kept, or None for all.

    >>> weights = np.array([3.0, -1.0, 2.0])
    >>> best = highest_chain(3, [1, 2], lambda sets: sets @ weights, width=None)
    >>> best.value, best.sets.astype(int).tolist()
    (4.0, [[1, 0, 0], [1, 0, 1]])
    """
    paths = np.zeros((1, 0, n_words), dtype=bool)
    totals = np.zeros(1)
    ends = np.zeros((1, n_words), dtype=bool)
    for size in sizes:
        n_more = size - int(ends[0].sum())
        sets, parents = _all_extensions(ends, n_more) if width is None else _likely_extensions(ends, n_more, value_of, width)
        reached = totals[parents] + value_of(sets)
        order = np.argsort(-reached, kind="stable")
        # Of several ways to the same set the best one is enough: what comes after depends on the set alone.
        _, first = np.unique(np.packbits(sets[order], axis=1), axis=0, return_index=True)
        kept = order[np.sort(first)][:width]
        ends, totals = sets[kept], reached[kept]
        paths = np.concatenate([paths[parents[kept]], ends[:, None]], axis=1)
    best = int(totals.argmax())
    return Chain(float(totals[best]) / len(sizes), paths[best])


def _all_extensions(ends: Sets, n_more: int) -> tuple[Sets, NDArray[np.int64]]:
    """Every set with ``n_more`` more words ``[n, n_words]``, and which of ``ends`` it continues ``[n]``."""
    added = [(i, list(more)) for i, end in enumerate(ends) for more in combinations(np.flatnonzero(~end), n_more)]
    return _extended(ends, added)


def _likely_extensions(ends: Sets, n_more: int, value_of: ValueOf, width: int) -> tuple[Sets, NDArray[np.int64]]:
    """The same for the words that add most by themselves; the last place may go to any of the ``width`` next ones."""
    if n_more <= 1:
        return _all_extensions(ends, n_more)
    singles, parents = _all_extensions(ends, 1)
    values = value_of(singles)
    added = []
    for i, end in enumerate(ends):
        ranked = np.flatnonzero(~end)[np.argsort(-values[parents == i], kind="stable")]
        added += [(i, [*ranked[: n_more - 1], last]) for last in ranked[n_more - 1 : n_more - 1 + width]]
    return _extended(ends, added)


def _extended(ends: Sets, added: Sequence[tuple[int, Sequence[int]]]) -> tuple[Sets, NDArray[np.int64]]:
    parents = np.array([i for i, _ in added], dtype=np.int64)
    sets = ends[parents]
    for row, (_, more) in zip(sets, added, strict=True):
        row[list(more)] = True
    return sets, parents
