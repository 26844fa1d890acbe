"""Which layers can be told apart: paired tests on dev, and what choosing the best layer there adds to its score."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lit_probe.errors import DatasetError
from lit_probe.probing.study import LayerStudy
from lit_probe.scores.intervals import percentile_interval
from lit_probe.scores.metrics import METRICS, accuracy, balanced_accuracy, score_layers
from lit_probe.scores.scored_rows import ScoredRows

SIGNIFICANCE = 0.05


def compare_layers(study: LayerStudy) -> dict[str, Any]:
    """Compares every layer with the best one by the headline metric on dev.

    Test is not read, except for the one score that `LayerStudy.test_metrics` reports.

    Returns:
      JSON-ready. ``best_layer``; ``metric``; ``significance_test``: ``"mcnemar"`` or ``"bootstrap"``, whose p-values count;
      ``layers``: per layer its ``difference`` from the best one (0 or less), the pointwise 95 % interval ``low`` and ``high`` of
      that, ``p_bootstrap``, ``p_mcnemar`` (None unless it applies), ``p_holm`` and ``indistinguishable``, which is ``p_holm`` >=
      0.05; in the best layer's own row None stands for all that cannot be; ``optimism``, see `optimism`; ``reliable`` and
      ``reason`` (why not, else an empty string); ``notes``, sentences.

    The best layer was chosen on the rows it is compared on, so it may be best by luck: among equal layers, a correction over the
    comparisons with the best alone would find a difference in about 10 % of data sets for 7 layers, 17 % for 13. Holm's
    correction therefore runs over all pairs of layers, of which those with the best are reported; then it is 5 % at most.

    Raises:
      DatasetError: there is one layer only, or a layer has no score on dev.
    """
    scores = PairedScores.of(study)
    n_layers, best = len(scores.values), study.best_layer
    if n_layers < 2:
        raise DatasetError("There is one layer only and nothing to compare it with.")
    pairs = [tuple(sorted(pair)) for pair in combinations(range(n_layers), 2)]
    adjusted = dict(zip(pairs, holm([scores.p_value(*pair) for pair in pairs]), strict=True))

    def row(layer: int) -> dict[str, Any]:
        if layer == best:
            unknown = dict.fromkeys(("low", "high", "p_bootstrap", "p_mcnemar", "p_holm"))
            return {"layer": layer, "difference": 0.0, **unknown, "indistinguishable": True}
        p_holm = adjusted[min(layer, best), max(layer, best)]
        return {
            "layer": layer,
            **scores.compare(layer, best),
            "p_holm": p_holm,
            "indistinguishable": p_holm >= SIGNIFICANCE,
        }

    test_name = "McNemar's test" if scores.use_mcnemar else "The bootstrap test"
    notes = [
        f"{test_name} on {len(study.splits.dev):,} dev rows, corrected by Holm over all {len(pairs)} pairs of layers, because "
        "the best layer was chosen on these rows."
    ]
    if scores.doubt:
        notes.insert(0, f"Not to be relied on: {scores.doubt}.")
    if study.headline == "accuracy" and not scores.use_mcnemar:
        notes.append("McNemar's test takes rows as independent and does not apply to rows in groups.")
    choice = optimism(study)
    if choice["reason"]:
        notes.append(f"Optimism of the choice: {choice['reason']}.")
    return {
        "best_layer": best,
        "metric": study.headline,
        "significance_test": "mcnemar" if scores.use_mcnemar else "bootstrap",
        "layers": [row(layer) for layer in range(n_layers)],
        "optimism": choice,
        "reliable": not scores.doubt,
        "reason": scores.doubt,
        "notes": notes,
    }


def compare_two_layers(study: LayerStudy, layer: int, other: int) -> dict[str, Any]:
    """Compares any two layers by the headline metric on dev: ``layer`` less ``other``.

    For two layers named beforehand the p-values hold as they are; for the most different of several see `compare_layers`.

    Returns:
      JSON-ready: ``layer``, ``other``, ``metric``, ``difference`` with its 95 % interval ``low`` and ``high`` (bootstrap of the
      difference on the same draws; None when every draw gives the same), ``p_bootstrap`` and ``p_mcnemar`` (None unless it
      applies), ``reliable`` and ``reason``.

    Raises:
      UnknownNameError: there is no such layer.
      DatasetError: a layer has no score on dev.
    """
    study.check_layer(layer)
    study.check_layer(other)
    scores = PairedScores.of(study)
    compared = scores.compare(layer, other)
    doubt = {"reliable": not scores.doubt, "reason": scores.doubt}
    return {"layer": layer, "other": other, "metric": study.headline, **compared, **doubt}


@dataclass(frozen=True, eq=False)
class PairedScores:
    """The scores of all layers on the same rows and on the same resamples of these rows, so that differences are paired.

    Attributes:
      values: ``[n_layers]`` the scores.
      draws: ``[n_layers, n_draws]`` the scores on each bootstrap resample of the rows, or of their groups.
      right: ``[n_layers, n_examples]`` whether the layer's probe is right.
      n_units: how many rows, or groups.
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
        dev = study.splits.dev
        rows = ScoredRows(study.probabilities("dev"), dev.labels, dev.groups, study.seed, study.splits.label_names)
        mcnemar = study.headline == "accuracy" and rows.units is None
        doubt = rows.doubt()
        return cls(
            defined_scores(study.headline, rows),
            score_draws(study.headline, rows),
            rows.predicted == rows.labels,
            rows.n_units,
            mcnemar,
            f"dev has {doubt}" if doubt else "",
        )

    def compare(self, layer: int, other: int) -> dict[str, Any]:
        """``layer`` less ``other``: difference, interval and p-values."""
        difference = self.values[layer] - self.values[other]
        low, high = percentile_interval(self.draws[layer] - self.draws[other], difference) or (None, None)
        return {
            "difference": difference,
            "low": low,
            "high": high,
            "p_bootstrap": self._p_bootstrap(layer, other),
            "p_mcnemar": self._p_mcnemar(layer, other) if self.use_mcnemar else None,
        }

    def p_value(self, layer: int, other: int) -> float:
        """The p-value of the test that applies, two-sided: McNemar's if it does, else the bootstrap's."""
        return self._p_mcnemar(layer, other) if self.use_mcnemar else self._p_bootstrap(layer, other)

    def _p_mcnemar(self, layer: int, other: int) -> float:
        only_layer = int((self.right[layer] & ~self.right[other]).sum())
        only_other = int((self.right[other] & ~self.right[layer]).sum())
        return mcnemar_p(only_layer, only_other)

    def _p_bootstrap(self, layer: int, other: int) -> float:
        return difference_p(self.values[layer] - self.values[other], self.draws[layer] - self.draws[other], self.n_units)


