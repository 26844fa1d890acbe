"""What every layer makes of an edit: the difference between a text and its counterfactual, and that over many pairs.

An edit is a text that goes down the same path as any other; here it is only subtracted. Layers whose probe follows an edit when
the label follows it decode the concept rather than what usually goes with it (contrast sets: Gardner et al. 2020,
https://arxiv.org/abs/2004.02709; counterfactually augmented data: Kaushik et al. 2020, https://arxiv.org/abs/1909.12434).
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lit_probe.errors import LitProbeError
from lit_probe.probing.layerwise import LayeredActivations
from lit_probe.probing.probes.fitted import NUMBER_NAME
from lit_probe.probing.probes.training_data import alive_only, standardisation, standardised
from lit_probe.probing.study import LayerStudy
from lit_probe.results import Result
from lit_probe.scores.decision import ARGMAX, Decision

# How many pairs of train texts say which distance is usual, and how finely the way between two vectors is cut for probes that
# are not linear.
_N_TYPICAL = 400


class TrainGeometry:
    """Distances in the layers of a study, as large as they are for its train texts.

    The Mahalanobis distance counts a difference in standard deviations of train along every direction. The covariance is shrunk
    (Ledoit & Wolf 2004, https://doi.org/10.1016/S0047-259X(03)00096-4), since a layer may have more units than train has texts.

    Args:
      study: whose train activations are used; each layer's covariance is computed when it is first asked for.
    """

    def __init__(self, study: LayerStudy):
        self._study = study
        self._whitening: dict[int, tuple[NDArray[np.bool_], NDArray[np.float64]]] = {}
        self._typical: dict[int, tuple[float, float]] = {}
        self._lock = threading.Lock()

    def mahalanobis(self, layer: int, differences: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
        """``[n]`` lengths of ``differences`` ``[n, d_model]`` between vectors of a layer."""
        alive, whitening = self._whitening_of(layer)
        lengths: NDArray[np.float64] = np.linalg.norm(alive_only(differences, alive) @ whitening, axis=1)
        return lengths

    def typical(self, layer: int) -> tuple[float, float]:
        """The median cosine and Mahalanobis distance of two train texts, over random pairs: what a distance is large beside."""
        if layer not in self._typical:
            rows = self._study.activations["train"].layer(layer).astype(np.float64)
            alive = self._study.layerwise.probes[layer].living
            drawn = np.random.default_rng(self._study.seed).integers(len(rows), size=(2, _N_TYPICAL))
            one, other = rows[drawn[:, drawn[0] != drawn[1]]]
            cosine, mahalanobis = _cosine_distance(one, other, alive), self.mahalanobis(layer, other - one)
            self._typical[layer] = (float(np.median(cosine)), float(np.median(mahalanobis)))
        return self._typical[layer]

    def prepare(self) -> None:
        """Computes what all layers need, so that no later question waits for it."""
        for layer in range(self._study.encoder.n_layers):
            self.typical(layer)

    def _whitening_of(self, layer: int) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
        """``[d_model]`` which units vary, and ``[n_alive, n_alive]`` W with W Wᵀ the inverse of their covariance."""
        with self._lock:
            if layer not in self._whitening:
                self._whitening[layer] = _whitening(self._study.activations["train"].layer(layer))
            return self._whitening[layer]


def _whitening(rows: NDArray[np.float32]) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
    from sklearn.covariance import ledoit_wolf

    # Units differ in scale by orders of magnitude; shrinking would otherwise let the largest drown the others.
    alive = np.isfinite(standardisation(rows)[1])
    whitening = np.zeros((int(alive.sum()), int(alive.sum())))
    if not alive.any():  # as in the embeddings of a first token, which is the same in all texts
        return alive, whitening
    varying = alive_only(rows, alive)
    mean, scale = standardisation(varying)
    covariance, _ = ledoit_wolf(standardised(varying, mean, scale), assume_centered=True)
    values, vectors = np.linalg.eigh(covariance)
    usable = values > values.max() * 1e-12
    whitening[:, usable] = vectors[:, usable] / np.sqrt(values[usable]) / scale[:, None]
    return alive, whitening


@dataclass(frozen=True, eq=False)
class PairChanges:
    """What each layer makes of each edit.

    Attributes:
      before: ``[n_pairs, n_layers, n_classes]`` probabilities of the original texts; of a number ``[n_pairs, n_layers, 1]``, the
        number itself, here and in the margins.
      after: the same of the edited texts.
      margins_before: ``[n_pairs, n_layers, n_classes]`` each class's logit less the largest other one, of the originals.
      margins_after: the same of the edited texts.
      cosine: ``[n_pairs, n_layers]`` 1 less the cosine of the two vectors, 0 to 2, over the units that vary on train. Vectors of
        one layer often share a direction, so that even unlike texts are close by this measure (Ethayarajh 2019, https://arxiv.org/abs/1909.00512).
      mahalanobis: ``[n_pairs, n_layers]``, see `TrainGeometry`.
      decision: the rule by which probabilities become a class. Margins are of logits that are adjusted to it
        (`Decision.adjusted`), so that a class is decided where its margin is positive.
    """

    before: NDArray[np.float64]
    after: NDArray[np.float64]
    margins_before: NDArray[np.float64]
    margins_after: NDArray[np.float64]
    cosine: NDArray[np.float64]
    mahalanobis: NDArray[np.float64]
    decision: Decision = ARGMAX

    @property
    def flips(self) -> NDArray[np.bool_]:
        """``[n_pairs, n_layers]`` where the predicted class changes."""
        flips: NDArray[np.bool_] = self.decision.classes(self.before) != self.decision.classes(self.after)
        return flips

    def select(self, pairs: Sequence[int]) -> PairChanges:
        """Those of some of the pairs, in the order in which they are named."""
        rows = np.asarray(pairs, dtype=np.int64)
        arrays: dict[str, Any] = {one.name: getattr(self, one.name)[rows] for one in fields(self) if one.name != "decision"}
        return replace(self, **arrays)

    def first_flip(self, pair: int) -> int | None:
        """The first layer that predicts another class for the edit, or None if none does."""
        layers = np.flatnonzero(self.flips[pair])
        return int(layers[0]) if len(layers) else None


def compare_pairs(
    study: LayerStudy, originals: LayeredActivations, edits: LayeredActivations, geometry: TrainGeometry
) -> PairChanges:
    """What the layers make of each edit; identical texts differ by exactly 0 everywhere.

    Args:
      study: the probes.
      originals: ``n_pairs`` texts at all layers, see `LayeredActivations`.
      edits: their counterfactuals, in the same order.
      geometry: the geometry of the same study.

    Raises:
      LitProbeError: there are not as many edits as originals, or none at all.
    """
    if len(originals) != len(edits) or not len(originals):
        raise LitProbeError(f"Each original needs its edit; there are {len(originals)} originals and {len(edits)} edits.")
    probes = study.layerwise.probes
    logits = [
        study.decision.adjusted(np.stack([probe.logits(texts.layer(layer)) for layer, probe in enumerate(probes)], axis=1))
        for texts in (originals, edits)
    ]
    cosine, mahalanobis = [], []
    for layer in range(len(probes)):
        one, other = originals.layer(layer).astype(np.float64), edits.layer(layer).astype(np.float64)
        cosine.append(_cosine_distance(one, other, probes[layer].living))
        mahalanobis.append(geometry.mahalanobis(layer, other - one))
    return PairChanges(
        study.layerwise.predictions(originals),
        study.layerwise.predictions(edits),
        _margins(logits[0]),
        _margins(logits[1]),
        np.stack(cosine, axis=1),
        np.stack(mahalanobis, axis=1),
        study.decision,
    )


@dataclass(frozen=True)
class LayerChange(Result):
    """What one layer makes of an edit.

    Attributes:
      layer: its number.
      before: ``[n_classes]`` probabilities of the original; of a number ``[1]``, the number.
      after: ``[n_classes]`` probabilities of the edit.
      margin_before: margin of the trajectory's class for the original.
      margin_after: the same for the edit.
      margin_change: how far it rises.
      cosine: distance of the two vectors, 0 to 2; see `PairChanges`.
      mahalanobis: distance of the two vectors in standard deviations of train.
      flipped: whether the predicted class changes.
    """

    layer: int
    before: tuple[float, ...]
    after: tuple[float, ...]
    margin_before: float
    margin_after: float
    margin_change: float
    cosine: float
    mahalanobis: float
    flipped: bool


@dataclass(frozen=True)
class Trajectory(Result):
    """One pair's way through the layers.

    Attributes:
      label_names: ``[n_classes]``; empty of a number.
      class_index: the index of the class whose margins are followed; 0 of a number, which is its own margin.
      class_name: the name of the same class; `NUMBER_NAME` of a number.
      first_flip: the first layer that answers otherwise for the edit; None where none does.
      flip_layers: all layers that do.
      layers: ``[n_layers]``.
    """

    label_names: tuple[str, ...]
    class_index: int
    class_name: str
    first_flip: int | None
    flip_layers: tuple[int, ...]
    layers: tuple[LayerChange, ...]


def trajectory(changes: PairChanges, pair: int, label_names: Sequence[str], best_layer: int) -> Trajectory:
    """One pair's way through the layers.

    Args:
      changes: the changes of one or more pairs.
      pair: which of them.
      label_names: ``[n_classes]``; empty of a number.
      best_layer: the dev-chosen layer; margins are those of the class that it predicts for the original.
    """
    of_class = int(changes.decision.classes(changes.before[pair, best_layer]))
    flips = changes.flips[pair]
    rows = []
    for layer in range(flips.size):
        before, after = (float(margins[pair, layer, of_class]) for margins in (changes.margins_before, changes.margins_after))
        rows.append(
            LayerChange(
                layer=layer,
                before=tuple(changes.before[pair, layer].tolist()),
                after=tuple(changes.after[pair, layer].tolist()),
                margin_before=before,
                margin_after=after,
                margin_change=after - before,
                cosine=float(changes.cosine[pair, layer]),
                mahalanobis=float(changes.mahalanobis[pair, layer]),
                flipped=bool(flips[layer]),
            )
        )
    return Trajectory(
        label_names=tuple(label_names),
        class_index=of_class,
        class_name=label_names[of_class] if label_names else NUMBER_NAME,
        first_flip=changes.first_flip(pair),
        flip_layers=tuple(np.flatnonzero(flips).tolist()),
        layers=tuple(rows),
    )


def _cosine_distance(one: NDArray[np.float64], other: NDArray[np.float64], alive: NDArray[np.bool_]) -> NDArray[np.float64]:
    """``[n]`` 1 less the cosine over ``alive`` units; 0 for equal vectors, zeros included, and 1 where just one is zero."""
    if not alive.all():
        one, other = alive_only(one, alive), alive_only(other, alive)
    lengths = np.linalg.norm(one, axis=1) * np.linalg.norm(other, axis=1)
    cosine = np.divide((one * other).sum(axis=1), lengths, out=np.zeros_like(lengths), where=lengths > 0)
    equal = (one == other).all(axis=1)
    distance: NDArray[np.float64] = np.where(equal, 0.0, np.clip(1 - cosine, 0.0, 2.0))
    return distance


def _margins(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    """``[…, n_classes]`` each logit less the largest of the others; a number as it is."""
    if logits.shape[-1] == 1:
        return logits
    margins = np.empty_like(logits)
    for index in range(logits.shape[-1]):
        margins[..., index] = logits[..., index] - np.delete(logits, index, axis=-1).max(axis=-1)
    return margins
