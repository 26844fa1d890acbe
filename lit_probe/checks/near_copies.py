"""Which texts are copies of others: exact ones, or near ones by their words, their characters, or one within the other."""

from __future__ import annotations

import re
from array import array
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from lit_probe.checks.shingles import Shingles
from lit_probe.data.labelled_texts import normalise_text
from lit_probe.results import Result

K = TypeVar("K", bound=Hashable)

_WORDS = 0.7
_TRIPLE, _CONTAINED = 3, 0.8
_LEAST_CONTAINED, _ALWAYS_CONTAINED, _LEAST_PART = 5, 10, 0.3
_RUN, _LONGEST, _ALIKE_IN_LENGTH = 4, 40, 0.75
_RARE, _COMMON = 0.005, 0.25

# Scripts written without spaces, one sign taken as a word: kana and Chinese characters.
_SIGNS = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
_WORD = re.compile(rf"[{_SIGNS}]|[^\W{_SIGNS}]+")


@dataclass(frozen=True)
class Copy(Result):
    """One text that is a copy of another.

    Attributes:
      row: its position among its own texts.
      copy: the position of the other text among its own.
      measure: ``"exact"``, or by which of `MEASURES` it was found.
      similarity: by that measure, 0 to 1; 1 for exact copies.
    """

    row: int
    copy: int
    measure: str
    similarity: float


def copies_between(texts: Mapping[K, Sequence[str]], pairs: Iterable[tuple[K, K]]) -> dict[tuple[K, K], dict[int, Copy]]:
    """The texts of one part that have a copy in another.

    A copy is *exact* when the texts are the same after `normalise_text`. It is *near* by the first of these that says so:

    * ``words``: the sets of words have a Jaccard similarity, words in common / words in either, of at least 0.7. One word of
      six may be another one; their order does not count.
    * ``contained``: at least 0.8 of the triples of consecutive words of the shorter text stand in the longer one, as when
      something was put before it or after it, or cut off. The shorter one has at least five words, and if fewer than ten, at
      least 0.3 times as many as the longer one: a common turn of phrase in a long text is no copy.
    * ``characters``: the sets of runs of four characters have a Jaccard similarity of at least 0.22 + 3.5 / n, where n is the
      number of runs in the text that has fewer of them: 0.36 for 25, 0.26 for 100. This finds misspelt questions, and sentences
      with words exchanged. A run counts the more the rarer it is, and nothing where more than a quarter of the texts have it,
      so that questions that begin alike are no copies. Only for texts of up to 40 words, of about one length (3 : 4).

    Args:
      texts: by part.
      pairs: the part whose texts are looked for, and the part that they are looked for in.

    Returns:
      For each pair of parts, position of a text -> its copy: an exact one where there is one, else the most similar one.
    """
    names = list(texts)
    compared = _Compared.of([normalise_text(text) for name in names for text in texts[name]])
    ends = np.cumsum([len(texts[name]) for name in names]).tolist()
    places = {name: range(end - len(texts[name]), end) for name, end in zip(names, ends, strict=True)}
    return {(of, into): _copies(compared, places[of], places[into]) for of, into in pairs}


def _copies(texts: _Compared, of: range, into: range) -> dict[int, Copy]:
    first: dict[str, int] = {}
    for copy, text in enumerate(texts.texts[into.start : into.stop]):
        first.setdefault(text, copy)
    found = {
        row: Copy(row, first[text], "exact", 1.0) for row, text in enumerate(texts.texts[of.start : of.stop]) if text in first
    }
    for name, measure in MEASURES.items():
        open_places = np.array([place for place in of if place - of.start not in found], dtype=np.int64)
        scored = measure(texts, open_places, np.arange(into.start, into.stop))
        best = np.lexsort((scored.others, -scored.similarity, scored.rows))
        places, index = np.unique(scored.rows[best], return_index=True)
        for place, at in zip(places.tolist(), best[index].tolist(), strict=True):
            row = place - of.start
            found[row] = Copy(row, int(scored.others[at]) - into.start, name, float(scored.similarity[at]))
    return found


