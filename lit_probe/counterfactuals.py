"""What every layer makes of an edit: the difference between a text and its counterfactual, and that over many pairs.

An edit is a text that goes down the same path as any other; here it is only subtracted. Layers whose probe follows an edit when
the label follows it decode the concept rather than what usually goes with it (contrast sets: Gardner et al. 2020,
https://arxiv.org/abs/2004.02709; counterfactually augmented data: Kaushik et al. 2020, https://arxiv.org/abs/1909.12434).
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lit_probe.errors import DatasetError, LitProbeError
from lit_probe.intervals import Units, bootstrap_weights, group_units, percentile_interval, proportion_interval
from lit_probe.layerwise import LayeredActivations
from lit_probe.probes.fitted import FittedProbe
from lit_probe.probes.training_data import standardisation, standardised
from lit_probe.study import LayerStudy

# Fewer independent pairs than these say little, as for every other score, and the bootstrap of a median then promises too much:
# its 95 % interval holds the truth in 5 of 10 draws for 2 units, and in fewer than 9 of 10 for 8 of them.
MIN_UNITS = 10
# How many pairs of train texts say which distance is usual, and how finely the way between two vectors is cut for probes that
# are not linear.
_N_TYPICAL = 400
_PATH_STEPS = 64


class TrainGeometry:
    """Distances in the layers of a study, as large as they are for its train texts.

    The Mahalanobis distance counts a difference in standard deviations of train along every direction. The covariance is shrunk
    (Ledoit & Wolf 2004, https://doi.org/10.1016/S0047-259X(03)00096-4), since a layer may have more units than train has texts.

    Args:
      study: whose train activations are used; each layer's covariance is computed when it is first asked for.
    """

    def __init__(self, study: LayerStudy):
        self._study = study
        self._whitening: dict[int, NDArray[np.float64]] = {}
        self._typical: dict[int, tuple[float, float]] = {}
        self._lock = threading.Lock()

    def mahalanobis(self, layer: int, differences: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
        """``[n]`` lengths of ``differences`` ``[n, d_model]`` between vectors of a layer."""
        lengths: NDArray[np.float64] = np.linalg.norm(differences @ self._whitening_of(layer), axis=1)
        return lengths

    def typical(self, layer: int) -> tuple[float, float]:
        """The median cosine and Mahalanobis distance of two train texts, over random pairs: what a distance is large beside."""
        if layer not in self._typical:
            rows = self._study.activations["train"].layer(layer).astype(np.float64)
            drawn = np.random.default_rng(self._study.seed).integers(len(rows), size=(2, _N_TYPICAL))
            one, other = rows[drawn[:, drawn[0] != drawn[1]]]
            cosine, mahalanobis = _cosine_distance(one, other), self.mahalanobis(layer, other - one)
            self._typical[layer] = (float(np.median(cosine)), float(np.median(mahalanobis)))
        return self._typical[layer]

    def prepare(self) -> None:
        """Computes what all layers need, so that no later question waits for it."""
        for layer in range(self._study.encoder.n_layers):
            self.typical(layer)

    def _whitening_of(self, layer: int) -> NDArray[np.float64]:
        """``[d_model, d_model]`` W with W Wᵀ the inverse of the covariance."""
        with self._lock:
            if layer not in self._whitening:
                from sklearn.covariance import ledoit_wolf

                rows = self._study.activations["train"].layer(layer)
                # Units differ in scale by orders of magnitude; shrinking would otherwise let the largest drown the others.
                mean, scale = standardisation(rows)
                covariance, _ = ledoit_wolf(standardised(rows, mean, scale), assume_centered=True)
                values, vectors = np.linalg.eigh(covariance)
                usable = values > values.max() * 1e-12
                whitening = np.zeros_like(vectors)
                whitening[:, usable] = vectors[:, usable] / np.sqrt(values[usable])
                self._whitening[layer] = whitening / scale[:, None]
            return self._whitening[layer]


@dataclass(frozen=True, eq=False)
class PairChanges:
    """What each layer makes of each edit.

    Attributes:
      before: ``[n_pairs, n_layers, n_classes]`` probabilities of the original texts.
      after: the same of the edited texts.
      margins_before: ``[n_pairs, n_layers, n_classes]`` each class's logit less the largest other one, of the originals.
      margins_after: the same of the edited texts.
      cosine: ``[n_pairs, n_layers]`` 1 less the cosine of the two vectors, 0 to 2. Vectors of one layer often share a direction,
        so that even unlike texts are close by this measure (Ethayarajh 2019, https://arxiv.org/abs/1909.00512).
      mahalanobis: ``[n_pairs, n_layers]``, see `TrainGeometry`.
    """

    before: NDArray[np.float64]
    after: NDArray[np.float64]
    margins_before: NDArray[np.float64]
    margins_after: NDArray[np.float64]
    cosine: NDArray[np.float64]
    mahalanobis: NDArray[np.float64]

    @property
    def flips(self) -> NDArray[np.bool_]:
        """``[n_pairs, n_layers]`` where the predicted class changes."""
        flips: NDArray[np.bool_] = self.before.argmax(axis=2) != self.after.argmax(axis=2)
        return flips

    def select(self, pairs: Sequence[int]) -> PairChanges:
        """Those of some of the pairs, in the order in which they are named."""
        rows = np.asarray(pairs, dtype=np.int64)
        return PairChanges(**{field.name: getattr(self, field.name)[rows] for field in fields(self)})

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
      geometry: of the same study.

    Raises:
      LitProbeError: there are not as many edits as originals, or none at all.
    """
    if len(originals) != len(edits) or not len(originals):
        raise LitProbeError(f"Each original needs its edit; there are {len(originals)} originals and {len(edits)} edits.")
    probes = study.layerwise.probes
    logits = [
        np.stack([probe.logits(texts.layer(layer)) for layer, probe in enumerate(probes)], axis=1) for texts in (originals, edits)
    ]
    cosine, mahalanobis = [], []
    for layer in range(len(probes)):
        one, other = originals.layer(layer).astype(np.float64), edits.layer(layer).astype(np.float64)
        cosine.append(_cosine_distance(one, other))
        mahalanobis.append(geometry.mahalanobis(layer, other - one))
    return PairChanges(
        study.layerwise.predict_proba(originals),
        study.layerwise.predict_proba(edits),
        _margins(logits[0]),
        _margins(logits[1]),
        np.stack(cosine, axis=1),
        np.stack(mahalanobis, axis=1),
    )


def trajectory(changes: PairChanges, pair: int, label_names: Sequence[str], best_layer: int) -> dict[str, Any]:
    """One pair's way through the layers, JSON-ready.

    Args:
      changes: of one or more pairs.
      pair: which of them.
      label_names: ``[n_classes]``.
      best_layer: the dev-chosen layer; margins are those of the class that it predicts for the original.

    Returns:
      ``class_name`` of the margins; ``first_flip``, the first layer that answers otherwise for the edit, or None; ``flip_layers``
      all of them; per layer ``before`` and ``after`` (probabilities by class), ``margin_before``, ``margin_after``,
      ``margin_change``, ``cosine``, ``mahalanobis`` and ``flipped``.
    """
    of_class = int(changes.before[pair, best_layer].argmax())
    flips = changes.flips[pair]
    rows = []
    for layer in range(flips.size):
        before, after = (float(margins[pair, layer, of_class]) for margins in (changes.margins_before, changes.margins_after))
        rows.append(
            {
                "layer": layer,
                "before": changes.before[pair, layer].tolist(),
                "after": changes.after[pair, layer].tolist(),
                "margin_before": before,
                "margin_after": after,
                "margin_change": after - before,
                "cosine": float(changes.cosine[pair, layer]),
                "mahalanobis": float(changes.mahalanobis[pair, layer]),
                "flipped": bool(flips[layer]),
            }
        )
    return {
        "label_names": list(label_names),
        "class_index": of_class,
        "class_name": label_names[of_class],
        "first_flip": changes.first_flip(pair),
        "flip_layers": np.flatnonzero(flips).tolist(),
        "layers": rows,
    }


def over_pairs(
    changes: PairChanges,
    labels_before: ArrayLike,
    labels_after: ArrayLike,
    groups: ArrayLike | None = None,
    seed: int = 0,
    *,
    judged: ArrayLike | None = None,
) -> dict[str, Any]:
    """How the layers' probes follow many edits, with 95 % intervals over pairs.

    Args:
      changes: of ``n_pairs`` pairs.
      labels_before: ``[n_pairs]`` class indices of the originals.
      labels_after: ``[n_pairs]`` of the edits.
      groups: ``[n_pairs]`` pairs that are not independent of each other, or None.
      seed: of the bootstrap.
      judged: ``[n_pairs]`` False where nobody knows what becomes of the label: such a pair is neither right nor wrong and counts
        in the flip rate alone. By default all are True.

    Returns:
      ``n``, ``n_judged``, ``n_units`` (independent ones among the judged; among all, where none is), ``n_label_changes`` (of the
      judged), and ``layers``, each with ``consistency`` (both texts right), ``flip_rate`` (the predicted class changes) and
      ``median_change`` (the median, over pairs, of how far the probability of the edit's label rises), each with ``_low`` and
      ``_high``. A share has no interval (None) for a single unit, the median none for fewer than 10; consistency and median are
      None where no pair is judged. ``reliable`` is False below 10 units. ``consistent``: ``[n_layers][n_pairs]`` booleans, None
      for a pair that is not judged; ``flipped``: ``[n_layers][n_pairs]`` booleans.
    """
    before, after = np.asarray(labels_before), np.asarray(labels_after)
    n_pairs, n_layers = changes.flips.shape
    units = group_units(groups)
    known = np.ones(n_pairs, dtype=bool) if judged is None else np.asarray(judged, dtype=bool)
    everyone = np.ones(n_pairs, dtype=bool)
    right = (changes.before.argmax(axis=2) == before[:, None]) & (changes.after.argmax(axis=2) == after[:, None])
    pairs = np.arange(n_pairs)
    rises = (changes.after[pairs, :, after] - changes.before[pairs, :, after])[known]
    medians = _median_intervals(rises, None if units is None else group_units(units[known]), seed)
    layers = []
    for layer in range(n_layers):
        row: dict[str, Any] = {"layer": layer}
        for name, happened, trials in (
            ("consistency", right[:, layer] & known, known),
            ("flip_rate", changes.flips[:, layer], everyone),
        ):
            low, high = (proportion_interval(happened, trials, units) if trials.any() else None) or (None, None)
            row |= {name: float(happened[trials].mean()) if trials.any() else None, f"{name}_low": low, f"{name}_high": high}
        low, high = medians[layer] or (None, None)
        median = float(np.median(rises[:, layer])) if known.any() else None
        row |= {"median_change": median, "median_change_low": low, "median_change_high": high}
        layers.append(row)
    n_units = _n_units(units, known if known.any() else everyone)
    return {
        "n": n_pairs,
        "n_judged": int(known.sum()),
        "n_units": n_units,
        "n_label_changes": int((before != after)[known].sum()),
        "reliable": n_units >= MIN_UNITS,
        "layers": layers,
        "consistent": [
            [bool(is_right) if is_known else None for is_right, is_known in zip(row, known, strict=True)] for row in right.T
        ],
        "flipped": changes.flips.T.tolist(),
    }


def over_groups(
    changes: PairChanges,
    labels_before: ArrayLike,
    labels_after: ArrayLike,
    values: Sequence[str],
    groups: ArrayLike | None = None,
    seed: int = 0,
    *,
    judged: ArrayLike | None = None,
) -> list[dict[str, Any]]:
    """`over_pairs` for the pairs of each kind by themselves: on which phenomena do the probes not follow?

    Args:
      changes: of ``n_pairs`` pairs.
      labels_before: ``[n_pairs]`` class indices of the originals.
      labels_after: ``[n_pairs]`` of the edits.
      values: ``[n_pairs]`` the kind of each pair.
      groups: ``[n_pairs]`` pairs that are not independent of each other, or None.
      seed: of the bootstrap.
      judged: ``[n_pairs]``, see `over_pairs`.

    Returns:
      One entry per kind, the most frequent first: its ``value``, ``pairs`` (their indices), and ``n``, ``n_judged``, ``n_units``,
      ``n_label_changes``, ``reliable`` and ``layers`` as `over_pairs` gives them.
    """
    before, after = np.asarray(labels_before), np.asarray(labels_after)
    places: dict[str, list[int]] = {}
    for pair, value in enumerate(values):
        places.setdefault(value, []).append(pair)
    kinds = []
    for value, pairs in sorted(places.items(), key=lambda item: (-len(item[1]), item[0])):
        of_pairs, known = (None if column is None else np.asarray(column)[pairs] for column in (groups, judged))
        summary = over_pairs(changes.select(pairs), before[pairs], after[pairs], of_pairs, seed, judged=known)
        kept = {name: summary[name] for name in ("n", "n_judged", "n_units", "n_label_changes", "reliable", "layers")}
        kinds.append({"value": value, "pairs": pairs, **kept})
    return kinds


def moved_neurons(
    probe: FittedProbe, before: NDArray[np.floating[Any]], after: NDArray[np.floating[Any]], of_class: int, top: int = 10
) -> dict[str, Any]:
    """The neurons of a layer through which an edit moved the probe's answer most.

    A linear probe's logits move by weight times change, neuron by neuron, and these parts add up. For a probe that is not
    linear the weight is its gradient's mean over the straight way from one vector to the other, as in integrated gradients
    (Sundararajan et al. 2017, https://arxiv.org/abs/1703.01365); the parts then add up to within the fineness of the steps.

    Args:
      probe: of the layer.
      before: ``[d_model]`` the original's vector.
      after: ``[d_model]`` the edit's.
      of_class: the class whose logit is followed, less that of the strongest other class for the edit.
      top: how many neurons are named.

    Returns:
      ``against``, the index of that other class; ``change`` of the difference of the two logits; ``n_units``; ``others``, what
      the neurons that are not named add up to; and ``neurons``, the largest parts first, each with ``unit``, ``before`` and
      ``after`` (activations), ``change`` in standard deviations of train, ``weight`` and ``moved``, their product.
    """
    vectors = np.stack([before, after]).astype(np.float64)
    logits = probe.logits(vectors)
    others = [index for index in range(probe.n_classes) if index != of_class]
    against = max(others, key=lambda index: logits[1, index])
    output = np.zeros(probe.n_classes)
    output[[of_class, against]] = 1.0, -1.0
    start, stop = standardised(vectors, probe.mean, probe.scale)
    weights = _mean_gradient(probe, start, stop, output)
    change = stop - start
    moved = weights * change
    order = np.argsort(-np.abs(moved), kind="stable")[:top]
    difference = logits[:, of_class] - logits[:, against]
    return {
        "against": against,
        "change": float(difference[1] - difference[0]),
        "n_units": len(moved),
        "others": float(np.delete(moved, order).sum()),
        "neurons": [
            {
                "unit": int(unit),
                "before": float(vectors[0, unit]),
                "after": float(vectors[1, unit]),
                "change": float(change[unit]),
                "weight": float(weights[unit]),
                "moved": float(moved[unit]),
            }
            for unit in order
        ],
    }


def _mean_gradient(
    probe: FittedProbe, start: NDArray[np.float64], stop: NDArray[np.float64], output: NDArray[np.float64]
) -> NDArray[np.float64]:
    """``[d_model]`` gradient of ``output`` · logits in the standardised input, its mean over the way from start to stop."""
    n_steps = 1 if len(probe.layers) == 1 else _PATH_STEPS
    shares = (np.arange(n_steps) + 0.5) / n_steps
    values = start + shares[:, None] * (stop - start)
    active = []
    for index, (weight, bias) in enumerate(probe.layers):
        if index:
            active.append(values > 0)
            values = np.maximum(values, 0.0)
        values = values @ weight.T + bias
    gradient = np.tile(output, (n_steps, 1))
    for index in reversed(range(len(probe.layers))):
        gradient = gradient @ probe.layers[index][0]
        if index:
            gradient = gradient * active[index - 1]
    mean: NDArray[np.float64] = gradient.mean(axis=0)
    return mean


@dataclass(frozen=True)
class Pairs:
    """Which rows are an original and its edit.

    Attributes:
      rows: ``[n_pairs]`` of (row of the original, row of the edit).
      names: ``[n_pairs]`` their ids.
      notes: what was left out, and why.
    """

    rows: tuple[tuple[int, int], ...]
    names: tuple[str, ...]
    notes: tuple[str, ...]


def pairs_of(ids: Sequence[Any]) -> Pairs:
    """The pairs that a column ``[n_rows]`` of pair ids makes: the earlier row is the original, the later one its edit.

    A row without an id is in no pair. Ids that stand at one row alone, or at more than two, are left out and counted.

    Raises:
      DatasetError: no id stands at exactly two rows.

    >>> pairs_of(["a", "b", "a", "", "c"])
    Pairs(rows=((0, 2),), names=('a',), notes=('2 ids stand at one row alone (b, c): their partners are missing.',))
    """
    places: dict[str, list[int]] = {}
    for row, name in enumerate(ids):
        if name is not None and str(name):
            places.setdefault(str(name), []).append(row)
    found = {name: (rows[0], rows[1]) for name, rows in places.items() if len(rows) == 2}
    alone = [name for name, rows in places.items() if len(rows) == 1]
    many = [name for name, rows in places.items() if len(rows) > 2]
    notes = []
    if alone:
        verb = "ids stand" if len(alone) > 1 else "id stands"
        partners = "their partners are" if len(alone) > 1 else "its partner is"
        notes.append(f"{len(alone):,} {verb} at one row alone ({_some(alone)}): {partners} missing.")
    if many:
        verb = "ids stand" if len(many) > 1 else "id stands"
        notes.append(f"{len(many):,} {verb} at more than two rows ({_some(many)}): which is the edit of which is not clear.")
    if not found:
        raise DatasetError("There is no pair: no id stands at exactly two rows." + "".join(f" {note}" for note in notes))
    return Pairs(tuple(found.values()), tuple(found), tuple(notes))


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:3]) + (", …" if len(names) > 3 else "")


