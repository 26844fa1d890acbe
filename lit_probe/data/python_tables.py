"""Tables that a Python program holds (columns, records, data frames, Arrow tables, data sets), as columns by name."""

from __future__ import annotations

import reprlib
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any, cast

from lit_probe.data.tables import Table, is_row_number, names_once, one_naming
from lit_probe.errors import DatasetError

FORMS = "columns by name, a list of records, a DataFrame, an Arrow table or a datasets.Dataset; or a dictionary of them by split"


def is_table(value: Any) -> bool:
    """Whether a value is what `FORMS` names, or a stream of ``datasets``; a mapping is one where it holds a table or a column."""
    if not isinstance(value, Mapping) or _is_stream(value):
        return _is_table(value) or _is_stream(value)
    return by_split(value) is not None or any(_is_column(column) for column in value.values())


def by_split(table: Any) -> dict[str, Any] | None:
    """The tables by the name of their split, where that is what ``table`` holds (a ``DatasetDict`` does); else None."""
    if not isinstance(table, Mapping) or not any(map(_is_table, table.values())):
        return None
    parts = {str(word): part for word, part in table.items()}
    return parts if all(_is_table(part) or part == [] for part in parts.values()) else None


def refuse_stream(table: Any, origin: str) -> None:
    """Refuses an ``IterableDataset``, or a dictionary of them: it is not all there, and may have no end.

    Raises:
      DatasetError: it is one.
    """
    if _is_stream(table):
        raise DatasetError(
            f"{origin} is a stream ({type(table).__name__}), whose rows are not all there. Give some of them as records: "
            "list(stream.take(5000))."
        )


def columns_of(table: Any, origin: str, left_out: Collection[str] = ()) -> Table:
    """The columns of one table, in its order, without the row numbers that pandas writes.

    Args:
      table: what `FORMS` names.
      origin: what messages call it.
      left_out: columns of a ``datasets.Dataset`` that are not read.

    Raises:
      DatasetError: it is no table, has no rows, names a column twice, or its columns have different lengths.
    """
    if _is_records(table):
        columns = _of_records(table, origin)
    else:
        columns = {name: _values(name, values, origin) for name, values in _named_columns(table, origin, left_out)}
    columns = {name: values for name, values in columns.items() if not is_row_number(name)}
    lengths = {name: len(values) for name, values in columns.items()}
    if not any(lengths.values()):
        raise DatasetError(f"{origin} has no rows.")
    longest, shortest = max(lengths, key=lengths.__getitem__), min(lengths, key=lengths.__getitem__)
    if lengths[longest] != lengths[shortest]:
        raise DatasetError(
            f"{origin}: column {shortest!r} has {lengths[shortest]} values, {longest!r} has {lengths[longest]}. "
            "Every column needs one value per row."
        )
    return columns


def class_names_in(parts: Mapping[str, Any], column: str) -> tuple[str, ...]:
    """What the classes 0, 1, … of a column, or of its lists, are called, where a ``datasets.Dataset`` says so; else nothing.

    Raises:
      DatasetError: two parts call them differently.
    """
    features = {word: part.features.get(column) for word, part in parts.items() if _is_dataset(part)}
    features = {word: getattr(one, "feature", one) for word, one in features.items()}
    named = [(word, tuple(one.names)) for word, one in features.items() if type(one).__name__ == "ClassLabel"]
    return one_naming(named, column)


def media_columns(parts: Mapping[str, Any], in_use: Callable[[Collection[str]], Collection[str | None]]) -> list[str]:
    """Columns of a ``datasets.Dataset`` that hold pictures, sounds or films: they are no columns to show beside a text.

    Args:
      parts: the tables by split.
      in_use: says of all columns which are asked for, and hence read whatever they hold.
    """
    features = {name: one for part in parts.values() if _is_dataset(part) for name, one in part.features.items()}
    asked = in_use(features)
    return [name for name, one in features.items() if name not in asked and hasattr(one, "decode_example")]


def _is_table(value: Any) -> bool:
    # A column (a list, an array, a Series) has no columns.
    return isinstance(value, Mapping) or hasattr(value, "columns") or _is_dataset(value) or _is_records(value)


def _is_records(value: Any) -> bool:
    return isinstance(value, Sequence) and len(value) > 0 and isinstance(value[0], Mapping)


def _is_column(value: Any) -> bool:
    return hasattr(value, "tolist") or (isinstance(value, Sequence) and not isinstance(value, str | bytes))


def _is_of_datasets(value: Any) -> bool:
    """Whether it comes from the library ``datasets``, told by its module: importing the library takes a second."""
    return any(one.__module__.split(".")[0] == "datasets" for one in type(value).__mro__)


def _is_dataset(value: Any) -> bool:
    return _is_of_datasets(value) and hasattr(value, "to_dict") and hasattr(value, "__len__")


def _is_stream(value: Any) -> bool:
    """Whether it is an ``IterableDataset``, or a dictionary that holds one."""
    parts = value.values() if isinstance(value, Mapping) else [value]
    return any(_is_of_datasets(part) and not hasattr(part, "__len__") for part in parts)


def _named_columns(table: Any, origin: str, left_out: Collection[str]) -> Iterable[tuple[str, Any]]:
    if _is_dataset(table):
        table = table.select_columns([name for name in table.column_names if name not in left_out]).to_dict()
    if isinstance(table, Mapping):
        return [(str(name), values) for name, values in table.items()]
    if not hasattr(table, "columns"):
        advice = " A file is read by load_dataset." if isinstance(table, str) else ""
        raise DatasetError(f"{origin} should be {FORMS}. It is {reprlib.repr(table)}.{advice}")
    # Arrow keeps its names apart from its columns; a data frame's columns are their names.
    names = list(getattr(table, "column_names", table.columns))
    names_once([str(name) for name in names], origin)
    is_arrow = hasattr(table, "column_names")
    try:
        return [(str(name), table.columns[i].to_pylist() if is_arrow else table[name]) for i, name in enumerate(names)]
    except TypeError as error:  # a frame that holds a plan, not yet its values
        raise DatasetError(f"{origin}: the columns cannot be read ({error}). Make a DataFrame of it.") from error


def _values(name: str, values: Any, origin: str) -> list[Any]:
    if isinstance(values, str | bytes | Mapping) or not isinstance(values, Iterable):
        raise DatasetError(f"{origin}: column {name!r} is {reprlib.repr(values)}, not one value per row.")
    return list(values)


def _of_records(records: Sequence[Any], origin: str) -> Table:
    for number, record in enumerate(records, start=1):
        if not isinstance(record, Mapping):
            raise DatasetError(f"{origin}: record {number} is {reprlib.repr(record)}, not values by column.")
    names = dict.fromkeys(name for record in records for name in record)
    return {str(name): [cast(Mapping[Any, Any], record).get(name) for record in records] for name in names}
