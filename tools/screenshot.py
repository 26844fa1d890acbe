"""Makes the README's picture from the running program: the panel "Probe by layer" with all its series, on real SST-2 sentences.

    LIT_PROBE_TEST_DATA=folder python -m tools.screenshot [TARGET.png [WIDTH]]

`folder` holds `sst2/sentences_{train,dev,test}.tsv`. The panel alone is taken, so that no sentence of the data is visible. Needs
Chromium on the PATH. Pictures are made by this script alone, so that they cannot go stale unnoticed.
"""

import os
import sys
from pathlib import Path

from playwright.sync_api import expect

from tools.page import opened, served

TARGET = Path(__file__).parent.parent / "docs" / "probe-by-layer.png"
BASELINES = ("embeddings", "bag_of_words", "tfidf", "length", "random_weights", "shuffled")


def main(target: Path = TARGET, width: int = 1440) -> None:
    """Starts a server on a free port and takes the picture of a page that is ``width`` pixels wide."""
    source = Path(os.environ["LIT_PROBE_TEST_DATA"]) / "sst2"
    with served(f"--datasets=sst2_sentences={source}") as url, opened(width, 900) as page:
        page.goto(url)
        panel = page.locator("layer-metrics-module:visible")
        panel.locator(".chart svg").wait_for(timeout=180_000)
        panel.locator(".more > summary").click()
        for name in BASELINES:
            panel.locator(f"input[name={name}]").check()
        # A series that is still being computed has a line of its own.
        expect(panel.locator(".remark[role=status]")).to_have_count(0, timeout=300_000)
        page.wait_for_timeout(1_000)
        page.mouse.move(5, 890)
        panel.screenshot(path=target)
    print(f"Written: {target}")


if __name__ == "__main__":
    main(*(convert(value) for convert, value in zip((Path, int), sys.argv[1:], strict=False)))
