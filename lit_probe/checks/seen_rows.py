"""Which rows of one data set probes that were trained on another have seen: by their text, or by what it belongs to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lit_probe.checks.leakage import near_in_words
from lit_probe.checks.near_copies import MEASURES, Copy, copies_between
from lit_probe.data.labelled_texts import LabelledTexts, Splits
from lit_probe.data.rows import as_compared

# What groups are called that came without a name, as from a program.
_UNNAMED = "group"


@dataclass(frozen=True)
class SeenRows:
    """The rows of one data set that another one's train rows tell of.

    Attributes:
      copies: row -> the train row that its text copies.
      groups: the other rows whose group has train rows, ascending.
      group_word: what both data sets call their groups; empty where they have none to compare.
    """

    copies: dict[int, Copy]
    groups: tuple[int, ...]
    group_word: str

    @property
    def rows(self) -> frozenset[int]:
        """All of them."""
        return frozenset((*self.copies, *self.groups))

    def unseen(self, n: int) -> NDArray[np.int64]:
        """The other rows of ``n``, ascending."""
        seen = self.rows
        return np.array([row for row in range(n) if row not in seen], dtype=np.int64)

    def sentence(self, n: int, trained: str) -> str:
        """How many of ``n`` rows are left out and why; empty where none is.

        Args:
          n: the number of rows.
          trained: the name of the data set that the probes were trained on.
        """
        counted = Counter(copy.measure for copy in self.copies.values())
        near = {measure: counted[measure] for measure in MEASURES}
        why = [
            *([f"exact copies: {counted['exact']:,}"] if counted["exact"] else []),
            *([f"near copies: {near_in_words(near)}"] if any(near.values()) else []),
            *([f"others whose {self.group_word} stands there too: {len(self.groups):,}"] if self.groups else []),
        ]
        if not why:
            return ""
        left_out = len(self.copies) + len(self.groups)
        nothing = " Nothing is left to be scored." if left_out == n else ""
        return f"{left_out:,} of {n:,} rows are left out, known from train rows of {trained}; {'; '.join(why)}.{nothing}"


def seen_rows(rows: LabelledTexts, of: Splits, trained: Splits) -> SeenRows:
    """The rows whose text is a copy of a train row (`copies_between`), or whose group has train rows.

    Groups of two data sets are the same where they have the same name, case and writing aside, and both data sets call what
    they name by the same word: the name of the column, such as ``author``, or ``film``. Groups that came without a word are
    taken for the same too, unless they are numbers, which each data set counts for itself.

    Args:
      rows: the rows that are asked for.
      of: the data set that they are from.
      trained: the data set whose train rows the probes were fitted on.
    """
    copies = copies_between({"rows": rows.texts, "train": trained.train.texts}, [("rows", "train")])["rows", "train"]
    word = _word(of)
    if not word or word != _word(trained):
        return SeenRows(copies, (), "")
    known = set(_names(trained.train, word).values())
    grouped = (row for row, name in _names(rows, word).items() if name in known and row not in copies)
    return SeenRows(copies, tuple(grouped), word)


def _word(splits: Splits) -> Any:
    return splits.provenance.get("groups") if splits.train.groups is not None else None


def _names(rows: LabelledTexts, word: str) -> dict[int, Hashable]:
    """The groups of those rows that have one that can be compared."""
    if rows.groups is None:
        return {}
    names = {row: as_compared(str(group)) for row, group in enumerate(rows.groups)}
    return {row: name for row, name in names.items() if word != _UNNAMED or not isinstance(name, Decimal)}
