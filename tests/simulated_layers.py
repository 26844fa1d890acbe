"""Studies whose probes are right on rows that a simulation chose, without an encoder behind them."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
from numpy.typing import NDArray

from lit_probe.data.labelled_texts import LabelledTexts, Splits
from lit_probe.encoder.activations import Activations
from lit_probe.probing.layerwise import LayerwiseProbe
from lit_probe.probing.probes import FittedProbe
from lit_probe.probing.rules import StudyRules
from lit_probe.probing.study import LayerStudy

NAMES = ("negative", "positive")
# A probe that answers by the sign of the one activation there is.
SIGN = FittedProbe("logistic", [0, 1], [0.0], [1.0], (([[-1.0], [1.0]], [0.0, 0.0]),), True)


def study_of(right: dict[str, NDArray[np.bool_]], labels: dict[str, NDArray[np.int64]], groups=None) -> LayerStudy:
    """A study whose probes are right on dev and test where ``right`` ``[n_examples, n_layers]`` says so."""
    n_layers = right["dev"].shape[1]
    rows, activations = {}, {}
    for name in ("dev", "test"):
        answers = np.where(right[name] == (labels[name][:, None] == 1), 1.0, -1.0)
        activations[name] = Activations.from_array(answers[:, :, None].astype(np.float32))
        rows[name] = LabelledTexts(tuple(f"{name} {i}" for i in range(len(answers))), labels[name], NAMES)
    rows["dev"] = replace(rows["dev"], groups=groups)
    # Train only decides the headline metric.
    splits = Splits("answers", replace(rows["dev"], groups=None), rows["dev"], rows["test"])
    activations["train"] = activations["dev"]
    return LayerStudy(
        SimpleNamespace(name="tiny-bert", at_sites=False),
        splits,
        activations,
        LayerwiseProbe((SIGN,) * n_layers, NAMES, "logistic", 0),
        0,
    )


def simulated(accuracies: list[float], seed: int = 0, *, n: int = 200, shared: float = 0.0, positive: float = 0.5) -> LayerStudy:
    """Layers with these true accuracies on random rows; a share of the rows is right or wrong at all layers alike."""
    random = np.random.default_rng(seed)
    right, labels = {}, {}
    for name in ("dev", "test"):
        labels[name] = random.permutation((np.arange(n) < positive * n).astype(np.int64))
        together = random.random((n, 1)) < shared
        right[name] = np.where(together, random.random((n, 1)), random.random((n, len(accuracies)))) < np.array(accuracies)
    return study_of(right, labels)


def graded(distances: list[float], seed: int = 0, *, n: int = 150, layer_choice: str = "one_se") -> LayerStudy:
    """Layers whose probes give calibrated probabilities: normal scores of two classes that lie ``distances`` apart.

    Half of a score's noise is common to all layers. The accuracy of a layer is the normal distribution at half its distance.
    """
    random, apart = np.random.default_rng(seed), np.array(distances)
    rows, activations = {}, {}
    for name in ("dev", "test"):
        labels = random.permutation(np.arange(n) % 2)
        noise = (random.normal(size=(n, 1)) + random.normal(size=(n, len(apart)))) / np.sqrt(2)
        logits = apart * (apart * (labels - 0.5)[:, None] + noise)
        activations[name] = Activations.from_array((logits / 2)[:, :, None].astype(np.float32))
        rows[name] = LabelledTexts(tuple(f"{name} {i}" for i in range(n)), labels, NAMES)
    activations["train"] = activations["dev"]
    splits = Splits("graded", rows["dev"], rows["dev"], rows["test"])
    layerwise = LayerwiseProbe((SIGN,) * len(apart), NAMES, "logistic", 0)
    return LayerStudy(
        SimpleNamespace(name="tiny-bert", at_sites=False),
        splits,
        activations,
        layerwise,
        0,
        StudyRules(layer_choice=layer_choice),
    )
