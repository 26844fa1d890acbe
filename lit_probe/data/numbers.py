"""Labels that are numbers: how they are read, when they are meant, and how rows are spread over splits by them."""

from __future__ import annotations

import math
import re
import reprlib
from collections.abc import Collection, Mapping, Sequence
from typing import Any, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lit_probe.data.asked import CLASSES, NUMBER, TargetKind
from lit_probe.data.options import AUTO
from lit_probe.data.rows import word_of
from lit_probe.errors import DatasetError

T = TypeVar("T")

MIN_TRAIN, MIN_HELD_OUT = 6, 2
"""Rows that train needs at the least (two for each of three folds), and dev, and a test that is cut."""

_MIN_ROWS = 20
# Of the labels of a column that is meant as numbers, so many may be something else.
_FEW = 0.05
_PER_CLASS = 3
_MOST_STRATA = 10
_PER_STRATUM = 20
_HIDDEN = -1.0
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)
_INFINITE = re.compile(r"[+-]?inf(inity)?", re.IGNORECASE)


def target_of(asked: str, words: Sequence[str | None]) -> TargetKind:
    """What labels are: classes, or a number.

    Args:
      asked: ``"classes"``, ``"number"``, or ``"auto"``: classes, unless there are fewer than three rows for each of them and
        all of them are plain finite numbers.
      words: ``[n_rows]`` the labels of the rows that can be used, in one writing for one value; None where a row has none.

    >>> target_of("auto", [str(row / 7) for row in range(30)]), target_of("auto", ["1", "2", "3"] * 10)
    ('number', 'classes')
    """
    if asked != AUTO:
        return NUMBER if asked == NUMBER else CLASSES
    labels = [word for word in words if word is not None]
    distinct = set(labels)
    rare = len(labels) >= _MIN_ROWS and len(labels) < _PER_CLASS * len(distinct)
    return NUMBER if rare and all(_is_plain(word) for word in distinct) else CLASSES


def are_meant_as_numbers(words: Sequence[str | None]) -> bool:
    """Whether a further column asks for a number: `target_of` takes it so, or would but for a few words, which are then told.

    Args:
      words: as of `target_of`.

    >>> are_meant_as_numbers([str(row / 7) for row in range(30)] + ["inf"]), are_meant_as_numbers(["1", "2", "3"] * 10)
    (True, False)
    """
    labels = [word for word in words if word is not None]
    plain = [word for word in labels if _is_plain(word)]
    few = _FEW * len(labels) >= len(labels) - len(plain)
    return few and target_of(AUTO, plain) == NUMBER


def _is_plain(word: str) -> bool:
    return _NUMBER.fullmatch(word) is not None and math.isfinite(float(word))


def told_as_number(words: Sequence[str | None]) -> str:
    """The note on labels that count as a number because there are too many of them for classes."""
    labels = [word for word in words if word is not None]
    return (
        f"The labels are {len(set(labels)):,} different numbers in {len(labels):,} rows, so a number is asked for, not classes. "
        "The option target says otherwise."
    )


def numbers_of(values: Mapping[T, Sequence[str]], nothing: Mapping[T, Collection[str]], column: str) -> dict[T, list[float]]:
    """The numbers of a column, NaN where a row has none.

    A part in which every number is -1 has hidden labels, as the test of several benchmarks; elsewhere -1 is a number as any.

    Args:
      values: by split, or whatever else a part is, the words of its rows; an empty one where a row says nothing.
      nothing: by the same, the words that stand for no label.
      column: its name, for the message.

    Raises:
      DatasetError: a word is no number, or an infinite one. It names the row and the word.

    >>> numbers_of({"train": ["0.5", "", "n/a", "-1"], "test": ["-1", "-1.0"]}, {"train": ["n/a"], "test": []}, "score")
    {'train': [0.5, nan, nan, -1.0], 'test': [nan, nan]}
    """
    found: dict[T, list[float]] = {}
    for part, words in values.items():
        missing = {word_of(word) for word in nothing[part]}
        where = f" of {part}" if len(values) > 1 else ""
        numbers = [
            math.nan if not word or word_of(word) in missing else _number(word, f"row {row}{where}", column)
            for row, word in enumerate(words, start=1)
        ]
        hidden = bool(numbers) and all(number == _HIDDEN for number in numbers if not math.isnan(number))
        found[part] = [math.nan] * len(numbers) if hidden else numbers
    return found


