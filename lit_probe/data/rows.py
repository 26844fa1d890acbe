"""Rows as they come from a source, before they are divided, and how table columns become rows."""

from __future__ import annotations

import ast
import json
import math
import re
import reprlib
import unicodedata
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from lit_probe.data import text_pairs
from lit_probe.data.labelled_texts import clean_text, normalise_text, stripped
from lit_probe.data.tables import Table, separator_hint
from lit_probe.errors import DatasetError

T = TypeVar("T")

UNLABELLED = -1
"""The label of a row whose label is hidden or missing (the Hugging Face hub's convention)."""

WORD_COLUMN = "word"
"""The column of words that rows of words have."""

SENTIMENT_NAMES = ("negative", "positive")
"""Label names of SST-2 and IMDB, in the order of their numbers 0 and 1."""

_SENTIMENT_WORDS = {"0": 0, "1": 1, "neg": 0, "pos": 1, "negative": 0, "positive": 1}
_NUMBER = re.compile(r"-?(?:0|[1-9]\d{0,14})(\.\d+)?([eE][+-]?\d{1,3})?")
_INTEGER = re.compile(r"-?\d{1,1000}")
_UNLABELLED_WORD = re.compile(rf"({UNLABELLED}\.?)?")
_WHOLE_FLOAT = re.compile(r"(-?(?:0|[1-9]\d*))\.0+")
_IN_A_PAIR = re.compile(r"\[.*\]|\(.*\)|\{.*\}", re.DOTALL)
_NUMPY_LIST = re.compile(r"""\[\s*(?:-?[\d.]+(?:e[+-]?\d+)?(?:\s+|(?=\])))*\]|\[\s*(?:'[^']*'\s*|"[^"]*"\s*)*\]""")
_MOST_DIGITS = 1_000
_PAIR = 2
_TRUTH = {"true": "1", "false": "0"}
_LOOKS_MISSING = frozenset(
    """? - -- — . * #n/a #na #null! #value! #ref! <na> n/a n.a. na nan nil none null missing unknown undefined unlabeled
    unlabelled tbd""".split()
)
"""Words, case-folded, by which people and programs say that there is no value. Some are classes all the same."""


@dataclass(frozen=True)
class Rows:
    """Rows of one part of a source, texts stripped at the ends.

    Attributes:
      texts: ``[n_rows]`` strings; empty where the source has none.
      labels: ``[n_rows]`` class indices, ``UNLABELLED`` where the source has none; numbers, NaN where it has none.
      groups: ``[n_rows]`` what must stay on one side of a split; None for a row that belongs to no group.
      columns: the source's own further columns, each ``[n_rows]`` strings.
      spans: ``[n_rows]`` (start, end) of the word of each row in its text; None where rows are whole texts.
    """

    texts: Sequence[str]
    labels: Sequence[int] | Sequence[float]
    groups: Sequence[str | None]
    columns: Mapping[str, Sequence[str]] = field(default_factory=dict)
    spans: Sequence[tuple[int, int]] | None = None

    def take(self, index: Iterable[int]) -> Rows:
        """The rows at ``index``, in that order."""
        picked = list(index)
        return Rows(
            texts=[self.texts[row] for row in picked],
            labels=[self.labels[row] for row in picked],
            groups=[self.groups[row] for row in picked],
            columns={name: [values[row] for row in picked] for name, values in self.columns.items()},
            spans=None if self.spans is None else [self.spans[row] for row in picked],
        )


def rows_of(
    texts: Iterable[str | tuple[str, str]],
    labels: Sequence[int] | Sequence[float],
    groups: Sequence[str | None] | None = None,
    columns: Mapping[str, Sequence[str]] | None = None,
) -> Rows:
    """Rows with texts made safe for every tokenizer (no lone surrogates) and stripped at the ends.

    Two strings are a pair, which `text_pairs` joins. A text of invisible characters only is no text, and a pair with one of them
    is none. The sign that joins pairs is a space where it stands in a text.

    Raises:
      DatasetError: a text is neither a string nor two, or some are one and some the other.
    """
    values: list[Any] = list(texts)
    for row, text in enumerate(values):
        parts = text if isinstance(text, tuple) and len(text) == _PAIR else (text,)
        if not all(isinstance(part, str) for part in parts):
            raise DatasetError(f"Text {row + 1} is {reprlib.repr(text)}, not a string. Make it one, or leave that example out.")
    odd = next((row for row, text in enumerate(values) if isinstance(text, str) != isinstance(values[0], str)), None)
    if odd is not None:
        one, other = ("one text", "two") if isinstance(values[odd], str) else ("two texts", "one")
        raise DatasetError(f"Text {odd + 1} is {one} where text 1 is {other}. Give pairs in all rows, or in none.")
    clean = [_clean(text) if isinstance(text, str) else _clean_pair(*text) for text in values]
    return Rows(clean, labels, groups or [None] * len(clean), columns or {})


