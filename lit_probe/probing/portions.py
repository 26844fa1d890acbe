"""Nested portions of the train split and the probes fitted on them: what description length and learning curve share."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lit_probe.data.asked import CLASSES
from lit_probe.data.numbers import strata_by
from lit_probe.encoder.cache import Cache
from lit_probe.once import Memo, once_per_object
from lit_probe.probing.layerwise import ActivationView, LayerwiseProbe
from lit_probe.probing.pace import Work
from lit_probe.probing.probes.training_data import MIN_EXAMPLES_PER_CLASS, MIN_NUMBERS
from lit_probe.probing.study import LayerStudy
from lit_probe.progress import Progress, no_progress, of_part
from lit_probe.scores.decision import Decision
from lit_probe.scores.intervals import group_units

# In percent of the train split: Voita & Titov 2020, https://arxiv.org/abs/2003.12298.
PORTION_PERCENTAGES = (0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 6.25, 12.5, 25.0, 50.0, 100.0)
SMALLEST_PORTION = 16
# The folder of their probes in the cache.
_KIND = "portions"


@once_per_object
def _kept_fits(study: LayerStudy) -> Memo[int, LayerwiseProbe]:
    """Without a cache, the fits of a study by their number of rows, for as long as it lives: 13 layers of width 768 take 3 MB."""
    return Memo()


@dataclass(frozen=True, eq=False)
class Portions:
    """Beginnings of the train split in one random order, each inside the next and with the classes in the shares of the whole.

    Attributes:
      order: ``[n_train]`` row indices; the rows of a group stand side by side.
      sizes: the number of rows each portion has, ascending; the last portion is all of train. None ends inside a group.
    """

    order: NDArray[np.int64]
    sizes: tuple[int, ...]

    @classmethod
    def draw(cls, labels: ArrayLike, groups: ArrayLike | None, seed: int) -> Portions:
        """Portions of `PORTION_PERCENTAGES`, of 16 rows at least; portions of equal size are one.

        Rows of each class (groups by their most frequent class) are spread evenly over the order, from a random place on: with
        many classes, a portion in an order by lot alone would lack some of them until it is nearly all of train. The largest
        portion below all of train holds two rows of every class wherever that many fit into it, so that it has a probe: of a
        class with two or three rows, the second would otherwise stand behind it.

        Args:
          labels: ``[n_train]`` class indices.
          groups: ``[n_train]`` what must not be split between a portion and the rows after it, or None. A portion that would end
            inside a group ends with that group.
          seed: the seed of the order.

        >>> Portions.draw([0, 1] * 3460, None, seed=0).sizes
        (16, 28, 55, 111, 221, 432, 865, 1730, 3460, 6920)
        >>> Portions.draw([0, 1] * 50, ["odd", "even"] * 50, seed=0).sizes
        (50, 100)
        """
        classes = np.asarray(labels, dtype=np.int64)
        n_train = len(classes)
        units = group_units(groups)
        codes = np.arange(n_train) if units is None else units
        # A stream of its own: whatever else was shuffled with this seed, this order is independent of it.
        random = np.random.default_rng([*b"portions", seed])
        drawn = random.permutation(codes.max() + 1)
        progress = _progress(drawn, _most_frequent(codes, classes), np.bincount(codes), random)
        wanted = [min(n_train, max(SMALLEST_PORTION, round(n_train * percent / 100))) for percent in PORTION_PERCENTAGES]
        largest = max((size for size in wanted if size < n_train), default=0)
        order = np.lexsort((drawn, progress, ~_ahead(progress, codes, classes, largest)))
        places = np.argsort(order)[codes]
        group_ends = np.cumsum(np.bincount(places))
        sizes = np.unique(group_ends[np.searchsorted(group_ends, wanted)])
        return cls(np.argsort(places, kind="stable"), tuple(sizes.tolist()))

    def rows(self, index: int) -> NDArray[np.int64]:
        """The row indices of a portion, in the train split's own order: the last portion is the train split as it is."""
        return np.sort(self.order[: self.sizes[index]])

    def added(self, index: int) -> NDArray[np.int64]:
        """The row indices that a portion adds to the one before it."""
        return self.order[self.sizes[index - 1] if index else 0 : self.sizes[index]]


def _most_frequent(codes: NDArray[np.int64], classes: NDArray[np.int64]) -> NDArray[np.int64]:
    """``[n_units]`` the class that most rows of each unit have, the lower index on a tie."""
    pairs, counts = np.unique(np.stack([codes, classes]), axis=1, return_counts=True)
    order = np.lexsort((pairs[1], -counts, pairs[0]))
    _, first = np.unique(pairs[0][order], return_index=True)
    return np.asarray(pairs[1][order][first], dtype=np.int64)


def _progress(
    drawn: NDArray[np.int64], class_of: NDArray[np.int64], sizes: NDArray[np.int64], random: np.random.Generator
) -> NDArray[np.float64]:
    """``[n_units]`` 0 to 1: in the drawn order within each class, at even distances, the first at a random one."""
    order = np.argsort(drawn)
    progress = np.empty(len(drawn))
    for c in np.unique(class_of):
        own = order[class_of[order] == c]
        progress[own] = (np.cumsum(sizes[own]) - random.random() * sizes[own]) / sizes[own].sum()
    return progress


