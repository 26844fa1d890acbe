"""What a baseline is: probabilities for the dev rows, scored as the probes are."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from lit_probe.checks.check import CheckResult
from lit_probe.data.asked import CLASSES, TEXT, TargetKind, UnitKind
from lit_probe.encoder.cache import Cache
from lit_probe.probing.pace import Work
from lit_probe.probing.study import LayerStudy
from lit_probe.progress import Progress
from lit_probe.results import Result
from lit_probe.scores.metrics import Score


@dataclass(frozen=True, eq=False)
class Predictions:
    """What a baseline, fitted on train, says of the dev rows.

    Attributes:
      probabilities: ``[n_draws, n_dev, n_layers, n_classes]``; one draw only where nothing is random, one layer only where the
        baseline reads no encoder. Of a number the last axis is 1 and holds the number.
      not_converged: the layers (0 where there is one only) whose fit stopped before its tolerance.
      settings: what was chosen on the way, JSON-ready.
      notes: sentences for the reader.
    """

    probabilities: NDArray[np.float64]
    not_converged: Sequence[int] = ()
    settings: Mapping[str, Any] = field(default_factory=dict)
    notes: Sequence[str] = ()


@dataclass(frozen=True)
class BaselineScore(Result):
    """What a baseline scores on dev, beside one layer.

    Attributes:
      layer: the layer's number.
      score: the score by the study's headline metric; None where there is none.
      low: the lower end of its 95 % interval, which is made as that of the probes; None where there is none.
      high: the upper end.
      reliable: whether there are rows enough.
      reason: why the score is unreliable or missing, else an empty string.
      draws: ``[n_draws]`` the score of each draw, of which ``score`` is the mean; empty where nothing is drawn by lot.
    """

    layer: int
    score: float | None
    low: float | None
    high: float | None
    reliable: bool
    reason: str
    draws: tuple[float, ...] = ()


@dataclass(frozen=True)
class _Measured(CheckResult):
    """What the results of all baselines hold.

    Of several draws, the scores are the means of their scores and of the ends of their intervals: an interval as wide as for one
    draw, about other rows. How far draws differ say the draws.

    Attributes:
      name: the name in `BASELINES`.
      title: the name people read.
      per_layer: whether there is one score per layer, or one for the data set.
      metric: the name of the study's headline metric.
      not_converged: the layers (0 where there is one score only) whose fit stopped before its tolerance.
      settings: what was chosen on the way.
      notes: sentences for the reader.
    """

    name: str
    title: str
    per_layer: bool
    metric: str
    not_converged: tuple[int, ...]
    settings: Mapping[str, Any]
    notes: tuple[str, ...]


@dataclass(frozen=True)
class TextBaseline(_Measured):
    """The result of a baseline that reads no layers: one score for the data set, with the fields of `BaselineScore`."""

    score: float | None
    low: float | None
    high: float | None
    reliable: bool
    reason: str

    def at(self, layer: int) -> BaselineScore:
        """The one score, whatever the layer."""
        return BaselineScore(layer, self.score, self.low, self.high, self.reliable, self.reason)


@dataclass(frozen=True)
class LayerBaseline(_Measured):
    """The result of a baseline that is probed layer by layer.

    Attributes:
      layers: ``[n_layers]`` the scores.
    """

    layers: tuple[BaselineScore, ...]

    def at(self, layer: int) -> BaselineScore:
        """The layer's score."""
        return self.layers[layer]


# The result of a baseline on dev.
MeasuredBaseline = TextBaseline | LayerBaseline


