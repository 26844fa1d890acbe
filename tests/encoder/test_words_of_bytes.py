"""Tokenizers that read bytes give a token the space before its word: words still cover the text, and no token is lost."""

from __future__ import annotations

import string

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tiny_decoders import byte_tokenizer
from tokenizers import Tokenizer, models, pre_tokenizers

from lit_probe.encoder.tokens import EncodedText
from lit_probe.encoder.words import words_of

BYTES = byte_tokenizer("gpt2").backend_tokenizer


def _spelled_with_underscores() -> Tokenizer:
    """As sentencepiece's: a space becomes part of the token after it, and one is put before the text."""
    letters = [*string.printable, "▁", "é", "<unk>"]
    tokenizer = Tokenizer(models.BPE(dict(zip(letters, range(len(letters)), strict=True)), [], unk_token="<unk>", fuse_unk=True))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    return tokenizer


UNDERSCORES = _spelled_with_underscores()
TEXTS = st.text(
    alphabet=st.one_of(st.sampled_from("ab é'-.,!  \n\t\u00a0漢字👍🏽\u200d\u0301"), st.characters(codec="utf-8")), max_size=40
)


@pytest.mark.parametrize("tokenizer", [BYTES, UNDERSCORES], ids=["bytes", "underscores"])
@given(text=TEXTS)
@example(text=" a good film")
@example(text="the  end \n")
@example(text="não 👍🏽!")
@settings(max_examples=200, deadline=None, derandomize=True)
def test_words_cover_the_text_and_every_token_has_one(tokenizer, text):
    encoding = tokenizer.encode(text)
    encoded = EncodedText(encoding.ids, [False] * len(encoding.ids), encoding.tokens, encoding.offsets, False)
    words = words_of(text, encoded)
    # Every visible character that stands in some token stands in a word, in order.
    inside = {i for start, end in encoding.offsets for i in range(start, end)}
    at = 0
    covered = set()
    for word in words.texts:
        at = text.index(word, at)
        covered |= set(range(at, at + len(word)))
        at += len(word)
    visible = {i for i in inside if text[i].isalnum() or text[i] in string.punctuation}
    assert visible <= covered
    if words.texts:
        assert len(words.of_token) == len(encoded.ids)
        assert None not in words.of_token
        assert sorted(set(words.of_token)) == list(range(len(words.texts)))
        assert list(words.of_token) == sorted(words.of_token)


def test_a_token_with_a_space_before_its_word_belongs_to_that_word():
    encoding = BYTES.encode("the movie was bad")
    assert encoding.tokens == ["the", "Ġmovie", "Ġwas", "Ġbad"]
    encoded = EncodedText(encoding.ids, [False] * 4, encoding.tokens, encoding.offsets, False)
    assert words_of("the movie was bad", encoded).of_token == (0, 1, 2, 3)
