"""Words that stand in two versions of a text find each other, wherever something was put in or taken out."""

import numpy as np
import pytest

from lit_probe.encoder.alignment import align, paired_scores

ORIGINAL = "the acting is fine , the plot is not".split()


@pytest.mark.parametrize("place", range(len(ORIGINAL) + 1))
def test_an_insertion_anywhere_leaves_every_word_beside_itself(place):
    edited = [*ORIGINAL[:place], "well", *ORIGINAL[place:]]
    expected = [(i, i + (i >= place)) for i in range(len(ORIGINAL))]
    assert align(ORIGINAL, edited).tolist() == [list(pair) for pair in expected]
    assert align(edited, ORIGINAL).tolist() == [list(pair[::-1]) for pair in expected], "a removal is an insertion backwards"


def test_position_by_position_would_have_paired_other_words():
    edited = ["well", *ORIGINAL]
    assert all(one != other for one, other in zip(ORIGINAL, edited, strict=False))


def test_a_replaced_word_is_in_no_pair():
    edited = ["dull" if word == "fine" else word for word in ORIGINAL]
    assert align(ORIGINAL, edited)[:, 0].tolist() == [0, 1, 2, 4, 5, 6, 7, 8]


def test_the_case_does_not_matter():
    assert align(["The", "FILM"], ["the", "film"]).tolist() == [[0, 0], [1, 1]]


def test_texts_with_nothing_in_common_have_no_pair():
    assert align(["a"], ["b", "c"]).shape == (0, 2)
    pairs, alone = paired_scores(["a"], np.array([1.0]), ["b", "c"], np.array([2.0, 3.0]))
    assert pairs.shape == (0, 2) and alone.tolist() == [1.0, 2.0, 3.0]


def test_frequent_words_of_long_texts_are_paired_too():
    words = ["the", "film"] * 300
    assert len(align(words, ["well", *words])) == 600
