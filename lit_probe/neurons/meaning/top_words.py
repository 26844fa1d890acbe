"""The words and the places in the texts on which each neuron of a layer is most active, for all neurons in one pass.

What is kept does not grow with the texts' tokens: per neuron a short list of the highest and lowest places, per distinct word its
sum and extremes. The idea of reading a neuron from its top words is that of NeuroX (Dalvi et al. 2019,
https://doi.org/10.1609/aaai.v33i01.33019851), which scores a word by its mean distance from the neuron's mean, so that strongly
positive and strongly negative words stand in one list; here they are two.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lit_probe.data.labelled_texts import clean_text
from lit_probe.encoder.activations import split_into_blocks
from lit_probe.encoder.cache import Cache, text_hash
from lit_probe.encoder.encoder import Encoder
from lit_probe.encoder.token_states import check_units, token_states
from lit_probe.encoder.tokens import EncodedText
from lit_probe.encoder.words import words_of
from lit_probe.errors import CacheError, LitProbeError
from lit_probe.probing.probes.storage import read_arrays, write_arrays
from lit_probe.progress import Progress, no_progress

# Two ends: the words that a neuron answers to with its highest values, and with its lowest.
ENDS = ("highest", "lowest")
# Of so many distinct words, the most frequent, the means are kept: 16 bytes each per neuron.
MAX_WORDS = 20_000

_FORMAT = "lit_probe.neurons.meaning.top_words"
_NOBODY = np.iinfo(np.int64).max
# Rows that are compared at a time where a whole table is gone through.
_CHUNK = 1_024


@dataclass(frozen=True, eq=False)
class TopWords:
    """The top words and top contexts of all neurons of one layer.

    The first axis is the end: 0 for the highest values, 1 for the lowest. Lists stand in order, the most extreme first; equal
    words by count (more first) and alphabet, equal contexts by text and word. -1 stands where a list is shorter than ``top``.

    Attributes:
      layer: of the neurons.
      vocabulary: the lower-cased words that are in any list.
      counts: ``[n_vocabulary]`` how often each occurs in the texts.
      words: ``[2, d_model, top]`` numbers in ``vocabulary``, by the mean of the neuron over the word's occurrences.
      word_means: ``[2, d_model, top]`` float32: that mean.
      word_peaks: ``[2, d_model, top]`` float32: the largest value of any occurrence; at the lowest end, the smallest.
      contexts: ``[2, d_model, top, 3]`` position of the text, index of the word in it, and the word's number in ``vocabulary``.
      context_values: ``[2, d_model, top]`` float32: the value there.
      means: ``[d_model]`` the neuron's mean over all occurrences of words.
      stds: ``[d_model]`` and its standard deviation.
      facts: JSON-ready: ``n_texts``, ``n_occurrences``, ``n_words`` (distinct), ``n_words_compared`` (that could get into the
        lists of words), ``n_truncated`` (texts not read to their end), ``min_count``, ``max_words``.
    """

    layer: int
    vocabulary: tuple[str, ...]
    counts: NDArray[np.int64]
    words: NDArray[np.int64]
    word_means: NDArray[np.float32]
    word_peaks: NDArray[np.float32]
    contexts: NDArray[np.int64]
    context_values: NDArray[np.float32]
    means: NDArray[np.float64]
    stds: NDArray[np.float64]
    facts: Mapping[str, int]

    def of_unit(self, unit: int) -> dict[str, Any]:
        """JSON-ready: ``layer``, ``unit``, ``name`` (``layer:unit``), ``mean``, ``std``, the facts, ``highest`` and ``lowest``.

        Each end holds ``words``: ``word``, ``count``, ``mean``, ``peak``; and ``contexts``: ``text`` (position), ``word_index``,
        ``word``, ``value``.

        Raises:
          LitProbeError: the layer has no such neuron.
        """
        if not 0 <= unit < len(self.means):
            raise LitProbeError(f"Unknown neuron {unit}. Layer {self.layer} has neurons 0 to {len(self.means) - 1}.")
        answer = {
            "layer": self.layer,
            "unit": unit,
            "name": f"{self.layer}:{unit}",
            "mean": float(self.means[unit]),
            "std": float(self.stds[unit]),
            **self.facts,
        }
        for end, name in enumerate(ENDS):
            found = self.words[end, unit]
            places = self.contexts[end, unit]
            answer[name] = {
                "words": [
                    {
                        "word": self.vocabulary[word],
                        "count": int(self.counts[word]),
                        "mean": float(self.word_means[end, unit, rank]),
                        "peak": float(self.word_peaks[end, unit, rank]),
                    }
                    for rank, word in enumerate(found)
                    if word >= 0
                ],
                "contexts": [
                    {
                        "text": int(text),
                        "word_index": int(index),
                        "word": self.vocabulary[word],
                        "value": float(self.context_values[end, unit, rank]),
                    }
                    for rank, (text, index, word) in enumerate(places)
                    if word >= 0
                ],
            }
        return answer


def top_words(
    encoder: Encoder,
    texts: Sequence[str],
    layer: int,
    top: int = 20,
    *,
    min_count: int = 1,
    max_words: int = MAX_WORDS,
    cache: Cache | None = None,
    progress: Progress = no_progress,
) -> TopWords:
    """The words and contexts with the highest and the lowest activations, for every neuron of a layer, in one forward pass.

    A word's activation is the mean over its tokens. Words are lower-cased and whole, see ``salience.words``; special tokens
    belong to none. Blocks after the layer are not run. Memory: 16 bytes per neuron and compared word, 24 per neuron and place in
    a list of contexts, 16 bytes per token and occurrence of a word, and one batch.

    Args:
      encoder: the frozen encoder.
      texts: one or more.
      layer: 0 (embeddings) to n_layers-1.
      top: length of each list, 1 or more.
      min_count: the lists of words compare only those that occur so often; the contexts are of all words.
      max_words: of these, only so many that are the most frequent (equally frequent ones by the alphabet).
      cache: where the result is kept.
      progress: called with the number of texts done and of all; what it raises ends the computation.

    Raises:
      UnknownNameError: there is no such layer.
      LitProbeError: there is no text with a word, a number is below 1, or an activation is NaN or infinite.
    """
    check_units(encoder, layer)
    if min(top, min_count, max_words) < 1:
        raise LitProbeError(f"top, min_count and max_words must be 1 or more; got {top}, {min_count} and {max_words}.")
    if not texts:
        raise LitProbeError("There is no text whose words could be compared.")

    def make() -> TopWords:
        return _made(encoder, _Reading(encoder, texts, min_count, max_words), layer, top, progress)

    if cache is None:
        return make()
    facts = {
        "encoder": encoder.fingerprint,
        "texts": text_hash(texts),
        "layer": layer,
        "top": top,
        "min_count": min_count,
        "max_words": max_words,
    }
    return cache.get_or_make("top_words", facts, make, _save, _load)


def with_surroundings(
    answer: Mapping[str, Any], encoder: Encoder, texts: Sequence[str], n_characters: int = 40
) -> dict[str, Any]:
    """`TopWords.of_unit` with the text around each context: ``before``, ``shown`` (the word as it stands) and ``after``.

    Args:
      answer: of `TopWords.of_unit`.
      encoder: the encoder that it came from.
      texts: the texts that it came from.
      n_characters: at most so many before and after.
    """
    positions = sorted({context["text"] for end in ENDS for context in answer[end]["contexts"]})
    encoded = encoder.encode([texts[position] for position in positions], with_tokens=True)
    spans = {position: _word_spans(texts[position], one) for position, one in zip(positions, encoded, strict=True)}

    def shown(context: Mapping[str, Any]) -> dict[str, Any]:
        text = clean_text(texts[context["text"]])
        start, end = spans[context["text"]][context["word_index"]]
        around = {"before": text[max(0, start - n_characters) : start], "after": text[end : end + n_characters]}
        return {**context, **around, "shown": text[start:end]}

    ends = {end: {**answer[end], "contexts": [shown(context) for context in answer[end]["contexts"]]} for end in ENDS}
    return {**answer, **ends}


def _word_spans(text: str, encoded: EncodedText) -> list[tuple[int, int]]:
    """Where the tokens of each word begin and end, without the spaces around them."""
    text = clean_text(text)
    spans: dict[int, tuple[int, int]] = {}
    for word, (start, end) in zip(words_of(text, encoded).of_token, encoded.offsets, strict=True):
        if word is not None:
            first, last = spans.get(word, (start, end))
            spans[word] = min(first, start), max(last, end)
    found = []
    for _, (start, end) in sorted(spans.items()):
        inside = text[start:end]
        found.append((start + len(inside) - len(inside.lstrip()), start + len(inside.rstrip())))
    return found


class _Reading:
    """The texts as numbers: which occurrence of a word each token belongs to, and which word each occurrence is of.

    Attributes:
      encoded: what the encoder reads of each text, without the tokens' strings.
      occurrence_of_token: for each text ``[n_tokens]``, -1 for tokens of no word; occurrences are numbered text after text.
      first_occurrence: ``[n_texts + 1]``.
      word_of_occurrence: ``[n_occurrences]`` numbers in ``words``.
      words: distinct lower-cased words, the most frequent first, equally frequent ones by the alphabet.
      counts: ``[n_words]`` how often each occurs.
      n_compared: how many of them, from the front, get into the lists of words.
      facts: see `TopWords`.
    """

    def __init__(self, encoder: Encoder, texts: Sequence[str], min_count: int, max_words: int):
        self.encoded: list[EncodedText] = []
        self.occurrence_of_token: list[NDArray[np.int64]] = []
        n_words, numbers, counts = [0], _Numbers(), Counter[int]()
        found: list[NDArray[np.int64]] = []
        for part, _ in split_into_blocks(texts):
            for text, one in zip(part, encoder.encode(part, with_tokens=True), strict=True):
                words = words_of(text, one)
                first = n_words[-1]
                self.occurrence_of_token.append(
                    np.array([-1 if word is None else first + word for word in words.of_token], dtype=np.int64)
                )
                mine = [numbers[word.lower()] for word in words.texts]
                counts.update(mine)
                found.append(np.array(mine, dtype=np.int64))
                n_words.append(first + len(mine))
                self.encoded.append(EncodedText(one.ids, one.special, [], [], one.truncated))
        if not n_words[-1]:
            raise LitProbeError(f"None of the {len(texts):,} texts has a word that the encoder reads.")
        self.first_occurrence = np.array(n_words, dtype=np.int64)
        names = list(numbers)
        order = sorted(range(len(names)), key=lambda number: (-counts[number], names[number]))
        place = np.empty(len(names), dtype=np.int64)
        place[order] = np.arange(len(names))
        self.word_of_occurrence = place[np.concatenate(found)]
        self.words = [names[number] for number in order]
        self.counts = np.array([counts[number] for number in order], dtype=np.int64)
        self.n_compared = min(max_words, int((self.counts >= min_count).sum()))
        self.facts = {
            "n_texts": len(texts),
            "n_occurrences": n_words[-1],
            "n_words": len(names),
            "n_words_compared": self.n_compared,
            "n_truncated": sum(one.truncated for one in self.encoded),
            "min_count": min_count,
            "max_words": max_words,
        }


class _Numbers(dict[str, int]):
    """Gives each new word the next number."""

    def __missing__(self, word: str) -> int:
        self[word] = len(self)
        return self[word]


class _Best:
    """The ``size`` largest values of each neuron among all that were offered; equal values by the lower number.

    Attributes:
      values: ``[d_model, size]`` float32, largest first; -inf where fewer were offered.
      numbers: ``[d_model, size]`` the number of what had that value.
    """

    def __init__(self, d_model: int, size: int):
        self.values = np.full((d_model, size), -np.inf, dtype=np.float32)
        self.numbers = np.full((d_model, size), _NOBODY, dtype=np.int64)

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


class _WordTable:
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


class _Gathering:
    """All that is kept while batch after batch goes by."""

    def __init__(self, reading: _Reading, d_model: int, top: int):
        self._reading = reading
        self.contexts = [_Best(d_model, top) for _ in ENDS]
        self.table = _WordTable(reading.n_compared, d_model)
        self.sum, self.squares = np.zeros(d_model), np.zeros(d_model)

    @property
    def n_bytes(self) -> int:
        """Memory of the arrays."""
        arrays = [array for best in self.contexts for array in (best.values, best.numbers)]
        return sum(array.nbytes for array in [*arrays, self.table.sums, self.table.largest, self.table.smallest])

    def add(self, rows: NDArray[np.float32], occurrences: NDArray[np.int64]) -> None:
        """Takes in the values ``[n_tokens, d_model]`` of tokens and the occurrence of a word that each belongs to, or -1."""
        order = np.argsort(occurrences, kind="stable")
        order = order[np.searchsorted(occurrences[order], 0) :]
        if not len(order):
            return
        numbers, starts, n_tokens = np.unique(occurrences[order], return_index=True, return_counts=True)
        values = np.add.reduceat(rows[order], starts, axis=0) / n_tokens[:, None].astype(np.float32)
        for best, signed in zip(self.contexts, (values, -values), strict=True):
            best.offer(signed, numbers)
        self.table.add(values, self._reading.word_of_occurrence[numbers])
        self.sum += values.sum(axis=0, dtype=np.float64)
        self.squares += np.square(values, dtype=np.float64).sum(axis=0)


def _made(encoder: Encoder, reading: _Reading, layer: int, top: int, progress: Progress) -> TopWords:
    n_texts, done = len(reading.encoded), 0
    progress(0, n_texts)
    kept = _Gathering(reading, encoder.d_model, top)
    for indices, rows in token_states(encoder, reading.encoded, layer):
        kept.add(rows, np.concatenate([reading.occurrence_of_token[i] for i in indices]))
        done += len(indices)
        progress(done, n_texts)
    if done < n_texts:
        progress(n_texts, n_texts)  # texts without any token are in no batch
    return _result(kept, reading, layer, top)


def _result(kept: _Gathering, reading: _Reading, layer: int, top: int) -> TopWords:
    table, d_model = kept.table, len(kept.sum)
    best = [_Best(d_model, top) for _ in ENDS]
    for start in range(0, reading.n_compared, _CHUNK):
        numbers = np.arange(start, min(start + _CHUNK, reading.n_compared))
        means = (table.sums[numbers] / reading.counts[numbers, None]).astype(np.float32)
        for end, signed in zip(best, (means, -means), strict=True):
            end.offer(signed, numbers)
    units = np.arange(d_model)[:, None]
    words = np.stack([_known(end.numbers) for end in best])
    peaks = np.stack([table.largest[words[0], units], table.smallest[words[1], units]]) if reading.n_compared else None
    places = np.stack([_known(end.numbers) for end in kept.contexts])
    texts = np.searchsorted(reading.first_occurrence, places, side="right") - 1
    of_place = np.where(places >= 0, reading.word_of_occurrence[places], -1)
    listed = np.unique(np.concatenate([words.ravel(), of_place.ravel()]))
    listed = listed[listed >= 0]

    def renumbered(numbers: NDArray[np.int64]) -> NDArray[np.int64]:
        return np.where(numbers >= 0, np.searchsorted(listed, numbers), -1)

    def readable(ends: Sequence[_Best]) -> NDArray[np.float32]:
        values = np.stack([ends[0].values, -ends[1].values])
        return np.where(np.isfinite(values), values, np.float32(0)).astype(np.float32)

    n = int(reading.first_occurrence[-1])
    means = kept.sum / n
    there = places >= 0
    contexts = np.stack([texts, places - reading.first_occurrence[texts], renumbered(of_place)], axis=-1)
    return TopWords(
        layer,
        tuple(reading.words[number] for number in listed),
        reading.counts[listed],
        renumbered(words),
        readable(best),
        np.where(words >= 0, peaks, 0).astype(np.float32) if peaks is not None else np.zeros(words.shape, dtype=np.float32),
        np.where(there[..., None], contexts, -1),
        readable(kept.contexts),
        means,
        np.sqrt(np.maximum(kept.squares / n - np.square(means), 0.0)),
        reading.facts,
    )


def _known(numbers: NDArray[np.int64]) -> NDArray[np.int64]:
    """The numbers, -1 where a list has come to its end."""
    return np.where(numbers == _NOBODY, -1, numbers)


def _save(found: TopWords, folder: Path) -> None:
    header = {"format": _FORMAT, "layer": found.layer, "vocabulary": list(found.vocabulary), "facts": dict(found.facts)}
    write_arrays(folder / "top_words", {name: getattr(found, name) for name in _ARRAYS}, header)


_ARRAYS = ("counts", "words", "word_means", "word_peaks", "contexts", "context_values", "means", "stds")


def _load(folder: Path) -> TopWords:
    arrays, header = read_arrays(folder / "top_words", _FORMAT)
    try:
        return TopWords(
            layer=header["layer"],
            vocabulary=tuple(header["vocabulary"]),
            facts=header["facts"],
            **{name: arrays[name] for name in _ARRAYS},
        )
    except (KeyError, TypeError) as error:
        raise CacheError(f"it holds no top words: {error}") from error
