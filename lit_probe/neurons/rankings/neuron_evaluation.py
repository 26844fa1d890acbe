"""Is a ranking any good? Probes refitted on its top, its bottom and random neurons, scored on dev.

A ranking may look good only because the probe that judges it works as the ranking does, so any ranking can be judged by any
evaluator, as Antverg & Belinkov 2022 (https://arxiv.org/abs/2110.07483) ask. A high score says that the concept is decodable from
the neurons, not that the model needs them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lit_probe.errors import LitProbeError, ProbeError
from lit_probe.neurons.rankings import RANKINGS, NeuronRanking, RankingOptions, chosen_layers, rank_neurons
from lit_probe.neurons.rankings.gaussian import ClassGaussians
from lit_probe.neurons.rankings.neuron_stability import own_strength
from lit_probe.probing.probes.penalised import STRENGTH, class_indicators, fit_penalised_linear, fit_penalised_logistic
from lit_probe.probing.probes.training_data import check_training_data, standardisation, standardised
from lit_probe.probing.study import LayerStudy
from lit_probe.progress import Progress, no_progress
from lit_probe.registry import lookup
from lit_probe.scores.metrics import METRICS, Score, majority_score, score_layers

PERCENTAGES = (1.0, 2.0, 5.0, 10.0, 15.0, 20.0, 50.0)
N_DRAWS = 20
# The random band goes from this to that percentile of the draws.
_BAND = (2.5, 97.5)

Values = NDArray[np.floating[Any]]


@dataclass(frozen=True)
class Evaluator:
    """A classifier that is fitted on some neurons to see what is decodable from them.

    Attributes:
      title: the name people read.
      predict: ``(train [n_train, k], labels [n_train], n_classes, rows [n_rows, k], strength) -> [n_rows, n_classes]``
        probabilities; ``strength`` is that of the L2 penalty of a logistic regression.
    """

    title: str
    predict: Callable[[Values, NDArray[np.int64], int, Values, float], NDArray[np.float64]]


def _predict_logistic(
    train: Values, labels: NDArray[np.int64], n_classes: int, rows: Values, strength: float
) -> NDArray[np.float64]:
    return fit_penalised_logistic(train, labels, n_classes, strength=strength).predict_proba(rows)


def _predict_linear(
    train: Values, labels: NDArray[np.int64], n_classes: int, rows: Values, strength: float
) -> NDArray[np.float64]:
    return _softmax(fit_penalised_linear(train, class_indicators(labels, n_classes)).predict(rows))


def _predict_gaussian(
    train: Values, labels: NDArray[np.int64], n_classes: int, rows: Values, strength: float
) -> NDArray[np.float64]:
    values, classes = check_training_data(train, labels, n_classes)
    mean, scale = standardisation(values)
    fitted = standardised(values, mean, scale)
    gaussians = ClassGaussians.fit(fitted, classes, n_classes)
    return _softmax(gaussians.log_joint(fitted, classes, standardised(rows, mean, scale)))


def _softmax(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    exponentials = np.exp(logits - logits.max(axis=1, keepdims=True))
    probabilities: NDArray[np.float64] = exponentials / exponentials.sum(axis=1, keepdims=True)
    return probabilities


EVALUATORS: dict[str, Evaluator] = {
    "logistic": Evaluator("Logistic regression", _predict_logistic),
    "linear": Evaluator("Linear regression", _predict_linear),
    "gaussian": Evaluator("Gaussian classifier", _predict_gaussian),
}


def evaluate_ranking(
    study: LayerStudy,
    ranking: NeuronRanking,
    evaluator: str = "logistic",
    *,
    percentages: Sequence[float] = PERCENTAGES,
    n_draws: int = N_DRAWS,
    seed: int = 0,
    refit: bool = True,
    progress: Progress = no_progress,
) -> dict[str, Any]:
    """The headline score on dev from the top, the bottom and random neurons, k % of them each.

    Args:
      study: the study whose neurons are ranked; train is fitted on, dev is scored.
      ranking: of its neurons.
      evaluator: a name in `EVALUATORS`: what is refitted on the chosen neurons. The L2 penalty of ``logistic`` is the one that
        cross-validation chose for the layer's own probe (of several layers, for the one with the smallest cross-validated
        loss), or 0.001 where that probe is of another kind; of ``linear`` it is 0.001.
      percentages: k, each above 0 and at most 100.
      n_draws: how many random sets of each size.
      seed: of these sets.
      refit: False asks the layer's own probe instead, all other neurons held at their train mean; for one layer only.
      progress: called with the number of fits done and of all; what it raises ends the computation.

    Returns:
      JSON-ready: ``method``, ``layers``, ``evaluator`` (``"probe"`` without refitting), ``metric``, ``metric_title``, ``n_dev``,
      ``n_units``, ``logistic_strength``, ``n_draws``, ``seed``, ``majority``; ``full``, the score from all neurons; ``points``,
      each with ``percent``, ``k``, ``top`` and ``bottom`` (scores), and ``random``: ``mean``, ``low`` and ``high`` (2.5th and
      97.5th percentile of the draws) and ``draws``. A score has ``value``, its 95 % interval ``low`` and ``high``, ``n``,
      ``reliable`` and ``reason``.

    Raises:
      UnknownNameError: there is no such evaluator.
      LitProbeError: a percentage is out of range, or several layers are asked for without refitting.
    """
    if n_draws < 1 or not percentages:
        raise LitProbeError(f"One random draw and one percentage at least are needed; got {n_draws} and {len(percentages)}.")
    sizes = [ranking.count(percent) for percent in percentages]
    judge = _Judge(study, ranking, lookup(EVALUATORS, evaluator, "evaluator") if refit else None)
    counted = _Counted(progress, 1 + len(sizes) * (2 + n_draws))
    full = counted(judge.score, np.arange(ranking.n_units))
    points = []
    for percent, k in zip(percentages, sizes, strict=True):
        top, bottom = (counted(judge.score, chosen) for chosen in (ranking.top(k), ranking.bottom(k)))
        draws = [counted(judge.value, chosen) for chosen in _random_sets(ranking, k, n_draws, seed)]
        points.append({"percent": percent, "k": k, "top": asdict(top), "bottom": asdict(bottom), "random": _band(draws)})
    return {
        "method": ranking.method,
        "layers": list(ranking.layers),
        "evaluator": evaluator if refit else "probe",
        **judge.facts(),
        "n_draws": n_draws,
        "seed": seed,
        "full": asdict(full),
        "points": points,
    }


def compare_rankings(
    study: LayerStudy,
    layers: int | Sequence[int] | None = None,
    *,
    methods: Sequence[str] | None = None,
    evaluators: Sequence[str] | None = None,
    percentages: Sequence[float] = (1.0, 5.0, 10.0),
    n_draws: int = N_DRAWS,
    seed: int = 0,
    options: RankingOptions | None = None,
    progress: Progress = no_progress,
) -> dict[str, Any]:
    """Every ranking judged by every evaluator: the score on dev from its top k %, beside that of random neurons.

    Args:
      study: the fitted study.
      layers: a layer, or several ranked together; all of them when None.
      methods: names in `RANKINGS`; by default all but ``random``, which the random band stands for, and without
        ``weight_mass`` where the study's probe is not linear.
      evaluators: names in `EVALUATORS`; all by default.
      percentages: of neurons, each above 0 and at most 100.
      n_draws: how many random sets of each size, the same for all evaluators.
      seed: of these sets.
      options: what the rankings can be told.
      progress: called with the number of fits done and of all; what it raises ends the computation.

    Returns:
      JSON-ready: ``methods``, ``titles``, ``evaluators``, ``evaluator_titles``, ``layers``, ``metric``, ``metric_title``,
      ``n_dev``, ``n_units``, ``logistic_strength``, ``majority``, ``n_draws``, ``seed``; ``full`` ``[n_evaluators]``;
      ``tables``, one each with ``percent``, ``k``, ``scores`` ``[n_methods, n_evaluators]`` and ``random``
      ``[n_evaluators]`` of ``mean``, ``low``, ``high``, ``draws``; ``mean_scores`` ``[n_methods, n_evaluators]`` over the
      percentages.

    Raises:
      UnknownNameError: there is no such ranking, evaluator or layer.
      LitProbeError: a percentage is out of range, or a ranking cannot be computed.
    """
    chosen = chosen_layers(study, layers)
    if methods is None:
        linear = all(len(study.layerwise.probes[layer].layers) == 1 for layer in chosen)
        methods = [name for name in RANKINGS if name != "random" and (linear or not RANKINGS[name].reads_probe)]
    judged_by = {name: lookup(EVALUATORS, name, "evaluator") for name in (EVALUATORS if evaluators is None else evaluators)}
    for name in methods:
        lookup(RANKINGS, name, "neuron ranking")
    if not (methods and judged_by and percentages and n_draws >= 1):
        raise LitProbeError("Rankings are compared with at least one ranking, evaluator, percentage and random draw.")
    counted = _Counted(progress, len(methods) + len(judged_by) * (1 + len(percentages) * (len(methods) + n_draws)))
    rankings = [counted(lambda name: rank_neurons(study, name, chosen, options=options), name) for name in methods]
    judges = [_Judge(study, rankings[0], judge) for judge in judged_by.values()]
    full = [counted(judge.value, np.arange(rankings[0].n_units)) for judge in judges]
    tables = []
    for percent in percentages:
        k = rankings[0].count(percent)
        sets = _random_sets(rankings[0], k, n_draws, seed)
        tables.append(
            {
                "percent": percent,
                "k": k,
                "scores": [[counted(judge.value, ranking.top(k)) for judge in judges] for ranking in rankings],
                "random": [_band([counted(judge.value, units) for units in sets]) for judge in judges],
            }
        )
    return {
        "methods": list(methods),
        "titles": [ranking.title for ranking in rankings],
        "evaluators": list(judged_by),
        "evaluator_titles": [judge.title for judge in judged_by.values()],
        "layers": list(chosen),
        **judges[0].facts(),
        "n_draws": n_draws,
        "seed": seed,
        "full": full,
        "tables": tables,
        "mean_scores": np.mean([table["scores"] for table in tables], axis=0).tolist(),
    }


def minimal_set(
    study: LayerStudy,
    ranking: NeuronRanking,
    evaluator: str = "logistic",
    *,
    within: float = 1.0,
    progress: Progress = no_progress,
) -> dict[str, Any]:
    """The smallest top set found whose score on dev is at most ``within`` percentage points below that of all neurons.

    Sizes are doubled until one suffices, then halved in between. A score need not rise with every neuron, so a smaller set can
    exist that was not tried; and the size is chosen on the rows that are scored, so the score is somewhat flattering.

    Args:
      study: the study whose neurons are ranked.
      ranking: of its neurons.
      evaluator: a name in `EVALUATORS`.
      within: percentage points, 0 to 100.
      progress: called with the number of fits done and the most there can be; what it raises ends the computation.

    Returns:
      JSON-ready: ``method``, ``layers``, ``evaluator``, ``metric``, ``metric_title``, ``n_dev``, ``n_units``,
      ``logistic_strength``, ``majority``, ``within``; ``k``, ``percent``, ``names`` (``layer:unit``, best first), ``score`` and
      ``full`` (scores as in `evaluate_ranking`); ``tried``, each with ``k`` and ``value``, ascending.

    Raises:
      UnknownNameError: there is no such evaluator.
      LitProbeError: ``within`` is out of range.
    """
    if not 0 <= within <= 100:
        raise LitProbeError(f"The score may fall by 0 to 100 percentage points; got {within}.")
    judge = _Judge(study, ranking, lookup(EVALUATORS, evaluator, "evaluator"))
    counted = _Counted(progress, 2 + 2 * int(np.ceil(np.log2(ranking.n_units))))
    tried = {ranking.n_units: counted(judge.score, np.arange(ranking.n_units))}
    full = tried[ranking.n_units]
    # A last digit of rounding must not count as a fall.
    needed = _value(full) - within / 100 - 1e-12

    def suffices(k: int) -> bool:
        if k not in tried:
            tried[k] = counted(judge.score, ranking.top(k))
        return _value(tried[k]) >= needed

    k, too_small = 1, 0
    while not suffices(k):
        k, too_small = min(2 * k, ranking.n_units), k
    while k - too_small > 1:
        middle = (k + too_small) // 2
        k, too_small = (middle, too_small) if suffices(middle) else (k, middle)
    counted.finish()
    return {
        "method": ranking.method,
        "layers": list(ranking.layers),
        "evaluator": evaluator,
        **judge.facts(),
        "within": within,
        "k": k,
        "percent": 100 * k / ranking.n_units,
        "names": [ranking.names[position] for position in ranking.top(k)],
        "score": asdict(tried[k]),
        "full": asdict(full),
        "tried": [{"k": size, "value": tried[size].value} for size in sorted(tried)],
    }


class _Judge:
    """Scores sets of neurons of one study, given as positions in a ranking's ``units``; without an evaluator by its own probe."""

    def __init__(self, study: LayerStudy, ranking: NeuronRanking, evaluator: Evaluator | None):
        if evaluator is None and len(ranking.layers) > 1:
            raise LitProbeError("Several layers have no common probe of their own. Refit one, or rank one layer.")
        self._study = study
        self._units = ranking.units
        self._evaluator = evaluator
        if self._units[:, 1].max() >= study.activations["train"].d_model:
            raise LitProbeError("The ranking is of another study: it names neurons that this encoder does not have.")
        # A penalty of our own choice would let a probe of all neurons fit train too closely, and few neurons seem to do better.
        probes = [study.layerwise.probes[layer] for layer in chosen_layers(study, ranking.layers)]
        best = min(probes, key=lambda probe: min(probe.settings.get("cv_log_loss", [0.0])))
        self._strength = own_strength(best, len(study.splits.train)) or STRENGTH

    @cached_property
    def _majority(self) -> float | None:
        splits = self._study.splits
        return majority_score(self._study.headline, splits.train.labels, splits.dev.labels, splits.label_names)

    def facts(self) -> dict[str, Any]:
        return {
            "metric": self._study.headline,
            "metric_title": METRICS[self._study.headline].title,
            "n_dev": len(self._study.splits.dev),
            "n_units": len(self._units),
            "logistic_strength": self._strength,
            "majority": self._majority,
        }

    def score(self, positions: NDArray[np.int64]) -> Score:
        # In the order of (layer, index), so that the same set has the same digits however it was chosen.
        units = self._units[np.sort(positions)]
        study, dev = self._study, self._study.splits.dev
        probabilities = self._refitted(units) if self._evaluator else self._own_probe(units)
        [score] = score_layers(
            study.headline, probabilities[:, None], dev.labels, dev.groups, study.seed, label_names=dev.label_names
        )
        return score

    def value(self, positions: NDArray[np.int64]) -> float:
        return _value(self.score(positions))

    def _refitted(self, units: NDArray[np.int64]) -> NDArray[np.float64]:
        assert self._evaluator is not None
        train = self._study.splits.train
        columns = self._columns("train", units)
        rows = self._columns("dev", units)
        return self._evaluator.predict(columns, train.labels, len(train.label_names), rows, self._strength)

    def _own_probe(self, units: NDArray[np.int64]) -> NDArray[np.float64]:
        layer = int(units[0, 0])
        probe = self._study.layerwise.probes[layer]
        values = self._study.activations["dev"].layer(layer)
        kept = np.zeros(values.shape[1], dtype=bool)
        kept[units[:, 1]] = True
        return probe.predict_proba(np.where(kept, values, probe.mean))

    def _columns(self, split: Any, units: NDArray[np.int64]) -> NDArray[np.float32]:
        """``[n_examples, k]``; one layer at a time is in memory as a whole."""
        activations = self._study.activations[split]
        return np.concatenate(
            [activations.layer(int(layer))[:, units[units[:, 0] == layer, 1]] for layer in np.unique(units[:, 0])], axis=1
        )


class _Counted:
    """Calls functions and tells how many calls are done."""

    def __init__(self, progress: Progress, total: int):
        self._progress, self._done, self._total = progress, 0, total
        self._progress(0, total)

    def __call__(self, function: Callable[[Any], Any], argument: Any) -> Any:
        result = function(argument)
        self._done += 1
        self._progress(self._done, self._total)
        return result

    def finish(self) -> None:
        self._progress(self._total, self._total)


def _random_sets(ranking: NeuronRanking, k: int, n_draws: int, seed: int) -> list[NDArray[np.int64]]:
    random = np.random.default_rng([*b"random neurons", seed, k])
    return [np.sort(random.permutation(ranking.n_units)[:k]) for _ in range(n_draws)]


def _band(draws: Sequence[float]) -> dict[str, Any]:
    low, high = np.percentile(draws, _BAND)
    return {"mean": float(np.mean(draws)), "low": float(low), "high": float(high), "draws": list(draws)}


def _value(score: Score) -> float:
    if score.value is None:
        raise ProbeError(f"Neurons cannot be judged on dev: {score.reason}.")
    return score.value
