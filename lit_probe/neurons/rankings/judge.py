"""What is decodable from a set of neurons: what is fitted on them alone, on train, and scored on dev."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lit_probe.data.asked import CLASSES, NUMBER, TargetKind, check_served
from lit_probe.data.labelled_texts import SplitName
from lit_probe.errors import LitProbeError, ProbeError
from lit_probe.neurons.rankings import NeuronRanking, chosen_layers
from lit_probe.neurons.rankings.gaussian import ClassGaussians
from lit_probe.neurons.rankings.neuron_stability import own_strength
from lit_probe.probing.probes import fit_ridge
from lit_probe.probing.probes.penalised import STRENGTH, class_indicators, fit_penalised_linear, fit_penalised_logistic
from lit_probe.probing.probes.training_data import check_training_data, standardisation, standardised
from lit_probe.probing.study import LayerStudy
from lit_probe.results import Result
from lit_probe.scores.by_target import ALL_METRICS, trivial_score
from lit_probe.scores.metrics import Score

Values = NDArray[np.floating[Any]]


@dataclass(frozen=True)
class Evaluator:
    """A classifier, or a regression of a number, that is fitted on some neurons to see what is decodable from them.

    Attributes:
      title: the name people read.
      predict: ``(train [n_train, k], labels [n_train], n_classes, rows [n_rows, k], strength) -> [n_rows, n_classes]``
        probabilities, or ``[n_rows, 1]`` numbers; ``strength`` is that of the L2 penalty of a logistic regression, or the
        ``alpha`` of ridge.
      targets: what it can be asked for.
    """

    title: str
    predict: Callable[[Values, NDArray[Any], int, Values, float], NDArray[np.float64]]
    targets: tuple[TargetKind, ...] = (CLASSES,)


def _predict_logistic(
    train: Values, labels: NDArray[np.int64], n_classes: int, rows: Values, strength: float
) -> NDArray[np.float64]:
    return fit_penalised_logistic(train, labels, n_classes, strength=strength).predict_proba(rows)


def _predict_linear(
    train: Values, labels: NDArray[np.int64], n_classes: int, rows: Values, strength: float
) -> NDArray[np.float64]:
    return _softmax(fit_penalised_linear(train, class_indicators(labels, n_classes)).predict(rows))


def _predict_gaussian(
    train: Values, labels: NDArray[np.int64], n_classes: int, rows: Values, strength: float
) -> NDArray[np.float64]:
    values, classes = check_training_data(train, labels, n_classes)
    mean, scale = standardisation(values)
    fitted = standardised(values, mean, scale)
    gaussians = ClassGaussians.fit(fitted, classes, n_classes)
    return _softmax(gaussians.log_joint(fitted, classes, standardised(rows, mean, scale)))


def _predict_ridge(train: Values, labels: NDArray[Any], n_classes: int, rows: Values, strength: float) -> NDArray[np.float64]:
    return fit_ridge(train, labels, alpha=strength).predictions(rows)


def _softmax(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    exponentials = np.exp(logits - logits.max(axis=1, keepdims=True))
    probabilities: NDArray[np.float64] = exponentials / exponentials.sum(axis=1, keepdims=True)
    return probabilities


EVALUATORS: dict[str, Evaluator] = {
    "logistic": Evaluator("Logistic regression", _predict_logistic),
    "linear": Evaluator("Linear regression", _predict_linear),
    "gaussian": Evaluator("Gaussian classifier", _predict_gaussian),
    "ridge": Evaluator("Ridge regression", _predict_ridge, targets=(NUMBER,)),
}
# What is refitted where nobody names one.
DEFAULT_EVALUATORS: dict[TargetKind, str] = {CLASSES: "logistic", NUMBER: "ridge"}


@dataclass(frozen=True)
class Scale(Result):
    """What sets of neurons are scored by.

    Attributes:
      metric: name of the study's headline metric.
      metric_title: the name people read.
      n_dev: the number of rows that are scored.
      n_units: the number of neurons to choose from.
      logistic_strength: strength of the L2 penalty that a logistic regression gets; of a number the ``alpha`` of ridge.
      majority: score on dev of always saying train's most frequent class, or the mean of its numbers; None where the metric is
        not defined.
    """

    metric: str
    metric_title: str
    n_dev: int
    n_units: int
    logistic_strength: float
    majority: float | None


class Judge:
    """Scores sets of neurons of one study, given as positions in a ranking's ``units``; without an evaluator by its own probe."""

    def __init__(self, study: LayerStudy, ranking: NeuronRanking, evaluator: Evaluator | None):
        if evaluator is None and len(ranking.layers) > 1:
            raise LitProbeError("Several layers have no common probe of their own. Refit one, or rank one layer.")
        splits = study.splits
        if evaluator is not None:
            name = f"The evaluator {evaluator.title.lower()!r}"
            check_served(name, splits.unit, splits.target, (splits.unit,), evaluator.targets)
        self._study = study
        self._units = ranking.units
        self._evaluator = evaluator
        chosen = chosen_layers(study, ranking.layers)
        widths = np.array(study.activations["train"].widths)
        if (self._units[:, 1] >= widths[self._units[:, 0]]).any():
            raise LitProbeError("The ranking is of another study: it names neurons that this encoder does not have.")
        # A penalty of our own choice would let a probe of all neurons fit train too closely, and few neurons seem to do better.
        probes = [study.layerwise.probes[layer] for layer in chosen]
        loss = "cv_log_loss" if splits.target == CLASSES else "cv_squared_error"
        best = min(probes, key=lambda probe: min(probe.settings.get(loss, [0.0])))
        own = own_strength(best, len(splits.train)) if splits.target == CLASSES else best.settings.get("alpha")
        self._strength: float = own or STRENGTH

    def _majority(self) -> float | None:
        splits = self._study.splits
        return trivial_score(self._study.headline, splits.train.labels, splits.dev.labels, splits.label_names)

    def scale(self) -> Scale:
        """What the scores are measured by."""
        return Scale(
            metric=self._study.headline,
            metric_title=ALL_METRICS[self._study.headline].title,
            n_dev=len(self._study.splits.dev),
            n_units=len(self._units),
            logistic_strength=self._strength,
            majority=self._majority(),
        )

    def score(self, positions: NDArray[np.int64]) -> Score:
        """The score on dev from the neurons at these positions."""
        # In the order of (layer, index), so that the same set has the same digits however it was chosen.
        units = self._units[np.sort(positions)]
        probabilities = self._refitted(units) if self._evaluator else self._own_probe(units)
        decision = self._study.unweighted_decision if self._evaluator else self._study.decision
        [score] = self._study.dev_scores(probabilities[:, None], decision)
        return score

    def value(self, positions: NDArray[np.int64]) -> float:
        """The same score without its interval.

        Raises:
          ProbeError: it is not defined on the rows of dev.
        """
        return defined(self.score(positions))

    def _refitted(self, units: NDArray[np.int64]) -> NDArray[np.float64]:
        assert self._evaluator is not None
        train = self._study.splits.train
        columns = self._columns("train", units)
        rows = self._columns("dev", units)
        return self._evaluator.predict(columns, train.labels, len(train.label_names), rows, self._strength)

    def _own_probe(self, units: NDArray[np.int64]) -> NDArray[np.float64]:
        layer = int(units[0, 0])
        probe = self._study.layerwise.probes[layer]
        values = self._study.activations["dev"].layer(layer)
        kept = np.zeros(values.shape[1], dtype=bool)
        kept[units[:, 1]] = True
        return probe.predictions(np.where(kept, values, probe.mean))

    def _columns(self, split: SplitName, units: NDArray[np.int64]) -> NDArray[np.float32]:
        """``[n_examples, k]``; one layer at a time is in memory as a whole."""
        activations = self._study.activations[split]
        return np.concatenate(
            [activations.layer(int(layer))[:, units[units[:, 0] == layer, 1]] for layer in np.unique(units[:, 0])],
            axis=1,
        )


def defined(score: Score) -> float:
    """The value of a score.

    Raises:
      ProbeError: it is not defined on the rows of dev.
    """
    if score.value is None:
        raise ProbeError(f"Neurons cannot be judged on dev: {score.reason}.")
    return score.value
