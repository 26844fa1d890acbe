"""By how well the activation alone sorts the rows of a class to the front."""

import numpy as np
from numpy.typing import NDArray

from lit_probe.neurons.rankings.contract import RankedLayer, RankingOptions, UnitScores

_CHUNK_UNITS = 64


def rank_by_average_precision(layer: RankedLayer, options: RankingOptions) -> UnitScores:
    """Average precision of the activation, or of its negative where that is better, for each class against the rest.

    The overall score is the mean over classes. A neuron that says nothing scores about the mean share of a class.
    """
    scores = np.empty((layer.n_classes, layer.n_units))
    for start in range(0, layer.n_units, _CHUNK_UNITS):
        chunk = slice(start, start + _CHUNK_UNITS)
        high, low = average_precisions(layer.x[:, chunk], layer.labels, layer.n_classes)
        scores[:, chunk] = np.where(high >= low, high, -low)
    return UnitScores(np.abs(scores).mean(axis=0), scores)


def average_precisions(x: NDArray[np.float32], labels: NDArray[np.int64], n_classes: int) -> NDArray[np.float64]:
    """``[2, n_classes, n_units]``: of ``x`` ``[n_examples, n_units]``, then of its negative; scikit-learn's, column by column.

    >>> average_precisions(np.float32([[0.1], [0.4], [0.35], [0.8]]), np.array([0, 0, 1, 1]), 2)[0, 1].round(4)
    array([0.8333])
    """
    order = np.argsort(x, axis=0, kind="stable")
    values, classes = np.take_along_axis(x, order, axis=0), labels[order]
    return np.stack([_of_sorted(values[::-1], classes[::-1], n_classes), _of_sorted(values, classes, n_classes)])


def _of_sorted(values: NDArray[np.float32], classes: NDArray[np.int64], n_classes: int) -> NDArray[np.float64]:
    """``[n_classes, n_units]`` for columns in the order of retrieval and the classes of their rows."""
    n = len(values)
    # Rows of equal activation come in together: each counts at the end of its run.
    ends_run = np.ones(values.shape, dtype=bool)
    ends_run[:-1] = values[1:] != values[:-1]
    end = np.minimum.accumulate(np.where(ends_run, np.arange(n)[:, None], n)[::-1], axis=0)[::-1]
    found = np.empty((n_classes, values.shape[1]))
    for c in range(n_classes):
        hits = classes == c
        precision = np.take_along_axis(np.cumsum(hits, axis=0), end, axis=0) / (end + 1)
        found[c] = (precision * hits).sum(axis=0) / hits.sum(axis=0)
    return found
