"""By the correlation of the activation with the number."""

import numpy as np

from lit_probe.neurons.rankings.contract import RankedLayer, RankingOptions, UnitScores


def rank_by_correlation(layer: RankedLayer, options: RankingOptions) -> UnitScores:
    """Pearson's correlation between each neuron's activation and the number on train, -1 to 1; its size is the score."""
    correlations = layer.numbers @ layer.standardised / len(layer.numbers)
    return UnitScores(np.abs(correlations), correlations[None])
