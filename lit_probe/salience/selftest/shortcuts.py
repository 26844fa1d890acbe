"""Texts whose class is decided by words that were planted in them: what a salience method should find is then known.

The planted words are ordinary ones, drawn by a seed from the words of the embedded demo. They go into its reviews at random
places. The class is drawn anew for each text, so what the review itself says has nothing to do with it.

The idea, and the three kinds of shortcut, are those of Bastings et al. 2022, https://aclanthology.org/2022.emnlp-main.64.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lit_probe.data import load_dataset
from lit_probe.registry import lookup

CLASS_NAMES = ("class 0", "class 1")

# Longer reviews are left out: a text then has 5 to 24 words, and the self-test takes seconds.
_MAX_WORDS = 20
# A planted word occurs in so many texts of the demo: often enough to be ordinary, rarely enough that few texts must be left out.
_FEWEST, _MOST = 3, 20

Words = tuple[str, str]
Generator = np.random.Generator


def _one_word(words: Words, label: int, random: Generator) -> list[str]:
    return [words[label]]


def _both_words(words: Words, label: int, random: Generator) -> list[str]:
    return [str(word) for word in random.permutation(words)] if label else [words[random.integers(2)]]


def _order(words: Words, label: int, random: Generator) -> list[str]:
    return list(words if label else words[::-1])


@dataclass(frozen=True)
class Shortcut:
    """How two planted words decide the class.

    Attributes:
      name: its key in `SHORTCUTS`.
      title: what people read.
      rule: the same in full.
      plants: the words to plant, in the order of the text, given the two words, the class and a random generator.
      explained: the classes whose texts hold all that decides, and can be explained by it.
      k: the number of planted words those texts hold.
    """

    name: str
    title: str
    rule: str
    plants: Callable[[Words, int, Generator], list[str]]
    explained: tuple[int, ...]
    k: int


_KINDS = (
    Shortcut("one_word", "one word", "each text holds one of two words, which names its class", _one_word, (0, 1), 1),
    Shortcut("both_words", "two words together", "class 1 holds both words, class 0 one of them", _both_words, (1,), 2),
    Shortcut("order", "order of two words", "all texts hold both words; in class 1 they stand in this order", _order, (0, 1), 2),
)
SHORTCUTS: dict[str, Shortcut] = {kind.name: kind for kind in _KINDS}


@dataclass(frozen=True, eq=False)
class PlantedTexts:
    """Reviews into which a shortcut is planted.

    Attributes:
      shortcut: which one.
      words: the two planted words.
      ordinary: the words that they were drawn from.
      reviews: ``train`` and ``held_out``: reviews without these words; pairs of like reviews are not divided.
    """

    shortcut: Shortcut
    words: Words
    ordinary: tuple[str, ...]
    reviews: dict[str, tuple[str, ...]]

    @classmethod
    def draw(cls, shortcut: str, seed: int) -> PlantedTexts:
        """Two words of the demo, drawn by a seed.

        Raises:
          UnknownNameError: there is no such shortcut.

        >>> PlantedTexts.draw("order", seed=0).words == PlantedTexts.draw("order", seed=0).words
        True
        """
        kind = lookup(SHORTCUTS, shortcut, "shortcut")
        splits = load_dataset("demo")
        parts = {"train": splits.train.texts, "held_out": (*splits.dev.texts, *splits.test.texts)}
        short = {name: [text for text in texts if len(text.split()) <= _MAX_WORDS] for name, texts in parts.items()}
        counts = Counter(word for texts in short.values() for text in texts for word in set(_plain_words(text)))
        ordinary = tuple(sorted(word for word, count in counts.items() if _FEWEST <= count <= _MOST))
        words = _two_of(ordinary, np.random.default_rng([*shortcut.encode(), seed]))
        free = {name: tuple(text for text in texts if not _holds(text, words)) for name, texts in short.items()}
        return cls(kind, words, ordinary, free)

    def texts(
        self, part: str, n: int, random: Generator, labels: Sequence[int] = (0, 1), *, shuffled: bool = False
    ) -> tuple[list[str], NDArray[np.int64], list[list[str]]]:
        """``n`` texts with planted words, their classes ``[n]``, and the words planted in each, in its order.

        Args:
          part: ``train`` or ``held_out``.
          n: how many; the same review may come twice, with other places and classes.
          random: draws reviews, classes and places.
          labels: the classes to draw from.
          shuffled: instead of the two words, each text gets ordinary ones that are drawn for it, whatever its class. So no word
            decides anything, nor does one stand in more texts than others.
        """
        picks = random.integers(len(self.reviews[part]), size=n)
        classes = random.choice(np.array(labels), size=n)
        made = [
            self._text(self.reviews[part][pick], int(label), random, shuffled) for pick, label in zip(picks, classes, strict=True)
        ]
        return [text for text, _ in made], classes, [plants for _, plants in made]

    def _text(self, review: str, label: int, random: Generator, shuffled: bool) -> tuple[str, list[str]]:
        words = self.words
        if shuffled:
            words = _two_of(self.ordinary, random)
            while _holds(review, words):
                words = _two_of(self.ordinary, random)
        plants = self.shortcut.plants(words, label, random)
        return _with(review, plants, random), plants


def _two_of(words: Sequence[str], random: Generator) -> Words:
    first, second = random.choice(len(words), size=2, replace=False)
    return words[first], words[second]


def _plain_words(text: str) -> list[str]:
    return re.findall(r"\b[a-z]{4,}\b", text)


def _holds(text: str, words: Words) -> bool:
    # As part of another word, one would be the same token.
    return any(word in text.lower() for word in words)


def _with(review: str, plants: Sequence[str], random: Generator) -> str:
    """The review with the words at random places between its own, in their order."""
    words = review.split()
    places = sorted(random.choice(len(words) + 1, size=len(plants), replace=False), reverse=True)
    for place, plant in zip(places, reversed(plants), strict=True):
        words.insert(place, plant)
    return " ".join(words)
