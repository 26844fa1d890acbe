"""Texts as occurrences of words, and what is kept of a layer's values at these while batch after batch goes by.

What is kept does not grow with the texts' tokens: per neuron a short list of the highest and lowest places, per distinct word its
sum and extremes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from lit_probe.encoder.activations import split_into_blocks
from lit_probe.encoder.encoder import Encoder
from lit_probe.encoder.tokens import EncodedText
from lit_probe.encoder.words import words_of
from lit_probe.errors import LitProbeError
from lit_probe.results import Result

# Stands in the lists of `Best` where nothing was offered; larger than any number, so that it comes last among equals.
NOBODY = np.iinfo(np.int64).max


@dataclass(frozen=True)
class WordCounts(Result):
    """How many words were read.

    Attributes:
      n_texts: the number of texts.
      n_occurrences: the number of words in them.
      n_words: the number of distinct ones.
      n_words_compared: the number of these that could get into the lists of words.
      n_truncated: the number of texts that were not read to their end.
      min_count: how often a word must occur to be compared.
      max_words: the largest number of words that are compared.
    """

    n_texts: int
    n_occurrences: int
    n_words: int
    n_words_compared: int
    n_truncated: int
    min_count: int
    max_words: int


class Occurrences:
    """The words of some texts as numbers: which word each occurrence is of.

    Args:
      texts: the words of each text.
      min_count: how often a word must occur to be compared.
      max_words: the largest number of words that are compared.
      n_truncated: the number of texts that were not read to their end.

    Attributes:
      first_occurrence: ``[n_texts + 1]`` the number of each text's first one; they are numbered text after text.
      word_of_occurrence: ``[n_occurrences]`` numbers in ``words``.
      words: distinct lower-cased words, the most frequent first, equally frequent ones by the alphabet.
      counts: ``[n_words]`` how often each occurs.
      n_compared: the number of them that, from the front, get into the lists of words.
      facts: the counts of the words.

    Raises:
      LitProbeError: there is no word.
    """

    def __init__(self, texts: Iterable[Sequence[str]], min_count: int, max_words: int, n_truncated: int = 0):
        n_words, numbers, counts = [0], _Numbers(), Counter[int]()
        found: list[NDArray[np.int64]] = []
        for words in texts:
            mine = [numbers[word.lower()] for word in words]
            counts.update(mine)
            found.append(np.array(mine, dtype=np.int64))
            n_words.append(n_words[-1] + len(mine))
        if not n_words[-1]:
            raise LitProbeError(f"None of the {len(found):,} texts has a word that the encoder reads.")
        self.first_occurrence = np.array(n_words, dtype=np.int64)
        names = list(numbers)
        order = sorted(range(len(names)), key=lambda number: (-counts[number], names[number]))
        place = np.empty(len(names), dtype=np.int64)
        place[order] = np.arange(len(names))
        self.word_of_occurrence = place[np.concatenate(found)]
        self.words = [names[number] for number in order]
        self.counts = np.array([counts[number] for number in order], dtype=np.int64)
        self.n_compared = min(max_words, int((self.counts >= min_count).sum()))
        self.facts = WordCounts(
            n_texts=len(found),
            n_occurrences=n_words[-1],
            n_words=len(names),
            n_words_compared=self.n_compared,
            n_truncated=n_truncated,
            min_count=min_count,
            max_words=max_words,
        )


class Reading(Occurrences):
    """The words that an encoder reads of some texts, and which occurrence of a word each token belongs to.

    Attributes:
      encoded: what the encoder reads of each text, without the tokens' strings.
      occurrence_of_token: for each text ``[n_tokens]``, -1 for tokens of no word.
    """

    def __init__(self, encoder: Encoder, texts: Sequence[str], min_count: int, max_words: int):
        self.encoded: list[EncodedText] = []
        self.occurrence_of_token: list[NDArray[np.int64]] = []
        super().__init__(self._read(encoder, texts), min_count, max_words)
        self.facts = replace(self.facts, n_truncated=sum(one.truncated for one in self.encoded))

    def _read(self, encoder: Encoder, texts: Sequence[str]) -> Iterator[Sequence[str]]:
        first = 0
        for part, _ in split_into_blocks(texts):
            for text, one in zip(part, encoder.encode(part, with_tokens=True), strict=True):
                words = words_of(text, one)
                numbers = [-1 if word is None else first + word for word in words.of_token]
                self.occurrence_of_token.append(np.array(numbers, dtype=np.int64))
                self.encoded.append(one.without_names())
                first += len(words.texts)
                yield words.texts


class _Numbers(dict[str, int]):
    """Gives each new word the next number."""

    def __missing__(self, word: str) -> int:
        self[word] = len(self)
        return self[word]


class Best:
    """The ``size`` largest values of each neuron among all that were offered; equal values by the lower number.

    Attributes:
      values: ``[d_model, size]`` float32, largest first; -inf where fewer were offered.
      numbers: ``[d_model, size]`` the number of what had that value.
    """

    def __init__(self, d_model: int, size: int):
        self.values = np.full((d_model, size), -np.inf, dtype=np.float32)
        self.numbers = np.full((d_model, size), NOBODY, dtype=np.int64)

    def offer(self, values: NDArray[np.float32], numbers: NDArray[np.int64]) -> None:
        """Takes what is larger from finite ``values`` ``[n, d_model]`` of things with these ``numbers`` ``[n]``."""
        d_model, size = self.values.shape
        enough = values >= self.values[:, -1]
        if len(values) > size and np.count_nonzero(enough) > 2 * size * d_model:
            # Sorting all of them would take long; the partition tells which cannot be among the best.
            enough &= values >= np.partition(values, -size, axis=0)[-size]
        rows, units = np.nonzero(enough)
        touched = np.unique(units)
        if not len(touched):
            return
        units = np.concatenate([units, np.repeat(touched, size)])
        candidates = np.concatenate([values[enough], self.values[touched].ravel()])
        names = np.concatenate([numbers[rows], self.numbers[touched].ravel()])
        order = np.lexsort((names, -candidates, units))
        units = units[order]
        rank = np.arange(len(units)) - np.searchsorted(units, units)
        kept = rank < size
        self.values[units[kept], rank[kept]] = candidates[order][kept]
        self.numbers[units[kept], rank[kept]] = names[order][kept]


class WordTable:
    """What is known of each word: the sum, the largest and the smallest of its occurrences' values, for each neuron.

    Attributes:
      sums: ``[n_words, d_model]`` float64, so that the order of the batches shows in no digit that is kept.
      largest: ``[n_words, d_model]`` float32, and so on.
    """

    def __init__(self, n_words: int, d_model: int):
        self.sums = np.zeros((n_words, d_model))
        self.largest = np.full((n_words, d_model), -np.inf, dtype=np.float32)
        self.smallest = np.full((n_words, d_model), np.inf, dtype=np.float32)

    def add(self, values: NDArray[np.float32], words: NDArray[np.int64]) -> None:
        """Takes in ``values`` ``[n, d_model]`` of occurrences of ``words`` ``[n]``; words beyond the table are passed over."""
        order = np.argsort(words, kind="stable")
        order = order[: np.searchsorted(words[order], len(self.sums))]
        if not len(order):
            return
        there, starts = np.unique(words[order], return_index=True)
        values = values[order]
        self.sums[there] += np.add.reduceat(values, starts, axis=0, dtype=np.float64)
        self.largest[there] = np.maximum(self.largest[there], np.maximum.reduceat(values, starts, axis=0))
        self.smallest[there] = np.minimum(self.smallest[there], np.minimum.reduceat(values, starts, axis=0))


class Gathering:
    """All that is kept of a layer while batch after batch goes by.

    Attributes:
      highest: occurrences of words with the largest values.
      lowest: those with the largest negated values.
      table: what is known of each word that is compared.
      sum: ``[d_model]`` sum of the values of all occurrences.
      squares: ``[d_model]`` sum of their squares.
    """

    def __init__(self, occurrences: Occurrences, d_model: int, top: int):
        self._occurrences = occurrences
        self.highest, self.lowest = Best(d_model, top), Best(d_model, top)
        self.table = WordTable(occurrences.n_compared, d_model)
        self.sum, self.squares = np.zeros(d_model), np.zeros(d_model)

    @property
    def n_bytes(self) -> int:
        """Memory of the arrays."""
        arrays = [array for best in (self.highest, self.lowest) for array in (best.values, best.numbers)]
        return sum(array.nbytes for array in [*arrays, self.table.sums, self.table.largest, self.table.smallest])

    def add(self, rows: NDArray[np.float32], occurrences: NDArray[np.int64]) -> None:
        """Takes in the values ``[n, d_model]`` of tokens, or of words, and the occurrence that each belongs to, or -1."""
        order = np.argsort(occurrences, kind="stable")
        order = order[np.searchsorted(occurrences[order], 0) :]
        if not len(order):
            return
        numbers, starts, n_tokens = np.unique(occurrences[order], return_index=True, return_counts=True)
        values = np.add.reduceat(rows[order], starts, axis=0) / n_tokens[:, None].astype(np.float32)
        self.highest.offer(values, numbers)
        self.lowest.offer(-values, numbers)
        self.table.add(values, self._occurrences.word_of_occurrence[numbers])
        self.sum += values.sum(axis=0, dtype=np.float64)
        self.squares += np.square(values, dtype=np.float64).sum(axis=0)
