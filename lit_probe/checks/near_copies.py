"""Which texts are copies of others: exact ones, or near ones by their words, their spelling, or one within the other."""

from __future__ import annotations

import re
import unicodedata
from array import array
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, cached_property
from itertools import groupby, pairwise
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from lit_probe.checks.shingles import Pairs, Shingles
from lit_probe.data.labelled_texts import normalise_text
from lit_probe.results import Result

K = TypeVar("K", bound=Hashable)

_WORDS = 0.7
_TRIPLE, _CONTAINED = 3, 0.8
_LEAST_CONTAINED, _ALWAYS_CONTAINED, _LEAST_PART = 5, 10, 0.3
_RUN, _LONGEST, _ALIKE_IN_LENGTH = 4, 40, 0.75
_RARE, _COMMON = 0.005, 0.25
_RUNS, _PER_RUN, _FEW_TEXTS, _PER_FOLD = 0.22, 3.5, 2_000, 0.04
_MISSPELT_IN, _LEAST_LETTERS = 2, 3
_EVIDENCE = 2.0
_ROUNDING = 1e-9

# Scripts written without spaces, one sign after the other: kana and Chinese characters.
_SIGNS = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
_SIGN = re.compile(f"[{_SIGNS}]")
_ASCII_WORD = re.compile(r"\w+")


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

    A copy is *exact* when the texts are the same after `normalise_text`. It is *near* where the words are the same in the same
    order, and by the first of these that says so:

    * ``words``: the sets of words have a Jaccard similarity, words in common / words in either, of at least 0.7. One word of
      six may be another one; their order does not count.
    * ``contained``: at least 0.8 of the triples of consecutive words of the shorter text stand in the longer one, as when
      something was put before it or after it, or cut off. The shorter one has at least five words, and if fewer than ten, at
      least 0.3 times as many as the longer one: a common turn of phrase in a long text is no copy.
    * ``spelling``: as by ``words``, where two words are the same that are one letter apart (one lost, put in, exchanged for
      another or for its neighbour), and one of the two stands in no more than two texts. Among texts alike by their characters.
    * ``characters``: the sets of runs of four characters have a Jaccard similarity of at least 0.22 + 3.5 / n, where n is the
      number of runs in the text that has fewer of them: 0.36 for 25, 0.26 for 100; and 0.04 more for each time that the number
      N of texts that copies are looked for in is e times 2,000. This finds sentences with words exchanged. A run counts the
      more the rarer it is, and nothing where more than a quarter of the texts have it. Only for texts of up to 40 words, of
      about one length (3 : 4).

    The more texts there are, the more of them are alike by chance. So what two texts have in common has to be less than chance
    gives: the sum over the words in common of -ln(share of the other texts that have the word), less ln of the number of ways
    to choose as many of the words of the shorter text, is at least ln N + 2. A prompt or a template that all texts share counts
    nothing in this, and of texts of few words hardly any are near copies. Words are taken as if they were drawn one by one, so
    a common turn of phrase ("up to the task") can still pass for a copy.

    Of Chinese characters and kana each two neighbours stand for a word, so that their order counts. Marks above, below and after
    letters belong to the word, as in Hindi. Thai, Lao, Khmer and Burmese, which put no space between words, are compared by
    their characters in practice.

    Work and memory are bounded, see `Shingles.pairs` for what may be missed.

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
    found: dict[int, Copy] = {}
    sames: dict[str, Sequence[Hashable]] = {"exact": texts.texts, "words": texts.in_order}
    for kind, same in sames.items():
        first: dict[Hashable, int] = {}
        for copy, text in enumerate(same[into.start : into.stop]):
            first.setdefault(text, copy)
        for row, text in enumerate(same[of.start : of.stop]):
            if row not in found and text in first:
                found[row] = Copy(row, first[text], kind, 1.0)
    places = np.r_[of.start : of.stop, into.start : into.stop]
    telling, runs = texts.words.weighted_by_surprise(places), texts.runs.weighted_by_rarity(places, _RARE, _COMMON)
    least = _EVIDENCE + np.log(max(1, len(into)))
    among = places[telling.sizes[places] >= least]
    targets = among[(among >= into.start) & (among < into.stop)]
    for name, measure in MEASURES.items():
        sources = np.setdiff1d(among[(among >= of.start) & (among < of.stop)], [of.start + row for row in found]).astype(np.int64)
        best = _Best.of(len(texts.texts))
        for pairs in measure(_Search(texts, sources, targets, len(into), telling, runs)):
            best.add(pairs.where(pairs.evidence >= least))
        for place in np.flatnonzero(best.others >= 0).tolist():
            row = place - of.start
            found[row] = Copy(row, int(best.others[place]) - into.start, name, float(best.similarity[place]))
    return found


