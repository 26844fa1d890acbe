"""The non-linear probe: hidden layers of ReLU. What it finds need not be linearly decodable, so results name it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from lit_probe.probing.probes.fitted import FittedProbe
from lit_probe.probing.probes.fitting_scope import fitting_scope
from lit_probe.probing.probes.living_units import fitted_to_living_units
from lit_probe.probing.probes.options import ProbeOptions
from lit_probe.probing.probes.training_data import (
    check_training_data,
    row_weights,
    standardisation,
    standardised,
)

HIDDEN_UNITS = (64,)
# scikit-learn's alpha. Chosen once, on SST-2 with MiniLM, where smaller values fit the train split perfectly and predict worse.
WEIGHT_PENALTY = 5.0
MAX_EPOCHS = 500
# scikit-learn's.
LEARNING_RATE = 1e-3
BATCH_SIZE = 200


@fitted_to_living_units
def fit_mlp(
    x: ArrayLike,
    labels: ArrayLike,
    n_classes: int,
    groups: ArrayLike | None = None,
    seed: int = 0,
    *,
    weight_penalty: float = WEIGHT_PENALTY,
    class_weight: str | None = None,
    hidden_units: Sequence[int] = HIDDEN_UNITS,
    max_epochs: int = MAX_EPOCHS,
    learning_rate: float = LEARNING_RATE,
    batch_size: int = BATCH_SIZE,
    after_epoch: Callable[[FittedProbe], None] | None = None,
) -> FittedProbe:
    """Fits a perceptron of ReLU units (scikit-learn, Adam) on standardised activations; by default one layer of 64.

    The penalty on the weights is fixed and nothing is held out, so groups do not matter here.

    Args:
      x: ``[n_examples, d_model]`` activations of the train split.
      labels: ``[n_examples]`` class indices in 0..n_classes-1.
      n_classes: the number of classes; each needs 2 examples or more.
      groups: not used.
      seed: the seed of the initial weights and of the order of the batches.
      weight_penalty: scikit-learn's ``alpha``, more than 0; larger is stronger.
      class_weight: ``"balanced"`` lets every class count alike; None every row.
      hidden_units: ``[n_hidden_layers]`` the sizes of the hidden layers.
      max_epochs: passes over the data. When the train loss still falls after these, ``converged`` is False.
      learning_rate: the size of Adam's steps.
      batch_size: the number of rows for each step; at most all of them.
      after_epoch: hears the probe after each pass over the data; the last is the one that is returned.

    Raises:
      ProbeError: a class has fewer than 2 examples, the activations are not finite, or an option is out of range.
    """
    # scikit-learn takes a second to import, and a start from the cache fits nothing.
    from sklearn.neural_network import MLPClassifier

    ProbeOptions(regularisation=weight_penalty, class_weight=class_weight)
    values, classes = check_training_data(x, labels, n_classes)
    mean, scale = standardisation(values)
    settings = {
        "hidden_units": hidden_units[0] if len(hidden_units) == 1 else list(hidden_units),
        "weight_penalty": weight_penalty,
        **({} if class_weight is None else {"class_weight": class_weight}),
        **({} if learning_rate == LEARNING_RATE else {"learning_rate": learning_rate}),
        **({} if batch_size == BATCH_SIZE else {"batch_size": batch_size}),
        "seed": seed,
        "n_train": len(classes),
    }

    def probe_of(model: Any) -> FittedProbe:
        *hidden, (last, last_bias) = zip(model.coefs_, model.intercepts_, strict=True)
        if n_classes == 2:
            last, last_bias = np.concatenate([-last, last], axis=1) / 2, np.concatenate([-last_bias, last_bias]) / 2
        return FittedProbe(
            kind="mlp",
            classes_=np.arange(n_classes),
            mean=mean,
            scale=scale,
            layers=tuple((weight.T, bias) for weight, bias in (*hidden, (last, last_bias))),
            converged=model.n_iter_ < max_epochs,
            settings={**settings, "n_epochs": int(model.n_iter_), "max_epochs": max_epochs},
        )

    class Watched(MLPClassifier):  # type: ignore[misc]
        """scikit-learn tells nobody of an epoch but itself, at this place."""

        def _update_no_improvement_count(self, *args: Any) -> None:
            if after_epoch is not None:
                after_epoch(probe_of(self))
            super()._update_no_improvement_count(*args)

    # float32 is twice as fast, and ample for stochastic steps.
    scaled = standardised(values, mean, scale).astype(np.float32)
    model = Watched(
        tuple(hidden_units),
        alpha=weight_penalty,
        learning_rate_init=learning_rate,
        batch_size=min(batch_size, len(classes)),
        max_iter=max_epochs,
        random_state=seed,
    )
    with fitting_scope:
        model.fit(scaled, classes, sample_weight=None if class_weight is None else row_weights(classes))
    return probe_of(model)
