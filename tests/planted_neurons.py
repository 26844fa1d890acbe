"""Layers of noise in which one neuron tells the classes apart, for the tests of neuron rankings."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from lit_probe.encoder.activations import Activations
from lit_probe.neurons.rankings import RANKINGS, NeuronRanking, RankedLayer, RankingOptions, rank_layers
from lit_probe.probing.probes.penalised import fit_penalised_logistic

OF_CLASSES = [name for name, one in RANKINGS.items() if "classes" in one.targets]
NAMES = ("negative", "positive", "neutral")


def planted_neuron(
    n: int = 300,
    n_layers: int = 2,
    d_model: int = 24,
    *,
    n_classes: int = 2,
    layer: int = 1,
    unit: int = 7,
    strength: float = 3.0,
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Activations ``[n, n_layers, d_model]`` and labels; class c shifts one neuron by c times ``strength``."""
    random = np.random.default_rng(0)
    labels = random.permutation(np.arange(n) % n_classes)
    values = random.normal(size=(n, n_layers, d_model)).astype(np.float32)
    values[:, layer, unit] += strength * labels
    return values, labels


def rank_arrays(
    values: NDArray[np.float32], labels: NDArray[np.int64], method: str, options: RankingOptions | None = None
) -> NeuronRanking:
    """All layers of ``values`` ranked together, by the weights of a quick probe where the ranking reads one."""
    n_classes = int(labels.max()) + 1
    activations = Activations.from_array(values)

    def make(layer: int) -> RankedLayer:
        probe = _probe(activations.layer(layer).tobytes(), values.shape[2], labels.tobytes(), n_classes)
        return RankedLayer(layer, activations, labels, probe)

    return rank_layers(make, range(values.shape[1]), NAMES[:n_classes], method, options=options)


@lru_cache(maxsize=64)
def _probe(values: bytes, d_model: int, labels: bytes, n_classes: int):
    x = np.frombuffer(values, dtype=np.float32).reshape(-1, d_model)
    return fit_penalised_logistic(x, np.frombuffer(labels, dtype=np.int64), n_classes, strength=0.1)
