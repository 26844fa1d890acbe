"""What an edit is: which words it changes, whether the encoder reads any of it, and how the map of the words changes with it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from lit_probe.data.labelled_texts import clean_text
from lit_probe.data.text_pairs import shown
from lit_probe.encoder.alignment import align
from lit_probe.encoder.encoder import Encoder
from lit_probe.encoder.tokens import EncodedText
from lit_probe.errors import LitProbeError
from lit_probe.results import Result

# A word with its inner apostrophes and hyphens, a character of a script that is written without spaces, or any other sign; each
# with the space before it.
_PIECE = re.compile("\\s*(?:[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff]|\\w+(?:['\u2019-]\\w+)*|[^\\w\\s])")


def changed_words(one: str, other: str) -> tuple[list[tuple[str, bool]], list[tuple[str, bool]]]:
    """Two versions of a text in pieces, words and signs with the space before them, each with whether the other version lacks it.

    >>> changed_words("a great film", "a film, great")
    ([('a', False), (' great', False), (' film', True)], [('a', False), (' film', True), (',', True), (' great', False)])
    """
    pieces = _PIECE.findall(shown(one)), _PIECE.findall(shown(other))
    words = [[piece.strip() for piece in side] for side in pieces]
    kept = [(i, j) for i, j in align(*words).tolist() if words[0][i] == words[1][j]]
    places = {i for i, _ in kept}, {j for _, j in kept}
    marked = [[(piece, at not in found) for at, piece in enumerate(side)] for side, found in zip(pieces, places, strict=True)]
    return marked[0], marked[1]


@dataclass(frozen=True)
class EditWarning(Result):
    """What a reader must know before comparing a text with its edit.

    Attributes:
      kind: ``same_text``, ``beyond_limit`` (the edit lies where the encoder does not read) or ``same_tokens``, where nothing
        differs at any layer; ``truncated``, where a part of a text is not read.
      message: the same as a sentence.
    """

    kind: Literal["same_text", "beyond_limit", "same_tokens", "truncated"]
    message: str


WordFate = Literal["same", "replaced", "removed", "added"]


@dataclass(frozen=True)
class WordChange(Result):
    """The salience of one word of two versions of a text.

    Attributes:
      kind: ``same``, ``replaced`` (as many words stand in the place of as many others), ``removed`` or ``added``.
      before: word of the original; None where there is none.
      after: word of the edit; None where there is none.
      score_before: the score of the original's word; 0 where there is none.
      score_after: the score of the edit's word; 0 where there is none.
      change: the change from the one score to the other.
    """

    kind: WordFate
    before: str | None
    after: str | None
    score_before: float
    score_after: float
    change: float


def edit_warnings(encoder: Encoder, one: str, other: str) -> list[EditWarning]:
    """What a reader must know before comparing a text with its edit: that the encoder does not read the difference, or not all.

    Args:
      encoder: the encoder that reads both.
      one: the original.
      other: the edit.

    Raises:
      LitProbeError: in one of the texts the encoder finds nothing to read.
    """
    one, other = clean_text(one), clean_text(other)
    encoded = encoder.encode([one, other], with_tokens=True)
    for name, text in zip(("original", "edited"), encoded, strict=True):
        if all(text.special):
            raise LitProbeError(f"The {name} text is empty: there is no word in it that the encoder could read.")
    limit = f"{encoder.max_length:,} tokens"
    if one == other:
        return [EditWarning("same_text", "The two texts are the same: nothing differs at any layer.")]
    if encoded[0].ids == encoded[1].ids:
        if any(text.truncated for text in encoded) and not _reads_difference(one, other, *encoded):
            message = f"The edit lies beyond the {limit} that the encoder reads: it has no effect, nothing differs at any layer."
            return [EditWarning("beyond_limit", message)]
        message = (
            "The encoder reads the same tokens in both texts, as it does where it makes no difference between capitals, accents "
            "or spaces: nothing differs at any layer."
        )
        return [EditWarning("same_tokens", message)]
    cut = [name for name, text in zip(("original", "edit"), encoded, strict=True) if text.truncated]
    if not cut:
        return []
    who = f"The {cut[0]} is" if len(cut) == 1 else "Both texts are"
    return [EditWarning("truncated", f"{who} longer than the {limit} that the encoder reads: the rest has no effect.")]


def aligned_changes(
    one: Sequence[str], scores: NDArray[np.float64], other: Sequence[str], other_scores: NDArray[np.float64]
) -> list[WordChange]:
    """The salience of two versions of a text, word beside word, in reading order.

    Args:
      one: ``[n_one]`` the words of the original.
      scores: ``[n_one]``.
      other: ``[n_other]`` the words of the edit.
      other_scores: ``[n_other]``.

    >>> one, other = ["a", "fine", "film"], ["a", "dull", "film"]
    >>> rows = aligned_changes(one, np.array([0.0, 2.0, 1.0]), other, np.array([0.0, -1.0, 0.5]))
    >>> [(row.kind, row.before, row.after, row.change) for row in rows]
    [('same', 'a', 'a', 0.0), ('replaced', 'fine', 'dull', -3.0), ('same', 'film', 'film', -0.5)]
    """

    def row(kind: WordFate, i: int | None, j: int | None) -> WordChange:
        before, after = 0.0 if i is None else float(scores[i]), 0.0 if j is None else float(other_scores[j])
        words = None if i is None else one[i], None if j is None else other[j]
        return WordChange(kind, *words, before, after, after - before)

    rows: list[WordChange] = []
    places = [(-1, -1), *((i, j) for i, j in align(one, other).tolist()), (len(one), len(other))]
    for (i, j), (next_i, next_j) in pairwise(places):
        if i >= 0:
            rows.append(row("same", i, j))
        removed, added = range(i + 1, next_i), range(j + 1, next_j)
        if len(removed) == len(added):
            rows += [row("replaced", *pair) for pair in zip(removed, added, strict=True)]
        else:
            rows += [row("removed", place, None) for place in removed] + [row("added", None, place) for place in added]
    return rows


def _reads_difference(one: str, other: str, encoded: EncodedText, other_encoded: EncodedText) -> bool:
    """Whether a token that the encoder reads stands where the texts differ."""
    shorter = min(len(one), len(other))
    start = next((at for at in range(shorter) if one[at] != other[at]), shorter)
    same_end = next((at for at in range(shorter - start) if one[-1 - at] != other[-1 - at]), shorter - start)
    return any(
        begin < len(text) - same_end and end > start
        for text, tokens in ((one, encoded), (other, other_encoded))
        for (begin, end), special in zip(tokens.offsets, tokens.special, strict=True)
        if not special
    )
