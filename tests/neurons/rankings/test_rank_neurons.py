"""`rank_neurons` on a study: which rows and layers it reads, and what it refuses."""

import numpy as np
import pytest
from planted_neurons import OF_CLASSES, planted_neuron
from planted_studies import planted_study

from lit_probe.errors import CancelledError, LitProbeError, ProbeError, UnknownNameError
from lit_probe.neurons.rankings import rank_neurons


@pytest.fixture
def study(tiny_encoder):
    values, labels = planted_neuron()
    return planted_study(tiny_encoder, values, labels)


def test_the_default_reads_the_fitted_probes_and_no_activations(study, monkeypatch):
    from lit_probe.encoder.activations import Activations

    monkeypatch.setattr(Activations, "layer", lambda *_: pytest.fail("activations were read"))
    ranking = rank_neurons(study)
    assert ranking.method == "weight_mass" and ranking.layers == (0, 1)
    assert ranking.names[ranking.order[0]] == "1:7"
    weights = np.concatenate([np.abs(probe.coef_[0]) for probe in study.layerwise.probes])
    assert ranking.scores == pytest.approx(weights / weights.sum())


@pytest.mark.parametrize("method", OF_CLASSES)
def test_dev_rows_change_nothing(tiny_encoder, method):
    values, labels = planted_neuron()
    dev = np.random.default_rng(5).normal(size=(40, 2, 24)).astype(np.float32), np.arange(40) % 2
    one, other = (planted_study(tiny_encoder, values, labels, (x, dev[1])) for x in (dev[0], 100 * dev[0]))
    assert np.array_equal(rank_neurons(one, method).scores, rank_neurons(other, method).scores)


def test_one_layer_several_or_all(study):
    assert rank_neurons(study, layers=1).layers == (1,)
    assert rank_neurons(study, layers=[1, 0, 1]).layers == rank_neurons(study).layers == (0, 1)
    assert rank_neurons(study, "mean_gap", 0).units[:, 0].tolist() == [0] * 24


@pytest.mark.parametrize("layers", [2, -1, [0, 5]])
def test_a_layer_that_does_not_exist_is_refused_with_those_that_do(study, layers):
    with pytest.raises(UnknownNameError, match=r"Unknown layer -?\d\. .* has layers 0 \(embeddings\) to 1"):
        rank_neurons(study, layers=layers)


def test_no_layer_at_all_is_refused(study):
    with pytest.raises(UnknownNameError, match="No layer was named"):
        rank_neurons(study, layers=[])


def test_an_unknown_ranking_lists_the_choices(study):
    with pytest.raises(UnknownNameError, match=r"Unknown neuron ranking 'lime'. Choose one of: average_precision, "):
        rank_neurons(study, "lime")


def test_weight_mass_of_an_mlp_is_refused_and_other_rankings_go_on(tiny_encoder):
    values, labels = planted_neuron()
    study = planted_study(tiny_encoder, values, labels, probe="mlp")
    with pytest.raises(ProbeError, match=r"Layer 0: a probe of kind 'mlp' has no single weight .*such as mean_gap"):
        rank_neurons(study)
    ranking = rank_neurons(study, "mean_gap")
    assert ranking.names[ranking.order[0]] == "1:7"


def test_a_probe_that_reads_nothing_ranks_nothing(tiny_encoder):
    study = planted_study(tiny_encoder, *planted_neuron(), probe="majority")
    with pytest.raises(ProbeError, match="every weight is 0, so no neuron comes before another"):
        rank_neurons(study)


def test_a_class_with_no_examples_is_refused_by_name(study):
    study.splits.train.labels[:] = 0
    for method in OF_CLASSES:
        with pytest.raises(LitProbeError, match="'positive' has 0"):
            rank_neurons(study, method)


def test_nan_activations_are_refused_where_they_are_read(study):
    study.activations["train"].blocks[0].values[1][3, 5] = np.nan
    for method in OF_CLASSES:
        if method in ("weight_mass", "random"):
            continue
        with pytest.raises(ProbeError, match=r"Layer 1: the activations of 1 of 300 examples hold NaN .*neuron 5"):
            rank_neurons(study, method)
    assert rank_neurons(study, "mean_gap", 0).n_units == 24


def test_progress_counts_layers_and_can_cancel(study):
    heard = []
    rank_neurons(study, progress=lambda done, total: heard.append((done, total)))
    assert heard == [(0, 2), (1, 2), (2, 2)]

    def cancel(done, total):
        raise CancelledError("not wanted")

    with pytest.raises(CancelledError):
        rank_neurons(study, progress=cancel)
