"""Is a ranking any good? Probes refitted on its top, its bottom and random neurons, scored on dev.

A ranking may look good only because the probe that judges it works as the ranking does, so any ranking can be judged by any
evaluator, as Antverg & Belinkov 2022 (https://arxiv.org/abs/2110.07483) ask. A high score says that the concept is decodable from
the neurons, not that the model needs them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from lit_probe.data.seeds import checked_seed
from lit_probe.errors import LitProbeError
from lit_probe.neurons.rankings import RANKINGS, NeuronRanking, RankingOptions, chosen_layers, rank_neurons
from lit_probe.neurons.rankings.judge import DEFAULT_EVALUATORS, EVALUATORS, Judge, Scale, defined
from lit_probe.probing.study import LayerStudy
from lit_probe.progress import Progress, no_progress
from lit_probe.registry import lookup
from lit_probe.results import Result
from lit_probe.scores.metrics import Score

PERCENTAGES = (1.0, 2.0, 5.0, 10.0, 15.0, 20.0, 50.0)
N_DRAWS = 20
# The random band goes from this to that percentile of the draws.
_BAND = (2.5, 97.5)


@dataclass(frozen=True)
class RandomBand(Result):
    """Scores from random sets of neurons of one size.

    Attributes:
      mean: mean score.
      low: 2.5th percentile of the draws.
      high: 97.5th percentile.
      draws: ``[n_draws]`` score of each set.
    """

    mean: float
    low: float
    high: float
    draws: tuple[float, ...]


@dataclass(frozen=True)
class EvaluatedShare(Result):
    """Scores from one share of the neurons.

    Attributes:
      percent: the share, above 0 and at most 100.
      k: the number of neurons.
      top: score from the best ones.
      bottom: score from the last ones.
      random: scores from random ones.
    """

    percent: float
    k: int
    top: Score
    bottom: Score
    random: RandomBand


@dataclass(frozen=True)
class RankingEvaluation(Result):
    """One ranking judged by one evaluator.

    Attributes:
      method: name in `RANKINGS`.
      layers: layers that are ranked together, ascending.
      evaluator: name in `EVALUATORS`, or ``"probe"`` for the layer's own.
      scale: what the scores are measured by.
      n_draws: the number of random sets of each size.
      seed: seed of these sets.
      full: score from all neurons.
      points: one for each share, in the order in which they were asked for.
    """

    method: str
    layers: tuple[int, ...]
    evaluator: str
    scale: Scale
    n_draws: int
    seed: int
    full: Score
    points: tuple[EvaluatedShare, ...]

    in_place: ClassVar[tuple[str, ...]] = ("scale",)


@dataclass(frozen=True, eq=False)
class ComparedShare(Result):
    """Scores from one share of the neurons, by ranking and evaluator.

    Attributes:
      percent: the share, above 0 and at most 100.
      k: the number of neurons.
      scores: ``[n_methods, n_evaluators]`` score from the best ones.
      random: ``[n_evaluators]`` scores from random ones.
    """

    percent: float
    k: int
    scores: NDArray[np.float64]
    random: tuple[RandomBand, ...]


@dataclass(frozen=True, eq=False)
class RankingComparison(Result):
    """Several rankings judged by several evaluators.

    Attributes:
      methods: ``[n_methods]`` names in `RANKINGS`.
      titles: ``[n_methods]`` the names people read.
      evaluators: ``[n_evaluators]`` names in `EVALUATORS`.
      evaluator_titles: ``[n_evaluators]`` the names people read.
      layers: layers that are ranked together, ascending.
      scale: what the scores are measured by.
      n_draws: the number of random sets of each size.
      seed: seed of these sets.
      full: ``[n_evaluators]`` score from all neurons.
      tables: one for each share, in the order in which they were asked for.
      mean_scores: ``[n_methods, n_evaluators]`` mean of the scores over the shares.
    """

    methods: tuple[str, ...]
    titles: tuple[str, ...]
    evaluators: tuple[str, ...]
    evaluator_titles: tuple[str, ...]
    layers: tuple[int, ...]
    scale: Scale
    n_draws: int
    seed: int
    full: tuple[float, ...]
    tables: tuple[ComparedShare, ...]
    mean_scores: NDArray[np.float64]

    in_place: ClassVar[tuple[str, ...]] = ("scale",)


@dataclass(frozen=True)
class TriedSize(Result):
    """One size of the top set that was tried.

    Attributes:
      k: the number of neurons.
      value: score from them.
    """

    k: int
    value: float


@dataclass(frozen=True)
class MinimalSet(Result):
    """The smallest top set that does about as well as all neurons.

    Attributes:
      method: name in `RANKINGS`.
      layers: layers that are ranked together, ascending.
      evaluator: name in `EVALUATORS`.
      scale: what the scores are measured by.
      within: percentage points by which the score may fall, 0 to 100.
      k: the number of neurons the set holds.
      percent: which share of all neurons that is, above 0 and at most 100.
      names: ``[k]`` ``layer:unit`` of each, best first.
      score: score from the set.
      full: score from all neurons.
      tried: all sizes that were tried, ascending.
    """

    method: str
    layers: tuple[int, ...]
    evaluator: str
    scale: Scale
    within: float
    k: int
    percent: float
    names: tuple[str, ...]
    score: Score
    full: Score
    tried: tuple[TriedSize, ...]

    in_place: ClassVar[tuple[str, ...]] = ("scale",)


def evaluate_ranking(
    study: LayerStudy,
    ranking: NeuronRanking,
    evaluator: str | None = None,
    *,
    percentages: Sequence[float] = PERCENTAGES,
    n_draws: int = N_DRAWS,
    seed: int = 0,
    refit: bool = True,
    progress: Progress = no_progress,
) -> RankingEvaluation:
    """The headline score on dev from the top, the bottom and random neurons, k % of them each.

    Args:
      study: the study whose neurons are ranked; train is fitted on, dev is scored.
      ranking: the ranking of its neurons.
      evaluator: a name in `EVALUATORS`: what is refitted on the chosen neurons; the usual one of the study's target when None.
        The L2 penalty of ``logistic`` is the one that cross-validation chose for the layer's own probe (of several layers, for
        the one with the smallest cross-validated loss), or 0.001 where that probe is of another kind; of ``linear`` it is 0.001.
        The ``alpha`` of ``ridge`` is chosen likewise.
      percentages: k, each above 0 and at most 100.
      n_draws: the number of random sets of each size.
      seed: the seed of these sets.
      refit: False asks the layer's own probe instead, all other neurons held at their train mean; for one layer only.
      progress: called with the number of fits done and of all; an error that it raises ends the computation.

    Raises:
      UnknownNameError: there is no such evaluator.
      LitProbeError: a percentage is out of range, or several layers are asked for without refitting.
    """
    seed = checked_seed(seed)
    if n_draws < 1 or not percentages:
        raise LitProbeError(f"One random draw and one percentage at least are needed; got {n_draws} and {len(percentages)}.")
    sizes = [ranking.count(percent) for percent in percentages]
    evaluator = evaluator or DEFAULT_EVALUATORS[study.splits.target]
    judge = Judge(study, ranking, lookup(EVALUATORS, evaluator, "evaluator") if refit else None)
    counted = _Counted(progress, 1 + len(sizes) * (2 + n_draws))
    full = counted(judge.score, np.arange(ranking.n_units))
    points = []
    for percent, k in zip(percentages, sizes, strict=True):
        top, bottom = (counted(judge.score, chosen) for chosen in (ranking.top(k), ranking.bottom(k)))
        draws = [counted(judge.value, chosen) for chosen in _random_sets(ranking, k, n_draws, seed)]
        points.append(EvaluatedShare(percent, k, top, bottom, _band(draws)))
    return RankingEvaluation(
        method=ranking.method,
        layers=ranking.layers,
        evaluator=evaluator if refit else "probe",
        scale=judge.scale(),
        n_draws=n_draws,
        seed=seed,
        full=full,
        points=tuple(points),
    )


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
) -> RankingComparison:
    """Every ranking judged by every evaluator: the score on dev from its top k %, beside that of random neurons.

    Args:
      study: the fitted study.
      layers: a layer, or several ranked together; all of them when None.
      methods: names in `RANKINGS`; by default all of the study's target but ``random``, which the random band stands for, and
        without ``weight_mass`` where the study's probe is not linear.
      evaluators: names in `EVALUATORS`; all of the study's target by default.
      percentages: the percentages of neurons, each above 0 and at most 100.
      n_draws: the number of random sets of each size, the same for all evaluators.
      seed: the seed of these sets.
      options: what the rankings can be told.
      progress: called with the number of fits done and of all; an error that it raises ends the computation.

    Raises:
      UnknownNameError: there is no such ranking, evaluator or layer.
      LitProbeError: a percentage is out of range, or a ranking cannot be computed.
    """
    seed = checked_seed(seed)
    chosen, target = chosen_layers(study, layers), study.splits.target
    if methods is None:
        linear = all(len(study.layerwise.probes[layer].layers) == 1 for layer in chosen)
        fitting = {name: one for name, one in RANKINGS.items() if name != "random" and target in one.targets}
        methods = [name for name, one in fitting.items() if linear or not one.reads_probe]
    if evaluators is None:
        evaluators = [name for name, one in EVALUATORS.items() if target in one.targets]
    judged_by = {name: lookup(EVALUATORS, name, "evaluator") for name in evaluators}
    for name in methods:
        lookup(RANKINGS, name, "neuron ranking")
    if not (methods and judged_by and percentages and n_draws >= 1):
        raise LitProbeError("Rankings are compared with at least one ranking, evaluator, percentage and random draw.")
    counted = _Counted(progress, len(methods) + len(judged_by) * (1 + len(percentages) * (len(methods) + n_draws)))
    rankings = [counted(lambda name: rank_neurons(study, name, chosen, options=options), name) for name in methods]
    judges = [Judge(study, rankings[0], judge) for judge in judged_by.values()]
    full = tuple(counted(judge.value, np.arange(rankings[0].n_units)) for judge in judges)
    tables = []
    for percent in percentages:
        k = rankings[0].count(percent)
        sets = _random_sets(rankings[0], k, n_draws, seed)
        scores = [[counted(judge.value, ranking.top(k)) for judge in judges] for ranking in rankings]
        bands = tuple(_band([counted(judge.value, units) for units in sets]) for judge in judges)
        tables.append(ComparedShare(percent, k, np.array(scores), bands))
    return RankingComparison(
        methods=tuple(methods),
        titles=tuple(ranking.title for ranking in rankings),
        evaluators=tuple(judged_by),
        evaluator_titles=tuple(judge.title for judge in judged_by.values()),
        layers=chosen,
        scale=judges[0].scale(),
        n_draws=n_draws,
        seed=seed,
        full=full,
        tables=tuple(tables),
        mean_scores=np.mean([table.scores for table in tables], axis=0),
    )


def minimal_set(
    study: LayerStudy,
    ranking: NeuronRanking,
    evaluator: str | None = None,
    *,
    within: float = 1.0,
    progress: Progress = no_progress,
) -> MinimalSet:
    """The smallest top set found whose score on dev is at most ``within`` percentage points below that of all neurons.

    Sizes are doubled until one suffices, then halved in between. A score need not rise with every neuron, so a smaller set can
    exist that was not tried; and the size is chosen on the rows that are scored, so the score is somewhat flattering.

    Args:
      study: the study whose neurons are ranked.
      ranking: the ranking of its neurons.
      evaluator: a name in `EVALUATORS`; the usual one of the study's target when None.
      within: percentage points, 0 to 100; of a number hundredths of R².
      progress: called with the number of fits done and the most there can be; an error that it raises ends the computation.

    Raises:
      UnknownNameError: there is no such evaluator.
      LitProbeError: ``within`` is out of range.
    """
    if not 0 <= within <= 100:
        raise LitProbeError(f"The score may fall by 0 to 100 percentage points; got {within}.")
    evaluator = evaluator or DEFAULT_EVALUATORS[study.splits.target]
    judge = Judge(study, ranking, lookup(EVALUATORS, evaluator, "evaluator"))
    counted = _Counted(progress, 2 + 2 * int(np.ceil(np.log2(ranking.n_units))))
    tried = {ranking.n_units: counted(judge.score, np.arange(ranking.n_units))}
    full = tried[ranking.n_units]
    # A last digit of rounding must not count as a fall.
    needed = defined(full) - within / 100 - 1e-12

    def suffices(k: int) -> bool:
        if k not in tried:
            tried[k] = counted(judge.score, ranking.top(k))
        return defined(tried[k]) >= needed

    k, too_small = 1, 0
    while not suffices(k):
        k, too_small = min(2 * k, ranking.n_units), k
    while k - too_small > 1:
        middle = (k + too_small) // 2
        k, too_small = (middle, too_small) if suffices(middle) else (k, middle)
    counted.finish()
    return MinimalSet(
        method=ranking.method,
        layers=ranking.layers,
        evaluator=evaluator,
        scale=judge.scale(),
        within=within,
        k=k,
        percent=100 * k / ranking.n_units,
        names=tuple(ranking.names[position] for position in ranking.top(k)),
        score=tried[k],
        full=full,
        tried=tuple(TriedSize(size, defined(tried[size])) for size in sorted(tried)),
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


def _band(draws: Sequence[float]) -> RandomBand:
    low, high = np.percentile(draws, _BAND)
    return RandomBand(float(np.mean(draws)), float(low), float(high), tuple(draws))
