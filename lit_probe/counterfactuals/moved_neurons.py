"""The neurons of a layer through which an edit moved the probe's answer most."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from lit_probe.probing.probes.fitted import FittedProbe
from lit_probe.probing.probes.training_data import standardised

_PATH_STEPS = 64


def moved_neurons(
    probe: FittedProbe, before: NDArray[np.floating[Any]], after: NDArray[np.floating[Any]], of_class: int, top: int = 10
) -> dict[str, Any]:
    """The neurons of a layer through which an edit moved the probe's answer most.

    A linear probe's logits move by weight times change, neuron by neuron, and these parts add up. For a probe that is not
    linear the weight is its gradient's mean over the straight way from one vector to the other, as in integrated gradients
    (Sundararajan et al. 2017, https://arxiv.org/abs/1703.01365); the parts then add up to within the fineness of the steps.

    Args:
      probe: of the layer.
      before: ``[d_model]`` the original's vector.
      after: ``[d_model]`` the edit's.
      of_class: the class whose logit is followed, less that of the strongest other class for the edit.
      top: how many neurons are named.

    Returns:
      ``against``, the index of that other class; ``change`` of the difference of the two logits; ``n_units``; ``others``, what
      the neurons that are not named add up to; and ``neurons``, the largest parts first, each with ``unit``, ``before`` and
      ``after`` (activations), ``change`` in standard deviations of train, ``weight`` and ``moved``, their product.
    """
    vectors = np.stack([before, after]).astype(np.float64)
    logits = probe.logits(vectors)
    others = [index for index in range(probe.n_classes) if index != of_class]
    against = max(others, key=lambda index: logits[1, index])
    output = np.zeros(probe.n_classes)
    output[[of_class, against]] = 1.0, -1.0
    start, stop = standardised(vectors, probe.mean, probe.scale)
    weights = _mean_gradient(probe, start, stop, output)
    change = stop - start
    moved = weights * change
    order = np.argsort(-np.abs(moved), kind="stable")[:top]
    difference = logits[:, of_class] - logits[:, against]
    return {
        "against": against,
        "change": float(difference[1] - difference[0]),
        "n_units": len(moved),
        "others": float(np.delete(moved, order).sum()),
        "neurons": [
            {
                "unit": int(unit),
                "before": float(vectors[0, unit]),
                "after": float(vectors[1, unit]),
                "change": float(change[unit]),
                "weight": float(weights[unit]),
                "moved": float(moved[unit]),
            }
            for unit in order
        ],
    }


def _mean_gradient(
    probe: FittedProbe, start: NDArray[np.float64], stop: NDArray[np.float64], output: NDArray[np.float64]
) -> NDArray[np.float64]:
    """``[d_model]`` gradient of ``output`` · logits in the standardised input, its mean over the way from start to stop."""
    n_steps = 1 if len(probe.layers) == 1 else _PATH_STEPS
    shares = (np.arange(n_steps) + 0.5) / n_steps
    values = start + shares[:, None] * (stop - start)
    active = []
    for index, (weight, bias) in enumerate(probe.layers):
        if index:
            active.append(values > 0)
            values = np.maximum(values, 0.0)
        values = values @ weight.T + bias
    gradient = np.tile(output, (n_steps, 1))
    for index in reversed(range(len(probe.layers))):
        gradient = gradient @ probe.layers[index][0]
        if index:
            gradient = gradient * active[index - 1]
    mean: NDArray[np.float64] = gradient.mean(axis=0)
    return mean
