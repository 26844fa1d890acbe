"""How far a probe's probabilities can be taken at their word, before and after a temperature has rescaled them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lit_probe.checks.check import CheckResult
from lit_probe.probing.probes.cross_validation import Folds, stratified_folds
from lit_probe.probing.study import LayerStudy
from lit_probe.progress import Progress, no_progress
from lit_probe.results import Result
from lit_probe.scores.intervals import Units, proportion_interval
from lit_probe.scores.scored_rows import MIN_ROWS, ScoredRows

N_BINS = 15
_MIN_ROWS_OF_MARK = 20  # a mark of the reliability diagram needs so many to say something
# Beyond these, temperatures say no more than "right and far too timid" or "no better than chance".
TEMPERATURE_LIMITS = (0.01, 100.0)

_MIN_ROWS_OF_CLASS = 2


@dataclass(frozen=True)
class ReliabilityPoint(Result):
    """Rows of like confidence, as the reliability diagram shows them.

    Attributes:
      confidence: the mean probability of the class that the probe puts the row in.
      accuracy: the share of the rows that have this class.
      n: the number of rows.
    """

    confidence: float
    accuracy: float
    n: int


@dataclass(frozen=True)
class ReliabilityBin(ReliabilityPoint):
    """Rows of like confidence, and how far chance alone moves their accuracy.

    Attributes:
      spread: the standard deviation of ``accuracy`` over draws of rows, were the probe perfectly calibrated.
    """

    spread: float

    def point(self) -> ReliabilityPoint:
        """The bin without its spread."""
        return ReliabilityPoint(self.confidence, self.accuracy, self.n)


@dataclass(frozen=True)
class ReliabilityMark(ReliabilityPoint):
    """A mark of the reliability diagram.

    Attributes:
      low: the lower end of the 95 % interval of ``accuracy``; None where all rows belong to one or two groups.
      high: its upper end.
    """

    low: float | None
    high: float | None


@dataclass(frozen=True)
class LayerCalibration(Result):
    """The calibration of one layer's probe, as it is and (``_after``) with its probabilities rescaled.

    Attributes:
      layer: the layer's number.
      temperature: the median of ``fold_temperatures``; None where there are no folds.
      fold_temperatures: ``[n_folds]`` the temperature that suits the rows outside each fold.
      brier: the `brier_score`; None where there are no rows.
      log_loss: the mean log-loss in nats; None where there are no rows.
      ece: the `expected_calibration_error`, 0 to 1; None where there are too few rows.
      ece_by_chance: the `expected_error_by_chance`; None where there are too few rows.
      reliability: ``[n_bins]`` the bins by rising confidence; empty where there are too few rows.
      diagram: ``[n_marks]`` the `reliability_marks`; empty where there are too few rows.
      brier_after: the Brier score with the temperature, as ``brier``; None without a temperature, and so the following ones.
      log_loss_after: the log-loss with the temperature, as ``log_loss``.
      ece_after: the calibration error with the temperature, as ``ece``.
      ece_by_chance_after: the error by chance with the temperature, as ``ece_by_chance``.
      reliability_after: the bins with the temperature, as ``reliability``; empty without a temperature.
      diagram_after: the marks with the temperature, as ``diagram``; empty without a temperature.
    """

    layer: int
    temperature: float | None
    fold_temperatures: tuple[float, ...]
    brier: float | None
    log_loss: float | None
    ece: float | None
    ece_by_chance: float | None
    reliability: tuple[ReliabilityPoint, ...]
    diagram: tuple[ReliabilityMark, ...]
    brier_after: float | None
    log_loss_after: float | None
    ece_after: float | None
    ece_by_chance_after: float | None
    reliability_after: tuple[ReliabilityPoint, ...]
    diagram_after: tuple[ReliabilityMark, ...]


@dataclass(frozen=True)
class CalibrationFolds(Result):
    """The folds of the cross-fitted temperatures.

    Attributes:
      n: the number of folds; 0 where there are none.
      by: ``"row"`` or ``"group"``, what the folds keep whole; None where there are none.
    """

    n: int
    by: str | None


@dataclass(frozen=True, kw_only=True)
class Calibration(CheckResult):
    """The answer of `calibrate_layers` and of `calibration`.

    Attributes:
      split: the name of the rows, where they are those of a study.
      n: the number of rows.
      n_bins: the number of bins of the reliability diagram.
      folds: the folds of the temperatures.
      reliable: whether there are rows enough.
      reason: what is lacking, else an empty string.
      layers: ``[n_layers]`` the calibration of each layer.
      notes: sentences for the reader.
    """

    split: str | None = None
    n: int
    n_bins: int
    folds: CalibrationFolds
    reliable: bool
    reason: str
    layers: tuple[LayerCalibration, ...]
    notes: tuple[str, ...]

    omitted_if_none: ClassVar[tuple[str, ...]] = ("split",)


def brier_score(probabilities: ArrayLike, labels: ArrayLike) -> float:
    """The mean squared distance of probabilities from the truth (Brier 1950, Monthly Weather Review 78, 1–3).

    For two classes the squared error of one class's probability, from 0 (perfect) to 1; for more its sum over the classes, from 0
    to 2. That is the convention of scikit-learn's ``brier_score_loss``.

    Args:
      probabilities: ``[n_examples, n_classes]``.
      labels: ``[n_examples]`` class indices.

    >>> round(brier_score([[0.9, 0.1], [0.4, 0.6]], [0, 0]), 6)
    0.185
    >>> brier_score([[1.0, 0.0, 0.0]], [2])
    2.0
    """
    errors = np.array(probabilities, dtype=np.float64)
    n_examples, n_classes = errors.shape
    errors[np.arange(n_examples), np.asarray(labels)] -= 1.0
    return float((errors**2).sum(axis=1).mean()) / (2 if n_classes == 2 else 1)


def reliability_bins(probabilities: ArrayLike, labels: ArrayLike, n_bins: int = N_BINS) -> list[ReliabilityBin]:
    """The rows in ``n_bins`` bins of rising confidence and equal size, give or take one row.

    Rows of the very same confidence cannot be told apart: each counts with their mean accuracy, whichever bin it falls in. The
    order of the rows therefore changes nothing, and a constant probability shows no error that is only chance.

    Args:
      probabilities: ``[n_examples, n_classes]``, at least ``n_bins`` rows.
      labels: ``[n_examples]`` class indices.
      n_bins: the number of bins.
    """
    values = np.asarray(probabilities, dtype=np.float64)
    right = values.argmax(axis=1) == np.asarray(labels)
    distinct, which, counts = np.unique(values.max(axis=1), return_inverse=True, return_counts=True)
    confidences = np.repeat(distinct, counts)
    accuracies = np.repeat(np.bincount(which, weights=right) / counts, counts)
    return [
        ReliabilityBin(
            confidence=float(confidence.mean()),
            accuracy=float(accuracy.mean()),
            n=confidence.size,
            spread=float(np.sqrt(np.maximum(confidence * (1 - confidence), 0).sum())) / confidence.size,
        )
        for confidence, accuracy in zip(np.array_split(confidences, n_bins), np.array_split(accuracies, n_bins), strict=True)
    ]


def reliability_marks(probabilities: ArrayLike, labels: ArrayLike, units: Units = None) -> list[ReliabilityMark]:
    """The rows in groups of rising confidence, each with the 95 % interval of its accuracy, as the diagram draws them.

    As many groups as there are bins, or fewer: each has 20 rows or more, and rows of the very same confidence stay in one.

    Args:
      probabilities: ``[n_examples, n_classes]``.
      labels: ``[n_examples]`` class indices.
      units: codes of the groups of rows that are not independent, or None (`intervals.group_units`).
    """
    values = np.asarray(probabilities, dtype=np.float64)
    right = values.argmax(axis=1) == np.asarray(labels)
    confidence = values.max(axis=1)
    distinct, which, counts = np.unique(confidence, return_inverse=True, return_counts=True)
    least = max(_MIN_ROWS_OF_MARK, -(-len(values) // N_BINS))
    mark_of = np.zeros(len(distinct), dtype=np.int64)
    mark = size = 0
    left = len(values)
    for index, count in enumerate(counts.tolist()):
        if size >= least and left >= _MIN_ROWS_OF_MARK:  # what is left over joins the last mark
            mark, size = mark + 1, 0
        mark_of[index] = mark
        size, left = size + count, left - count
    marks = []
    for number in range(mark + 1):
        rows = mark_of[which] == number
        low, high = proportion_interval(rows & right, rows, units) or (None, None)
        marks.append(ReliabilityMark(float(confidence[rows].mean()), float(right[rows].mean()), int(rows.sum()), low, high))
    return marks


def expected_calibration_error(bins: Sequence[ReliabilityPoint]) -> float:
    """The mean distance of accuracy from confidence, 0 to 1, over bins of equal size: ECE of the top class.

    Bins of equal size (Nguyen & O'Connor 2015, https://aclanthology.org/D15-1182) leave none almost empty, as bins of equal width
    do (Guo et al. 2017, https://proceedings.mlr.press/v70/guo17a.html).
    """
    return sum(one.n * abs(one.accuracy - one.confidence) for one in bins) / sum(one.n for one in bins)


def expected_error_by_chance(bins: list[ReliabilityBin]) -> float:
    """About the `expected_calibration_error` that a perfectly calibrated probe with these confidences has on so many rows.

    Accuracies of finite bins scatter, and the ECE counts every deviation: it is never 0. Normal approximation for independent
    rows; a little too high where nearly all rows are right.
    """
    return sum(one.n * one.spread for one in bins) * float(np.sqrt(2 / np.pi)) / sum(one.n for one in bins)


def rescale(probabilities: ArrayLike, temperature: float) -> NDArray[np.float64]:
    """``[n_examples, n_classes]``: the softmax of the logits divided by ``temperature``; the most probable class stays.

    Above 1 it flattens the probabilities, below 1 it sharpens them.

    >>> rescale([[0.8, 0.2]], temperature=2.0).round(3)
    array([[0.667, 0.333]])
    """
    return _softmax(_logits(probabilities) / temperature)


def fit_temperature(probabilities: ArrayLike, labels: ArrayLike) -> float:
    """The temperature that gives ``labels`` the smallest log-loss, within `TEMPERATURE_LIMITS` (Guo et al. 2017).

    The log-loss is convex in 1 / temperature, so that the root of its derivative is the one minimum.

    Args:
      probabilities: ``[n_examples, n_classes]``, one row or more.
      labels: ``[n_examples]`` class indices.
    """
    from scipy.optimize import brentq  # slow to import

    logits = _logits(probabilities)
    of_label = logits[np.arange(len(logits)), np.asarray(labels)].mean()

    def slope(log_temperature: float) -> float:
        return float((_softmax(logits * np.exp(-log_temperature)) * logits).sum(axis=1).mean() - of_label)

    coldest, hottest = TEMPERATURE_LIMITS
    if slope(np.log(coldest)) <= 0:
        return coldest
    if slope(np.log(hottest)) >= 0:
        return hottest
    return float(np.exp(brentq(slope, np.log(coldest), np.log(hottest), xtol=1e-10)))


def _logits(probabilities: ArrayLike) -> NDArray[np.float64]:
    """The logits up to a constant per row, at most 0; a probability of 0 counts as the smallest number there is."""
    values = np.asarray(probabilities, dtype=np.float64)
    logits: NDArray[np.float64] = np.log(np.maximum(values, np.finfo(np.float64).tiny))
    logits -= logits.max(axis=1, keepdims=True)
    return logits


def _softmax(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    exponentials = np.exp(logits)
    probabilities: NDArray[np.float64] = exponentials / exponentials.sum(axis=1, keepdims=True)
    return probabilities


def calibrate_layers(
    probabilities: ArrayLike,
    labels: ArrayLike,
    groups: ArrayLike | None = None,
    seed: int = 0,
    *,
    label_names: Sequence[str] | None = None,
    progress: Progress = no_progress,
) -> Calibration:
    """The calibration of each layer's probe on the given rows, as it is and after temperature scaling.

    The temperature is cross-fitted: the rows fall into the stratified folds that probes use, by group where groups exist, and the
    rows of a fold are scaled by the temperature that suits the other folds best. No row thus has a say in its own scaling.

    A layer gets the same digits alone as among others.

    Args:
      probabilities: ``[n_examples, n_layers, n_classes]`` of rows on which the probes were not fitted.
      labels: ``[n_examples]`` class indices.
      groups: ``[n_examples]`` what belongs together, or None.
      seed: the seed of the shuffled folds.
      label_names: ``[n_classes]``; None names the classes "0", "1", ….
      progress: called with the layers done and all layers.

    Raises:
      ProbeError: the arrays do not fit together.
    """
    rows = ScoredRows(probabilities, labels, groups, seed, label_names)
    lack = _lack(rows)
    folds = None if lack else stratified_folds(rows.labels, groups, seed)
    notes = [] if folds is None or not folds.note else [f"Temperatures: {folds.note}."]
    layers = []
    at_limit = []
    for layer in range(rows.n_layers):
        before = rows.probabilities[:, layer]
        temperatures: list[float] = []
        after = None
        if folds is not None:
            temperatures, after = _cross_fitted(before, rows.labels, folds)
            if any(temperature in TEMPERATURE_LIMITS for temperature in temperatures):
                at_limit.append(str(layer))
        layers.append(
            LayerCalibration(
                layer,
                float(np.median(temperatures)) if temperatures else None,
                tuple(temperatures),
                *_measures(before, rows.labels, rows.units),
                *_measures(after, rows.labels, rows.units),
            )
        )
        progress(layer + 1, rows.n_layers)
    if at_limit:
        coldest, hottest = TEMPERATURE_LIMITS
        notes.append(f"A temperature lies at its limit, {coldest:g} or {hottest:g}, at layers {', '.join(at_limit)}.")
    return Calibration(
        n=rows.n,
        n_bins=N_BINS,
        folds=CalibrationFolds(0, None) if folds is None else CalibrationFolds(len(folds.pairs), folds.by),
        reliable=not (lack or rows.doubt()),
        reason=lack or rows.doubt(),
        layers=tuple(layers),
        notes=tuple(notes),
    )


def calibration(study: LayerStudy, progress: Progress = no_progress) -> Calibration:
    """`calibrate_layers` on the dev rows of a study."""
    dev = study.splits.dev
    calibrated = calibrate_layers(
        study.probabilities("dev"), dev.labels, dev.groups, study.seed, label_names=dev.label_names, progress=progress
    )
    return replace(calibrated, split="dev")


def _lack(rows: ScoredRows) -> str:
    """Why no temperature can be cross-fitted, or an empty string."""
    if rows.n < MIN_ROWS:
        return f"only {rows.n} rows (fewer than {MIN_ROWS}) for {N_BINS} bins"
    rare = [repr(name) for name, count in zip(rows.label_names, rows.n_by_class, strict=True) if 0 < count < _MIN_ROWS_OF_CLASS]
    return f"a single row of {', '.join(rare)}, so that no two folds have one" if rare else ""


def _cross_fitted(
    probabilities: NDArray[np.float64], labels: NDArray[np.int64], folds: Folds
) -> tuple[list[float], NDArray[np.float64]]:
    """The temperature of each fold's other rows, and all rows rescaled ``[n_examples, n_classes]``."""
    after = np.empty_like(probabilities)
    temperatures = []
    for fitted, held in folds.pairs:
        temperature = fit_temperature(probabilities[fitted], labels[fitted])
        after[held] = rescale(probabilities[held], temperature)
        temperatures.append(temperature)
    return temperatures, after


class _Measures(NamedTuple):
    """One half of a `LayerCalibration`, in the order of its fields."""

    brier: float | None = None
    log_loss: float | None = None
    ece: float | None = None
    ece_by_chance: float | None = None
    reliability: tuple[ReliabilityPoint, ...] = ()
    diagram: tuple[ReliabilityMark, ...] = ()


def _measures(probabilities: NDArray[np.float64] | None, labels: NDArray[np.int64], units: Units) -> _Measures:
    if probabilities is None or not len(probabilities):
        return _Measures()
    # The same losses, and hence digits, as the metric of that name.
    losses = ScoredRows(probabilities[:, None], labels).losses
    brier, log_loss = brier_score(probabilities, labels), float(losses.mean(axis=1)[0])
    if len(probabilities) < MIN_ROWS:
        return _Measures(brier, log_loss)
    bins = reliability_bins(probabilities, labels)
    points = tuple(one.point() for one in bins)
    marks = tuple(reliability_marks(probabilities, labels, units))
    return _Measures(brier, log_loss, expected_calibration_error(bins), expected_error_by_chance(bins), points, marks)
