"""Factors of feed-forward activations: non-negative, seeded, and those of scikit-learn on the same matrix."""

import json

import numpy as np
import pytest
import torch
from sklearn.decomposition import NMF

from lit_probe.encoder.feed_forward import feed_forward_activations, feed_forwards
from lit_probe.encoder.thread import on_encoder_thread
from lit_probe.errors import CancelledError, LitProbeError, UnknownNameError
from lit_probe.neurons.meaning.neuron_factors import neuron_factors

TEXTS = ["a very good film", "dull", "the plot is slow and the acting is bad", "we loved the music, it is great"]


def matrix_of(encoder, texts, first, last, special=False):
    """The positive feed-forward activations of the tokens, text by text."""
    rows = []
    for one in encoder.encode(texts):
        batch, blocks = encoder.padded([one]), feed_forwards(encoder, first, last)
        with torch.inference_mode():
            values = on_encoder_thread(feed_forward_activations, encoder, batch, blocks, last)[0].numpy()
        rows.append(values[[special or not flag for flag in one.special]])
    return np.maximum(np.concatenate(rows), 0)


@pytest.mark.parametrize("special", [False, True])
def test_the_factors_are_those_of_scikit_learn_on_the_tokens(tiny_encoder, special):
    found = neuron_factors(tiny_encoder, TEXTS, (1, 3), 4, seed=3, special=special)
    x = matrix_of(tiny_encoder, TEXTS, 1, 3, special)
    assert found.on_tokens.shape == (4, len(x))
    assert found.on_units.shape == (4, 3 * 48)
    assert found.on_tokens.min() >= 0
    assert found.on_units.min() >= 0
    np.testing.assert_allclose(found.on_tokens.max(axis=1), 1.0, rtol=1e-5)
    rebuilt = found.on_tokens.T @ found.on_units
    assert found.explained == pytest.approx(1 - np.square(x - rebuilt).sum() / np.square(x).sum(), abs=1e-4)
    theirs = NMF(4, init="nndsvda", random_state=3, max_iter=300)
    assert found.explained == pytest.approx(
        1 - np.square(x - theirs.fit_transform(x) @ theirs.components_).sum() / np.square(x).sum(), abs=1e-2
    )
    assert found.shares.sum() == pytest.approx(1.0)
    assert (np.diff(found.shares) <= 0).all()
    assert found.special.any() == special


def test_more_factors_explain_more_and_as_many_as_tokens_nearly_all(tiny_encoder):
    few, more = (neuron_factors(tiny_encoder, TEXTS, (2, 2), n).explained for n in (1, 8))
    assert 0 < few < more <= 1


def test_the_same_seed_gives_the_same_factors(tiny_encoder):
    one, same = (neuron_factors(tiny_encoder, TEXTS, (1, 2), 5, seed=1) for _ in range(2))
    np.testing.assert_array_equal(one.on_tokens, same.on_tokens)
    np.testing.assert_array_equal(one.on_units, same.on_units)
    other = neuron_factors(tiny_encoder, TEXTS, (1, 2), 5, seed=2)
    assert not np.array_equal(one.on_tokens, other.on_tokens)


def test_neurons_that_only_one_word_rouses_make_a_factor_of_that_word(tiny_encoder):
    block = tiny_encoder.model.encoder.layer[0]
    word = tiny_encoder.tokenizer.convert_tokens_to_ids("film")
    planted = [3, 20, 41]
    with torch.no_grad():
        # The word alone has a large value in dimension 5, and only the planted neurons read that.
        tiny_encoder.model.get_input_embeddings().weight[word, 5] = 30.0
        block.intermediate.dense.weight[:, 5] = 0.0
        block.intermediate.dense.weight[planted, 5] = 20.0
    texts = [f"{text} film" for text in TEXTS]
    found = neuron_factors(tiny_encoder, texts, (1, 1), 2)
    assert sorted(found.units[found.top_units(0, 3), 1].tolist()) == planted
    strong = {token for token, value in zip(found.tokens, found.on_tokens[0], strict=True) if value > 0.5}
    assert strong == {"film"}
    assert found.shares[0] > 0.5


