"""Studies of activations that were made up, and texts whose label a word decides."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lit_probe.data.labelled_texts import LabelledTexts, Splits
from lit_probe.encoder.activations import Activations
from lit_probe.encoder.encoder import Encoder
from lit_probe.probing.layerwise import LayerwiseProbe
from lit_probe.probing.probes import ProbeOptions
from lit_probe.probing.study import LayerStudy

NAMES = ("negative", "positive")
GOOD, BAD = ("good", "great", "loved", "best", "funny"), ("bad", "awful", "hated", "worst", "dull")
FRAMES = ("the film was {}", "it is a {} movie and i was in it", "{} plot but fine music", "we never had a more {} scene", "{}")


def planted_study(
    encoder: Encoder,
    values: NDArray[np.floating],
    labels: NDArray[np.int64],
    dev: tuple[NDArray[np.floating], NDArray[np.int64]] | None = None,
    *,
    label_names: tuple[str, ...] = NAMES,
    groups: NDArray[np.str_] | None = None,
    probe: str = "logistic",
    options: ProbeOptions | None = None,
    seed: int = 0,
) -> LayerStudy:
    """A study of ``values`` ``[n_train, n_layers, d_model]``. It has no activations of test: touching these raises KeyError."""
    dev_values, dev_labels = dev or (values[:40], labels[:40])
    rows = {
        name: LabelledTexts(tuple(f"{name} {i}" for i in range(len(y))), np.asarray(y), label_names, groups=of_rows)
        for name, y, of_rows in (("train", labels, groups), ("dev", dev_labels, None), ("test", np.empty(0, np.int64), None))
    }
    activations = {name: Activations.from_array(x) for name, x in (("train", values), ("dev", dev_values))}
    layerwise = LayerwiseProbe.fit(
        activations["train"], labels, label_names, groups=groups, probe=probe, options=options, seed=seed
    )
    return LayerStudy(encoder, Splits("planted", **rows), activations, layerwise, seed)


def noise(n: int, n_layers: int = 2, d_model: int = 8, seed: int = 0) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Activations, and balanced labels that have nothing to do with them."""
    random = np.random.default_rng(seed)
    return random.normal(size=(n, n_layers, d_model)).astype(np.float32), random.permutation(np.arange(n) % 2)


def sentences() -> tuple[list[str], list[str]]:
    """Texts whose label a word decides, and their labels."""
    texts, labels = [], []
    for label, words in (("positive", GOOD), ("negative", BAD)):
        for word in words:
            for frame in FRAMES:
                for end in ("", " to one", " for the story", " and slow", " with little acting"):
                    texts.append(frame.format(word) + end)
                    labels.append(label)
    return texts, labels
