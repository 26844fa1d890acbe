"""The learning curve: how the score on dev grows with the number of training examples, layer by layer."""

from __future__ import annotations

from dataclasses import dataclass

from lit_probe.checks.check import CheckResult
from lit_probe.encoder.cache import Cache
from lit_probe.probing.portions import portion_probes
from lit_probe.probing.study import LayerStudy
from lit_probe.progress import Progress, no_progress
from lit_probe.results import Result
from lit_probe.scores.by_target import ALL_METRICS, trivial_score


@dataclass(frozen=True)
class CurvePoint(Result):
    """The score on dev of one layer's probe that was fitted on one portion of train.

    Attributes:
      n: the size of the portion.
      score: the score; None where it is not defined.
      low: the lower end of its 95 % interval; None where there is none.
      high: the upper end.
    """

    n: int
    score: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True)
class LayerCurve(Result):
    """The learning curve of one layer.

    Attributes:
      layer: the layer's number.
      points: ``[n_points]`` the scores, by growing portions.
    """

    layer: int
    points: tuple[CurvePoint, ...]


@dataclass(frozen=True)
class LearningCurve(CheckResult):
    """The answer of `learning_curve`.

    Attributes:
      metric: the name of the study's headline metric.
      metric_title: its name that people read.
      n_dev: the number of dev rows.
      majority: the score for the class frequencies of train; None where it is not defined.
      n_train: ``[n_points]`` the sizes of the portions that have probes.
      layers: ``[n_layers]`` the curves.
      notes: sentences for the reader.
    """

    metric: str
    metric_title: str
    n_dev: int
    majority: float | None
    n_train: tuple[int, ...]
    layers: tuple[LayerCurve, ...]
    notes: tuple[str, ...]


def learning_curve(study: LayerStudy, cache: Cache | None = None, progress: Progress = no_progress) -> LearningCurve:
    """The study's headline metric on dev, of probes fitted on nested portions of train (`portions.Portions`).

    The fits are those of `description_length`, and the last ones, on all of train, are the study's own: that point of each curve
    is the score shown everywhere else. The intervals tell how far the dev rows determine a score, not how it would vary with
    other training examples.

    Args:
      study: what is probed; its train and dev splits are read.
      cache: where the fits are kept.
      progress: called with the work done and all the work; an error that it raises ends the computation.
    """
    fits = portion_probes(study, cache, progress)
    train, dev = study.splits.train, study.splits.dev
    sizes, scores = [], []
    for (size, probe), decision in zip(fits.fitted(), fits.decisions(study), strict=True):
        predictions = study.predictions("dev") if probe is study.layerwise else probe.predictions(study.activations["dev"])
        sizes.append(size)
        scores.append(study.dev_scores(predictions, decision))
    reasons = dict.fromkeys(score.reason for of_layers in scores for score in of_layers if score.reason)
    layers = []
    for layer, of_layer in enumerate(zip(*scores, strict=True)):
        pairs = zip(sizes, of_layer, strict=True)
        layers.append(LayerCurve(layer, tuple(CurvePoint(n, score.value, score.low, score.high) for n, score in pairs)))
    return LearningCurve(
        metric=study.headline,
        metric_title=ALL_METRICS[study.headline].title,
        n_dev=len(dev),
        majority=trivial_score(study.headline, train.labels, dev.labels, dev.label_names),
        n_train=tuple(sizes),
        layers=tuple(layers),
        notes=(*fits.notes(), *(f"Dev: {reason}." for reason in reasons)),
    )