def _clean(text: str) -> str:
    plain = text_pairs.without_seam(clean_text(text))
    return plain.strip() if stripped(plain) else ""


def _clean_pair(first: str, second: str) -> str:
    parts = _clean(first), _clean(second)
    return text_pairs.joined(*parts) if all(parts) else ""


def find_column(table: Table, names: Sequence[str], origin: str, flag: str | None = None) -> str:
    """The first of ``names`` that is a column of the table.

    Args:
      table: the columns there are.
      names: what the column may be called, best first.
      origin: where the table comes from, for the message.
      flag: the option that names this column, for the message.

    Raises:
      DatasetError: names the columns that there are.
    """
    for name in names:
        if name in table:
            return name
    wanted = " or ".join(repr(name) for name in names)
    advice = f"Say which one with the option {flag}." if flag else "Rename one of them."
    raise DatasetError(f"{origin} has no column {wanted}. Its columns are: {', '.join(table)}. {advice}{separator_hint(table)}")


def text_values(table: Table, column: str, origin: str) -> list[str]:
    """The column's texts; a missing one is an empty string.

    Raises:
      DatasetError: a value is no text.
    """
    texts = ["" if (text := _plain(value)) is None else text for value in table[column]]
    for row, text in enumerate(texts):
        if not isinstance(text, str):
            advice = "Choose another column, or make one text of it" if _kind_of(text) else "Choose another column"
            raise DatasetError(f"{origin}: column {column!r} should hold texts, but row {row + 1} has {_shown(text)}. {advice}.")
    return texts


def label_words(table: Table, column: str) -> list[str | None]:
    """The column's labels as words; None where a row is unlabelled (nothing, or -1 in any writing).

    Raises:
      DatasetError: a label is a list, an object or bytes, or the writing of a list or an object.

    >>> label_words({"label": [1, 0.0, "-1", "-1.0", " good ", None, True]}, "label")
    ['1', '0', None, None, 'good', None, 'true']
    """
    words = _words(table[column], column, "label")
    return [None if _UNLABELLED_WORD.fullmatch(word) else word for word in words]


def group_words(values: Iterable[Any], column: str, nothing: Sequence[str] = ()) -> list[str | None]:
    """The groups of a column as words; None where a row belongs to none.

    Args:
      values: ``[n_rows]`` what the column holds.
      column: its name, for the message.
      nothing: words by which the source says that there is no value.

    Raises:
      DatasetError: a group is a list, an object or bytes, or the writing of a list or an object.

    >>> group_words([3, 3.0, " anna ", None, "NaN"], "author", nothing=["NaN"])
    ['3', '3', 'anna', None, None]
    """
    return [None if not word or word in nothing else word for word in _words(values, column, "group")]


def plain_words(values: Iterable[Any], column: str) -> list[str]:
    """The labels of a column as words; an empty one where a row says nothing. -1 is a word as any.

    Raises:
      DatasetError: as `label_words`.
    """
    return _words(values, column, "label")


def _words(values: Iterable[Any], column: str, what: str) -> list[str]:
    words = []
    for row, value in enumerate(map(_plain, values)):
        if _kind_of(value) or (isinstance(value, str) and _is_written_list(value.strip())):
            raise DatasetError(
                f"Column {column!r} should hold one {what} per row, but row {row + 1} has {_shown(value)}. "
                f"Choose another column, or make one {what} of it."
            )
        words.append(word_of(value))
    return words


def _kind_of(value: Any) -> str:
    """What a value is that is not one value: "a list", "bytes", …; an empty string for one value."""
    if value is None or isinstance(value, str | int | float):
        return ""
    if isinstance(value, bytes | bytearray | memoryview):
        return "bytes"
    if isinstance(value, Mapping):
        return "an object"
    if isinstance(value, Iterable):
        return "a list"
    # Of a class that does not say its values: each object would be a class of its own, by its place in memory.
    return "an object" if " object at 0x" in str(value) else ""


def _shown(value: Any) -> str:
    kind = _kind_of(value) or ("a list or an object, in writing" if isinstance(value, str) else "")
    return f"{reprlib.repr(value)} ({kind})" if kind else reprlib.repr(value)