def _number(word: str, row: str, column: str) -> float:
    if _NUMBER.fullmatch(word) is None and _INFINITE.fullmatch(word) is None:
        raise DatasetError(
            f"Column {column!r} should hold a number in each row, but {row} has {reprlib.repr(word)}. Correct it, name the word "
            "in the option missing if it stands for no label, or set the option target to classes."
        )
    number = float(word)
    if math.isinf(number):
        raise DatasetError(
            f"Column {column!r} should hold finite numbers, but {row} has {reprlib.repr(word)}. Leave that row out."
        )
    return number


def check_numbers(name: str, numbers: NDArray[np.float64], left_out: str) -> None:
    """Refuses a source with too few numbers, or with one only, before anything is made of it.

    Args:
      name: what the data set is called.
      numbers: ``[n_rows]`` finite numbers.
      left_out: what was left out, in words.
    """
    why = f" Left out: {left_out}." if left_out else ""
    if len(numbers) < _MIN_ROWS:
        raise DatasetError(
            f"Data set {name!r}: a probe of a number needs at least {_MIN_ROWS} rows with a label, but it has {len(numbers)}."
            f"{why} Give more rows."
        )
    with np.errstate(over="ignore", invalid="ignore"):
        spread = float(np.std(numbers))
    if not math.isfinite(spread * spread):
        raise DatasetError(
            f"Data set {name!r}: its numbers lie so far apart (up to {np.abs(numbers).max():g}) that their squares cannot be "
            "added. Take their logarithms, or another unit."
        )
    if np.ptp(numbers) == 0:
        raise DatasetError(
            f"Data set {name!r}: all of its {len(numbers)} labels are {numbers[0]:g}, so there is nothing to probe for.{why} "
            "Choose another label column."
        )


def check_parts(name: str, parts: Mapping[str, NDArray[np.float64]], cut: Collection[str]) -> None:
    """Refuses splits with too few numbers to fit or to score, or with one number only.

    Args:
      name: what the data set is called.
      parts: the numbers of each split.
      cut: the splits that were cut.

    Raises:
      DatasetError: names the split.
    """
    for split, numbers in parts.items():
        least = MIN_TRAIN if split == "train" else MIN_HELD_OUT
        if split == "test" and split not in cut:
            continue
        if len(numbers) < least or np.ptp(numbers) == 0:
            what = f"only {len(numbers)} rows" if len(numbers) < least else f"no number but {numbers[0]:g}"
            raise DatasetError(
                f"Data set {name!r}: {split} has {what}, but needs at least {least} rows with different numbers. Rows that share "
                "a text or a group stay together. Give more rows."
            )


def strata_of(numbers: ArrayLike) -> tuple[NDArray[np.int64], int]:
    """``[n_rows]`` in which part of the range each number lies, and how many parts there are: tenths of the rows, ties together.

    Fewer than 200 rows make fewer parts, of 20 rows. The order of the rows changes nothing.

    >>> strata_of([1.0, 2.0, 2.0, 40.0] * 10)
    (array([0, 1, 1, 1, 0, 1, 1, 1, 0, 1, 1, 1, 0, 1, 1, 1, 0, 1, 1, 1, 0, 1,
           1, 1, 0, 1, 1, 1, 0, 1, 1, 1, 0, 1, 1, 1, 0, 1, 1, 1]), 2)
    """
    values = np.asarray(numbers, dtype=np.float64)
    wanted = max(1, min(_MOST_STRATA, len(values) // _PER_STRATUM))
    ends = np.unique(np.quantile(values, np.arange(1, wanted) / wanted)) if wanted > 1 else np.empty(0)
    codes = np.unique(np.searchsorted(ends, values, side="right"), return_inverse=True)[1]
    return codes.astype(np.int64), int(codes.max(initial=0)) + 1


def strata_by(labels: NDArray[Any], label_names: Sequence[str]) -> tuple[NDArray[np.int64], int]:
    """``[n_rows]`` what divisions keep the shares of, and how many of it there are: the classes, or `strata_of` numbers."""
    return (labels, len(label_names)) if label_names else strata_of(labels)
