"""A user's own table: csv, tsv or jsonl with named columns, whose labels are two or more classes or numbers."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from lit_probe.data.annotating import annotated
from lit_probe.data.asked import CLASSES, NUMBER
from lit_probe.data.hub import is_saved_dataset, load_saved_dataset
from lit_probe.data.labelled_texts import SPLIT_NAMES, SplitName, Splits
from lit_probe.data.numbers import numbers_of, target_of, told_as_number
from lit_probe.data.options import AUTO, LIST_OPTIONS, DatasetOptions
from lit_probe.data.python_tables import by_split, class_names_in, columns_of, media_columns, refuse_stream
from lit_probe.data.rows import (
    UNLABELLED,
    Rows,
    cell,
    doubtful_names,
    find_column,
    group_words,
    label_names_of,
    label_words,
    one_writing,
    plain_words,
    rows_of,
    word_of,
)
from lit_probe.data.several import with_values
from lit_probe.data.split_column import by_split_column
from lit_probe.data.split_files import (
    existing_path,
    files_in,
    find_hub_files,
    find_split_files,
    folder_source,
    named_splits,
    read_split_files,
)
from lit_probe.data.splitting import make_splits
from lit_probe.data.tables import Table, class_names, read_table, table_form
from lit_probe.data.tagged_columns import columns_of_words, label_column_of, split_table_of_words
from lit_probe.data.text_columns import columns_in_use, text_columns, texts_of, written
from lit_probe.errors import DatasetError

_NOTHING = ("NaN", "nan", "NA", "N/A", "<NA>", "NULL", "null")
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

    One file is divided 70/15/15, unless a column holds the words train, dev (or validation) and test, in any case. A folder may
    hold ``train``, ``dev`` and ``test`` files instead, of this form or, where it has none of it for a split, of another. Labels
    are words or numbers; rows without text or label, or with the label -1, are dropped and counted; so are, in csv and tsv,
    rows with a word for nothing (NaN, nan, NA, N/A, <NA>, NULL, null). Of numbers that are asked for as such, -1 is one as any.
    Rows of lists of words and of their tags are sentences, and each word is a row (`tagged_columns`).

    Args:
      form: ``"csv"``, ``"tsv"`` or ``"jsonl"``.
      source: path of the file or folder; files may be gzipped.
      options: columns, seed and rows per split.

    Returns:
      Splits named after the file, with the distinct labels as label names, in order.

    Raises:
      DatasetError: no source, no such file or column, an odd word in the column ``split``, one class only, too few examples
        of a class, or a word where a number is asked for.
    """
    if source is None:
        raise DatasetError(f"{form} needs a file. Name it: {form}=reviews.{form}.")
    path = existing_path(source)
    name, notes = safe_name(path), list[str]()
    origin: dict[str, Any]
    if path.is_file():
        tables, read = by_split_column(read_table(path, form), options, repr(source), notes), [path]
        forms: dict[SplitName, str | None] = {"train": form}
        origin = {"kind": "file", "path": source}
    elif is_saved_dataset(path):
        origin = {"kind": "folder", "path": source, "form": form}
        return split_held(load_saved_dataset(path), options, name, origin, repr(source))
    else:
        files = _files_by_split(path, form)
        if "train" not in files:
            raise DatasetError(
                f"The folder {source!r} holds no train.{form}. Name one file, or a folder with train, dev and test files."
            )
        read = [file for part in files.values() for file in part]
        if others := [file.name for file in files_in(path) if file not in read and table_form(file)]:
            notes.append(f"Not read in {source!r}: {', '.join(others)}.")
        tables = _or_by_column(read_split_files(files), options, repr(source), notes)
        forms = {split: table_form(paths[0]) for split, paths in files.items()}
        origin = folder_source(source, files)
    # JSON and parquet have a sign for nothing. Splits that a column names stand in the file of train.
    without_sign = {split for split in tables if forms.get(split, forms["train"]) in ("csv", "tsv")}
    names = class_names(read, label_column_of(tables["train"], options))
    return _splits(name, tables, options, {**origin, "form": form}, repr(source), notes, names, without_sign)


