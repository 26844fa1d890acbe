"""The rows that are scored, and what the metrics of all layers share: counts of hits, losses, and their bootstrap resamples."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lit_probe.data.seeds import checked_seed
from lit_probe.errors import ProbeError
from lit_probe.scores.decision import ARGMAX, Decision
from lit_probe.scores.intervals import Units, bootstrap_weights, group_units

MIN_ROWS = 30
MIN_ROWS_OF_CLASS = 10
MIN_GROUPS = 10


@dataclass(frozen=True, eq=False)
class Counts:
    """What every confusion-based metric is a function of. Any leading axes; the last is ``n_classes``. Whole numbers.

    Attributes:
      actual: the number of rows that have the class.
      predicted: the number of rows the probe puts in the class.
      hits: the number of rows that have the class and are put there.
    """

    actual: NDArray[np.float64]
    predicted: NDArray[np.float64]
    hits: NDArray[np.float64]


class ScoredRows:
    """Labelled rows with the probabilities that each layer's probe gives them.

    Attributes:
      probabilities: ``[n_examples, n_layers, n_classes]`` float64.
      labels: ``[n_examples]`` int64.
      units: the groups as codes, or None (`intervals.group_units`).
      seed: the seed of the bootstrap.
      label_names: ``[n_classes]`` names of the classes.
      decision: the rule by which probabilities become a class.

    Raises:
      ProbeError: the shapes disagree, a label is out of range or a probability is not finite.
    """

    def __init__(
        self,
        probabilities: ArrayLike,
        labels: ArrayLike,
        groups: ArrayLike | None = None,
        seed: int = 0,
        label_names: Sequence[str] | None = None,
        decision: Decision = ARGMAX,
    ) -> None:
        self.probabilities = np.asarray(probabilities, dtype=np.float64)
        self.labels = np.asarray(labels, dtype=np.int64)
        if self.probabilities.ndim != 3 or self.labels.shape != self.probabilities.shape[:1]:
            raise ProbeError(
                "Scores need probabilities [n_examples, n_layers, n_classes] and labels [n_examples]; "
                f"got {list(self.probabilities.shape)} and {list(self.labels.shape)}."
            )
        self.n, self.n_layers, self.n_classes = self.probabilities.shape
        if self.n and (self.labels.min() < 0 or self.labels.max() >= self.n_classes):
            raise ProbeError(f"Labels must lie in 0..{self.n_classes - 1}; found {self.labels.min()}..{self.labels.max()}.")
        if not np.isfinite(self.probabilities).all():
            raise ProbeError("Probabilities must be finite.")
        self.label_names = tuple(map(str, range(self.n_classes))) if label_names is None else tuple(label_names)
        if len(self.label_names) != self.n_classes:
            raise ProbeError(f"There are {self.n_classes} classes, but {len(self.label_names)} label names.")
        self.units: Units = group_units(groups)
        if self.units is not None and len(self.units) != self.n:
            raise ProbeError(f"There are {self.n} rows, but {len(self.units)} groups.")
        seed = checked_seed(seed)
        self.seed = seed
        self.decision = decision

    @cached_property
    def n_by_class(self) -> NDArray[np.int64]:
        """``[n_classes]`` how many rows have each class."""
        return np.bincount(self.labels, minlength=self.n_classes)

    @cached_property
    def n_units(self) -> int:
        """How many rows, or groups where there are groups."""
        return self.n if self.units is None else int(self.units.max()) + 1

    @cached_property
    def predicted(self) -> NDArray[np.int64]:
        """``[n_layers, n_examples]`` the class that each row is put in."""
        return np.ascontiguousarray(self.decision.classes(self.probabilities).T)

    @cached_property
    def losses(self) -> NDArray[np.float64]:
        """``[n_layers, n_examples]`` minus the log of the label's probability, which is clipped as scikit-learn does."""
        of_label = np.ascontiguousarray(self.probabilities[np.arange(self.n), :, self.labels].T)
        least = np.finfo(np.float64).eps
        losses: NDArray[np.float64] = -np.log(np.clip(of_label, least, 1 - least))
        return losses

    def outcomes(self, *, decided: bool) -> NDArray[np.float64]:
        """``[n_layers, n_examples]`` what becomes of each row: 1 where it is put in its own class, or its loss.

        Args:
          decided: whether the class counts that a row is put in.
        """
        return (self.predicted == self.labels).astype(np.float64) if decided else self.losses

    def part(self, places: NDArray[np.bool_]) -> ScoredRows:
        """Some of the rows ``[n_examples]``, without their groups."""
        kept = (self.probabilities[places], self.labels[places])
        return ScoredRows(*kept, seed=self.seed, label_names=self.label_names, decision=self.decision)

    @cached_property
    def counts(self) -> Counts:
        """The `Counts` of each layer ``[n_layers, n_classes]``."""
        return self._counts_from(self._counts_by_unit(np.zeros(self.n, dtype=np.int64), 1)[..., 0])

    @cached_property
    def resampled_counts(self) -> Counts:
        """The `Counts` of each bootstrap resample of the rows, or of the groups ``[n_layers, n_draws, n_classes]``."""
        by_unit = self._counts_by_unit(np.arange(self.n) if self.units is None else self.units, self.n_units)
        # These are sums of whole numbers below 2^24, hence exact in float32 in whatever order BLAS adds.
        sums = [by_unit.reshape(-1, self.n_units) @ weights.T for weights in bootstrap_weights(self.n_units, self.seed)]
        return self._counts_from(np.concatenate(sums, axis=1).reshape(*by_unit.shape[:2], -1).swapaxes(1, 2))

    def _counts_by_unit(self, units: NDArray[np.int64], n_units: int) -> NDArray[np.float32]:
        """The labels' counts, then each layer's predictions, then each layer's hits ``[1 + 2 n_layers, n_classes, n_units]``."""
        shape = (self.n_classes, n_units)
        counts = np.empty((1 + 2 * self.n_layers, *shape), dtype=np.float32)
        cells = self.labels * n_units + units
        counts[0] = np.bincount(cells, minlength=shape[0] * shape[1]).reshape(shape)
        for layer, predicted in enumerate(self.predicted):
            hit = predicted == self.labels
            counts[1 + layer] = np.bincount(predicted * n_units + units, minlength=shape[0] * shape[1]).reshape(shape)
            counts[1 + self.n_layers + layer] = np.bincount(cells[hit], minlength=shape[0] * shape[1]).reshape(shape)
        return counts

    def _counts_from(self, stacked: NDArray[np.float32]) -> Counts:
        whole = stacked.astype(np.float64)
        predicted, hits = whole[1 : 1 + self.n_layers], whole[1 + self.n_layers :]
        return Counts(np.broadcast_to(whole[0], predicted.shape), predicted, hits)

    def missing_classes(self) -> str:
        """The names of the classes without a row, joined; empty when there is none."""
        return ", ".join(repr(name) for name, count in zip(self.label_names, self.n_by_class, strict=True) if not count)

    @property
    def rarest_class(self) -> int:
        """The index of the class with the fewest rows, the lower one on a tie."""
        return int(np.argmin(self.n_by_class))

    def doubt(self, class_index: int | None = None) -> str:
        """Why scores on these rows say little, or an empty string: too few rows, too few of a class, or too few groups.

        Args:
          class_index: the class whose rows count; None for a score that does not depend on any one class.
        """
        if few_rows := too_few(self.n, None):
            return few_rows
        if class_index is not None and (n_of_class := int(self.n_by_class[class_index])) < MIN_ROWS_OF_CLASS:
            return f"only {_number(n_of_class, 'row')} of {self.label_names[class_index]!r} (fewer than {MIN_ROWS_OF_CLASS})"
        return too_few(self.n, self.n_units)


def too_few(n_rows: int, n_units: int | None) -> str:
    """Why scores on so many rows of so many groups say little, or an empty string. Groups do not count where they are None."""
    if n_rows < MIN_ROWS:
        return f"only {_number(n_rows, 'row')} (fewer than {MIN_ROWS})"
    if n_units is not None and n_units < MIN_GROUPS:
        return f"rows of only {_number(n_units, 'group')} (fewer than {MIN_GROUPS})"
    return ""


def _number(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"
