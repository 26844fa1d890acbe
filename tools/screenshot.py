"""Makes docs/probe-by-layer.png from the running program: the embedded demo in the default layout, one example selected.

    python tools/screenshot.py

Needs Chromium on the PATH. Pictures are made by this script alone, so that they cannot go stale unnoticed.
"""

import re
import shutil
import subprocess
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

TARGET = Path(__file__).parent.parent / "docs" / "probe-by-layer.png"


def main() -> None:
    """Starts a server on a free port and takes the picture."""
    command = [sys.executable, "-m", "lit_probe.cli", "serve", "--port=0", "--datasets=demo", "--device=cpu"]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert server.stdout is not None
        url = re.search(r"http://\S+", server.stdout.readline())
        if url is None:
            sys.exit("the server did not start")
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(
                executable_path=shutil.which("chromium"),
                args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
            )
            page = browser.new_page(viewport={"width": 1440, "height": 900})
            page.goto(url[0])
            page.locator("layer-metrics-module .chart svg").wait_for(timeout=180_000)
            page.locator("lit-data-table tbody tr").nth(2).click()
            page.locator("layer-metrics-module .strip svg, layer-metrics-module .strips svg").first.wait_for(timeout=30_000)
            page.mouse.move(5, 890)
            page.screenshot(path=TARGET)
            browser.close()
    finally:
        server.terminate()
        server.wait()
    print(f"Written: {TARGET}")


if __name__ == "__main__":
    main()