def _or_by_column(
    tables: dict[SplitName, Table], options: DatasetOptions, origin: str, notes: list[str]
) -> dict[SplitName, Table]:
    """The tables of the splits; one of train alone may say in a column which of its rows are dev and test."""
    return by_split_column(tables["train"], options, origin, notes) if set(tables) == {"train"} else tables


def _files_by_split(folder: Path, form: str) -> dict[SplitName, list[Path]]:
    """The files of a folder by split: of the form that is asked for, else of another, else parquet files as on the hub."""
    files = find_split_files(folder, forms=(form,))
    others = [other for other in ("tsv", "csv", "jsonl", "parquet") if other != form]
    missing = {split for split in SPLIT_NAMES if split not in files}
    files |= find_split_files(folder, forms=others, splits=missing)
    return files if "train" in files else find_hub_files(folder) or files


def split_table(table: Any, options: DatasetOptions | None = None, name: str = "table") -> Splits:
    """A table that a Python program already holds, divided as a table file is.

    Args:
      table: columns by name, of one length, as a dict or a DataFrame; a list of records; an Arrow table; a ``datasets.Dataset``;
        or any of these by split, as a dict or a ``datasets.DatasetDict``, whose splits are kept. Columns beside text and label
        travel along.
      options: columns, seed and rows per split; by default ``DatasetOptions()``.
      name: what the data set is called in tables and in LIT.

    Raises:
      DatasetError: it is no such table, its columns have different lengths, an option is one of the hub's, or as
        ``load_table_file``.

    >>> table = {"text": [f"text {i}" for i in range(20)], "label": ["bad", "good"] * 10, "author": list("abcde") * 4}
    >>> split_table(table, DatasetOptions()).label_names
    ('bad', 'good')
    """
    options = options or DatasetOptions()
    if unused := [option for option in options.given() if option not in LIST_OPTIONS]:
        raise DatasetError(f"A table in memory does not use the option {unused[0]}. Leave it out.")
    return annotated(split_held(table, options, name, {"kind": "table in memory"}, f"The table {name!r}"), options)


def split_held(
    table: Any, options: DatasetOptions, name: str, source: Mapping[str, Any], origin: str, remarks: Sequence[str] = ()
) -> Splits:
    """A table that is in memory, by whatever way it came there; its own splits are kept.

    Args:
      table: what ``split_table`` takes.
      options: columns, seed and rows per split.
      name: what the data set is called.
      source: where it comes from, for the provenance.
      origin: what messages call it.
      remarks: notes for the provenance, before its own.

    Raises:
      DatasetError: as ``split_table``.
    """
    refuse_stream(table, origin)
    notes = list(remarks)
    parts = by_split(table)
    if media := media_columns(parts or {origin: table}, lambda names: columns_in_use(options, names)):
        notes.append(f"Left out, because they hold pictures, sounds or films: {', '.join(map(repr, media))}.")
    if parts is None:
        tables = by_split_column(columns_of(table, origin, media), options, origin, notes)
    else:
        known, others = named_splits(parts, origin)
        if "train" not in known:
            raise DatasetError(f"{origin} has no split train, but {', '.join(parts)}.")
        if others:
            notes.append(f"Not read: {', '.join(others)}, which name no split.")
        tables = {split: columns_of(part, f"{origin} ({split})", media) for split, part in known.items()}
        tables = _or_by_column(tables, options, origin, notes)
    names = class_names_in(parts or {origin: table}, label_column_of(tables["train"], options))
    return _splits(name, tables, options, source, origin, notes, names)


