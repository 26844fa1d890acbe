"""Data sets: one loader per source, all giving train, dev and test that share no text and no group."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from lit_probe.brackets import entries, options_of, without_options
from lit_probe.data.annotating import annotate, annotated
from lit_probe.data.conll import load_conll
from lit_probe.data.conllu import load_conllu
from lit_probe.data.demo import load_demo
from lit_probe.data.hub_dataset import load_hub_dataset
from lit_probe.data.imdb import load_imdb
from lit_probe.data.in_memory import split_texts
from lit_probe.data.labelled_texts import Splits
from lit_probe.data.options import (
    HUB_OPTIONS,
    LIST_OPTIONS,
    TABLE_OPTIONS,
    TEXT_OPTIONS,
    WORD_OPTIONS,
    DatasetOptions,
    word_in_brackets,
)
from lit_probe.data.sst2 import load_sst2, load_sst2_sentences
from lit_probe.data.table_file import load_csv, load_jsonl, load_tsv, split_table
from lit_probe.data.tables import unreadable
from lit_probe.data.tagged_columns import split_words
from lit_probe.errors import DatasetError
from lit_probe.registry import lookup

Loader = Callable[[str | None, DatasetOptions], Splits]
"""From a source (a path, or None for the loader's own) and options to splits."""


@dataclass(frozen=True)
class Source:
    """An entry of `DATASETS`.

    Attributes:
      load: the loader.
      uses: the options of `DatasetOptions` that it uses beside ``max_examples`` and ``seed``; the others are refused.
    """

    load: Loader
    uses: tuple[str, ...] = ()


DATASETS: dict[str, Source] = {
    "demo": Source(load_demo, TEXT_OPTIONS),
    "sst2": Source(load_sst2, TEXT_OPTIONS),
    "sst2_sentences": Source(load_sst2_sentences, TEXT_OPTIONS),
    "imdb": Source(load_imdb, TEXT_OPTIONS),
    "csv": Source(load_csv, TABLE_OPTIONS),
    "tsv": Source(load_tsv, TABLE_OPTIONS),
    "jsonl": Source(load_jsonl, LIST_OPTIONS),
    "hub": Source(load_hub_dataset, HUB_OPTIONS),
    "conllu": Source(load_conllu, WORD_OPTIONS),
    "conll": Source(load_conll, WORD_OPTIONS),
}

__all__ = [
    "DATASETS",
    "DatasetOptions",
    "Loader",
    "Source",
    "WantedDataset",
    "annotate",
    "load_dataset",
    "parse_dataset_flag",
    "refuse_unused",
    "sources_that_use",
    "split_table",
    "split_texts",
    "split_words",
]


def load_dataset(name: Any, source: str | None = None, options: DatasetOptions | None = None) -> Splits:
    """Loads one data set, divided into train, dev and test.

    Args:
      name: a name in `DATASETS`; or a table that the program holds: a DataFrame, a ``datasets.Dataset`` or ``DatasetDict``, or
        any other form that ``split_table`` takes.
      source: the path of a local copy, or of a table; for ``"hub"`` an id such as ``"org/name"``, or a folder. None for the
        embedded or the hub's own copy.
      options: rows per split, seed, columns; by default ``DatasetOptions()``.

    Raises:
      UnknownNameError: the name is in no registry.
      DatasetError: the source cannot be read, divided or probed, or does not use one of the options.

    >>> splits = load_dataset("demo")
    >>> splits.label_names
    ('negative', 'positive')
    """
    options = options or DatasetOptions()
    if not isinstance(name, str):
        if source is not None:
            raise DatasetError(f"A table that a program holds has no other source: leave {source!r} out.")
        return split_table(name, options)
    loader = lookup(DATASETS, name, "data set").load
    refuse_unused(name, options.given())
    try:
        return annotated(loader(source, options), options)
    except OSError as error:  # a folder within the source that may not be entered
        raise unreadable(source or name, error) from error


def sources_that_use(option: str) -> list[str]:
    """The names of the data sets that use an option.

    >>> sources_that_use("group_column")
    ['csv', 'tsv', 'jsonl', 'hub']
    """
    return [name for name, source in DATASETS.items() if option in source.uses]


def refuse_unused(name: str, given: Collection[str]) -> None:
    """Refuses options that a data set does not use: they would change nothing, without a word.

    Args:
      name: the data set's name in `DATASETS`.
      given: the options that somebody gave.

    Raises:
      DatasetError: names the first one that it does not use, and which data sets do.
    """
    for option in given:
        if option not in lookup(DATASETS, name, "data set").uses:
            users, word = sources_that_use(option), word_in_brackets(option)
            raise DatasetError(
                f"The data set {name} does not use the option {option}, only {', '.join(users)} {'do' if users[1:] else 'does'}. "
                f"Leave it out or, beside other data sets, write it in the brackets of the one it is for: {users[0]}=…[{word}=…]."
            )


class WantedDataset(NamedTuple):
    """One data set that ``--datasets`` names.

    Attributes:
      name: its name in `DATASETS`.
      source: what stands after ``=`` (a path, or the id of a data set of the hub), or None.
      options: what stands in brackets after it, as fields of `DatasetOptions`.
    """

    name: str
    source: str | None
    options: Mapping[str, Any]


def parse_dataset_flag(flag: str) -> list[WantedDataset]:
    """Reads ``--datasets``: names, each with ``=path`` or without, separated by commas.

    Options of one data set stand in brackets after its path: ``csv=a.csv[text=review,label=stars,group=author]``,
    ``csv=b.csv[text=premise+hypothesis]`` for a pair of columns, and
    ``hub=org/name[config=plain,revision=v2]``; ``missing`` may stand there several times, once for each word. A comma in a
    file's name is no separator where that file is there.

    Raises:
      UnknownNameError: a name is in no registry.
      DatasetError: a path is missing after ``=``, or brackets hold something else than options, one of them twice, or one that
        the data set does not use.

    >>> [tuple(one) for one in parse_dataset_flag("sst2=../copies/sst2,imdb,csv=reviews.csv[text=review]")]
    [('sst2', '../copies/sst2', {}), ('imdb', None, {}), ('csv', 'reviews.csv', {'text_column': 'review'})]
    """
    wanted: list[WantedDataset] = []
    for item in entries(flag, lambda entry: entry.partition("=")[2].strip()):
        name = re.split(r"[=\[]", item, maxsplit=1)[0].strip()
        lookup(DATASETS, name, "data set")
        rest = item.removeprefix(name).strip()
        path = rest.removeprefix("=").strip()
        source = without_options(path)
        if rest.startswith("=") and not source:
            raise DatasetError(f"There is no path after {item!r}. Write {name}=PATH, or {name} alone for its own copy.")
        options = _options_in_brackets(path)
        refuse_unused(name, options)
        wanted.append(WantedDataset(name, source or None, options))
    return wanted


_TRUTH = {"true": True, "false": False}
# Those of a table first, which most sources are.
_IN_BRACKETS = {word_in_brackets(option): option for option in HUB_OPTIONS}
_IN_BRACKETS |= {word_in_brackets(option): option for source in DATASETS.values() for option in source.uses}


def _options_in_brackets(path: str) -> dict[str, Any]:
    """The options in brackets at the end of a path, as fields of `DatasetOptions`."""
    options: dict[str, Any] = {}
    for word, value in options_of(path):
        option = _IN_BRACKETS.get(word)
        if option is None or not value:
            raise DatasetError(
                f"{path.removeprefix(without_options(path))} says {word!r}. In brackets stand options of that data set: "
                f"{', '.join(f'{known}=…' for known in _IN_BRACKETS)}. Two columns of a pair are joined by a plus sign: "
                "text=premise+hypothesis."
            )
        if option in options and option != "missing":
            raise DatasetError(f"{path.removeprefix(without_options(path))} names {word!r} twice. Name it once.")
        if option == "multilabel" and value.lower() not in _TRUTH:
            raise DatasetError(f"{path.removeprefix(without_options(path))} gives multilabel {value!r}. Give true or false.")
        if option == "max_words" and not value.isdecimal():
            raise DatasetError(
                f"{path.removeprefix(without_options(path))} gives max_words {value!r}. Give a whole number, or 0 for all words."
            )
        given = int(value) if option == "max_words" else _TRUTH[value.lower()] if option == "multilabel" else value
        options[option] = (*options.get(option, ()), given) if option == "missing" else given
    return options
