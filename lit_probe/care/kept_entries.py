"""What the cache holds: a list, its size, which entries are sound, and taking away what is old, too much or all of it.

Only entries and leftovers of killed writers are ever taken away, only inside the cache folder, and no link is followed. What else
lies there is left alone.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from lit_probe.encoder.cache_entries import MANIFEST, verify
from lit_probe.encoder.cache_files import check_closed, folders_in, leftovers, remove
from lit_probe.errors import CacheError, LitProbeError
from lit_probe.results import Result

# Entries are called by a hash; converted models have a version behind it.
_ENTRY = re.compile(r"[0-9a-f]{24}|[0-9a-f]{40}(-\d+)?")
DAY_S = 86_400
GB = 10**9


@dataclass(frozen=True)
class KeptEntry(Result):
    """One entry of the cache.

    Attributes:
      kind: what it is a result of, such as ``activations``.
      name: its folder inside that of its kind.
      n_bytes: what its files take.
      used: when it was last written or read, in seconds since 1970.
      fault: why it is no entry for this user; None where it is one, or was not looked into.
    """

    kind: str
    name: str
    n_bytes: int
    used: float
    fault: str | None = None


def kept_entries(root: Path, *, look_into: bool = False) -> list[KeptEntry]:
    """The entries of a cache folder, by kind and name.

    Args:
      root: the folder.
      look_into: whether signatures and the hashes of all files are checked, which reads everything.
    """
    found = []
    for kind in folders_in(root):
        for place in _entry_folders(kind):
            name = place.relative_to(kind).as_posix()
            try:
                entry = KeptEntry(kind.name, name, _n_bytes(place), place.lstat().st_mtime)
            except FileNotFoundError:
                continue  # taken away meanwhile
            found.append(replace(entry, fault=_fault(root, place, name)) if look_into else entry)
    return found


def unfinished(root: Path, older_than_s: float = DAY_S) -> list[Path]:
    """What killed writers left behind and nobody has touched for so long."""
    return [folder for kind in folders_in(root) for folder in leftovers(kind, older_than_s)]


def to_prune(
    entries: Sequence[KeptEntry], *, older_than_days: float | None = None, max_bytes: float | None = None
) -> list[KeptEntry]:
    """The entries that were not used for so many days, and of the others those that were not used for longest, until all fit."""
    now = time.time()
    old = [one for one in entries if older_than_days is not None and now - one.used > older_than_days * DAY_S]
    others = sorted(set(entries) - set(old), key=lambda one: one.used)
    total = sum(one.n_bytes for one in others)
    for one in others:
        if max_bytes is None or total <= max_bytes:
            break
        old.append(one)
        total -= one.n_bytes
    return old


def take_away(root: Path, entries: Iterable[KeptEntry], left: Iterable[Path] = ()) -> None:
    """Takes entries and leftovers away, and the folders of kinds that are empty then."""
    for place in (*(root / one.kind / one.name for one in entries), *left):
        remove(place)
    for kind in folders_in(root):
        for folder in (*folders_in(kind), kind):
            if (_ENTRY.fullmatch(folder.name) or folder == kind) and not any(folder.iterdir()):
                folder.rmdir()


def opened(folder: Path, *, shared: bool = False) -> Path | None:
    """The cache folder, or None where there is none; nothing is made.

    Raises:
      LitProbeError: it cannot be read, or others may write to it and ``shared`` does not allow that.
    """
    try:
        if not shared:
            check_closed(folder)
        if not folder.is_dir():
            raise LitProbeError(f"{str(folder)!r} is no folder. Name the cache with --cache_dir.")
        next(folder.iterdir(), None)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise LitProbeError(f"The cache folder {str(folder)!r} cannot be read: {error.strerror}. Change --cache_dir.") from None
    return folder.resolve()


def entries_table(entries: Sequence[KeptEntry]) -> str:
    """One line for each entry: kind, name, size, and days since it was of use."""
    now = time.time()
    rows = [(one.kind, one.name, size_text(one.n_bytes), f"{(now - one.used) / DAY_S:.1f} days") for one in entries]
    return _table(("kind", "entry", "size", "last used"), rows)


def kinds_table(entries: Sequence[KeptEntry]) -> str:
    """One line for each kind of entry, and one for all: how many there are, and what they take."""
    kinds = sorted({one.kind for one in entries})
    groups = [(kind, [one for one in entries if one.kind == kind]) for kind in kinds] + [("all", list(entries))]
    return _table(
        ("kind", "entries", "size"), [(kind, f"{len(own):,}", size_text(sum(one.n_bytes for one in own))) for kind, own in groups]
    )


def size_text(n_bytes: float) -> str:
    """Bytes in a unit that people read.

    >>> size_text(12), size_text(3_400_000), size_text(2.5e9)
    ('12 B', '3.4 MB', '2.5 GB')
    """
    for unit, scale in (("GB", GB), ("MB", 10**6), ("kB", 10**3)):
        if n_bytes >= scale:
            return f"{n_bytes / scale:,.1f} {unit}"
    return f"{n_bytes:,.0f} B"


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    widths = [max(len(row[column]) for row in (header, *rows)) for column in range(len(header))]
    return "\n".join(
        "  ".join(
            cell.rjust(width) if header[column] in ("entries", "size", "last used") else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in (header, *rows)
    )


def _entry_folders(kind: Path) -> list[Path]:
    found = []
    for folder in folders_in(kind):
        if _ENTRY.fullmatch(folder.name):
            # Probes that were made on pages stand one folder deeper, by encoder and data set.
            inner = [one for one in folders_in(folder) if _ENTRY.fullmatch(one.name)]
            found += inner if inner and not os.path.lexists(folder / MANIFEST) else [folder]
    return found


def _n_bytes(entry: Path) -> int:
    return sum(one.stat(follow_symlinks=False).st_size for one in os.scandir(entry))


def _fault(root: Path, place: Path, key: str) -> str | None:
    try:
        verify(root, place, key)
    except CacheError as error:
        return str(error)
    except OSError as error:
        return error.strerror or str(error)
    return None
