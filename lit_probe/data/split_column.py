"""The column of a table that says of every row whether it is train, dev or test."""

from __future__ import annotations

from typing import Any

from lit_probe.data.labelled_texts import SPLIT_NAMES, SplitName
from lit_probe.data.options import DatasetOptions
from lit_probe.data.rows import cell
from lit_probe.data.split_files import split_word
from lit_probe.data.tables import Table
from lit_probe.data.text_columns import columns_in_use
from lit_probe.errors import DatasetError

_SPLIT_COLUMNS = ("split", "probe_split")


def by_split_column(table: Table, options: DatasetOptions, origin: str, notes: list[str]) -> dict[SplitName, Table]:
    """The table's own splits, if a column names them in every row; otherwise everything as train, to be divided.

    Args:
      table: the columns.
      options: which columns are text, label and group: they are not looked at.
      origin: what messages call the table.
      notes: remarks for the provenance, to which this adds its own.

    Raises:
      DatasetError: a column called split has words for splits and others (to divide anew would put test rows into train), none
        is train, or two columns contradict each other.
    """
    in_use = columns_in_use(options, table)
    columns = [name for name in table if name not in in_use]
    called_so = [name for wanted in _SPLIT_COLUMNS for name in columns if name.lower() == wanted]
    official: dict[str, list[SplitName]] = {}
    for name in [*called_so, *(name for name in columns if name not in called_so)]:
        said = (cell(value).strip() for value in table[name])
        splits = _called_splits(list(said), name, origin, notes) if name in called_so else _all_splits(list(said), name, notes)
        if splits:
            official[name] = splits
    if not official:
        return {"train": table}
    (name, splits), *others = official.items()
    for other, divided in others:
        if divided != splits:
            raise DatasetError(
                f"{origin}: the columns {name!r} and {other!r} divide the rows differently. "
                "Leave one of them out, or rename its words."
            )
    if name not in called_so:
        words = dict.fromkeys(cell(value).strip() for value in sorted(table[name], key=_place))
        notes.append(
            f"The column {name!r} says {' or '.join(words)} in every row, so these are the splits. "
            "Rename its words if it means something else."
        )
    tables: dict[SplitName, Table] = {}
    for row, split in enumerate(splits):
        part = tables.setdefault(split, {column: [] for column in table if column != name})
        for column, values in part.items():
            values.append(table[column][row])
    return tables


def _called_splits(words: list[str], name: str, origin: str, notes: list[str]) -> list[SplitName]:
    """What a column that is called split says of each row; nothing, and a note, if it speaks of something else."""
    splits = [split for split in map(split_word, words) if split]
    if not splits:
        found = ", ".join(map(repr, list(dict.fromkeys(words))[:4]))
        notes.append(
            f"The column {name!r} says {found}, which names no split, so the table was divided anew. Official splits are "
            "called train, dev (or validation) and test."
        )
    elif len(splits) < len(words):
        row = next(row for row, word in enumerate(words) if not split_word(word))
        raise DatasetError(
            f"{origin}: column {name!r} says {repr(words[row]) if words[row] else 'nothing'} in row {row + 1}. "
            "Write train, dev (or validation) or test into every row, or rename the column."
        )
    elif "train" not in splits:
        raise DatasetError(f"{origin}: column {name!r} has no row that says train. Mark the train rows, or rename the column.")
    return splits


def _all_splits(words: list[str], name: str, notes: list[str]) -> list[SplitName]:
    """What a column says of each row, if that is a split everywhere, train and another one; otherwise nothing.

    A note, if it is a split in most rows, and something else in the others.
    """
    split_of = {word: split_word(word) for word in set(words)}
    splits = [split for word in words if (split := split_of[word])]
    if "train" not in splits or len(set(splits)) < 2 or 2 * len(splits) <= len(words):
        return []
    if len(splits) < len(words):
        others = sorted(word for word, split in split_of.items() if split is None)
        found = ", ".join(repr(word) if word else "nothing" for word in others[:4])
        notes.append(
            f"The column {name!r} names a split in most rows, but says {found} in others, so the table was divided anew. If "
            "these are official splits, write train, dev (or validation) or test into every row, or leave the other rows out."
        )
        return []
    return splits


def _place(value: Any) -> tuple[int, str]:
    word = cell(value).strip()
    split = split_word(word)
    return SPLIT_NAMES.index(split) if split else len(SPLIT_NAMES), word