def _ahead(
    progress: NDArray[np.float64], codes: NDArray[np.int64], classes: NDArray[np.int64], largest: int
) -> NDArray[np.bool_]:
    """``[n_units]`` which units fill a portion of ``largest`` rows: those with the first rows of each class, then by progress.

    None where the first two rows of all classes do not fit into it: no order gives it a probe then.
    """
    order = np.argsort(progress, kind="stable")
    needed = np.zeros(len(progress), dtype=bool)
    for c in np.unique(classes):
        own = np.bincount(codes[classes == c], minlength=len(progress))[order]
        needed[order[(own > 0) & (np.cumsum(own) - own < MIN_EXAMPLES_PER_CLASS)]] = True
    sizes = np.bincount(codes)
    room = largest - sizes[needed].sum()
    if room < 0:
        return np.zeros(len(progress), dtype=bool)
    others = order[~needed[order]]
    needed[others[np.cumsum(sizes[others]) <= room]] = True
    return needed


@dataclass(frozen=True, eq=False)
class PortionProbes:
    """The probes of all layers, fitted on each portion by the same rule as the study's own, cross-validation included.

    Attributes:
      portions: what they were fitted on.
      probes: one per portion; the last is the study's own, and None stands where a class has fewer than 2 examples.
    """

    portions: Portions
    probes: tuple[LayerwiseProbe | None, ...]

    def fitted(self) -> Iterator[tuple[int, LayerwiseProbe]]:
        """The size of each portion that has probes, and these."""
        for size, probe in zip(self.portions.sizes, self.probes, strict=True):
            if probe is not None:
                yield size, probe

    def decisions(self, study: LayerStudy) -> Iterator[Decision]:
        """Beside `fitted`: the study's rule with the class shares of each portion that has probes."""
        for index, probe in enumerate(self.probes):
            if probe is not None:
                yield study.decision.of_other_train(study.splits.train.labels[self.portions.rows(index)])

    def notes(self) -> list[str]:
        """What a reader of the results should know about the fits, as sentences."""
        notes = []
        lacking = [f"{size:,}" for size, probe in zip(self.portions.sizes, self.probes, strict=True) if probe is None]
        if lacking:
            notes.append(
                f"Portions without a probe, because a class has fewer than {MIN_EXAMPLES_PER_CLASS} examples there: "
                f"{', '.join(lacking)} examples."
            )
        n_fits = sum(probe.n_layers for _, probe in self.fitted())
        n_stopped = sum(len(probe.not_converged) for _, probe in self.fitted())
        if n_stopped:
            notes.append(f"{n_stopped} of {n_fits} fits stopped before their tolerance.")
        return notes


def portion_probes(study: LayerStudy, cache: Cache | None = None, progress: Progress = no_progress) -> PortionProbes:
    """Fits the study's kind of probe on every portion of train. Each portion is kept, so an interrupted run goes on there.

    Args:
      study: what is probed.
      cache: where fits are kept; without one they are kept in memory for as long as the study itself.
      progress: called with the work done and all the work, both in rows fitted. An error that it raises ends the fitting.

    Raises:
      ProbeError: an activation is not finite.
    """
    portions = _portions_of(study)
    cache = cache or Cache(None)
    done, total = 0, sum(portions.sizes[:-1])
    progress(done, total)
    probes: list[LayerwiseProbe | None] = []
    for index, size in enumerate(portions.sizes[:-1]):
        rows, part = portions.rows(index), of_part(progress, done, done + size, total)
        probes.append(_fit_on(study, rows, cache, part) if _suffice(study, rows) else None)
        done += size
        progress(done, total)
    return PortionProbes(portions, (*probes, study.layerwise))


def portion_work(study: LayerStudy, cache: Cache) -> Work:
    """What `portion_probes` would have to fit: portions that are kept are not fitted again.

    What a fit takes grows with its rows, from what its units alone take, whose eigenbasis is computed for each fold.
    """
    portions = _portions_of(study)
    fitted = [rows for index in range(len(portions.sizes) - 1) if _suffice(study, rows := portions.rows(index))]
    left = [len(rows) for rows in fitted if not (_kept_fits(study).holds(len(rows)) or cache.has(_KIND, _facts(study, rows)))]
    n_units = max(study.activations["train"].widths)
    return Work(fits=sum(n_rows + n_units for n_rows in left) / (len(study.splits.train) + n_units))


def _portions_of(study: LayerStudy) -> Portions:
    train = study.splits.train
    classes, _ = strata_by(train.labels, train.label_names)
    return Portions.draw(classes, train.groups, study.seed)


def _suffice(study: LayerStudy, rows: NDArray[np.int64]) -> bool:
    """Whether probes can be fitted to these rows of train."""
    train = study.splits.train
    labels = train.labels[rows]
    if train.target == CLASSES:
        return bool(np.bincount(labels, minlength=len(train.label_names)).min() >= MIN_EXAMPLES_PER_CLASS)
    return len(rows) >= MIN_NUMBERS and bool(np.ptp(labels) > 0)


def _fit_on(study: LayerStudy, rows: NDArray[np.int64], cache: Cache, progress: Progress) -> LayerwiseProbe:
    train = study.splits.train

    def fit() -> LayerwiseProbe:
        view = ActivationView(study.activations["train"], rows)
        groups = None if train.groups is None else train.groups[rows]
        return study.refit(view, train.labels[rows], groups=groups, progress=progress)

    if cache.folder is None:
        return _kept_fits(study).get(len(rows), fit)
    facts = _facts(study, rows)
    return cache.get_or_make(_KIND, facts, fit, lambda result, folder: result.save(folder), LayerwiseProbe.load)


def _facts(study: LayerStudy, rows: NDArray[np.int64]) -> dict[str, str]:
    """What decides the fit on these rows of train."""
    return {"study": study.fingerprint, "rows": hashlib.sha256(rows.tobytes()).hexdigest()}
