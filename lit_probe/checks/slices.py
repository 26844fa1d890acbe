"""Which slices differ from all examples: a permutation test of each, corrected for how many are looked at."""

from __future__ import annotations

from dataclasses import dataclass
from math import comb

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lit_probe.checks.check import CheckResult
from lit_probe.errors import ProbeError
from lit_probe.progress import Progress, no_progress
from lit_probe.results import Result
from lit_probe.scores.by_target import AnyMetric, Rows
from lit_probe.scores.intervals import CONFIDENCE, N_DRAWS
from lit_probe.scores.metrics import Metric
from lit_probe.scores.scored_rows import Counts, ScoredRows

# Two statistics closer than that are a tie.
_TIE = 1e-9
# Of fewer ways in which a slice can be drawn, none is rare.
_FEWEST_WAYS = round(1 / (1 - CONFIDENCE))


@dataclass(frozen=True)
class SliceDifference(Result):
    """One slice against all examples.

    Attributes:
      n: the number of its rows.
      difference: its score less that of all examples; None where the metric is not defined on one of them.
      p: the p-value, two-sided, of this slice alone; None where it is not compared.
      p_corrected: the p-value that counts where several slices are looked at; None where it is not compared.
      reason: why it is not compared, else an empty string.
    """

    n: int
    difference: float | None
    p: float | None
    p_corrected: float | None
    reason: str


@dataclass(frozen=True)
class SliceComparison(CheckResult):
    """The answer of `compare_slices`.

    Attributes:
      metric: the name of the metric.
      n: the number of all rows.
      n_compared: the number of slices that are compared, for which ``p_corrected`` is corrected.
      n_permutations: the number of random assignments.
      slices: ``[n_slices]`` in the order in which they came.
      notes: sentences for the reader; none where no slice is compared.
    """

    metric: str
    n: int
    n_compared: int
    n_permutations: int
    slices: tuple[SliceDifference, ...]
    notes: tuple[str, ...]


def compare_slices(
    rows: Rows,
    members: ArrayLike,
    metric: AnyMetric,
    *,
    n_permutations: int = N_DRAWS,
    progress: Progress = no_progress,
) -> SliceComparison:
    """Compares the score of each slice, at one layer, with that of all rows.

    The hypothesis: which rows are in the slice has nothing to do with the rows. So membership is dealt out again at random, in
    one of two ways, and the slice is scored on the rows that then are in it:

    - A slice of **whole groups** (without groups each row is one) gets as many other groups, whatever their sizes. If groups are
      exchangeable, what was found is one of these scores like any other.
    - A slice that **cuts groups** (the edits of pairs, the long texts of an author) is dealt out within each group, and groups of
      the same size then change places. Rows of a group are exchangeable here, and groups of a size; nothing is asked of groups of
      different sizes (exchange within blocks: Good 2005, Permutation, Parametric and Bootstrap Tests of Hypotheses, chapter 7).

    Both keep the level for any metric, number of rows and overlap of slices. The hypothesis is about rows as they are, with their
    classes: a slice with other shares of classes may differ for that alone. A slice that cuts groups is held against rows of its
    own groups, while ``difference`` is from all rows.

    A slice of whole groups has another number of rows in each draw, and a score of few rows varies more. So the difference is
    divided by the standard error that a share has of as many rows in as many groups, whose rows agree as all rows do
    (studentised: Chung & Romano 2013, https://doi.org/10.1214/13-AOS1090). Groups whose size goes with the slice are not
    exchangeable: then the level holds nearly (6.5 % in place of 5 %, and 8 % without).

    The correction is by the largest of all slices' statistics (max-T; Westfall & Young 1993, Resampling-Based Multiple Testing),
    in data and draws alike over the slices on which the metric is defined there: the probability that any of slices that do not
    differ gets ``p_corrected`` below 0.05 is at most 5 %. Of 20 such slices one or more have ``p`` below 0.05 in 46–63 % of data
    sets, and ``p_corrected`` in 4–6 %, also where a class is rare and where groups have 1 to 40 rows (1,000 data sets each,
    standard error 0.7 points; `tests/checks/test_slices.py`). The slices that are given are counted, at one layer and by one
    metric.

    A slice is not compared where nothing can be told: it has no row, or all rows; the metric is not defined on it; it, or what is
    left of all rows, belongs to one group; or there are fewer than 20 ways to deal it out.

    Args:
      rows: all rows, with the probabilities of one layer, or its numbers.
      members: ``[n_slices, n_rows]`` whether the row belongs to the slice; a row may belong to several.
      metric: an entry of `metrics_of`.
      n_permutations: the number of random assignments; p-values are 1 / (n_permutations + 1) or more.
      progress: hears how many of them are done.

    Raises:
      ProbeError: the arrays do not fit together, or there is no row.
    """
    inside = np.asarray(members, dtype=bool)
    if rows.n == 0 or rows.n_layers != 1 or inside.ndim != 2 or inside.shape[1] != rows.n:
        raise ProbeError(
            f"Slices need rows with the probabilities of one layer and members [n_slices, n_rows]; got {rows.n} rows, "
            f"{rows.n_layers} layers and {list(inside.shape)}."
        )
    dealing, scoring = _Dealing(rows, inside, metric), _Scoring(rows, metric)
    whole, own = scoring.of(np.ones((1, rows.n), dtype=bool))[0], scoring.of(inside)
    reasons = [dealing.lack(index) for index in range(len(inside))]
    # Known from the slices alone, and so the same in all draws. On which of them the metric is defined differs from draw to draw.
    dealt = [index for index, reason in enumerate(reasons) if not reason and not np.isnan(whole)]
    compared = [index for index in dealt if not np.isnan(own[index])]
    random = np.random.default_rng(rows.seed)
    draws = [(own[dealt] - whole) / dealing.errors(inside)[dealt]]
    for done in range(n_permutations if compared else 0):
        drawn = dealing.drawn(random)
        draws.append((scoring.of(drawn[dealt]) - whole) / dealing.errors(drawn)[dealt])
        progress(done + 1, n_permutations)
    sizes = _standardised(np.array(draws))
    largest = np.nanmax(sizes, axis=1, initial=0.0)
    found = {
        index: (alone := _p_value(sizes[:, at], sizes[0, at]), max(alone, _p_value(largest, sizes[0, at])))
        for at, index in enumerate(dealt)
        if index in compared
    }

    def difference(index: int) -> SliceDifference:
        n, defined = int(inside[index].sum()), not np.isnan(own[index] - whole)
        reason = reasons[index] or ("" if defined else _not_defined(rows, inside[index], metric))
        p, p_corrected = found.get(index, (None, None))
        return SliceDifference(n, float(own[index] - whole) if defined else None, p, p_corrected, reason)

    return SliceComparison(
        metric=metric.name,
        n=rows.n,
        n_compared=len(compared),
        n_permutations=n_permutations,
        slices=tuple(difference(index) for index in range(len(inside))),
        notes=_notes(rows, dealing, compared, n_permutations),
    )


