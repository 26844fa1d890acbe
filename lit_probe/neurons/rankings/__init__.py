"""Which neurons a concept is decodable from: rankings of the neurons of one layer, or of several layers together.

A ranking is a function ``(layer, options) -> UnitScores``, where ``layer`` (`RankedLayer`) holds the train activations
``[n_examples, d_model]`` of one layer, the labels ``[n_examples]`` and the fitted probe. A neuron is one dimension of the pooled
activations, named ``layer:unit``. A high place says that the concept is decodable from the neuron, not that the model needs it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from lit_probe.data.asked import CLASSES, NUMBER, TargetKind, check_served
from lit_probe.errors import ProbeError, UnknownNameError
from lit_probe.neurons.rankings.average_precision import rank_by_average_precision
from lit_probe.neurons.rankings.contract import RankedLayer, Ranking, RankingOptions, UnitScores
from lit_probe.neurons.rankings.correlation import rank_by_correlation
from lit_probe.neurons.rankings.gaussian import rank_by_information
from lit_probe.neurons.rankings.mean_gap import rank_by_mean_gap
from lit_probe.neurons.rankings.neuron_ranking import NeuronRanking
from lit_probe.neurons.rankings.probeless import rank_probeless
from lit_probe.neurons.rankings.random_order import rank_at_random
from lit_probe.neurons.rankings.regression_weights import rank_by_elastic_net, rank_by_l1, rank_by_l2
from lit_probe.neurons.rankings.weight_mass import rank_by_weight_mass
from lit_probe.probing.probes.training_data import check_labels, check_numbers
from lit_probe.probing.study import LayerStudy
from lit_probe.progress import Progress, no_progress
from lit_probe.registry import lookup

__all__ = [
    "RANKINGS",
    "NeuronRanking",
    "RankedLayer",
    "Ranking",
    "RankingOptions",
    "UnitScores",
    "chosen_layers",
    "rank_layers",
    "rank_neurons",
]

_SHARE = "share of weight mass"
_REGRESSION = ("regression", "strength")
_BOTH: tuple[TargetKind, ...] = (CLASSES, NUMBER)

RANKINGS: dict[str, Ranking] = {
    "weight_mass": Ranking(
        "Weight mass of the probe", _SHARE, rank_by_weight_mass, "at once", reads_probe=True, shares=True, targets=_BOTH
    ),
    "l1": Ranking("L1 regression", _SHARE, rank_by_l1, "minutes", (*_REGRESSION, "seed"), shares=True, targets=_BOTH),
    "l2": Ranking("L2 regression", _SHARE, rank_by_l2, "minutes", _REGRESSION, shares=True, targets=_BOTH),
    "elastic_net": Ranking(
        "Elastic net", _SHARE, rank_by_elastic_net, "minutes", (*_REGRESSION, "l1_ratio", "seed"), shares=True, targets=_BOTH
    ),
    "correlation": Ranking("Correlation", "size of the correlation", rank_by_correlation, "seconds", targets=(NUMBER,)),
    "probeless": Ranking("Probeless", "sum of differences of class means", rank_probeless, "seconds", scale_free=False),
    "gaussian": Ranking("Gaussian", "mutual information (bits)", rank_by_information, "seconds", ("greedy", "seed")),
    "average_precision": Ranking("Average precision", "mean average precision", rank_by_average_precision, "seconds"),
    "mean_gap": Ranking("Mean gap", "gap of class means (standard deviations)", rank_by_mean_gap, "seconds"),
    "random": Ranking("Random", "random number", rank_at_random, "at once", ("seed",), targets=_BOTH),
}


def rank_neurons(
    study: LayerStudy,
    method: str = "weight_mass",
    layers: int | Sequence[int] | None = None,
    *,
    options: RankingOptions | None = None,
    progress: Progress = no_progress,
) -> NeuronRanking:
    """Ranks the neurons of one layer, of several, or of all of them together, on the train rows alone.

    Neurons that are constant on train, but for rounding, are left out.

    Args:
      study: the fitted study.
      method: a name in `RANKINGS`. The default reads only the fitted probes and takes milliseconds for all layers.
      layers: a layer, or several; all of them when None.
      options: what the ranking can be told.
      progress: called with the number of layers done and of all; an error that it raises ends the computation.

    Raises:
      UnknownNameError: there is no such ranking or layer.
      UnservedError: the ranking is not defined for what the study asks for.
      ProbeError: the probe is not linear (``weight_mass``), a class has too few examples, an activation is not finite, no
        neuron varies or none gets any weight.
      LitProbeError: more neurons are asked for jointly than there are, or in several layers.
    """
    ranking, splits = lookup(RANKINGS, method, "neuron ranking"), study.splits
    study.check_pooled(f"The ranking {ranking.title.lower()!r}")
    check_served(f"The ranking {ranking.title.lower()!r}", splits.unit, splits.target, [splits.unit], ranking.targets)
    train = study.splits.train
    labels = check_labels(train.labels, train.label_names) if train.label_names else check_numbers(train.labels)
    activations = study.activations["train"]
    return rank_layers(
        lambda layer: RankedLayer(layer, activations, labels, study.layerwise.probes[layer]),
        chosen_layers(study, layers),
        train.label_names,
        method,
        options=options,
        progress=progress,
    )


def rank_layers(
    make: Callable[[int], RankedLayer],
    layers: Sequence[int],
    label_names: Sequence[str],
    method: str = "weight_mass",
    *,
    options: RankingOptions | None = None,
    progress: Progress = no_progress,
) -> NeuronRanking:
    """`rank_neurons` for ``layers``, ascending, whose rows and probes ``make`` gives. One at a time is in memory."""
    ranking = lookup(RANKINGS, method, "neuron ranking")
    chosen = options or RankingOptions()
    if chosen.greedy and "greedy" in ranking.options and len(layers) > 1:
        raise ProbeError("Neurons are chosen jointly within one layer. Name the layer, or set greedy to 0.")
    units, parts = [], []
    for done, layer in enumerate(map(make, layers)):
        progress(done, len(layers))
        if not layer.n_units:
            continue
        parts.append(ranking.compute(layer, chosen))
        units.append(np.stack([np.full(layer.n_units, layer.layer), layer.units], axis=1))
    progress(len(layers), len(layers))
    if not parts:
        named = f"layers {', '.join(map(str, layers))}" if len(layers) > 1 else f"layer {layers[0]}"
        raise ProbeError(f"No neuron of {named} varies on train, so there is none to rank. Choose another layer.")
    scores = np.concatenate([part.scores for part in parts])
    class_scores = np.concatenate([part.class_scores for part in parts], axis=1)
    if ranking.shares:
        mass = np.abs(class_scores).sum(axis=1, keepdims=True)
        if not scores.sum():
            raise ProbeError(
                f"{ranking.title}: every weight is 0, so no neuron comes before another. Choose a probe that reads the "
                "activations, a weaker penalty or another ranking."
            )
        scores = scores / scores.sum()
        class_scores = class_scores / np.where(mass > 0, mass, 1.0)
    facts = {str(int(unit[0, 0])): dict(part.facts) for unit, part in zip(units, parts, strict=True) if part.facts}
    settings = chosen.to_json(ranking.options) | ({"by_layer": facts} if facts else {})
    return NeuronRanking.from_scores(
        method,
        ranking.title,
        np.concatenate(units),
        scores,
        ranking.score_unit,
        class_scores,
        label_names,
        settings,
        parts[0].first if len(parts) == 1 else (),
    )


def chosen_layers(study: LayerStudy, layers: int | Sequence[int] | None) -> tuple[int, ...]:
    """The layers asked for, ascending; all of them for None.

    Raises:
      UnknownNameError: there is no such layer, or none is named.
    """
    n_layers = study.layerwise.n_layers
    wanted = range(n_layers) if layers is None else [layers] if isinstance(layers, int | np.integer) else layers
    found = tuple(sorted({int(layer) for layer in wanted}))
    if not found:
        raise UnknownNameError("No layer was named. Name one or several, or None for all of them.")
    for layer in found:
        study.check_layer(layer)
    return found
