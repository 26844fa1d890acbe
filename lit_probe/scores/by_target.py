"""How the answers to each target are scored: the one place that tells scores of classes from those of a number.

Predictions are ``[n_examples, n_layers, n_classes]`` probabilities where there are class names, and ``[n_examples, n_layers, 1]``
numbers where there are none.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import ArrayLike

from lit_probe.registry import lookup
from lit_probe.scores.decision import ARGMAX, Decision
from lit_probe.scores.metrics import METRICS, Score, majority_score, metrics_for
from lit_probe.scores.number_rows import NUMBER_METRICS, NumberRows
from lit_probe.scores.scored_rows import ScoredRows

Rows = ScoredRows | NumberRows


class AnyMetric(Protocol):
    """What `Metric` and `NumberMetric` share; ``rows`` are those that `rows_of_target` makes for the metric's target."""

    @property
    def name(self) -> str:
        """The name it is asked for by."""

    @property
    def title(self) -> str:
        """The name people read."""

    @property
    def made_by(self) -> str:
        """How the interval is made."""

    @property
    def decides(self) -> bool:
        """Whether it counts rows by the class that they are put in."""

    @property
    def higher_is_better(self) -> bool:
        """False for losses and errors."""

    def layer_values(self, rows: Any) -> list[float | None]:
        """The value per layer, or None where it is not defined."""

    def score(self, rows: Any) -> list[Score]:
        """One `Score` per layer."""

    def doubt(self, rows: Any) -> str:
        """Why its scores on these rows say little, or an empty string."""


# Every metric whose name needs no class.
ALL_METRICS: dict[str, AnyMetric] = {**METRICS, **NUMBER_METRICS}


def rows_of_target(
    predictions: ArrayLike,
    labels: ArrayLike,
    groups: ArrayLike | None = None,
    seed: int = 0,
    label_names: Sequence[str] = (),
    decision: Decision = ARGMAX,
) -> Rows:
    """Rows to be scored: `ScoredRows` where there are class names, else `NumberRows`.

    Raises:
      ProbeError: the arrays do not fit together.
    """
    if label_names:
        return ScoredRows(predictions, labels, groups, seed, label_names, decision)
    return NumberRows(predictions, labels, groups, seed)


def metrics_of(label_names: Sequence[str]) -> Mapping[str, AnyMetric]:
    """The metrics of these classes (`metrics_for`); of a number where there are none.

    >>> list(metrics_of(()))
    ['r2', 'pearson', 'spearman', 'mae']
    """
    return metrics_for(label_names) if label_names else NUMBER_METRICS


def loss_of(label_names: Sequence[str]) -> AnyMetric:
    """By which metric the layer is chosen among those that are about as good by the headline: log-loss, mean absolute error."""
    return ALL_METRICS["log_loss" if label_names else "mae"]


def trivial_score(metric: str, train_labels: ArrayLike, labels: ArrayLike, label_names: Sequence[str]) -> float | None:
    """What a probe scores that knows only the class frequencies of train (`majority_score`), or only the mean of its numbers.

    >>> trivial_score("mae", [1.0, 3.0], [0.0, 5.0], ())
    2.5
    """
    if label_names:
        return majority_score(metric, train_labels, labels, label_names)
    mean = float(np.mean(np.asarray(train_labels, dtype=np.float64)))
    rows = NumberRows(np.full((np.size(labels), 1, 1), mean), labels)
    return lookup(NUMBER_METRICS, metric, "metric").layer_values(rows)[0]


def trivial_key(metric: str) -> str:
    """Under which key `trivial_score` stands in tables and files.

    >>> trivial_key("accuracy"), trivial_key("r2")
    ('majority_accuracy', 'mean_r2')
    """
    return f"{'mean' if metric in NUMBER_METRICS else 'majority'}_{metric}"


def trivial_title(metric: str) -> str:
    """What scores so, for the reader.

    >>> trivial_title("accuracy"), trivial_title("r2")
    ('majority class', 'mean of train')
    """
    return "mean of train" if metric in NUMBER_METRICS else "majority class"
