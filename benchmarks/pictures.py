"""How long do frames of 5,000 rows x 13 layers take in the panel "Layers in 2-D"?

A headless Chromium without a graphics card draws all pictures anew (as when the selection changes), and moves the pointer.
"""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
from pathlib import Path

import numpy as np

from benchmarks.edited_text import post
from benchmarks.figures import Figure, of_rounds, tell

# Of so many rows LIT shows 5,000.
N_ROWS, N_LAYERS, WIDTH = 16_000, 13, 16
# Milliseconds from frame to frame: nothing to draw, everything drawn anew, the pointer moving.
_MEASURED = """async (element) => {
  const frame = () => new Promise((done) => requestAnimationFrame(done));
  const frames = async (change) => {
    const times = [];
    for (let i = 0, last = await frame(); i < 60; i++) {
      change(i);
      const now = await frame();
      times.push(now - last);
      last = now;
    }
    return times;
  };
  const rows = element.pointed();
  const draw = (change) => (i) => (change(i), element.draw());
  const start = performance.now();
  for (let i = 0; i < 20; i++) draw(() => (element.drawn = []))(i);
  return {
    calls: (performance.now() - start) / 20,
    points: [...element.points.values()].reduce((sum, of) => sum + of.length, 0),
    nothing: await frames(() => {}),
    anew: await frames(draw(() => (element.drawn = []))),
    pointer: await frames(draw((i) => (element.focused = rows[i].id))),
  };
}"""


def main() -> None:
    """Prints the times."""
    from playwright.sync_api import sync_playwright

    from tools.page import TOUR_CLOSED

    random = np.random.default_rng(0)
    labels = np.arange(N_ROWS) % 2
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with tempfile.TemporaryDirectory() as name, sync_playwright() as playwright:
        folder = Path(name)
        values = {f"layer {i}": (random.normal(size=(N_ROWS, WIDTH)) + labels[:, None]).astype("f4") for i in range(N_LAYERS)}
        np.savez(folder / "made.npz", **values)
        (folder / "rows.csv").write_text("text,label\n" + "".join(f"row {i},{labels[i]}\n" for i in range(N_ROWS)))
        flags = [f"--port={port}", f"--cache_dir={folder}", f"--activations={folder / 'made.npz'}"]
        command = [sys.executable, "-m", "lit_probe.cli", "serve", *flags, f"--datasets=csv={folder / 'rows.csv'}"]
        server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium") or shutil.which("google-chrome"), args=["--no-sandbox", "--disable-gpu"]
        )
        try:
            _wait_until_served(port)
            page = browser.new_context(viewport={"width": 1440, "height": 900}).new_page()
            page.add_init_script(TOUR_CLOSED)
            page.set_default_timeout(180_000)
            page.goto(f"http://127.0.0.1:{port}/?layout=pictures")
            page.locator(".tab", has_text="Layers in 2-D").first.click()
            panel = page.locator("projections-module:visible")
            panel.locator(".pictures").wait_for()
            page.wait_for_timeout(2_000)
            times = panel.evaluate(_MEASURED)
        finally:
            browser.close()
            server.terminate()
            server.wait()
    tell(
        of_rounds(f"(x) a frame while the pointer moves, {times['points']:,} points", times["pointer"], "ms"),
        of_rounds("a frame that draws all anew", times["anew"], "ms"),
        of_rounds("a frame with nothing to draw", times["nothing"], "ms"),
        Figure("the calls alone that draw all anew", times["calls"], "ms"),
    )


def _wait_until_served(port: int) -> None:
    deadline = time.monotonic() + 180
    while time.monotonic() < deadline:
        try:
            post(port, "get_info")
            return
        except (urllib.error.URLError, ConnectionError):
            time.sleep(0.5)  # not listening yet
    raise TimeoutError("the server was not there within three minutes")
