"""By the weights of a regression with an Elastic-net penalty, fitted anew."""

from lit_probe.neuron_rankings.ranking import RankedLayer, RankingOptions, UnitScores
from lit_probe.neuron_rankings.regression_weights import regression_weight_scores


def rank_by_elastic_net(layer: RankedLayer, options: RankingOptions) -> UnitScores:
    """The absolute weights; L1 and L2 together: few neurons, but those that say the same stay together."""
    return regression_weight_scores(layer, options, "elastic_net")
