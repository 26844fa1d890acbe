"""Logistic regression on sparse word features, its regularisation chosen on train alone as for the probes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lit_probe.errors import ProbeError
from lit_probe.probing.probes.cross_validation import stratified_folds
from lit_probe.probing.probes.fitting_scope import fitting_scope
from lit_probe.progress import Progress, no_progress

# Word features are not standardised, which would blow up the rare words; C therefore lies higher than for the probes.
C_GRID = (1e-3, 1e-2, 1e-1, 1.0, 10.0, 100.0, 1000.0)
MAX_ITER = 10_000

_TOLERANCE = 1e-6
# L-BFGS also stops when the loss no longer changes in float64, with a gradient just above the tolerance.
_CONVERGED_GRADIENT = 1e-5
# Two cross-validated losses closer than that are a tie.
_TIE = 1e-6


@dataclass(frozen=True, eq=False)
class WordRegression:
    """A fitted vectoriser and logistic regression.

    Attributes:
      vectoriser: scikit-learn's, fitted on the texts of train.
      model: scikit-learn's ``LogisticRegression``, fitted on their features.
      converged: whether the optimiser reached its tolerance.
      settings: ``C``, the grid with its cross-validated losses, the folds, the number of features and the optimiser's end.
    """

    vectoriser: Any
    model: Any
    converged: bool
    settings: dict[str, Any]

    @classmethod
    def fit(
        cls,
        vectoriser: Any,
        texts: Sequence[str],
        labels: NDArray[np.int64],
        groups: NDArray[np.str_] | None,
        seed: int,
        *,
        max_iter: int = MAX_ITER,
        progress: Progress = no_progress,
    ) -> WordRegression:
        """Chooses ``C`` by the probes' rule and fits on all rows.

        The rule is that of the logistic probe: the same stratified folds, by group where groups exist, and the smallest log-loss
        averaged over them, ties to the smaller ``C``. Words and their weights are learnt anew inside each fold, on its fitting
        part.

        Args:
          vectoriser: an unfitted vectoriser of scikit-learn.
          texts: ``[n_examples]`` of the train split.
          labels: ``[n_examples]`` class indices, at least 2 of each class.
          groups: ``[n_examples]`` what must not be split between folds, or None.
          seed: the seed of the shuffled folds.
          max_iter: L-BFGS iterations per fit. When they do not suffice, ``converged`` is False.
          progress: called with the number of fits done and of all fits.

        Raises:
          ProbeError: the texts of train, or of one fold, hold no word.
        """
        from sklearn.base import clone
        from sklearn.linear_model import LogisticRegression

        folds = stratified_folds(labels, groups, seed)
        losses = np.empty((len(folds.pairs), len(C_GRID)))
        n_fits = losses.size + 1
        least = np.finfo(np.float64).eps  # scikit-learn's log_loss clips there too
        with fitting_scope:
            for fold, (fitted, held) in enumerate(folds.pairs):
                words = clone(vectoriser)
                part = word_features(words, [texts[i] for i in fitted])
                rest = words.transform([texts[i] for i in held])
                # From strong to weak regularisation, each fit starts where the last one ended.
                model = LogisticRegression(tol=_TOLERANCE, max_iter=max_iter, warm_start=True)
                for index, c in enumerate(C_GRID):
                    model.set_params(C=c).fit(part, labels[fitted])
                    of_label = model.predict_proba(rest)[np.arange(len(held)), labels[held]]
                    losses[fold, index] = -np.log(np.maximum(of_label, least)).mean()
                    progress(fold * len(C_GRID) + index + 1, n_fits)
            means = losses.mean(axis=0)
            c = C_GRID[int(np.argmax(means <= means.min() + _TIE))]
            words = clone(vectoriser)
            features = word_features(words, texts)
            model = LogisticRegression(C=c, tol=_TOLERANCE, max_iter=max_iter).fit(features, labels)
        progress(n_fits, n_fits)
        n_iter, gradient = int(model.n_iter_[0]), _largest_gradient(model, features, labels)
        settings = {
            "C": c,
            "c_grid": list(C_GRID),
            "cv_log_loss": means.tolist(),
            "cv": {"folds": len(folds.pairs), "by": folds.by, "note": folds.note},
            "seed": seed,
            "n_train": len(labels),
            "n_features": features.shape[1],
            "n_iter": n_iter,
            "max_iter": max_iter,
            "tolerance": _TOLERANCE,
            "largest_gradient": gradient,
        }
        return cls(words, model, n_iter < max_iter and gradient <= _CONVERGED_GRADIENT, settings)

    def predictions(self, texts: Sequence[str]) -> NDArray[np.float64]:
        """``[n_examples, n_classes]`` probabilities for ``texts``."""
        probabilities: NDArray[np.float64] = self.model.predict_proba(self.vectoriser.transform(texts))
        return probabilities


def word_features(vectoriser: Any, texts: Sequence[str]) -> Any:
    """``[n_examples, n_features]`` sparse, of the texts on which the vectoriser learns its words.

    Raises:
      ProbeError: they hold no word.
    """
    try:
        return vectoriser.fit_transform(texts)
    except ValueError as error:  # the vocabulary is empty, or nothing of it is frequent enough
        raise ProbeError(f"The training texts give no words to count: {error}") from error


def _largest_gradient(model: Any, features: Any, labels: NDArray[np.int64]) -> float:
    """The largest entry of the gradient of mean log-loss + |w|²/(2 C n) at the solution: 0 at the optimum."""
    errors = model.predict_proba(features)
    errors[np.arange(len(labels)), labels] -= 1.0
    errors = errors[:, 1:] if model.coef_.shape[0] == 1 else errors
    on_weights = (features.T @ errors).T + model.coef_ / model.C
    return float(max(np.abs(on_weights).max(), np.abs(errors.sum(axis=0)).max())) / len(labels)
