"""A salience map of one text: a score for each token, what it explains, and how far to trust it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from lit_probe.probing.probe_forward import Target
from lit_probe.registry import lookup
from lit_probe.results import Result


def _sum(scores: NDArray[np.float64]) -> float:
    return float(scores.sum())


def _l2(scores: NDArray[np.float64]) -> float:
    return float(np.sqrt(np.square(scores).sum()))


def _max(scores: NDArray[np.float64]) -> float:
    return float(scores[np.abs(scores).argmax()])


# From the scores of a word's tokens to one score: their sum, their Euclidean norm, or the one of largest size with its sign.
BY_WORD: dict[str, Callable[[NDArray[np.float64]], float]] = {"sum": _sum, "l2": _l2, "max": _max}


@dataclass(frozen=True, eq=False)
class MethodScores:
    """What a salience method computes of one text.

    Attributes:
      scores: ``[n_tokens]`` float64; those of special tokens do not matter.
      diagnostics: what the method says of its own quality: ``completeness_gap``, ``r2``, …
      warning: a sentence that a reader of the map must know; empty where there is none.
    """

    scores: NDArray[np.float64]
    diagnostics: Mapping[str, float | int | str] = field(default_factory=dict)
    warning: str = ""


@dataclass(frozen=True, eq=False)
class TokenScores(Result):
    """One salience method's map of one text.

    Attributes:
      method: its name in ``SALIENCE_METHODS``.
      tokens: ``[n_tokens]`` the tokens as the encoder reads them.
      scores: ``[n_tokens]`` float64; exactly 0 for special tokens.
      signed: whether a score below 0 speaks against the target; otherwise scores are sizes, 0 or more.
      words: ``[n_tokens]`` index of the word that each token belongs to; None for special tokens.
      word_texts: ``[n_words]`` the words.
      words_beyond_limit: the words of a longer text that the encoder did not read.
      explained: ``probe at layer 3`` or ``model``.
      target: the number that is explained.
      class_name: the name of the target's class.
      value: the number itself, for this text.
      diagnostics: the options that the method read, and what it says of its own quality: ``completeness_gap``, ``r2``, …
      warning: a sentence that a reader of the map must know; empty where there is none.
    """

    method: str
    tokens: tuple[str, ...]
    scores: NDArray[np.float64]
    signed: bool
    words: tuple[int | None, ...]
    word_texts: tuple[str, ...]
    words_beyond_limit: tuple[str, ...]
    explained: str
    target: Target
    class_name: str
    value: float
    diagnostics: Mapping[str, float | int | str]
    warning: str = ""

    def by_word(self, how: str | None = None) -> tuple[tuple[str, ...], NDArray[np.float64]]:
        """The words, and one score ``[n_words]`` for each.

        Args:
          how: ``sum``, ``l2`` or ``max`` (the largest in size, with its sign) of a word's tokens; by default the sum of signed
            scores and the L2 norm of sizes.

        Raises:
          UnknownNameError: there is no such way.

        >>> scores = TokenScores("lime", ("ba", "##d", "day"), np.array([1.0, -3.0, 2.0]), True, (0, 0, 1), ("bad", "day"), (),
        ...                      "model", Target(0), "negative", 1.0, {})
        >>> scores.by_word()
        (('bad', 'day'), array([-2.,  2.]))
        >>> scores.by_word("max")[1]
        array([-3.,  2.])
        """
        gather = lookup(BY_WORD, how or ("sum" if self.signed else "l2"), "way to make one score of a word's tokens")
        words = np.array([-1 if word is None else word for word in self.words])
        return self.word_texts, np.array([gather(self.scores[words == word]) for word in range(len(self.word_texts))])
