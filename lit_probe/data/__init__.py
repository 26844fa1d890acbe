"""Data sets: one loader per source, all giving train, dev and test that share no text and no group."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from lit_probe.brackets import entries, options_of, without_options
from lit_probe.data.demo import load_demo
from lit_probe.data.imdb import load_imdb
from lit_probe.data.in_memory import split_texts
from lit_probe.data.labelled_texts import Splits
from lit_probe.data.options import DatasetOptions
from lit_probe.data.sst2 import load_sst2, load_sst2_sentences
from lit_probe.data.table_file import load_csv, load_jsonl, load_tsv, split_table
from lit_probe.data.tables import unreadable
from lit_probe.errors import DatasetError
from lit_probe.registry import lookup

Loader = Callable[[str | None, DatasetOptions], Splits]
"""From a source (a path, or None for the loader's own) and options to splits."""

DATASETS: dict[str, Loader] = {
    "demo": load_demo,
    "sst2": load_sst2,
    "sst2_sentences": load_sst2_sentences,
    "imdb": load_imdb,
    "csv": load_csv,
    "tsv": load_tsv,
    "jsonl": load_jsonl,
}

__all__ = [
    "DATASETS",
    "DatasetOptions",
    "Loader",
    "WantedDataset",
    "load_dataset",
    "parse_dataset_flag",
    "split_table",
    "split_texts",
]


def load_dataset(name: str, source: str | None = None, options: DatasetOptions | None = None) -> Splits:
    """Loads one data set, divided into train, dev and test.

    Args:
      name: a name in `DATASETS`.
      source: path of a local copy or, for csv, tsv and jsonl, of the table; None for the embedded or the hub's copy.
      options: rows per split, seed, columns; by default ``DatasetOptions()``.

    Raises:
      UnknownNameError: the name is in no registry.
      DatasetError: the source cannot be read, divided or probed.

    >>> splits = load_dataset("demo")
    >>> splits.label_names
    ('negative', 'positive')
    """
    loader = lookup(DATASETS, name, "data set")
    try:
        return loader(source, options or DatasetOptions())
    except OSError as error:  # a folder within the source that may not be entered
        raise unreadable(source or name, error) from error


class WantedDataset(NamedTuple):
    """One data set that ``--datasets`` names.

    Attributes:
      name: its name in `DATASETS`.
      source: the path after ``=``, or None.
      columns: what stands in brackets after it, as fields of `DatasetOptions`.
    """

    name: str
    source: str | None
    columns: Mapping[str, Any]


def parse_dataset_flag(flag: str) -> list[WantedDataset]:
    """Reads ``--datasets``: names, each with ``=path`` or without, separated by commas.

    Columns of one file stand in brackets after its path: ``csv=a.csv[text=review,label=stars,group=author]``. A comma in a
    file's name is no separator where that file is there.

    Raises:
      UnknownNameError: a name is in no registry.
      DatasetError: a path is missing after ``=``, or brackets hold something else than columns, or stand after a source
        that is no table.

    >>> [tuple(one) for one in parse_dataset_flag("sst2=../copies/sst2,imdb,csv=reviews.csv[text=review]")]
    [('sst2', '../copies/sst2', {}), ('imdb', None, {}), ('csv', 'reviews.csv', {'text_column': 'review'})]
    """
    wanted: list[WantedDataset] = []
    for item in entries(flag, lambda entry: entry.partition("=")[2].strip()):
        name, equals, path = (part.strip() for part in item.partition("="))
        lookup(DATASETS, name, "data set")
        if equals and not path:
            raise DatasetError(f"There is no path after {item!r}. Write {name}=PATH, or {name} alone for its own copy.")
        columns = _columns(path)
        if columns and name not in _TABLES:
            raise DatasetError(
                f"{name} knows its own columns: {item!r} can name none. Columns are named for {', '.join(_TABLES)}."
            )
        wanted.append(WantedDataset(name, without_options(path) or None, columns))
    return wanted


_TABLES = ("csv", "tsv", "jsonl")
_COLUMNS = ("text", "label", "group")


def _columns(path: str) -> dict[str, str]:
    """The columns in brackets at the end of a path, as fields of `DatasetOptions`."""
    pairs = options_of(path)
    if wrong := [key for key, column in pairs if key not in _COLUMNS or not column]:
        raise DatasetError(
            f"{path[path.rindex('[') :]} says {wrong[0]!r}. In brackets stand columns of that file: "
            f"{', '.join(f'{key}=NAME' for key in _COLUMNS)}."
        )
    return {f"{key}_column": column for key, column in pairs}
