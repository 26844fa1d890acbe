"""Data sets from the Hugging Face hub, or its local cache."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from lit_probe.data.labelled_texts import SplitName
from lit_probe.data.split_files import named_splits
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
      DatasetError: it is neither in the cache nor to be downloaded, or has two parts for one split.
    """
    from datasets import load_dataset

    try:
        loaded = load_dataset(hub_id)
    except (OSError, ValueError) as error:
        raise DatasetError(
            f"{hub_id} is not in the local Hugging Face cache and cannot be downloaded ({error}). "
            f"Without a network, name the data set with a local copy ({name}=PATH), or take the embedded one (demo)."
        ) from error
    parts, others = named_splits(loaded, hub_id)
    tables = {split: part.to_dict() for split, part in parts.items()}
    further = {word: len(part) for word, part in others.items()}
    cache_files = [file["filename"] for part in loaded.values() for file in part.cache_files]
    return tables, further, {"kind": "hub", "id": hub_id, "revision": revision_of(cache_files)}


def revision_of(cache_files: Iterable[str]) -> str | None:
    """The commit that the rows come from: the library caches each data set in a folder of that name.

    >>> revision_of(["/cache/org___name/default/0.0.0/" + "a1" * 20 + "/name-train.arrow"]) == "a1" * 20
    True
    """
    folders = (Path(file).parent.name for file in cache_files)
    return next((folder for folder in folders if _COMMIT.fullmatch(folder)), None)


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
