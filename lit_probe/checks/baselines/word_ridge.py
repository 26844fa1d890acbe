"""Ridge regression of a number on sparse word features, its penalty chosen on train alone as for the ridge probe."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lit_probe.checks.baselines.word_regression import word_features
from lit_probe.probing.probes.cross_validation import plain_folds
from lit_probe.probing.probes.fitting_scope import fitting_scope
from lit_probe.progress import Progress, no_progress

# Word features are not standardised, which would blow up the rare words; the penalty therefore lies lower than for the probes.
ALPHA_GRID = (1e-2, 1e-1, 1.0, 1e1, 1e2, 1e3, 1e4)

_TOLERANCE = 1e-8
# Two cross-validated errors closer than that, as shares of the variance, are a tie.
_TIE = 1e-6


@dataclass(frozen=True, eq=False)
class WordRidge:
    """A fitted vectoriser and ridge regression.

    Attributes:
      vectoriser: scikit-learn's, fitted on the texts of train.
      model: scikit-learn's ``Ridge``, fitted on their features and the standardised numbers.
      centre: the mean of train's numbers.
      spread: their standard deviation.
      settings: ``alpha``, the grid with its cross-validated errors, the folds and the number of features.
    """

    vectoriser: Any
    model: Any
    centre: float
    spread: float
    settings: dict[str, Any]

    # Nothing that is iterated stops before its tolerance: scikit-learn's conjugate gradients have no limit.
    converged = True

    @classmethod
    def fit(
        cls,
        vectoriser: Any,
        texts: Sequence[str],
        labels: NDArray[np.float64],
        groups: NDArray[np.str_] | None,
        seed: int,
        *,
        progress: Progress = no_progress,
    ) -> WordRidge:
        """Chooses ``alpha`` by the ridge probe's rule and fits on all rows.

        The rule is that of the ridge probe: the same folds, by group where groups exist, and the smallest squared error averaged
        over them, ties to the stronger penalty. Words and their weights are learnt anew inside each fold, on its fitting part.

        Args:
          vectoriser: an unfitted vectoriser of scikit-learn.
          texts: ``[n_examples]`` of the train split.
          labels: ``[n_examples]`` finite numbers that are not all the same.
          groups: ``[n_examples]`` what must not be split between folds, or None.
          seed: the seed of the shuffled folds.
          progress: called with the number of fits done and of all fits.

        Raises:
          ProbeError: the texts of train, or of one fold, hold no word.
        """
        from sklearn.base import clone

        centre, spread = float(labels.mean()), float(labels.std())
        targets = (labels - centre) / spread
        folds = plain_folds(len(targets), groups, seed)
        errors = np.empty((len(folds.pairs), len(ALPHA_GRID)))
        n_fits = errors.size + 1
        with fitting_scope:
            for fold, (fitted, held) in enumerate(folds.pairs):
                words = clone(vectoriser)
                part = word_features(words, [texts[i] for i in fitted])
                rest = words.transform([texts[i] for i in held])
                for index, alpha in enumerate(ALPHA_GRID):
                    model = _ridge(alpha).fit(part, targets[fitted])
                    errors[fold, index] = np.square(targets[held] - model.predict(rest)).mean()
                    progress(fold * len(ALPHA_GRID) + index + 1, n_fits)
            means = errors.mean(axis=0)
            alpha = ALPHA_GRID[int(np.flatnonzero(means <= means.min() + _TIE).max())]
            words = clone(vectoriser)
            features = word_features(words, texts)
            model = _ridge(alpha).fit(features, targets)
        progress(n_fits, n_fits)
        settings = {
            "alpha": alpha,
            "alpha_grid": list(ALPHA_GRID),
            "cv_squared_error": means.tolist(),
            "cv": {"folds": len(folds.pairs), "by": folds.by, "note": folds.note},
            "seed": seed,
            "n_train": len(targets),
            "n_features": features.shape[1],
            "tolerance": _TOLERANCE,
        }
        return cls(words, model, centre, spread, settings)

    def predictions(self, texts: Sequence[str]) -> NDArray[np.float64]:
        """``[n_examples, 1]`` the number for each of ``texts``."""
        found: NDArray[np.float64] = self.model.predict(self.vectoriser.transform(texts))
        return self.centre + self.spread * found[:, None]


def _ridge(alpha: float) -> Any:
    from sklearn.linear_model import Ridge

    return Ridge(alpha=alpha, solver="sparse_cg", tol=_TOLERANCE)
