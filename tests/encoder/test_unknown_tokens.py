"""Texts that a vocabulary cannot spell are counted, as truncated ones are: per text, per split, and on the page."""

from __future__ import annotations

import numpy as np
import pytest

from lit_probe.data import split_texts
from lit_probe.encoder.activations import extract_activations
from lit_probe.encoder.cache import Cache
from lit_probe.probing.study import probe_layers

# The tiny vocabulary has words and Latin letters.
SPELT, HALF, NONE = "a good film", "good \u0444\u0438\u043b\u044c\u043c", "\u7535\u5f71"


def test_each_text_has_the_share_of_its_tokens_that_are_unknown(tiny_encoder):
    activations = extract_activations(tiny_encoder, [SPELT, HALF, NONE, ""])
    tokens = [text.tokens for text in tiny_encoder.encode([HALF], with_tokens=True)]
    assert tokens == [["[CLS]", "good", "[UNK]", "[SEP]"]]
    assert activations.unknown.tolist() == [0, 0.5, 1, 0] and activations.share_unknown == 0.5


def test_special_tokens_are_not_the_texts_own(tiny_encoder):
    (text,) = tiny_encoder.encode([SPELT])
    assert tiny_encoder.unknown([text]) == [0] and any(text.special)


def test_the_cache_keeps_the_shares_and_takes_no_block_without_them(tiny_encoder, tmp_path, monkeypatch):
    cache = Cache(tmp_path)
    first = cache.activations(tiny_encoder, [SPELT, NONE])
    monkeypatch.setattr("lit_probe.encoder.cache.extract_block", None)
    assert np.array_equal(cache.activations(tiny_encoder, [SPELT, NONE]).unknown, first.unknown)
    assert first.unknown.tolist() == [0, 1]


def test_a_study_says_in_which_texts_of_which_split(tiny_encoder):
    texts = [f"{NONE if i % 10 == 0 else HALF if i % 10 == 1 else SPELT} {i}" for i in range(80)]
    study = probe_layers(tiny_encoder, split_texts(texts, [i % 2 for i in range(80)]), probe="majority")
    shares = study.to_json()["share_unknown"]
    odd = {name: [NONE in text or HALF in text for text in rows.texts] for name, rows in study.splits.items()}
    assert shares == {name: pytest.approx(np.mean(rows)) for name, rows in odd.items()}
    said = f"In {sum(odd['train'])} of {len(odd['train'])} train texts the vocabulary cannot spell some tokens (unknown tokens)."
    assert said in study.remarks()
