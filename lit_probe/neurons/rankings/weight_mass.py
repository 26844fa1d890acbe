"""By the weights of the layer's probe, which is fitted already: nothing is computed but sums."""

from lit_probe.errors import ProbeError
from lit_probe.neurons.rankings.contract import RankedLayer, RankingOptions, UnitScores, weight_scores


def rank_by_weight_mass(layer: RankedLayer, options: RankingOptions) -> UnitScores:
    """The absolute weights of the layer's linear probe on standardised activations (Dalvi et al. 2019).

    https://doi.org/10.1609/aaai.v33i01.33016309. Several layers ranked together share one mass, so a layer whose probe needed a
    strong penalty, because little is decodable there, holds little of it.

    Raises:
      ProbeError: the probe is not linear.
    """
    probe = layer.probe
    if len(probe.layers) != 1:
        raise ProbeError(
            f"Layer {layer.layer}: a probe of kind {probe.kind!r} has no single weight per neuron and class, so weight mass "
            "cannot rank by it. Fit a linear probe (logistic) or choose a ranking that reads the activations, such as "
            "mean_gap."
        )
    return weight_scores(probe.layers[0][0][:, layer.units])
