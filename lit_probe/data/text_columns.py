"""Which columns of a table hold its texts: one, or the two of a pair."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from typing import Any

from lit_probe.data.options import DatasetOptions
from lit_probe.data.rows import find_column, text_values
from lit_probe.data.tables import Table
from lit_probe.errors import DatasetError

_BETWEEN = re.compile(r"[,+]")
_PAIR = 2


def text_columns(options: DatasetOptions, table: Table, origin: str) -> tuple[str, ...]:
    """The names of the column of texts, or of the two columns of pairs, as ``options.text_column`` names them in this table.

    A word is one column where the table has one that is called so. Else it is parted at a comma or plus sign such that both sides
    are columns.

    Raises:
      DatasetError: there are no such columns, three of them, the same twice, or one is the label.

    >>> table = {"premise": ["a"], "hypothesis": ["b"], "label": ["c"], "x+y": ["d"]}
    >>> [text_columns(DatasetOptions(text_column=word), table, "it") for word in ("premise, hypothesis", "x+y", "x+y+premise")]
    [('premise', 'hypothesis'), ('x+y',), ('x+y', 'premise')]
    """
    names = _named(options.text_column, table)
    if not 1 <= len(names) <= _PAIR:
        found = f"{len(names)} columns: {', '.join(names)}" if names else "no column"
        raise DatasetError(f"The option text_column names {found}. Name one, or the two of a pair.")
    if len(names) == _PAIR and names[0] == names[1]:
        raise DatasetError(f"The option text_column names the column {names[0]!r} twice. A pair needs two different columns.")
    if options.label_column in names:
        raise DatasetError(
            f"The column {options.label_column!r} cannot be both text and label. Choose with the options text_column and "
            "label_column."
        )
    return tuple(find_column(table, [name], origin, "text_column") for name in names)


def texts_of(table: Table, columns: Sequence[str], origin: str) -> list[Any]:
    """``[n_rows]`` strings, or pairs of strings; a missing text is an empty string.

    Raises:
      DatasetError: a value is no text.
    """
    parts = [text_values(table, column, origin) for column in columns]
    return parts[0] if len(parts) == 1 else list(zip(*parts, strict=True))


def columns_in_use(options: DatasetOptions, table: Collection[str]) -> set[str | None]:
    """The columns that are text, label or group, as far as the table has them."""
    return {*_named(options.text_column, table), options.label_column, options.group_column}


def written(columns: Sequence[str]) -> str:
    """The columns in one word that `text_columns` reads, on the command line and in brackets.

    >>> written(["premise", "hypothesis"])
    'premise+hypothesis'
    """
    return "+".join(columns)


def _named(wanted: str | Sequence[str], table: Collection[str]) -> tuple[str, ...]:
    if not isinstance(wanted, str):
        return tuple(wanted)
    if wanted in table:
        return (wanted,)
    cuts = [found.start() for found in _BETWEEN.finditer(wanted)]
    pairs = [(wanted[:cut].strip(), wanted[cut + 1 :].strip()) for cut in cuts]
    there = [pair for pair in pairs if all(name in table for name in pair)]
    return there[0] if there else tuple(name.strip() for name in _BETWEEN.split(wanted))
