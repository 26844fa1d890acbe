"""Data sets: one loader per source, all giving train, dev and test that share no text and no group."""

from __future__ import annotations

from collections.abc import Callable

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

__all__ = ["DATASETS", "DatasetOptions", "Loader", "load_dataset", "parse_dataset_flag", "split_table", "split_texts"]


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


def parse_dataset_flag(flag: str) -> list[tuple[str, str | None]]:
    """Reads ``--datasets``: names, each with ``=path`` or without, separated by commas.

    Raises:
      UnknownNameError: a name is in no registry.
      DatasetError: a path is missing after ``=``.

    >>> parse_dataset_flag("sst2=../copies/sst2,imdb,csv=reviews.csv")
    [('sst2', '../copies/sst2'), ('imdb', None), ('csv', 'reviews.csv')]
    """
    wanted: list[tuple[str, str | None]] = []
    for item in flag.split(","):
        name, equals, path = (part.strip() for part in item.partition("="))
        lookup(DATASETS, name, "data set")
        if equals and not path:
            raise DatasetError(f"There is no path after {item.strip()!r}. Write {name}=PATH, or {name} alone for its own copy.")
        wanted.append((name, path or None))
    return wanted
