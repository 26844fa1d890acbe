"""Where each of several concepts is decodable: concept × layer, on the same rows and the same activations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from lit_probe.data.asking import Unasked, ask_all, question_of
from lit_probe.data.labelled_texts import SplitName, Splits
from lit_probe.data.seeds import checked_seed
from lit_probe.data.surface import YES
from lit_probe.encoder.cache import Cache
from lit_probe.encoder.encoder import Encoder
from lit_probe.errors import DatasetError
from lit_probe.probing.layerwise import probe_for
from lit_probe.probing.probes import ProbeOptions
from lit_probe.probing.rules import StudyRules
from lit_probe.probing.study import LayerStudy, probe_layers
from lit_probe.progress import Progress, no_progress, of_part
from lit_probe.results import Result
from lit_probe.scores.by_target import ALL_METRICS, trivial_score
from lit_probe.scores.joint import JointScores, joint_scores
from lit_probe.scores.metrics import Score

# In words that files and pages repeat.
ABOVE_IN_WORDS = (
    "The share of the way from the majority baseline (0) to a perfect score (1) that a layer's probe goes on dev, so that "
    "concepts with other baselines can be compared. Below 0 the probe does worse than the baseline."
)

NUMBERS_IN_WORDS = "Of a number the score is R², and the baseline the mean of train."


@dataclass(frozen=True)
class ConceptCell(Result):
    """One concept at one layer.

    Attributes:
      layer: the number of the layer.
      score: the headline score on dev; None where it is not defined.
      low: the lower end of its 95 % interval.
      high: the upper end.
      above: the share of the way from the baseline to 1, negative below the baseline; None where it is not defined.
      above_low: the same of the lower end.
      above_high: the same of the upper end.
      reliable: whether there are rows enough to rely on it.
      reason: why not, or an empty string.
    """

    layer: int
    score: float | None
    low: float | None
    high: float | None
    above: float | None
    above_low: float | None
    above_high: float | None
    reliable: bool
    reason: str

    @classmethod
    def of(cls, layer: int, score: Score, baseline: float | None) -> ConceptCell:
        """A score beside its baseline."""

        def above(value: float | None) -> float | None:
            return None if value is None or baseline is None or baseline >= 1 else (value - baseline) / (1 - baseline)

        return cls(
            layer,
            score.value,
            score.low,
            score.high,
            above(score.value),
            above(score.low),
            above(score.high),
            score.reliable,
            score.reason,
        )


@dataclass(frozen=True)
class ConceptRow(Result):
    """One concept.

    Attributes:
      target: its name.
      about: the question that it answers, where its name does not say it; else empty.
      study: the name of its study.
      headline: the metric of its scores.
      metric_title: what people call it.
      baseline: what always naming the largest class of train scores on dev, or the mean of its numbers.
      n: the number of rows by split.
      label_names: ``[n_classes]``; empty for a number.
      best_layer: the layer that was chosen on dev.
      test: the headline score of that layer on test.
      cells: ``[n_layers]``.
    """

    target: str
    about: str
    study: str
    headline: str
    metric_title: str
    baseline: float | None
    n: Mapping[str, int]
    label_names: tuple[str, ...]
    best_layer: int
    test: Score
    cells: tuple[ConceptCell, ...]


@dataclass(frozen=True)
class ConceptMap(Result):
    """Several concepts of one data set at all layers of one encoder.

    Attributes:
      encoder: the encoder's name.
      dataset: the data set's name.
      layer_names: ``[n_layers]``.
      rows: the concepts, those that are chosen at lower layers first.
      unasked: the targets that could not be asked for, and why.
      measure: what ``above`` is, in words.
      joint: how well the values of a label are found together, on dev and on test; None where its label has one value.
    """

    encoder: str
    dataset: str
    layer_names: tuple[str, ...]
    rows: tuple[ConceptRow, ...]
    unasked: tuple[Unasked, ...]
    measure: str = ABOVE_IN_WORDS
    joint: tuple[JointScores, ...] | None = None

    omitted_if_none: ClassVar[tuple[str, ...]] = ("joint",)

    def table(self) -> str:
        """The map as text: a line for each concept, the chosen layer in brackets."""
        width = max(len(row.target) for row in self.rows)
        lines = [f"{'concept':>{width}}  {'baseline':>8}  " + "".join(f"{layer:>8}" for layer in range(len(self.layer_names)))]
        for row in self.rows:
            cells = "".join(f"{_cell(one, one.layer == row.best_layer):>8}" for one in row.cells)
            baseline = "n/a" if row.baseline is None else f"{row.baseline:.3f}"
            lines.append(f"{row.target:>{width}}  {baseline:>8}  {cells}  {row.headline}, n = {row.n['dev']:,}")
        lines.append(self.measure + " In brackets: chosen on dev.")
        for one in self.joint or ():
            scores = {"macro F1": one.macro_f1, "micro F1": one.micro_f1, "all right": one.subset_accuracy}
            told = ", ".join(f"{name} {_told(score)}" for name, score in scores.items())
            lines.append(
                f"All {len(one.targets)} values together on {one.split}: {told} (the most frequent answers: "
                f"{one.subset_baseline:.3f}), n = {one.n:,}."
            )
        return "\n".join([*lines, *(f"Not asked: {one.target}. {one.error}" for one in self.unasked)])

    def flat_rows(self) -> list[dict[str, Any]]:
        """A row for each concept and layer, as a table has it."""
        return [
            {
                "target": row.target,
                "headline": row.headline,
                "baseline": row.baseline,
                "n_dev": row.n["dev"],
                "chosen": cell.layer == row.best_layer,
                "layer_name": self.layer_names[cell.layer],
                **cell.to_json(),
            }
            for row in self.rows
            for cell in row.cells
        ]


def concepts_of(
    study: LayerStudy, wanted: Sequence[str], cache: Cache | None = None, progress: Progress = no_progress
) -> ConceptMap:
    """The map of the rows that a study is about, by probes of its kind.

    Args:
      study: the study.
      wanted: the targets, as of `target_names`.
      cache: where activations and probes are kept.
      progress: hears how many of the targets are done.

    Raises:
      DatasetError: a target does not exist, or none can be asked for.
      CancelledError: from ``progress``.
    """
    study.check_pooled("A map of concepts")
    asked_of = study.splits.asked_of
    found = ask_all(study.splits if asked_of is None else asked_of.splits, wanted)
    asked = [one for one in found if isinstance(one, Splits)]

    def probed(place: int, splits: Splits) -> LayerStudy:
        # A thousand parts of each, so that one that takes long is seen to go on.
        kind = probe_for(study.layerwise.kind, splits.target)
        part = of_part(progress, 1000 * place, 1000 * (place + 1), 1000 * len(asked))
        return probe_layers(
            study.encoder,
            splits,
            pooling=study.pooling,
            probe=kind,
            probe_options=study.layerwise.options if kind == study.layerwise.kind else None,
            seed=study.seed,
            rules=study.rules.for_target(splits.target),
            cache=cache,
            budget=study.budget,
            # The bar never goes back: passes over texts that are read already take no time.
            progress=lambda step, done, total, unit: part(done, total) if unit == "layers" else part(0, 1),
        )

    studies = [probed(place, splits) for place, splits in enumerate(asked)]
    return concept_map(studies, [one for one in found if isinstance(one, Unasked)])


def concept_maps(studies: Sequence[LayerStudy], unasked: Sequence[Unasked] = ()) -> list[ConceptMap]:
    """A map for each data set of which targets were asked.

    Args:
      studies: of one encoder; those of a data set's own labels are in no map.
      unasked: the targets that could not be asked for, of any data set.
    """
    by_dataset: dict[str, list[LayerStudy]] = {}
    for one in studies:
        if one.splits.asked_of is not None:
            by_dataset.setdefault(one.splits.asked_of.splits.name, []).append(one)
    return [concept_map(some, [one for one in unasked if one.dataset == name]) for name, some in by_dataset.items()]


def concept_map(studies: Sequence[LayerStudy], unasked: Sequence[Unasked] = ()) -> ConceptMap:
    """The scores of studies of several targets (`lit_probe.data.asking.ask`) beside each other.

    Args:
      studies: of one encoder and one data set.
      unasked: the targets that could not be asked for.
    """
    rows = sorted((_row(one) for one in studies), key=lambda row: (row.best_layer, row.target))
    first = studies[0]
    asked_of = first.splits.asked_of
    dataset = first.splits.name if asked_of is None else asked_of.splits.name
    values = () if asked_of is None else asked_of.splits.several
    asked = [one for one in studies if one.splits.asked_of is not None and one.splits.asked_of.target in values]
    joint = (_joint("dev", asked), _joint("test", asked)) if asked else None
    measure = ABOVE_IN_WORDS if all(row.label_names for row in rows) else f"{ABOVE_IN_WORDS} {NUMBERS_IN_WORDS}"
    return ConceptMap(
        first.encoder.name, dataset, tuple(first.layer_names), tuple(rows), tuple(unasked), measure=measure, joint=joint
    )


def probe_values(
    encoder: Encoder,
    splits: Splits,
    *,
    pooling: str | None = None,
    probe: str | None = None,
    probe_options: ProbeOptions | None = None,
    seed: int = 0,
    rules: StudyRules | None = None,
    cache: Cache | None = None,
) -> ConceptMap:
    """Probes each value of a label of several values at every layer, on one pass over the texts.

    Args:
      encoder: the frozen encoder.
      splits: a data set that was loaded with the option ``multilabel``.
      pooling: as of `probe_layers`.
      probe: as of `probe_layers`.
      probe_options: as of `probe_layers`.
      seed: as of `probe_layers`.
      rules: as of `probe_layers`.
      cache: as of `probe_layers`.

    Returns:
      The values by layer, with their joint scores.

    Raises:
      DatasetError: labels have one value, or none of the values can be asked for.
    """
    seed = checked_seed(seed)
    if not splits.several:
        raise DatasetError(f"The labels of {splits.name} have one value each. Load it with the option multilabel.")
    found = ask_all(splits, splits.several)
    asked = [one for one in found if isinstance(one, Splits)]
    # Without a cache of its own, each value would read the texts again.
    shared = cache or Cache(None)
    studies = [
        probe_layers(
            encoder, one, pooling=pooling, probe=probe, probe_options=probe_options, seed=seed, rules=rules, cache=shared
        )
        for one in asked
    ]
    return concept_map(studies, [one for one in found if isinstance(one, Unasked)])


def _joint(split: SplitName, studies: Sequence[LayerStudy]) -> JointScores:
    """The answers of several studies to the same rows, each at its chosen layer."""
    rows = [getattr(one.splits, split) for one in studies]
    says = [
        one.decision.classes(one.probabilities(split)[:, [one.best_layer]])[:, 0] == one.splits.label_names.index(YES)
        for one in studies
    ]
    is_so = [own.labels == one.splits.label_names.index(YES) for one, own in zip(studies, rows, strict=True)]
    usual = [bool(2 * (one.splits.train.labels == one.splits.label_names.index(YES)).mean() > 1) for one in studies]
    targets = [one.splits.asked_of.target for one in studies if one.splits.asked_of is not None]
    layers = [one.best_layer for one in studies]
    return joint_scores(split, np.stack(says, 1), np.stack(is_so, 1), usual, rows[0].groups, targets, layers)


def _told(score: Score) -> str:
    if score.value is None:
        return "n/a"
    interval = "" if score.low is None else f" [{score.low:.3f}–{score.high:.3f}]"
    return f"{score.value:.3f}{'' if score.reliable else '*'}{interval}"


def _row(study: LayerStudy) -> ConceptRow:
    splits, headline = study.splits, study.headline
    asked_of = splits.asked_of
    baseline = trivial_score(headline, splits.train.labels, splits.dev.labels, splits.label_names)
    return ConceptRow(
        target=splits.name if asked_of is None else asked_of.target,
        about="" if asked_of is None else question_of(asked_of.target),
        study=splits.name,
        headline=headline,
        metric_title=ALL_METRICS[headline].title,
        baseline=baseline,
        n={name: len(rows) for name, rows in splits.items()},
        label_names=splits.label_names,
        best_layer=study.best_layer,
        test=study.test_metrics().scores[headline],
        cells=tuple(
            ConceptCell.of(layer, score, baseline) for layer, score in enumerate(study.dev_scores(study.predictions("dev")))
        ),
    )


def _cell(cell: ConceptCell, chosen: bool) -> str:
    written = "n/a" if cell.above is None else f"{cell.above:.2f}" + ("" if cell.reliable else "*")
    return f"[{written}]" if chosen else f"{written} "
