"""By the weights of a regression with an L1 penalty, fitted anew."""

from lit_probe.neuron_rankings.ranking import RankedLayer, RankingOptions, UnitScores
from lit_probe.neuron_rankings.regression_weights import regression_weight_scores


def rank_by_l1(layer: RankedLayer, options: RankingOptions) -> UnitScores:
    """The absolute weights; lasso: few neurons get a weight, an arbitrary one of several that say the same."""
    return regression_weight_scores(layer, options, "l1")
