"""Salience of decoders: without a mask token, without special tokens, without a padding token."""

from __future__ import annotations

import numpy as np
import pytest

from lit_probe.counterfactuals.word_swaps import SwapWords, one_token_words
from lit_probe.encoder.encoder import Encoder, load_encoder
from lit_probe.errors import EncoderError
from lit_probe.probing.probe_forward import Forward, Target, forward_of_model, forward_of_probe
from lit_probe.probing.probes import FittedProbe
from lit_probe.salience import SALIENCE_METHODS, SalienceOptions, explain
from lit_probe.salience.trust.faithfulness import faithfulness

TEXT = "the movie was not very good, but fine"
QUICK = SalienceOptions(steps=8, samples=16, noise_samples=4, growth=4)
FAMILIES = ("gpt2", "llama", "opt", "t5")


def probe_of(encoder: Encoder, pooling: str | None = None) -> Forward:
    """An untrained probe of the last layer, with logits of some size."""
    random = np.random.default_rng(0)
    width = encoder.d_model
    weights = (random.normal(size=(2, width)), random.normal(size=2))
    probe = FittedProbe("logistic", [0, 1], random.normal(size=width), np.ones(width), (weights,), True)
    return forward_of_probe(encoder, pooling or encoder.default_pooling, encoder.n_layers - 1, probe)


@pytest.mark.parametrize("architecture", FAMILIES)
@pytest.mark.parametrize("method", SALIENCE_METHODS)
def test_every_method_gives_a_score_to_every_word(decoder_folder, architecture, method):
    encoder = load_encoder(str(decoder_folder(architecture)))
    scores = explain(probe_of(encoder), TEXT, method, Target(1), QUICK)
    words, by_word = scores.by_word()
    assert words == ("the", "movie", "was", "not", "very", "good", ",", "but", "fine")
    assert np.isfinite(by_word).all() and np.count_nonzero(by_word) == len(words)
    assert [score for score, word in zip(scores.scores, scores.words, strict=True) if word is None] == [0.0] * scores.words.count(
        None
    )
    if "replace" in SALIENCE_METHODS[method].uses:
        # Neither a mask token nor an unknown one: bytes spell everything.
        assert scores.diagnostics["replace"] == "delete"


@pytest.mark.parametrize("architecture", ["gpt2", "qwen2", "phi"])
def test_heads_of_decoders_can_be_explained(decoder_folder, architecture):
    forward = forward_of_model(load_encoder(str(decoder_folder(architecture, n_classes=3))))
    for method in ("integrated_gradients", "lime", "occlusion"):
        found = explain(forward, TEXT, method, options=QUICK)
        assert found.class_name in forward.class_names
        assert np.isfinite(found.scores).all() and found.scores.any()


def test_deletion_takes_the_tokens_out_of_the_text(decoder_folder):
    forward = probe_of(load_encoder(str(decoder_folder("gpt2"))))
    words, scores = explain(forward, "good film", "occlusion", Target(0)).by_word()
    full, without_good, without_film = forward.logits_of(forward.encoder.encode(["good film", " film", "good"]))[:, 0]
    assert words == ("good", "film")
    np.testing.assert_allclose(scores, [full - without_good, full - without_film], atol=1e-4)


def test_faithfulness_names_what_it_erased_by(decoder_folder):
    found = faithfulness(
        probe_of(load_encoder(str(decoder_folder("gpt2")))), [TEXT, "a dull film"], methods=["occlusion"], options=QUICK
    )
    assert found.replace == "delete"
    assert any("“delete” (it is left out)" in note for note in found.notes)


def test_words_can_be_swapped_in_a_text_of_bytes(decoder_folder):
    encoder = load_encoder(str(decoder_folder("gpt2")))
    words = SwapWords.of(encoder, "  The movie, was bad")
    assert words.words == ("The", "movie", ",", "was", "bad")
    assert words.swapped({4: "great", 0: "one"}) == "  One movie, was great"
    [cut] = [SwapWords.of(load_encoder(str(decoder_folder("gpt2")), max_length=3, keep="head"), "the   movie")]
    assert all(cut.text[start:end] == word for word, (start, end) in zip(cut.words, cut.spans, strict=True))
    known = one_token_words(encoder)
    assert {"movie", "bad"} <= set(known.words)
    assert all(encoder.tokenizer.decode([i]).strip() == word for i, word in zip(known.ids, known.words, strict=True))


def test_a_decoder_fills_no_masks(decoder_folder):
    encoder = load_encoder(str(decoder_folder("gpt2")))
    assert "no masked-language-model head" in encoder.why_no_masked_lm
    with pytest.raises(EncoderError, match="no masked-language-model head"):
        encoder.fill_mask(encoder.encode(["a film"]))
