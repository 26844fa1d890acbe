"""How the probes of all layers follow many edits: shares and medians over pairs, with intervals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lit_probe.counterfactuals.pair_changes import PairChanges
from lit_probe.data.seeds import checked_seed
from lit_probe.errors import DatasetError
from lit_probe.results import Result
from lit_probe.scores.intervals import Units, bootstrap_weights, group_units, percentile_interval, proportion_interval

# Fewer independent pairs than these say little, as for every other score, and the bootstrap of a median then promises too much:
# its 95 % interval holds the truth in 5 of 10 draws for 2 units, and in fewer than 9 of 10 for 8 of them.
MIN_UNITS = 10


@dataclass(frozen=True)
class LayerOverPairs(Result):
    """How one layer's probe follows many edits. An interval's ends are None where there is none.

    Attributes:
      layer: its number.
      consistency: share of the judged pairs of which both texts are predicted rightly; None where no pair is judged.
      consistency_low: lower end of the 95 % interval, which a single unit does not have.
      consistency_high: upper end.
      flip_rate: share of all pairs in which the predicted class changes.
      flip_rate_low: lower end of the 95 % interval, which a single unit does not have.
      flip_rate_high: upper end.
      median_change: median, over judged pairs, of how far the probability of the edit's label rises; None where none is judged.
      median_change_low: lower end of the 95 % interval, which fewer than 10 units do not have.
      median_change_high: upper end.
    """

    layer: int
    consistency: float | None
    consistency_low: float | None
    consistency_high: float | None
    flip_rate: float | None
    flip_rate_low: float | None
    flip_rate_high: float | None
    median_change: float | None
    median_change_low: float | None
    median_change_high: float | None


@dataclass(frozen=True)
class PairSums(Result):
    """How the layers' probes follow many edits.

    Attributes:
      n: pairs.
      n_judged: pairs of which it is known what becomes of the label.
      n_units: independent units among the judged pairs; among all, where none is judged.
      n_label_changes: judged pairs whose label changes.
      reliable: whether there are 10 units or more.
      layers: ``[n_layers]``.
    """

    n: int
    n_judged: int
    n_units: int
    n_label_changes: int
    reliable: bool
    layers: tuple[LayerOverPairs, ...]


@dataclass(frozen=True)
class OverPairs(Result):
    """What `over_pairs` found.

    Attributes:
      sums: over all pairs.
      consistent: ``[n_layers][n_pairs]`` whether both texts are predicted rightly; None for a pair that is not judged.
      flipped: ``[n_layers][n_pairs]`` whether the predicted class changes.
    """

    sums: PairSums
    consistent: tuple[tuple[bool | None, ...], ...]
    flipped: tuple[tuple[bool, ...], ...]

    in_place: ClassVar[tuple[str, ...]] = ("sums",)


@dataclass(frozen=True)
class OverKind(Result):
    """The pairs of one kind.

    Attributes:
      value: the kind.
      pairs: ``[n]`` indices of its pairs among all.
      sums: over these pairs.
    """

    value: str
    pairs: tuple[int, ...]
    sums: PairSums

    in_place: ClassVar[tuple[str, ...]] = ("sums",)


def over_pairs(
    changes: PairChanges,
    labels_before: ArrayLike,
    labels_after: ArrayLike,
    groups: ArrayLike | None = None,
    seed: int = 0,
    *,
    judged: ArrayLike | None = None,
) -> OverPairs:
    """How the layers' probes follow many edits, with 95 % intervals over pairs.

    Args:
      changes: the changes of ``n_pairs`` pairs.
      labels_before: ``[n_pairs]`` class indices of the originals.
      labels_after: ``[n_pairs]`` of the edits.
      groups: ``[n_pairs]`` pairs that are not independent of each other, or None.
      seed: the seed of the bootstrap.
      judged: ``[n_pairs]`` False where nobody knows what becomes of the label: such a pair is neither right nor wrong and counts
        in the flip rate alone. By default all are True.
    """
    seed = checked_seed(seed)
    before, after = np.asarray(labels_before), np.asarray(labels_after)
    n_pairs, n_layers = changes.flips.shape
    units = group_units(groups)
    known = np.ones(n_pairs, dtype=bool) if judged is None else np.asarray(judged, dtype=bool)
    everyone = np.ones(n_pairs, dtype=bool)
    decided = changes.decision.classes
    right = (decided(changes.before) == before[:, None]) & (decided(changes.after) == after[:, None])
    pairs = np.arange(n_pairs)
    rises = (changes.after[pairs, :, after] - changes.before[pairs, :, after])[known]
    medians = _median_intervals(rises, None if units is None else group_units(units[known]), seed)
    layers = []
    for layer in range(n_layers):
        consistency = _share(right[:, layer] & known, known, units)
        flip_rate = _share(changes.flips[:, layer], everyone, units)
        median = float(np.median(rises[:, layer])) if known.any() else None
        layers.append(LayerOverPairs(layer, *consistency, *flip_rate, median, *(medians[layer] or (None, None))))
    n_units = _n_units(units, known if known.any() else everyone)
    return OverPairs(
        sums=PairSums(
            n=n_pairs,
            n_judged=int(known.sum()),
            n_units=n_units,
            n_label_changes=int((before != after)[known].sum()),
            reliable=n_units >= MIN_UNITS,
            layers=tuple(layers),
        ),
        consistent=tuple(
            tuple(bool(is_right) if is_known else None for is_right, is_known in zip(row, known, strict=True)) for row in right.T
        ),
        flipped=tuple(tuple(row) for row in changes.flips.T.tolist()),
    )


def over_groups(
    changes: PairChanges,
    labels_before: ArrayLike,
    labels_after: ArrayLike,
    values: Sequence[str],
    groups: ArrayLike | None = None,
    seed: int = 0,
    *,
    judged: ArrayLike | None = None,
) -> list[OverKind]:
    """`over_pairs` for the pairs of each kind by themselves, the most frequent kind first: which edits do probes not follow?

    Args:
      changes: the changes of ``n_pairs`` pairs.
      labels_before: ``[n_pairs]`` class indices of the originals.
      labels_after: ``[n_pairs]`` of the edits.
      values: ``[n_pairs]`` the kind of each pair.
      groups: ``[n_pairs]`` pairs that are not independent of each other, or None.
      seed: the seed of the bootstrap.
      judged: ``[n_pairs]``, see `over_pairs`.
    """
    before, after = np.asarray(labels_before), np.asarray(labels_after)
    places: dict[str, list[int]] = {}
    for pair, value in enumerate(values):
        places.setdefault(value, []).append(pair)
    kinds = []
    for value, pairs in sorted(places.items(), key=lambda item: (-len(item[1]), item[0])):
        of_pairs, known = (None if column is None else np.asarray(column)[pairs] for column in (groups, judged))
        found = over_pairs(changes.select(pairs), before[pairs], after[pairs], of_pairs, seed, judged=known)
        kinds.append(OverKind(value, tuple(pairs), found.sums))
    return kinds


@dataclass(frozen=True)
class Pairs:
    """Which rows are an original and its edit.

    Attributes:
      rows: ``[n_pairs]`` of (row of the original, row of the edit).
      names: ``[n_pairs]`` their ids.
      notes: what was left out, and why.
    """

    rows: tuple[tuple[int, int], ...]
    names: tuple[str, ...]
    notes: tuple[str, ...]


def pairs_of(ids: Sequence[Any]) -> Pairs:
    """The pairs that a column ``[n_rows]`` of pair ids makes: the earlier row is the original, the later one its edit.

    A row without an id is in no pair. Ids that stand at one row alone, or at more than two, are left out and counted.

    Raises:
      DatasetError: no id stands at exactly two rows.

    >>> pairs_of(["a", "b", "a", "", "c"])
    Pairs(rows=((0, 2),), names=('a',), notes=('2 ids stand at one row alone (b, c): their partners are missing.',))
    """
    places: dict[str, list[int]] = {}
    for row, name in enumerate(ids):
        if name is not None and str(name):
            places.setdefault(str(name), []).append(row)
    found = {name: (rows[0], rows[1]) for name, rows in places.items() if len(rows) == 2}
    alone = [name for name, rows in places.items() if len(rows) == 1]
    many = [name for name, rows in places.items() if len(rows) > 2]
    notes = []
    if alone:
        verb = "ids stand" if len(alone) > 1 else "id stands"
        partners = "their partners are" if len(alone) > 1 else "its partner is"
        notes.append(f"{len(alone):,} {verb} at one row alone ({_some(alone)}): {partners} missing.")
    if many:
        verb = "ids stand" if len(many) > 1 else "id stands"
        notes.append(f"{len(many):,} {verb} at more than two rows ({_some(many)}): which is the edit of which is not clear.")
    if not found:
        raise DatasetError("There is no pair: no id stands at exactly two rows." + "".join(f" {note}" for note in notes))
    return Pairs(tuple(found.values()), tuple(found), tuple(notes))


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:3]) + (", …" if len(names) > 3 else "")


def _share(
    happened: NDArray[np.bool_], trials: NDArray[np.bool_], units: Units
) -> tuple[float | None, float | None, float | None]:
    """How often something happened among the trials, and its interval; None for what is not defined."""
    if not trials.any():
        return None, None, None
    return float(happened[trials].mean()), *(proportion_interval(happened, trials, units) or (None, None))


def _n_units(units: Units, rows: NDArray[np.bool_]) -> int:
    """How many independent units some of the rows make."""
    return int(rows.sum()) if units is None else len(np.unique(units[rows]))


def _median_intervals(values: NDArray[np.float64], units: Units, seed: int) -> list[tuple[float, float] | None]:
    """Bootstrap interval of the median of each column of ``values`` ``[n, n_layers]``; None below ``MIN_UNITS`` units."""
    codes = np.arange(len(values)) if units is None else units
    n_units = int(codes.max(initial=-1)) + 1
    if n_units < MIN_UNITS:
        return [None] * values.shape[1]
    order = np.argsort(values, axis=0)
    ordered = np.take_along_axis(values, order, axis=0)
    draws = []
    for weights in bootstrap_weights(n_units, seed):
        for counts in weights:
            counted = counts[codes][order].cumsum(axis=0)
            draws.append(ordered[(counted >= counted[-1] / 2).argmax(axis=0), np.arange(values.shape[1])])
    table = np.array(draws)
    return [percentile_interval(table[:, layer], float(np.median(values[:, layer]))) for layer in range(values.shape[1])]
