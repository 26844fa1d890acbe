"""Fixtures that several tests share: real tiny encoders, and the real data where a machine has them."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import tiny_decoders
import tiny_encoders
from held_checks import HeldChecks
from unset_flags import unset_flags

from lit_probe.encoder.encoder import Encoder, load_encoder

# No test may reach the hub, whatever the machine's network is.
os.environ["HF_HUB_OFFLINE"] = "1"


@pytest.fixture(autouse=True, scope="session")
def a_key_of_the_tests_own(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Caches are signed with a key that lies beside the user's configuration: tests leave that one alone."""
    os.environ["XDG_CONFIG_HOME"] = str(tmp_path_factory.mktemp("configuration"))


@pytest.fixture(autouse=True, scope="module")
def no_flags_of_other_files() -> None:
    """What the tests of one file set on the command line is gone in the next: which file came before decides nothing."""
    unset_flags()


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


@pytest.fixture(scope="session")
def decoder_folder(tmp_path_factory: pytest.TempPathFactory):
    """``decoder_folder(architecture, **options)``: the folder of a tiny decoder or encoder–decoder, built once per session."""
    built: dict[tuple, Path] = {}

    def folder(architecture: str = "gpt2", **options) -> Path:
        key = (architecture, *sorted(options.items()))
        if key not in built:
            built[key] = tiny_decoders.build(
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


@pytest.fixture(scope="session")
def chromium():
    """A running browser; without one the tests are skipped, unless ``LIT_PROBE_BROWSER=require``."""
    executable = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if executable is None:
        message = "no Chromium on the PATH: install it (Debian: apt-get install chromium) to run the browser tests"
        if os.environ.get("LIT_PROBE_BROWSER") == "require":
            pytest.fail(message)
        pytest.skip(message)
    from playwright.sync_api import expect, sync_playwright

    expect.set_options(timeout=15_000)  # Generous: CI machines are slow and shared.
    arguments = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
    with sync_playwright() as playwright:
        # With scroll bars, as on most people's screens: they take room.
        browser = playwright.chromium.launch(
            executable_path=executable, args=arguments, ignore_default_args=["--hide-scrollbars"]
        )
        yield browser
        browser.close()


@pytest.fixture
def held(monkeypatch: pytest.MonkeyPatch) -> Iterator[HeldChecks]:
    """All checks that take long wait until they are let go."""
    held = HeldChecks.instead_of_checks(monkeypatch)
    yield held
    held.finish()
