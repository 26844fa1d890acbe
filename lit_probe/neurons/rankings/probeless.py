"""By the distances between the classes' mean activations: no probe is fitted."""

import numpy as np

from lit_probe.neurons.rankings.contract import RankedLayer, RankingOptions, UnitScores


def rank_probeless(layer: RankedLayer, options: RankingOptions) -> UnitScores:
    """The sum over pairs of classes of the absolute difference of their mean activations (Antverg & Belinkov 2022).

    https://arxiv.org/abs/2110.07483. Per class: the sum over the pairs that the class is in. As published, activations keep their
    own scale, so neurons that vary a lot come first; `mean_gap` is the standardised relative.
    """
    means = layer.class_means(layer.x)
    of_class = np.abs(means[:, None] - means[None]).sum(axis=1)
    above = np.where(means >= means.mean(axis=0), 1, -1)
    # Every pair counts once here, and once for each of its two classes in of_class.
    return UnitScores(of_class.sum(axis=0) / 2, of_class * above)
