"""Data sets that the library ``datasets`` reads: of the Hugging Face hub, of its local cache, and of folders on this machine."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from lit_probe.data.labelled_texts import SplitName
from lit_probe.data.split_files import check_shards, files_in, named_splits
from lit_probe.data.tables import Table
from lit_probe.errors import DatasetError

_COMMIT = re.compile(r"[0-9a-f]{40}")
# How the library lists configs in its messages: there is no call that tells them of what is in the cache alone.
_CONFIGS = re.compile(r"(?:available configs: |Available: |in the cache: )\[?([^\]\n]+)")
_MOST_NAMED = 20

_FROM_FILES = "Read without a network, from the files in the hub's cache: a file that was never downloaded is not noticed."

_GIB = 2**30
_MOST_BYTES = 4 * _GIB
"""The largest data set that is loaded: its rows are divided in memory, which takes about three times as much."""


@dataclass(frozen=True)
class Loaded:
    """What the library has loaded.

    Attributes:
      parts: a ``datasets.DatasetDict``, the parts by name.
      config: the name of the config.
      revision: the commit that the rows come from; None where nothing tells it.
      notes: remarks for the provenance.
    """

    parts: Any
    config: str
    revision: str | None
    notes: tuple[str, ...] = ()


def load_hub(name: str, hub_id: str) -> tuple[dict[SplitName, Table], dict[str, int], dict[str, Any]]:
    """Loads all splits of a hub data set that we have a loader for.

    Args:
      name: the data set's name on our flags, for the message.
      hub_id: its id on the hub, such as ``"stanfordnlp/sst2"``.

    Returns:
      One table per split; the number of rows in each further split (``unsupervised``); the origin for the provenance, with the
      revision (a commit, or None where the library does not tell).

    Raises:
      DatasetError: it is neither in the cache nor to be downloaded, or has two parts for one split.
    """
    loaded = load_parts(hub_id, advice=f"name the data set with a local copy ({name}=PATH), or take the embedded one (demo)")
    parts, others = named_splits(loaded.parts, hub_id)
    tables = {split: part.to_dict() for split, part in parts.items()}
    further = {word: len(part) for word, part in others.items()}
    return tables, further, {"kind": "hub", "id": hub_id, "revision": loaded.revision}


def load_parts(source: str, config: str | None = None, revision: str | None = None, *, advice: str) -> Loaded:
    """All parts of a data set. No code that comes with it is run.

    Without a network it is taken from the library's own cache, or from files of it in the hub's cache.

    Args:
      source: its id on the hub, such as ``"stanfordnlp/sst2"``, or a folder that is there.
      config: which of its configs; None where it has one only, or a usual one.
      revision: the branch, tag or commit; None for the main branch.
      advice: what to do without a network, for the message.

    Raises:
      DatasetError: there is no such data set, config or revision; it may not be read, has to run code of its own, is too large,
        or is neither in the cache nor to be downloaded.
    """
    from datasets.exceptions import DatasetsError

    folder = Path(source).expanduser()
    try:
        try:
            # As a whole path: a folder called csv would be taken for a form of files.
            return _load(source, str(folder.absolute()) if folder.is_dir() else source, config, revision)
        except ConnectionError as error:
            snapshot = _snapshot(source, revision)
            if snapshot is None:
                raise DatasetError(
                    f"{source} is not in the local Hugging Face cache and cannot be downloaded ({_first_line(error)}). "
                    f"Without a network, {advice}."
                ) from error
            return replace(_load(source, str(snapshot), config), revision=snapshot.name, notes=(_FROM_FILES,))
    except (OSError, ValueError, RuntimeError, DatasetsError) as error:
        raise _explained(error, source, config, revision) from error


def _load(source: str, place: str, config: str | None, revision: str | None = None) -> Loaded:
    from datasets import load_dataset_builder

    builder = load_dataset_builder(place, config, revision=revision)
    size = builder.info.dataset_size or builder.info.download_size or _size_of_files(builder.config.data_files or {})
    if size > _MOST_BYTES:
        raise DatasetError(
            f"{source} has {size / _GIB:,.0f} GiB or more; data sets are read into memory, up to {_MOST_BYTES / _GIB:.0f} GiB. "
            "Take some of its rows in a program (datasets.load_dataset with streaming=True), save them, and name that file."
        )
    builder.download_and_prepare()
    parts = builder.as_dataset()
    found = revision_of(file["filename"] for part in parts.values() for file in part.cache_files)
    # Without a network the library takes the last version in its cache, whatever was asked for.
    if revision is not None and type(builder).__name__ == "Cache" and found != revision:
        raise DatasetError(
            f"{source} cannot be had in the revision {revision!r} without a network: the cache holds {found or 'another one'}. "
            "Name that commit, or go online."
        )
    return Loaded(parts, builder.config.name, found)


def _size_of_files(files_by_split: Mapping[str, Sequence[str]]) -> int:
    """The bytes of the files of a data set, here or on the hub; not counted to the end where they are too many."""
    size = 0
    for file in (file for files in files_by_split.values() for file in files):
        if file.startswith("hf://"):
            from huggingface_hub import HfFileSystem

            size += int(HfFileSystem().info(file)["size"])
        elif Path(file).is_file():
            size += Path(file).stat().st_size
        if size > _MOST_BYTES:
            break
    return size


def _snapshot(hub_id: str, revision: str | None) -> Path | None:
    """The folder of the data set's files in the hub's cache, as ``hf download`` leaves them; None where there is none.

    Raises:
      DatasetError: shards of it are missing.
    """
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HFValidationError, LocalEntryNotFoundError

    try:
        folder = Path(snapshot_download(hub_id, repo_type="dataset", revision=revision, local_files_only=True))
    except (LocalEntryNotFoundError, HFValidationError):
        return None
    files = files_in(folder, deep=True)
    check_shards(files)
    return folder if any(not file.name.startswith(".") and file.suffix != ".md" for file in files) else None


def _explained(error: Exception, source: str, config: str | None, revision: str | None) -> DatasetError:
    """What the library says, in one plain sentence and what to do."""
    said = str(error)
    if found := _CONFIGS.search(said):
        names = re.findall("'([^']+)'", found[1]) or [name.strip() for name in found[1].split(",")]
        here = " in the local cache" if "cache" in found[0] else ""
        has = f"has no config {config!r}{here}, but" if config else f"has several configs{here} and none was named:"
        return DatasetError(f"{source} {has} {_listed(names)}. Name one with the option data_config.")
    if type(error).__name__ in ("NonMatchingSplitsSizesError", "ExpectedMoreSplitsError", "UnexpectedSplitsError"):
        return DatasetError(f"{source} has other splits, or other numbers of rows, than its README says. Download it again.")
    if "is a gated dataset" in said:
        return DatasetError(
            f"{source} is gated: its owners ask for your consent. Give it at https://huggingface.co/datasets/{source}, log in "
            "with hf auth login, and try again."
        )
    if said.startswith("Revision "):
        return DatasetError(
            f"{source} has no revision {revision!r}. Name a branch, a tag or a commit with the option data_revision."
        )
    if "scripts are no longer supported" in said:
        return DatasetError(
            f"{source} needs Python code of its own to be read, which is not run. Many have a copy without code in the branch "
            "refs/convert/parquet: name it with the option data_revision."
        )
    if "doesn't exist on the Hub" in said or "Couldn't find any data file" in said:
        return DatasetError(
            f"There is no data set {source!r}, neither as a folder here nor on the Hugging Face hub, or it is private. Check how "
            "it is written; for a private one log in with hf auth login."
        )
    cause = error.__cause__ if type(error).__name__ == "DatasetGenerationError" and error.__cause__ else error
    return DatasetError(f"{source} cannot be read as a data set ({_first_line(cause)}). Name a file of it, such as csv=PATH.")


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
    return ", ".join(names[:_MOST_NAMED]) + more


def _first_line(error: BaseException) -> str:
    """The first line of what an error says, without the full stop."""
    return (str(error).strip() or type(error).__name__).splitlines()[0].rstrip(".")


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
