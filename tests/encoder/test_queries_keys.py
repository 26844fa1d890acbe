"""Queries and keys are shown only where their products, softmaxed by hand, are the model's own weights."""

import numpy as np
import pytest
import scipy.special
import torch
import transformers
from every_encoder import EVERY, TEXTS, opened
from tiny_encoders import SIZES

import lit_probe
from lit_probe.encoder.attention import attention
from lit_probe.encoder.encoder import load_encoder
from lit_probe.encoder.queries_keys import queries_and_keys
from lit_probe.encoder.thread import on_encoder_thread
from lit_probe.errors import EncoderError, UnknownNameError

TEXT = TEXTS[2]
MORE_THAN_PRODUCTS = ("deberta-v2", "bloom", "t5")


@pytest.mark.parametrize("architecture", EVERY)
def test_softmaxed_products_are_the_models_own_weights_or_a_sentence_says_why_not(tmp_path, architecture):
    encoder = opened(tmp_path, architecture)
    weights = attention(encoder, TEXT).weights
    for block in range(1, encoder.n_layers):
        if architecture in MORE_THAN_PRODUCTS:
            with pytest.raises(EncoderError, match=rf"^Block {block} of {architecture} does more than multiply queries and keys"):
                queries_and_keys(encoder, TEXT, block)
            continue
        found, whole = queries_and_keys(encoder, TEXT, block)
        assert np.array_equal(whole.weights, weights)
        assert found.queries.shape == found.keys.shape == (4, len(whole.tokens), 8)
        # A token that may not be seen has no weight; nothing else is left out.
        seen = weights[block - 1] > 0
        scores = np.where(seen, np.einsum("hqd,hkd->hqk", found.queries, found.keys) * found.scale, -np.inf)
        np.testing.assert_allclose(scipy.special.softmax(scores, axis=-1), weights[block - 1], atol=2e-6)
        assert found.largest_error < 2e-6
        products = found.products(1, 3)
        np.testing.assert_allclose(products.sum(axis=1)[seen[1, 3]], scores[1, 3][seen[1, 3]], atol=1e-5)


@pytest.mark.parametrize("architecture", ["bert", "llama", "mistral", "qwen3"])
def test_the_scale_is_one_over_the_root_of_the_units(tmp_path, architecture):
    found, _ = queries_and_keys(opened(tmp_path, architecture), TEXT, 1)
    assert found.scale == 1 / np.sqrt(8)


def test_queries_and_keys_of_bert_are_what_its_linear_parts_give(tiny_encoder):
    found, _ = queries_and_keys(tiny_encoder, TEXT, 2)
    attend = tiny_encoder.model.encoder.layer[1].attention.self
    hidden = tiny_encoder.forward(tiny_encoder.encode([TEXT])).layers[1]
    with torch.inference_mode():
        for part, values in ((attend.query, found.queries), (attend.key, found.keys)):
            own = on_encoder_thread(part, hidden)[0].reshape(-1, 4, 8).transpose(0, 1)
            np.testing.assert_allclose(values, own.numpy(), atol=1e-5)


def test_heads_that_share_keys_have_the_same_ones(tmp_path):
    found, _ = queries_and_keys(opened(tmp_path, "llama"), TEXT, 1)
    assert np.array_equal(found.keys[0], found.keys[1])
    assert not np.array_equal(found.keys[1], found.keys[2])
    assert not np.array_equal(found.queries[0], found.queries[1])


def test_a_cap_on_scores_is_noticed(tmp_path):
    encoder = opened(tmp_path, "gemma2", query_pre_attn_scalar=1, attn_logit_softcapping=1.0)
    with pytest.raises(EncoderError, match="does more than multiply"):
        queries_and_keys(encoder, TEXT, 1)


def test_half_precision_is_proved_as_far_as_it_goes(tiny_folder):
    found, _ = queries_and_keys(load_encoder(str(tiny_folder()), dtype="bfloat16"), TEXT, 1)
    assert 0 < found.largest_error < 0.02, "as far as eight bits tell"


@pytest.mark.parametrize("block", [0, 4, -1])
def test_an_unknown_block_is_told(tiny_encoder, block):
    with pytest.raises(UnknownNameError, match=rf"Unknown head {block}\.0\. There are blocks 1 to 3"):
        queries_and_keys(tiny_encoder, TEXT, block)


def test_a_product_that_is_not_seen_is_told(tmp_path):
    """XLNet multiplies by einsum."""
    import tiny_encoders

    folder = tiny_encoders.build(tmp_path / "tiny", "bert")
    size = len(transformers.AutoTokenizer.from_pretrained(folder))
    sizes = {"d_model": SIZES["hidden_size"], "n_layer": 2, "n_head": 4, "d_inner": 48}
    transformers.AutoModel.from_config(transformers.XLNetConfig(vocab_size=size, **sizes)).save_pretrained(folder)
    with pytest.raises(EncoderError, match=r"takes no softmax of products|does more than multiply"):
        queries_and_keys(load_encoder(str(folder)), TEXT, 1)


def test_a_single_token_is_no_trouble(tmp_path):
    found, whole = queries_and_keys(opened(tmp_path, "gpt2"), "a", 1)
    assert whole.weights.shape[-1] == 1
    assert found.largest_error == 0


def test_it_is_public():
    assert lit_probe.queries_and_keys is queries_and_keys


@pytest.mark.parametrize("architecture", ["bert", "llama"])
def test_large_scores_are_rounded_more_and_still_proved(tmp_path, architecture):
    """Trained models have scores of tens, whose rounding moves weights by more than that of small ones."""
    encoder = opened(tmp_path, architecture)
    names = ("query", "key", "q_proj", "k_proj")
    with torch.no_grad():
        for name, parameter in encoder.model.named_parameters():
            if parameter.ndim > 1 and any(part in name.split(".") for part in names):
                parameter.mul_(20)
    found, whole = queries_and_keys(encoder, TEXT, 1)
    assert np.abs(np.einsum("hqd,hkd->hqk", found.queries, found.keys) * found.scale).max() > 5
    assert whole.weights[0].max() > 0.9
    assert found.largest_error < 1e-4
