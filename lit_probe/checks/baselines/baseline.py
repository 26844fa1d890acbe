"""What a baseline is: probabilities for the dev rows, scored as the probes are."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from lit_probe.encoder.cache import Cache
from lit_probe.probing.study import LayerStudy
from lit_probe.progress import Progress
from lit_probe.scores.metrics import Score, score_layers


@dataclass(frozen=True, eq=False)
class Predictions:
    """What a baseline, fitted on train, says of the dev rows.

    Attributes:
      probabilities: ``[n_draws, n_dev, n_layers, n_classes]``; one draw only where nothing is random, one layer only where the
        baseline reads no encoder.
      not_converged: the layers (0 where there is one only) whose fit stopped before its tolerance.
      settings: what was chosen on the way, JSON-ready.
      notes: sentences for the reader.
    """

    probabilities: NDArray[np.float64]
    not_converged: Sequence[int] = ()
    settings: Mapping[str, Any] = field(default_factory=dict)
    notes: Sequence[str] = ()


@dataclass(frozen=True)
class Baseline:
    """Something simpler that a probe's score is to be compared with.

    Attributes:
      title: the name people read.
      per_layer: whether there is one score per layer, or one for the data set.
      predict: fits it on train and predicts dev; calls its last argument with how much is done of how much.
      color: of its line, in the panel as in the figure, as ``#RRGGBB``.
      dash: lengths of the strokes and gaps of its line, as in SVG's ``stroke-dasharray``: ``"5 3"``. No two baselines share one,
        so that a grey print tells them apart.
      marker: the mark on each layer's score (``circle``, ``diamond`` or ``square``); None where there is one line for all layers.
      in_figure: whether the figure of the command line draws it, which has less room than the panel.
    """

    title: str
    per_layer: bool
    predict: Callable[[LayerStudy, Cache, Progress], Predictions]
    color: str
    dash: str
    marker: Literal["circle", "diamond", "square"] | None = None
    in_figure: bool = False

    def measure(self, study: LayerStudy, cache: Cache, progress: Progress) -> dict[str, Any]:
        """Its score on dev by the study's headline metric, with the 95 % interval that probes get; JSON-ready.

        Of several draws, the means of their scores and of the ends of their intervals: an interval as wide as for one draw.

        Keys: ``title``, ``per_layer``, ``metric``, ``not_converged``, ``settings``, ``notes``; then ``score``, ``low``, ``high``,
        ``reliable`` and ``reason``, or ``layers`` with one dict of these and ``layer`` per layer.

        Raises:
          LitProbeError: it cannot be fitted to these data, or ``progress`` has cancelled it.
        """
        predictions = self.predict(study, cache, progress)
        dev = study.splits.dev
        draws = [
            score_layers(study.headline, draw, dev.labels, dev.groups, study.seed, label_names=dev.label_names)
            for draw in predictions.probabilities
        ]
        scores = [_mean_score(layer) for layer in zip(*draws, strict=True)]
        return self._json(study, scores, predictions.not_converged, predictions.settings, predictions.notes)

    def failure(self, study: LayerStudy, reason: str) -> dict[str, Any]:
        """What `measure` would give, without a score but with the reason."""
        score = Score(None, None, None, len(study.splits.dev), False, reason)
        return self._json(study, [score] * (study.encoder.n_layers if self.per_layer else 1))

    def _json(
        self,
        study: LayerStudy,
        scores: Sequence[Score],
        not_converged: Sequence[int] = (),
        settings: Mapping[str, Any] = MappingProxyType({}),
        notes: Sequence[str] = (),
    ) -> dict[str, Any]:
        cells = [
            {"score": score.value, "low": score.low, "high": score.high, "reliable": score.reliable, "reason": score.reason}
            for score in scores
        ]
        return {
            "title": self.title,
            "per_layer": self.per_layer,
            "metric": study.headline,
            "not_converged": list(not_converged),
            "settings": dict(settings),
            "notes": list(notes),
            **({"layers": [{"layer": layer, **cell} for layer, cell in enumerate(cells)]} if self.per_layer else cells[0]),
        }


def _mean_score(draws: Sequence[Score]) -> Score:
    reason = "; ".join(dict.fromkeys(draw.reason for draw in draws if draw.reason))
    return replace(
        draws[0],
        value=_mean([draw.value for draw in draws]),
        low=_mean([draw.low for draw in draws]),
        high=_mean([draw.high for draw in draws]),
        reason=reason,
    )


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if len(known) == len(values) else None
