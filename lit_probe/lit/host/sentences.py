"""Sentences whose words are rows: which words a text has, those of an edited text too, and which of them have a tag."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import cached_property

from lit_probe.data.labelled_texts import LabelledTexts, SplitName, Splits, clean_text
from lit_probe.data.rows import WORD_COLUMN
from lit_probe.encoder.joining import in_sentences
from lit_probe.encoder.words import word_spans

Span = tuple[int, int]


@dataclass(frozen=True)
class Sentence:
    """A text and its words, in their order.

    Attributes:
      text: the cleaned text.
      spans: ``[n_words]`` where each word begins and ends in it, in characters; words of one written form (``du``) share them.
      forms: ``[n_words]`` the words as the data set gives them; mostly what is written.
      tags: ``[n_words]`` index of the tag; None for a word that has none.
      split: the split of the data set that it stands in; None for an edited text.
    """

    text: str
    spans: tuple[Span, ...]
    forms: tuple[str, ...]
    tags: tuple[int | None, ...]
    split: SplitName | None

    def __len__(self) -> int:
        return len(self.spans)


@dataclass(frozen=True)
class _Word:
    span: Span
    form: str
    tag: int | None


class Sentences:
    """The sentences of a data set of words, and how other texts are read like them.

    Args:
      splits: the words of which the data set's sentences are made.
    """

    def __init__(self, splits: Splits):
        self._places: dict[str, tuple[SplitName, int, int]] = {}
        self._parts: Mapping[SplitName, LabelledTexts] = dict(splits.items())
        for split, rows in self._parts.items():
            for start, end in in_sentences(rows.texts):
                self._places.setdefault(clean_text(rows.texts[start]), (split, start, end))

    def known(self, text: str) -> Sentence | None:
        """The sentence of the data set that says this; None where there is none.

        Between its words with a tag stand those without one; see `read`.
        """
        if text not in self._places:
            return None
        split, start, end = self._places[text]
        rows = self._parts[split]
        assert rows.spans is not None
        words = zip(
            rows.spans[start:end].tolist(), rows.columns[WORD_COLUMN][start:end], rows.labels[start:end].tolist(), strict=True
        )
        return _sentence(text, [_Word((first, last), str(form), tag) for (first, last), form, tag in words], split, {})

    def read(self, text: str, forms: Sequence[str] = ()) -> Sentence:
        """The words of any text.

        Those of a data set's text are its own. An edited one keeps the words that stand in its original too, with their tags: by
        the longest common runs, as `alignment.align`. Other words are divided as the data set divides what is written alike
        (``don't`` in two), else at spaces and marks, and have no tag.

        Args:
          text: the cleaned text.
          forms: the words of the sentence that it was edited from: LIT's editor leaves them beside the text.
        """
        known = self.known(text)
        if known is not None:
            return known
        origin = self.known(self._by_forms.get(tuple(forms), ""))
        return _sentence(text, [] if origin is None else _kept(origin, text), None, self._divisions)

    @property
    def texts(self) -> tuple[str, ...]:
        """The cleaned texts of all sentences."""
        return tuple(self._places)

    @cached_property
    def _by_forms(self) -> dict[tuple[str, ...], str]:
        """The text of each sentence by its words."""
        found: dict[tuple[str, ...], str] = {}
        for text in self._places:
            known = self.known(text)
            assert known is not None
            found.setdefault(known.forms, text)
        return found

    @cached_property
    def _divisions(self) -> dict[str, tuple[tuple[Span, str], ...]]:
        """Into which words what is written together is mostly divided, in lower case, where it is not one word."""
        seen: dict[str, Counter[tuple[tuple[Span, str], ...]]] = {}
        for text in self._places:
            known = self.known(text)
            assert known is not None
            pieces = {span: list[tuple[Span, str]]() for span in word_spans(text)}
            starts = {start: (start, end) for start, end in pieces}
            piece = None
            for (start, end), form in zip(known.spans, known.forms, strict=True):
                piece = starts.get(start, piece)
                if piece is not None and piece[0] <= start and end <= piece[1]:
                    pieces[piece].append(((start - piece[0], end - piece[0]), form))
            for (start, end), words in pieces.items():
                seen.setdefault(text[start:end].lower(), Counter())[tuple(words)] += 1
        most = {written: counted.most_common(1)[0][0] for written, counted in seen.items()}
        return {written: words for written, words in most.items() if len(words) > 1}


def _sentence(
    text: str,
    tagged: Sequence[_Word],
    split: SplitName | None,
    divisions: Mapping[str, Sequence[tuple[Span, str]]],
) -> Sentence:
    """The words that are known, and between them those that are not."""
    words, at = list[_Word](), 0
    for word in [*sorted(tagged, key=lambda one: one.span), _Word((len(text), len(text)), "", None)]:
        start, end = word.span
        for first, last in word_spans(text[at:start]) if start > at else ():
            written = text[at + first : at + last]
            divided = divisions.get(written.lower(), [((0, last - first), written)])
            words += [
                _Word((at + first + a, at + first + b), form if b - a == len(written) else written[a:b], None)
                for (a, b), form in divided
            ]
        words += [word] if end > start else []
        at = max(at, end)
    spans, forms, tags = ([one.span for one in words], [one.form for one in words], [one.tag for one in words])
    return Sentence(text, tuple(spans), tuple(forms), tuple(tags), split)


def _kept(origin: Sentence, text: str) -> list[_Word]:
    """The words with a tag of the original that stand in the edited text as well, at their places there."""
    before, after = word_spans(origin.text), word_spans(text)
    runs = SequenceMatcher(
        None, [origin.text[a:b] for a, b in before], [text[a:b] for a, b in after], autojunk=False
    ).get_matching_blocks()
    kept = []
    for word, form, tag in zip(origin.spans, origin.forms, origin.tags, strict=True):
        pieces = [place for place, (start, end) in enumerate(before) if start < word[1] and word[0] < end]
        if tag is None or not pieces:
            continue
        run = next((one for one in runs if one.a <= pieces[0] and pieces[-1] < one.a + one.size), None)
        if run is None:
            continue
        moved = after[pieces[0] - run.a + run.b][0] - before[pieces[0]][0]
        span = word[0] + moved, word[1] + moved
        if text[slice(*span)] == origin.text[slice(*word)]:
            kept.append(_Word(span, form, tag))
    return kept
