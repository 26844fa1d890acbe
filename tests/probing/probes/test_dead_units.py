"""Units that are constant but for rounding say nothing, however large or small they are."""

from __future__ import annotations

import numpy as np
import pytest
from planted_neurons import OF_CLASSES as RANKED_FOR_CLASSES
from planted_studies import planted_study

from lit_probe.counterfactuals.pair_changes import TrainGeometry, compare_pairs
from lit_probe.encoder.activations import Activations
from lit_probe.encoder.encoder import load_encoder
from lit_probe.errors import ProbeError
from lit_probe.neurons.effects.ablation import random_units
from lit_probe.neurons.effects.erasure import erase_concept
from lit_probe.neurons.rankings import RANKINGS, RankingOptions, rank_neurons
from lit_probe.neurons.rankings.neuron_evaluation import evaluate_ranking
from lit_probe.neurons.rankings.neuron_stability import neuron_stability
from lit_probe.probing.probes import PROBES, fit_logistic, fit_mlp
from lit_probe.probing.probes.penalised import fit_penalised_linear, fit_penalised_logistic
from lit_probe.probing.probes.training_data import standardisation
from tests.kinds_of_probe import OF_CLASSES

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
    **{name: lambda x, y, name=name: PROBES[name].fit(x, y, 2) for name in ("l1", "elastic_net", "lda", "mean_difference")},
    "majority": lambda x, y: PROBES["majority"].fit(x, y, 2),
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


@pytest.fixture(scope="module", params=OF_CLASSES)
def studies(request, layers, tiny_folder):
    """Two studies of each kind of probe: without dead units, and with them."""
    alive, wide, labels = layers
    dev, encoder = slice(160, N), load_encoder(str(tiny_folder()))
    return [
        planted_study(encoder, x[:160, None], labels[:160], (x[dev, None], labels[dev]), probe=request.param)
        for x in (alive, wide)
    ]


# The kinds of probe with the rankings that they have something to rank by: the weights of a logistic probe alone.
RANKED = [(kind, method) for kind in OF_CLASSES for method in RANKED_FOR_CLASSES if method != "weight_mass" or kind == "logistic"]
GREEDY = [
    (kind, method, greedy)
    for kind, method in RANKED
    for greedy in (0, 3, D)
    if not greedy or "greedy" in RANKINGS[method].options
]


def test_dead_units_are_known_whatever_the_kind_of_probe(studies):
    assert [study.layerwise.probes[0].dead_units for study in studies] == [[], DEAD.tolist()]
    assert np.array_equal(*(study.probabilities("dev") for study in studies))


@pytest.mark.parametrize(("studies", "method", "greedy"), GREEDY, indirect=["studies"])
def test_dead_units_change_no_bit_of_a_ranking_and_are_not_in_it(studies, method, greedy):
    theirs, ours = (rank_neurons(study, method, 0, options=RankingOptions(greedy=greedy)) for study in studies)
    assert ours.units.tolist() == [[0, unit] for unit in ALIVE]
    assert np.array_equal(ours.order, theirs.order) and ours.settings == theirs.settings
    assert np.array_equal(ours.scores, theirs.scores) and np.array_equal(ours.class_scores, theirs.class_scores)
    assert method == "random" or ours.units[ours.order[0], 1] == ALIVE[2]


@pytest.mark.parametrize(
    ("studies", "method"),
    [(kind, method) for kind, method in RANKED if method in ("weight_mass", "probeless", "gaussian", "random")],
    indirect=["studies"],
)
def test_dead_units_change_no_bit_of_what_is_said_of_a_ranking(studies, method):
    theirs, ours = (neuron_stability(study, method, 0, k=(3, 6), n_draws=3) for study in studies)
    assert ours.points == theirs.points and ours.n_units == theirs.n_units == D
    assert [ALIVE[one.unit] for one in theirs.frequent] == [one.unit for one in ours.frequent]
    if method == "probeless":
        theirs, ours = (evaluate_ranking(study, rank_neurons(study, method, 0), n_draws=3) for study in studies)
        assert ours == theirs


