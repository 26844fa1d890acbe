"""In random order: what every ranking has to beat."""

import numpy as np

from lit_probe.neurons.rankings.contract import RankedLayer, RankingOptions, UnitScores


def rank_at_random(layer: RankedLayer, options: RankingOptions) -> UnitScores:
    """Seeded uniform numbers in 0 to 1, other ones in each layer; no sign, so that the classes say nothing either."""
    random = np.random.default_rng([*b"neuron ranking", options.seed, layer.layer])
    return UnitScores(random.random(layer.n_units), np.zeros((layer.n_classes or 1, layer.n_units)))
