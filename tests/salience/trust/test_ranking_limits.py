"""The limits over all rankings are those of trying every order; the greedy search attains what it says."""

from itertools import permutations

import numpy as np
import pytest

from lit_probe.salience.trust.ranking_limits import highest_chain

N_WORDS = 6


def planted_values(seed: int, n_words: int = N_WORDS, interaction: float = 1.0):
    """A value of each set that is no sum over its words."""
    random = np.random.default_rng(seed)
    weights, pairs = random.normal(size=n_words), interaction * random.normal(size=(n_words, n_words))
    return lambda sets: sets @ weights + np.einsum("si,ij,sj->s", sets.astype(float), pairs, sets.astype(float))


def value_of_order(order, sizes, value_of) -> float:
    sets = np.zeros((len(sizes), len(order)), dtype=bool)
    for row, size in zip(sets, sizes, strict=True):
        row[list(order[:size])] = True
    return float(value_of(sets).mean())


@pytest.mark.parametrize("sizes", [[1, 2, 2, 3, 3], [2, 4], [1, 3, 6]])
@pytest.mark.parametrize("seed", range(4))
def test_without_a_width_the_highest_is_that_of_the_best_order(seed, sizes):
    value_of = planted_values(seed)
    tried = [value_of_order(order, sizes, value_of) for order in permutations(range(N_WORDS))]
    best = highest_chain(N_WORDS, sizes, value_of, None)
    worst = highest_chain(N_WORDS, sizes, lambda sets: -value_of(sets), None)
    assert best.value == pytest.approx(max(tried))
    assert -worst.value == pytest.approx(min(tried))
    assert worst.value != best.value


@pytest.mark.parametrize("width", [None, 1, 2, 5])
def test_its_sets_are_nested_have_their_sizes_and_the_value(width):
    value_of, sizes = planted_values(7), [1, 2, 2, 3, 5]
    found = highest_chain(N_WORDS, sizes, value_of, width)
    assert found.sets.sum(axis=1).tolist() == sizes
    assert (found.sets[1:] >= found.sets[:-1]).all()
    assert found.value == pytest.approx(float(value_of(found.sets).mean()))


def test_a_greedy_search_never_passes_the_highest_and_may_fall_short_of_it():
    sizes = [2, 3]
    gaps = []
    for seed in range(20):
        value_of = planted_values(seed)
        gaps.append(highest_chain(N_WORDS, sizes, value_of, None).value - highest_chain(N_WORDS, sizes, value_of, 1).value)
    assert min(gaps) >= -1e-12
    assert max(gaps) > 0.01


@pytest.mark.parametrize("width", [1, 3])
def test_where_words_add_up_the_greedy_search_finds_the_highest(width):
    value_of, sizes = planted_values(1, 30, interaction=0.0), [3, 6, 9, 12, 15]
    weights = value_of(np.eye(30, dtype=bool))
    expected = value_of_order(np.argsort(-weights), sizes, value_of)
    assert highest_chain(30, sizes, value_of, width).value == pytest.approx(expected)