def test_dead_units_change_no_bit_of_a_distance(layers, studies):
    random = np.random.default_rng(2)
    before, after = random.normal(scale=0.05, size=(2, 20, 1, D + len(DEAD))).astype(np.float32)
    theirs, ours = (
        compare_pairs(
            study,
            Activations.from_array(np.ascontiguousarray(before[:, :, units])),
            Activations.from_array(np.ascontiguousarray(after[:, :, units])),
            TrainGeometry(study),
        )
        for study, units in zip(studies, (ALIVE, np.arange(D + len(DEAD))), strict=True)
    )
    assert np.array_equal(ours.mahalanobis, theirs.mahalanobis) and np.array_equal(ours.cosine, theirs.cosine)
    assert np.array_equal(ours.margins_after, theirs.margins_after)
    assert TrainGeometry(studies[0]).typical(0) == TrainGeometry(studies[1]).typical(0)


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
    for method in RANKED_FOR_CLASSES:
        assert rank_neurons(study, method, (0, 1)).units.tolist() == [[1, unit] for unit in range(d_model)]
        with pytest.raises(ProbeError, match=r"No neuron of layer 0 varies on train, so there is none to rank\."):
            rank_neurons(study, method, 0)
    neuron_stability(study, "weight_mass", None, n_draws=2)
    start = fit_logistic(values[:, 0], labels, 2)
    for penalty in ("l1", "l2", "elastic_net"):
        assert not fit_penalised_logistic(values[:, 0], labels, 2, penalty=penalty, start=start).coef_.any()
    assert study.layerwise.probes[0].dead_units == list(range(d_model))
    assert erase_concept(study).layers[0].after == pytest.approx(0.5, abs=0.01)


@pytest.mark.parametrize("kind", OF_CLASSES)
def test_dead_units_change_no_bit_of_an_erasure(layers, tiny_encoder, kind):
    alive, wide, labels = layers

    def erased(x):
        values = np.tile(x[:, None], (1, tiny_encoder.n_layers, 1))
        study = planted_study(tiny_encoder, values[:160], labels[:160], (values[160:], labels[160:]), probe=kind)
        return erase_concept(study)

    assert erased(wide) == erased(alive)


def test_erasure_leaves_a_concept_that_is_there_in_the_random_arm_whatever_the_number_of_dead_units(tiny_encoder):
    """With directions among all units, 24 dead ones of 32 took most of the removal upon themselves."""
    random, d_model = np.random.default_rng(0), tiny_encoder.d_model
    labels = np.arange(400) % 2
    alive = random.normal(size=(400, tiny_encoder.n_layers, 8)).astype(np.float32)
    alive += labels[:, None, None]
    wide = np.full((400, tiny_encoder.n_layers, d_model), 3.0, dtype=np.float32)
    wide[:, :, :8] = alive
    theirs, ours = (
        erase_concept(planted_study(tiny_encoder, x[:300], labels[:300], (x[300:], labels[300:]))) for x in (alive, wide)
    )
    assert ours == theirs


def test_no_random_set_of_neurons_holds_dead_ones():
    size = np.r_[np.linspace(1, 2, 10), np.zeros(30)]
    drawn = [random_units((0, 1), size, seed, size > 0) for seed in range(20)]
    assert max(map(max, drawn)) < 10
    assert drawn == [random_units((0, 1), size[:10], seed) for seed in range(20)]


def test_a_reader_is_told_which_units_are_left_out(studies):
    assert (
        [line for line in studies[1].remarks() if "units" in line]
        == studies[1].left_out([0])
        == ["Layer 0: 8 of 20 units do not vary on train but for rounding, and are left out: 0, 3, 4, 9, 13, 15, 18, 19."]
    )
    assert not [line for line in studies[0].remarks() if "left out" in line]
