"""Activations with a known answer, for the tests of the probes."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class Planted(NamedTuple):
    x: NDArray[np.float32]
    labels: NDArray[np.int64]
    test_x: NDArray[np.float32]
    test_labels: NDArray[np.int64]


def planted(
    n_classes: int = 2, *, strength: float = 3.0, n_train: int = 400, n_test: int = 600, d_model: int = 16, seed: int = 0
) -> Planted:
    """Gaussian features; each class is shifted along a direction of its own by ``strength`` standard deviations."""
    random = np.random.default_rng(seed)
    labels = np.arange(n_train + n_test) % n_classes
    random.shuffle(labels)
    directions = np.linalg.qr(random.normal(size=(d_model, n_classes)))[0].T
    x = (random.normal(size=(len(labels), d_model)) + strength * directions[labels]).astype(np.float32)
    return Planted(x[:n_train], labels[:n_train], x[n_train:], labels[n_train:])
