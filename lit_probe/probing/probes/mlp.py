"""The non-linear probe: one hidden layer. What it finds need not be linearly decodable, so results name it."""

import numpy as np
from numpy.typing import ArrayLike

from lit_probe.probing.probes.fitted import FittedProbe
from lit_probe.probing.probes.fitting_scope import fitting_scope
from lit_probe.probing.probes.training_data import alive_only, check_training_data, standardisation, standardised

HIDDEN_UNITS = 64
# scikit-learn's alpha. Chosen once, on SST-2 with MiniLM, where smaller values fit the train split perfectly and predict worse.
WEIGHT_PENALTY = 5.0
MAX_EPOCHS = 500


def fit_mlp(
    x: ArrayLike,
    labels: ArrayLike,
    n_classes: int,
    groups: ArrayLike | None = None,
    seed: int = 0,
    *,
    max_epochs: int = MAX_EPOCHS,
) -> FittedProbe:
    """Fits a perceptron with 64 ReLU units (scikit-learn, Adam) on standardised activations.

    The penalty on the weights is fixed and nothing is held out, so groups do not matter here.

    Args:
      x: ``[n_examples, d_model]`` activations of the train split.
      labels: ``[n_examples]`` class indices in 0..n_classes-1.
      n_classes: the number of classes; each needs 2 examples or more.
      groups: not used.
      seed: the seed of the initial weights and of the order of the batches.
      max_epochs: passes over the data. When the train loss still falls after these, ``converged`` is False.

    Raises:
      ProbeError: a class has fewer than 2 examples, or the activations are not finite.
    """
    # scikit-learn takes a second to import, and a start from the cache fits nothing.
    from sklearn.neural_network import MLPClassifier

    values, classes = check_training_data(x, labels, n_classes)
    mean, scale = standardisation(values)
    if (alive := np.isfinite(scale)).any() and not alive.all():
        return fit_mlp(alive_only(values, alive), classes, n_classes, groups, seed, max_epochs=max_epochs).among(alive)
    scaled = standardised(values, mean, scale).astype(np.float32)  # twice as fast, and ample for stochastic steps
    with fitting_scope:
        model = MLPClassifier((HIDDEN_UNITS,), alpha=WEIGHT_PENALTY, max_iter=max_epochs, random_state=seed).fit(scaled, classes)
    (first, last), (first_bias, last_bias) = model.coefs_, model.intercepts_
    if n_classes == 2:
        last, last_bias = np.concatenate([-last, last], axis=1) / 2, np.concatenate([-last_bias, last_bias]) / 2
    return FittedProbe(
        kind="mlp",
        classes_=np.arange(n_classes),
        mean=mean,
        scale=scale,
        layers=((first.T, first_bias), (last.T, last_bias)),
        converged=model.n_iter_ < max_epochs,
        settings={
            "hidden_units": HIDDEN_UNITS,
            "weight_penalty": WEIGHT_PENALTY,
            "seed": seed,
            "n_train": len(classes),
            "n_epochs": int(model.n_iter_),
            "max_epochs": max_epochs,
        },
    )
