"""A running program and its page in a headless browser, for scripts that take pictures of it. Needs Chromium on the PATH."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Page, sync_playwright

# Closes the tour, which the page offers on a first visit. Documents without an address of their own have no memory.
TOUR_CLOSED = "if (location.protocol.startsWith('http')) localStorage.setItem('lit_probe.tour', 'closed')"

SERVE = (sys.executable, "-m", "lit_probe.cli", "serve", "--port=0", "--device=cpu")


@contextmanager
def served(*flags: str) -> Iterator[str]:
    """The address of ``lit-probe serve`` on a free port, with a slash at the end; the server ends with the block."""
    server = subprocess.Popen([*SERVE, *flags], stdout=subprocess.PIPE, text=True)
    try:
        assert server.stdout is not None
        url = re.search(r"http://\S+", server.stdout.readline())
        if url is None:
            sys.exit("the server did not start")
        yield url[0]
    finally:
        server.terminate()
        server.wait()


@contextmanager
def opened(width: int, height: int, scale: int = 1) -> Iterator[Page]:
    """An empty page of so many CSS pixels, with ``scale`` pixels of a picture to each; no tour will be offered on it."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"),
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
        )
        page = browser.new_page(viewport={"width": width, "height": height}, device_scale_factor=scale)
        page.add_init_script(TOUR_CLOSED)
        yield page
        browser.close()