class _Dealing:
    """How membership is dealt out: which rows are in a slice in place of its own, and how far a score of them may be off."""

    def __init__(self, rows: Rows, inside: NDArray[np.bool_], metric: AnyMetric):
        self._grouped, self._inside = rows.units is not None, inside
        self._units = np.arange(rows.n) if rows.units is None else rows.units
        self._sizes = np.bincount(self._units)
        in_group = [np.bincount(self._units, weights=one, minlength=len(self._sizes)) for one in inside]
        self._in_group = np.array(in_group, dtype=np.int64).reshape(len(inside), -1)
        self.whole: NDArray[np.bool_] = ((self._in_group == 0) | (self._in_group == self._sizes)).all(axis=1)
        agreement = _agreement(rows, metric, self._units)
        self._variances = self._sizes * (1 + (self._sizes - 1) * agreement)
        by_group, starts = np.argsort(self._units, kind="stable"), np.cumsum(self._sizes) - self._sizes
        self._places = [by_group[starts[self._sizes == size][:, None] + np.arange(size)] for size in np.unique(self._sizes)]

    def lack(self, index: int) -> str:
        """Why nothing can be told of a slice, whatever its scores; empty where something can."""
        n, n_groups, n_inside = int(self._inside[index].sum()), len(self._sizes), int((self._in_group[index] > 0).sum())
        if n in (0, len(self._units)):
            return "it has all rows" if n else "no row"
        if self.whole[index] and self._grouped and 1 in (n_inside, n_groups - n_inside):
            return "all its rows belong to one group" if n_inside == 1 else "all other rows belong to one group"
        ways = self._ways(index)
        return "" if ways >= _FEWEST_WAYS else f"only {ways} ways to choose its rows"

    def _ways(self, index: int) -> int:
        """In how many ways the slice can be dealt out; where these are many, some number that is not below `_FEWEST_WAYS`."""
        inside = self._in_group[index]
        if self.whole[index]:
            return comb(len(inside), int((inside > 0).sum()))
        ways = 1
        for size, of_size in zip(self._sizes, inside, strict=True):
            ways *= comb(int(size), int(of_size))
            if ways >= _FEWEST_WAYS:
                return ways
        for size in np.unique(self._sizes):
            left = int((self._sizes == size).sum())
            for count in np.unique(inside[self._sizes == size], return_counts=True)[1]:
                ways, left = ways * comb(left, int(count)), left - int(count)
        return ways

    def drawn(self, random: np.random.Generator) -> NDArray[np.bool_]:
        """``[n_slices, n_rows]`` which rows are in each slice."""
        order = np.empty(len(self._units), dtype=np.int64)
        for places in self._places:
            order[places] = random.permuted(places[random.permutation(len(places))], axis=1)
        groups = random.permutation(len(self._sizes))[self._units]
        dealt = np.empty_like(self._inside)
        dealt[self.whole], dealt[~self.whole] = self._in_group[self.whole][:, groups] > 0, self._inside[~self.whole][:, order]
        return dealt

    def errors(self, inside: NDArray[np.bool_]) -> NDArray[np.float64]:
        """``[n_slices]`` the standard error of each slice's share less that of all rows, in standard deviations of a row.

        1 for slices that cut groups: they have as many rows, in as many groups of each size, in every draw.
        """
        n, errors = len(self._units), np.ones(len(inside))
        first = np.unique(self._units, return_index=True)[1]
        within = inside[self.whole][:, first] @ self._variances
        n_inside = np.maximum(inside[self.whole] @ np.ones(n), 1)
        errors[self.whole] = np.sqrt(within * (1 / n_inside - 1 / n) ** 2 + (self._variances.sum() - within) / n**2)
        return errors


