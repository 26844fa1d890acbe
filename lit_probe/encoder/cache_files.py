"""Folders and files that are this user's own: opened without following links, and closed to everybody else."""

from __future__ import annotations

import errno
import hashlib
import io
import os
import re
import shutil
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lit_probe.errors import CacheError

_NO_LINKS = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC
# What tempfile calls the folder of a writer, and what stands in it.
UNFINISHED = "unfinished-"
_LEFTOVER = re.compile(rf"{UNFINISHED}[a-z0-9_]{{8}}")
_IN_LEFTOVERS = {"entry", "made", "untrusted"}
_DAY_S = 86_400


def check_closed(folder: Path) -> None:
    """That nobody else may put anything into the folder, or another folder in its place.

    Raises:
      CacheError: others may.
      OSError: it cannot be looked at.
    """
    real = folder.resolve()
    for place in (real, *real.parents):
        info = place.stat()
        whose = info.st_uid not in (os.geteuid(), 0)
        # Groups of one person are common, so above the folder a group is no stranger.
        writable = stat.S_IWGRP | stat.S_IWOTH if place == real else stat.S_IWOTH
        open_to_all = info.st_mode & writable and not (place != real and info.st_mode & stat.S_ISVTX)
        if whose or open_to_all:
            why = "belongs to another user" if whose else f"has the rights {stat.S_IMODE(info.st_mode):04o}"
            # Only whose it is may change its rights.
            advice = "Name" if whose else f"Run `chmod go-w {place}`, name"
            where = "it" if place == real else f"the folder {str(place)!r} above it"
            raise CacheError(
                f"Others may write to the cache folder {str(folder)!r}: {where} {why}. {advice} a "
                "folder of your own with the option cache_dir, or go on with the option shared_cache."
            )


def own_folder(folder: Path) -> None:
    """Makes the folder with the rights 0700, or gives it these; the folders above it are there.

    Raises:
      CacheError: something else stands there, or somebody else's folder.
      OSError: it cannot be made.
    """
    try:
        folder.mkdir(mode=0o700)
    except FileExistsError:
        info = folder.lstat()
        if not stat.S_ISDIR(info.st_mode) or info.st_uid != os.geteuid():
            raise CacheError(f"{folder.name} is no folder of yours") from None
        if stat.S_IMODE(info.st_mode) != 0o700:
            folder.chmod(0o700)


@contextmanager
def open_within(root: Path, place: Path) -> Iterator[int]:
    """A descriptor of a folder inside ``root``, no part of whose path from there on is a link.

    Raises:
      CacheError: a part of it is a link or no folder.
      OSError: it is not there.
    """
    held = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        for part in place.relative_to(root).parts:
            try:
                inner = os.open(part, _NO_LINKS | os.O_DIRECTORY, dir_fd=held)
            except NotADirectoryError:
                raise CacheError(f"{part} is no folder") from None
            os.close(held)
            held = inner
        yield held
    finally:
        os.close(held)


def open_regular(path: str | Path, at: int | None = None) -> io.BufferedReader:
    """Opens a regular file for reading; a link is not followed, and a pipe or device is not waited for.

    Args:
      path: the file.
      at: the descriptor of the folder that it is in; None for a path of its own.

    Raises:
      CacheError: it is something else.
      OSError: it is not there, or may not be read.
    """
    try:
        descriptor = os.open(path, _NO_LINKS | os.O_NONBLOCK, dir_fd=at)
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.ENXIO):  # a link, or a socket
            raise CacheError(f"{Path(path).name} is no regular file") from None
        raise
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise CacheError(f"{Path(path).name} is no regular file")
    return os.fdopen(descriptor, "rb")


def read_small(name: str, at: int, limit: int) -> bytes:
    """The content of a regular file in an open folder.

    Raises:
      CacheError: it is something else, or larger than ``limit`` bytes; then nothing is read.
      OSError: it is not there, or cannot be read.
    """
    with open_regular(name, at) as stream:
        if os.fstat(stream.fileno()).st_size > limit:
            raise CacheError(f"{name} is larger than {limit:,} bytes")
        return stream.read(limit)


def digest_of(name: str, at: int, size: int) -> str:
    """sha256 of a regular file of ``size`` bytes in an open folder.

    Raises:
      CacheError: it is something else, or has another size; then nothing is read.
      OSError: it is not there, or cannot be read.
    """
    with open_regular(name, at) as stream:
        if os.fstat(stream.fileno()).st_size != size:
            raise CacheError(f"the content of {name} has changed")
        return hashlib.file_digest(stream, "sha256").hexdigest()


def folders_in(folder: Path) -> list[Path]:
    """The folders in a folder that are no links, by name."""
    try:
        with os.scandir(folder) as found:
            return sorted(Path(one.path) for one in found if one.is_dir(follow_symlinks=False))
    except OSError:
        return []  # taken away meanwhile, or closed to us


def is_name_of_writer(name: str) -> bool:
    """Whether a folder of this name is one that a writer makes."""
    return _LEFTOVER.fullmatch(name) is not None


def leftovers(kind: Path, older_than_s: float = _DAY_S) -> list[Path]:
    """Folders of writers that were killed: named and filled as a writer does, and untouched for so long."""
    return [
        folder for folder in folders_in(kind) if _LEFTOVER.fullmatch(folder.name) and _untouched_since(folder) >= older_than_s
    ]


def _untouched_since(work: Path) -> float:
    try:
        inner = list(work.iterdir())
        if {path.name for path in inner} - _IN_LEFTOVERS:
            return -1.0
        return time.time() - max(path.lstat().st_mtime for path in (work, *inner))
    except OSError:
        return -1.0


def sweep(root: Path) -> None:
    """Takes away what killed writers left behind more than a day ago."""
    for kind in folders_in(root):
        for folder in leftovers(kind):
            remove(folder)


def remove(folder: Path) -> None:
    """Takes a folder away with all that is in it; links in it are taken away and not followed."""
    shutil.rmtree(folder, ignore_errors=True)
