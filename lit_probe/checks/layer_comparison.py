"""Which layers can be told apart: paired tests on dev, and what choosing a layer there adds to its score."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lit_probe.checks.check import CheckResult
from lit_probe.errors import DatasetError
from lit_probe.probing.study import LayerStudy
from lit_probe.registry import within_sentence
from lit_probe.results import Result
from lit_probe.scores.auroc import auroc_draws
from lit_probe.scores.by_target import ALL_METRICS, Rows
from lit_probe.scores.intervals import percentile_interval
from lit_probe.scores.metrics import accuracy, balanced_accuracy
from lit_probe.scores.number_rows import NumberRows

SIGNIFICANCE = 0.05


@dataclass(frozen=True)
class ComparedLayer(Result):
    """One layer against the chosen one. In the chosen layer's own row None stands for all that cannot be.

    Attributes:
      layer: the layer's number.
      difference: its score less that of the chosen layer.
      low: the lower end of the pointwise 95 % interval of the difference; None where every draw gives the same.
      high: the upper end.
      p_bootstrap: the p-value of the bootstrap test, two-sided.
      p_mcnemar: the p-value of McNemar's test, two-sided; None unless it applies.
      p_holm: the p-value that counts, corrected over all pairs of layers.
      indistinguishable: whether ``p_holm`` is 0.05 or more.
    """

    layer: int
    difference: float
    low: float | None
    high: float | None
    p_bootstrap: float | None
    p_mcnemar: float | None
    p_holm: float | None
    indistinguishable: bool


@dataclass(frozen=True)
class Optimism(Result):
    """The answer of `optimism`. None stands where a split has no score, or no interval because its rows are one group.

    Attributes:
      layer: the layer that was chosen on dev.
      dev: its score on dev.
      dev_low: the lower end of the 95 % interval of that.
      dev_high: the upper end.
      test: its score on test.
      test_low: the lower end of the 95 % interval of that.
      test_high: the upper end.
      optimism: ``dev`` less ``test``.
      low: the lower end of the 95 % interval of that.
      high: the upper end.
      reliable: whether both splits have rows enough.
      reason: what is wrong with which split, else an empty string.
    """

    layer: int
    dev: float | None
    dev_low: float | None
    dev_high: float | None
    test: float | None
    test_low: float | None
    test_high: float | None
    optimism: float | None
    low: float | None
    high: float | None
    reliable: bool
    reason: str


@dataclass(frozen=True)
class LayerComparison(CheckResult):
    """The answer of `compare_layers`.

    Attributes:
      best_layer: the layer that was chosen on dev.
      metric: the name of the headline metric.
      significance_test: ``"mcnemar"`` or ``"bootstrap"``, the test whose p-values count.
      layers: ``[n_layers]`` each layer against the chosen one.
      optimism: what the choice of the layer adds to its score.
      reliable: whether dev has rows enough.
      reason: what is lacking, else an empty string.
      notes: sentences for the reader.
    """

    best_layer: int
    metric: str
    significance_test: str
    layers: tuple[ComparedLayer, ...]
    optimism: Optimism
    reliable: bool
    reason: str
    notes: tuple[str, ...]


@dataclass(frozen=True)
class ComparedPair(Result):
    """The answer of `compare_two_layers`.

    Attributes:
      layer: the number of the one layer.
      other: the number of the other layer.
      metric: the name of the headline metric.
      difference: the score of ``layer`` less that of ``other``.
      low: the lower end of the 95 % interval of that (bootstrap on the same draws); None where every draw gives the same.
      high: the upper end.
      p_bootstrap: the p-value of the bootstrap test, two-sided.
      p_mcnemar: the p-value of McNemar's test, two-sided; None unless it applies.
      reliable: whether dev has rows enough.
      reason: what is lacking, else an empty string.
    """

    layer: int
    other: int
    metric: str
    difference: float
    low: float | None
    high: float | None
    p_bootstrap: float
    p_mcnemar: float | None
    reliable: bool
    reason: str


def compare_layers(study: LayerStudy) -> LayerComparison:
    """Compares every layer with the chosen one by the headline metric on dev.

    Test is not read, except for the one score that `LayerStudy.test_metrics` reports.

    The layer was chosen on the rows it is compared on, so it may be good by luck: among equal layers, a correction over the
    comparisons with the best alone would find a difference in about 10 % of data sets for 7 layers, 17 % for 13. Holm's
    correction therefore runs over all pairs of layers, of which those with the chosen one are reported; then it is 5 % at most.

    Raises:
      DatasetError: there is one layer only, or a layer has no score on dev.
    """
    scores = PairedScores.of(study)
    n_layers, best = len(scores.values), study.best_layer
    if n_layers < 2:
        raise DatasetError("There is one layer only and nothing to compare it with.")
    pairs = [tuple(sorted(pair)) for pair in combinations(range(n_layers), 2)]
    adjusted = dict(zip(pairs, holm([scores.p_value(*pair) for pair in pairs]), strict=True))

    def row(layer: int) -> ComparedLayer:
        if layer == best:
            return ComparedLayer(layer, 0.0, None, None, None, None, None, True)
        p_holm = adjusted[min(layer, best), max(layer, best)]
        return ComparedLayer(layer, *scores.compare(layer, best), p_holm, p_holm >= SIGNIFICANCE)

    test_name = "McNemar's test" if scores.use_mcnemar else "The bootstrap test"
    notes = [
        f"{test_name} on {len(study.splits.dev):,} dev rows, corrected by Holm over all {len(pairs)} pairs of layers, because "
        "the layer was chosen on these rows."
    ]
    if scores.doubt:
        notes.insert(0, f"Not to be relied on: {scores.doubt}.")
    if study.headline == "accuracy" and not scores.use_mcnemar:
        notes.append("McNemar's test takes rows as independent and does not apply to rows in groups.")
    rows = tuple(row(layer) for layer in range(n_layers))
    notes += [
        f"Layer {one.layer} scores better than layer {best}, which was chosen, by {one.difference:.3f} (p = {one.p_holm:.3f})."
        for one in rows
        if one.difference > 0 and not one.indistinguishable
    ]
    choice = optimism(study)
    if choice.reason:
        notes.append(f"Optimism of the choice: {choice.reason}.")
    return LayerComparison(
        best_layer=best,
        metric=study.headline,
        significance_test="mcnemar" if scores.use_mcnemar else "bootstrap",
        layers=rows,
        optimism=choice,
        reliable=not scores.doubt,
        reason=scores.doubt,
        notes=tuple(notes),
    )


def compare_two_layers(study: LayerStudy, layer: int, other: int) -> ComparedPair:
    """Compares any two layers by the headline metric on dev: ``layer`` less ``other``.

    For two layers named beforehand the p-values hold as they are; for the most different of several see `compare_layers`.

    Raises:
      UnknownNameError: there is no such layer.
      DatasetError: a layer has no score on dev.
    """
    study.check_layer(layer)
    study.check_layer(other)
    scores = PairedScores.of(study)
    return ComparedPair(layer, other, study.headline, *scores.compare(layer, other), not scores.doubt, scores.doubt)


class Difference(NamedTuple):
    """The score of one layer less that of another, see `ComparedPair`."""

    difference: float
    low: float | None
    high: float | None
    p_bootstrap: float
    p_mcnemar: float | None


@dataclass(frozen=True, eq=False)
class PairedScores:
    """The scores of all layers on the same rows and on the same resamples of these rows, so that differences are paired.

    Attributes:
      values: ``[n_layers]`` the scores.
      draws: ``[n_layers, n_draws]`` the scores on each bootstrap resample of the rows, or of their groups.
      right: ``[n_layers, n_examples]`` whether the layer's probe is right; empty of a number.
      n_units: the number of rows, or groups.
      use_mcnemar: whether McNemar's test applies: to accuracy, on rows that are independent.
      doubt: why the rows are too few to say much, or an empty string.
    """

    values: tuple[float, ...]
    draws: NDArray[np.float64]
    right: NDArray[np.bool_]
    n_units: int
    use_mcnemar: bool
    doubt: str

    @classmethod
    def of(cls, study: LayerStudy) -> PairedScores:
        """Those of a study's layers on dev, by its headline metric.

        Raises:
          DatasetError: a layer has no score.
        """
        return cls.of_rows(study.headline, study.dev_rows(study.predictions("dev")))

    @classmethod
    def of_rows(cls, metric: str, rows: Rows) -> PairedScores:
        """Those of all layers, or of whatever else stands in their place, on rows of dev.

        Raises:
          DatasetError: one of them has no score.
        """
        mcnemar = metric == "accuracy" and rows.units is None
        doubt = ALL_METRICS[metric].doubt(rows)
        right = np.empty((rows.n_layers, 0), dtype=np.bool_)
        if not isinstance(rows, NumberRows):
            right = rows.predicted == rows.labels
        return cls(
            defined_scores(metric, rows),
            score_draws(metric, rows),
            right,
            rows.n_units,
            mcnemar,
            f"dev has {doubt}" if doubt else "",
        )

    def compare(self, layer: int, other: int) -> Difference:
        """``layer`` less ``other``: difference, interval and p-values."""
        difference = self.values[layer] - self.values[other]
        low, high = percentile_interval(self.draws[layer] - self.draws[other], difference) or (None, None)
        p_mcnemar = self._p_mcnemar(layer, other) if self.use_mcnemar else None
        return Difference(difference, low, high, self._p_bootstrap(layer, other), p_mcnemar)

    def p_value(self, layer: int, other: int) -> float:
        """The p-value of the test that applies, two-sided: McNemar's if it does, else the bootstrap's."""
        return self._p_mcnemar(layer, other) if self.use_mcnemar else self._p_bootstrap(layer, other)

    def _p_mcnemar(self, layer: int, other: int) -> float:
        only_layer = int((self.right[layer] & ~self.right[other]).sum())
        only_other = int((self.right[other] & ~self.right[layer]).sum())
        return mcnemar_p(only_layer, only_other)

    def _p_bootstrap(self, layer: int, other: int) -> float:
        return difference_p(self.values[layer] - self.values[other], self.draws[layer] - self.draws[other], self.n_units)


def defined_scores(metric: str, rows: Rows) -> tuple[float, ...]:
    """``[n_layers]`` the scores of the rows by a headline metric.

    Raises:
      DatasetError: a score is not defined, because a class is missing among the rows.
    """
    scores = ALL_METRICS[metric].score(rows)
    values = tuple(score.value for score in scores if score.value is not None)
    if len(values) < len(scores):
        raise DatasetError(f"There is no {within_sentence(ALL_METRICS[metric].title)} on dev: {scores[0].reason}.")
    return values


def score_draws(metric: str, rows: Rows) -> NDArray[np.float64]:
    """``[n_layers, n_draws]`` a headline metric on each bootstrap resample of the rows, or of their groups.

    Rows of the same number and seed get the same resamples, whatever their labels and probabilities: their draws are paired.
    """
    if isinstance(rows, NumberRows):
        return rows.resampled_r2
    if metric == "auroc":
        return auroc_draws(rows.probabilities, rows.labels, rows.n_classes, rows.units, rows.seed)
    statistics = {"accuracy": accuracy, "balanced_accuracy": balanced_accuracy}
    return statistics[metric](rows.resampled_counts)


def difference_p(difference: float, draws: ArrayLike, n_units: int) -> float:
    """Two-sided p-value of a difference from its bootstrap ``draws`` ``[n_draws]``.

    Student's t with ``n_units`` - 1 degrees of freedom, the standard error being that of the draws (times n / (n - 1) in the
    variance, as resampling n units understates it). Unlike a count of draws beyond 0 it can be as small as a correction over many
    pairs of layers asks for. Where all draws agree, so do all units, and the p-value is that of the sign test.

    >>> round(difference_p(0.0196, [-0.01, 0.01, -0.01, 0.01], n_units=1_000_000), 4)
    0.0896
    """
    from scipy.special import stdtr  # slow to import, and a start from the cache compares nothing

    values = np.asarray(draws, dtype=np.float64)
    if values.min() == values.max():
        return 1.0 if difference == 0 else min(1.0, 2.0 ** (1 - n_units))
    error = float(values.std(ddof=1)) * float(np.sqrt(n_units / (n_units - 1)))
    return float(2 * stdtr(n_units - 1, -abs(difference) / error))


def mcnemar_p(n_only_first: int, n_only_second: int) -> float:
    """McNemar's test of two probes on the same rows: the two-sided mid-p of the exact binomial.

    McNemar (1947, https://doi.org/10.1007/BF02295996); the mid-p counts half of the observed outcome's probability, which keeps
    the level where the exact test stays far below it (Fagerland, Lydersen & Laake 2013, https://doi.org/10.1186/1471-2288-13-91).

    Args:
      n_only_first: rows on which only the first is right.
      n_only_second: rows on which only the second is right.

    >>> mcnemar_p(3, 3), round(mcnemar_p(1, 9), 4)
    (1.0, 0.0117)
    """
    from scipy.special import bdtr  # slow to import, and a start from the cache compares nothing

    n, least = n_only_first + n_only_second, min(n_only_first, n_only_second)
    below = float(bdtr(least - 1, n, 0.5)) if least else 0.0
    # twice (the probability of fewer plus half that of as many)
    return min(1.0, below + float(bdtr(least, n, 0.5)))


def holm(p_values: Sequence[float]) -> list[float]:
    """P-values adjusted for their number (Holm 1979, https://www.jstor.org/stable/4615733); the family-wise error is kept.

    >>> holm([0.01, 0.04, 0.03])
    [0.03, 0.06, 0.06]
    """
    values = np.asarray(p_values, dtype=np.float64)
    order = np.argsort(values, kind="stable")
    steps = values[order] * np.arange(len(values), 0, -1)
    adjusted = np.empty_like(values)
    adjusted[order] = np.minimum(np.maximum.accumulate(steps), 1.0)
    return [float(value) for value in adjusted]


def optimism(study: LayerStudy) -> Optimism:
    """How much better the dev-chosen layer looks on dev, where it was chosen, than on test.

    The chosen one of several layers is in part chosen by luck, and its dev score says more than the truth; its test score does
    not. The interval of the difference takes dev and test as independent and combines their two intervals (Zou & Donner 2008,
    https://doi.org/10.1002/sim.3095).
    """
    tested = study.test_metrics().scores[study.headline]
    score = study.dev_scores(study.predictions("dev"))[study.best_layer]
    on_dev = (score.value, score.low, score.high)
    on_test = (tested.value, tested.low, tested.high)
    reasons = {"dev": score.reason, "test": tested.reason}
    reason = "; ".join(f"{split}: {why}" for split, why in reasons.items() if why)
    reliable = score.reliable and tested.reliable
    return Optimism(study.best_layer, *on_dev, *on_test, *_difference(on_dev, on_test), reliable, reason)


_Estimate = tuple[float | None, float | None, float | None]


def _difference(one: _Estimate, other: _Estimate) -> _Estimate:
    """One estimate less an independent other, each a value with the ends of its interval."""
    (value, low, high), (other_value, other_low, other_high) = one, other
    if value is None or other_value is None:
        return None, None, None
    difference = value - other_value
    if low is None or high is None or other_low is None or other_high is None:
        return difference, None, None
    below, above = math.hypot(value - low, other_high - other_value), math.hypot(high - value, other_value - other_low)
    return difference, difference - below, difference + above
