"""Vectors of words: those of their tokens, whatever else is in the batch."""

from __future__ import annotations

import numpy as np
import pytest

from lit_probe.encoder.activations import extract_activations
from lit_probe.encoder.cache import Cache
from lit_probe.encoder.encoder import load_encoder
from lit_probe.encoder.joining import JOININGS, unread_words
from lit_probe.encoder.site_search import sites_of
from lit_probe.errors import UnknownNameError

TEXT = "the film zzz was not very good"
SPANS = np.array([[0, 3], [9, 12], [26, 30]])
# Its tokens: [CLS] the film z ##z ##z was not very good [SEP]
PLACES = ([1], [3, 4, 5], [9])


def by_hand(encoder, joining):
    states = encoder.forward(encoder.encode([TEXT])).layers
    picked = {"first": lambda own: own[:1], "last": lambda own: own[-1:], "mean": lambda own: own}[joining]
    return np.stack([[layer[0, picked(own)].mean(dim=0).numpy() for layer in states] for own in PLACES])


@pytest.mark.parametrize("joining", JOININGS)
@pytest.mark.parametrize("architecture", ["bert", "roberta", "modernbert"])
def test_a_words_vector_is_that_of_its_tokens_alone_and_in_a_batch(tiny_folder, architecture, joining):
    encoder = load_encoder(str(tiny_folder(architecture)), device="cpu")
    expected = by_hand(encoder, joining)
    alone = extract_activations(encoder, [TEXT] * 3, joining, spans=SPANS)
    assert np.abs(alone.values - expected).max() < 1e-5
    longer = "a " * 30 + "movie"
    texts = ["bad", *[TEXT] * 3, longer]
    spans = np.array([[0, 3], *SPANS.tolist(), [60, 65]])
    assert np.abs(extract_activations(encoder, texts, joining, spans=spans).values[1:4] - expected).max() < 1e-5


def test_each_text_is_read_once(tiny_folder, monkeypatch):
    encoder = load_encoder(str(tiny_folder()), device="cpu")
    read, run = [], type(encoder).run
    monkeypatch.setattr(type(encoder), "run", lambda self, batch, take: read.append(len(batch.ids)) or run(self, batch, take))
    extract_activations(encoder, [TEXT] * 3 + ["a film"], spans=np.array([*SPANS.tolist(), [2, 6]]))
    assert sum(read) == 2


def test_a_word_at_a_site_is_the_words_place_of_that_site(tiny_folder):
    encoder = load_encoder(str(tiny_folder()), device="cpu")
    at = encoder.at(sites_of(encoder, ["mlp_neurons"]))
    expected = at.forward(at.encode([TEXT])).layers
    found = extract_activations(at, [TEXT] * 3, "last", spans=SPANS)
    assert np.abs(found.layer(1)[1] - expected[1][0, 5].numpy()).max() < 1e-5


def test_words_without_a_token_are_told_and_have_zeros(tiny_folder):
    encoder = load_encoder(str(tiny_folder()), device="cpu", max_length=6)
    assert unread_words(encoder, [TEXT] * 3, SPANS).tolist() == [False, False, True]
    values = extract_activations(encoder, [TEXT] * 3, spans=SPANS).values
    assert not values[2].any() and values[1].any()


def test_the_cache_gives_the_same_and_tells_spans_apart(tiny_folder, tmp_path):
    encoder, cache = load_encoder(str(tiny_folder()), device="cpu"), Cache(tmp_path)
    fresh = extract_activations(encoder, [TEXT] * 3, spans=SPANS)
    for _ in range(2):
        assert np.array_equal(cache.activations(encoder, [TEXT] * 3, spans=SPANS).values, fresh.values)
    other = cache.activations(encoder, [TEXT] * 3, spans=SPANS[::-1].copy())
    assert np.array_equal(other.values, fresh.values[::-1])
    assert not cache.unread_words(encoder, [TEXT] * 3, SPANS).any()


@pytest.mark.parametrize(
    "pooling, spans, said",
    [("cls", SPANS, "pools whole texts.*first, last, mean"), ("first", None, "joins the tokens.*cls"), ("avg", SPANS, "'avg'")],
)
def test_a_pooling_of_the_other_unit_is_refused_with_the_right_ones(tiny_folder, pooling, spans, said):
    with pytest.raises(UnknownNameError, match=said):
        extract_activations(load_encoder(str(tiny_folder()), device="cpu"), [TEXT] * 3, pooling, spans=spans)
