"""Units that are constant but for rounding say nothing, however large or small they are."""

from __future__ import annotations

import numpy as np
import pytest
from planted_studies import planted_study

from lit_probe.counterfactuals.pair_changes import TrainGeometry
from lit_probe.neurons.effects.erasure import erase_concept
from lit_probe.neurons.meaning.neuron_clusters import correlation_clusters
from lit_probe.neurons.rankings import RANKINGS, rank_neurons
from lit_probe.neurons.rankings.contract import without_dead
from lit_probe.neurons.rankings.neuron_stability import neuron_stability
from lit_probe.probing.probes import fit_logistic, fit_mlp
from lit_probe.probing.probes.penalised import fit_penalised_linear, fit_penalised_logistic
from lit_probe.probing.probes.training_data import standardisation

N, D = 240, 12
CONSTANTS = (0.0, 1e-30, -1e-9, 3e-9, 1.0, 5e3, -1e6, 1e30)
DEAD = np.array([0, 3, 4, 9, 13, 15, 18, 19])
ALIVE = np.setdiff1d(np.arange(D + len(DEAD)), DEAD)


@pytest.fixture(scope="module")
def layers():
    """A planted layer ``[N, D]``, the same among dead units ``[N, D + 8]``, and labels."""
    random = np.random.default_rng(0)
    labels = np.arange(N) % 2
    alive = random.normal(scale=0.05, size=(N, D)).astype(np.float32)
    alive[:, 2] += 0.05 * labels
    rounding = 1 + np.finfo(np.float32).eps * random.integers(-1, 2, size=(N, len(DEAD)))
    wide = np.empty((N, D + len(DEAD)), dtype=np.float32)
    wide[:, ALIVE], wide[:, DEAD] = alive, (np.array(CONSTANTS) * rounding).astype(np.float32)
    return alive, wide, labels


def test_dead_units_are_told_from_living_ones_of_any_scale(layers):
    alive, wide, _ = layers
    assert np.flatnonzero(np.isinf(standardisation(wide)[1])).tolist() == DEAD.tolist()
    # A unit a thousand times as loud as the others, as some layers have, is alive, and so are the others.
    loud = np.concatenate([alive, 1000 * alive[:, :1]], axis=1)
    assert np.isfinite(standardisation(loud)[1]).all()
    # Nor does a single very loud one make the others dead.
    assert np.isfinite(standardisation(np.concatenate([alive, 1e8 * alive[:, :1]], axis=1))[1]).all()
    # So is one whose mean is large, but whose changes are not those of rounding.
    assert np.isfinite(standardisation(alive + 100)[1]).all()
    assert np.isinf(standardisation(np.ones((5, 3), dtype=np.float32))[1]).all()


FITS = {
    "logistic": lambda x, y: fit_logistic(x, y, 2),
    "logistic with a given C": lambda x, y: fit_logistic(x, y, 2, c=0.01),
    "mlp": lambda x, y: fit_mlp(x, y, 2, max_epochs=20),
    **{f"penalised {name}": lambda x, y, name=name: fit_penalised_logistic(x, y, 2, penalty=name) for name in ("l1", "l2")},
}


@pytest.mark.parametrize("kind", FITS)
def test_dead_units_of_any_size_change_no_bit_of_a_probe(layers, kind):
    alive, wide, labels = layers
    theirs, ours = FITS[kind](alive, labels), FITS[kind](wide, labels)
    assert ours.dead_units == DEAD.tolist() and theirs.dead_units == []
    assert np.array_equal(ours.layers[0][0][:, ALIVE], theirs.layers[0][0])
    assert not ours.layers[0][0][:, DEAD].any()
    # Nor of what it says of other rows, in which the dead units are anything.
    rows = np.random.default_rng(1).normal(scale=0.05, size=(50, D + len(DEAD))).astype(np.float32)
    assert np.array_equal(ours.logits(rows), theirs.logits(rows[:, ALIVE]))
    assert np.array_equal(type(ours).from_parts(ours.to_arrays(), ours.to_header()).logits(rows), ours.logits(rows))


def test_a_penalised_probe_may_start_from_one_that_leaves_units_out(layers):
    alive, wide, labels = layers
    theirs = fit_penalised_logistic(alive, labels, 2, start=fit_logistic(alive, labels, 2))
    ours = fit_penalised_logistic(wide, labels, 2, start=fit_logistic(wide, labels, 2))
    assert np.array_equal(ours.layers[0][0][:, ALIVE], theirs.layers[0][0])


