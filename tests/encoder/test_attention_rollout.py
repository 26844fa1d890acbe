"""The rollout is the product of the paper, by hand; it mixes as attention does and says nothing more."""

import numpy as np
import pytest
from every_encoder import EVERY, TEXTS, opened

from lit_probe.encoder.attention import Attention, attention
from lit_probe.encoder.attention_rollout import attention_rollout, rollout_by_token

TEXT = TEXTS[2]


def planted(weights, special=()) -> Attention:
    weights = np.asarray(weights, dtype=np.float32)
    n = weights.shape[-1]
    return Attention(tuple(map(str, range(n))), tuple(i in special for i in range(n)), None, False, weights)


@pytest.mark.parametrize("architecture", EVERY)
def test_it_is_the_product_of_the_paper_for_every_architecture(tmp_path, architecture):
    encoder = opened(tmp_path, architecture)
    of = attention(encoder, TEXT)
    layers = list(attention_rollout(of))
    assert len(layers) == encoder.n_layers
    by_hand = np.eye(len(of.tokens))
    for block in range(1, encoder.n_layers):
        mean = sum(of.head(block, head).astype(float) for head in range(of.n_heads)) / of.n_heads
        by_hand = (0.5 * mean + 0.5 * np.eye(len(of.tokens))) @ by_hand
        np.testing.assert_allclose(layers[block], by_hand, atol=1e-5)
        np.testing.assert_allclose(layers[block].sum(axis=-1), 1)
        assert not encoder.is_decoder or np.triu(layers[block], k=1).max() == 0


def test_heads_that_look_at_themselves_mix_nothing():
    eye = np.eye(4)
    for layer in attention_rollout(planted([[eye, eye], [eye, eye]])):
        assert np.array_equal(layer, eye)


def test_attention_that_goes_nowhere_is_made_up_for():
    """Where rows add up to less than 1, the rest is shared out, as the paper does."""
    *_, last = attention_rollout(planted([[[[0.5, 0], [0.25, 0.25]]]]))
    np.testing.assert_allclose(last, [[1, 0], [1 / 6, 5 / 6]])


def test_the_vector_of_a_text_is_that_of_its_pooling():
    first = np.tile(np.eye(3)[0], (3, 1))
    of = planted([[first]], special=(0,))
    assert rollout_by_token(of, "last").tolist() == [[0, 0, 1], [0.5, 0, 0.5]]
    assert rollout_by_token(of, "cls").tolist() == [[1, 0, 0], [1, 0, 0]]
    assert rollout_by_token(of, "mean_all").tolist() == [[1 / 3] * 3, [2 / 3, 1 / 6, 1 / 6]]
    assert rollout_by_token(planted([[first]]), "mean_after_first")[0].tolist() == [0, 0.5, 0.5]
    assert rollout_by_token(planted([[[[1]]]]), "mean_after_first").tolist() == [[1], [1]]
    assert rollout_by_token(of, "mean").tolist() == [[0, 0.5, 0.5], [0.5, 0.25, 0.25]]
