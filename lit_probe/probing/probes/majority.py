"""The baseline that reads nothing: the class frequencies of the train split."""

import numpy as np
from numpy.typing import ArrayLike

from lit_probe.probing.probes.fitted import FittedProbe
from lit_probe.probing.probes.training_data import check_training_data, standardisation


def fit_majority(x: ArrayLike, labels: ArrayLike, n_classes: int, groups: ArrayLike | None = None, seed: int = 0) -> FittedProbe:
    """A probe with zero weights whose probabilities are the class frequencies on train, whatever the activations.

    Args:
      x: ``[n_examples, d_model]``; only its width matters, and which units vary.
      labels: ``[n_examples]`` class indices in 0..n_classes-1.
      n_classes: the number of classes; each needs 2 examples or more.
      groups: not used.
      seed: recorded; nothing is random here.

    Raises:
      ProbeError: a class has fewer than 2 examples, or the activations are not finite.

    >>> fit_majority([[1.0], [2.0], [3.0], [4.0], [5.0]], [0, 1, 1, 0, 1], n_classes=2).predict_proba([[9.0]])
    array([[0.4, 0.6]])
    """
    values, classes = check_training_data(x, labels, n_classes)
    d_model = values.shape[1]
    _, scale = standardisation(values)
    frequencies = np.bincount(classes, minlength=n_classes) / len(classes)
    return FittedProbe(
        kind="majority",
        classes_=np.arange(n_classes),
        mean=np.zeros(d_model),
        scale=np.where(np.isfinite(scale), 1.0, np.inf),
        layers=((np.zeros((n_classes, d_model)), np.log(frequencies)),),
        converged=True,
        settings={"seed": seed, "n_train": len(classes)},
    )
