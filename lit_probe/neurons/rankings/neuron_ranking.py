"""The result of a ranking: all neurons of one or several layers, best first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lit_probe.data.seeds import checked_seed
from lit_probe.errors import LitProbeError, ProbeError
from lit_probe.results import Result, as_json

# Chunks grow by one hundredth of the weight mass.
MASS_STEPS = 100


@dataclass(frozen=True)
class RankedNeuron(Result):
    """One neuron of a ranking.

    Attributes:
      rank: its place, from 1.
      layer: its layer.
      unit: its index in the layer.
      name: ``layer:unit``.
      score: the score as in `NeuronRanking.scores`.
      class_scores: ``[n_classes]`` as in `NeuronRanking.class_scores`.
    """

    rank: int
    layer: int
    unit: int
    name: str
    score: float
    class_scores: tuple[float, ...]


@dataclass(frozen=True, eq=False)
class NeuronRanking:
    """Neurons of one or several layers in one order, and what the order was made by. Neurons that never vary are in none.

    Positions below are row numbers in ``units``, which stands in the order of (layer, index) and never changes.

    Attributes:
      method: the name in `RANKINGS`.
      title: the name people read.
      layers: which layers are ranked together, ascending.
      units: ``[n_units, 2]`` int64: layer and index of every neuron.
      order: ``[n_units]`` positions, best first: each exactly once; equal scores by (layer, index).
      scores: ``[n_units]`` 0 or more (except mutual information, which an ill-fitting Gaussian can make negative).
      score_unit: what a score is, in words.
      class_scores: ``[n_classes, n_units]`` the same for each class, signed: positive where more activation speaks for the class;
        of a number ``[1, n_units]``, positive where more activation goes with a larger number.
      label_names: ``[n_classes]``; empty for a number.
      settings: what reproduces the ranking, JSON-ready.

    Raises:
      ProbeError: the arrays do not fit together, hold NaN or infinity, or ``order`` is no permutation.

    >>> ranking = NeuronRanking.from_scores(
    ...     "mean_gap", "Mean gap", [[2, 0], [2, 1], [2, 2]], [0.1, 0.7, 0.1], "gap",
    ...     [[-0.1, 0.7, 0.1], [0.1, -0.7, -0.1]], ("negative", "positive"))
    >>> ranking.order, ranking.names[1], ranking.signs[0]
    (array([1, 0, 2]), '2:1', array([-1,  1,  1]))
    """

    method: str
    title: str
    layers: tuple[int, ...]
    units: NDArray[np.int64]
    order: NDArray[np.int64]
    scores: NDArray[np.float64]
    score_unit: str
    class_scores: NDArray[np.float64]
    label_names: tuple[str, ...]
    settings: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        n_units = len(self.units)
        shapes = (self.units.shape, self.order.shape, self.scores.shape, self.class_scores.shape)
        if not n_units or shapes != ((n_units, 2), (n_units,), (n_units,), (len(self.label_names) or 1, n_units)):
            raise ProbeError(f"units, order, scores and class_scores of a ranking do not fit together: {shapes}.")
        if not (np.isfinite(self.scores).all() and np.isfinite(self.class_scores).all()):
            raise ProbeError(f"The ranking {self.method!r} gave scores that are not finite.")
        if not np.array_equal(np.sort(self.order), np.arange(n_units)):
            raise ProbeError(f"The ranking {self.method!r} does not order each of its {n_units} neurons exactly once.")

    @classmethod
    def from_scores(
        cls,
        method: str,
        title: str,
        units: Any,
        scores: Any,
        score_unit: str,
        class_scores: Any,
        label_names: Sequence[str],
        settings: Mapping[str, Any] | None = None,
        first: Sequence[int] | NDArray[np.int64] = (),
    ) -> NeuronRanking:
        """Orders ``units``, which stand in the order of (layer, index), by their scores; ``first`` are positions put in front."""
        units, scores = np.asarray(units, dtype=np.int64), np.asarray(scores, dtype=np.float64)
        by_score = np.argsort(-scores, kind="stable")
        ahead = np.asarray(first, dtype=np.int64)
        order = np.concatenate([ahead, by_score[~np.isin(by_score, ahead)]])
        layers = tuple(int(layer) for layer in np.unique(units[:, 0]))
        signed = np.asarray(class_scores, dtype=np.float64)
        return cls(method, title, layers, units, order, scores, score_unit, signed, tuple(label_names), settings or {})

    @property
    def n_units(self) -> int:
        """How many neurons are ranked."""
        return len(self.units)

    @cached_property
    def names(self) -> tuple[str, ...]:
        """``[n_units]`` ``layer:unit`` of every neuron."""
        return tuple(f"{layer}:{index}" for layer, index in self.units)

    @cached_property
    def signs(self) -> NDArray[np.int64]:
        """``[n_classes, n_units]`` 1 where more activation speaks for the class, -1 where against, 0 where neither."""
        return np.sign(self.class_scores).astype(np.int64)

    @cached_property
    def class_orders(self) -> NDArray[np.int64]:
        """``[n_classes, n_units]`` positions by the size of each class's own score, best first; equal ones by (layer, index)."""
        return np.argsort(-np.abs(self.class_scores), axis=1, kind="stable")

    def count(self, percent: float) -> int:
        """How many neurons ``percent`` of them are, at least one.

        Raises:
          LitProbeError: not above 0 and at most 100.
        """
        if not 0 < percent <= 100:
            raise LitProbeError(f"A share of neurons must lie above 0 and be at most 100 %; got {percent}.")
        return max(1, round(self.n_units * percent / 100))

    def top(self, k: int, class_index: int | None = None) -> NDArray[np.int64]:
        """``[k]`` positions of the best neurons, overall or for one class.

        Raises:
          LitProbeError: ``k`` is negative or larger than the number of neurons, or there is no such class.
        """
        return self._order(class_index)[: self._checked(k)]

    def bottom(self, k: int, class_index: int | None = None) -> NDArray[np.int64]:
        """``[k]`` positions of the last neurons, the very last one first.

        Raises:
          LitProbeError: as for `top`.
        """
        return self._order(class_index)[::-1][: self._checked(k)]

    def random(self, k: int, seed: int = 0) -> NDArray[np.int64]:
        """``[k]`` positions drawn without replacement, ascending; the same seed gives the same neurons.

        Raises:
          LitProbeError: ``k`` is negative or larger than the number of neurons.
        """
        seed = checked_seed(seed)
        return np.sort(np.random.default_rng(seed).permutation(self.n_units)[: self._checked(k)])

    def threshold(self, fraction: float, class_index: int | None = None) -> NDArray[np.int64]:
        """Positions of the neurons whose score is at least ``fraction`` of the largest, best first.

        Raises:
          LitProbeError: ``fraction`` is not in 0 to 1, or there is no such class.
        """
        if not 0 <= fraction <= 1:
            raise LitProbeError(f"A threshold is a fraction of the largest score, 0 to 1; got {fraction}.")
        sizes = self._sizes(class_index)
        order: NDArray[np.int64] = self._order(class_index)
        chosen: NDArray[np.int64] = order[sizes[order] >= fraction * sizes.max()]
        return chosen

    def top_mass(self, share: float, class_index: int | None = None) -> NDArray[np.int64]:
        """Positions of the fewest best neurons that hold ``share`` (0 to 1) of the sum of all scores; none for a share of 0.

        Raises:
          LitProbeError: ``share`` is not in 0 to 1, or there is no such class.
        """
        if not 0 <= share <= 1:
            raise LitProbeError(f"A share of the mass lies in 0 to 1; got {share}.")
        order = self._order(class_index)
        mass = np.cumsum(np.maximum(self._sizes(class_index)[order], 0.0))
        if not share * mass[-1]:
            return order[:0]
        # The last digits of a sum of thousands of shares must not decide whether one neuron more is needed.
        return order[: int(np.searchsorted(mass, share * mass[-1] * (1 - 1e-12))) + 1]

    def chunks(self, n_steps: int = MASS_STEPS) -> list[NDArray[np.int64]]:
        """All positions in chunks: what each further 1/``n_steps`` of the classes' score mass adds; every neuron exactly once.

        A chunk holds the neurons that the growing share of *some* class needs and no smaller share needed, so that a neuron that
        matters to one class only comes as early as that class wants it (Dalvi et al. 2019,
        https://doi.org/10.1609/aaai.v33i01.33016309). Inside a chunk they stand in the overall order. The last chunk takes in
        the neurons without any score. Empty chunks are left out.

        Raises:
          LitProbeError: fewer than one step.
        """
        if n_steps < 1:
            raise LitProbeError(f"There must be one chunk or more; got {n_steps}.")
        step = np.full(self.n_units, n_steps)
        # A random order has no scores by class.
        classes = range(len(self.class_scores)) if self.class_scores.any() else [None]
        for class_index in classes:
            for number in range(n_steps, 0, -1):
                chosen = self.top_mass(number / n_steps, class_index)
                step[chosen] = np.minimum(step[chosen], number)
        steps = step[self.order]
        return [self.order[steps == number] for number in np.unique(steps)]

    def neurons(self, limit: int | None = None) -> list[RankedNeuron]:
        """The first ``limit`` neurons (all when None), best first."""
        listed = self.order if limit is None else self.order[: max(0, limit)]
        return [
            RankedNeuron(
                rank=rank,
                layer=int(self.units[position, 0]),
                unit=int(self.units[position, 1]),
                name=self.names[position],
                score=float(self.scores[position]),
                class_scores=tuple(self.class_scores[:, position].tolist()),
            )
            for rank, position in enumerate(listed, start=1)
        ]

    def to_json(self, limit: int | None = None) -> dict[str, Any]:
        """JSON-ready: what the ranking was made by, and as ``neurons`` the first ``limit`` of them (all when None)."""
        return {
            "method": self.method,
            "title": self.title,
            "score_unit": self.score_unit,
            "layers": list(self.layers),
            "label_names": list(self.label_names),
            "n_units": self.n_units,
            "settings": dict(self.settings),
            "neurons": as_json(self.neurons(limit)),
        }

    def _order(self, class_index: int | None) -> NDArray[np.int64]:
        return self.order if class_index is None else self.class_orders[self._checked_class(class_index)]

    def _sizes(self, class_index: int | None) -> NDArray[np.float64]:
        sizes = self.scores if class_index is None else np.abs(self.class_scores[self._checked_class(class_index)])
        return np.asarray(sizes)

    def _checked(self, k: int) -> int:
        if not 0 <= k <= self.n_units:
            where = f"layer {self.layers[0]} has" if len(self.layers) == 1 else f"layers {_listed(self.layers)} have"
            raise LitProbeError(f"{k} neurons cannot be chosen: {where} {self.n_units}. Choose 0 to {self.n_units}.")
        return k

    def _checked_class(self, class_index: int) -> int:
        if not 0 <= class_index < len(self.class_scores):
            raise LitProbeError(f"There is no class {class_index}; classes are numbered 0..{len(self.class_scores) - 1}.")
        return class_index


def _listed(layers: Sequence[int]) -> str:
    return ", ".join(map(str, layers))
