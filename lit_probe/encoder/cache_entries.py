"""Entries of the cache: a folder of files, a manifest that lists them with their sizes and hashes, and its signature.

An entry appears whole or not at all. Whatever is torn, foreign, changed, or not signed with the user's own key is no entry.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from lit_probe.encoder.cache_files import UNFINISHED, digest_of, open_within, own_folder, read_small, remove
from lit_probe.encoder.cache_key import is_signed, signature_of
from lit_probe.errors import CacheError

MANIFEST = "manifest.json"
SIGNATURE = "manifest.hmac"
# Where a writer puts the files of an entry that is not there yet.
CONTENT = "entry"
# Bytes. The largest manifest known here, of an entry of the battery, has less than 20,000.
_MAX_MANIFEST = 2**24
_N_SIGNATURE = 64


class UnsignedError(CacheError):
    """An entry that is not signed with the user's own key: of an earlier version, of another user, or planted."""


def verify(root: Path, entry: Path, key: str) -> dict[str, Any]:
    """The manifest of an entry whose files are those that were written.

    Args:
      root: the cache folder.
      entry: the entry's folder in it.
      key: what the entry must be of.

    Raises:
      UnsignedError: it is not signed with the user's key. Nothing of it was parsed.
      CacheError: it is torn, foreign or changed.
      OSError: it cannot be read.
    """
    with open_within(root, entry) as at:
        manifest = _signed_manifest(at)
        if manifest["key"] != key:
            raise CacheError("it belongs to another result")
        files = manifest["files"]
        if _names(at, len(files) + 2) != {MANIFEST, SIGNATURE, *files}:
            raise CacheError("files are missing or do not belong to it")
        for name, expected in files.items():
            if digest_of(name, at, manifest["sizes"][name]) != expected:
                raise CacheError(f"the content of {name} has changed")
    return manifest


def facts_of(root: Path, entry: Path) -> dict[str, Any]:
    """The manifest of an entry, whose files are not read.

    Raises:
      CacheError: it is no entry, or not signed with the user's key.
      OSError: it cannot be read.
    """
    with open_within(root, entry) as at:
        return _signed_manifest(at)


def _signed_manifest(at: int) -> dict[str, Any]:
    try:
        written = read_small(MANIFEST, at, _MAX_MANIFEST)
    except FileNotFoundError:
        raise CacheError("its manifest is missing") from None
    try:
        signature = read_small(SIGNATURE, at, _N_SIGNATURE)
    except FileNotFoundError:
        raise UnsignedError("it is not signed") from None
    return signed_manifest(written, signature)


def signed_manifest(written: bytes, signature: bytes) -> dict[str, Any]:
    """What a manifest says.

    Raises:
      UnsignedError: it is not signed with the user's key. Nothing of it was parsed.
    """
    if not is_signed(written, signature):
        raise UnsignedError("it is not signed with your key, or its manifest has changed")
    manifest: dict[str, Any] = json.loads(written)
    return manifest


def _names(at: int, most: int) -> set[str]:
    with os.scandir(at) as found:
        # One more than there should be tells as much as a million.
        return {one.name for one, _ in zip(found, range(most + 1), strict=False)}


def is_good(root: Path, entry: Path, key: str) -> bool:
    """Whether `verify` finds nothing to say."""
    try:
        verify(root, entry, key)
    except (CacheError, OSError):
        return False
    return True


def is_there(root: Path, entry: Path, key: str) -> bool:
    """Whether an entry is signed and has the files that were written, by their sizes. Who reads them has to `verify` them."""
    try:
        manifest = facts_of(root, entry)
        sizes = {path.name: path.lstat().st_size for path in entry.iterdir()}
    except (CacheError, OSError):
        return False
    written = {name: size for name, size in sizes.items() if name not in (MANIFEST, SIGNATURE)}
    return bool(manifest["key"] == key and written == manifest["sizes"])


def write(root: Path, entry: Path, key: str, facts: Mapping[str, Any], save: Callable[[Path], None]) -> None:
    """Writes an entry under another name and moves it into place; what stands there and cannot be trusted is taken away.

    Args:
      root: the cache folder.
      entry: the entry's folder in it.
      key: what the entry is of.
      facts: JSON-ready; what decided it.
      save: writes the files into an empty folder.

    Raises:
      CacheError: a folder above it is not the user's own.
      OSError: it cannot be written.
    """
    work = begin(root, entry)
    try:
        save(work / CONTENT)
        finish(root, entry, work, manifest_of(key, facts, _files_in(work / CONTENT)))
    finally:
        remove(work)


def begin(root: Path, entry: Path) -> Path:
    """A writer's own folder beside the entry; what is in its folder ``CONTENT``, empty so far, is `finish`ed to the entry.

    Raises:
      CacheError: a folder above it is not the user's own.
      OSError: it cannot be made.
    """
    place = root
    for part in entry.parent.relative_to(root).parts:
        place /= part
        own_folder(place)
    # Only this user may look into it, now and in its place.
    work = Path(tempfile.mkdtemp(dir=entry.parent, prefix=UNFINISHED))
    try:
        (work / CONTENT).mkdir(mode=0o700)
    except OSError:
        remove(work)
        raise
    return work


def manifest_of(key: str, facts: Mapping[str, Any], files: Mapping[str, tuple[str, int]]) -> bytes:
    """The manifest of an entry.

    Args:
      key: what the entry is of.
      facts: JSON-ready; what decided it.
      files: sha256 and number of bytes of each of its files.
    """
    digests, sizes = ({name: about[part] for name, about in files.items()} for part in (0, 1))
    return json.dumps({"key": key, "facts": facts, "files": digests, "sizes": sizes}, indent=1).encode()


def finish(root: Path, entry: Path, work: Path, manifest: bytes) -> None:
    """Signs what a writer has made and moves it into place; what stands there and cannot be trusted is taken away.

    Args:
      root: the cache folder.
      entry: the entry's folder in it.
      work: what `begin` has given.
      manifest: of the files in its folder ``CONTENT``, see `manifest_of`.

    Raises:
      OSError: it cannot be written.
    """
    folder = work / CONTENT
    for name, content in ((MANIFEST, manifest), (SIGNATURE, signature_of(manifest))):
        (folder / name).write_bytes(content)
        (folder / name).chmod(0o600)
    if os.path.lexists(entry) and not is_good(root, entry, json.loads(manifest)["key"]):
        # Out of the way first: removing takes several steps, and somebody may be reading.
        entry.rename(work / "untrusted")
    if not os.path.lexists(entry):
        _move(folder, entry)


def _files_in(folder: Path) -> dict[str, tuple[str, int]]:
    files = {}
    for path in sorted(folder.iterdir()):
        path.chmod(0o600)
        with path.open("rb") as stream:
            files[path.name] = hashlib.file_digest(stream, "sha256").hexdigest(), os.fstat(stream.fileno()).st_size
    return files


def _move(folder: Path, entry: Path) -> None:
    try:
        folder.rename(entry)
    except OSError:
        # Another process finished the same entry in the meantime: theirs is as good as ours.
        if not entry.exists():
            raise
