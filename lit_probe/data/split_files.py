"""Which files of a folder hold the train, dev and test rows."""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from lit_probe.data.labelled_texts import SPLIT_NAMES, SplitName
from lit_probe.data.tables import Table, read_table, table_form, unreadable
from lit_probe.errors import DatasetError

T = TypeVar("T")

_SPLIT_WORDS: dict[str, SplitName] = {
    **dict.fromkeys(("train", "training", "trn"), "train"),
    **dict.fromkeys(("dev", "devel", "development", "validation", "validate", "valid", "val", "eval", "evaluation"), "dev"),
    **dict.fromkeys(("test", "testing", "tst"), "test"),
}
_SET = re.compile(r"[ _-]?(?:set|split|data)$")
_SHARD = re.compile(r"-(\d+)-of-(\d+)$")


def existing_path(source: str) -> Path:
    """The path of a local copy, file or folder; ``~`` is the home folder.

    Raises:
      DatasetError: nothing is there, nothing that could be read, or the way to it is closed.
    """
    try:
        path = Path(source).expanduser()
        if path.is_file() or path.is_dir():
            return path
        exists = path.exists()
    except (OSError, RuntimeError) as error:  # RuntimeError: there is no such user, or no home
        raise unreadable(source, error) from error
    if exists:
        raise DatasetError(f"{source!r} is neither a file nor a folder. Save what it gives as a file, and name that.")
    raise DatasetError(f"There is no file or folder {source!r}. Check the path; a relative one starts at the current folder.")


def files_in(folder: Path, ending: str = "", *, deep: bool = False) -> list[Path]:
    """The files in a folder (and its folders, if ``deep``) whose names end so, sorted.

    ``Path.glob`` would leave out, without a word, a folder that may not be read: a split or a class would be missing.

    Raises:
      DatasetError: a folder may not be read.
    """
    found: list[Path] = []
    for root, subfolders, names in os.walk(folder, onerror=_refuse):
        found += [Path(root, name) for name in names if name.endswith(ending)]
        if not deep:
            subfolders.clear()
    return sorted(found)


def _refuse(error: OSError) -> None:
    raise unreadable(error.filename, error) from error


def split_word(word: str) -> SplitName | None:
    """The split that a word means.

    >>> split_word("Validation"), split_word(" TRAINING "), split_word("Test set"), split_word("unsupervised")
    ('dev', 'train', 'test', None)
    """
    return _SPLIT_WORDS.get(_SET.sub("", word.strip().lower()))


def named_splits(parts: Mapping[str, T], origin: str) -> tuple[dict[SplitName, T], dict[str, T]]:
    """Train, dev and test among the parts of a data set, and those parts whose names say none of them.

    Raises:
      DatasetError: two parts are for one split.

    >>> named_splits({"train": 1, "validation": 2, "unsupervised": 3}, "This data set")
    ({'train': 1, 'dev': 2}, {'unsupervised': 3})
    """
    found: dict[SplitName, T] = {}
    called: dict[SplitName, str] = {}
    for word, part in parts.items():
        if split := split_word(word):
            if split in found:
                raise DatasetError(f"{origin} has two parts for one split: {called[split]} and {word}. Leave one of them out.")
            found[split], called[split] = part, word
    return found, {word: part for word, part in parts.items() if word not in called.values()}


def find_split_files(
    folder: Path,
    prefix: str = "",
    forms: Collection[str] = ("tsv", "csv", "jsonl"),
    splits: Collection[SplitName] = SPLIT_NAMES,
) -> dict[SplitName, list[Path]]:
    """Files such as ``train.tsv``, ``validation.csv.gz`` or ``<prefix>test.jsonl``, directly in the folder.

    Args:
      folder: where to look.
      prefix: what the names begin with.
      forms: the forms that are read.
      splits: the splits that are looked for.

    Raises:
      DatasetError: two files claim the same split.
    """
    found: dict[SplitName, list[Path]] = {}
    for path in files_in(folder):
        stem = path.name.split(".")[0]
        split = split_word(stem.removeprefix(prefix)) if stem.startswith(prefix) else None
        if split and split in splits and table_form(path) in forms:
            found.setdefault(split, []).append(path)
    for split, paths in found.items():
        if len(paths) > 1:
            raise _ambiguous(split, paths)
    return found


