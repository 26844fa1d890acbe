"""What a ranking reads and gives: one layer's rows and probe in, one score per neuron out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from functools import cached_property
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from lit_probe.data.asked import CLASSES, TargetKind
from lit_probe.data.seeds import checked_seed
from lit_probe.errors import LitProbeError, ProbeError
from lit_probe.probing.layerwise import LayeredActivations
from lit_probe.probing.probes import FittedProbe
from lit_probe.probing.probes.penalised import L1_RATIO, STRENGTH
from lit_probe.probing.probes.training_data import alive_only, standardisation, standardised

REGRESSIONS = ("logistic", "linear")
# How long people wait: milliseconds for all layers, up to about a second for one layer, or longer.
Cost = Literal["at once", "seconds", "minutes"]


@dataclass(frozen=True)
class RankingOptions:
    """What a ranking can be told; each reads only what it names in `Ranking.options`.

    Attributes:
      seed: the seed of everything random.
      regression: ``"logistic"``, or ``"linear"`` on 0 and 1 for each class.
      strength: the strength of the regression's penalty, beside the mean loss.
      l1_ratio: share of L1 in the elastic net, between 0 and 1.
      greedy: the number of neurons the Gaussian ranking chooses jointly, each beside those before it; 0 takes each for itself.

    Raises:
      LitProbeError: an option is out of range.
    """

    seed: int = 0
    regression: str = "logistic"
    strength: float = STRENGTH
    l1_ratio: float = L1_RATIO
    greedy: int = 0

    def __post_init__(self) -> None:
        if self.regression not in REGRESSIONS:
            raise LitProbeError(f"Unknown regression {self.regression!r}. Choose one of: {', '.join(REGRESSIONS)}.")
        if not (np.isfinite(self.strength) and self.strength > 0):
            raise LitProbeError(f"The strength of a penalty must be a number above 0; got {self.strength}.")
        if not 0 < self.l1_ratio < 1:
            raise LitProbeError(f"The share of L1 in an elastic net must lie between 0 and 1; got {self.l1_ratio}.")
        object.__setattr__(self, "seed", checked_seed(self.seed))
        if self.greedy < 0:
            raise LitProbeError(f"greedy must be 0 or more; got {self.greedy}.")

    def to_json(self, names: tuple[str, ...]) -> dict[str, Any]:
        """The options of these names."""
        return {name: value for name, value in asdict(self).items() if name in names}


class RankedLayer:
    """The train rows and the fitted probe of one layer. Activations are read only when a ranking asks for them.

    Only the neurons that vary on train are ranked; all arrays hold these alone.

    Args:
      layer: its number.
      activations: whose rows are read.
      labels: ``[n_examples]`` class indices; numbers where the probe gives a number.
      probe: the layer's probe.
      living: ``[d_model]`` which neurons vary; those that did when the probe was fitted, when None.

    Attributes:
      layer: its number.
      labels: ``[n_examples]`` class indices.
      n_classes: the number of classes; 0 for a number.
      probe: the layer's probe, of all neurons.
      units: ``[n_units]`` the indices of the neurons that are ranked, ascending.
    """

    def __init__(
        self,
        layer: int,
        activations: LayeredActivations,
        labels: NDArray[Any],
        probe: FittedProbe,
        living: NDArray[np.bool_] | None = None,
    ):
        self.layer = layer
        self.labels = labels
        self.probe = probe
        self.n_classes = probe.n_classes
        self._living = probe.living if living is None else living
        self.units = np.flatnonzero(self._living)
        self._activations = activations

    @property
    def n_units(self) -> int:
        """How many neurons are ranked."""
        return len(self.units)

    @cached_property
    def x(self) -> NDArray[np.float32]:
        """``[n_examples, n_units]`` pooled activations.

        Raises:
          ProbeError: one is NaN or infinite.
        """
        values = self._activations.layer(self.layer)
        finite = np.isfinite(values)
        if not finite.all():
            unit, n_bad = int(np.argmin(finite.all(axis=0))), int((~finite.all(axis=1)).sum())
            raise ProbeError(
                f"Layer {self.layer}: the activations of {n_bad} of {len(values)} examples hold NaN or infinity (first in neuron "
                f"{unit}), so its neurons cannot be ranked."
            )
        return values if self._living.all() else alive_only(values, self._living)

    @cached_property
    def numbers(self) -> NDArray[np.float64]:
        """``[n_examples]`` the labels that are numbers, with mean 0 and standard deviation 1."""
        centred = np.asarray(self.labels, dtype=np.float64) - np.mean(self.labels)
        standardised: NDArray[np.float64] = centred / (centred.std() or 1.0)
        return standardised

    @cached_property
    def standardised(self) -> NDArray[np.float64]:
        """``[n_examples, n_units]`` with mean 0 and standard deviation 1 (a constant neuron: all 0)."""
        return standardised(self.x, *standardisation(self.x))

    def class_means(self, values: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
        """``[n_classes, n_units]`` the mean of ``values`` ``[n_examples, n_units]`` over the rows of each class."""
        return np.stack([values[self.labels == c].mean(axis=0, dtype=np.float64) for c in range(self.n_classes)])


@dataclass(frozen=True, eq=False)
class UnitScores:
    """What a ranking says about the neurons of one layer.

    Attributes:
      scores: ``[n_units]`` larger is better.
      class_scores: ``[n_classes, n_units]`` signed: positive where more activation speaks for the class. Of a number they are
        ``[1, n_units]``, positive where more activation goes with a larger number.
      first: positions of neurons that come before all others whatever their score, in this order.
      facts: what else is worth knowing about how the scores came about, JSON-ready.
    """

    scores: NDArray[np.float64]
    class_scores: NDArray[np.float64]
    first: tuple[int, ...] = ()
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Ranking:
    """One way to rank neurons.

    Attributes:
      title: the name people read.
      score_unit: what its scores are, in words.
      compute: the function from a layer to its neurons' scores.
      cost: how long people wait for it.
      options: which of `RankingOptions` it reads.
      reads_probe: whether it reads the layer's probe, else the activations and labels.
      shares: whether scores are weights, shown as shares of the sum over all neurons that are ranked together.
      targets: what it can rank neurons for.
      scale_free: whether multiplying a neuron's activations by a positive number leaves its place.
    """

    title: str
    score_unit: str
    compute: Callable[[RankedLayer, RankingOptions], UnitScores]
    cost: Cost
    options: tuple[str, ...] = ()
    reads_probe: bool = False
    shares: bool = False
    scale_free: bool = True
    targets: tuple[TargetKind, ...] = (CLASSES,)


def weight_scores(weights: NDArray[np.float64], **facts: Any) -> UnitScores:
    """Scores from the weights of a linear classifier ``[n_classes, n_units]``: their absolute sum over classes.

    Adding the same number to one neuron's weights for all classes changes no prediction, so their mean is taken off first.
    The weights ``[1, n_units]`` of a number are taken as they are.
    """
    if len(weights) == 1:
        return UnitScores(np.abs(weights[0]), weights, facts=facts)
    centred = weights - weights.mean(axis=0)
    return UnitScores(np.abs(centred).sum(axis=0), centred, facts=facts)
