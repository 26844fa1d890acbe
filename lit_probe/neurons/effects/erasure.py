"""How much of a concept is left when it is erased from a layer as gently as possible, by LEACE.

LEACE (Belrose et al. 2023, https://arxiv.org/abs/2306.03819; their package concept-erasure) changes activations as little as it
can so that, on the rows it was fitted to, no linear probe does better than one that ignores them; on other rows a little may be
left. It acts on pooled activations, after the forward pass, and says nothing about what later layers do. Each layer's probe is
fitted anew after LEACE, and after as many random directions were removed instead: what LEACE takes and they leave is the
concept's own.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lit_probe.encoder.activations import Activations
from lit_probe.encoder.thread import on_encoder_thread
from lit_probe.neurons.effects.ablation import random_directions
from lit_probe.probing.layerwise import ActivationView
from lit_probe.probing.probes.training_data import alive_only, standardisation, standardised
from lit_probe.probing.study import LayerStudy
from lit_probe.progress import Progress, no_progress, of_part
from lit_probe.results import Result
from lit_probe.scores.metrics import METRICS, Score

# From rows ``[n, d_model]`` to as many changed ones.
Erase = Callable[[NDArray[Any]], NDArray[np.float64]]


def leace(x: NDArray[np.float64], labels: NDArray[np.int64], n_classes: int) -> Erase:
    """The change that erases the labels from activations, fitted to ``x`` ``[n, d_model]`` and ``labels`` ``[n]``."""

    def fit() -> Erase:
        import torch
        from concept_erasure import LeaceEraser

        one_hot = torch.nn.functional.one_hot(torch.from_numpy(labels), n_classes).double()
        # Its default would leave directions whose share of the covariance is below 1 %, and the concept with them.
        eraser = LeaceEraser.fit(torch.from_numpy(x), one_hot, svd_tol=1e-6)
        left, right, mean = (part.numpy() for part in (eraser.proj_left, eraser.proj_right, eraser.bias))
        return lambda rows: rows - ((rows - mean) @ right.T) @ left.T

    return on_encoder_thread(fit)


@dataclass(frozen=True)
class ErasedLayer(Result):
    """One layer's dev score before LEACE, after it, and after the removal of as many random directions; None: not defined.

    Attributes:
      layer: its number.
      before: score of the layer's own probe.
      before_low: lower end of its 95 % interval.
      before_high: upper end.
      after: score of a probe fitted after LEACE.
      after_low: lower end of its 95 % interval.
      after_high: upper end.
      random: score of a probe fitted without the random directions.
      random_low: lower end of its 95 % interval.
      random_high: upper end.
    """

    layer: int
    before: float | None
    before_low: float | None
    before_high: float | None
    after: float | None
    after_low: float | None
    after_high: float | None
    random: float | None
    random_low: float | None
    random_high: float | None


@dataclass(frozen=True)
class Erasure(Result):
    """What is left of a concept at every layer after its erasure.

    Attributes:
      metric: name of the study's headline metric.
      title: the name people read.
      rank: number of directions that are removed: the number of classes less one.
      layers: all layers, ascending.
    """

    metric: str
    title: str
    rank: int
    layers: tuple[ErasedLayer, ...]


def erase_concept(study: LayerStudy, progress: Progress = no_progress) -> Erasure:
    """Every layer's dev score before LEACE, after it, and after the removal of as many random directions.

    Args:
      study: its train rows fit the erasure and the new probes; its headline metric is measured on dev.
      progress: called with the number of parts done; it may raise ``CancelledError``.
    """
    study.check_pooled("Erasure")
    n_classes = len(study.splits.label_names)
    rank, n_layers = n_classes - 1, study.encoder.n_layers
    train, labels = study.activations["train"], study.splits.train.labels
    by_leace: list[Erase] = []
    at_random: list[Erase] = []
    for layer in range(n_layers):
        progress(layer, 3 * n_layers)
        _, scale = standardisation(train.layer(layer))
        alive = np.isfinite(scale)
        if not alive.any():  # as in the embeddings of a first token, which is the same in all texts
            by_leace.append(_unchanged)
            at_random.append(_unchanged)
            continue
        values = alive_only(train.layer(layer), alive)
        mean, scale = standardisation(values)
        directions = random_directions(rank, len(mean), study.seed + layer)
        for erasers, erase in (
            (by_leace, leace(standardised(values, mean, scale), labels, n_classes)),
            (at_random, _without(directions)),
        ):
            erasers.append(_on_standardised(erase, alive, mean, scale))

    def scores(erasers: Sequence[Erase], start: int) -> list[Score]:
        fitted = study.refit(
            _erased(train, erasers),
            labels,
            groups=study.splits.train.groups,
            progress=of_part(progress, start, start + n_layers, 3 * n_layers),
        )
        return study.dev_scores(fitted.predict_proba(_erased(study.activations["dev"], erasers)))

    before = study.dev_scores(study.probabilities("dev"))
    measured = zip(before, scores(by_leace, n_layers), scores(at_random, 2 * n_layers), strict=True)
    return Erasure(
        metric=study.headline,
        title=METRICS[study.headline].title,
        rank=rank,
        layers=tuple(
            ErasedLayer(layer, *(end for score in of_layer for end in (score.value, score.low, score.high)))
            for layer, of_layer in enumerate(measured)
        ),
    )


def _erased(activations: Activations, erasers: Sequence[Erase]) -> ActivationView:
    """Activations with every layer changed, in float64: rounded to float32, a little of what was erased would be back."""
    return ActivationView(activations, change=lambda layer, values: erasers[layer](values))


def _without(directions: NDArray[np.float64]) -> Erase:
    return lambda rows: rows - (rows @ directions.T) @ directions


def _unchanged(rows: NDArray[Any]) -> NDArray[np.float64]:
    return np.asarray(rows, dtype=np.float64)


def _on_standardised(erase: Erase, alive: NDArray[np.bool_], mean: NDArray[np.float64], scale: NDArray[np.float64]) -> Erase:
    """The change of the units that are ``alive`` ``[d_model]``, whose mean and scale are given; the others stay as they are."""

    def changed(rows: NDArray[Any]) -> NDArray[np.float64]:
        erased = np.array(rows, dtype=np.float64)
        erased[:, alive] = erase(standardised(alive_only(rows, alive), mean, scale)) * scale + mean
        return erased

    return changed
