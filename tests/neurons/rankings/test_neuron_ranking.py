from dataclasses import replace

import numpy as np
import pytest

from lit_probe.errors import LitProbeError, ProbeError
from lit_probe.neurons.rankings import NeuronRanking

UNITS = [[1, 0], [1, 1], [1, 2], [2, 0], [2, 1]]
SCORES = [0.1, 0.4, 0.0, 0.4, 0.1]
BY_CLASS = [[0.0, 0.6, 0.0, -0.4, 0.0], [0.3, -0.1, 0.0, 0.4, 0.2]]


def ranking(**changes) -> NeuronRanking:
    fields = {"scores": SCORES, "class_scores": BY_CLASS, "units": UNITS, **changes}
    return NeuronRanking.from_scores("mean_gap", "Mean gap", score_unit="gap", label_names=("no", "yes"), **fields)


def test_best_first_and_ties_by_layer_and_index():
    made = ranking()
    assert [made.names[position] for position in made.order] == ["1:1", "2:0", "1:0", "2:1", "1:2"]
    assert made.layers == (1, 2) and made.n_units == 5


def test_class_orders_go_by_size_and_signs_tell_the_direction():
    made = ranking()
    assert made.class_orders.tolist() == [[1, 3, 0, 2, 4], [3, 0, 4, 1, 2]]
    assert made.signs.tolist() == [[0, 1, 0, -1, 0], [1, -1, 0, 1, 1]]


def test_top_and_bottom_are_the_two_ends():
    made = ranking()
    assert made.top(2).tolist() == [1, 3] and made.bottom(2).tolist() == [2, 4]
    assert made.top(2, class_index=1).tolist() == [3, 0] and made.bottom(1, class_index=1).tolist() == [2]
    assert made.top(0).tolist() == [] and made.top(5).tolist() == made.order.tolist()


def test_random_neurons_are_seeded_and_different():
    made = ranking()
    assert made.random(3, seed=1).tolist() == made.random(3, seed=1).tolist()
    assert len({tuple(made.random(3, seed=seed)) for seed in range(30)}) > 5
    assert all(len(set(made.random(4, seed))) == 4 for seed in range(5))


def test_a_threshold_is_a_fraction_of_the_largest_score():
    made = ranking()
    assert made.threshold(1).tolist() == [1, 3]
    assert made.threshold(0.25).tolist() == [1, 3, 0, 4]
    assert made.threshold(0).tolist() == made.order.tolist()
    assert made.threshold(0.5, class_index=0).tolist() == [1, 3]


def test_a_share_of_the_mass_takes_the_fewest_neurons_that_hold_it_and_none_for_nothing():
    made = ranking()
    assert made.top_mass(0).tolist() == []
    assert made.top_mass(0.4).tolist() == [1]
    assert made.top_mass(0.41).tolist() == [1, 3]
    assert made.top_mass(1).tolist() == [1, 3, 0, 4]
    assert made.top_mass(0.5, class_index=1).tolist() == [3, 0]


def test_chunks_grow_with_the_mass_of_each_class_and_lose_no_neuron():
    chunks = [chunk.tolist() for chunk in ranking().chunks(4)]
    # A quarter: 1 for "no", 3 for "yes"; a half: 0 for "yes"; three quarters: 4 for "yes"; all: the rest.
    assert chunks == [[1, 3], [0], [4], [2]]


def test_chunks_of_one_mass_stand_in_the_ranking_s_own_order():
    random = np.random.default_rng(0)
    weights = random.exponential(size=1001)
    made = ranking(units=[[3, unit] for unit in range(1001)], scores=weights, class_scores=np.stack([-weights, weights]))
    chunks = made.chunks()
    assert len(chunks) == 100
    assert np.array_equal(np.concatenate(chunks), made.order)


def test_a_percentage_of_neurons_is_one_neuron_at_least():
    assert [ranking().count(percent) for percent in (0.1, 20, 50, 100)] == [1, 1, 2, 5]


@pytest.mark.parametrize(
    ("ask", "sentence"),
    [
        (lambda r: r.top(6), "6 neurons cannot be chosen: layers 1, 2 have 5. Choose 0 to 5."),
        (lambda r: r.bottom(-1), "-1 neurons cannot be chosen"),
        (lambda r: r.random(9), "9 neurons cannot be chosen"),
        (lambda r: r.threshold(1.5), "fraction of the largest score, 0 to 1; got 1.5"),
        (lambda r: r.top_mass(2), "share of the mass lies in 0 to 1; got 2"),
        (lambda r: r.count(0), "above 0 and be at most 100 %; got 0"),
        (lambda r: r.top(1, class_index=2), r"no class 2; classes are numbered 0\.\.1"),
        (lambda r: r.chunks(0), "one chunk or more; got 0"),
    ],
)
def test_what_cannot_be_chosen_is_refused_in_a_sentence(ask, sentence):
    with pytest.raises(LitProbeError, match=sentence):
        ask(ranking())


def test_more_neurons_than_one_layer_has_names_the_layer():
    made = ranking(units=[[4, unit] for unit in range(5)])
    with pytest.raises(LitProbeError, match="layer 4 has 5"):
        made.top(6)


def test_scores_that_are_not_finite_or_do_not_fit_are_refused():
    with pytest.raises(ProbeError, match="'mean_gap' gave scores that are not finite"):
        ranking(scores=[0.1, np.nan, 0, 0, 0])
    with pytest.raises(ProbeError, match="do not fit together"):
        ranking(class_scores=[[0.0] * 5])
    with pytest.raises(ProbeError, match="exactly once"):
        replace(ranking(), order=np.array([0, 0, 1, 2, 3]))