class _Scoring:
    """The scores of slices; sums over rows where the metric is made of sums."""

    def __init__(self, rows: Rows, metric: AnyMetric):
        self._rows, self._metric = rows, metric
        self._of_counts = metric.of_counts if isinstance(metric, Metric) else None
        if not isinstance(rows, ScoredRows) or not isinstance(metric, Metric):
            return
        one_hot = np.eye(rows.n_classes, dtype=np.float32)
        actual, predicted = one_hot[rows.labels], one_hot[rows.predicted[0]]
        # Whole numbers below 2^24, hence exact in float32.
        self._counts = np.hstack([actual, predicted, actual * predicted])
        self._n_needed = {"rows of every class": rows.n_classes, "rows of two classes": 2}.get(metric.needs, 1)

    def of(self, inside: NDArray[np.bool_]) -> NDArray[np.float64]:
        """``[n_slices]`` of the rows ``inside`` ``[n_slices, n_rows]``; NaN where the metric is not defined."""
        if self._of_counts is None:
            scores = [self._metric.layer_values(self._rows.part(places))[0] for places in inside]
            return np.array([np.nan if score is None else score for score in scores], dtype=np.float64)
        assert isinstance(self._metric, Metric)
        sums = (inside.astype(np.float32) @ self._counts).astype(np.float64)
        actual, predicted, hits = np.split(sums, 3, axis=1)
        values = self._of_counts(Counts(actual, predicted, hits))
        values = values if self._metric.class_index is None else values[:, self._metric.class_index]
        return np.where((actual > 0).sum(axis=1) < self._n_needed, np.nan, values)


def _not_defined(rows: Rows, places: NDArray[np.bool_], metric: AnyMetric) -> str:
    whole = metric.score(rows)[0]
    return f"not defined on all rows: {whole.reason}" if whole.value is None else metric.score(rows.part(places))[0].reason


def _agreement(rows: Rows, metric: AnyMetric, units: NDArray[np.int64]) -> float:
    """How far the rows of a group are right or wrong together, 0 to 1: the mean correlation of its pairs."""
    values = rows.outcomes(decided=metric.decides)[0]
    off, sizes = values - values.mean(), np.bincount(units)
    n_pairs, variance = float((sizes * (sizes - 1)).sum()), float((off**2).mean())
    if not n_pairs or variance < _TIE:
        return 0.0
    pairs = float((np.bincount(units, weights=off) ** 2).sum() - (off**2).sum())
    return min(max(pairs / n_pairs / variance, 0.0), 1.0)


def _standardised(draws: NDArray[np.float64]) -> NDArray[np.float64]:
    """``[1 + n_permutations, n_slices]`` how many standard deviations each statistic is off its mean over all draws; NaN stays.

    What was found stands in the first row and counts among the others, so that it is exchangeable with them.
    """
    defined = ~np.isnan(draws)
    n = np.maximum(defined.sum(axis=0), 1)
    off = draws - np.nansum(draws, axis=0) / n
    deviation = np.sqrt(np.nansum(off**2, axis=0) / n)
    sizes: NDArray[np.float64] = np.abs(off) / np.where(deviation > _TIE, deviation, np.inf)
    return sizes


def _p_value(sizes: NDArray[np.float64], found: float) -> float:
    """The share of draws, the data among them, whose statistic is as large as what was found; of those in which there is one."""
    return float((sizes[~np.isnan(sizes)] >= found - _TIE).mean())


def _notes(rows: Rows, dealing: _Dealing, compared: list[int], n_permutations: int) -> tuple[str, ...]:
    if not compared:
        return ()
    whole = "whole groups" if rows.units is not None else "rows"
    ways = [
        words
        for words, one in ((whole, True), ("rows within their groups, and groups of a size", False))
        if one in dealing.whole[compared]
    ]
    corrected = f"; the correction for {len(compared)} slices is by the largest statistic (max-T)" if len(compared) > 1 else ""
    return (
        f"Slices are compared with all {rows.n:,} rows by {n_permutations:,} random exchanges of {' or '.join(ways)}{corrected}.",
    )