@dataclass(frozen=True)
class _Scored:
    """``[n_pairs]`` each: places of texts and of their near copies, how similar they are, and how little it is to be expected."""

    rows: NDArray[np.int64]
    others: NDArray[np.int64]
    similarity: NDArray[np.float64]
    evidence: NDArray[np.float64]

    def where(self, enough: NDArray[np.bool_]) -> _Scored:
        return _Scored(self.rows[enough], self.others[enough], self.similarity[enough], self.evidence[enough])


@dataclass(frozen=True)
class _Best:
    """``[n_texts]`` each: the place of the most similar text so far, -1 where there is none, and how similar it is."""

    others: NDArray[np.int64]
    similarity: NDArray[np.float64]

    @classmethod
    def of(cls, n_texts: int) -> _Best:
        return cls(np.full(n_texts, -1), np.zeros(n_texts))

    def add(self, pairs: _Scored) -> None:
        order = np.lexsort((pairs.others, -pairs.similarity, pairs.rows))
        rows, index = np.unique(pairs.rows[order], return_index=True)
        others, similarity = pairs.others[order][index], pairs.similarity[order][index]
        known = self.others[rows]
        better = (similarity > self.similarity[rows]) | ((similarity == self.similarity[rows]) & (others < known))
        self.others[rows[better]], self.similarity[rows[better]] = others[better], similarity[better]


@dataclass(frozen=True, eq=False)
class _Compared:
    """Normalised texts with what they are compared by.

    Attributes:
      texts: ``[n_texts]`` strings.
      lengths: ``[n_texts]`` how many words each has; a text without any is its own word.
      word_numbers: ``[lengths.sum()]`` the same number for the same word, text after text.
      vocabulary: ``[n_words]`` the words by number.
      spelt: ``[n_texts]`` the words with one space between, at the start and the end; empty for long texts, two of which always
        have many characters in common.
    """

    texts: Sequence[str]
    lengths: NDArray[np.int64]
    word_numbers: NDArray[np.uint64]
    vocabulary: Sequence[str]
    spelt: Sequence[str]

    @classmethod
    def of(cls, texts: Sequence[str]) -> _Compared:
        numbers: dict[str, int] = {}
        lengths, word_numbers, spelt = array("q"), array("Q"), []
        for text in texts:
            written = (_ASCII_WORD if text.isascii() else _written()).findall(text) or [text]
            words = _units(written)
            lengths.append(len(words))
            word_numbers.extend([numbers.setdefault(word, len(numbers)) for word in words])
            spelt.append(f" {' '.join(written)} " if len(written) <= _LONGEST else "")
        return cls(texts, np.array(lengths, dtype=np.int64), np.array(word_numbers, dtype=np.uint64), tuple(numbers), spelt)

    @cached_property
    def in_order(self) -> Sequence[bytes]:
        """``[n_texts]`` the same bytes for texts of the same words in the same order."""
        return [words.tobytes() for words in np.split(self.word_numbers, np.cumsum(self.lengths)[:-1])]

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

    @cached_property
    def misspelt(self) -> Shingles:
        """The words, each counting 1 where it may be misspelt: it stands in hardly any text, has letters and no digit."""
        few = np.bincount(self.words.matrix.indices, minlength=self.words.matrix.shape[1]) <= _MISSPELT_IN
        fit = [len(word) >= _LEAST_LETTERS and not any(map(str.isnumeric, word)) for word in self.vocabulary]
        return replace(self.words, weights=(few & fit).astype(np.float64))

    def alike(self, row: int, other: int) -> list[tuple[int, int]]:
        """Words of two texts that only one has, and that are one letter apart, where one of them may be misspelt."""
        one, two = (set(self._words_of(place)) for place in (row, other))
        left, found = sorted(two - one), []
        for word in sorted(one - two):
            for at, candidate in enumerate(left):
                rare = self.misspelt.weights[word] or self.misspelt.weights[candidate]
                if rare and _one_letter_apart(self.vocabulary[word], self.vocabulary[candidate]):
                    found.append((word, left.pop(at)))
                    break
        return found

    def _words_of(self, place: int) -> list[int]:
        matrix = self.words.matrix
        numbers: list[int] = matrix.indices[matrix.indptr[place] : matrix.indptr[place + 1]].tolist()
        return numbers


