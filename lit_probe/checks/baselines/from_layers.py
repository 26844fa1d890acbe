"""Baselines per layer: the study's own probes on an encoder, or on labels, from which there is nothing to learn."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lit_probe.checks.baselines.baseline import Predictions
from lit_probe.encoder.activations import Activations
from lit_probe.encoder.cache import Cache
from lit_probe.probing.layerwise import LayerwiseProbe
from lit_probe.probing.pace import Work
from lit_probe.probing.study import LayerStudy
from lit_probe.progress import Progress, of_part

N_WEIGHTS = 3
N_ORDERS = 5
# Progress is told in these parts of one draw.
_PARTS = 1000


def predict_with_random_weights(study: LayerStudy, cache: Cache, progress: Progress) -> Predictions:
    """The same probes on the same architecture with weights that were never trained.

    What they decode comes from the words and the architecture (Zhang & Bowman 2018, https://aclanthology.org/W18-5448). One draw
    of weights is one such architecture among many, and may be a good or a bad one; so `N_WEIGHTS` are drawn one after the other,
    by as many seeds from the study's on. A seed that draws the encoder's own weights, where these are random, is passed over.

    Raises:
      EncoderError: the architecture cannot be built.
    """
    fits, devs, seeds, own = [], [], list[int](), list[int]()
    while len(seeds) < N_WEIGHTS:
        seed = study.seed + len(seeds) + len(own)
        part = of_part(progress, len(seeds) * _PARTS, (len(seeds) + 1) * _PARTS, N_WEIGHTS * _PARTS)
        drawn = _fit_to_random_weights(study, seed, cache, part)
        if drawn is None:
            own.append(seed)
            continue
        seeds.append(seed)
        fits.append(drawn[0])
        devs.append(drawn[1])
    named = f"{', '.join(map(str, seeds[:-1]))} and {seeds[-1]}"
    passed_over = f" Seed {own[0]} draws the weights of {study.encoder.name} themselves and is passed over." if own else ""
    note = f"the mean over {N_WEIGHTS} random initialisations, by seeds {named}.{passed_over} {_about_range(N_WEIGHTS)}"
    return _predictions(fits, devs, note, seeds=seeds)


def _fit_to_random_weights(
    study: LayerStudy, seed: int, cache: Cache, progress: Progress
) -> tuple[LayerwiseProbe, NDArray[np.float64]] | None:
    """The probes, and what they say of dev ``[n_dev, n_layers, n_outputs]``; None where the weights are the encoder's own."""
    train, dev = study.splits.train, study.splits.dev
    twin = study.encoder.randomised(seed)
    n_texts = len(train) + len(dev)
    # So that the bar moves evenly, layers are counted in texts.
    total = n_texts + max(1, Work(fits=1).in_rows(len(train)))

    activations = {
        name: cache.activations(
            twin, rows.texts, study.pooling, spans=rows.spans, progress=of_part(progress, start, start + len(rows), total)
        )
        for name, rows, start in (("train", train, 0), ("dev", dev, len(train)))
    }
    if np.array_equal(activations["dev"].layer(-1), study.activations["dev"].layer(-1)):
        return None
    layerwise = _fit(study, activations["train"], train.labels, of_part(progress, n_texts, total, total))
    return layerwise, layerwise.predictions(activations["dev"])


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
    note = f"the mean over {N_ORDERS} random orders of the labels. {_about_range(N_ORDERS)}"
    return _predictions(fits, [fit.predictions(study.activations["dev"]) for fit in fits], note)


def random_weights_work(study: LayerStudy, cache: Cache) -> Work:
    """Reading train and dev with each draw of weights, as far as that is not kept, and a fit to each."""
    if not study.encoder.has_network:
        return Work()
    twins = [study.encoder.randomised(study.seed + draw) for draw in range(N_WEIGHTS)]
    rows = (study.splits.train, study.splits.dev)
    return Work(N_WEIGHTS, sum(cache.n_missing(twin, one.texts, study.pooling, one.spans) for twin in twins for one in rows))


def shuffled_labels_work(study: LayerStudy, cache: Cache) -> Work:
    """A fit to each order of the labels."""
    return Work(N_ORDERS)


def _about_range(n_draws: int) -> str:
    """What the range of so many draws says: that of 3 or 5 is no interval of confidence.

    A further draw is the least or the largest of all n + 1 with probability 2 / (n + 1), whatever they are drawn from.

    >>> _about_range(3)
    'A further one falls outside their range (the band of a chart) 50% of the time.'
    """
    return f"A further one falls outside their range (the band of a chart) {2 / (n_draws + 1):.0%} of the time."


def _fit(study: LayerStudy, activations: Activations, labels: NDArray[Any], progress: Progress) -> LayerwiseProbe:
    return study.refit(activations, labels, groups=study.splits.train.groups, progress=progress)


def _predictions(fits: Sequence[LayerwiseProbe], dev: Sequence[NDArray[np.float64]], note: str, **settings: Any) -> Predictions:
    strength = "C" if fits[0].label_names else "alpha"
    return Predictions(
        np.stack(dev),
        not_converged=sorted({layer for fit in fits for layer in fit.not_converged}),
        settings={**settings, strength: [[probe.settings.get(strength) for probe in fit.probes] for fit in fits]},
        notes=[note],
    )
