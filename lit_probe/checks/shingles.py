"""Texts as sets of shingles, runs of consecutive words or characters (Broder 1997), and the pairs that share enough of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

Wanted = Callable[[NDArray[np.int64], NDArray[np.int64]], NDArray[np.float64]]
"""From the places of the first and the second text of pairs, the weight of shingles that they must have in common."""

# Texts of one template share their shingles by the thousand; a row needs only one of them as its copy.
_MOST_ROWS = 2_000
_MOST_PAIRS = 200
_MOST_ASKED = 24
_LEAST_ANSWERED = 1 / 8
_PRODUCTS = 1_000_000_000
_PRODUCTS_AT_ONCE = 3_000_000
_PAIRS_AT_ONCE = 50_000
_ROUNDING = 1e-9


@dataclass(frozen=True)
class Pairs:
    """Pairs of texts, each ``[n_pairs]``.

    Attributes:
      rows: the place of the one text.
      others: that of the other.
      common: the weight of the shingles that both have.
    """

    rows: NDArray[np.int64]
    others: NDArray[np.int64]
    common: NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Shingles:
    """The set of shingles of each text.

    Attributes:
      matrix: ``[n_texts, n_shingles]`` SciPy's CSR, 1 where the text has the shingle.
      weights: ``[n_shingles]`` what each counts, 0 or more.
    """

    matrix: Any
    weights: NDArray[np.float64]

    @classmethod
    def of(cls, units: NDArray[np.uint64], lengths: NDArray[np.int64], n: int) -> Shingles:
        """The runs of ``n`` units, each of weight 1.

        Args:
          units: ``[lengths.sum()]`` a number for each word or character, text after text.
          lengths: ``[n_texts]`` the units of each text; one with fewer than ``n`` has no shingle.
          n: the units of a shingle.
        """
        from scipy.sparse import csr_matrix

        starts = np.flatnonzero(np.arange(len(units)) + n <= np.repeat(np.cumsum(lengths), lengths))
        columns = units if n == 1 else _renumbered(units, starts, n)
        rows = np.repeat(np.arange(len(lengths), dtype=np.int32), lengths)[starts]
        cells = (np.ones(len(starts), dtype=np.float32), (rows, columns.astype(np.int32)))
        matrix = csr_matrix(cells, shape=(len(lengths), int(columns.max(initial=0)) + 1))
        matrix.data[:] = 1  # A shingle that a text repeats counts once.
        return cls(matrix, np.ones(matrix.shape[1]))

    @cached_property
    def counts(self) -> NDArray[np.int64]:
        """``[n_texts]`` the number of shingles."""
        return np.diff(self.matrix.indptr).astype(np.int64)

    @cached_property
    def sizes(self) -> NDArray[np.float64]:
        """``[n_texts]`` the weight of the shingles."""
        sizes: NDArray[np.float64] = self.matrix @ self.weights
        return sizes

    def weighted_by_rarity(self, places: NDArray[np.int64], rare: float, common: float) -> Shingles:
        """The same sets, a shingle counting the more the fewer texts have it: ln(``common`` / share of the texts).

        Args:
          places: the texts that are counted, as 1 / ``rare`` at the least: what one of a handful has is not common.
          rare: the share of them below which all shingles count the same.
          common: the share from which on a shingle counts nothing.
        """
        have = np.bincount(self.matrix[places].indices, minlength=self.matrix.shape[1])
        return replace(self, weights=np.log(common / np.clip(have / max(len(places), 1 / rare), rare, common)))

    def weighted_by_surprise(self, places: NDArray[np.int64]) -> Shingles:
        """The same sets, a shingle counting -ln of the share of the other texts that have it: how little it is to be expected.

        Args:
          places: the texts that are counted. Those of a pair are left out, and ten are added, one half of which has it.
        """
        have = np.bincount(self.matrix[places].indices, minlength=self.matrix.shape[1])
        share = (np.maximum(have - 2, 0) + 0.5) / (max(len(places) - 2, 0) + 10)
        return replace(self, weights=-np.log(np.minimum(share, 1)))

    def jaccard(self, pairs: Pairs) -> NDArray[np.float64]:
        """``[n_pairs]`` what both texts have, as a share of what either has."""
        similarity: NDArray[np.float64] = pairs.common / (self.sizes[pairs.rows] + self.sizes[pairs.others] - pairs.common)
        return similarity

    def common(self, rows: NDArray[np.int64], others: NDArray[np.int64]) -> NDArray[np.float64]:
        """``[n_pairs]`` the weight of the shingles that both texts of each pair have."""
        common = np.empty(len(rows))
        for start in range(0, len(rows), _PAIRS_AT_ONCE):
            part = slice(start, start + _PAIRS_AT_ONCE)
            common[part] = self.matrix[rows[part]].multiply(self.matrix[others[part]]) @ self.weights
        return common

    def pairs(self, of: NDArray[np.int64], into: NDArray[np.int64], wanted: Wanted, least: float) -> Iterator[Pairs]:
        """The pairs that have as much in common as is wanted, part by part, so that few are held at a time.

        A pair is proposed by the rarest shingles of its first text, and then counted in full: what is found is there. A text
        asks for one shingle more than a copy may lack, so that each copy has one (prefix filter: Chaudhuri et al. 2006,
        https://doi.org/10.1109/ICDE.2006.9), and for some beyond, which leave fewer pairs to be counted in vain.

        Three bounds keep the work small, and copies can be missed by each. A text asks for `_MOST_ASKED` shingles at most, and
        then a pair has to have `_LEAST_ANSWERED` of their weight in common. Of a shingle that very many texts have only the first
        are looked at: `_MOST_ROWS`, or as many more as `_PRODUCTS` allow. Of the texts that have shingles that a text asks for,
        the `_MOST_PAIRS` with the most of them are counted.

        Args:
          of: the first texts.
          into: the second texts.
          wanted: see `Wanted`.
          least: the share of the first text's shingles that a copy has at the least.
        """
        for rows, others in self._proposed(of, into, wanted, least):
            common = self.common(rows, others)
            enough = common >= wanted(rows, others) - _ROUNDING
            yield Pairs(rows[enough], others[enough], common[enough])

    def _proposed(
        self, of: NDArray[np.int64], into: NDArray[np.int64], wanted: Wanted, least: float
    ) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
        from scipy.sparse import csr_matrix

        target = self.matrix[into]
        frequency = np.bincount(target.indices, minlength=target.shape[1])
        rows, columns = self._known(of, frequency)
        n_known = np.bincount(rows, minlength=len(of))
        rank = np.arange(len(rows)) - np.repeat(np.cumsum(n_known) - n_known, n_known)
        counts = self.counts[of]
        ask = np.floor((1 - least) * counts).astype(np.int64) + 1 + counts // 6
        asked = rank < np.minimum(ask, _MOST_ASKED)[rows]
        most_rows = max(_MOST_ROWS, _PRODUCTS // max(1, int(asked.sum())))
        # What a pair may have in common beside what it is proposed by.
        unasked = ~asked | (frequency[columns] > most_rows)
        beside = np.bincount(rows[unasked], weights=self.weights[columns[unasked]], minlength=len(of))
        rows, columns = rows[asked], columns[asked]
        question = csr_matrix((self.weights[columns], (rows, columns)), shape=(len(of), target.shape[1]))
        needed = np.where(ask > _MOST_ASKED, _LEAST_ANSWERED * np.asarray(question.sum(axis=1)).ravel(), 0)

        texts_with = target.T.tocsr()
        place = np.arange(texts_with.nnz) - np.repeat(texts_with.indptr[:-1], np.diff(texts_with.indptr))
        texts_with.data = (place < most_rows).astype(np.float32)
        texts_with.eliminate_zeros()
        work = np.bincount(rows, weights=np.minimum(frequency, most_rows)[columns], minlength=len(of))
        for chunk in _chunks(work):
            answers = (question[chunk] @ texts_with).tocoo()
            place = answers.row.astype(np.int64) + chunk.start
            first, second = of[place], into[answers.col]
            possible = answers.data >= needed[place] - _ROUNDING
            possible &= answers.data + beside[place] >= wanted(first, second) - _ROUNDING
            possible = np.flatnonzero(possible)
            possible = possible[_most(place[possible], answers.data[possible])]
            yield first[possible], second[possible]

    def _known(self, of: NDArray[np.int64], frequency: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """The shingles of texts that have any ``frequency``: places in ``of``, and the shingles, rarest first in each text."""
        source = self.matrix[of]
        rows = np.repeat(np.arange(len(of)), np.diff(source.indptr))
        known = frequency[source.indices] > 0
        rows, columns = rows[known], source.indices[known]
        order = np.lexsort((columns, frequency[columns], rows))
        return rows[order], columns[order]


def _renumbered(units: NDArray[np.uint64], starts: NDArray[np.int64], n: int) -> NDArray[np.int64]:
    """``[n_starts]`` a number from 0 for each run of ``n`` units, the same for the same run."""
    # By a hash, of which two runs hardly ever have the same: among ten million runs, in one of 300,000 data sets.
    multipliers = np.random.default_rng(0).integers(0, 2**63, n, dtype=np.uint64) * np.uint64(2) + np.uint64(1)
    codes = np.zeros(len(starts), dtype=np.uint64)
    for place, multiplier in enumerate(multipliers):
        codes += (units[starts + place] + np.uint64(1)) * multiplier
    numbers: NDArray[np.int64] = np.unique(codes, return_inverse=True)[1]
    return numbers


def _most(rows: NDArray[np.int64], values: NDArray[np.float64]) -> NDArray[np.int64]:
    """The positions of the `_MOST_PAIRS` largest values of each row; the earlier ones of equal ones."""
    many = (np.bincount(rows) > _MOST_PAIRS)[rows] if len(rows) else np.zeros(0, dtype=bool)
    index = np.flatnonzero(many)
    index = index[np.lexsort((index, -values[index], rows[index]))]
    starts = np.flatnonzero(np.diff(rows[index], prepend=-1))
    rank = np.arange(len(index)) - np.repeat(starts, np.diff(starts, append=len(index)))
    return np.sort(np.concatenate([np.flatnonzero(~many), index[rank < _MOST_PAIRS]]))


def _chunks(work: NDArray[Any]) -> list[slice]:
    """Runs of rows whose work is about `_PRODUCTS_AT_ONCE`, or one row where that alone is more."""
    done = np.cumsum(work) // _PRODUCTS_AT_ONCE
    edges = [0, *(np.flatnonzero(np.diff(done)) + 1).tolist(), len(work)]
    return [slice(start, end) for start, end in pairwise(edges) if end > start]
