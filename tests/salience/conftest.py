"""A tiny encoder and probes that read one planted word."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest

from lit_probe.encoder.activations import extract_activations
from lit_probe.encoder.encoder import Encoder, load_encoder
from lit_probe.probing.probe_forward import Forward, forward_of_probe
from lit_probe.probing.probes import FittedProbe, fit_logistic

PLANTED = "great"
_FILLERS = "the film movie story acting plot was is not very bad awful fine dull and but it we loved scene music slow".split()


@dataclass(frozen=True)
class PlantedProbes:
    """An encoder and one fitted probe per layer for "the text holds the word ``great``"."""

    encoder: Encoder
    probes: tuple[FittedProbe, ...]
    pooling: str = "mean"

    def forward(self, layer: int = 2) -> Forward:
        """What the probe of one layer says; classes ``without`` and ``with``."""
        return forward_of_probe(self.encoder, self.pooling, layer, self.probes[layer], ("without", "with"))


@pytest.fixture(scope="session")
def planted(tiny_folder) -> PlantedProbes:
    """Fitted on 200 texts of random words; half of them hold the planted word once."""
    encoder = load_encoder(str(tiny_folder()))
    random = np.random.default_rng(0)
    labels = np.arange(200) % 2
    texts = []
    for label in labels:
        words = list(random.choice(_FILLERS, size=random.integers(4, 12)))
        if label:
            words.insert(random.integers(len(words) + 1), PLANTED)
        texts.append(" ".join(words))
    activations = extract_activations(encoder, texts, "mean")
    probes = tuple(fit_logistic(activations.layer(layer), labels, 2) for layer in range(encoder.n_layers))
    return PlantedProbes(encoder, probes)


@pytest.fixture(scope="session")
def random_probe(tiny_folder) -> Callable[..., tuple[Forward, FittedProbe]]:
    """``random_probe(architecture, layer)``: an untrained probe of three classes with logits of some size, and its forward."""

    def forward(architecture: str, layer: int = 2) -> tuple[Forward, FittedProbe]:
        encoder = load_encoder(str(tiny_folder(architecture)))
        random = np.random.default_rng(0)
        width = encoder.d_model
        weights = (random.normal(size=(3, width)), random.normal(size=3))
        probe = FittedProbe(
            "logistic", [0, 1, 2], random.normal(size=width), random.uniform(0.3, 0.6, size=width), (weights,), True
        )
        return forward_of_probe(encoder, "mean", layer, probe), probe

    return forward
