"""The neurons of one layer, or of all together, as files want them: the ranking, whether it is any good, and a causal check."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lit_probe.neurons.effects.ablation import Ablation
from lit_probe.neurons.effects.curve import ablation_curve
from lit_probe.neurons.rankings import NeuronRanking, rank_neurons
from lit_probe.neurons.rankings.neuron_evaluation import evaluate_ranking
from lit_probe.neurons.rankings.neuron_stability import neuron_stability
from lit_probe.probing.study import LayerStudy
from lit_probe.progress import Progress, StudyProgress, of_step

# How many of a layer's neurons are switched off for the check in the forward pass.
ABLATED_PERCENT = 5.0


def neuron_report(study: LayerStudy, method: str, layer: int | None, progress: StudyProgress) -> dict[str, Any]:
    """Ranks neurons, and says how stable the ranking is, how well its best neurons do alone, and what switching them off changes.

    Args:
      study: train is ranked and fitted on, dev is scored.
      method: a name in ``RANKINGS``.
      layer: one layer, or None for all of them ranked together, whose neurons are not switched off: that is done at one layer.
      progress: hears how far each step is; it may raise ``CancelledError``.

    Returns:
      JSON-ready: ``ranking`` (all neurons, best first), ``stability``, ``evaluation`` and ``ablation`` (None for all layers), as
      `NeuronRanking.to_json`, `neuron_stability`, `evaluate_ranking` and `ablation_curve` return them.

    Raises:
      LitProbeError: the ranking cannot be made; see `rank_neurons`.
    """

    def step(name: str, unit: str) -> Progress:
        return of_step(progress, f"{name} of {study.splits.name}", unit)

    ranking = rank_neurons(study, method, layer, progress=step("Ranking the neurons", "layers"))
    return {
        "ranking": ranking.to_json(),
        "stability": neuron_stability(
            study, method, layer, seed=study.seed, progress=step("Stability of the ranking", "samples")
        ),
        "evaluation": evaluate_ranking(study, ranking, seed=study.seed, progress=step("Scores of a few neurons", "fits")),
        "ablation": None if layer is None else _ablation(study, ranking, layer, step("Switching neurons off", "passes")),
    }


def _ablation(study: LayerStudy, ranking: NeuronRanking, layer: int, progress: Progress) -> dict[str, Any]:
    units = ranking.units[ranking.top(ranking.count(ABLATED_PERCENT)), 1]
    ablation = Ablation(layer, tuple(int(unit) for unit in units), seed=study.seed)
    dev = study.splits.dev
    curve = ablation_curve(study, dev.texts, dev.labels.tolist(), ablation, groups=dev.groups, progress=progress)
    return {"percent": ABLATED_PERCENT, "units": list(ablation.units), "replacement": ablation.replacement, **curve}


def neuron_table(report: Mapping[str, Any], top: int) -> str:
    """The report as text: the best neurons, then a sentence for each of the questions asked of the ranking."""
    ranking, stability, evaluation = report["ranking"], report["stability"], report["evaluation"]
    neurons, labels = ranking["neurons"][:top], ranking["label_names"]
    width = max(len("neuron"), *(len(neuron["name"]) for neuron in neurons))
    lines = [
        f"{ranking['title']}: best {len(neurons)} of {ranking['n_units']:,} neurons, by {ranking['score_unit']}",
        f"{'neuron':<{width}}  {'score':>8}  speaks for",
    ]
    for neuron in neurons:
        largest = max(range(len(labels)), key=lambda index: neuron["class_scores"][index])
        lines.append(f"{neuron['name']:<{width}}  {neuron['score']:>8.4f}  {labels[largest]}")
    overlaps = [f"{one['jaccard']:.2f} for the best {one['k']} (chance {one['chance']:.2f})" for one in stability["points"]]
    metric, full = evaluation["metric_title"].lower(), evaluation["full"]["value"]
    lines += [
        "",
        f"Overlap between rankings of {stability['n_draws']} bootstrap samples (Jaccard): {', '.join(overlaps)}.",
        f"Dev {metric} from all neurons: {full:.3f}. From a share of them:",
    ]
    lines.append(f"{'share':>7}  {'best':>6}  {'last':>6}  random [95 % of {evaluation['n_draws']} sets]")
    for point in evaluation["points"]:
        drawn = point["random"]
        lines.append(
            f"{point['percent']:>6g}%  {point['top']['value']:>6.3f}  {point['bottom']['value']:>6.3f}  "
            f"{drawn['mean']:.3f} [{drawn['low']:.3f}, {drawn['high']:.3f}]"
        )
    if report["ablation"] is not None:
        lines += ["", *_ablation_lines(report["ablation"])]
    return "\n".join(lines)


def _ablation_lines(curve: Mapping[str, Any]) -> list[str]:
    lines = [
        f"Best {curve['percent']:g} % of the neurons at their mean in the forward pass, {curve['title'].lower()} of the probes "
        f"from this layer on ({curve['n']:,} dev rows), beside {curve['n_random']} random sets:",
        _moved_sentence(curve),
        f"{'layer':>5}  {'before':>6}  {'after':>6}  random [smallest, largest]",
    ]
    names = ("before", "after", "random", "random_low", "random_high")
    for row in curve["layers"]:
        before, after, random, low, high = ("–" if row[name] is None else f"{row[name]:.3f}" for name in names)
        lines.append(f"{row['layer']:>5}  {before:>6}  {after:>6}  {random} [{low}, {high}]")
    lines += [f"Note: {note}" for note in curve["notes"]]
    return lines


def _moved_sentence(curve: Mapping[str, Any]) -> str:
    low, high = (f"{curve[name]:.3f}" for name in ("random_moved_low", "random_moved_high"))
    return (
        f"This moves the hidden states by {curve['moved']:.3f} of their length, the random sets by "
        f"{curve['random_moved']:.3f} [{low}, {high}]."
    )


def neuron_rows(report: Mapping[str, Any]) -> list[dict[str, Any]]:
    """One row per neuron for a table: rank, layer, unit, score, and the signed score of each class."""
    labels = report["ranking"]["label_names"]
    return [
        {name: neuron[name] for name in ("rank", "layer", "unit", "score")}
        | {f"score:{label}": value for label, value in zip(labels, neuron["class_scores"], strict=True)}
        for neuron in report["ranking"]["neurons"]
    ]
