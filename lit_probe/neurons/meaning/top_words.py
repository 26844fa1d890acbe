"""The words and the places in the texts on which each neuron of a layer is most active, for all neurons in one pass.

The idea of reading a neuron from its top words is that of NeuroX (Dalvi et al. 2019,
https://doi.org/10.1609/aaai.v33i01.33019851), which scores a word by its mean distance from the neuron's mean, so that strongly
positive and strongly negative words stand in one list; here they are two.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from lit_probe.data import text_pairs
from lit_probe.data.asked import CLASSES, TEXT, WORD, check_served
from lit_probe.data.labelled_texts import LabelledTexts, clean_text
from lit_probe.encoder.activations import Activations, widened
from lit_probe.encoder.cache import Cache, text_hash
from lit_probe.encoder.encoder import Encoder
from lit_probe.encoder.joining import in_sentences
from lit_probe.encoder.token_states import check_units, token_states
from lit_probe.encoder.tokens import EncodedText
from lit_probe.encoder.words import words_of
from lit_probe.errors import CacheError, LitProbeError
from lit_probe.neurons.meaning.word_gathering import NOBODY, Best, Gathering, Occurrences, Reading, WordCounts
from lit_probe.probing.probes.storage import read_arrays, write_arrays
from lit_probe.progress import Progress, no_progress
from lit_probe.results import Result

# Two ends: the words that a neuron answers to with its highest values, and with its lowest.
ENDS = ("highest", "lowest")
# Of so many distinct words, the most frequent, the means are kept: 16 bytes each per neuron.
MAX_WORDS = 20_000

_FORMAT = "lit_probe.neurons.meaning.top_words"
# Rows that are compared at a time where a whole table is gone through.
_CHUNK = 1_024


@dataclass(frozen=True)
class TopWord(Result):
    """A word on which a neuron is very active, or very little.

    Attributes:
      word: the word in lower case.
      count: how often it occurs.
      mean: mean of the neuron over its occurrences.
      peak: the largest value of any occurrence; at the lowest end, the smallest.
      tag: of words with tags, the tag that most of its occurrences have; None until it was looked up.
    """

    word: str
    count: int
    mean: float
    peak: float
    tag: str | None = None

    omitted_if_none: ClassVar[tuple[str, ...]] = ("tag",)


@dataclass(frozen=True)
class TopContext(Result):
    """A place in the texts where a neuron is very active, or very little.

    Attributes:
      text: position of the text.
      word_index: index of the word in it.
      word: the word in lower case.
      value: the neuron's activation there.
      before: end of the text before the word; None without the surroundings.
      after: beginning of the text after it.
      shown: the word as it stands in the text.
      tag: of words with tags, its own.
    """

    text: int
    word_index: int
    word: str
    value: float
    before: str | None = None
    after: str | None = None
    shown: str | None = None
    tag: str | None = None

    omitted_if_none: ClassVar[tuple[str, ...]] = ("before", "after", "shown", "tag")


@dataclass(frozen=True)
class ExtremeWords(Result):
    """The words and places at one end of a neuron's activations, the most extreme first.

    Attributes:
      words: words by the mean over their occurrences.
      contexts: single occurrences.
    """

    words: tuple[TopWord, ...]
    contexts: tuple[TopContext, ...]


@dataclass(frozen=True)
class UnitWords(Result):
    """The top words and top contexts of one neuron.

    Attributes:
      layer: layer of the neuron.
      unit: its index in the layer.
      name: ``layer:unit``.
      mean: its mean over all occurrences of words.
      std: standard deviation of the same.
      facts: the counts of the words that were read.
      highest: where it is most active.
      lowest: where it is least active.
    """

    layer: int
    unit: int
    name: str
    mean: float
    std: float
    facts: WordCounts
    highest: ExtremeWords
    lowest: ExtremeWords

    in_place: ClassVar[tuple[str, ...]] = ("facts",)


@dataclass(frozen=True, eq=False)
class TopWords:
    """The top words and top contexts of all neurons of one layer.

    The first axis is the end: 0 for the highest values, 1 for the lowest. Lists stand in order, the most extreme first; equal
    words by count (more first) and alphabet, equal contexts by text and word. -1 stands where a list is shorter than ``top``.

    Attributes:
      layer: the layer of the neurons.
      vocabulary: the lower-cased words that are in any list.
      counts: ``[n_vocabulary]`` how often each occurs in the texts.
      words: ``[2, d_model, top]`` numbers in ``vocabulary``, by the mean of the neuron over the word's occurrences.
      word_means: ``[2, d_model, top]`` float32: that mean.
      word_peaks: ``[2, d_model, top]`` float32: the largest value of any occurrence; at the lowest end, the smallest.
      contexts: ``[2, d_model, top, 3]`` position of the text, index of the word in it, and the word's number in ``vocabulary``.
      context_values: ``[2, d_model, top]`` float32: the value there.
      means: ``[d_model]`` the neuron's mean over all occurrences of words.
      stds: ``[d_model]`` and its standard deviation.
      facts: the counts of the words that were read.
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
    facts: WordCounts

    def of_unit(self, unit: int) -> UnitWords:
        """The lists of one neuron.

        Raises:
          LitProbeError: the layer has no such neuron.
        """
        if not 0 <= unit < len(self.means):
            raise LitProbeError(f"Unknown neuron {unit}. Layer {self.layer} has neurons 0 to {len(self.means) - 1}.")
        highest, lowest = (self._end(end, unit) for end in range(len(ENDS)))
        mean, std = float(self.means[unit]), float(self.stds[unit])
        return UnitWords(self.layer, unit, f"{self.layer}:{unit}", mean, std, self.facts, highest, lowest)

    def _end(self, end: int, unit: int) -> ExtremeWords:
        words = zip(self.words[end, unit], self.word_means[end, unit], self.word_peaks[end, unit], strict=True)
        contexts = zip(self.contexts[end, unit], self.context_values[end, unit], strict=True)
        return ExtremeWords(
            tuple(
                TopWord(self.vocabulary[word], int(self.counts[word]), float(mean), float(peak))
                for word, mean, peak in words
                if word >= 0
            ),
            tuple(
                TopContext(int(text), int(index), self.vocabulary[word], float(value))
                for (text, index, word), value in contexts
                if word >= 0
            ),
        )


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
      progress: called with the number of texts done and of all; an error that it raises ends the computation.

    Raises:
      UnknownNameError: there is no such layer.
      LitProbeError: there is no text with a word, a number is below 1, or an activation is NaN or infinite.
    """
    check_units(encoder, layer)
    _check_counts(top, min_count, max_words)
    if not texts:
        raise LitProbeError("There is no text whose words could be compared.")

    def make() -> TopWords:
        return _made(encoder, Reading(encoder, texts, min_count, max_words), layer, top, progress)

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


def top_words_of_rows(
    rows: LabelledTexts,
    activations: Activations,
    layer: int,
    top: int = 20,
    *,
    tag: int | None = None,
    min_count: int = 1,
    max_words: int = MAX_WORDS,
    progress: Progress = no_progress,
) -> TopWords:
    """`top_words` where the rows of a study are words: what a neuron does on a word is its value in the word's vector.

    That is the vector after the tokens of the word were joined, which the probes read too. No text is read for it.

    Args:
      rows: words and their tags, such as ``study.splits.dev``.
      activations: ``[n_rows]`` their vectors, such as ``study.activations["dev"]``.
      layer: 0 (embeddings) to n_layers-1.
      top: length of each list, 1 or more.
      tag: index of a tag, for the words with this one alone; None for all words.
      min_count: as of `top_words`.
      max_words: as of `top_words`.
      progress: called with the number of blocks done and of all; an error that it raises ends the computation.

    Returns:
      Lists whose contexts count sentences and the words in them as the rows do; see `with_tags`.

    Raises:
      UnservedError: rows are whole texts.
      LitProbeError: no word has the tag, there is no such layer, a number is below 1, or an activation is NaN or infinite.
    """
    check_served("A list of words with tags", TEXT if rows.spans is None else WORD, CLASSES, (WORD,), (CLASSES,))
    _check_counts(top, min_count, max_words)
    if not 0 <= layer < activations.n_layers:
        raise LitProbeError(f"Unknown layer {layer}. These activations have layers 0 to {activations.n_layers - 1}.")
    chosen = np.ones(len(rows), dtype=bool) if tag is None else rows.labels == tag
    if not chosen.any():
        raise LitProbeError("None of these words has this tag." if len(rows) else "There is no word to be compared.")
    words, sentences = rows.words, in_sentences(rows.texts)
    cut = activations.truncated
    occurrences = Occurrences(
        ([words[row] for row in range(*ends) if chosen[row]] for ends in sentences),
        min_count,
        max_words,
        sum(bool(cut[start]) for start, _ in sentences),
    )
    number = np.where(chosen, np.cumsum(chosen) - 1, -1)
    kept, done = Gathering(occurrences, activations.widths[layer], top), 0
    for place, block in enumerate(activations.blocks):
        progress(place, len(activations.blocks))
        values = widened(block.values[layer])
        if not np.isfinite(values).all():
            unit = int(np.argmin(np.isfinite(values).all(axis=0)))
            raise LitProbeError(f"The activations of layer {layer} hold NaN or infinity (first in neuron {unit}).")
        kept.add(values, number[done : done + len(values)])
        done += len(values)
    progress(len(activations.blocks), len(activations.blocks))
    found = _result(kept, occurrences, layer, top)
    contexts = found.contexts.copy()
    there = contexts[..., 2] >= 0
    texts, indices = contexts[there, 0], contexts[there, 1]
    starts = np.array([start for start, _ in sentences])
    # Which of a sentence's words it is, those without the tag counted too.
    contexts[there, 1] = np.flatnonzero(chosen)[occurrences.first_occurrence[texts] + indices] - starts[texts]
    return replace(found, contexts=contexts)


def with_surroundings(answer: UnitWords, encoder: Encoder, texts: Sequence[str], n_characters: int = 40) -> UnitWords:
    """The same with the text around each context.

    Args:
      answer: the answer of `TopWords.of_unit`.
      encoder: the encoder that it came from.
      texts: the texts that it came from.
      n_characters: at most so many before and after.
    """
    positions = sorted({context.text for end in (answer.highest, answer.lowest) for context in end.contexts})
    encoded = encoder.encode([texts[position] for position in positions], with_tokens=True)
    spans = {position: _word_spans(texts[position], one) for position, one in zip(positions, encoded, strict=True)}

    def shown(context: TopContext) -> TopContext:
        start, end = spans[context.text][context.word_index]
        return _in_text(context, clean_text(texts[context.text]), start, end, n_characters)

    def shown_all(end: ExtremeWords) -> ExtremeWords:
        return replace(end, contexts=tuple(map(shown, end.contexts)))

    return replace(answer, highest=shown_all(answer.highest), lowest=shown_all(answer.lowest))


def with_tags(answer: UnitWords, rows: LabelledTexts, n_characters: int = 40) -> UnitWords:
    """The same with the tags of words, and with the text around each context.

    Args:
      answer: a neuron's lists from `top_words_of_rows`.
      rows: the rows that they came from.
      n_characters: at most so many before and after.
    """
    starts = [start for start, _ in in_sentences(rows.texts)]
    tags: dict[str, Counter[int]] = {}
    for word, label in zip(rows.words, rows.labels.tolist(), strict=True):
        tags.setdefault(word.lower(), Counter())[label] += 1

    def shown(context: TopContext) -> TopContext:
        row = starts[context.text] + context.word_index
        assert rows.spans is not None
        start, end = rows.spans[row].tolist()
        found = _in_text(context, rows.texts[row], start, end, n_characters)
        return replace(found, tag=rows.label_names[rows.labels[row]])

    def shown_all(end: ExtremeWords) -> ExtremeWords:
        words = [replace(one, tag=rows.label_names[tags[one.word].most_common(1)[0][0]]) for one in end.words]
        return ExtremeWords(tuple(words), tuple(map(shown, end.contexts)))

    return replace(answer, highest=shown_all(answer.highest), lowest=shown_all(answer.lowest))


def _in_text(context: TopContext, text: str, start: int, end: int, n_characters: int) -> TopContext:
    """The context with what stands around its place in the text."""
    before, after = text[max(0, start - n_characters) : start], text[end : end + n_characters]
    return replace(context, before=text_pairs.shown(before), after=text_pairs.shown(after), shown=text[start:end])


def _check_counts(top: int, min_count: int, max_words: int) -> None:
    if min(top, min_count, max_words) < 1:
        raise LitProbeError(f"top, min_count and max_words must be 1 or more; got {top}, {min_count} and {max_words}.")


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


def _made(encoder: Encoder, reading: Reading, layer: int, top: int, progress: Progress) -> TopWords:
    n_texts, done = len(reading.encoded), 0
    progress(0, n_texts)
    kept = Gathering(reading, encoder.widths[layer], top)
    for indices, rows in token_states(encoder, reading.encoded, layer):
        kept.add(rows, np.concatenate([reading.occurrence_of_token[i] for i in indices]))
        done += len(indices)
        progress(done, n_texts)
    if done < n_texts:
        progress(n_texts, n_texts)  # texts without any token are in no batch
    return _result(kept, reading, layer, top)


def _result(kept: Gathering, reading: Occurrences, layer: int, top: int) -> TopWords:
    table, d_model = kept.table, len(kept.sum)
    best = [Best(d_model, top) for _ in ENDS]
    for start in range(0, reading.n_compared, _CHUNK):
        numbers = np.arange(start, min(start + _CHUNK, reading.n_compared))
        means = (table.sums[numbers] / reading.counts[numbers, None]).astype(np.float32)
        for end, signed in zip(best, (means, -means), strict=True):
            end.offer(signed, numbers)
    units = np.arange(d_model)[:, None]
    words = np.stack([_known(end.numbers) for end in best])
    peaks = np.stack([table.largest[words[0], units], table.smallest[words[1], units]]) if reading.n_compared else None
    ends = (kept.highest, kept.lowest)
    places = np.stack([_known(end.numbers) for end in ends])
    texts = np.searchsorted(reading.first_occurrence, places, side="right") - 1
    of_place = np.where(places >= 0, reading.word_of_occurrence[places], -1)
    listed = np.unique(np.concatenate([words.ravel(), of_place.ravel()]))
    listed = listed[listed >= 0]

    def renumbered(numbers: NDArray[np.int64]) -> NDArray[np.int64]:
        return np.where(numbers >= 0, np.searchsorted(listed, numbers), -1)

    def readable(ends: Sequence[Best]) -> NDArray[np.float32]:
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
        readable(ends),
        means,
        np.sqrt(np.maximum(kept.squares / n - np.square(means), 0.0)),
        reading.facts,
    )


def _known(numbers: NDArray[np.int64]) -> NDArray[np.int64]:
    """The numbers, -1 where a list has come to its end."""
    return np.where(numbers == NOBODY, -1, numbers)


def _save(found: TopWords, folder: Path) -> None:
    header = {"format": _FORMAT, "layer": found.layer, "vocabulary": list(found.vocabulary), "facts": found.facts.to_json()}
    write_arrays(folder / "top_words", {name: getattr(found, name) for name in _ARRAYS}, header)


_ARRAYS = ("counts", "words", "word_means", "word_peaks", "contexts", "context_values", "means", "stds")


def _load(folder: Path) -> TopWords:
    arrays, header = read_arrays(folder / "top_words", _FORMAT)
    try:
        return TopWords(
            layer=header["layer"],
            vocabulary=tuple(header["vocabulary"]),
            facts=WordCounts.from_json(header["facts"]),
            **{name: arrays[name] for name in _ARRAYS},
        )
    except (KeyError, TypeError) as error:
        raise CacheError(f"it holds no top words: {error}") from error
