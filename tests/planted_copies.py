"""Invented texts, and what people and programs make of a text that still is a copy of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache

import numpy as np

Edit = Callable[[str, np.random.Generator], str]

_SYLLABLES = [consonant + vowel for consonant in "bdfgklmnprstvz" for vowel in "aeiou"]
_STARTS = "who wrote|who first saw|when did people begin to like|where can one buy|what is the name of|how many people live near"
QUESTION_STARTS = tuple(_STARTS.split("|"))
SUFFIX = "kindly sent from our reading room on a wet monday evening"


@cache
def vocabulary(n: int = 5_000, seed: int = 0) -> list[str]:
    """Invented words of two to four syllables."""
    rng = np.random.default_rng(seed)
    words: dict[str, None] = {}
    while len(words) < n:
        words["".join(rng.choice(_SYLLABLES, size=rng.integers(2, 5)))] = None
    return list(words)


def sentences(n: int, seed: int, least: int = 9, most: int = 40) -> list[str]:
    """Texts of invented words as frequent as in natural language: a few stand in nearly all of them."""
    rng, words = np.random.default_rng(seed), vocabulary()
    shares = 1 / np.arange(1, len(words) + 1)
    lengths = rng.integers(least, most + 1, size=n)
    drawn = rng.choice(words, size=int(lengths.sum()), p=shares / shares.sum())
    return [" ".join(part) for part in np.split(drawn, np.cumsum(lengths)[:-1])]


def questions(n: int, seed: int) -> list[str]:
    """Questions of 5 to 10 words, of which two to five say what is asked for."""
    rng, words = np.random.default_rng(seed), vocabulary()
    made = []
    for start in rng.choice(QUESTION_STARTS, size=n):
        asked = rng.choice(words, size=rng.integers(2, 6))
        made.append(" ".join([*start.split(), "the", *asked][:10]))
    return made


def one_word_changed(text: str, rng: np.random.Generator) -> str:
    return _replaced(text, rng, 1)


def twin(text: str, rng: np.random.Generator) -> str:
    """As people write counterfactuals by hand: one word or two are other ones."""
    return _replaced(text, rng, int(rng.integers(1, 3)))


def two_typos(text: str, rng: np.random.Generator) -> str:
    """A letter lost, doubled, exchanged for another or for its neighbour, in two words."""
    words = text.split()
    places = [place for place, word in enumerate(words) if len(word) > 2]
    for place in rng.choice(places, size=2, replace=False):
        letters = list(words[place])
        at = int(rng.integers(len(letters) - 1))
        match int(rng.integers(4)):
            case 0:
                del letters[at]
            case 1:
                letters.insert(at, letters[at])
            case 2:
                letters[at] = "q"
            case _:
                letters[at], letters[at + 1] = letters[at + 1], letters[at]
        words[place] = "".join(letters)
    return " ".join(words)


def suffix(text: str, rng: np.random.Generator) -> str:
    return f"{text} {SUFFIX}"


def prefix(text: str, rng: np.random.Generator) -> str:
    return f"Review : {text}"


def last_third_cut(text: str, rng: np.random.Generator) -> str:
    words = text.split()
    return " ".join(words[: len(words) - len(words) // 3])


def other_signs(text: str, rng: np.random.Generator) -> str:
    return ", ".join(text.split()).upper() + "!"


def order_swapped(text: str, rng: np.random.Generator) -> str:
    """Two neighbours change places, and so do the halves of the text in every other one."""
    words = text.split()
    at = int(rng.integers(len(words) - 1))
    words[at], words[at + 1] = words[at + 1], words[at]
    middle = len(words) // 2 if rng.integers(2) else 0
    return " ".join([*words[middle:], *words[:middle]])


def _replaced(text: str, rng: np.random.Generator, n: int) -> str:
    words = text.split()
    for place in rng.choice(len(words), size=n, replace=False):
        words[place] = str(rng.choice(("otherwise", "wonderful", "dreary", "never", "again")))
    return " ".join(words)


EDITS: dict[str, Edit] = {
    "one word changed": one_word_changed,
    "twin": twin,
    "two typos": two_typos,
    "suffix": suffix,
    "prefix": prefix,
    "last third cut": last_third_cut,
    "case and signs": other_signs,
    "order swapped": order_swapped,
}


def planted(sources: Sequence[str], edit: Edit, n: int, seed: int) -> dict[int, str]:
    """``n`` of the sources, position -> what became of it."""
    rng = np.random.default_rng(seed)
    return {int(row): edit(sources[row], rng) for row in rng.choice(len(sources), size=n, replace=False)}
