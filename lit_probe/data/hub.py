"""Data sets from the Hugging Face hub, or its local cache."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from lit_probe.data.labelled_texts import SplitName
from lit_probe.data.split_files import split_word
from lit_probe.data.tables import Table
from lit_probe.errors import DatasetError

_COMMIT = re.compile(r"[0-9a-f]{40}")


def load_hub(name: str, hub_id: str) -> tuple[dict[SplitName, Table], dict[str, int], dict[str, Any]]:
    """Loads all splits of a hub data set.

    Args:
      name: the data set's name on our flags, for the message.
      hub_id: its id on the hub, such as ``"stanfordnlp/sst2"``.

    Returns:
      One table per split; the number of rows in each further split (``unsupervised``); the origin for the provenance, with the
      revision (a commit, or None where the library does not tell).

    Raises:
      DatasetError: it is neither in the cache nor to be downloaded.
    """
    from datasets import load_dataset

    try:
        loaded = load_dataset(hub_id)
    except (OSError, ValueError) as error:
        raise DatasetError(
            f"{hub_id} is not in the local Hugging Face cache and cannot be downloaded ({error}). "
            f"Without a network, name the data set with a local copy ({name}=PATH), or take the embedded one (demo)."
        ) from error
    tables, further = named_splits(loaded)
    cache_files = [file["filename"] for part in loaded.values() for file in part.cache_files]
    return tables, further, {"kind": "hub", "id": hub_id, "revision": revision_of(cache_files)}


def named_splits(loaded: Mapping[str, Any]) -> tuple[dict[SplitName, Table], dict[str, int]]:
    """The columns of train, dev and test, and the number of rows in every split that is none of them."""
    tables: dict[SplitName, Table] = {}
    further: dict[str, int] = {}
    for word, part in loaded.items():
        split = split_word(word)
        if split:
            tables[split] = part.to_dict()
        else:
            further[word] = len(part)
    return tables, further


def revision_of(cache_files: Iterable[str]) -> str | None:
    """The commit that the rows come from: the library caches each data set in a folder of that name.

    >>> revision_of(["/cache/org___name/default/0.0.0/" + "a1" * 20 + "/name-train.arrow"]) == "a1" * 20
    True
    """
    folders = (Path(file).parent.name for file in cache_files)
    return next((folder for folder in folders if _COMMIT.fullmatch(folder)), None)


class DatasetLike(Protocol):
    """What is used of a ``datasets.Dataset``."""

    features: Mapping[str, Any]

    def to_dict(self) -> dict[str, list[Any]]:
        """The columns."""


@dataclass(frozen=True)
class DatasetParts:
    """The tables of a ``datasets`` object.

    Attributes:
      tables: by split, as the object calls it; a data set without splits stands under an empty name.
      class_names: of each column of classes, what 0, 1, … are called.
    """

    tables: Mapping[str, Table]
    class_names: Mapping[str, Sequence[str]]


def datasets_parts(table: Any) -> DatasetParts | None:
    """The tables of a ``datasets.Dataset`` or ``DatasetDict``; None for any other table."""
    if _is_of_datasets(table):
        return DatasetParts({"": table.to_dict()}, _class_names(table.features))
    if isinstance(table, dict) and table and all(_is_of_datasets(part) for part in table.values()):
        first = next(iter(table.values()))
        return DatasetParts({str(word): part.to_dict() for word, part in table.items()}, _class_names(first.features))
    return None


def _is_of_datasets(table: Any) -> bool:
    """Whether it is a ``datasets.Dataset``, told by its module: importing the library takes a second."""
    return type(table).__module__.split(".")[0] == "datasets" and hasattr(table, "to_dict")


def _class_names(features: Mapping[str, Any]) -> dict[str, Sequence[str]]:
    return {name: feature.names for name, feature in features.items() if type(feature).__name__ == "ClassLabel"}


def is_saved_dataset(folder: Path) -> bool:
    """Whether ``save_to_disk`` of the library ``datasets`` has written the folder."""
    names = {path.name for path in folder.iterdir()}
    return "dataset_dict.json" in names or {"state.json", "dataset_info.json"} <= names


def load_saved_dataset(folder: Path) -> Any:
    """The ``Dataset`` or ``DatasetDict`` that ``save_to_disk`` has written.

    Raises:
      DatasetError: it cannot be read.
    """
    from datasets import load_from_disk

    try:
        return load_from_disk(str(folder))
    except (OSError, ValueError, KeyError) as error:
        raise DatasetError(f"{str(folder)!r} was written by save_to_disk and cannot be read ({error}). Save it again.") from error