def test_texts_beside_and_after_one_another_are_told_apart(tiny_encoder):
    found = neuron_factors(tiny_encoder, TEXTS, (1, 3), 3)
    answer = found.to_json(top=4)
    assert json.loads(json.dumps(answer, allow_nan=False)) == answer
    assert [text["tokens"] for text in answer["texts"]] == [
        [token for token, special in zip(one.tokens, one.special, strict=True) if not special]
        for one in tiny_encoder.encode(TEXTS, with_tokens=True)
    ]
    assert [text["text"] for text in answer["texts"]] == [0, 1, 2, 3]
    assert (answer["layers"], answer["n_units"], answer["n_texts"], answer["n_components"]) == ([1, 2, 3], 144, 4, 3)
    for factor in answer["factors"]:
        assert [len(values) for values in factor["on_texts"]] == [len(text["tokens"]) for text in answer["texts"]]
        weights = [neuron["weight"] for neuron in factor["neurons"]]
        assert len(weights) == 4
        assert weights == sorted(weights, reverse=True)
        assert all(neuron["name"] == f"{neuron['layer']}:{neuron['unit']}" for neuron in factor["neurons"])
        assert all(1 <= neuron["layer"] <= 3 and 0 <= neuron["unit"] < 48 for neuron in factor["neurons"])


def test_only_so_many_tokens_are_read(tiny_encoder):
    found = neuron_factors(tiny_encoder, TEXTS, (1, 1), 2, max_tokens=12)
    assert (len(found.tokens), found.settings.n_texts, found.settings.n_texts_left_out) == (5, 2, 2)
    one = neuron_factors(tiny_encoder, TEXTS[0], (1, 1), 2)
    assert one.tokens == ("a", "very", "good", "film")
    with pytest.raises(LitProbeError, match="first text alone has more than 3 tokens"):
        neuron_factors(tiny_encoder, TEXTS, (1, 1), 2, max_tokens=3)


def test_progress_counts_texts_and_can_cancel(tiny_encoder):
    calls = []
    neuron_factors(tiny_encoder, TEXTS, (1, 1), 2, progress=lambda done, total: calls.append((done, total)))
    assert calls[0] == (0, 5)
    assert calls[-2:] == [(4, 5), (5, 5)]

    def cancel(done, total):
        raise CancelledError("no longer wanted")

    with pytest.raises(CancelledError):
        neuron_factors(tiny_encoder, TEXTS, (1, 1), 2, progress=cancel)


def test_bad_input_is_told(tiny_encoder):
    for texts, layers, n, error, message in (
        (TEXTS, (0, 2), 2, UnknownNameError, "no blocks 0 to 2"),
        (TEXTS, (1, 2), 0, LitProbeError, "one factor or more"),
        (
            TEXTS[:1],
            (1, 2),
            5,
            LitProbeError,
            "5 factors were asked for, but there are 4 tokens and 96 neurons. Choose at most 4.",
        ),
        ([], (1, 2), 2, LitProbeError, "no token that could be factorised"),
        ("", (1, 2), 2, LitProbeError, "no token that could be factorised"),
        ([" ".join(["good film bad"] * 17)], (1, 1), 50, LitProbeError, "51 tokens and 48 neurons. Choose at most 48."),
    ):
        with pytest.raises(error, match=message):
            neuron_factors(tiny_encoder, texts, layers, n)
    dense = tiny_encoder.model.encoder.layer[0].intermediate.dense
    with torch.no_grad():
        dense.weight.zero_()
        dense.bias.fill_(-1.0)
    with pytest.raises(LitProbeError, match="No feed-forward neuron is active"):
        neuron_factors(tiny_encoder, TEXTS, (1, 1), 2)
    with torch.no_grad():
        dense.bias[4] = float("nan")
    with pytest.raises(LitProbeError, match=r"feed-forward blocks of layers 1 to 1 hold NaN or infinity \(first in neuron 4\)"):
        neuron_factors(tiny_encoder, TEXTS, (1, 1), 2)
