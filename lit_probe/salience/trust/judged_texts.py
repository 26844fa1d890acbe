"""What judging salience methods needs in common: texts whose words can be ranked, maps or reasons, means with intervals."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lit_probe.encoder.tokens import EncodedText
from lit_probe.encoder.words import Words, words_of
from lit_probe.errors import CancelledError, LitProbeError
from lit_probe.probing.probe_forward import Forward
from lit_probe.registry import lookup
from lit_probe.results import Result
from lit_probe.salience import SALIENCE_METHODS, SalienceMethod, SalienceOptions, TokenScores
from lit_probe.salience.remarks import baseline_notes, inexact_note
from lit_probe.scores.intervals import bootstrap_weights, percentile_interval

# Scores closer than this share of the largest one are ties: the rest is rounding.
_TIE = 1e-9

_TOO_FEW_WORDS = ("it has no word", "it has one word only, which leaves nothing to rank")


@dataclass(frozen=True)
class JudgedText:
    """A text of two words or more.

    Attributes:
      index: its place among the texts that were given.
      text: the text as it was given.
      encoded: what the encoder reads of it, with tokens and offsets.
      words: the words that the encoder reads.
    """

    index: int
    text: str
    encoded: EncodedText
    words: Words

    @property
    def n_words(self) -> int:
        """How many words the encoder reads."""
        return len(self.words.texts)


@dataclass(frozen=True)
class LeftOut(Result):
    """Texts that are not judged.

    Attributes:
      reason: why, as the end of a sentence about one of them.
      n: how many, 1 or more.
    """

    reason: str
    n: int


def judged_texts(forward: Forward, texts: Sequence[str]) -> tuple[list[JudgedText], tuple[LeftOut, ...]]:
    """The texts whose words can be ranked, and those that are left out because theirs cannot.

    Raises:
      LitProbeError: no text is left.
    """
    judged, left_out = [], [0, 0]
    for index, (text, encoded) in enumerate(zip(texts, forward.encoder.encode(texts, with_tokens=True), strict=True)):
        words = words_of(text, encoded)
        if len(words.texts) < 2:
            left_out[len(words.texts)] += 1
        else:
            judged.append(JudgedText(index, text, encoded, words))
    if not judged:
        raise LitProbeError(f"None of the {len(texts)} texts has two words or more, so there is nothing to rank.")
    return judged, tuple(LeftOut(reason, n) for reason, n in zip(_TOO_FEW_WORDS, left_out, strict=True) if n)


def truncation_notes(judged: Sequence[JudgedText]) -> list[str]:
    """A sentence on texts that were not read to their end, if there are any."""
    n = sum(bool(text.words.beyond_limit) for text in judged)
    return [f"{n} of the texts are longer than the encoder reads; words beyond its limit are not judged."] if n else []


class MethodRoll:
    """The methods under judgement. One that fails on a text is judged no further, and its reason is kept.

    Attributes:
      methods: those that are asked about, in the given order.
      reasons: name of each method that failed, and why.
      n_maps: name of each method, and how many maps of it were looked at.
      n_inexact: name of each method, and how many of these are not exact: they have a ``warning``.

    Raises:
      UnknownNameError: there is no such method.
      LitProbeError: there is none at all.
    """

    def __init__(self, names: Sequence[str] | None) -> None:
        chosen = list(SALIENCE_METHODS) if names is None else list(dict.fromkeys(names))
        if not chosen:
            raise LitProbeError("No salience method was chosen. Choose one or more of: " + ", ".join(SALIENCE_METHODS) + ".")
        self.methods: list[SalienceMethod] = [lookup(SALIENCE_METHODS, name, "salience method") for name in chosen]
        self.reasons: dict[str, str] = {}
        self.n_maps = dict.fromkeys((method.name for method in self.methods), 0)
        self.n_inexact = dict(self.n_maps)

    @contextmanager
    def judging(self, method: SalienceMethod) -> Iterator[None]:
        """Within the context, an error of lit_probe becomes the method's reason. Cancelling passes through."""
        try:
            yield
        except CancelledError:
            raise
        except LitProbeError as error:
            self.reasons[method.name] = str(error)

    def count(self, scores: TokenScores) -> TokenScores:
        """The map itself, counted."""
        self.n_maps[scores.method] += 1
        self.n_inexact[scores.method] += bool(scores.warning)
        return scores

    def notes(self, options: SalienceOptions) -> list[str]:
        """Sentences on maps that are not exact, that explain nothing, and on baselines, of the methods that did not fail."""
        judged = [method for method in self.methods if method.name not in self.reasons]
        inexact = [note for one in judged for note in inexact_note(self.n_inexact[one.name], self.n_maps[one.name], one.title)]
        return inexact + [one.no_explanation for one in judged if not one.explains] + baseline_notes(judged, options)


def without_rounding(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """``[n]`` finite ``values`` for comparing ranks, in units of 1e-9 of the largest: what differs by rounding alone is equal.

    >>> without_rounding(np.array([0.3, 0.1 + 0.2, 1.0])).tolist()
    [300000000.0, 300000000.0, 1000000000.0]
    """
    largest = np.abs(values).max(initial=0.0)
    return np.round(values / largest / _TIE) if largest > 0 else np.zeros_like(values)


@dataclass(frozen=True)
class OverTexts(Result):
    """One measure over all texts.

    Attributes:
      mean: the mean over texts, or what the measure has in its place; None where it is not defined.
      low: lower end of the 95 % interval (bootstrap over texts); None where it is not defined.
      high: upper end.
      n: the number of texts the measure is defined for.
    """

    mean: float | None
    low: float | None
    high: float | None
    n: int

    @classmethod
    def of(cls, value: float, draws: NDArray[np.float64], n: int) -> OverTexts:
        """A value with the interval of its bootstrap draws; NaN, in the value or in draws, stands for what is not defined."""
        defined = draws[~np.isnan(draws)]
        if np.isnan(value):
            return cls(None, None, None, n)
        low, high = (percentile_interval(defined, value) if len(defined) else None) or (None, None)
        return cls(value, low, high, n)


def mean_of_texts(values: ArrayLike, seed: int) -> OverTexts:
    """The mean of one value per text ``[n_texts]``, NaN where a text has none.

    >>> mean_of_texts([1.0, 3.0, float("nan")], seed=0)
    OverTexts(mean=2.0, low=1.0, high=3.0, n=2)
    >>> mean_of_texts([float("nan")], seed=0)
    OverTexts(mean=None, low=None, high=None, n=0)
    """
    given = np.asarray(values, dtype=np.float64)
    defined = given[~np.isnan(given)]
    n = len(defined)
    if not n:
        return OverTexts.of(np.nan, defined, 0)
    draws = np.concatenate([weights.astype(np.float64) @ defined for weights in bootstrap_weights(n, seed)]) / n
    return OverTexts.of(float(defined.mean()), draws, n)
