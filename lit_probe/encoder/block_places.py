"""Where blocks that many machines compute are put: a folder that all of them share, or a bucket of objects.

A worker puts the file of a block down, and says its hash to the program that asked for it. That program alone has the user's
key, signs the hash and makes an entry of the file (`encoder/cache_entries`). So a file that is changed afterwards is no entry.
"""

from __future__ import annotations

import functools
import hashlib
import re
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lit_probe.encoder.cache import ACTIVATIONS, BLOCK_FILE
from lit_probe.encoder.cache_entries import CONTENT, MANIFEST, SIGNATURE, begin, finish, is_there, manifest_of, signed_manifest
from lit_probe.encoder.cache_files import UNFINISHED, is_name_of_writer, own_folder, remove
from lit_probe.encoder.cache_key import signature_of
from lit_probe.errors import CacheError


@dataclass(frozen=True)
class Put:
    """The file of a block that a worker has put down.

    Attributes:
      at: where it lies until it is kept.
      sha256: of its content.
      n_bytes: its size.
    """

    at: str
    sha256: str
    n_bytes: int


class Place(ABC):
    """A place for blocks. It travels to the workers."""

    @abstractmethod
    def is_kept(self, key: str) -> bool:
        """Whether there is an entry, signed with the user's key, with a file of its size. Whoever reads that checks its hash."""

    @abstractmethod
    @contextmanager
    def marked(self) -> Iterator[str]:
        """A mark, by which workers know that this is the same place for them; see `check_mark`."""

    @abstractmethod
    def check_mark(self, mark: str) -> None:
        """Does nothing where the mark is found.

        Raises:
          CacheError: it is not.
        """

    @abstractmethod
    def put(self, key: str, content: bytes) -> Put:
        """Puts the file of a block down, on a worker.

        Raises:
          CacheError: the folder is not the user's own.
          OSError: it cannot be written.
        """

    @abstractmethod
    def keep(self, key: str, put: Put, facts: Mapping[str, Any]) -> None:
        """Signs what a worker has put down, which makes it an entry.

        Args:
          key: the name of the entry, which the program that asked for it knows and no worker says.
          put: what the worker says of it.
          facts: JSON-ready; what decided it.

        Raises:
          CacheError: there is no such file.
          OSError: it cannot be written.
        """


@dataclass(frozen=True)
class Folder(Place):
    """A cache folder that all machines share under the same path."""

    root: Path

    def is_kept(self, key: str) -> bool:
        """See `Place.is_kept`."""
        return is_there(self.root, self._kind / key, key)

    @contextmanager
    def marked(self) -> Iterator[str]:
        """See `Place.marked`. The mark is swept as what killed writers leave is."""
        own_folder(self._kind)
        with tempfile.TemporaryDirectory(dir=self._kind, prefix=UNFINISHED) as mark:
            yield Path(mark).name

    def check_mark(self, mark: str) -> None:
        """See `Place.check_mark`."""
        if not (self._kind / mark).is_dir():
            raise CacheError(
                f"the folder {str(self.root)!r} is not the one that the others see. Name one that all machines share."
            )

    def put(self, key: str, content: bytes) -> Put:
        """See `Place.put`."""
        work = begin(self.root, self._kind / key)
        try:
            file = work / CONTENT / BLOCK_FILE
            file.write_bytes(content)
            file.chmod(0o600)
        except OSError:
            remove(work)
            raise
        return _put(work.name, content)

    def keep(self, key: str, put: Put, facts: Mapping[str, Any]) -> None:
        """See `Place.keep`."""
        if not is_name_of_writer(put.at):
            raise CacheError(f"{put.at!r} is no folder of a writer")
        work = self._kind / put.at
        try:
            file = work / CONTENT / BLOCK_FILE
            _check_size(str(file), file.lstat().st_size if file.is_file() else None, put)
            finish(self.root, self._kind / key, work, _manifest(key, put, facts))
        finally:
            remove(work)

    @property
    def _kind(self) -> Path:
        return self.root / ACTIVATIONS


