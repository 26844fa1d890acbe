"""Which rows of one data set probes that were trained on another have seen: by their text, or by what it belongs to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lit_probe.checks.leakage import near_in_words
from lit_probe.checks.near_copies import MEASURES, Copy, copies_between
from lit_probe.data.labelled_texts import LabelledTexts, Splits
from lit_probe.data.rows import as_compared


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
    they name by the same word: the name of the column, such as ``author``, or ``film``. A name without a letter, such as ``12``
    or ``#12``, is never taken for the same: each data set counts its pairs and documents for itself.

    What counts is the group that each row has by itself (`LabelledTexts.own_groups`), and that of the rows with which a division
    keeps it together: where two authors have a text in common, both are known as soon as one of them is.

    Args:
      rows: the rows that are asked for.
      of: the data set that they are from.
      trained: the data set whose train rows the probes were fitted on.
    """
    copies = copies_between({"rows": rows.texts, "train": trained.train.texts}, [("rows", "train")])["rows", "train"]
    word = _word(of)
    if not word or word != _word(trained):
        return SeenRows(copies, (), "")
    known = set(_own_names(trained.train))
    seen_units = {unit for unit, name in zip(_units(rows), _own_names(rows), strict=True) if name is not None and name in known}
    grouped = (row for row, unit in enumerate(_units(rows)) if unit in seen_units and row not in copies)
    return SeenRows(copies, tuple(grouped), word)


def _word(splits: Splits) -> Any:
    return splits.provenance.get("groups") if splits.train.groups is not None else None


def _units(rows: LabelledTexts) -> list[Hashable]:
    return [] if rows.groups is None else [as_compared(str(group)) for group in rows.groups]


def _own_names(rows: LabelledTexts) -> list[Hashable | None]:
    """What each row belongs to by itself; None where two data sets cannot mean the same by it."""
    own = rows.groups if rows.own_groups is None else rows.own_groups
    names = [] if own is None else [str(name) for name in own]
    return [as_compared(name) if any(map(str.isalpha, name)) else None for name in names]