@dataclass(frozen=True)
class _Scored:
    """``[n_pairs]`` each: places of texts and of their near copies, and how similar they are."""

    rows: NDArray[np.int64]
    others: NDArray[np.int64]
    similarity: NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class _Compared:
    """Normalised texts with what they are compared by.

    Attributes:
      texts: ``[n_texts]`` strings.
      lengths: ``[n_texts]`` how many words each has; a text without any is its own word.
      word_numbers: ``[lengths.sum()]`` the same number for the same word, text after text.
      spelt: ``[n_texts]`` the words with one space between, at the start and the end; empty for long texts, two of which always
        have many characters in common.
    """

    texts: Sequence[str]
    lengths: NDArray[np.int64]
    word_numbers: NDArray[np.uint64]
    spelt: Sequence[str]

    @classmethod
    def of(cls, texts: Sequence[str]) -> _Compared:
        numbers: dict[str, int] = {}
        lengths, word_numbers, spelt = array("q"), array("Q"), []
        for text in texts:
            words = _WORD.findall(text) or [text]
            lengths.append(len(words))
            word_numbers.extend([numbers.setdefault(word, len(numbers)) for word in words])
            spelt.append(f" {' '.join(words)} " if len(words) <= _LONGEST else "")
        return cls(texts, np.array(lengths, dtype=np.int64), np.array(word_numbers, dtype=np.uint64), spelt)

    @cached_property
    def words(self) -> Shingles:
        return Shingles.of(self.word_numbers, self.lengths, 1)

    @cached_property
    def triples(self) -> Shingles:
        return Shingles.of(self.word_numbers, self.lengths, _TRIPLE)

    @cached_property
    def runs(self) -> Shingles:
        signs = np.frombuffer("".join(self.spelt).encode("utf-32-le"), dtype=np.uint32).astype(np.uint64)
        return Shingles.of(signs, np.array([len(text) for text in self.spelt], dtype=np.int64), _RUN)


def _by_words(texts: _Compared, of: NDArray[np.int64], into: NDArray[np.int64]) -> _Scored:
    words = texts.words

    def wanted(row: NDArray[np.int64], other: NDArray[np.int64]) -> NDArray[np.float64]:
        return _of_both(_WORDS, words.sizes[row], words.sizes[other])

    pairs = words.pairs(of, into, wanted, least=_WORDS)
    return _Scored(pairs.rows, pairs.others, words.jaccard(pairs))


def _by_containment(texts: _Compared, of: NDArray[np.int64], into: NDArray[np.int64]) -> _Scored:
    triples, lengths = texts.triples, texts.lengths
    of, into = (places[lengths[places] >= _LEAST_CONTAINED] for places in (of, into))

    def wanted(shorter: NDArray[np.int64], longer: NDArray[np.int64]) -> NDArray[np.float64]:
        n, n_longer = lengths[shorter], lengths[longer]
        comparable = (n <= n_longer) & ((n >= _ALWAYS_CONTAINED) | (n >= _LEAST_PART * n_longer))
        return np.where(comparable, _CONTAINED * triples.sizes[shorter], np.inf)

    within, around = triples.pairs(of, into, wanted, _CONTAINED), triples.pairs(into, of, wanted, _CONTAINED)
    return _Scored(
        np.concatenate([within.rows, around.others]),
        np.concatenate([within.others, around.rows]),
        np.concatenate([pairs.common / triples.sizes[pairs.rows] for pairs in (within, around)]),
    )


def _by_characters(texts: _Compared, of: NDArray[np.int64], into: NDArray[np.int64]) -> _Scored:
    runs = texts.runs.weighted_by_rarity(np.concatenate([of, into]), _RARE, _COMMON)
    counts = runs.counts

    def wanted(row: NDArray[np.int64], other: NDArray[np.int64]) -> NDArray[np.float64]:
        fewer, more = np.minimum(counts[row], counts[other]), np.maximum(counts[row], counts[other])
        least = _of_both(0.22 + 3.5 / fewer, runs.sizes[row], runs.sizes[other])
        return np.where(fewer >= _ALIKE_IN_LENGTH * more, least, np.inf)

    # A copy may lack most of the runs, so that each text asks for as many as it may.
    pairs = runs.pairs(of, into, wanted, least=0.0)
    return _Scored(pairs.rows, pairs.others, runs.jaccard(pairs))


MEASURES = {"words": _by_words, "contained": _by_containment, "characters": _by_characters}
"""The measures of near copies, in the order in which they are asked."""


def _of_both(jaccard: float | NDArray[np.float64], size: NDArray[np.float64], other: NDArray[np.float64]) -> NDArray[np.float64]:
    """What two sets of these sizes have in common where their Jaccard similarity is as given."""
    common: NDArray[np.float64] = jaccard / (1 + jaccard) * (size + other)
    return common
