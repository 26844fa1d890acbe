"""The later layers' scores with neurons switched off, beside random sets of as many neurons."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lit_probe.encoder.joining import Spans
from lit_probe.errors import LitProbeError
from lit_probe.neurons.effects.ablation import (
    N_RANDOM_SETS,
    Ablation,
    Moved,
    against_random,
    change_of,
    moved_by,
    random_changes,
    states_of,
    usual_tokens,
)
from lit_probe.probing.study import LayerStudy
from lit_probe.progress import Progress, no_progress
from lit_probe.results import Result
from lit_probe.scores.metrics import METRICS, Score
from lit_probe.scores.scored_rows import ScoredRows


@dataclass(frozen=True)
class Flips(Result):
    """How many answers of one reader of the pass, a layer's probe or the checkpoint's own head, change.

    Attributes:
      flipped: share of rows whose predicted class changes, 0 to 1; of the head and words, that of the text of each.
      random_flipped: mean of this share over the random sets.
      random_flipped_low: the smallest of these shares.
      random_flipped_high: the largest.
      beyond: whether more answers change here than at any reader by any random set; see `against_random`. Always False for the
        probe of the ablated layer, which reads the change itself.
    """

    flipped: float
    random_flipped: float
    random_flipped_low: float
    random_flipped_high: float
    beyond: bool


@dataclass(frozen=True)
class AblatedLayer(Result):
    """One layer's score with all neurons on, with some off, and with random sets off; None where the metric is not defined.

    Attributes:
      layer: its number.
      before: score with all neurons on.
      before_low: lower end of its 95 % interval.
      before_high: upper end.
      after: score with the neurons off.
      after_low: lower end of its 95 % interval.
      after_high: upper end.
      random: mean score over the random sets.
      random_low: the smallest of these scores.
      random_high: the largest.
      answers: the number of answers of the layer's probe that change.
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
    answers: Flips

    in_place: ClassVar[tuple[str, ...]] = ("answers",)


@dataclass(frozen=True)
class AblationCurve(Result):
    """The scores of a layer and those after it with neurons switched off, beside random sets.

    Attributes:
      metric: name of the study's headline metric.
      title: the name people read.
      n: the number of rows, texts or words, that were scored.
      n_random: the number of random sets.
      layers: the ablated layer and those after it, ascending.
      model: the number of answers of the checkpoint's own head that change; None where it has none.
      exceeded: number of random sets that change fewer answers at their most sensitive reader after the layer (the later probes
        and the head) than the change does at its own, 0 to ``n_random``; None where there is no such reader.
      hidden_states: how far they are moved.
    """

    metric: str
    title: str
    n: int
    n_random: int
    layers: tuple[AblatedLayer, ...]
    model: Flips | None
    exceeded: int | None
    hidden_states: Moved

    in_place: ClassVar[tuple[str, ...]] = ("hidden_states",)


def ablation_curve(
    study: LayerStudy,
    texts: Sequence[str],
    labels: Sequence[int],
    ablation: Ablation | None = None,
    *,
    layer: int | None = None,
    groups: ArrayLike | None = None,
    spans: Spans | None = None,
    n_random: int = N_RANDOM_SETS,
    progress: Progress = no_progress,
) -> AblationCurve:
    """The later layers' scores with neurons switched off, beside random sets of as many neurons that move as much.

    Args:
      study: the probes; its headline metric is measured.
      texts: the texts of dev, or a selection; of words ``[n_words]`` the text that each stands in, those of a text side by side.
      labels: ``[n_rows]`` class indices.
      ablation: what is changed; None to project out what the probe of ``layer`` reads, beside random directions.
      layer: only without an ablation.
      groups: ``[n_rows]`` what is not independent of each other, or None.
      spans: ``[n_words, 2]`` where each word begins and ends in its text; None where the rows of the study are texts.
      n_random: random sets, 2 or more.
      progress: called with the number of passes done; it may raise ``CancelledError``.

    Raises:
      LitProbeError: see `ablate`; or there are too few other neurons to compare with.
    """
    if n_random < 2:
        raise LitProbeError(f"{n_random} random sets were asked for; 2 or more show a range.")
    layer = ablation.layer if ablation is not None else layer
    if layer is None:
        raise LitProbeError("Name the layer whose probe direction is projected out.")
    states = states_of(study, texts, layer, spans)
    usual = usual_tokens(study, layer)
    changes = [change_of(study, layer, ablation, usual), *random_changes(study, states, ablation, usual, n_random)]
    passes = []
    for done, change in enumerate((None, *changes)):
        progress(done, n_random + 2)
        passes.append(states.go_on(change))
    progress(n_random + 2, n_random + 2)

    gold = np.asarray(labels)
    probabilities = [one.probabilities(study.layerwise.probes) for one in passes]
    scores = [_scores(study, each, gold, groups) for each in probabilities]
    values = np.array([[np.nan if score.value is None else score.value for score in one] for one in scores])
    predicted = np.array([study.decision.classes(each) for each in probabilities])
    flipped = (predicted != predicted[0]).mean(axis=1)
    # The changed layer's own probe reads the change itself and is no witness of the pass.
    later = flipped[:, 1:]
    heads = [one.head_probabilities for one in passes]
    of_head = None
    if heads[0] is not None:
        answers = np.array([head.argmax(axis=1) for head in heads if head is not None])
        of_head = (answers != answers[0]).mean(axis=1)
        later = np.column_stack([later, of_head])
    exceeded, beyond = against_random(later[1:]) if later.shape[1] else (None, [])
    moved = [one.moved_together for one in passes[1:]]
    return AblationCurve(
        metric=study.headline,
        title=METRICS[study.headline].title,
        n=len(texts),
        n_random=n_random,
        layers=tuple(
            AblatedLayer(
                passes[0].layers[place],
                *_with_interval(scores[0][place]),
                *_with_interval(scores[1][place]),
                *_range_if_defined(values[2:, place]),
                _flips(flipped[:, place], place > 0 and beyond[place - 1]),
            )
            for place in range(values.shape[1])
        ),
        model=None if of_head is None else _flips(of_head, beyond[-1]),
        exceeded=exceeded,
        hidden_states=moved_by(moved[0], moved[1:]),
    )


def _scores(
    study: LayerStudy, probabilities: NDArray[np.float64], labels: NDArray[np.int64], groups: ArrayLike | None
) -> list[Score]:
    rows = ScoredRows(probabilities, labels, groups, study.seed, study.splits.label_names, study.decision)
    return METRICS[study.headline].score(rows)


def _flips(shares: NDArray[np.float64], beyond: bool) -> Flips:
    """From the shares ``[2 + n_random]`` of answers that change: without any change, by the change, by random ones."""
    return Flips(float(shares[1]), *_range(shares[2:]), beyond)


def _with_interval(score: Score) -> tuple[float | None, float | None, float | None]:
    return score.value, score.low, score.high


def _range(values: NDArray[np.float64]) -> tuple[float, float, float]:
    return float(values.mean()), float(values.min()), float(values.max())


def _range_if_defined(values: NDArray[np.float64]) -> tuple[float | None, float | None, float | None]:
    return _range(values) if np.isfinite(values).all() else (None, None, None)
