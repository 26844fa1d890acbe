"""Would other train rows have given the same neurons? Rankings refitted on bootstrap samples, compared by their top k."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lit_probe.data.seeds import checked_seed
from lit_probe.errors import LitProbeError
from lit_probe.neurons.rankings import RANKINGS, RankedLayer, RankingOptions, chosen_layers, rank_layers, rank_neurons
from lit_probe.probing.layerwise import ActivationView
from lit_probe.probing.probes import PROBES, FittedProbe, ProbeOptions, fit_ridge
from lit_probe.probing.probes.penalised import fit_penalised_logistic
from lit_probe.probing.probes.training_data import MIN_EXAMPLES_PER_CLASS
from lit_probe.probing.study import LayerStudy
from lit_probe.progress import Progress, no_progress
from lit_probe.registry import lookup
from lit_probe.results import Result
from lit_probe.scores.intervals import group_units

N_DRAWS = 20
TOP_K = (10, 20, 50)
_MAX_TRIES = 100


@dataclass(frozen=True)
class Overlap(Result):
    """How much the top sets of one size have in common.

    Attributes:
      k: size of the sets.
      jaccard: mean overlap over all pairs of samples, 0 to 1.
      low: 5th percentile of the pairs.
      high: 95th percentile.
      with_full: mean overlap of a sample's top set with that of the ranking of all rows, 0 to 1.
      chance: overlap that is expected of unrelated rankings, 0 to 1.
    """

    k: int
    jaccard: float
    low: float
    high: float
    with_full: float
    chance: float


@dataclass(frozen=True)
class FrequentNeuron(Result):
    """One of the best neurons.

    Attributes:
      name: ``layer:unit``.
      layer: its layer.
      unit: its index in the layer.
      share: share of the samples in whose top set it stands, 0 to 1.
    """

    name: str
    layer: int
    unit: int
    share: float


@dataclass(frozen=True)
class NeuronStability(Result):
    """How far the rankings of bootstrap samples agree.

    Attributes:
      method: name in `RANKINGS`.
      title: the name people read.
      layers: layers that are ranked together, ascending.
      n_units: the number of neurons that are ranked.
      n_draws: the number of samples.
      seed: seed of the samples.
      points: one for each size of the top set, ascending.
      frequent: the top set of the largest size, in the order of the ranking of all rows.
    """

    method: str
    title: str
    layers: tuple[int, ...]
    n_units: int
    n_draws: int
    seed: int
    points: tuple[Overlap, ...]
    frequent: tuple[FrequentNeuron, ...]


def neuron_stability(
    study: LayerStudy,
    method: str = "weight_mass",
    layers: int | Sequence[int] | None = None,
    *,
    k: Sequence[int] | None = None,
    n_draws: int = N_DRAWS,
    seed: int = 0,
    options: RankingOptions | None = None,
    progress: Progress = no_progress,
) -> NeuronStability:
    """Jaccard overlap of the top k neurons between rankings of bootstrap samples of the train rows (or of their groups).

    A ranking that reads the activations is computed anew on each sample. For one that reads the layer's probe, the probe is
    refitted cheaply: at the ``C`` that cross-validation chose on all rows, starting from the probe's own weights, which saves
    the 15 fits of the search and most iterations of the last one. Variation in the choice of ``C`` is thus left out; a probe of
    another kind is fitted by its own rule.

    Args:
      study: the fitted study; only train is read.
      method: a name in `RANKINGS`.
      layers: a layer, or several ranked together; all of them when None.
      k: sizes of the top set; 10, 20 and 50, as far as there are more neurons than that, when None.
      n_draws: the number of bootstrap samples, 2 or more.
      seed: the seed of the samples.
      options: what the ranking can be told.
      progress: called with the number of samples done and of all; an error that it raises ends the computation.

    Raises:
      UnknownNameError: there is no such ranking or layer.
      LitProbeError: ``k`` exceeds the number of neurons, or the ranking cannot be computed (`rank_neurons`).
    """
    seed = checked_seed(seed)
    if n_draws < 2:
        raise LitProbeError(f"Stability compares 2 bootstrap samples or more; got {n_draws}.")
    lookup(RANKINGS, method, "neuron ranking")
    chosen = chosen_layers(study, layers)
    progress(0, n_draws)
    full = rank_neurons(study, method, chosen, options=options)
    sizes = sorted(set(k or [size for size in TOP_K if size < full.n_units] or [1]))
    for size in sizes:
        if not 1 <= size <= full.n_units:
            raise LitProbeError(
                f"The top {size} of {full.n_units} neurons cannot be compared. Choose a k of 1 to {full.n_units}."
            )
    train = study.splits.train
    units = group_units(train.groups)
    if units is not None and not units.any():
        raise LitProbeError("All train rows belong to one group, so there are no other samples of groups to compare with.")
    places = []
    random = np.random.default_rng([*b"neuron stability", seed])
    for draw in range(n_draws):
        rows = _bootstrap_rows(train.labels, units, len(train.label_names), random)
        ranked = rank_layers(partial(_resampled, study, method, rows), chosen, train.label_names, method, options=options)
        places.append(np.argsort(ranked.order))
        progress(draw + 1, n_draws)
    return NeuronStability(
        method=method,
        title=full.title,
        layers=full.layers,
        n_units=full.n_units,
        n_draws=n_draws,
        seed=seed,
        points=tuple(_overlap(size, np.array(places), full.order) for size in sizes),
        frequent=tuple(
            FrequentNeuron(
                name=full.names[position],
                layer=int(full.units[position, 0]),
                unit=int(full.units[position, 1]),
                share=float(np.mean([place[position] < sizes[-1] for place in places])),
            )
            for position in full.top(sizes[-1])
        ),
    )


def jaccard(one: NDArray[np.int64], other: NDArray[np.int64]) -> float:
    """Size of the intersection over size of the union of two sets of the same kind, 0 to 1.

    >>> jaccard(np.array([1, 2, 3]), np.array([2, 3, 4]))
    0.5
    """
    common = len(np.intersect1d(one, other))
    return common / (len(one) + len(other) - common)


def own_strength(probe: FittedProbe, n_train: int) -> float | None:
    """The L2 penalty that cross-validation chose for a logistic probe, as `fit_penalised_logistic` takes it; None for others.

    Args:
      probe: the probe of a layer.
      n_train: the number of rows the penalty is to be applied with.
    """
    return 1 / (probe.settings["C"] * n_train) if probe.kind == "logistic" else None


def _overlap(k: int, places: NDArray[np.int64], order: NDArray[np.int64]) -> Overlap:
    tops = [np.flatnonzero(place < k) for place in places]
    pairs = [jaccard(one, other) for one, other in combinations(tops, 2)]
    low, high = np.quantile(pairs, [0.05, 0.95])
    return Overlap(
        k=k,
        jaccard=float(np.mean(pairs)),
        low=float(low),
        high=float(high),
        with_full=float(np.mean([jaccard(top, order[:k]) for top in tops])),
        chance=jaccard_by_chance(k, len(order)),
    )


def jaccard_by_chance(k: int, n: int) -> float:
    """The expected Jaccard overlap of two sets of ``k``, drawn at random from ``n``: what they share is hypergeometric.

    >>> round(jaccard_by_chance(3, 24), 4)  # the overlap of the expected number in common, k²/n, would be 0.0667
    0.0783
    """
    from scipy.stats import hypergeom  # slow to import

    common = np.arange(max(0, 2 * k - n), k + 1)
    return float(hypergeom.pmf(common, n, k, k) @ (common / (2 * k - common)))


def _bootstrap_rows(
    labels: NDArray[Any], units: NDArray[np.int64] | None, n_classes: int, random: np.random.Generator
) -> NDArray[np.int64]:
    """Row indices of one sample with replacement, of whole groups where there are groups, with 2 rows or more of each class."""
    for _ in range(_MAX_TRIES):
        if units is None:
            rows = np.sort(random.integers(0, len(labels), len(labels)))
        else:
            times = np.bincount(random.integers(0, units.max() + 1, units.max() + 1), minlength=units.max() + 1)
            rows = np.repeat(np.arange(len(labels)), times[units])
        enough = np.bincount(labels[rows], minlength=n_classes).min() >= MIN_EXAMPLES_PER_CLASS if n_classes else True
        if enough and np.ptp(labels[rows]):
            return rows
    if not n_classes:
        raise LitProbeError(f"{_MAX_TRIES} bootstrap samples in a row had one number only. Stability needs more examples.")
    raise LitProbeError(
        f"{_MAX_TRIES} bootstrap samples in a row left a class with fewer than {MIN_EXAMPLES_PER_CLASS} examples. "
        "Stability needs more examples, or more groups, of each class."
    )


def _resampled(study: LayerStudy, method: str, rows: NDArray[np.int64], layer: int) -> RankedLayer:
    """The layer as the ranking sees it in one sample."""
    train = study.splits.train
    sample = ActivationView(study.activations["train"], rows)
    probe, labels = study.layerwise.probes[layer], train.labels[rows]
    if RANKINGS[method].reads_probe:
        groups = None if train.groups is None else train.groups[rows]
        probe = _refitted(probe, study.layerwise.options, sample.layer(layer), labels, groups, study.seed)
    # The same neurons in every sample, whichever happen to vary in it: they are compared.
    return RankedLayer(layer, sample, labels, probe, study.layerwise.probes[layer].living)


def _refitted(
    probe: FittedProbe,
    options: ProbeOptions,
    x: NDArray[np.float32],
    labels: NDArray[Any],
    groups: NDArray[np.str_] | None,
    seed: int,
) -> FittedProbe:
    if probe.kind == "ridge":
        # At the strength of the study's own probe, as for logistic ones.
        return fit_ridge(x, labels, alpha=probe.settings["alpha"], groups=groups, seed=seed)
    strength = own_strength(probe, len(labels))
    kind = lookup(PROBES, probe.kind, "probe")
    if options.class_weight is not None and strength is not None:
        options = replace(options, regularisation=probe.settings["C"])
    elif strength is not None:
        return fit_penalised_logistic(x, labels, probe.n_classes, strength=strength, seed=seed, start=probe)
    return kind.fit(x, labels, probe.n_classes, groups, seed, **kind.keywords(options))