def _cosine_distance(one: NDArray[np.float64], other: NDArray[np.float64]) -> NDArray[np.float64]:
    """``[n]`` 1 less the cosine; 0 for equal vectors, zeros included, and 1 where just one of them is zero."""
    lengths = np.linalg.norm(one, axis=1) * np.linalg.norm(other, axis=1)
    cosine = np.divide((one * other).sum(axis=1), lengths, out=np.zeros_like(lengths), where=lengths > 0)
    equal = (one == other).all(axis=1)
    distance: NDArray[np.float64] = np.where(equal, 0.0, np.clip(1 - cosine, 0.0, 2.0))
    return distance


def _margins(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    """``[…, n_classes]`` each logit less the largest of the others."""
    margins = np.empty_like(logits)
    for index in range(logits.shape[-1]):
        margins[..., index] = logits[..., index] - np.delete(logits, index, axis=-1).max(axis=-1)
    return margins


def _n_units(units: Units, rows: NDArray[np.bool_]) -> int:
    """How many independent units some of the rows make."""
    return int(rows.sum()) if units is None else len(np.unique(units[rows]))


def _median_intervals(values: NDArray[np.float64], units: Units, seed: int) -> list[tuple[float, float] | None]:
    """Bootstrap interval of the median of each column of ``values`` ``[n, n_layers]``; None below ``MIN_UNITS`` units."""
    codes = np.arange(len(values)) if units is None else units
    n_units = int(codes.max(initial=-1)) + 1
    if n_units < MIN_UNITS:
        return [None] * values.shape[1]
    order = np.argsort(values, axis=0)
    ordered = np.take_along_axis(values, order, axis=0)
    draws = []
    for weights in bootstrap_weights(n_units, seed):
        for counts in weights:
            counted = counts[codes][order].cumsum(axis=0)
            draws.append(ordered[(counted >= counted[-1] / 2).argmax(axis=0), np.arange(values.shape[1])])
    table = np.array(draws)
    return [percentile_interval(table[:, layer], float(np.median(values[:, layer]))) for layer in range(values.shape[1])]
