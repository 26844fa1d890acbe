"""A user's own table: csv, tsv or jsonl with named columns and two or more classes."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from lit_probe.data.labelled_texts import SplitName, Splits
from lit_probe.data.options import DatasetOptions
from lit_probe.data.rows import UNLABELLED, Rows, cell, find_column, label_names_of, label_words, rows_of, text_values
from lit_probe.data.split_files import existing_path, find_split_files, folder_source, read_split_files, split_word
from lit_probe.data.splitting import make_splits
from lit_probe.data.tables import Table, read_table
from lit_probe.errors import DatasetError

_SPLIT_COLUMNS = ("split", "probe_split")

_NO_LABEL = ("NaN", "nan", "NA", "N/A", "<NA>", "NULL", "null")
"""How programs write "nothing" into files that have no sign for it. Exactly so: ``none`` is often a class."""


def load_csv(source: str | None, options: DatasetOptions) -> Splits:
    """A comma-separated table; see `load_table_file`."""
    return load_table_file("csv", source, options)


def load_tsv(source: str | None, options: DatasetOptions) -> Splits:
    """A tab-separated table without quoting; see `load_table_file`."""
    return load_table_file("tsv", source, options)


def load_jsonl(source: str | None, options: DatasetOptions) -> Splits:
    """One JSON object per line; see `load_table_file`."""
    return load_table_file("jsonl", source, options)


def load_table_file(form: str, source: str | None, options: DatasetOptions) -> Splits:
    """A table with a text column, a label column and any others, which travel along.

    One file is divided 70/15/15, unless it has a column ``split`` (or ``probe_split``) with the words train, dev (or validation)
    and test, in any case. A folder may hold ``train``, ``dev`` and ``test`` files of this form instead. Labels are words or
    numbers; rows without text or label, or with the label -1, are dropped and counted; so are, in csv and tsv, rows with a word
    for nothing (NaN, nan, NA, N/A, <NA>, NULL, null).

    Args:
      form: ``"csv"``, ``"tsv"`` or ``"jsonl"``.
      source: path of the file or folder; files may be gzipped.
      options: columns, seed and rows per split.

    Returns:
      Splits named after the file, with the distinct labels as label names, in order.

    Raises:
      DatasetError: no source, no such file or column, an odd word in the column ``split``, one class only, or too few examples
        of a class.
    """
    if source is None:
        raise DatasetError(f"{form} needs a file. Name it: {form}=reviews.{form}.")
    path = existing_path(source)
    if path.is_file():
        tables = _by_split_column(read_table(path, form), options, source)
        origin: dict[str, Any] = {"kind": "file", "path": source}
    else:
        files = find_split_files(path, forms=(form,))
        if "train" not in files:
            raise DatasetError(
                f"The folder {source!r} holds no train.{form}. Name one file, or a folder with train, dev and test files."
            )
        tables = read_split_files(files)
        origin = folder_source(source, files)
    dropped: Counter[str] = Counter()
    if form != "jsonl":  # JSON has null
        tables = {split: _without_words_for_nothing(table, options.label_column, dropped) for split, table in tables.items()}
    return _splits(_safe_name(path), tables, options, {**origin, "form": form}, f"{source!r}", dropped)


def split_table(table: Mapping[str, Sequence[Any]], options: DatasetOptions, name: str = "table") -> Splits:
    """Columns that a Python program already holds, such as those of a DataFrame, divided as a table file is.

    Args:
      table: columns by name, of one length; those beside text and label travel along.
      options: columns, seed and rows per split.
      name: what the data set is called in tables and in LIT.

    Raises:
      DatasetError: as ``load_table_file``.

    >>> table = {"text": [f"text {i}" for i in range(20)], "label": ["bad", "good"] * 10, "author": list("abcde") * 4}
    >>> split_table(table, DatasetOptions()).label_names
    ('bad', 'good')
    """
    columns: Table = {str(column): list(values) for column, values in table.items()}
    origin = f"The table {name!r}"
    tables = _by_split_column(columns, options, origin)
    return _splits(name, tables, options, {"kind": "table in memory"}, origin, Counter())


def _splits(
    name: str,
    tables: Mapping[SplitName, Table],
    options: DatasetOptions,
    source: Mapping[str, Any],
    origin: str,
    dropped: Counter[str],
) -> Splits:
    """The data set that the tables of its splits make; ``origin`` is what messages call them."""
    if options.text_column == options.label_column:
        raise DatasetError(
            f"The column {options.text_column!r} cannot be both text and label. Choose with the options text_column and "
            "label_column."
        )
    words = {split: _labels(table, options, origin, hidden=split == "test") for split, table in tables.items()}
    label_names = label_names_of(word for part in words.values() for word in part)
    parts = {split: _rows(table, words[split], label_names, options, origin) for split, table in tables.items()}
    notes = (
        ["'None' is taken for a class, like any other word. Where it stands for no label, leave the cell empty."]
        if "None" in label_names
        else []
    )
    provenance = {
        **source,
        "text_column": options.text_column,
        "label_column": options.label_column,
        "group_column": options.group_column,
    }
    group_word = options.group_column or "group"
    return make_splits(name, parts, label_names, options, provenance, group_word=group_word, notes=notes, dropped=dropped)


def _by_split_column(table: Table, options: DatasetOptions, origin: str) -> dict[SplitName, Table]:
    """The table's own splits, if a column names them; otherwise everything as train, to be divided.

    Raises:
      DatasetError: some of the words name a split and others do not (to divide anew would put test rows into train), or none
        is train.
    """
    in_use = (options.text_column, options.label_column)
    for name in (column for wanted in _SPLIT_COLUMNS for column in table if column.lower() == wanted and column not in in_use):
        words = [cell(value).strip() for value in table[name]]
        splits = [split_word(word) for word in words]
        if not any(splits):
            continue  # an ordinary column that happens to have this name
        if None in splits:
            row = splits.index(None)
            raise DatasetError(
                f"{origin}: column {name!r} says {repr(words[row]) if words[row] else 'nothing'} in row {row + 1}. "
                "Write train, dev (or validation) or test into every row, or rename the column."
            )
        if "train" not in splits:
            raise DatasetError(
                f"{origin}: column {name!r} has no row that says train. Mark the train rows, or rename the column."
            )
        tables: dict[SplitName, Table] = {}
        for row, split in enumerate(splits):
            assert split is not None
            part = tables.setdefault(split, {column: [] for column in table if column != name})
            for column, values in part.items():
                values.append(table[column][row])
        return tables
    return {"train": table}


def _without_words_for_nothing(table: Table, label_column: str, dropped: Counter[str]) -> Table:
    """The rows whose label is no word for nothing; counts the others by that word."""
    words = [cell(value).strip() for value in table.get(label_column, [])]
    found = Counter(word for word in words if word in _NO_LABEL)
    if not found:
        return table
    dropped.update({f"unlabelled ({word})": found[word] for word in _NO_LABEL})
    kept = [row for row, word in enumerate(words) if word not in found]
    return {name: [values[row] for row in kept] for name, values in table.items()}


def _labels(table: Table, options: DatasetOptions, origin: str, *, hidden: bool) -> list[str | None]:
    """The label words; a test file without that column is unlabelled."""
    if hidden and options.label_column not in table:
        return [None] * len(next(iter(table.values())))
    return label_words(table, find_column(table, [options.label_column], origin, "label_column"))


def _rows(table: Table, words: Sequence[str | None], label_names: Sequence[str], options: DatasetOptions, origin: str) -> Rows:
    text_column = find_column(table, [options.text_column], origin, "text_column")
    numbers = {name: number for number, name in enumerate(label_names)}
    labels = [UNLABELLED if word is None else numbers[word] for word in words]
    groups = None
    if options.group_column is not None:
        values = table[find_column(table, [options.group_column], origin, "group_column")]
        groups = [cell(value).strip() or None for value in values]
    others = [name for name in table if name not in (text_column, options.label_column)]
    columns = {name: [cell(value) for value in table[name]] for name in others}
    return rows_of(text_values(table, text_column, origin), labels, groups, columns)


def _safe_name(path: Path) -> str:
    """The file's stem with only the characters that LIT allows in a name.

    >>> _safe_name(Path("my reviews, 2024.csv.gz"))
    'my-reviews-2024'
    """
    stem = Path(path.name.removesuffix(".gz")).stem if path.suffix else path.name
    return re.sub(r"[^A-Za-z0-9._-]+", "-", stem).strip("-.") or "table"
