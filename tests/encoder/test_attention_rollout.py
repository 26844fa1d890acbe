"""The rollout is the product of the paper, by hand; it mixes as attention does and says nothing more."""

import numpy as np
import pytest
import tiny_decoders
from every_encoder import EVERY, TEXTS, opened

from lit_probe.encoder.attention import Attention, attention
from lit_probe.encoder.attention_rollout import attention_rollout, read_by_pooling, rollout_by_token
from lit_probe.encoder.encoder import load_encoder
from lit_probe.encoder.pooling import POOLINGS

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


POOLED = {
    "last": [0, 0, 1, 0],
    "cls": [1, 0, 0, 0],
    "mean": [0, 1 / 2, 1 / 2, 0],
    "max": [0, 1 / 2, 1 / 2, 0],
    "mean_all": [1 / 4] * 4,
    "mean_after_first": [0, 1 / 2, 1 / 2, 0],
}


@pytest.mark.parametrize("pooling", POOLINGS)
def test_a_vector_is_read_where_its_pooling_reads_it(tiny_encoder, pooling):
    [encoded] = tiny_encoder.encode(["good film"])
    assert encoded.special == [True, False, False, True]
    assert read_by_pooling(tiny_encoder, encoded, pooling) == pytest.approx(POOLED[pooling])


def test_where_a_template_ends_a_text_its_last_token_is_read(tmp_path):
    encoder = load_encoder(str(tiny_decoders.build(tmp_path / "gpt2", "gpt2")), template="{text} is")
    [encoded] = encoder.encode(["good film"])
    assert np.argmax(read_by_pooling(encoder, encoded, "last")) == len(encoded.ids) - 1
    assert np.argmax(read_by_pooling(encoder, encoded, "mean")) < len(encoded.ids) - 1


def test_what_is_read_comes_from_where_its_tokens_come_from():
    first = np.tile(np.eye(3)[0], (3, 1))
    of = planted([[first]])
    assert rollout_by_token(of, np.array([0, 0, 1.0])).tolist() == [[0, 0, 1], [0.5, 0, 0.5]]
    assert rollout_by_token(of, np.array([0, 0.5, 0.5])).tolist() == [[0, 0.5, 0.5], [0.5, 0.25, 0.25]]
