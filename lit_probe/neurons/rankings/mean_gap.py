"""By how far the mean activation of a class lies from that of the rest."""

import numpy as np

from lit_probe.neurons.rankings.contract import RankedLayer, RankingOptions, UnitScores


def rank_by_mean_gap(layer: RankedLayer, options: RankingOptions) -> UnitScores:
    """Mean activation of a class less that of all other rows, in standard deviations of the neuron; their mean over classes."""
    values = layer.standardised
    means = layer.class_means(values)
    counts = np.bincount(layer.labels, minlength=layer.n_classes)[:, None]
    # The mean of all rows is 0, so the others' mean follows from the class's own.
    gaps = means + means * counts / (len(values) - counts)
    return UnitScores(np.abs(gaps).mean(axis=0), gaps)
