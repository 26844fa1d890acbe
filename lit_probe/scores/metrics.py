"""How good the probes of all layers are on given rows: scores with 95 % intervals."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lit_probe.registry import lookup
from lit_probe.results import Result
from lit_probe.scores.auroc import auroc, auroc_interval
from lit_probe.scores.class_means import balanced_accuracy_interval, f1_interval, macro_f1_interval, mcc_interval
from lit_probe.scores.decision import ARGMAX, Decision
from lit_probe.scores.intervals import Interval, Units, mean_loss_interval, proportion_interval
from lit_probe.scores.scored_rows import Counts, ScoredRows

__all__ = [
    "METRICS",
    "SCORE_INTERVALS",
    "Metric",
    "Score",
    "ScoredRows",
    "accuracy",
    "balanced_accuracy",
    "is_unbalanced",
    "majority_score",
    "metrics_for",
    "score_layers",
]

IMBALANCED_SHARE = 0.6

# How the intervals of all metrics are made, in words.
SCORE_INTERVALS = (
    "Wilson for shares, Newcombe for AUROC, Jeffreys per class (combined by MOVER) for balanced accuracy and F1, Fisher's z for "
    "Matthews correlation, Student's t of the log for log-loss; of groups, where there are groups"
)


@dataclass(frozen=True)
class Score(Result):
    """One metric of one layer.

    Attributes:
      value: the score, or None where it is not defined on these rows.
      low: lower end of the 95 % interval, or None where there is none.
      high: upper end.
      n: the number of rows that were scored.
      reliable: False where the rows are too few to say much; such scores are shown in grey.
      reason: why the score is unreliable or it or its interval is missing, else an empty string.
    """

    value: float | None
    low: float | None
    high: float | None
    n: int
    reliable: bool
    reason: str = ""


@dataclass(frozen=True)
class Metric:
    """A metric of all layers at once.

    Attributes:
      name: the name it is asked for by, and its key in tables.
      title: the name people read.
      needs: which rows it takes for the metric to be defined.
      values: the metric ``[n_layers]``, or ``[n_layers, n_classes]`` if per class; NaN where not defined.
      interval: its 95 % interval for one layer, from the rows, the layer, the class and the value; None where there is none.
      no_interval: why there is none then.
      made_by: how the interval is made, in words that cards compare: change them when the numbers change.
      per_class: whether there is one of it per class, named ``precision:positive`` and so on (`metrics_for`).
      decides: whether it counts rows by the class that they are put in; else it reads the probabilities themselves.
      higher_is_better: False for losses.
      class_index: the class of a per-class metric in use.
    """

    name: str
    title: str
    needs: Literal["a row", "a row of its class", "rows of two classes", "rows of every class"]
    values: Callable[[ScoredRows], NDArray[np.float64]]
    interval: Callable[[ScoredRows, int, int | None, float], Interval | None]
    no_interval: str
    made_by: str
    per_class: bool = False
    decides: bool = True
    higher_is_better: bool = True
    class_index: int | None = None

    def layer_values(self, rows: ScoredRows) -> list[float | None]:
        """The value per layer, or None where it is not defined."""
        if self._lack(rows):
            return [None] * rows.n_layers
        values = self.values(rows) if self.class_index is None else self.values(rows)[:, self.class_index]
        return [None if np.isnan(value) else float(value) for value in values]

    def score(self, rows: ScoredRows) -> list[Score]:
        """One `Score` per layer."""
        lack = self._lack(rows)
        doubt = self.doubt(rows)
        scores = []
        for layer, value in enumerate(self.layer_values(rows)):
            if value is None:
                scores.append(Score(None, None, None, rows.n, False, lack or self._not_predicted(rows)))
                continue
            interval = self.interval(rows, layer, self.class_index, value)
            low, high = (min(interval[0], value), max(interval[1], value)) if interval else (None, None)
            reasons = (doubt, "" if interval else f"no interval: {self.no_interval}")
            scores.append(Score(value, low, high, rows.n, not doubt, "; ".join(filter(None, reasons))))
        return scores

    def doubt(self, rows: ScoredRows) -> str:
        """Why its scores on these rows say little, or an empty string.

        Few rows of a class spoil the metrics that give each class the same weight, and those of that class; accuracy, log-loss
        and Matthews correlation weigh rows, and a rare class is no harm to them.
        """
        every_class_counts = self.needs == "rows of every class" and self.class_index is None
        return rows.doubt(rows.rarest_class if every_class_counts else self.class_index)

    def _lack(self, rows: ScoredRows) -> str:
        """Which rows are missing for the metric to be defined, or an empty string."""
        if not rows.n:
            return "no rows"
        if self.needs == "a row of its class" and not rows.n_by_class[self.class_index or 0]:
            return f"no row has {rows.label_names[self.class_index or 0]!r}"
        if self.needs == "rows of two classes" and (rows.n_by_class > 0).sum() < 2:
            return "all rows have the same class"
        if self.needs == "rows of every class" and rows.missing_classes():
            return f"no row has {rows.missing_classes()}"
        return ""

    def _not_predicted(self, rows: ScoredRows) -> str:
        return f"the probe puts no row in {rows.label_names[self.class_index or 0]!r}"


def _ratio(numerator: NDArray[np.float64], denominator: NDArray[np.float64]) -> NDArray[np.float64]:
    """Elementwise; NaN, which in this file means "not defined", where the denominator is 0."""
    return np.divide(numerator, denominator, out=np.full(np.shape(denominator), np.nan), where=denominator != 0)


def _mean_of_defined(values: NDArray[np.float64]) -> NDArray[np.float64]:
    defined = ~np.isnan(values)
    return _ratio(np.where(defined, values, 0.0).sum(axis=-1), defined.sum(axis=-1).astype(np.float64))


def accuracy(counts: Counts) -> NDArray[np.float64]:
    """``[…]`` share of rows that the probe puts in their class."""
    return _ratio(counts.hits.sum(axis=-1), counts.actual.sum(axis=-1))


def _precision(counts: Counts) -> NDArray[np.float64]:
    return _ratio(counts.hits, counts.predicted)


def _recall(counts: Counts) -> NDArray[np.float64]:
    return _ratio(counts.hits, counts.actual)


def _f1(counts: Counts) -> NDArray[np.float64]:
    return _ratio(2 * counts.hits, counts.actual + counts.predicted)


# A resample may lack a class that the rows have; these two then average over the classes it has.
def balanced_accuracy(counts: Counts) -> NDArray[np.float64]:
    """``[…]`` mean over classes of the share of their rows that the probe puts there."""
    return _mean_of_defined(_recall(counts))


def _macro_f1(counts: Counts) -> NDArray[np.float64]:
    return _mean_of_defined(_f1(counts))


def _mcc(counts: Counts) -> NDArray[np.float64]:
    """For any number of classes (Gorodkin 2004, https://doi.org/10.1016/j.compbiolchem.2004.09.006); 0 if constant."""
    n = counts.actual.sum(axis=-1)
    covariance = n * counts.hits.sum(axis=-1) - (counts.actual * counts.predicted).sum(axis=-1)
    variances = (n**2 - (counts.actual**2).sum(axis=-1)) * (n**2 - (counts.predicted**2).sum(axis=-1))
    correlation: NDArray[np.float64] = np.divide(
        covariance, np.sqrt(variances), out=np.zeros_like(covariance), where=variances > 0
    )
    return correlation


def _auroc(rows: ScoredRows) -> NDArray[np.float64]:
    return np.array([auroc(rows.probabilities[:, layer], rows.labels, rows.n_classes) for layer in range(rows.n_layers)])


def _auroc_interval(rows: ScoredRows, layer: int, class_index: int | None, value: float) -> Interval | None:
    return auroc_interval(rows.probabilities[:, layer], rows.labels, rows.n_classes, rows.units)


def _log_loss(rows: ScoredRows) -> NDArray[np.float64]:
    means: NDArray[np.float64] = rows.losses.mean(axis=1)
    return means


def _log_loss_interval(rows: ScoredRows, layer: int, class_index: int | None, value: float) -> Interval | None:
    return mean_loss_interval(rows.losses[layer], rows.units)


_ONE_GROUP = "all its rows belong to one or two groups"
_GROUP_OF_A_CLASS = "all rows of a class belong to one or two groups"
_ONE_OF_A_CLASS = "a class has a single row or group"
_NO_VARIATION = "all rows, or all groups, give the same"


def _proportion(name: str, title: str, statistic: Callable[[Counts], NDArray[np.float64]], **fields: Any) -> Metric:
    """A share of rows that are right: of all rows, of those that have the class (recall) or of those put in it (precision)."""

    def interval(rows: ScoredRows, layer: int, class_index: int | None, value: float) -> Interval | None:
        predicted = rows.predicted[layer]
        trials = np.ones(rows.n, dtype=bool)
        if class_index is not None:
            trials = (rows.labels if statistic is _recall else predicted) == class_index
        return proportion_interval(trials & (predicted == rows.labels), trials, rows.units)

    return Metric(
        name,
        title,
        values=lambda rows: statistic(rows.counts),
        interval=interval,
        no_interval=_ONE_GROUP,
        made_by="Wilson, of as many rows as the groups are worth",
        **fields,
    )


def _of_counts(
    name: str,
    title: str,
    statistic: Callable[[Counts], NDArray[np.float64]],
    interval: Callable[[NDArray[np.int64], NDArray[np.int64], int, Units], Interval | None],
    **fields: Any,
) -> Metric:
    """Any other function of the counts, with the interval of answers, labels, number of classes (or the class) and groups."""

    def of_layer(rows: ScoredRows, layer: int, class_index: int | None, value: float) -> Interval | None:
        of_classes = rows.n_classes if class_index is None else class_index
        return interval(rows.predicted[layer], rows.labels, of_classes, rows.units)

    return Metric(name, title, values=lambda rows: statistic(rows.counts), interval=of_layer, **fields)


METRICS: dict[str, Metric] = {
    "accuracy": _proportion("accuracy", "Accuracy", accuracy, needs="a row"),
    "balanced_accuracy": _of_counts(
        "balanced_accuracy",
        "Balanced accuracy",
        balanced_accuracy,
        balanced_accuracy_interval,
        needs="rows of every class",
        no_interval=_GROUP_OF_A_CLASS,
        made_by="Jeffreys per class, combined by MOVER",
    ),
    "macro_f1": _of_counts(
        "macro_f1",
        "Macro F1",
        _macro_f1,
        macro_f1_interval,
        needs="rows of every class",
        no_interval=_GROUP_OF_A_CLASS,
        made_by="Jeffreys per class, combined by MOVER with the correlation of their errors",
    ),
    "mcc": _of_counts(
        "mcc",
        "Matthews correlation",
        _mcc,
        mcc_interval,
        needs="rows of two classes",
        no_interval=_NO_VARIATION,
        made_by="Fisher's z, the wider of two",
    ),
    "auroc": Metric(
        "auroc",
        "AUROC",
        "rows of every class",
        _auroc,
        _auroc_interval,
        _ONE_OF_A_CLASS,
        made_by="Newcombe, scaled to DeLong's variance",
        decides=False,
    ),
    "log_loss": Metric(
        "log_loss",
        "Log-loss (nats)",
        "a row",
        _log_loss,
        _log_loss_interval,
        _NO_VARIATION,
        made_by="Student's t of the log",
        decides=False,
        higher_is_better=False,
    ),
    "precision": _proportion("precision", "Precision", _precision, needs="a row", per_class=True),
    "recall": _proportion("recall", "Recall", _recall, needs="a row of its class", per_class=True),
    "f1": _of_counts(
        "f1",
        "F1",
        _f1,
        f1_interval,
        needs="a row",
        no_interval=_ONE_GROUP,
        made_by="Jeffreys of the share that is right of the rows of the class and those put in it",
        per_class=True,
    ),
}


def metrics_for(label_names: Sequence[str]) -> dict[str, Metric]:
    """`METRICS` for a data set with these classes: each per-class metric becomes one per class.

    >>> list(metrics_for(["negative", "positive"]))[5:9]
    ['log_loss', 'precision:negative', 'precision:positive', 'recall:negative']
    >>> metrics_for(["negative", "positive"])["recall:positive"].title
    'Recall (positive)'
    """
    found: dict[str, Metric] = {}
    for metric in METRICS.values():
        if not metric.per_class:
            found[metric.name] = metric
            continue
        for index, label in enumerate(label_names):
            name = f"{metric.name}:{label}"
            found[name] = replace(metric, name=name, title=f"{metric.title} ({label})", class_index=index)
    return found


def score_layers(
    metric: str,
    probabilities: ArrayLike,
    labels: ArrayLike,
    groups: ArrayLike | None = None,
    seed: int = 0,
    *,
    label_names: Sequence[str] | None = None,
    decision: Decision = ARGMAX,
) -> list[Score]:
    """One score per layer on the given rows.

    The same rows in the same order give the same digits, whichever layers and metrics are scored beside this one.

    Args:
      metric: a name of `metrics_for`: ``"accuracy"``, … or, with the class after a colon, ``"recall:positive"``.
      probabilities: ``[n_examples, n_layers, n_classes]``.
      labels: ``[n_examples]`` class indices.
      groups: ``[n_examples]`` what is not independent of each other, or None.
      seed: the seed of the bootstrap.
      label_names: ``[n_classes]``; None names the classes "0", "1", ….
      decision: the rule by which probabilities become a class.

    Raises:
      UnknownNameError: there is no such metric.
      ProbeError: the arrays do not fit together.

    >>> probabilities = np.array([[[0.9, 0.1]], [[0.2, 0.8]], [[0.6, 0.4]]])
    >>> score = score_layers("recall:1", probabilities, [0, 1, 1])[0]
    >>> score.value, score.reliable, score.reason
    (0.5, False, 'only 3 rows (fewer than 30)')
    """
    rows = ScoredRows(probabilities, labels, groups, seed, label_names, decision)
    return lookup(metrics_for(rows.label_names), metric, "metric").score(rows)


def majority_score(metric: str, train_labels: ArrayLike, labels: ArrayLike, label_names: Sequence[str]) -> float | None:
    """What a probe that knows only the class frequencies of train scores on ``labels``.

    It puts every row in the largest class of train (the lower index on a tie), so its AUROC is 0.5 and its log-loss that of the
    train frequencies.

    Args:
      metric: a name of `metrics_for`.
      train_labels: ``[n_train]`` class indices.
      labels: ``[n_examples]`` class indices of the rows that are scored.
      label_names: ``[n_classes]``.

    Returns:
      The score, or None where it is not defined.

    >>> majority_score("accuracy", train_labels=[0, 1, 1], labels=[1, 0, 0, 0], label_names=["negative", "positive"])
    0.25
    """
    frequencies = np.bincount(np.asarray(train_labels, dtype=np.int64), minlength=len(label_names)) / np.size(train_labels)
    constant = np.broadcast_to(frequencies, (np.size(labels), 1, len(label_names)))
    rows = ScoredRows(constant, labels, label_names=label_names)
    return lookup(metrics_for(label_names), metric, "metric").layer_values(rows)[0]


def is_unbalanced(labels: ArrayLike, n_classes: int) -> bool:
    """Whether one class holds more than 60 % of the labels: naming it always is then right too often for accuracy to say much.

    >>> is_unbalanced([0, 1, 1], n_classes=2), is_unbalanced([0, 1, 1, 0], n_classes=2)
    (True, False)
    """
    values = np.asarray(labels, dtype=np.int64)
    return bool(np.bincount(values, minlength=n_classes).max() / max(values.size, 1) > IMBALANCED_SHARE)
