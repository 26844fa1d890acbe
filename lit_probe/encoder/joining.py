"""From the hidden states of a word's tokens to one vector: people tag words, encoders read pieces of them.

A *joining* is a function ``places -> places``: which of a word's tokens count. Their mean is the vector of the word, so that
padding and batch neighbours change nothing. The tokens of a word are those with a visible character in its span; of two words
that one token covers, both have it.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from lit_probe.data.labelled_texts import clean_text
from lit_probe.encoder.encoder import Encoder
from lit_probe.encoder.tokens import EncodedText, sent
from lit_probe.encoder.words import visible_tokens

if TYPE_CHECKING:
    from torch import Tensor

Spans = NDArray[np.int64]

# Which of a word's tokens count: their places, ascending, one or more -> places.
JOININGS: dict[str, Callable[[Sequence[int]], Sequence[int]]] = {
    "first": lambda places: places[:1],
    "last": lambda places: places[-1:],
    "mean": lambda places: places,
}
DEFAULT_JOINING = "last"


def tokens_of_words(text: str, encoded: EncodedText, spans: Sequence[tuple[int, int]]) -> list[list[int]]:
    """``[n_words]`` the places of each word's tokens, ascending; none of a word that was not read.

    Args:
      text: the whole text.
      encoded: what the encoder made of it, with tokens and offsets.
      spans: ``[n_words]`` (start, end) of each word in the text.

    >>> tokens = EncodedText([7, 8, 9], [False] * 3, ["do", "##n't", "stop"], [(0, 2), (2, 5), (6, 10)], False)
    >>> tokens_of_words("Don't stop now", tokens, [(0, 5), (6, 10), (11, 14)])
    [[0, 1], [2], []]
    """
    visible = sorted(visible_tokens(clean_text(text), encoded))
    starts = [start for start, _, _ in visible]
    # Tokens do not overlap but for the bytes of one character, so their ends rise as well.
    ends = [end for _, end, _ in visible]
    return [
        sorted(place for _, _, place in visible[bisect_right(ends, start) : bisect_left(starts, end)]) for start, end in spans
    ]


def in_sentences(texts: Sequence[str]) -> list[tuple[int, int]]:
    """(first row, row after the last) of the words of each text; the words of a text stand side by side.

    >>> in_sentences(["a b", "a b", "c"]), in_sentences([])
    ([(0, 2), (2, 3)], [])
    """
    starts = [row for row, text in enumerate(texts) if row == 0 or text != texts[row - 1]]
    return list(zip(starts, [*starts[1:], len(texts)], strict=False))


def encoded_words(encoder: Encoder, texts: Sequence[str], spans: Spans) -> tuple[list[EncodedText], list[list[int]], list[int]]:
    """What the encoder reads of the texts in which words stand.

    Args:
      encoder: the frozen encoder.
      texts: ``[n_words]`` the text of each word.
      spans: ``[n_words, 2]``.

    Returns:
      Each text once; ``[n_words]`` the places of each word's tokens in it; ``[n_words]`` the index of its text.
    """
    runs = in_sentences(texts)
    encoded = encoder.encode([texts[start] for start, _ in runs], with_tokens=True)
    places: list[list[int]] = []
    of_text: list[int] = []
    for index, ((start, end), one) in enumerate(zip(runs, encoded, strict=True)):
        places += tokens_of_words(texts[start], one, [(a, b) for a, b in spans[start:end].tolist()])
        of_text += [index] * (end - start)
    return [one.without_names() for one in encoded], places, of_text


def unread_words(encoder: Encoder, texts: Sequence[str], spans: Spans) -> NDArray[np.bool_]:
    """``[n_words]`` True for the words of which the encoder reads no token: cut off, or of invisible characters alone.

    Args:
      encoder: the frozen encoder; its weights are not loaded.
      texts: ``[n_words]`` the text of each word; the words of a text stand side by side.
      spans: ``[n_words, 2]`` where each word begins and ends in its text.
    """
    return np.array([not own for own in encoded_words(encoder, texts, spans)[1]], dtype=bool)


class WordPlaces:
    """Where in a batch the tokens of its words stand, for every place of the network at once.

    Args:
      joining: a name in `JOININGS`.
      places: ``[n_words]`` the places of each word's tokens in its text, one or more.
      in_batch: ``[n_words]`` the index of its text in the batch.
      n_tokens: the padded length of the batch.
      device: of the hidden states.
    """

    def __init__(self, joining: str, places: Sequence[Sequence[int]], in_batch: Sequence[int], n_tokens: int, device: object):
        counted = [JOININGS[joining](own) for own in places]
        index = [row * n_tokens + place for row, own in zip(in_batch, counted, strict=True) for place in own]
        self._index = sent(index, device).long()
        # Where each word counts one token, nothing is added up.
        several = any(len(own) != 1 for own in counted)
        self._counts = sent([len(own) for own in counted], device) if several else None

    def joined(self, states: Tensor) -> Tensor:
        """``[n_words, units]`` float32 of ``states`` ``[b, n_tokens, units]``."""
        import torch

        picked: Tensor = states.flatten(0, 1).index_select(0, self._index).float()
        if self._counts is None:
            return picked
        words = torch.arange(len(self._counts), device=picked.device)
        words = words.repeat_interleave(self._counts, output_size=len(self._index))
        sums = torch.zeros(len(self._counts), picked.shape[1], device=picked.device).index_add_(0, words, picked)
        means: Tensor = sums / self._counts.unsqueeze(1)
        return means
