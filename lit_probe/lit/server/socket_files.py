"""Sockets that are files: on a machine of many users, only their owner can open them."""

from __future__ import annotations

import contextlib
import os
import socket
import stat
from pathlib import Path

from lit_probe.errors import LitProbeError

_OWNER_ONLY = 0o600


def is_socket_file(listener: socket.socket) -> bool:
    """Whether it listens on a file, and not on an address."""
    return listener.family == getattr(socket, "AF_UNIX", None)


def check_socket_file(path: str) -> None:
    """That the file can be made, before an application is made for it.

    Raises:
      LitProbeError: as of `listen_on_file`.
    """
    listen_on_file(path).close()
    remove_socket_file(path)


def listen_on_file(path: str) -> socket.socket:
    """Listens on a new file that nobody but its owner can open, whatever the umask; one that a dead server left is replaced.

    Raises:
      LitProbeError: a server is listening there, something else stands there, or the file cannot be made.
    """
    if not hasattr(socket, "AF_UNIX"):
        raise LitProbeError("This system has no Unix sockets. Leave out --unix_socket and use a port.")
    _clear(Path(path))
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    # Of the whole process; at this moment no thread of ours makes files.
    before = os.umask(0o777 & ~_OWNER_ONLY)
    try:
        listener.bind(path)
        listener.listen(128)
    except OSError as error:
        listener.close()
        # "AF_UNIX path too long" has no number.
        raise LitProbeError(f"Cannot listen on the socket {path!r}: {error.strerror or error}. Name another file.") from None
    finally:
        os.umask(before)
    return listener


def remove_socket_file(path: str) -> None:
    """Removes the file of a socket that has been closed."""
    with contextlib.suppress(FileNotFoundError):
        Path(path).unlink()


def _clear(path: Path) -> None:
    """Takes away what a server left that ended without a word.

    Raises:
      LitProbeError: there is something else, or a server is listening.
    """
    try:
        mode = path.lstat().st_mode
    except OSError:
        return  # there is nothing, or nothing that can be seen: binding says which
    if not stat.S_ISSOCK(mode):
        raise LitProbeError(f"{str(path)!r} is there already and is no socket. Name another file with --unix_socket.")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as asked:
        try:
            asked.connect(str(path))
        except ConnectionRefusedError:
            path.unlink()
            return
        except OSError as error:
            raise LitProbeError(
                f"The socket {str(path)!r} cannot be opened: {error.strerror or error}. Name another one."
            ) from None
    raise LitProbeError(f"A server is listening on the socket {str(path)!r}. Name another one with --unix_socket.")
