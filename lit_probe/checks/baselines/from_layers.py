"""Baselines per layer: the study's own probes on an encoder, or on labels, from which there is nothing to learn."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from lit_probe.checks.baselines.baseline import Predictions
from lit_probe.encoder.activations import Activations
from lit_probe.encoder.cache import Cache
from lit_probe.errors import EncoderError
from lit_probe.probing.layerwise import LayerwiseProbe
from lit_probe.probing.study import LayerStudy
from lit_probe.progress import Progress, of_part

N_ORDERS = 5


def predict_with_random_weights(study: LayerStudy, cache: Cache, progress: Progress) -> Predictions:
    """The same probes on the same architecture with weights that were never trained.

    What they decode comes from the words and the architecture (Zhang & Bowman 2018, https://aclanthology.org/W18-5448). One draw
    of weights, by the study's seed; the interval is about the dev rows, not about the draw.

    Raises:
      EncoderError: the architecture cannot be built, or the drawn weights are the encoder's own.
    """
    train, dev = study.splits.train, study.splits.dev
    twin = study.encoder.randomised(study.seed)
    n_texts = len(train) + len(dev)
    # The two halves take like times on a CPU: so that the bar moves evenly, layers are counted in texts.
    total = 2 * n_texts

    activations = {
        name: cache.activations(twin, rows.texts, study.pooling, progress=of_part(progress, start, start + len(rows), total))
        for name, rows, start in (("train", train, 0), ("dev", dev, len(train)))
    }
    if np.array_equal(activations["dev"].layer(-1), study.activations["dev"].layer(-1)):
        raise EncoderError(
            f"The weights of {study.encoder.name} are themselves those that seed {study.seed} draws, and so no baseline for it. "
            "Choose another seed."
        )
    layerwise = _fit(study, activations["train"], train.labels, of_part(progress, n_texts, total, total))
    note = f"one draw of weights, seed {study.seed}; the interval is about the rows, not about the draw."
    return _predictions([layerwise], activations["dev"], note)


def predict_with_shuffled_labels(study: LayerStudy, cache: Cache, progress: Progress) -> Predictions:
    """The same probes on the same activations, fitted to train's labels in random order, `N_ORDERS` times.

    They score as chance does, on average over orders. A single order may lie well off it: where a few directions hold most of the
    variance, one that was learnt from noise often agrees with the concept in part, or opposes it.
    """
    random, train = np.random.default_rng(study.seed), study.activations["train"]
    fits = []
    for order in range(N_ORDERS):
        part = of_part(progress, order * train.n_layers, (order + 1) * train.n_layers, N_ORDERS * train.n_layers)
        fits.append(_fit(study, train, random.permutation(study.splits.train.labels), part))
    return _predictions(fits, study.activations["dev"], f"the mean over {N_ORDERS} random orders of the labels.")


def _fit(study: LayerStudy, activations: Activations, labels: NDArray[np.int64], progress: Progress) -> LayerwiseProbe:
    return LayerwiseProbe.fit(
        activations,
        labels,
        study.splits.label_names,
        groups=study.splits.train.groups,
        probe=study.layerwise.kind,
        seed=study.seed,
        progress=progress,
    )


def _predictions(fits: Sequence[LayerwiseProbe], dev: Activations, note: str) -> Predictions:
    return Predictions(
        np.stack([fit.predict_proba(dev) for fit in fits]),
        not_converged=sorted({layer for fit in fits for layer in fit.not_converged}),
        settings={"C": [[probe.settings.get("C") for probe in fit.probes] for fit in fits]},
        notes=[note],
    )