def test_a_linear_regression_gives_dead_units_no_weight(layers):
    alive, wide, labels = layers
    theirs, ours = (fit_penalised_linear(x, labels.astype(float)) for x in (alive, wide))
    assert not ours.weights[:, DEAD].any()
    assert np.array_equal(ours.weights[:, ALIVE], theirs.weights)
    assert ours.predict(wide) == pytest.approx(theirs.predict(alive), abs=1e-9)


@pytest.fixture
def studies(layers, tiny_encoder):
    alive, wide, labels = layers
    dev = slice(160, N)
    return [planted_study(tiny_encoder, x[:160, None], labels[:160], (x[dev, None], labels[dev])) for x in (alive, wide)]


@pytest.mark.parametrize("method", [name for name in RANKINGS if name != "random"])
def test_rankings_are_the_same_with_dead_units_behind(studies, method):
    theirs, ours = (rank_neurons(study, method, 0) for study in studies)
    order = [unit for unit in ours.order.tolist() if unit not in DEAD]
    assert [int(np.searchsorted(ALIVE, unit)) for unit in order] == theirs.order.tolist()
    assert ours.order[0] == ALIVE[2]
    assert ours.scores[DEAD].max() <= ours.scores[ALIVE].min() + 1e-12 or method == "gaussian"


def test_clusters_and_distances_do_not_see_dead_units(layers, studies):
    _, wide, _ = layers
    clusters = correlation_clusters(without_dead(wide, studies[1].layerwise.probes[0]))
    assert all(len(clusters.members(clusters.of_unit[unit])) == 1 for unit in DEAD)
    theirs, ours = (TrainGeometry(study) for study in studies)
    changes = np.random.default_rng(2).normal(size=(20, D + len(DEAD)))
    assert ours.mahalanobis(0, changes) == pytest.approx(theirs.mahalanobis(0, changes[:, ALIVE]), rel=0.02)


def test_a_layer_of_dead_units_alone_has_probes_ranks_and_distances(tiny_encoder):
    """As the embeddings with cls pooling: the first token is the same in all texts."""
    random = np.random.default_rng(0)
    n_layers, d_model = tiny_encoder.n_layers, tiny_encoder.d_model
    values, labels = random.normal(size=(120, n_layers, d_model)).astype(np.float32), np.arange(120) % 2
    values[:, 0] = random.normal(size=d_model)
    study = planted_study(tiny_encoder, values, labels)
    assert study.layerwise.predict_proba(study.activations["dev"])[:, 0] == pytest.approx(0.5, abs=1e-6)
    geometry = TrainGeometry(study)
    assert not geometry.mahalanobis(0, random.normal(size=(5, d_model))).any()
    assert geometry.typical(0)[1] == 0
    for method in RANKINGS:
        layers = 0 if method in ("probeless", "gaussian", "average_precision", "mean_gap", "random") else (0, 1)
        assert sorted(rank_neurons(study, method, layers).order) == list(range(d_model * (1 if layers == 0 else 2)))
    neuron_stability(study, "weight_mass", None, n_draws=2)
    start = fit_logistic(values[:, 0], labels, 2)
    for penalty in ("l1", "l2", "elastic_net"):
        assert not fit_penalised_logistic(values[:, 0], labels, 2, penalty=penalty, start=start).coef_.any()
    assert study.layerwise.probes[0].dead_units == list(range(d_model))
    assert erase_concept(study).layers[0].after == pytest.approx(0.5, abs=0.01)


def test_erasure_leaves_dead_units_as_they_are(layers, tiny_encoder):
    _, wide, labels = layers
    n_layers, d_model = tiny_encoder.n_layers, tiny_encoder.d_model
    values = np.zeros((N, n_layers, d_model), dtype=np.float32)
    values[:, :, : wide.shape[1]] = wide[:, None]
    erased = erase_concept(planted_study(tiny_encoder, values[:160], labels[:160], (values[160:], labels[160:]))).layers[0]
    assert erased.before == erased.random == pytest.approx(0.6) and erased.after == pytest.approx(0.5, abs=0.02)


def test_a_reader_is_told_which_units_are_left_out(studies):
    assert [line for line in studies[1].remarks() if "units" in line] == [
        "Layer 0: 8 of 20 units do not vary on train but for rounding, and are left out: 0, 3, 4, 9, 13, 15, 18, 19."
    ]
    assert not [line for line in studies[0].remarks() if "left out" in line]