def _splits(
    name: str,
    tables: Mapping[SplitName, Table],
    options: DatasetOptions,
    source: Mapping[str, Any],
    origin: str,
    notes: Sequence[str],
    class_names: Sequence[str] = (),
    without_sign: Collection[SplitName] = (),
) -> Splits:
    """The data set that the tables of its splits make.

    Args:
      name: its name.
      tables: the rows of each split.
      options: columns, seed and rows per split.
      source: where they come from, for the provenance.
      origin: what messages call them.
      notes: remarks so far.
      class_names: what the labels 0, 1, … are called, where the source says so.
      without_sign: the splits whose files have no sign for nothing, so that words say so.
    """
    if (of_words := columns_of_words(tables["train"], options)) is not None:
        return split_table_of_words(name, tables, of_words, options, source, origin, notes, class_names)
    if options.max_words != DatasetOptions.max_words and options.annotate is None:
        raise DatasetError(f"The rows of {origin} are texts, not words. Leave the option max_words out, and give max_examples.")
    if options.multilabel:
        return _of_several(name, tables, options, source, origin, notes, class_names)
    # First, since a wrong text column would otherwise be told as a wrong label column.
    texts = {split: text_columns(options, table, origin) for split, table in tables.items()}
    columns = texts["train"]
    if any(others != columns for others in texts.values()):
        found = " and ".join(sorted({written(names) for names in texts.values()}))
        raise DatasetError(f"{origin} has its texts in different columns in its splits: {found}. Call them alike.")
    plain, words = _labels(tables, options, origin)
    nothing = {split: _NOTHING if split in without_sign else () for split in tables}
    no_label, dropped = {split: [*of_form, *options.missing] for split, of_form in nothing.items()}, Counter[str]()
    whole = tables
    tables, words = _without(no_label, tables, words, dropped)
    words = one_writing(words)
    every = [word for part in words.values() for word in part]
    target = target_of(CLASSES if class_names and options.target == AUTO else options.target, every)
    label_names = label_names_of(every)
    # One part may have the numbers of the classes, another their names.
    named = {name: name for name in class_names} | dict(zip(map(str, range(len(class_names))), class_names, strict=True))
    if numbered := bool(class_names) and all(name in named for name in label_names):
        words = {split: [None if word is None else named[word] for word in part] for split, part in words.items()}
        tables, words = _without(no_label, tables, words, dropped)
        present = {word for part in words.values() for word in part}
        label_names = tuple(name for name in class_names if name in present)
        numbered = len(label_names) == len(class_names)
    labels: Mapping[SplitName, Sequence[int] | Sequence[float]]
    if target == NUMBER:
        # Among numbers -1 is one as any, so the rows that were taken out by it come back.
        tables, labels, label_names, numbered = whole, numbers_of(plain, no_label, options.label_column), (), False
        notes = [*notes, *([told_as_number(every)] if options.target == AUTO else [])]
    else:
        numbers = {name: number for number, name in enumerate(label_names)}
        labels = {split: [UNLABELLED if word is None else numbers[word] for word in part] for split, part in words.items()}
        notes = [*notes, *doubtful_names(label_names), *_never_met(options.missing, dropped)]
    parts = {split: _rows(table, columns, labels[split], options, origin, nothing[split]) for split, table in tables.items()}
    provenance = {
        **source,
        "text_column": written(columns),
        "label_column": options.label_column,
        "group_column": options.group_column,
        **({"missing": list(options.missing)} if options.missing else {}),
        **({"target": target} if NUMBER in (target, options.target) else {}),
    }
    group_word = options.group_column or "group"
    return make_splits(
        name,
        parts,
        label_names,
        options,
        provenance,
        group_word=group_word,
        notes=notes,
        dropped=dropped if target == CLASSES else None,
        numbered=numbered,
        pair=(columns[0], columns[1]) if len(columns) > 1 else None,
        target=target,
    )