@dataclass(frozen=True)
class Bucket(Place):
    """Objects under an address such as ``s3://bucket/blocks``, as pyarrow reads it; named as the files of a cache folder.

    Objects appear whole and cannot be moved, so an entry is there once its signature is, which is written last.
    """

    uri: str

    def is_kept(self, key: str) -> bool:
        """See `Place.is_kept`."""
        system, paths = self._files(key)
        sizes = {Path(info.path).name: info.size for info in system.get_file_info(list(paths.values())) if info.is_file}
        if set(sizes) != set(paths):
            return False
        written, signature = (_read(system, paths[name]) for name in (MANIFEST, SIGNATURE))
        try:
            manifest = signed_manifest(written, signature)
        except CacheError:
            return False
        return bool(manifest["key"] == key and manifest["sizes"] == {BLOCK_FILE: sizes[BLOCK_FILE]})

    @contextmanager
    def marked(self) -> Iterator[str]:
        """See `Place.marked`. An address is the same for all."""
        yield ""

    def check_mark(self, mark: str) -> None:
        """See `Place.check_mark`."""

    def put(self, key: str, content: bytes) -> Put:
        """See `Place.put`."""
        system, paths = self._files(key)
        if system.type_name == "local":  # objects need no folder
            system.create_dir(str(Path(paths[BLOCK_FILE]).parent), recursive=True)
        _write(system, paths[BLOCK_FILE], content)
        return _put(paths[BLOCK_FILE], content)

    def keep(self, key: str, put: Put, facts: Mapping[str, Any]) -> None:
        """See `Place.keep`."""
        system, paths = self._files(key)
        _check_size(paths[BLOCK_FILE], system.get_file_info(paths[BLOCK_FILE]).size, put)
        manifest = _manifest(key, put, facts)
        _write(system, paths[MANIFEST], manifest)
        _write(system, paths[SIGNATURE], signature_of(manifest))

    def _files(self, key: str) -> tuple[Any, dict[str, str]]:
        system, path = _opened(self.uri)
        return system, {name: f"{path}/{ACTIVATIONS}/{key}/{name}" for name in (BLOCK_FILE, MANIFEST, SIGNATURE)}


@functools.cache
def _opened(uri: str) -> tuple[Any, str]:
    from pyarrow.fs import FileSystem

    system, path = FileSystem.from_uri(uri)
    return system, path.rstrip("/")


def bucket(uri: str) -> Bucket:
    """The place at an address.

    Raises:
      CacheError: pyarrow knows no such address, or it names no bucket.
    """
    shown = without_secrets(uri)
    try:
        _, path = _opened(uri)
    except (ValueError, OSError, NotImplementedError) as error:
        # pyarrow repeats the address with its keys, and of a library that it cannot load every place where it is not.
        reason = str(error).replace(uri, shown).partition("\n")[0]
        raise CacheError(f"{shown!r} cannot be written to: {reason}") from None
    if not path:
        raise CacheError(f"{shown!r} cannot be written to: it names no bucket or folder.")
    return Bucket(uri)


def without_secrets(uri: str) -> str:
    """An address for people, without the keys that may stand in it; also where a slash in a key makes it no address.

    >>> without_secrets("s3://key:secret@bucket/blocks?endpoint_override=host:9000")
    's3://bucket/blocks'
    >>> without_secrets("s3://key:sec/ret@bucket/blocks"), without_secrets("s3://bucket/a@b")
    ('s3://bucket/blocks', 's3://bucket/a@b')
    """
    return re.sub(
        r"//(?:[^/@?]*|[^/@?]*:[^@?]*)@|\?.*", lambda found: "//" if found[0].startswith("//") else "", uri, flags=re.DOTALL
    )


def _put(at: str, content: bytes) -> Put:
    return Put(at, hashlib.sha256(content).hexdigest(), len(content))


def _manifest(key: str, put: Put, facts: Mapping[str, Any]) -> bytes:
    return manifest_of(key, facts, {BLOCK_FILE: (put.sha256, put.n_bytes)})


def _check_size(where: str, n_bytes: int | None, put: Put) -> None:
    if n_bytes != put.n_bytes:
        found = "nothing" if n_bytes is None else f"{n_bytes:,} bytes"
        raise CacheError(f"A worker has written {put.n_bytes:,} bytes to {where!r}, and {found} can be found there.")


def _read(system: Any, path: str) -> bytes:
    with system.open_input_stream(path) as stream:
        content: bytes = stream.read()
    return content


def _write(system: Any, path: str, content: bytes) -> None:
    with system.open_output_stream(path) as stream:
        stream.write(content)