def word_files(folder: Path, endings: Sequence[str], also: Mapping[str, SplitName] | None = None) -> dict[SplitName, list[Path]]:
    """The files of a folder by the split that their names end with, as ``en_lines-ud-train.conllu.gz`` does.

    Args:
      folder: where to look.
      endings: what the names may end with; an empty one stands for any name.
      also: further words for splits.

    Raises:
      DatasetError: there is none of train, or two claim one split.
    """
    found: dict[SplitName, list[Path]] = {}
    for file in files_in(folder):
        stem = file.name.lower().removesuffix(".gz")
        ending = next((one for one in endings if stem.endswith(one)), None)
        word = "" if ending is None else re.split(r"[-_. ]", stem.removesuffix(ending))[-1]
        split = (also or {}).get(word) or split_word(word)
        if split is not None:
            found.setdefault(split, []).append(file)
    for split, files in found.items():
        if len(files) > 1:
            listed = ", ".join(file.name for file in files)
            raise DatasetError(f"Several files of {str(folder)!r} claim the {split} rows: {listed}. Leave one of them there.")
    if "train" not in found:
        raise DatasetError(
            f"The folder {str(folder)!r} holds no file whose name ends with train{endings[0]}. Name one file, or a folder with "
            "train, dev and test files."
        )
    return found


def find_hub_files(folder: Path) -> dict[SplitName, list[Path]]:
    """Parquet files as the Hugging Face hub lays them out, at any depth.

    That is ``data/train-00000-of-00001.parquet``, ``plain_text/test-….parquet``, ``default/train/0000.parquet`` or plain
    ``train.parquet``; the shards of one split must lie in one folder. Other splits (``unsupervised``) are no part of it.

    Raises:
      DatasetError: files of one split lie in several folders, or one of them is missing.
    """
    found: dict[SplitName, list[Path]] = {}
    for path in files_in(folder, ".parquet", deep=True):
        split = split_word(_SHARD.sub("", path.stem)) or split_word(path.parent.name)
        if split:
            found.setdefault(split, []).append(path)
    check_shards(path for paths in found.values() for path in paths)
    for split, paths in found.items():
        whole_and_shards = len(paths) > 1 and any(split_word(path.stem) for path in paths)
        if len({path.parent for path in paths}) > 1 or whole_and_shards:
            raise _ambiguous(split, paths)
    return found


def check_shards(files: Iterable[Path]) -> None:
    """Refuses files whose names count them (``train-00000-of-00003.parquet``), where one of them is not there.

    Raises:
      DatasetError: names the first one that is missing.
    """
    found: dict[tuple[Path, str, str], set[str]] = {}
    for file in files:
        stem, dot, ending = file.name.partition(".")
        if shard := _SHARD.search(stem):
            place = (file.parent / stem[: shard.start()], shard[2], dot + ending)
            found.setdefault(place, set()).add(shard[1])
    for (start, total, ending), numbers in found.items():
        for number in range(int(total)):
            if (digits := str(number).zfill(len(total))) not in numbers:
                missing = f"{start}-{digits}-of-{total}{ending}"
                raise DatasetError(f"The file {missing!r} is missing. Download the data set again.")


def read_split_files(files: dict[SplitName, list[Path]]) -> dict[SplitName, Table]:
    """One table per split; shards are joined in the order of their names."""
    return {split: _join(read_table(path) for path in paths) for split, paths in files.items()}


def folder_source(source: str, files: dict[SplitName, list[Path]]) -> dict[str, Any]:
    """The provenance of a folder: its path as given, and the files that were read."""
    folder = existing_path(source)
    names = {split: [path.relative_to(folder).as_posix() for path in paths] for split, paths in sorted(files.items())}
    return {"kind": "folder", "path": source, "files": names}


def _join(tables: Iterable[Table]) -> Table:
    joined: Table = {}
    for table in tables:
        for name, values in table.items():
            joined.setdefault(name, []).extend(values)
    return joined


def _ambiguous(split: str, paths: Sequence[Path]) -> DatasetError:
    listed = ", ".join(str(path) for path in paths)
    return DatasetError(
        f"Several files claim the {split} rows: {listed}. Leave one of them in the folder, or name a folder with one."
    )
