"""Labels that anybody can read off the surface of a text: what a curve has to beat before it speaks of more.

The tasks are those of SentEval (Conneau et al. 2018, https://doi.org/10.18653/v1/P18-1198) that need no parser, and two that
reviewers ask about first: whether a text asks, and whether it negates.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from lit_probe.data.function_words import content_words, words_of
from lit_probe.data.labelled_texts import normalise_text
from lit_probe.data.text_pairs import segments

# As many classes of length as SentEval has.
N_LENGTHS = 6
# SentEval takes 1,000 words of a million sentences; data sets that are probed have thousands of rows.
N_WORDS = 10

YES, NO = "yes", "no"
_ENDS_IN_A_QUESTION = re.compile(r"[?？؟⁇⁈︖][\s\"'’”»)\]]*$")
_NEGATIONS = frozenset("no not never none nobody nothing nowhere neither nor cannot nt without".split())

Words = Sequence[str | None]


@dataclass(frozen=True)
class Surface:
    """A label that is read off a text.

    Attributes:
      about: the question that it answers.
      labels: the function from the texts of each split to their labels; None for a text that has none. What it learns, such as
        where lengths are cut, it learns from ``train``.
    """

    about: str
    labels: Callable[[Mapping[str, Sequence[str]]], dict[str, Words]]


def _each(label: Callable[[str], str | None]) -> Callable[[Mapping[str, Sequence[str]]], dict[str, Words]]:
    return lambda texts: {split: [label(text) for text in some] for split, some in texts.items()}


def _lengths(texts: Mapping[str, Sequence[str]]) -> dict[str, Words]:
    """Six classes that are equally frequent in train, fewer where many texts are equally long."""
    counts = {split: np.array([len(words_of(normalise_text(text))) for text in some], int) for split, some in texts.items()}
    cuts = np.unique(np.quantile(counts["train"], np.arange(1, N_LENGTHS) / N_LENGTHS, method="lower"))
    # A class is "more than one cut, up to the next"; one above the longest text of train would be empty.
    cuts = cuts[cuts < counts["train"].max()]
    names = [_length(low + 1, high) for low, high in zip([-1, *cuts.tolist()], cuts.tolist(), strict=False)]
    names.append(f"more than {cuts[-1]} words" if len(cuts) else "all lengths")
    return {split: [names[index] for index in np.searchsorted(cuts, some)] for split, some in counts.items()}


def _length(low: int, high: int) -> str:
    if low == 0:
        return f"up to {high} words"
    return f"{high} words" if low == high else f"{low} to {high} words"


def _which_word(texts: Mapping[str, Sequence[str]]) -> dict[str, Words]:
    """Which of ten words a text holds; None where it holds none of them, or several.

    They are the content words that most texts of train hold, of those in at most a fifth of them. A word that is left without two
    texts of train or without one of dev is none of them.
    """
    found = {split: [content_words(normalise_text(text)) for text in some] for split, some in texts.items()}
    n_texts_with = Counter(word for words in found["train"] for word in words)
    most = len(found["train"]) / 5
    usual = sorted((word for word, count in n_texts_with.items() if count <= most), key=lambda word: (-n_texts_with[word], word))
    chosen = set(usual[:N_WORDS])
    held = {split: [_only(words & chosen) for words in some] for split, some in found.items()}
    train, dev = Counter(held["train"]), Counter(held["dev"])
    return {split: [word if train[word] > 1 and dev[word] else None for word in some] for split, some in held.items()}


def _only(words: set[str]) -> str | None:
    return next(iter(words)) if len(words) == 1 else None


def _asks(text: str) -> str:
    return YES if any(_ENDS_IN_A_QUESTION.search(part.strip()) for part in segments(text)) else NO


def _negates(text: str) -> str:
    words = words_of(normalise_text(text))
    return YES if any(word in _NEGATIONS or word.endswith("n't") for word in words) else NO


def _begins_large(text: str) -> str | None:
    """None where no letter of the text has a case, as in Chinese."""
    letter = next((sign for sign in text if sign.upper() != sign.lower()), None)
    return None if letter is None else (NO if letter == letter.lower() else YES)


SURFACE: dict[str, Surface] = {
    "n_words": Surface("how many words has the text?", _lengths),
    "word_content": Surface("which of ten usual words does the text hold?", _which_word),
    "question": Surface("does the text end with a question mark?", _each(_asks)),
    "negation": Surface("does the text hold an English word of negation?", _each(_negates)),
    "capital": Surface("is its first letter a capital?", _each(_begins_large)),
}
