"""One JupyterLab for all tests of a session."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from lab_server import Lab, running_lab


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """Under a nested prefix, as on a JupyterHub."""
    with running_lab(tmp_path_factory.mktemp("lab"), "/hub/user/me/") as lab:
        yield lab