@dataclass(frozen=True, eq=False)
class _Search:
    """One search.

    Attributes:
      texts: all texts.
      of: the places of the texts that copies are looked for of.
      into: of those that they are looked for in.
      n_into: how many texts they are looked for in, those too that can be no copy.
      telling: the words, each counting how little it is to be expected.
      runs: the runs of characters, each counting how rare it is.
    """

    texts: _Compared
    of: NDArray[np.int64]
    into: NDArray[np.int64]
    n_into: int
    telling: Shingles
    runs: Shingles

    def scored(self, rows: NDArray[np.int64], others: NDArray[np.int64], similarity: NDArray[np.float64]) -> _Scored:
        words = self.texts.words
        n, both = np.minimum(words.sizes[rows], words.sizes[others]), words.common(rows, others)
        return _Scored(rows, others, similarity, self.telling.common(rows, others) - _ways(n, both))


def _by_words(search: _Search) -> Iterator[_Scored]:
    words = search.texts.words

    def wanted(row: NDArray[np.int64], other: NDArray[np.int64]) -> NDArray[np.float64]:
        return _of_both(_WORDS, words.sizes[row], words.sizes[other])

    for pairs in words.pairs(search.of, search.into, wanted, least=_WORDS):
        yield search.scored(pairs.rows, pairs.others, words.jaccard(pairs))


def _by_containment(search: _Search) -> Iterator[_Scored]:
    triples, lengths = search.texts.triples, search.texts.lengths
    of, into = (places[lengths[places] >= _LEAST_CONTAINED] for places in (search.of, search.into))

    def wanted(shorter: NDArray[np.int64], longer: NDArray[np.int64]) -> NDArray[np.float64]:
        n, n_longer = lengths[shorter], lengths[longer]
        comparable = (n <= n_longer) & ((n >= _ALWAYS_CONTAINED) | (n >= _LEAST_PART * n_longer))
        return np.where(comparable, _CONTAINED * triples.sizes[shorter], np.inf)

    for within in triples.pairs(of, into, wanted, _CONTAINED):
        yield search.scored(within.rows, within.others, within.common / triples.sizes[within.rows])
    for around in triples.pairs(into, of, wanted, _CONTAINED):
        yield search.scored(around.others, around.rows, around.common / triples.sizes[around.rows])


def _by_spelling(search: _Search) -> Iterator[_Scored]:
    texts, words = search.texts, search.texts.words
    for pairs in _alike_in_runs(search, 0.0):
        both, needed = (
            words.common(pairs.rows, pairs.others),
            _of_both(_WORDS, words.sizes[pairs.rows], words.sizes[pairs.others]),
        )
        at_most = both + texts.misspelt.sizes[pairs.rows] + texts.misspelt.sizes[pairs.others]
        possible = (both < needed) & (at_most >= needed - _ROUNDING)
        rows, others, both = pairs.rows[possible], pairs.others[possible], both[possible]
        alike = [texts.alike(row, other) for row, other in zip(rows.tolist(), others.tolist(), strict=True)]
        both += [len(words_alike) for words_alike in alike]
        found = search.scored(rows, others, both / (words.sizes[rows] + words.sizes[others] - both))
        weights = search.telling.weights
        more = [sum(min(weights[one], weights[other]) for one, other in words_alike) for words_alike in alike]
        yield replace(found, evidence=found.evidence + more).where(found.similarity >= _WORDS - _ROUNDING)


