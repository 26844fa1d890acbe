"""Labelled texts and their division into train, dev and test."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from lit_probe.data import text_pairs
from lit_probe.data.asked import CLASSES, NUMBER, TEXT, WORD, TargetKind, UnitKind
from lit_probe.errors import DatasetError

SplitName = Literal["train", "dev", "test"]
SPLIT_NAMES: tuple[SplitName, ...] = ("train", "dev", "test")

_WHITE_SPACE = re.compile(r"(?:<br\s*/?>|\s)+", re.IGNORECASE)
# Signs that nobody sees, though Unicode counts them among letters and accents (its default ignorable code points).
_IGNORABLE = re.compile("[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]")


def clean_text(text: str) -> str:
    """Joins surrogate pairs and replaces lone surrogates by U+FFFD, so that every tokenizer accepts the text.

    >>> clean_text("caf\\u00e9 \\ud800!")
    'café \\ufffd!'
    """
    if text.isascii():
        return text
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def normalise_text(text: str) -> str:
    """The form in which two texts count as the same text.

    That is NFKC, case-folded, without invisible characters (soft hyphens, zero-width and control characters, variation
    selectors), runs of white space and ``<br />`` as one space. Of a pair it is that of each text, so that a word which changes
    over from one text to the other makes another pair.

    >>> normalise_text("A  Fine<br />Film. ") == normalise_text("a fi\\u00adne film.\\ufeff")
    True
    """
    parts = [_normalised(part) for part in text_pairs.segments(text)]
    return text_pairs.SEPARATOR.join(parts) if any(parts) else ""


def _normalised(text: str) -> str:
    folded = unicodedata.normalize("NFKC", clean_text(text)).casefold()
    if not folded.isascii():
        folded = _IGNORABLE.sub("", folded)
    if not folded.isprintable():  # only then there is something to take out
        folded = "".join(sign for sign in folded if sign.isspace() or not _is_invisible(sign))
    # Again: folding takes accents apart, and an invisible sign may have stood before one.
    return _WHITE_SPACE.sub(" ", unicodedata.normalize("NFKC", folded)).strip()


def stripped(text: str) -> str:
    """Without white space and invisible characters (byte order marks, zero-width and control characters) at its ends.

    >>> stripped("\\ufeff text\\u00a0\\u200b")
    'text'
    """
    start, end = 0, len(text)
    while start < end and _is_invisible(text[start]):
        start += 1
    while end > start and _is_invisible(text[end - 1]):
        end -= 1
    return text[start:end]


def _is_invisible(character: str) -> bool:
    return character.isspace() or unicodedata.category(character) in ("Cf", "Cc")


@dataclass(frozen=True)
class LabelledTexts:
    """Texts with one label each, a class or a number; or words of texts.

    Attributes:
      texts: ``[n_examples]`` strings; of words the whole text that each stands in.
      labels: ``[n_examples]`` int64, indices into ``label_names``; float64 where a number is asked for.
      label_names: the classes, two or more; empty where a number is asked for.
      groups: ``[n_examples]`` strings naming what must not be split across train and test (a film, a pair), or None.
      columns: further columns by name, each ``[n_examples]``, shown in LIT and used for slices and facets.
      own_groups: ``[n_examples]`` strings, what each row belongs to by itself, empty where to nothing; None where ``groups`` says
        so. The rows of authors with a text in common are one of ``groups``, and still each author's own.
      spans: ``[n_examples, 2]`` int64, where in its text the word of each row begins and ends, in characters; None where a row is
        a whole text. The words of a text stand side by side.

    Raises:
      DatasetError: the lengths disagree, a label is out of range, no finite number or there is one class only.
    """

    texts: tuple[str, ...]
    labels: NDArray[Any]
    label_names: tuple[str, ...]
    groups: NDArray[np.str_] | None = None
    columns: Mapping[str, NDArray[Any]] = field(default_factory=dict)
    own_groups: NDArray[np.str_] | None = None
    spans: NDArray[np.int64] | None = None

    def __post_init__(self) -> None:
        n_examples = len(self.texts)
        lengths = {"labels": len(self.labels)}
        if self.groups is not None:
            lengths["groups"] = len(self.groups)
        if self.own_groups is not None:
            lengths["own_groups"] = len(self.own_groups)
        if self.spans is not None:
            lengths["spans"] = len(self.spans)
        lengths |= {f"column {name!r}": len(values) for name, values in self.columns.items()}
        for name, length in lengths.items():
            if length != n_examples:
                raise DatasetError(f"There are {n_examples} texts, but {name} has {length} values.")
        if self.target == NUMBER:
            if not np.isfinite(np.asarray(self.labels, dtype=np.float64)).all():
                raise DatasetError("A label that is asked for as a number is NaN or infinite. Leave that row out.")
            return
        if len(self.label_names) < 2:
            raise DatasetError(
                f"A probe needs two or more classes; this data set has {len(self.label_names)}: "
                f"{', '.join(self.label_names) or 'none'}."
            )
        if n_examples and (self.labels.min() < 0 or self.labels.max() >= len(self.label_names)):
            raise DatasetError(
                f"Labels must lie in 0..{len(self.label_names) - 1}; found {self.labels.min()}..{self.labels.max()}."
            )

    def __len__(self) -> int:
        return len(self.texts)

    @property
    def target(self) -> TargetKind:
        """What is asked of a row: one of the classes, or a number, whose labels are floats without names."""
        return NUMBER if not self.label_names and np.asarray(self.labels).dtype.kind == "f" else CLASSES

    def select(self, indices: Sequence[int] | NDArray[np.int64]) -> LabelledTexts:
        """The rows at ``indices``, in that order."""
        index = np.asarray(indices, dtype=np.int64)
        return LabelledTexts(
            texts=tuple(self.texts[i] for i in index),
            labels=self.labels[index],
            label_names=self.label_names,
            groups=None if self.groups is None else self.groups[index],
            columns={name: np.asarray(values)[index] for name, values in self.columns.items()},
            own_groups=None if self.own_groups is None else self.own_groups[index],
            spans=None if self.spans is None else self.spans[index],
        )

    @property
    def whole_texts(self) -> tuple[str, ...]:
        """The texts; of words each text once, in the order of their first words."""
        return self.texts if self.spans is None else tuple(dict.fromkeys(self.texts))

    @property
    def words(self) -> tuple[str, ...]:
        """``[n_examples]`` the words as they stand in their texts; whole texts where rows are texts."""
        if self.spans is None:
            return self.texts
        return tuple(text[start:end] for text, (start, end) in zip(self.texts, self.spans.tolist(), strict=True))


@dataclass(frozen=True)
class AskedOf:
    """Of what data set a target was asked.

    Attributes:
      splits: the data set.
      target: the name of the target.
      rows: by split, the indices of its rows that have a label.
    """

    splits: Splits
    target: str
    rows: Mapping[SplitName, NDArray[np.int64]]


@dataclass(frozen=True)
class Splits:
    """Train, dev and test rows of one data set. No text and no group stands in two of them.

    Each split is in canonical order (by a hash of its content), so that a data set whose rows come in another order
    gives the same numbers to the last digit.

    Attributes:
      name: the name under which it is shown, such as ``"sst2"``.
      train: rows the probes are fitted on.
      dev: rows on which layers are compared and one is chosen.
      test: rows scored once, at the chosen layer.
      provenance: where the rows come from and what was left out, JSON-ready: ``source``, ``division`` (how the splits were
        made), ``dropped`` (reason -> count), ``seed``, ``max_examples``; of pairs also ``pair``, as below.
      pair: what the two texts of each row are called, as their columns; None where a row has one text. See `text_pairs`.
      asked_of: the data set of which these are the rows with other labels (`asking.ask`); None where they are a data set's own.
      several: the columns of yes and no that stand for the values of a label, where it has several; its own label is then no more
        than what the division went by, and each of these is asked for in its place.
    """

    name: str
    train: LabelledTexts
    dev: LabelledTexts
    test: LabelledTexts
    provenance: Mapping[str, Any] = field(default_factory=dict)
    pair: tuple[str, str] | None = None
    asked_of: AskedOf | None = None
    several: tuple[str, ...] = ()

    @property
    def unit(self) -> UnitKind:
        """What one row stands for."""
        return TEXT if self.train.spans is None else WORD

    @property
    def target(self) -> TargetKind:
        """What is asked of a row."""
        return self.train.target

    @property
    def label_names(self) -> tuple[str, ...]:
        """The classes, the same in all three splits; none where a number is asked for."""
        return self.train.label_names

    def of_pairs(self, pair: tuple[str, str]) -> Splits:
        """The same rows, whose two texts are called so."""
        return replace(self, pair=pair, provenance={**self.provenance, "pair": list(pair)})

    def items(self) -> Iterable[tuple[SplitName, LabelledTexts]]:
        """The three splits by name: train, dev, test."""
        return (("train", self.train), ("dev", self.dev), ("test", self.test))
