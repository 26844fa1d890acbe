"""How the loss of a probe fell while it was trained: on train, and on dev, of which the training saw nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lit_probe.encoder.cache import Cache
from lit_probe.errors import UnservedError
from lit_probe.probing.probes import PROBES, FittedProbe
from lit_probe.probing.probes.fitting_scope import fitting_scope
from lit_probe.probing.probes.training_data import standardised
from lit_probe.probing.study import LayerStudy
from lit_probe.results import Result


@dataclass(frozen=True)
class LossCurve(Result):
    """The log-loss after each pass over train.

    Attributes:
      layer: the layer whose probe it is.
      n_epochs: the number of passes.
      train: ``[n_epochs]`` the mean log-loss on train, in nats, without the penalty.
      held_out: ``[n_epochs]`` the same on dev.
      n_train: the number of rows of train.
      n_held_out: the number of rows of dev.
    """

    layer: int
    n_epochs: int
    train: tuple[float, ...]
    held_out: tuple[float, ...]
    n_train: int
    n_held_out: int


def has_loss_curve(study: LayerStudy) -> bool:
    """Whether the study's probes are trained pass by pass."""
    return not study.reads_tokens and PROBES[study.layerwise.kind].by_epoch


def loss_curve(study: LayerStudy, layer: int | None = None, cache: Cache | None = None) -> LossCurve:
    """The curve of one layer's probe. It is trained once more, with the same seed, and watched; no bit of it differs.

    Args:
      study: the study.
      layer: its layer; the one that was chosen on dev when None.
      cache: where the curve is kept.

    Raises:
      UnservedError: probes of that kind are not trained pass by pass.
      UnknownNameError: there is no such layer.
    """
    kind = study.layerwise.kind
    if not has_loss_curve(study):
        served = ", ".join(name for name, entry in PROBES.items() if entry.by_epoch)
        raise UnservedError(
            f"A probe of kind {kind!r} is not trained pass by pass and has no loss curve. Choose one of: {served}."
        )
    at = study.best_layer if layer is None else layer
    study.check_layer(at)
    facts = {"study": study.fingerprint, "layer": at}
    return (cache or Cache(None)).result("loss_curves", facts, lambda: _watched(study, at), LossCurve)


def _watched(study: LayerStudy, layer: int) -> LossCurve:
    probe, train, dev = study.layerwise.probes[layer], study.splits.train, study.splits.dev
    parts = [
        (standardised(activations.layer(layer), probe.mean, probe.scale), rows.labels)
        for activations, rows in ((study.activations["train"], train), (study.activations["dev"], dev))
    ]
    losses: list[list[float]] = [[], []]

    def hear(so_far: FittedProbe) -> None:
        for of_part, (scaled, labels) in zip(losses, parts, strict=True):
            of_part.append(_log_loss(so_far.layers, scaled, labels))

    entry = PROBES[study.layerwise.kind]
    options = entry.keywords(study.layerwise.options)
    x, n_classes = study.activations["train"].layer(layer), len(study.splits.label_names)
    with fitting_scope:
        entry.fit(x, train.labels, n_classes, train.groups, study.layerwise.seed, **options, after_epoch=hear)
    return LossCurve(layer, len(losses[0]), tuple(losses[0]), tuple(losses[1]), len(train), len(dev))


def _log_loss(
    layers: Sequence[tuple[NDArray[Any], NDArray[Any]]], values: NDArray[np.float64], labels: NDArray[np.int64]
) -> float:
    for place, (weight, bias) in enumerate(layers):
        values = (np.maximum(values, 0.0) if place else values) @ weight.T + bias
    return float((np.logaddexp.reduce(values, axis=1) - values[np.arange(len(labels)), labels]).mean())