def _by_characters(search: _Search) -> Iterator[_Scored]:
    for pairs in _alike_in_runs(search, _PER_FOLD * max(0.0, np.log(max(1, search.n_into) / _FEW_TEXTS))):
        yield search.scored(pairs.rows, pairs.others, search.runs.jaccard(pairs))


def _alike_in_runs(search: _Search, more: float) -> Iterator[Pairs]:
    runs, counts = search.runs, search.runs.counts

    def wanted(row: NDArray[np.int64], other: NDArray[np.int64]) -> NDArray[np.float64]:
        fewer, larger = np.minimum(counts[row], counts[other]), np.maximum(counts[row], counts[other])
        least = _of_both(_RUNS + more + _PER_RUN / np.maximum(fewer, 1), runs.sizes[row], runs.sizes[other])
        return np.where(fewer >= _ALIKE_IN_LENGTH * larger, least, np.inf)

    # A copy may lack most of the runs, so that each text asks for as many as it may.
    return runs.pairs(search.of, search.into, wanted, least=0.0)


MEASURES = {"words": _by_words, "contained": _by_containment, "spelling": _by_spelling, "characters": _by_characters}
"""The measures of near copies, in the order in which they are asked."""


def _of_both(jaccard: float | NDArray[np.float64], size: NDArray[np.float64], other: NDArray[np.float64]) -> NDArray[np.float64]:
    """What two sets of these sizes have in common where their Jaccard similarity is as given."""
    common: NDArray[np.float64] = jaccard / (1 + jaccard) * (size + other)
    return common


def _ways(n: NDArray[np.float64], k: NDArray[np.float64]) -> NDArray[np.float64]:
    """The logarithm of the number of ways to choose ``k`` of ``n``."""
    from scipy.special import gammaln

    ways: NDArray[np.float64] = gammaln(n + 1) - gammaln(k + 1) - gammaln(n - k + 1)
    return ways


def _one_letter_apart(word: str, other: str) -> bool:
    """Whether a letter was lost, put in, exchanged for another or for its neighbour.

    >>> [_one_letter_apart("harbour", word) for word in ("harbor", "harrbour", "harbqur", "hrabour", "harvest")]
    [True, True, True, True, False]
    """
    if abs(len(word) - len(other)) > 1:
        return False
    start = next((at for at, (one, two) in enumerate(zip(word, other, strict=False)) if one != two), min(len(word), len(other)))
    rest, other_rest = word[start:], other[start:]
    if len(word) != len(other):
        return rest[1:] == other_rest or rest == other_rest[1:]
    return rest[1:] == other_rest[1:] or (rest[:2] == other_rest[1::-1] and rest[2:] == other_rest[2:])


@cache
def _written() -> re.Pattern[str]:
    """Words, and signs of scripts that are written one sign after the other; a mark goes with what it stands above or after."""
    marks = "".join(sign for sign in map(chr, range(0x10000)) if unicodedata.category(sign) in ("Mn", "Mc"))
    return re.compile(rf"[{_SIGNS}][{marks}]*|(?:[^\W{_SIGNS}]+[{marks}]*)+")


def _units(written: Sequence[str]) -> list[str]:
    """What stands for words: each two neighbouring signs, so that their order counts.

    >>> _units(["他", "打", "了", "bob"]), _units(["他"])
    (['他打', '打了', 'bob'], ['他'])
    """
    if not any(map(_SIGN.match, written)):
        return list(written)
    units: list[str] = []
    for is_sign, part in groupby(written, key=lambda word: _SIGN.match(word) is not None):
        words = list(part)
        units += map("".join, pairwise(words)) if is_sign and len(words) > 1 else words
    return units
