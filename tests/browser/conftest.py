"""A headless Chromium, and `lit-probe serve` as a user starts it: two tiny encoders on the demo and on a table of reviews."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from lit_page import LitPage, ask

N_REVIEWS = 160
MODELS = ("tiny-bert-on-demo", "tiny-electra-on-demo")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Marks the tests of this folder."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)


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


@pytest.fixture(scope="session")
def server(tiny_folder, tmp_path_factory) -> Iterator[str]:
    """The address of a server whose probes are ready."""
    folder = tmp_path_factory.mktemp("serve")
    reviews = folder / "reviews.csv"
    reviews.write_text("text,label\n" + "".join(_review(i) for i in range(N_REVIEWS)))
    encoders = ",".join(str(tiny_folder(architecture)) for architecture in ("bert", "electra"))
    command = [
        *(sys.executable, "-c", "from lit_probe.cli import main; raise SystemExit(main())", "serve", "--port=0"),
        *(f"--model={encoders}", f"--datasets=demo,csv={reviews}", f"--cache_dir={folder / 'cache'}", "--device=cpu"),
    ]
    log = folder / "log.txt"
    with log.open("w") as output:
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT, env={**os.environ, "OMP_NUM_THREADS": "1"})
    try:
        url = _wait_for(lambda: re.search(r"http://127\.0\.0\.1:\d+/", log.read_text()), process, log)[0]
        for model in MODELS:
            _wait_for(lambda model=model: ask(url, "layer_metrics", model, "demo", [])["status"] == "ready", process, log)
        yield url
    finally:
        process.terminate()
        process.wait(timeout=20)


@pytest.fixture
def lit(chromium, server) -> Iterator[LitPage]:
    """A fresh page that can reach the server alone; at the end none of our modules may have written an error."""
    context = chromium.new_context(viewport={"width": 1440, "height": 900})
    context.set_default_timeout(15_000)
    lit = LitPage(context.new_page(), server)
    yield lit
    context.close()
    assert lit.problems == []


def _review(i: int) -> str:
    words = ("great", "good", "fine") if i % 2 else ("awful", "bad", "dull")
    return f"the {words[i % 3]} film number {i},{'positive' if i % 2 else 'negative'}\n"


def _wait_for(look: Callable[[], object], process: subprocess.Popen, log: Path, patience: float = 90.0):
    """The first true answer, or the server's log."""
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline and process.poll() is None:
        if found := look():
            return found
        time.sleep(0.2)
    raise AssertionError(f"The server did not get ready:\n{log.read_text()}")
