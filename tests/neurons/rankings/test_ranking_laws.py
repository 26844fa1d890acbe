"""What holds for every neuron ranking."""

import json

import numpy as np
import pytest
from planted_neurons import OF_CLASSES, planted_neuron, rank_arrays

from lit_probe.neurons.rankings import RANKINGS, RankingOptions

FINDING = [name for name in OF_CLASSES if name != "random"]


@pytest.mark.parametrize("d_model", [130, 384, 768, 1024])
@pytest.mark.parametrize("name", OF_CLASSES)
def test_the_order_is_a_permutation_of_all_neurons_and_the_planted_one_comes_first(name, d_model):
    values, labels = planted_neuron(n=200, n_layers=1, d_model=d_model, layer=0, unit=101)
    # A strong penalty keeps the regressions quick where neurons outnumber examples.
    ranking = rank_arrays(values, labels, name, RankingOptions(strength=0.05))
    assert sorted(ranking.order) == list(range(d_model))
    assert ranking.units.tolist() == [[0, unit] for unit in range(d_model)]
    for chunks in (ranking.chunks(), ranking.chunks(7)):
        assert sorted(np.concatenate(chunks)) == list(range(d_model))
    assert sorted(ranking.class_orders[0]) == list(range(d_model))
    if name in FINDING:
        assert ranking.names[ranking.order[0]] == "0:101"


@pytest.mark.parametrize("regression", ["logistic", "linear"])
@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("name", FINDING)
def test_the_planted_neuron_comes_first_among_all_layers(name, n_classes, regression):
    values, labels = planted_neuron(n_layers=3, n_classes=n_classes, layer=2)
    ranking = rank_arrays(values, labels, name, RankingOptions(regression=regression, strength=0.01))
    assert ranking.layers == (0, 1, 2) and ranking.n_units == 72
    assert ranking.names[ranking.order[0]] == "2:7"
    # The last class has most of it, the first least.
    top = ranking.signs[:, ranking.order[0]]
    assert top[0] == -1 and top[n_classes - 1] == 1


@pytest.mark.parametrize("name", OF_CLASSES)
def test_three_runs_agree_to_the_last_bit(name):
    values, labels = planted_neuron(n_classes=3)
    runs = [rank_arrays(values, labels, name) for _ in range(3)]
    for run in runs[1:]:
        assert np.array_equal(run.order, runs[0].order)
        assert np.array_equal(run.scores, runs[0].scores) and np.array_equal(run.class_scores, runs[0].class_scores)


@pytest.mark.parametrize("name", OF_CLASSES)
def test_scores_fall_along_the_order_and_equal_ones_stand_by_layer_and_index(name):
    values, labels = planted_neuron()
    values[:, 0, 20] = values[:, 0, 3]
    values[:, 1, [5, 2]] = 4.0
    ranking = rank_arrays(values, labels, name, RankingOptions(strength=0.05))
    keys = [(-ranking.scores[position], *ranking.units[position]) for position in ranking.order]
    assert keys == sorted(keys)


@pytest.mark.parametrize("name", [name for name in OF_CLASSES if RANKINGS[name].scale_free])
def test_a_neuron_in_other_units_keeps_its_place(name):
    values, labels = planted_neuron()
    before = rank_arrays(values, labels, name)
    scaled = values.copy()
    scaled[:, 1, 7] *= 1000
    scaled[:, 0, 4] *= 1000
    after = rank_arrays(scaled, labels, name)
    assert after.scores == pytest.approx(before.scores, rel=1e-2, abs=1e-4)
    places, again = np.argsort(before.order), np.argsort(after.order)
    assert places[[31, 4]].tolist() == again[[31, 4]].tolist()


@pytest.mark.parametrize("name", [name for name in OF_CLASSES if not RANKINGS[name].scale_free])
def test_a_ranking_that_promises_no_independence_of_units_has_none(name):
    values, labels = planted_neuron()
    values[:, 0, 4] *= 1000
    assert rank_arrays(values, labels, name).names[rank_arrays(values, labels, name).order[0]] == "0:4"


@pytest.mark.parametrize("name", OF_CLASSES)
def test_a_constant_neuron_is_not_ranked_and_the_others_are_as_without_it(name):
    values, labels = planted_neuron()
    values[:, 1, 3] = 0.1
    ranking = rank_arrays(values, labels, name)
    assert "1:3" not in ranking.names and sorted(ranking.order) == list(range(47))
    assert np.isfinite(ranking.scores).all()
    # A layer without it has the same order; of random numbers every layer has its own.
    alone = rank_arrays(np.delete(values, 3, axis=2), labels, name)
    of_layer = [unit - (unit > 3) for layer, unit in ranking.units[ranking.order].tolist() if layer == 1]
    assert of_layer == [unit for layer, unit in alone.units[alone.order].tolist() if layer == 1]


@pytest.mark.parametrize("name", OF_CLASSES)
def test_the_result_is_json_best_first(name):
    values, labels = planted_neuron()
    ranking = rank_arrays(values, labels, name)
    whole = json.loads(json.dumps(ranking.to_json(), allow_nan=False))
    assert whole["title"] == RANKINGS[name].title and whole["score_unit"] == RANKINGS[name].score_unit
    assert [one["rank"] for one in whole["neurons"]] == list(range(1, 49))
    assert len(whole["neurons"][0]["class_scores"]) == 2
    assert ranking.to_json(limit=5)["neurons"] == whole["neurons"][:5]
    assert set(RANKINGS[name].options) <= set(whole["settings"])
