"""The neurons of one layer, or of all together, as files want them: the ranking, whether it is any good, and a causal check."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from lit_probe.errors import CancelledError, LitProbeError
from lit_probe.neurons.effects.ablation import Ablation
from lit_probe.neurons.effects.curve import AblationCurve, ablation_curve
from lit_probe.neurons.rankings import NeuronRanking, rank_neurons
from lit_probe.neurons.rankings.neuron_evaluation import RankingEvaluation, evaluate_ranking
from lit_probe.neurons.rankings.neuron_ranking import RankedNeuron
from lit_probe.neurons.rankings.neuron_stability import NeuronStability, neuron_stability
from lit_probe.probing.study import LayerStudy
from lit_probe.progress import Progress, StudyProgress, of_step
from lit_probe.registry import within_sentence
from lit_probe.results import Result, as_json

# How many of a layer's neurons are switched off for the check in the forward pass.
ABLATED_PERCENT = 5.0


@dataclass(frozen=True)
class BestAblated(Result):
    """What changes when the best neurons of a layer are switched off.

    Attributes:
      percent: share of the layer's neurons that is switched off, above 0 and at most 100.
      units: ``[n_units]`` their indices, best first.
      replacement: what takes the place of their values, a name in `REPLACEMENTS`.
      curve: scores of the layer and those after it.
    """

    percent: float
    units: tuple[int, ...]
    replacement: str
    curve: AblationCurve

    in_place: ClassVar[tuple[str, ...]] = ("curve",)


@dataclass(frozen=True)
class NeuronReport:
    """A ranking of neurons, and what was asked of it.

    Attributes:
      ranking: all neurons.
      stability: how far other train rows give the same neurons.
      evaluation: scores from a few of the neurons.
      ablation: what changes in the forward pass without the best ones; None where all layers are ranked together, and where the
        pass cannot be entered.
      not_ablated: why it could not be; empty otherwise.
    """

    ranking: NeuronRanking
    stability: NeuronStability
    evaluation: RankingEvaluation
    ablation: BestAblated | None
    not_ablated: str = ""

    def to_json(self) -> dict[str, Any]:
        """What files hold of it."""
        return {
            "ranking": self.ranking.to_json(),
            "stability": self.stability.to_json(),
            "evaluation": self.evaluation.to_json(),
            "ablation": as_json(self.ablation),
            "not_ablated": self.not_ablated,
        }


def neuron_report(study: LayerStudy, method: str, layer: int | None, progress: StudyProgress) -> NeuronReport:
    """Ranks neurons, and says how stable the ranking is, how well its best neurons do alone, and what switching them off changes.

    Args:
      study: train is ranked and fitted on, dev is scored.
      method: a name in ``RANKINGS``.
      layer: one layer, or None for all of them ranked together, whose neurons are not switched off: that is done at one layer.
      progress: hears how far each step is; it may raise ``CancelledError``.

    Raises:
      LitProbeError: the ranking cannot be made; see `rank_neurons`.
    """

    def step(name: str, unit: str) -> Progress:
        return of_step(progress, f"{name} of {study.splits.name}", unit)

    ranking = rank_neurons(study, method, layer, progress=step("Ranking the neurons", "layers"))
    stability = neuron_stability(study, method, layer, seed=study.seed, progress=step("Stability of the ranking", "samples"))
    evaluation = evaluate_ranking(study, ranking, seed=study.seed, progress=step("Scores of a few neurons", "fits"))
    if layer is None:
        return NeuronReport(ranking, stability, evaluation, None)
    try:
        ablation = _ablation(study, ranking, layer, step("Switching neurons off", "passes"))
    except CancelledError:
        raise
    except LitProbeError as error:  # an encoder whose pass cannot be entered at this layer; the ranking stands all the same
        return NeuronReport(ranking, stability, evaluation, None, str(error))
    return NeuronReport(ranking, stability, evaluation, ablation)


def _ablation(study: LayerStudy, ranking: NeuronRanking, layer: int, progress: Progress) -> BestAblated:
    units = ranking.units[ranking.top(ranking.count(ABLATED_PERCENT)), 1]
    ablation = Ablation(layer, tuple(units.tolist()), seed=study.seed)
    dev = study.splits.dev
    labels = dev.labels.tolist()
    curve = ablation_curve(study, dev.texts, labels, ablation, groups=dev.groups, spans=dev.spans, progress=progress)
    return BestAblated(ABLATED_PERCENT, ablation.units, ablation.replacement, curve)


def neuron_table(report: NeuronReport, top: int) -> str:
    """The report as text: the best neurons, then a sentence for each of the questions asked of the ranking."""
    ranking, stability, evaluation = report.ranking, report.stability, report.evaluation
    best = ranking.neurons(top)
    width = max(len("neuron"), *(len(neuron.name) for neuron in best))
    lines = [
        f"{ranking.title}: best {len(best)} of {ranking.n_units:,} neurons, by {ranking.score_unit}",
        f"{'neuron':<{width}}  {'score':>8}  {'speaks for' if ranking.label_names else 'goes with'}",
    ]
    for neuron in best:
        label = _speaks_for(ranking, neuron)
        lines.append(f"{neuron.name:<{width}}  {neuron.score:>8.4f}  {label}")
    metric = within_sentence(evaluation.scale.metric_title)
    overlaps = [f"{one.jaccard:.2f} for the best {one.k} (chance {one.chance:.2f})" for one in stability.points]
    lines += [
        "",
        f"Overlap between rankings of {stability.n_draws} bootstrap samples (Jaccard): {', '.join(overlaps)}.",
        f"Dev {metric} from all neurons: {evaluation.full.value:.3f}. From a share of them:",
        f"{'share':>7}  {'best':>6}  {'last':>6}  random [95 % of {evaluation.n_draws} sets]",
    ]
    lines += [
        f"{point.percent:>6g}%  {point.top.value:>6.3f}  {point.bottom.value:>6.3f}  "
        f"{point.random.mean:.3f} [{point.random.low:.3f}, {point.random.high:.3f}]"
        for point in evaluation.points
    ]
    if report.ablation is not None:
        lines += ["", *_ablation_lines(report.ablation.percent, report.ablation.curve)]
    if report.not_ablated:
        lines += ["", f"The best neurons were not switched off: {report.not_ablated}"]
    return "\n".join(lines)


def _speaks_for(ranking: NeuronRanking, neuron: RankedNeuron) -> str:
    """The class that more activation speaks for; of a number which end of it more activation goes with."""
    if ranking.label_names:
        return ranking.label_names[int(np.argmax(neuron.class_scores))]
    return "larger numbers" if neuron.class_scores[0] > 0 else "smaller numbers" if neuron.class_scores[0] < 0 else "neither"


def _ablation_lines(percent: float, curve: AblationCurve) -> list[str]:
    states = curve.hidden_states
    lines = [
        f"Best {percent:g} % of the neurons at their mean in the forward pass, {within_sentence(curve.title)} of the probes "
        f"from this layer on ({curve.n:,} dev rows), beside {curve.n_random} random sets:",
        f"This moves the hidden states by {states.moved:.3f} of their length, the random sets by "
        f"{states.random_moved:.3f} [{states.random_moved_low:.3f}, {states.random_moved_high:.3f}].",
        f"{'layer':>5}  {'before':>6}  {'after':>6}  random [smallest, largest]",
    ]
    for row in curve.layers:
        values = (row.before, row.after, row.random, row.random_low, row.random_high)
        before, after, random, low, high = ("–" if value is None else f"{value:.3f}" for value in values)
        lines.append(f"{row.layer:>5}  {before:>6}  {after:>6}  {random} [{low}, {high}]")
    return lines + [f"Note: {note}" for note in states.notes]


def neuron_rows(report: NeuronReport) -> list[dict[str, Any]]:
    """One row per neuron for a table: rank, layer, unit, score, and the signed score of each class, or of the number."""
    labels = report.ranking.label_names or ("number",)
    return [
        {"rank": neuron.rank, "layer": neuron.layer, "unit": neuron.unit, "score": neuron.score}
        | {f"score:{label}": value for label, value in zip(labels, neuron.class_scores, strict=True)}
        for neuron in report.ranking.neurons()
    ]
