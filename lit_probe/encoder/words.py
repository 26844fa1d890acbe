"""The words of a text, and which of them each token belongs to: people read words, encoders read pieces of them."""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from functools import lru_cache

from lit_probe.data.labelled_texts import clean_text
from lit_probe.encoder.tokens import EncodedText

# Written without spaces: Han, kana and their compatibility and extension blocks. Each character is a word.
_CJK = re.compile("[\u3040-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uff66-\uff9f\U00020000-\U0003ffff]")
# Over a text's classes of characters, one letter each (see `_class`). A mark belongs to the character before it.
_WORD = re.compile("wm*(?:[jz]?wm*)*|[^sz]m*(?:z[^sz]m*)*")


@dataclass(frozen=True)
class Words:
    """The words of one text that an encoder read.

    Attributes:
      texts: ``[n_words]`` the words as they stand in the text, in its order.
      of_token: ``[n_tokens]`` index of the word that each token belongs to; None for special tokens.
      beyond_limit: the words of a truncated text that were not read, in its order.
    """

    texts: tuple[str, ...]
    of_token: tuple[int | None, ...]
    beyond_limit: tuple[str, ...]


def words_of(text: str, encoded: EncodedText) -> Words:
    """Divides a text into words and gives each token to the word that holds its first visible character.

    A word is a run of letters and digits with inner apostrophes and hyphens, or one other visible character, or one CJK
    character. Words that one token covers (``...``) are one word.

    Args:
      text: the text as it was given to the encoder.
      encoded: what the encoder made of it, with tokens and offsets.

    >>> from lit_probe.encoder.encoder import EncodedText
    >>> tokens = EncodedText([7, 8, 9, 10], [False] * 4, ["do", "##n't", "stop", "!"], [(0, 2), (2, 5), (6, 10), (10, 11)], False)
    >>> words_of("Don't stop!", tokens)
    Words(texts=("Don't", 'stop', '!'), of_token=(0, 0, 1, 2), beyond_limit=())
    """
    text = clean_text(text)
    spans = _joined(word_spans(text), [(start, end) for start, end, _ in visible_tokens(text, encoded)])
    ends = [end for _, end in spans]
    last = len(spans) - 1
    # A token of spaces goes with the word after it, or with the last one; without any word it belongs to none.
    holders = [
        None if special or not spans else min(bisect_right(ends, start), last)
        for special, (start, _) in zip(encoded.special, encoded.offsets, strict=True)
    ]
    read = sorted({holder for holder in holders if holder is not None})
    index = {holder: i for i, holder in enumerate(read)}
    return Words(
        texts=tuple(text[slice(*spans[holder])] for holder in read),
        of_token=tuple(None if holder is None else index[holder] for holder in holders),
        beyond_limit=tuple(text[start:end] for i, (start, end) in enumerate(spans) if encoded.truncated and i not in index),
    )


@lru_cache(maxsize=4096)
def _class(character: str) -> str:
    """``w`` letter or digit, ``m`` mark on the character before, ``j`` and ``z`` what joins, ``s`` invisible, ``o`` other."""
    if character in "'’-‐":
        return "j"
    if character in "\u200c\u200d":
        return "z"
    if _CJK.match(character):
        return "o"
    category = unicodedata.category(character)
    if category[0] == "M":
        return "m"
    if category[0] == "Z" or category in ("Cc", "Cf"):
        return "s"
    return "w" if character.isalnum() else "o"


def word_spans(text: str) -> list[tuple[int, int]]:
    """(start, end) of each word of a text, before any token is looked at; see `words_of`.

    >>> word_spans("Don't stop!")
    [(0, 5), (6, 10), (10, 11)]
    """
    return [match.span() for match in _WORD.finditer("".join(map(_class, text)))]


def visible_tokens(text: str, encoded: EncodedText) -> list[tuple[int, int, int]]:
    """Where the characters of each content token stand, without the spaces around them; tokens of spaces alone are left out.

    Args:
      text: the text as the encoder read it.
      encoded: what the encoder made of it, with offsets.

    Returns:
      (start, end) in characters, and the place of the token among all.
    """
    found = []
    for place, (special, (start, end)) in enumerate(zip(encoded.special, encoded.offsets, strict=True)):
        inside = text[start:end]
        if not special and inside.strip():
            found.append((start + len(inside) - len(inside.lstrip()), start + len(inside.rstrip()), place))
    return found


def _joined(spans: list[tuple[int, int]], covers: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """The spans, with those that one token covers made one."""
    starts = [start for start, _ in spans]
    # Words that are reached by a token which covers the end of the word before them.
    glued = {
        i
        for first, last in covers
        for i in range(bisect_right(starts, first), bisect_left(starts, last))
        if i and spans[i - 1][1] > first
    }
    joined: list[tuple[int, int]] = []
    for i, (start, end) in enumerate(spans):
        if i in glued:
            joined[-1] = (joined[-1][0], end)
        else:
            joined.append((start, end))
    return joined
