"""By the weights of a regression with an L2 penalty, fitted anew."""

from lit_probe.neuron_rankings.ranking import RankedLayer, RankingOptions, UnitScores
from lit_probe.neuron_rankings.regression_weights import regression_weight_scores


def rank_by_l2(layer: RankedLayer, options: RankingOptions) -> UnitScores:
    """The absolute weights; ridge: neurons that say the same share the weight."""
    return regression_weight_scores(layer, options, "l2")