def _of_several(
    name: str,
    tables: Mapping[SplitName, Table],
    options: DatasetOptions,
    source: Mapping[str, Any],
    origin: str,
    notes: Sequence[str],
    class_names: Sequence[str],
) -> Splits:
    """The data set of labels with several values: divided by the rarest value of each row, with a column for each value."""
    if options.target == NUMBER:
        raise DatasetError("Several values of a label are classes, not numbers. Leave out the option target or multilabel.")
    find_column(tables["train"], [options.label_column], origin, "label_column")
    told = list(notes)
    missing = {word_of(word) for word in options.missing}
    made, several = with_values(tables, options.label_column, missing, class_names, origin, told)
    asked = replace(options, multilabel=False, target=CLASSES, missing=())
    about = {**source, "multilabel": "true", **({"missing": list(options.missing)} if options.missing else {})}
    found = _splits(name, made, asked, about, origin, told)
    return replace(found, several=several)


_Words = dict[SplitName, list[str | None]]


def _without(
    no_label: Mapping[SplitName, Sequence[str]], tables: Mapping[SplitName, Table], words: _Words, dropped: Counter[str]
) -> tuple[Mapping[SplitName, Table], _Words]:
    """The tables, and the words of their labels, without the rows whose label is a word for nothing; counts those."""
    # As labels are read: --missing=9 means 9.0 as well.
    nothing = {split: {word_of(word) for word in of_split} for split, of_split in no_label.items()}
    found = Counter(f"unlabelled ({word})" for split, part in words.items() for word in part if word in nothing[split])
    if not found:
        return tables, words
    dropped.update(found)
    kept = {split: [row for row, word in enumerate(part) if word not in nothing[split]] for split, part in words.items()}
    return (
        {
            split: {name: [values[row] for row in kept[split]] for name, values in table.items()}
            for split, table in tables.items()
        },
        {split: [part[row] for row in kept[split]] for split, part in words.items()},
    )


def _never_met(missing: Sequence[str], dropped: Mapping[str, int]) -> list[str]:
    """A note on words that the option missing names, and that no row has."""
    words = [word for word in label_words({"": list(missing)}, "") if word and f"unlabelled ({word})" not in dropped]
    return [f"No label is {' or '.join(map(repr, words))}, which the option missing names."] if words else []


def _labels(tables: Mapping[SplitName, Table], options: DatasetOptions, origin: str) -> tuple[dict[SplitName, list[str]], _Words]:
    """The labels of each split as plain words, and the same as classes; a test file without that column is unlabelled."""
    plain: dict[SplitName, list[str]] = {}
    words: _Words = {}
    for split, table in tables.items():
        if split == "test" and options.label_column not in table:
            plain[split], words[split] = [""] * len(next(iter(table.values()))), [None] * len(next(iter(table.values())))
        else:
            column = find_column(table, [options.label_column], origin, "label_column")
            plain[split], words[split] = plain_words(table[column], column), label_words(table, column)
    return plain, words


def _rows(
    table: Table,
    texts: Sequence[str],
    labels: Sequence[int] | Sequence[float],
    options: DatasetOptions,
    origin: str,
    nothing: Sequence[str],
) -> Rows:
    groups = None
    if options.group_column is not None:
        column = find_column(table, [options.group_column], origin, "group_column")
        groups = group_words(table[column], column, nothing)
    others = [name for name in table if name not in (*texts, options.label_column)]
    columns = {name: [cell(value) for value in table[name]] for name in others}
    return rows_of(texts_of(table, texts, origin), labels, groups, columns)


def safe_name(path: Path) -> str:
    """The file's stem with only the characters that LIT allows in a name.

    >>> safe_name(Path("my reviews, 2024.csv.gz"))
    'my-reviews-2024'
    """
    stem = Path(path.name.removesuffix(".gz")).stem if path.suffix else path.name
    return re.sub(r"[^A-Za-z0-9._-]+", "-", stem).strip("-.") or "table"