def _is_written_list(word: str) -> bool:
    """Whether a word is a list or an object as JSON, Python or NumPy writes it, which is how a CSV file holds one.

    >>> [word for word in ('["a"]', "['a', 'b']", "[0 1]", "{'a': 1}", "()", "[CLS]", "(mild)", "[sic") if _is_written_list(word)]
    ['["a"]', "['a', 'b']", '[0 1]', "{'a': 1}", '()']
    """
    if not _IN_A_PAIR.fullmatch(word):
        return False
    if _NUMPY_LIST.fullmatch(word):
        return True
    for read in (json.loads, ast.literal_eval):
        try:
            return isinstance(read(word), list | tuple | dict | set)
        except (ValueError, SyntaxError, MemoryError, RecursionError, TypeError):
            pass  # it is not written so
    return False


def word_of(value: Any) -> str:
    """A label or a group as a word, in one writing for one value; nothing gives an empty string.

    pandas writes whole numbers as 3.0 where a column has a gap, spreadsheets write TRUE for True, and some systems compose
    accents that others do not: none of that makes another class or another author.

    >>> [word_of(value) for value in (3, 3.0, "3.0", "TRUE", True, "caf\\u00e9" == "cafe\\u0301", None, "\\ufeffgood\\u200b")]
    ['3', '3', '3', 'true', 'true', 'false', '', 'good']
    >>> word_of("cafe\\u0301") == word_of("caf\\u00e9")
    True
    """
    value = _plain(value)
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    word = stripped(unicodedata.normalize("NFC", cell(value)))
    if whole := _WHOLE_FLOAT.fullmatch(word):
        return str(int(whole[1])) if len(whole[1]) < _MOST_DIGITS else whole[1]
    return word.lower() if word.lower() in _TRUTH else word


def one_writing(parts: Mapping[T, Sequence[str | None]]) -> dict[T, list[str | None]]:
    """Labels of all splits, where true and 1 (or false and 0) stand for the same class in a column that has both writings.

    >>> one_writing({"train": ["1", "false"], "test": ["true", None]})
    {'train': ['1', '0'], 'test': ['1', None]}
    """
    found = {word for words in parts.values() for word in words if word is not None}
    both = found <= {*_TRUTH, *_TRUTH.values()} and found & set(_TRUTH) and found & set(_TRUTH.values())
    return {part: [_TRUTH.get(word, word) if both and word else word for word in words] for part, words in parts.items()}


def doubtful_names(names: Sequence[str]) -> list[str]:
    """Notes on classes that may be one class twice, or no class at all.

    >>> doubtful_names(["Good", "good", "?"])  # doctest: +NORMALIZE_WHITESPACE
    ["The labels 'Good' and 'good' differ in case or writing only. They count as two classes.",
     "The label '?' looks like a missing value, and counts as a class. If it is none, name it in the option missing."]
    """
    alike: dict[Hashable, list[str]] = {}
    for name in names:
        alike.setdefault(as_compared(name), []).append(name)
    notes = [
        f"The labels {' and '.join(map(repr, same))} differ in case or writing only. "
        f"They count as {'two' if len(same) == 2 else len(same)} classes."
        for same in alike.values()
        if len(same) > 1
    ]
    missing = [name for name in names if name.casefold() in _LOOKS_MISSING]
    if missing:
        one = len(missing) == 1
        notes.append(
            f"The label{'' if one else 's'} {', '.join(map(repr, missing))} look{'s' if one else ''} like a missing value, and "
            f"count{'s' if one else ''} as {'a class' if one else 'classes'}. If {'it is' if one else 'they are'} none, name "
            f"{'it' if one else 'them'} in the option missing."
        )
    return notes


def as_compared(name: str) -> Hashable:
    """What two writings of one name have in common: the number (exactly, however long), or the text as texts are compared.

    >>> as_compared("007") == as_compared("7.0"), as_compared("Anna") == as_compared("anna")
    (True, True)
    """
    plain = normalise_text(name)
    number = re.fullmatch(r"[+-]?\d{1,300}(\.\d{0,300})?(e[+-]?\d{1,3})?", plain, re.ASCII)
    return Decimal(plain) if number else plain


def sentiment_labels(words: Iterable[str | None], origin: str) -> list[int]:
    """Indices into `SENTIMENT_NAMES`.

    Raises:
      DatasetError: a word is none of 0, 1, neg, pos, negative, positive.

    >>> sentiment_labels(["0", "pos", None], "here")
    [0, 1, -1]
    """
    labels = []
    for word in words:
        label = UNLABELLED if word is None else _SENTIMENT_WORDS.get(word.lower())
        if label is None:
            raise DatasetError(
                f"{origin}: the label {word!r} is none of {', '.join(_SENTIMENT_WORDS)}. "
                "Load a table with other labels as csv=, tsv= or jsonl=."
            )
        labels.append(label)
    return labels


