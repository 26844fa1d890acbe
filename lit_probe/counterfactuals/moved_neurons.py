"""The neurons of a layer through which an edit moved the probe's answer most."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lit_probe.probing.probes.fitted import FittedProbe
from lit_probe.probing.probes.training_data import standardised
from lit_probe.results import Result

_PATH_STEPS = 64


@dataclass(frozen=True)
class MovedNeuron(Result):
    """One neuron of a layer, and how far an edit moved the probe's answer through it.

    Attributes:
      unit: its place among the ``d_model`` ones.
      before: activation for the original.
      after: activation for the edit.
      change: the change of the activation, in standard deviations of train.
      weight: the weight of the neuron in the difference of the two logits, or in the number, per standard deviation.
      moved: part of the change that came through it: change times weight.
    """

    unit: int
    before: float
    after: float
    change: float
    weight: float
    moved: float


@dataclass(frozen=True)
class MovedNeurons(Result):
    """The neurons through which an edit moved the difference of two logits, or a number.

    Attributes:
      against: index of the strongest other class for the edit, whose logit is subtracted; None of a number.
      change: the change of the difference of the two logits, or of the number.
      n_units: all neurons of the layer.
      others: sum of what came through the neurons that are not named.
      neurons: the named ones, the largest parts first.
    """

    against: int | None
    change: float
    n_units: int
    others: float
    neurons: tuple[MovedNeuron, ...]


def moved_neurons(
    probe: FittedProbe, before: NDArray[np.floating[Any]], after: NDArray[np.floating[Any]], of_class: int, top: int = 10
) -> MovedNeurons:
    """The neurons of a layer through which an edit moved the probe's answer most.

    A linear probe's logits move by weight times change, neuron by neuron, and these parts add up. For a probe that is not
    linear the weight is its gradient's mean over the straight way from one vector to the other, as in integrated gradients
    (Sundararajan et al. 2017, https://arxiv.org/abs/1703.01365); the parts then add up to within the fineness of the steps.

    Args:
      probe: the probe of the layer.
      before: ``[d_model]`` the original's vector.
      after: ``[d_model]`` the edit's.
      of_class: the class whose logit is followed, less that of the strongest other class for the edit; 0 of a number.
      top: the number of neurons that are named.
    """
    vectors = np.stack([before, after]).astype(np.float64)
    logits = probe.logits(vectors)
    others = [index for index in range(probe.n_outputs) if index != of_class]
    against = max(others, key=lambda index: logits[1, index]) if others else None
    output = np.zeros(probe.n_outputs)
    output[of_class] = 1.0
    if against is not None:
        output[against] = -1.0
    start, stop = standardised(vectors, probe.mean, probe.scale)
    weights = _mean_gradient(probe, start, stop, output)
    change = stop - start
    moved = weights * change
    order = np.argsort(-np.abs(moved), kind="stable")[:top]
    difference = logits[:, of_class] - (0.0 if against is None else logits[:, against])
    return MovedNeurons(
        against=against,
        change=float(difference[1] - difference[0]),
        n_units=len(moved),
        others=float(np.delete(moved, order).sum()),
        neurons=tuple(
            MovedNeuron(
                unit=int(unit),
                before=float(vectors[0, unit]),
                after=float(vectors[1, unit]),
                change=float(change[unit]),
                weight=float(weights[unit]),
                moved=float(moved[unit]),
            )
            for unit in order
        ),
    )


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
