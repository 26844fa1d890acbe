"""Salience, erased words and edits under a template: the text's words alone, and the template's tokens in every version of it."""

from __future__ import annotations

import numpy as np
import pytest

from lit_probe.counterfactuals.edits import edit_warnings
from lit_probe.counterfactuals.word_swaps import SwapWords, one_token_words
from lit_probe.encoder.encoder import Encoder, load_encoder
from lit_probe.errors import LitProbeError
from lit_probe.probing.probe_forward import Forward, Target, forward_of_probe
from lit_probe.probing.probes import FittedProbe
from lit_probe.salience import SALIENCE_METHODS, SalienceOptions, explain
from lit_probe.salience.trust.faithfulness import faithfulness
from lit_probe.salience.trust.remembered_forward import RememberedForward

TEMPLATE = "the music: {text}\nfilm great:"
TEXT = "the movie was not very good, but fine"
QUICK = SalienceOptions(steps=8, samples=16, noise_samples=4, growth=4)
FAMILIES = ("bert", "gpt2", "llama", "t5")


@pytest.fixture(scope="module")
def under(tiny_folder, decoder_folder):
    """``under(architecture, template)``: an encoder."""

    def make(architecture: str, template: str | None = TEMPLATE) -> Encoder:
        folder = tiny_folder() if architecture == "bert" else decoder_folder(architecture)
        return load_encoder(str(folder), template=template)

    return make


def probe_of(encoder: Encoder) -> Forward:
    """An untrained probe of the last layer, with logits of some size."""
    random = np.random.default_rng(0)
    width = encoder.d_model
    weights = (random.normal(size=(2, width)), random.normal(size=2))
    probe = FittedProbe("logistic", [0, 1], random.normal(size=width), np.ones(width), (weights,), True)
    return forward_of_probe(encoder, encoder.default_pooling, encoder.n_layers - 1, probe)


class Heard(RememberedForward):
    """Keeps every text that the model is asked about."""

    def __init__(self, forward):
        super().__init__(forward)
        self.texts = []

    def logits_of(self, texts, check=None):
        self.texts += texts
        return super().logits_of(texts, check)


def around(encoded) -> list[int]:
    return [number for number, special in zip(encoded.ids, encoded.special, strict=True) if special]


@pytest.mark.parametrize("architecture", FAMILIES)
@pytest.mark.parametrize("method", SALIENCE_METHODS)
def test_every_method_scores_the_words_of_the_text_alone(under, architecture, method):
    encoder = under(architecture)
    forward = Heard(probe_of(encoder))
    scores = explain(forward, TEXT, method, Target(1), QUICK)
    words, by_word = scores.by_word()
    assert words == ("the", "movie", "was", "not", "very", "good", ",", "but", "fine")
    assert np.isfinite(by_word).all() and np.count_nonzero(by_word) == len(words)
    [encoded] = encoder.encode([TEXT])
    of_template = [score for score, it in zip(scores.scores, encoded.template, strict=True) if it]
    assert len(of_template) >= 5 and not np.any(of_template)
    assert [word is None for word in scores.words] == encoded.special
    assert all(around(text) == around(encoded) and text.template for text in forward.texts)


def test_a_text_without_its_words_is_the_template_alone(under):
    """Deletion by hand, in a decoder: nothing of the template goes with a word."""
    encoder = under("gpt2", "great movie:{text}\nIt was")
    forward = probe_of(encoder)
    words, scores = explain(forward, " good film", "occlusion", Target(0)).by_word()
    full, without_good, without_film = forward.logits_of(encoder.encode([" good film", " film", " good"]))[:, 0]
    assert words == ("good", "film")
    np.testing.assert_allclose(scores, [full - without_good, full - without_film], atol=1e-4)


@pytest.mark.parametrize("architecture", FAMILIES)
def test_faithfulness_erases_no_token_of_the_template(under, architecture):
    encoder = under(architecture)
    texts = [TEXT, "a dull film", "the best story of all"]
    forward = Heard(probe_of(encoder))
    faithfulness(forward, texts, [1, 0, 1], ["occlusion", "lime"], QUICK)
    kept = {tuple(around(encoded)) for encoded in encoder.encode(texts)}
    assert forward.texts and {tuple(around(text)) for text in forward.texts} <= kept


@pytest.mark.parametrize("architecture", FAMILIES)
def test_edits_and_swaps_are_of_the_text(under, architecture):
    encoder, plain = under(architecture), under(architecture, None)
    swaps = SwapWords.of(encoder, TEXT)
    assert (swaps.words, swaps.spans) == (SwapWords.of(plain, TEXT).words, SwapWords.of(plain, TEXT).spans)
    assert swaps.swapped({5: "dull"}) == TEXT.replace("good", "dull")
    assert set(one_token_words(plain).words) <= set(one_token_words(encoder).words)
    assert edit_warnings(encoder, TEXT, TEXT.replace("good", "dull")) == []
    with pytest.raises(LitProbeError, match="The edited text is empty"):
        edit_warnings(encoder, TEXT, "")
