"""Labels of several values (``comedy|drama``, or a list): each value is asked for by itself, yes or no."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from lit_probe.data.labelled_texts import SplitName
from lit_probe.data.rows import label_words
from lit_probe.data.surface import NO, YES
from lit_probe.data.tables import Table
from lit_probe.errors import DatasetError

SEPARATOR = "|"
_NONE = "none of these"
# A value needs as many rows as its metrics do to be relied on, and a stratum of the division three parts of some rows each.
_MIN_ROWS = 10
_MOST_VALUES = 100
_MOST_NAMED = 10


def with_values(
    tables: Mapping[SplitName, Table],
    column: str,
    missing: Collection[str],
    class_names: Sequence[str],
    origin: str,
    notes: list[str],
) -> tuple[dict[SplitName, Table], tuple[str, ...]]:
    """The tables with a column of yes and no for each value, and by which label they are divided in place of the values.

    That label is the rarest value of a row, so that rare values are spread over the splits; of few rows it is merged with the
    most frequent one.

    Args:
      tables: the rows of each split; a test without the column is unlabelled.
      column: the column of the values: strings with ``|`` between values, or lists. A row without any value is a list without
        entries; None and an empty string stand for no label.
      missing: words that stand for no label; a row that has one of them is unlabelled.
      class_names: what the values 0, 1, … are called, where the source says so.
      origin: what messages call the tables.
      notes: gets a remark on values that are too rare.

    Returns:
      The tables, and the names of the columns that were added, such as ``genre:comedy``.

    Raises:
      DatasetError: a value is no single word, no value has enough rows, or more than 100 have.
    """
    sets = {split: _sets(table[column], column, missing, class_names) for split, table in tables.items() if column in table}
    counts = Counter(value for rows in sets.values() for row in rows if row is not None for value in row)
    n_rows = sum(row is not None for rows in sets.values() for row in rows)
    values = sorted(value for value, count in counts.items() if min(count, n_rows - count) >= _MIN_ROWS)
    if not values:
        raise DatasetError(
            f"{origin}: no value of {column!r} stands in {_MIN_ROWS} rows and is absent from as many. The values are: "
            f"{_listed(counts)}. Check the label column; values are parted by {SEPARATOR}, or are a list."
        )
    if len(values) > _MOST_VALUES:
        raise DatasetError(
            f"{origin}: the column {column!r} has {len(values)} values, and more than {_MOST_VALUES} are not asked for one by "
            "one. Choose another label column, or leave rare values out."
        )
    if left := {value: count for value, count in counts.items() if value not in values}:
        notes.append(f"Values of {column} that {_MIN_ROWS} rows do not have, or do not lack, are not asked for: {_listed(left)}.")
    label_of = _labels(sets, values, counts)
    made: dict[SplitName, Table] = {}
    for split, table in tables.items():
        own = sets.get(split)
        if own is None:
            made[split] = dict(table)
            continue
        answers = {f"{column}:{value}": [None if row is None else YES if value in row else NO for row in own] for value in values}
        made[split] = {**table, **answers, column: [None if row is None else label_of[row] for row in own]}
    return made, tuple(f"{column}:{value}" for value in values)


def _sets(cells: Sequence[Any], column: str, missing: Collection[str], class_names: Sequence[str]) -> list[frozenset[str] | None]:
    """``[n_rows]`` the values of each row; None for a row without a label."""
    names = {str(number): name for number, name in enumerate(class_names)}
    parted = [_parted(cell) for cell in cells]
    words = iter(label_words({column: [value for row in parted for value in row or ()]}, column))
    found: list[frozenset[str] | None] = []
    for row in parted:
        own = None if row is None else frozenset(names.get(word, word) for _ in row if (word := next(words)))
        empty = own is None or (not own and bool(row))
        found.append(None if empty or not own.isdisjoint(missing) else own)  # type: ignore[union-attr]
    return found


def _parted(cell: Any) -> list[Any] | None:
    """The values of one cell; None where it says nothing."""
    if cell is None or (isinstance(cell, float) and cell != cell):
        return None
    if isinstance(cell, str):
        return cell.split(SEPARATOR) if cell.strip() else None
    return list(cell) if isinstance(cell, list | tuple | set | frozenset) or hasattr(cell, "tolist") else [cell]


def _labels(
    sets: Mapping[SplitName, Sequence[frozenset[str] | None]], values: Sequence[str], counts: Mapping[str, int]
) -> dict[frozenset[str], str]:
    """The label by which each set of values is divided."""
    rarity = sorted(values, key=lambda value: (counts[value], value))
    label_of = {
        row: next((value for value in rarity if value in row), _NONE) for rows in sets.values() for row in rows if row is not None
    }
    sizes = Counter(label_of[row] for rows in sets.values() for row in rows if row is not None)
    most = max(sizes, key=lambda label: (sizes[label], label))
    return {row: label if sizes[label] >= _MIN_ROWS else most for row, label in label_of.items()}


def _listed(counts: Mapping[str, int]) -> str:
    named = [f"{value} ({count})" for value, count in sorted(counts.items(), key=lambda one: (-one[1], one[0]))]
    more = f" and {len(named) - _MOST_NAMED} others" if len(named) > _MOST_NAMED else ""
    return ", ".join(named[:_MOST_NAMED]) + more or "none"