@dataclass(frozen=True)
class Baseline:
    """Something simpler that a probe's score is to be compared with.

    Attributes:
      title: the name people read.
      per_layer: whether there is one score per layer, or one for the data set.
      predict: fits it on train and predicts dev; calls its last argument with how much is done of how much.
      color: the colour of its line, in the panel as in the figure, as ``#RRGGBB``.
      dash: lengths of the strokes and gaps of its line, as in SVG's ``stroke-dasharray``: ``"5 3"``. No two baselines share one,
        so that a grey print tells them apart.
      marker: the mark on each layer's score (``circle``, ``diamond`` or ``square``); None where there is one line for all layers.
      n_draws: the number of random draws that its score is the mean of; 1 where nothing is drawn by lot.
      in_figure: whether the figure of the command line draws it, which has less room than the panel.
      for_pairs: whether it says something of pairs of texts only.
      units: what the rows may be that it says something of.
      targets: what may be asked of them.
      work: how much `predict` has to do, as far as it takes more than a few seconds.
    """

    title: str
    per_layer: bool
    predict: Callable[[LayerStudy, Cache, Progress], Predictions]
    color: str
    dash: str
    marker: Literal["circle", "diamond", "square"] | None = None
    n_draws: int = 1
    in_figure: bool = False
    for_pairs: bool = False
    units: tuple[UnitKind, ...] = (TEXT,)
    targets: tuple[TargetKind, ...] = (CLASSES,)
    work: Callable[[LayerStudy, Cache], Work] = lambda study, cache: Work()

    @property
    def result(self) -> type[MeasuredBaseline]:
        """The dataclass that `measure` answers with."""
        return LayerBaseline if self.per_layer else TextBaseline

    def measure(self, name: str, study: LayerStudy, cache: Cache, progress: Progress) -> MeasuredBaseline:
        """Its score on dev by the study's headline metric.

        Args:
          name: its name in `BASELINES`.
          study: whose data, encoder, pooling, probe and seed it shares.
          cache: where activations are kept.
          progress: hears how far it is.

        Raises:
          LitProbeError: it cannot be fitted to these data, or ``progress`` has cancelled it.
        """
        predictions = self.predict(study, cache, progress)
        # The words' own fits let all rows count alike, whatever the probes do.
        decision = study.decision if self.per_layer else study.unweighted_decision
        draws = [study.dev_scores(draw, decision) for draw in predictions.probabilities]
        return self._measured(name, study, list(zip(*draws, strict=True)), predictions)

    def failure(self, name: str, study: LayerStudy, reason: str) -> MeasuredBaseline:
        """What `measure` would give, without a score but with the reason."""
        score = Score(None, None, None, len(study.splits.dev), False, reason)
        n_layers = study.encoder.n_layers if self.per_layer else 1
        return self._measured(name, study, [(score,)] * n_layers, Predictions(np.empty((0, 0, 0, 0))))

    def _measured(
        self, name: str, study: LayerStudy, draws: Sequence[Sequence[Score]], predictions: Predictions
    ) -> MeasuredBaseline:
        """From the scores of all draws of each layer."""
        scores = [_mean_score(layer) for layer in draws]
        facts = (name, self.title, self.per_layer, study.headline)
        told = (tuple(predictions.not_converged), predictions.settings, tuple(predictions.notes))
        if self.per_layer:
            cells = (
                BaselineScore(layer, one.value, one.low, one.high, one.reliable, one.reason, _drawn(draws[layer]))
                for layer, one in enumerate(scores)
            )
            return LayerBaseline(*facts, *told, tuple(cells))
        [one] = scores
        return TextBaseline(*facts, *told, one.value, one.low, one.high, one.reliable, one.reason)


def _mean_score(draws: Sequence[Score]) -> Score:
    reason = "; ".join(dict.fromkeys(draw.reason for draw in draws if draw.reason))
    return replace(
        draws[0],
        value=_mean([draw.value for draw in draws]),
        low=_mean([draw.low for draw in draws]),
        high=_mean([draw.high for draw in draws]),
        reason=reason,
    )


def _drawn(draws: Sequence[Score]) -> tuple[float, ...]:
    return tuple(draw.value for draw in draws if draw.value is not None) if len(draws) > 1 else ()


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if len(known) == len(values) else None
