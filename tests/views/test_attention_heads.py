"""What is said of a head follows from its weights, by hand; an unchanged text changes no head."""

import numpy as np
import pytest

from lit_probe.data import text_pairs
from lit_probe.encoder.attention import Attention, attention
from lit_probe.encoder.encoder import load_encoder
from lit_probe.views.attention_heads import aligned_tokens, head_changes, head_shares, small_pictures

TEXT = "the plot is slow and the acting is bad"


def planted(weights, special=(), seam=None) -> Attention:
    weights = np.asarray(weights, dtype=np.float32)
    names = tuple(f"t{i}" for i in range(weights.shape[-1]))
    return Attention(names, tuple(i in special for i in range(len(names))), seam, False, weights)


def test_planted_heads_are_what_they_are():
    n = 6
    itself, spread = np.eye(n), np.full((n, n), 1 / n)
    before = np.vstack([np.eye(n)[0], np.eye(n)[:-1]])
    after = np.vstack([np.eye(n)[1:], np.eye(n)[-1]])
    to_first = np.tile(np.eye(n)[0], (n, 1))
    found = head_shares(planted([[itself, before, after, to_first, spread]], special=(0, 5)))
    assert found.to_itself[0] == pytest.approx([1, 1 / 6, 1 / 6, 1 / 6, 1 / 6])
    assert found.to_previous[0] == pytest.approx([0, 1, 0, 1 / 5, 1 / 6])
    assert found.to_next[0] == pytest.approx([0, 0, 1, 0, 1 / 6])
    assert found.to_special[0, 3:] == pytest.approx([1, 1 / 3])
    assert found.entropy[0] == pytest.approx([0, 0, 0, 0, np.log2(6)], abs=1e-6)
    assert found.between is None


def test_the_four_blocks_of_a_pair_are_two_shares_that_add_up(tiny_folder):
    found = attention(load_encoder(str(tiny_folder(own_pair_form=True))), text_pairs.joined("a good film", "it was dull"))
    between = head_shares(found).between
    assert between.shape == (3, 4, 2, 2)
    np.testing.assert_allclose(between.sum(axis=-1), 1, atol=1e-5)
    first, second = range(found.seam), range(found.seam, len(found.tokens))
    by_hand = [
        [np.mean([sum(found.head(2, 1)[i, j] for j in to) for i in of]) for to in (first, second)] for of in (first, second)
    ]
    np.testing.assert_allclose(between[1, 1], by_hand, atol=1e-6)


def test_one_token_has_no_neighbour():
    found = head_shares(planted(np.ones((2, 3, 1, 1))))
    assert found.to_itself.tolist() == np.ones((2, 3)).tolist()
    assert not found.to_previous.any() and not found.to_next.any() and not found.entropy.any()


def test_shares_are_json_and_come_back(tiny_encoder):
    found = head_shares(attention(tiny_encoder, TEXT))
    again = type(found).from_json(found.to_json())
    assert np.array_equal(again.entropy, found.entropy) and again.between is None


@pytest.mark.parametrize("at_most", [1, 3, 5, 11, 40])
def test_no_line_is_lost_in_a_small_picture(tiny_encoder, at_most):
    found = attention(tiny_encoder, TEXT)
    pictures = small_pictures(found, at_most)
    side = min(at_most, len(found.tokens))
    assert pictures.shape == (3, 4, side, side)
    assert pictures.max(axis=(2, 3)).tolist() == np.rint(found.weights.max(axis=(2, 3)) * 255).astype(int).tolist()
    if side == len(found.tokens):
        assert np.array_equal(pictures, np.rint(found.weights * 255).astype(np.uint8))


def test_an_unchanged_text_changes_nothing_and_another_at_most_all(tiny_encoder):
    one = attention(tiny_encoder, TEXT)
    assert head_changes(one, one, aligned_tokens(one, one)).max() == 0
    other = attention(tiny_encoder, "the plot is not slow and the acting is good")
    changes = head_changes(one, other, aligned_tokens(one, other))
    assert changes.shape == (3, 4) and changes.min() > 0 and changes.max() <= 1
    back = head_changes(other, one, aligned_tokens(other, one))
    np.testing.assert_allclose(changes, back)


def test_a_planted_turn_is_measured():
    """One of two common tokens turns from the first to the second: it moves all of its attention, the other none."""
    one, other = planted([[[[1, 0], [1, 0]]]]), planted([[[[0, 1], [1, 0]]]])
    assert head_changes(one, other, (0, 1)).tolist() == [[0.5]]
    # What a token gives to one that was put in has gone elsewhere.
    longer = planted([[[[0.4, 0.6, 0], [0, 1, 0], [0.5, 0, 0.5]]]])
    assert head_changes(planted([[[[1, 0], [0.5, 0.5]]]]), longer, (0, None, 1))[0, 0] == pytest.approx(0.3)


def test_texts_without_a_common_token_are_not_compared():
    assert head_changes(planted([[[[1]]]]), planted([[[[1]]]]), (None,)) is None


def test_alignment_follows_what_was_put_in(tiny_encoder):
    one, other = attention(tiny_encoder, "a good film"), attention(tiny_encoder, "a very good film")
    assert one.tokens == ("[CLS]", "a", "good", "film", "[SEP]")
    assert aligned_tokens(one, other) == (0, 1, None, 2, 3, 4)
