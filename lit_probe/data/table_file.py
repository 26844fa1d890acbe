"""A user's own table: csv, tsv or jsonl with named columns and two or more classes."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, cast

from lit_probe.data.hub import DatasetLike, datasets_parts, is_saved_dataset, load_saved_dataset
from lit_probe.data.labelled_texts import SplitName, Splits
from lit_probe.data.options import DatasetOptions
from lit_probe.data.rows import (
    UNLABELLED,
    Rows,
    cell,
    doubtful_names,
    find_column,
    label_names_of,
    label_words,
    one_writing,
    rows_of,
    text_values,
    word_of,
)
from lit_probe.data.split_files import (
    existing_path,
    files_in,
    find_hub_files,
    find_split_files,
    folder_source,
    read_split_files,
    split_word,
)
from lit_probe.data.splitting import make_splits
from lit_probe.data.tables import Table, class_names, read_table, table_form
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
    notes: list[str] = []
    if path.is_file():
        tables, read = _by_split_column(read_table(path, form), options, source, notes), [path]
        origin: dict[str, Any] = {"kind": "file", "path": source}
    else:
        if is_saved_dataset(path):
            return split_table(load_saved_dataset(path), options, _safe_name(path))
        files = find_split_files(path, forms=(form,)) or find_hub_files(path)
        if "train" not in files:
            raise DatasetError(
                f"The folder {source!r} holds no train.{form}. Name one file, or a folder with train, dev and test files."
            )
        read = [file for part in files.values() for file in part]
        if others := [file.name for file in files_in(path) if file not in read and table_form(file) in (form, "parquet")]:
            notes.append(f"Not read in {source!r}, because their names say no split: {', '.join(others)}.")
        tables = read_split_files(files)
        origin = folder_source(source, files)
    dropped: Counter[str] = Counter()
    nothing = tuple(dict.fromkeys([*(_NO_LABEL if form != "jsonl" else ()), *options.missing]))  # JSON has null
    tables = {split: _without_words_for_nothing(one, options.label_column, nothing, dropped) for split, one in tables.items()}
    names = class_names(read, options.label_column)
    return _splits(_safe_name(path), tables, options, {**origin, "form": form}, f"{source!r}", dropped, notes, names)


def split_table(table: Mapping[str, Any] | DatasetLike, options: DatasetOptions, name: str = "table") -> Splits:
    """Columns that a Python program already holds, divided as a table file is.

    Args:
      table: columns by name, of one length, as a dict or a DataFrame; a ``datasets.Dataset``; or a ``datasets.DatasetDict``,
        whose splits are kept. Columns beside text and label travel along.
      options: columns, seed and rows per split.
      name: what the data set is called in tables and in LIT.

    Raises:
      DatasetError: as ``load_table_file``.

    >>> table = {"text": [f"text {i}" for i in range(20)], "label": ["bad", "good"] * 10, "author": list("abcde") * 4}
    >>> split_table(table, DatasetOptions()).label_names
    ('bad', 'good')
    """
    origin, notes, dropped = f"The table {name!r}", list[str](), Counter[str]()
    parts = datasets_parts(table)
    if parts is None:
        columns = {str(column): list(values) for column, values in cast(Mapping[str, Any], table).items()}
        tables = _by_split_column(columns, options, origin, notes)
    elif (whole := parts.tables.get("")) is not None:
        tables = _by_split_column(whole, options, origin, notes)
    else:
        known = [word for word in parts.tables if split_word(word)]
        if len({split_word(word) for word in known}) < len(known):
            raise DatasetError(f"{origin} has two parts for one split: {', '.join(known)}. Leave one of them out.")
        if others := [word for word in parts.tables if word not in known]:
            notes.append(f"Not read: {', '.join(others)}, which name no split.")
        tables = {split: one for word, one in parts.tables.items() if (split := split_word(word))}
        if "train" not in tables:
            raise DatasetError(f"{origin} has no split train, but {', '.join(parts.tables)}.")
    tables = {
        split: _without_words_for_nothing(one, options.label_column, options.missing, dropped) for split, one in tables.items()
    }
    names = parts.class_names.get(options.label_column, ()) if parts else ()
    return _splits(name, tables, options, {"kind": "table in memory"}, origin, dropped, notes, names)


def _splits(
    name: str,
    tables: Mapping[SplitName, Table],
    options: DatasetOptions,
    source: Mapping[str, Any],
    origin: str,
    dropped: Counter[str],
    notes: Sequence[str],
    class_names: Sequence[str] = (),
) -> Splits:
    """The data set that the tables of its splits make; ``origin`` is what messages call them.

    ``class_names`` are what the labels 0, 1, … are called, where the source says so.
    """
    if options.text_column == options.label_column:
        raise DatasetError(
            f"The column {options.text_column!r} cannot be both text and label. Choose with the options text_column and "
            "label_column."
        )
    for table in tables.values():  # a wrong text column would otherwise be told as a wrong label column
        find_column(table, [options.text_column], origin, "text_column")
    words = one_writing({split: _labels(table, options, origin, hidden=split == "test") for split, table in tables.items()})
    label_names, numbered = label_names_of(word for part in words.values() for word in part), False
    if class_names and all(name.isdecimal() and int(name) < len(class_names) for name in label_names):
        numbered = len(label_names) == len(class_names)
        named = dict(zip(map(str, range(len(class_names))), class_names, strict=True))
        words = {split: [None if word is None else named[word] for word in part] for split, part in words.items()}
        label_names = tuple(named[name] for name in label_names)
    parts = {split: _rows(table, words[split], label_names, options, origin) for split, table in tables.items()}
    notes = [*notes, *doubtful_names(label_names)]
    provenance = {
        **source,
        "text_column": options.text_column,
        "label_column": options.label_column,
        "group_column": options.group_column,
        **({"missing": list(options.missing)} if options.missing else {}),
    }
    group_word = options.group_column or "group"
    return make_splits(
        name, parts, label_names, options, provenance, group_word=group_word, notes=notes, dropped=dropped, numbered=numbered
    )


def _by_split_column(table: Table, options: DatasetOptions, origin: str, notes: list[str]) -> dict[SplitName, Table]:
    """The table's own splits, if a column names them; otherwise everything as train, to be divided, and a note on such a column.

    Raises:
      DatasetError: some of the words name a split and others do not (to divide anew would put test rows into train), or none
        is train.
    """
    in_use = (options.text_column, options.label_column)
    for name in (column for wanted in _SPLIT_COLUMNS for column in table if column.lower() == wanted and column not in in_use):
        words = [cell(value).strip() for value in table[name]]
        splits = [split_word(word) for word in words]
        if not any(splits):
            found = ", ".join(map(repr, list(dict.fromkeys(words))[:4]))
            notes.append(
                f"The column {name!r} says {found}, which names no split, so the table was divided anew. Official splits are "
                "called train, dev (or validation) and test."
            )
            continue
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


def _without_words_for_nothing(table: Table, label_column: str, nothing: Sequence[str], dropped: Counter[str]) -> Table:
    """The rows whose label is none of the words for ``nothing``; counts the others by that word."""
    words = [cell(value).strip() for value in table.get(label_column, [])]
    # As labels are read: --missing=9 means 9.0 as well.
    words = [word if word in nothing else word_of(word) for word in words]
    found = Counter(word for word in words if word in nothing)
    if not found:
        return table
    dropped.update({f"unlabelled ({word})": found[word] for word in nothing})
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
        groups = [word_of(value) or None for value in values]
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
