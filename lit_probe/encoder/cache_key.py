"""The user's own key, by which a cache entry shows that it was written by this user and by nobody else."""

from __future__ import annotations

import contextlib
import functools
import hmac
import os
import secrets
from pathlib import Path

import platformdirs
from absl import logging

from lit_probe.encoder.cache_files import open_regular, own_folder
from lit_probe.errors import CacheError

_N_BYTES = 32


def key_file() -> Path:
    """Where the key lies: beside the user's configuration and not in the cache, which may be moved, shared or restored."""
    return Path(platformdirs.user_config_dir("lit_probe")) / "cache.key"


def signature_of(content: bytes) -> bytes:
    """HMAC-SHA256 of the content with the user's key, in hexadecimal digits.

    The key is made at first use. Where it cannot be kept or be trusted, a key of this process takes its place, with a warning:
    what the process wrote it believes, and what lies there from before is no entry.
    """
    return hmac.new(_key(key_file()), content, "sha256").hexdigest().encode()


def is_signed(content: bytes, signature: bytes) -> bool:
    """Whether the signature is that of the content; compared in constant time."""
    return hmac.compare_digest(signature_of(content), signature)


@functools.cache
def _key(file: Path) -> bytes:
    try:
        return read_key(file)
    except CacheError as error:
        return _key_of_process(file, error, "Remove the file, and a new key is made.")
    except OSError:
        pass  # told below, if it stays so
    try:
        _make(file)
        return read_key(file)
    except (CacheError, OSError) as error:
        return _key_of_process(file, error, "Let XDG_CONFIG_HOME name a folder that you can write to.")


def read_key(file: Path) -> bytes:
    """The key in a file.

    Raises:
      CacheError: it is no key, or no secret.
      OSError: it is not there, or cannot be read.
    """
    with open_regular(file) as stream:
        info = os.fstat(stream.fileno())
        if info.st_uid != os.geteuid():
            raise CacheError("it belongs to somebody else")
        if info.st_mode & 0o077:
            raise CacheError("others may read it")
        key = stream.read(_N_BYTES + 1)
    if len(key) != _N_BYTES:
        raise CacheError(f"it does not hold {_N_BYTES} bytes")
    return key


def _make(file: Path) -> None:
    file.parent.parent.mkdir(parents=True, exist_ok=True)
    own_folder(file.parent)
    written = file.with_name(f"{file.name}.{secrets.token_hex(8)}")
    try:
        with os.fdopen(os.open(written, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as stream:
            stream.write(secrets.token_bytes(_N_BYTES))
        # Of two processes that start at the same time one key stays.
        with contextlib.suppress(FileExistsError):
            os.link(written, file)
    finally:
        written.unlink(missing_ok=True)


def _key_of_process(file: Path, error: Exception, advice: str) -> bytes:
    reason = getattr(error, "strerror", None) or error
    logging.warning(
        "The key of the cache, %s, cannot be used (%s), so what is kept now is computed again by the next process. %s",
        file,
        reason,
        advice,
    )
    return secrets.token_bytes(_N_BYTES)