def label_names_of(words: Iterable[str | None]) -> tuple[str, ...]:
    """The distinct labels: in numeric order when all are numbers, otherwise alphabetically, with numbers inside a name by value.

    >>> label_names_of(["10", "9", None, "9"]), label_names_of(["good", "10", "bad"])
    (('9', '10'), ('10', 'bad', 'good'))
    >>> label_names_of(["topic 10", "topic 9"]), label_names_of(["0.5", "-1.5", "2"])
    (('topic 9', 'topic 10'), ('-1.5', '0.5', '2'))
    """
    names = {word for word in words if word is not None}
    if all(_INTEGER.fullmatch(name) for name in names):
        return tuple(sorted(names, key=lambda name: (int(name), name)))  # 1 and 01 are two names of one number
    if all(_NUMBER.fullmatch(name) for name in names):
        return tuple(sorted(names, key=lambda name: (float(name), name)))
    return tuple(sorted(names, key=_natural))


def _natural(name: str) -> list[tuple[int, int, str]]:
    """A key by which names sort as people sort them: "topic 9" before "topic 10"."""
    parts = re.split(r"(\d{1,1000})", name)
    return [*((0, int(part), "") if part.isdecimal() else (1, 0, part) for part in parts if part), (-1, 0, name)]


def cell(value: Any) -> str:
    """One value of a table as a string, in JSON's writing where it has one; nothing and NaN give an empty string.

    Raises:
      DatasetError: the value is nested too deeply, or within itself.

    >>> [cell(value) for value in (None, True, 3, np.int64(3), 0.5, "a", ["b"])]
    ['', 'true', '3', '3', '0.5', 'a', '["b"]']
    """
    value = _plain(value)
    if value is None:
        return ""
    if isinstance(value, bool | int | float | list | tuple | dict):
        try:
            value = json.dumps(value, ensure_ascii=False, default=_json_part)
        except (RecursionError, ValueError, TypeError) as error:
            raise DatasetError(f"{reprlib.repr(value)} cannot be written as text ({error}). Leave that column out.") from error
    return clean_text(str(value))


def column_array(values: Sequence[str]) -> NDArray[Any]:
    """``[n_rows]`` int64 or float64 when every value is a finite number in plain writing, otherwise strings (dtype object).

    Numbers with leading zeros stay strings: they are names. Strings are objects, because numpy's own would pad every value
    to the longest.

    >>> column_array(["7", "10"]), column_array(["0.5", "1"]), column_array(["007", "8"])
    (array([ 7, 10]), array([0.5, 1. ]), array(['007', '8'], dtype=object))
    """
    matches = [_NUMBER.fullmatch(value) for value in values]
    if values and all(matches):
        if not any(match and (match[1] or match[2]) for match in matches):
            return np.array([int(value) for value in values], dtype=np.int64)
        numbers = np.array([float(value) for value in values], dtype=np.float64)
        if np.isfinite(numbers).all():
            return numbers
    return np.array(values, dtype=object)


def _plain(value: Any) -> Any:
    """The value as Python's own (NumPy's and torch's scalars and arrays know how to become one); None for any kind of nothing."""
    if hasattr(value, "tolist"):
        value = value.tolist()
    # pandas' own two are told by name, because importing pandas takes a second.
    nothing = type(value).__name__ in ("NAType", "NaTType")
    nan = math.isnan(value) if isinstance(value, float) else isinstance(value, Decimal) and value.is_nan()
    return None if nothing or nan else value


def _json_part(value: Any) -> Any:
    """A part of a list or dict that JSON cannot write."""
    return value.tolist() if hasattr(value, "tolist") else str(value)


def together(texts: Sequence[str], groups: Sequence[Any] | None) -> list[str]:
    """``[n]`` names of groups such that equal texts, and equal groups, have one name.

    >>> together(["a", "b", "a", "c"], ["x", "x", "y", None])
    ['a', 'a', 'a', 'c']
    """
    first: dict[Any, str] = {}

    def root(name: str) -> str:
        while (above := first.get(("text", name), name)) != name:
            name = above
        return name

    for text, group in zip(texts, groups if groups is not None else [None] * len(texts), strict=True):
        if group is not None:
            known = root(first.setdefault(("group", str(group)), text))
            if (own := root(text)) != known:
                first["text", own] = known
    return [root(text) for text in texts]
