"""Neurons that say the same: clusters of correlated neurons, and one of each cluster as a set without much redundancy.

Dalvi et al. 2020, "Analyzing Redundancy in Pretrained Transformer Models" (https://aclanthology.org/2020.emnlp-main.398).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lit_probe.errors import LitProbeError

THRESHOLD = 0.5
# The correlations of so many neurons take 288 MB.
MAX_UNITS = 6_000


@dataclass(frozen=True, eq=False)
class CorrelationClusters:
    """Clusters of correlated neurons, the largest first; equally large ones by their lowest neuron.

    Attributes:
      threshold: the distance up to which clusters were joined.
      of_unit: ``[n_units]`` number of the cluster that each neuron is in, from 0.
      independent: ``[n_clusters]`` the neuron that stands for each cluster.
      cohesion: ``[n_clusters]`` mean |r| between the neurons of a cluster; 1 for a neuron alone.
    """

    threshold: float
    of_unit: NDArray[np.int64]
    independent: NDArray[np.int64]
    cohesion: NDArray[np.float64]

    @property
    def n_clusters(self) -> int:
        """How many clusters there are."""
        return len(self.independent)

    def members(self, cluster: int) -> NDArray[np.int64]:
        """The neurons of a cluster, ascending."""
        return np.flatnonzero(self.of_unit == cluster)

    def to_json(self, names: NDArray[np.int64] | None = None) -> dict[str, Any]:
        """``threshold``, ``n_units``, ``n_clusters``, ``independent``; ``clusters``: ``units``, ``independent``, ``cohesion``.

        Args:
          names: ``[n_units]`` what each column is called where they are not all neurons of a layer; by default its number.
        """
        called = np.arange(len(self.of_unit)) if names is None else names
        independent = called[self.independent].tolist()
        return {
            "threshold": self.threshold,
            "n_units": len(self.of_unit),
            "n_clusters": self.n_clusters,
            "independent": independent,
            "clusters": [
                {"units": called[self.members(c)].tolist(), "independent": independent[c], "cohesion": float(self.cohesion[c])}
                for c in range(self.n_clusters)
            ],
        }


def correlation_clusters(
    activations: ArrayLike, threshold: float = THRESHOLD, *, order: Sequence[int] | NDArray[np.int64] | None = None
) -> CorrelationClusters:
    """Clusters neurons by average linkage on the distance 1 - |r|, r being Pearson's correlation over the rows.

    The clusters are those of NeuroX, with its default threshold. It takes a neuron of each cluster at random; here one stands for
    a cluster that correlates most with the rest of it, or comes first in ``order``.

    Args:
      activations: ``[n_examples, n_units]``, of one layer or of several side by side.
      threshold: mean distance up to which two clusters are joined, 0 to 1; 0.3 asks for a mean |r| of 0.7 or more.
      order: all neurons, best first (``NeuronRanking.order``): a cluster's first one stands for it.

    A constant neuron correlates with none.

    Raises:
      LitProbeError: fewer than two rows, no neuron or more than 6,000, a value that is NaN or infinite, a threshold out of range
        or an ``order`` that does not hold each neuron once.

    >>> rows = [[0, 0, 3], [1, -2, 1], [2, -4, 1], [3, -6, 2]]
    >>> clusters = correlation_clusters(rows, 0.3)
    >>> [clusters.members(c).tolist() for c in range(clusters.n_clusters)], clusters.independent.tolist()
    ([[0, 1], [2]], [0, 2])
    """
    values = np.asarray(activations, dtype=np.float64)
    if values.ndim != 2 or len(values) < 2 or not 0 < values.shape[1] <= MAX_UNITS:
        raise LitProbeError(
            f"Correlations need activations of two rows or more and of 1 to {MAX_UNITS:,} neurons; got shape {values.shape}."
        )
    if not np.isfinite(values).all():
        unit = int(np.argmin(np.isfinite(values).all(axis=0)))
        raise LitProbeError(f"The activations hold NaN or infinity (first in neuron {unit}), so they have no correlations.")
    if not 0 <= threshold <= 1:
        raise LitProbeError(f"The threshold is a distance 1 - |r|, 0 to 1; got {threshold}.")
    n_units = values.shape[1]
    if order is not None and not np.array_equal(np.sort(np.asarray(order)), np.arange(n_units)):
        raise LitProbeError(f"The order of neurons must hold each of 0 to {n_units - 1} once.")
    strength = _strength(values)
    labels = _labels(strength, threshold)

    groups = sorted((np.flatnonzero(labels == label) for label in np.unique(labels)), key=lambda units: (-len(units), units[0]))
    place = np.arange(n_units) if order is None else np.argsort(np.asarray(order))
    of_unit = np.empty(n_units, dtype=np.int64)
    independent, cohesion = [], []
    for number, units in enumerate(groups):
        of_unit[units] = number
        inside = strength[np.ix_(units, units)]
        ties = inside.sum(axis=1).round(9)  # the last digits must not choose between neurons that are as good
        independent.append(units[np.lexsort((units, -ties))[0]] if order is None else units[place[units].argmin()])
        n_pairs = len(units) * (len(units) - 1)
        cohesion.append((inside.sum() - len(units)) / n_pairs if n_pairs else 1.0)
    return CorrelationClusters(threshold, of_unit, np.array(independent, dtype=np.int64), np.array(cohesion))


def _strength(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """``[n_units, n_units]`` |r| of each two columns; 0 where one is constant, 1 on the diagonal."""
    # To size 1 first, so that no square overflows or vanishes.
    size = np.abs(values).max(axis=0)
    scaled = values / np.where(size > 0, size, 1.0)
    scaled -= scaled.mean(axis=0)
    scaled[:, np.ptp(values, axis=0) == 0] = 0.0
    norm = np.sqrt(np.square(scaled).sum(axis=0))
    scaled /= np.where(norm > 0, norm, 1.0)
    strength = np.minimum(np.abs(scaled.T @ scaled), 1.0)
    strength = (strength + strength.T) / 2
    np.fill_diagonal(strength, 1.0)
    return np.asarray(strength)


def _labels(strength: NDArray[np.float64], threshold: float) -> NDArray[np.int64]:
    from scipy.cluster.hierarchy import fcluster, linkage
    from scipy.spatial.distance import squareform

    if len(strength) == 1:
        return np.zeros(1, dtype=np.int64)
    tree = linkage(squareform(1.0 - strength, checks=False), method="average")
    return np.asarray(fcluster(tree, threshold, criterion="distance"), dtype=np.int64)
