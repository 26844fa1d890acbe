"""By the weights of a regression with an L1, an L2 or an elastic-net penalty, fitted anew to one layer."""

import numpy as np

from lit_probe.neurons.rankings.contract import RankedLayer, RankingOptions, UnitScores, weight_scores
from lit_probe.probing.probes.penalised import class_indicators, fit_penalised_linear, fit_penalised_logistic


def rank_by_l1(layer: RankedLayer, options: RankingOptions) -> UnitScores:
    """The absolute weights; lasso: few neurons get a weight, an arbitrary one of several that say the same."""
    return _weight_scores(layer, options, "l1")


def rank_by_l2(layer: RankedLayer, options: RankingOptions) -> UnitScores:
    """The absolute weights; ridge: neurons that say the same share the weight."""
    return _weight_scores(layer, options, "l2")


def rank_by_elastic_net(layer: RankedLayer, options: RankingOptions) -> UnitScores:
    """The absolute weights; L1 and L2 together: few neurons, but those that say the same stay together."""
    return _weight_scores(layer, options, "elastic_net")


def _weight_scores(layer: RankedLayer, options: RankingOptions, penalty: str) -> UnitScores:
    """The absolute weights of a regression with this penalty, and how many of them are exactly 0.

    Of a number it is a linear one on the standardised numbers, whatever regression is asked for.
    """
    if layer.n_classes and options.regression == "logistic":
        fit = fit_penalised_logistic(
            layer.x,
            layer.labels,
            layer.n_classes,
            penalty=penalty,
            strength=options.strength,
            l1_ratio=options.l1_ratio,
            seed=options.seed,
        )
        weights, converged = fit.layers[0][0], fit.converged
    else:
        targets = class_indicators(layer.labels, layer.n_classes) if layer.n_classes else layer.numbers
        line = fit_penalised_linear(layer.x, targets, penalty=penalty, strength=options.strength, l1_ratio=options.l1_ratio)
        weights, converged = line.weights, line.converged
    return weight_scores(weights, n_without_weight=int((~np.any(weights, axis=0)).sum()), converged=converged)
