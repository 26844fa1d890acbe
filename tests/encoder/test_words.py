"""What counts as a word, and which word each token belongs to."""

from __future__ import annotations

import pytest

from lit_probe.encoder.encoder import load_encoder
from lit_probe.encoder.tokens import EncodedText
from lit_probe.encoder.words import words_of


def tokens_at(*offsets: tuple[int, int], special: tuple[int, ...] = (), truncated: bool = False) -> EncodedText:
    """A text whose tokens stand at these offsets."""
    flags = [index in special for index in range(len(offsets))]
    return EncodedText([5] * len(offsets), flags, ["t"] * len(offsets), list(offsets), truncated)


def each_character(text: str) -> EncodedText:
    return tokens_at(*((i, i + 1) for i in range(len(text))))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("A fine film.", ["A", "fine", "film", "."]),
        ("don't re-watch rock'n'roll", ["don't", "re-watch", "rock'n'roll"]),
        ("it’s ‘fine’", ["it’s", "‘", "fine", "’"]),
        ("-well- 'quoted' a--b", ["-", "well", "-", "'", "quoted", "'", "a", "-", "-", "b"]),
        ("3.5 stars_ 100%", ["3", ".", "5", "stars", "_", "100", "%"]),
        ("naïve café", ["naïve", "café"]),
        ("e\u0301te\u0301 हिन्दी", ["e\u0301te\u0301", "हिन्दी"]),
        ("我喜欢film電影", ["我", "喜", "欢", "film", "電", "影"]),
        ("おもろい", ["お", "も", "ろ", "い"]),
        ("영화는 좋다", ["영화는", "좋다"]),
        ("می\u200cخواهم", ["می\u200cخواهم"]),
        ("👩\u200d👧 ☀\ufe0f", ["👩\u200d👧", "☀\ufe0f"]),
        ("a\x00b\u200bc", ["a", "b", "c"]),
        ("  \n\t ", []),
        ("", []),
    ],
)
def test_a_word_is_a_run_of_letters_or_one_other_visible_character(text, words):
    assert list(words_of(text, each_character(text)).texts) == words


def test_the_pieces_of_a_word_belong_to_it_and_special_tokens_to_none(tiny_folder):
    encoder = load_encoder(str(tiny_folder()))
    text = "The zqx-music isn't bad!"
    [encoded] = encoder.encode([text], with_tokens=True)
    words = words_of(text, encoded)
    assert words.texts == ("The", "zqx-music", "isn't", "bad", "!")
    assert words.of_token[0] is None and words.of_token[-1] is None
    by_word = [[] for _ in words.texts]
    for token, word in zip(encoded.tokens, words.of_token, strict=True):
        if word is not None:
            by_word[word].append(token.removeprefix("##"))
    assert ["".join(pieces) for pieces in by_word] == ["the", "zqx-music", "isn't", "bad", "!"]
    assert words.beyond_limit == ()


def test_a_token_belongs_to_the_word_of_its_first_visible_character():
    # As byte-level tokenizers cut: the space before a word is a part of its token.
    assert words_of("a  bc d", tokens_at((0, 1), (1, 2), (2, 4), (4, 5), (5, 7))).of_token == (0, 1, 1, 1, 2)
    # Nothing follows: the last word.
    assert words_of("ab  ", tokens_at((0, 2), (2, 4))).of_token == (0, 0)
    # Several tokens for the bytes of one character.
    assert words_of("🎬 a", tokens_at((0, 1), (0, 1), (0, 1), (1, 3))).of_token == (0, 0, 0, 1)


def test_words_under_one_token_are_one_word():
    words = words_of("so ... what?!", tokens_at((0, 2), (2, 6), (6, 11), (11, 13)))
    assert words.texts == ("so", "...", "what", "?!")
    assert words.of_token == (0, 1, 2, 3)
    # A token may also reach over a space.
    assert words_of("New York is", tokens_at((0, 8), (8, 11))).texts == ("New York", "is")


def test_words_beyond_the_limit_are_named(tiny_folder):
    text = "the film was very good and we loved it"
    for keep, read in (
        ("head", "the film was"),
        ("tail", "we loved it"),
        ("both-ends", "the film it"),
    ):
        encoder = load_encoder(str(tiny_folder()), max_length=5, keep=keep)
        [encoded] = encoder.encode([text], with_tokens=True)
        words = words_of(text, encoded)
        assert words.texts == tuple(read.split())
        assert words.of_token == (None, 0, 1, 2, None)
        assert words.beyond_limit == tuple(word for word in text.split() if word not in read.split())


def test_a_word_that_the_tokenizer_drops_is_no_word_beyond_the_limit():
    assert words_of("a ~ b", tokens_at((0, 1), (4, 5))).texts == ("a", "b")
    assert words_of("a ~ b", tokens_at((0, 1), (4, 5))).beyond_limit == ()


def test_lone_surrogates_do_not_shift_the_words(tiny_folder):
    encoder = load_encoder(str(tiny_folder()))
    text = "\ud83c\udfac good \ud800 film"
    [encoded] = encoder.encode([text], with_tokens=True)
    words = words_of(text, encoded)
    assert words.texts[-1] == "film" and "good" in words.texts
    assert [words.texts[word] for word, token in zip(words.of_token, encoded.tokens, strict=True) if token == "good"] == ["good"]


def test_of_a_very_long_text_each_word_is_either_read_or_named():
    text = "word " * 40_000
    words = words_of(text, tokens_at(*((5 * i, 5 * i + 4) for i in range(500)), truncated=True))
    assert (len(words.texts), len(words.beyond_limit)) == (500, 39_500)