def defined_scores(metric: str, rows: ScoredRows) -> tuple[float, ...]:
    """``[n_layers]`` the scores of the rows by a headline metric.

    Raises:
      DatasetError: a score is not defined, because a class is missing among the rows.
    """
    scores = METRICS[metric].score(rows)
    values = tuple(score.value for score in scores if score.value is not None)
    if len(values) < len(scores):
        raise DatasetError(f"There is no {METRICS[metric].title.lower()} on dev: {scores[0].reason}.")
    return values


def score_draws(metric: str, rows: ScoredRows) -> NDArray[np.float64]:
    """``[n_layers, n_draws]`` a headline metric on each bootstrap resample of the rows, or of their groups.

    Rows of the same number and seed get the same resamples, whatever their labels and probabilities: their draws are paired.
    """
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


def optimism(study: LayerStudy) -> dict[str, Any]:
    """How much better the dev-chosen layer looks on dev, where it was chosen, than on test.

    The best of several layers is in part best by luck, and its dev score says more than the truth; its test score does not. The
    interval of the difference takes dev and test as independent and combines their two intervals (Zou & Donner 2008,
    https://doi.org/10.1002/sim.3095).

    Returns:
      JSON-ready: ``layer``; ``dev`` and ``test``, each with ``_low`` and ``_high``; ``optimism`` (dev less test) with ``low`` and
      ``high``. None where a split has no score, or no interval because its rows belong to one group. ``reliable``, whether
      both splits have rows enough, and ``reason``, what is wrong with which.
    """
    metric, dev, tested = study.headline, study.splits.dev, study.test_metrics()
    scores = score_layers(metric, study.probabilities("dev"), dev.labels, dev.groups, study.seed, label_names=dev.label_names)
    score = scores[study.best_layer]
    on_dev = (score.value, score.low, score.high)
    on_test = (tested[metric], tested[f"{metric}_low"], tested[f"{metric}_high"])
    reasons = {"dev": score.reason, "test": tested[f"{metric}_reason"]}
    reason = "; ".join(f"{split}: {why}" for split, why in reasons.items() if why)
    return {
        "layer": study.best_layer,
        **dict(zip(("dev", "dev_low", "dev_high"), on_dev, strict=True)),
        **dict(zip(("test", "test_low", "test_high"), on_test, strict=True)),
        **dict(zip(("optimism", "low", "high"), _difference(on_dev, on_test), strict=True)),
        "reliable": score.reliable and tested[f"{metric}_reliable"],
        "reason": reason,
    }


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
