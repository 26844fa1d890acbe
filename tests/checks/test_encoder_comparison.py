"""Two encoders on the same rows: their paired difference is that of two layers of one study."""

from __future__ import annotations

from dataclasses import replace

import pytest
from simulated_layers import simulated

from lit_probe.checks.encoder_comparison import compare_encoders
from lit_probe.checks.layer_comparison import compare_two_layers
from lit_probe.errors import DatasetError, UnknownNameError
from lit_probe.probing.study import LayerStudy


def layers_of(study: LayerStudy, *layers: int) -> LayerStudy:
    """The same rows through an encoder that has only these layers."""
    probes = tuple(study.layerwise.probes[layer] for layer in layers)
    activations = {name: type(values).from_array(values.values[:, list(layers)]) for name, values in study.activations.items()}
    return LayerStudy(study.encoder, study.splits, activations, replace(study.layerwise, probes=probes), 0)


@pytest.mark.parametrize("positive", [0.5, 0.25])
def test_two_encoders_differ_as_the_two_layers_of_one_study_do(positive):
    study = simulated([0.6, 0.9, 0.7], n=400, positive=positive)
    small, large = layers_of(study, 0), layers_of(study, 2, 1)
    expected = compare_two_layers(study, 1, 0)
    found = compare_encoders(large, 1, small, 0)
    assert (found.difference, found.low, found.high) == (expected.difference, expected.low, expected.high)
    assert (found.p_bootstrap, found.p_mcnemar) == (expected.p_bootstrap, expected.p_mcnemar)
    assert (found.layer, found.other, found.metric, found.n) == (1, 0, study.headline, 400)
    turned = compare_encoders(small, 0, large, 1)
    assert (turned.difference, turned.low, turned.high) == pytest.approx((-found.difference, -found.high, -found.low))


def test_other_rows_and_missing_layers_are_refused():
    study = simulated([0.6, 0.9])
    with pytest.raises(DatasetError, match="dev rows of answers and answers differ"):
        compare_encoders(study, 0, simulated([0.6, 0.9], seed=1), 0)
    with pytest.raises(UnknownNameError, match="Unknown layer 2"):
        compare_encoders(study, 2, study, 0)
    with pytest.raises(UnknownNameError, match="Unknown layer 5"):
        compare_encoders(study, 0, study, 5)
