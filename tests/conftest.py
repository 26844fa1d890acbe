"""Fixtures that several tests share: real tiny encoders, and the real data where a machine has them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import tiny_encoders

from lit_probe.encoder import Encoder, load_encoder

# No test may reach the hub, whatever the machine's network is.
os.environ["HF_HUB_OFFLINE"] = "1"


@pytest.fixture(scope="session")
def tiny_folder(tmp_path_factory: pytest.TempPathFactory):
    """``tiny_folder(architecture, **options)``: the folder of a tiny encoder, built once per session."""
    built: dict[tuple, Path] = {}

    def folder(architecture: str = "bert", **options) -> Path:
        key = (architecture, *sorted(options.items()))
        if key not in built:
            built[key] = tiny_encoders.build(
                tmp_path_factory.mktemp(architecture) / f"tiny-{architecture}", architecture, **options
            )
        return built[key]

    return folder


@pytest.fixture
def tiny_encoder(tiny_folder) -> Encoder:
    """A freshly opened tiny bert."""
    return load_encoder(str(tiny_folder()))


@pytest.fixture(scope="session")
def test_data() -> Path:
    """The folder of the real SST-2 and IMDB files; tests that ask for it are skipped without them."""
    folder = os.environ.get("LIT_PROBE_TEST_DATA")
    if not folder:
        pytest.skip("LIT_PROBE_TEST_DATA is not set: this test reads real SST-2 and IMDB files")
    return Path(folder)
