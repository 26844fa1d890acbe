"""What the rankings by a penalised regression share: fit it to one layer, take its weights."""

import numpy as np

from lit_probe.neuron_rankings.ranking import RankedLayer, RankingOptions, UnitScores, weight_scores
from lit_probe.probes.penalised import class_indicators, fit_penalised_linear, fit_penalised_logistic


def regression_weight_scores(layer: RankedLayer, options: RankingOptions, penalty: str) -> UnitScores:
    """The absolute weights of a regression with this penalty, and how many of them are exactly 0."""
    if options.regression == "logistic":
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
        targets = class_indicators(layer.labels, layer.n_classes)
        line = fit_penalised_linear(layer.x, targets, penalty=penalty, strength=options.strength, l1_ratio=options.l1_ratio)
        weights, converged = line.weights, line.converged
    return weight_scores(weights, n_without_weight=int((~np.any(weights, axis=0)).sum()), converged=converged)
