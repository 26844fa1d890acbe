"""Folders that the one who runs the tests may not read."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

_NOBODY = 65534


@pytest.fixture
def guarded_folder(tmp_path: Path) -> Iterator[Path]:
    """A folder in which permissions count: root, for whom they do not, becomes another user while the test runs."""
    if os.geteuid() != 0:
        yield tmp_path
        return
    # Not tmp_path, whose parents are closed to others.
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o777)
        try:
            os.seteuid(_NOBODY)
        except OSError as error:
            pytest.skip(f"this root may not become another user ({error})")
        try:
            yield Path(name)
        finally:
            os.seteuid(0)


@pytest.fixture
def closed():
    """A context in which a path has no permissions, or those of ``mode`` only."""

    @contextmanager
    def close(path: Path, mode: int = 0) -> Iterator[None]:
        path.chmod(mode)
        try:
            yield
        finally:
            path.chmod(0o755)

    return close
