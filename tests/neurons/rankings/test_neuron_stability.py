"""Bootstrap stability: a planted neuron stays, noise does not, and the cheap refit is a real one."""

import json
from itertools import combinations

import numpy as np
import pytest
from planted_neurons import OF_CLASSES, planted_neuron
from planted_studies import planted_study

from lit_probe.errors import CancelledError, LitProbeError, UnknownNameError
from lit_probe.neurons.rankings.neuron_stability import (
    FrequentNeuron,
    NeuronStability,
    jaccard,
    jaccard_by_chance,
    neuron_stability,
)


@pytest.fixture
def study(tiny_encoder):
    return planted_study(tiny_encoder, *planted_neuron())


@pytest.mark.parametrize("method", [name for name in OF_CLASSES if name != "random"])
def test_the_planted_neuron_is_in_every_top_one(study, method):
    result = neuron_stability(study, method, k=(1,), n_draws=5)
    assert result.points[0].jaccard == result.points[0].with_full == 1
    assert result.frequent == (FrequentNeuron("1:7", layer=1, unit=7, share=1.0),)


def test_a_layer_of_noise_is_hardly_more_stable_than_chance_and_five_planted_neurons_are(tiny_encoder):
    values, labels = planted_neuron(d_model=60)
    values[:, 1, 7:12] += 2 * labels[:, None]
    study = planted_study(tiny_encoder, values, labels)
    for method in ("weight_mass", "mean_gap"):
        noise, signal = (neuron_stability(study, method, layer, k=(5,), n_draws=10).points[0] for layer in (0, 1))
        assert signal.jaccard > 0.95 and noise.jaccard < 0.6
        assert noise.low <= noise.jaccard <= noise.high


def test_a_ranking_that_ignores_the_rows_is_perfectly_stable_though_it_is_random(study):
    points = neuron_stability(study, "random", k=(5, 48), n_draws=4).points
    assert [point.jaccard for point in points] == [1, 1]


def test_chance_is_what_unrelated_sets_share():
    random = np.random.default_rng(0)
    sets = [random.permutation(100)[:20] for _ in range(200)]
    expected = np.mean([jaccard(one, other) for one, other in zip(sets[::2], sets[1::2], strict=True)])
    assert expected == pytest.approx(jaccard_by_chance(20, 100), abs=0.02)


@pytest.mark.parametrize(("k", "n"), [(1, 1), (1, 5), (3, 24), (3, 4), (5, 8)])
def test_chance_is_exact(k, n):
    sets = [set(one) for one in combinations(range(n), k)]
    assert jaccard_by_chance(k, n) == pytest.approx(np.mean([len(one & sets[0]) / len(one | sets[0]) for one in sets]))


def test_chance_and_sizes_are_told(study):
    result = neuron_stability(study, layers=1, k=(24, 6), n_draws=3)
    assert [(point.k, point.chance) for point in result.points] == [(6, pytest.approx(jaccard_by_chance(6, 24))), (24, 1.0)]
    assert result.points[1].jaccard == 1
    assert len(result.frequent) == 24 and result.n_units == 24
    assert NeuronStability.from_json(json.loads(json.dumps(result.to_json(), allow_nan=False))) == result


def test_without_sizes_the_usual_ones_that_are_smaller_than_the_layer_are_taken(study):
    for layers, expected in ((None, [10, 20]), (1, [10, 20])):
        points = neuron_stability(study, "mean_gap", layers, n_draws=2).points
        assert [point.k for point in points] == expected


def test_the_seed_decides_the_samples(study):
    one, again, other = (neuron_stability(study, "mean_gap", 0, k=(5,), n_draws=4, seed=seed) for seed in (0, 0, 1))
    assert one == again != other


def test_the_probe_is_refitted_on_each_sample_at_its_own_c(study, monkeypatch):
    from lit_probe.neurons.rankings import neuron_stability as module

    fits = []

    def counted(x, labels, n_classes, **options):
        fits.append((len(x), options["strength"]))
        return real(x, labels, n_classes, **options)

    real = module.fit_penalised_logistic
    monkeypatch.setattr(module, "fit_penalised_logistic", counted)
    neuron_stability(study, k=(5,), n_draws=3)
    strengths = [1 / (probe.settings["C"] * 300) for probe in study.layerwise.probes]
    assert fits == [(300, strength) for strength in strengths] * 3


def test_groups_are_sampled_whole(tiny_encoder):
    # Every row thrice under one name: by row, the copies would make samples look alike.
    values, labels = planted_neuron(n=100, strength=0.3)
    values, labels = np.repeat(values, 3, axis=0), np.repeat(labels, 3)
    groups = np.repeat([f"film {i}" for i in range(100)], 3)
    by_row, by_group = (
        neuron_stability(planted_study(tiny_encoder, values, labels, groups=names), "mean_gap", k=(10,), n_draws=12).points[0]
        for names in (None, groups)
    )
    assert by_group.jaccard < by_row.jaccard


def test_rows_of_one_group_have_no_other_samples(tiny_encoder):
    values, labels = planted_neuron(n=60)
    study = planted_study(tiny_encoder, values, labels, groups=np.array(["one film"] * 60))
    with pytest.raises(LitProbeError, match="All train rows belong to one group"):
        neuron_stability(study)


def test_classes_too_small_for_samples_are_refused_in_a_sentence(tiny_encoder):
    values, labels = planted_neuron(n=40)[0], np.arange(40) % 20
    names = tuple(map(str, range(20)))
    study = planted_study(tiny_encoder, values, labels, label_names=names, probe="majority")
    with pytest.raises(LitProbeError, match="left a class with fewer than 2 examples"):
        neuron_stability(study, "mean_gap")


def test_bad_input_is_refused(study):
    with pytest.raises(LitProbeError, match=r"top 49 of 48 neurons cannot be compared\. Choose a k of 1 to 48"):
        neuron_stability(study, k=(49,))
    with pytest.raises(LitProbeError, match="2 bootstrap samples or more; got 1"):
        neuron_stability(study, n_draws=1)
    with pytest.raises(UnknownNameError, match="Unknown neuron ranking"):
        neuron_stability(study, "lime")
    with pytest.raises(UnknownNameError, match="Unknown layer 9"):
        neuron_stability(study, layers=9)


def test_progress_reaches_its_total_and_can_cancel(study):
    heard = []
    neuron_stability(study, "mean_gap", k=(5,), n_draws=3, progress=lambda done, total: heard.append((done, total)))
    assert heard == [(0, 3), (1, 3), (2, 3), (3, 3)]

    def cancel(done, total):
        if done:
            raise CancelledError("not wanted")

    with pytest.raises(CancelledError):
        neuron_stability(study, progress=cancel)
