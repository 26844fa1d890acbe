"""Makes the tutorial's pictures from the running program: walks the embedded demo as docs/tutorial.md tells the reader to.

    python -m tools.tutorial_screenshots [STEP ...]

Without names all pictures are written to docs/tutorial/; with names only those, though every step is walked. The script stops
where the page does not have a **name** that the tutorial tells the reader to look for, or does not say what it “quotes”. So
neither pictures nor text can go stale unnoticed. Needs Chromium on the PATH.
"""

from __future__ import annotations

import io
import re
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from PIL import Image
from playwright.sync_api import Locator, Page, expect

from lit_probe.salience import SALIENCE_METHODS
from tools.page import opened, served

TUTORIAL = Path(__file__).parent.parent / "docs" / "tutorial.md"
PICTURES = TUTORIAL.with_suffix("")
WIDTH = 1200
PAGE_HEIGHT = 820
COLOURS = 256
SLOW = 180_000
REVIEW = "Immensely satisfying, right down to the lettering on the shop signs."
SEARCH = "satisfying"
EDIT = REVIEW.replace("satisfying", "irritating")


class Walk:
    """A reader on the page.

    Attributes:
      page: Playwright's page, ``WIDTH`` pixels wide.
      url: the server's address.
      pressed: what the reader has pressed or filled in, by the names on the page, since the step began.
    """

    def __init__(self, page: Page, url: str):
        self.page = page
        self.url = url
        self.pressed: set[str] = set()

    def press(self, name: str | re.Pattern[str], inside: str = "body") -> None:
        """Clicks on the first thing in sight that is called so."""
        found = self.page.locator(inside).get_by_text(name, exact=True).locator("visible=true").first
        self.pressed.add(found.inner_text().strip())
        found.click()

    def search(self, words: str) -> None:
        """Looks for words in the table of examples."""
        box = self.page.locator("data-table-module:visible").get_by_placeholder("Search")
        box.fill(words)
        box.press("Enter")
        self.pressed.add("Search")

    def choose_layout(self, now: str, then: str) -> None:
        """Changes the layout by the menu at the top of the page."""
        self.press(now)
        self.press(then)
        self.press("Submit")

    def panel(self, tag: str, height: int) -> Locator:
        """A panel by its tag, on a page that is high enough to show all of it."""
        self.page.set_viewport_size({"width": WIDTH, "height": height})
        return self.page.locator(f"{tag}:visible")

    def has(self, words: str, exact: bool) -> bool:
        """Whether the page shows these words, or the reader has just pressed what is called so."""
        if words in self.pressed:
            return True
        return self.page.get_by_text(words, exact=exact).locator("visible=true").count() > 0


def page(walk: Walk) -> Locator:
    """The page as it opens."""
    walk.page.goto(walk.url)
    walk.page.locator("layer-metrics-module:visible .chart svg").wait_for(timeout=SLOW)
    return walk.page.locator("body")


def curve(walk: Walk) -> Locator:
    """The curve with its reading."""
    panel = walk.panel("layer-metrics-module", height=960)
    expect(panel.locator(".remark[role=status]")).to_have_count(0, timeout=SLOW)
    return panel


def selectivity(walk: Walk) -> Locator:
    """The task beside its control."""
    walk.press("Selectivity")
    panel = walk.panel("selectivity-module", height=1060)
    panel.locator(".reading").wait_for(timeout=SLOW)
    return panel


def review(walk: Walk) -> Locator:
    """A review found in the table and selected, and what every layer answers to it."""
    walk.page.set_viewport_size({"width": WIDTH, "height": 940})
    walk.press("Probe by layer")
    walk.search(SEARCH)
    walk.press(re.compile(re.escape(REVIEW)))
    expect(walk.page.locator("layer-metrics-module:visible")).to_contain_text(REVIEW)
    return walk.page.locator("body")


def words(walk: Walk) -> Locator:
    """All maps of the review's words."""
    walk.choose_layout("decodability", "words")
    # LIT stays on the tab of the same name.
    walk.press("Side by side")
    panel = walk.panel("salience-rows-module", height=1340)
    expect(panel.locator(".map[data-method]")).to_have_count(sum(one.cheap for one in SALIENCE_METHODS.values()), timeout=SLOW)
    walk.press("Compute all")
    expect(panel.locator(".map[data-method]")).to_have_count(len(SALIENCE_METHODS), timeout=SLOW)
    # The lines about other baselines come after all maps.
    expect(panel.get_by_text("Comparing with other baselines")).to_have_count(0, timeout=SLOW)
    return panel


def neuron(walk: Walk) -> Locator:
    """The first neuron of the list with its words."""
    walk.choose_layout("words", "neurons")
    walk.press("Neurons")
    panel = walk.panel("neurons-module", height=1255)
    panel.locator(".ask-words").wait_for(timeout=SLOW)
    walk.press("Find the words")
    panel.locator(".end.highest .chip").first.wait_for(timeout=SLOW)
    return panel


def switched_off(walk: Walk) -> Locator:
    """What the later layers answer to the review without that neuron."""
    walk.press(re.compile("^Switch off neuron"))
    section = walk.page.locator("neurons-module:visible .fold.switch")
    section.locator(".effects tbody tr").first.wait_for(timeout=SLOW)
    return section


def flip(walk: Walk) -> Locator:
    """The review edited, and the layer from which the probe answers otherwise."""
    walk.choose_layout("neurons", "edits")
    walk.press("Counterfactual")
    walk.press("Edit")
    walk.page.set_viewport_size({"width": WIDTH, "height": 860})
    walk.page.locator("datapoint-editor-module:visible textarea").first.fill(EDIT)
    walk.press("Add", inside="datapoint-editor-module:visible")
    panel = walk.page.locator("counterfactual-by-layer-module:visible")
    expect(panel.locator(".says.edit")).to_have_text(EDIT, timeout=SLOW)
    expect(panel.locator("[aria-busy=true]")).to_have_count(0)
    return walk.page.locator("body")


STEPS: Mapping[str, Callable[[Walk], Locator]] = {
    step.__name__.replace("_", "-"): step for step in (page, curve, selectivity, review, words, neuron, switched_off, flip)
}


def sections(tutorial: str) -> dict[str, str]:
    """The tutorial's text by step: each section with a picture, under the picture's name."""
    parts = re.split(r"^## ", tutorial, flags=re.MULTILINE)
    return {name: part for part in parts for name in re.findall(r"\]\(tutorial/([\w-]+)\.png\)", part)}


def names_in(section: str) -> list[str]:
    """What the reader is told to look for on the page."""
    return re.findall(r"\*\*([^*]+)\*\*", " ".join(section.split()))


def quotes_in(section: str) -> list[str]:
    """What the page is said to say; it depends on the encoder."""
    return re.findall("“([^”]+)”", " ".join(section.split()))


def missing(walk: Walk, section: str, quotes: bool) -> list[str]:
    """What a section of the tutorial names, and quotes, that the page does not have."""
    names = [name for name in names_in(section) if not walk.has(name, exact=True)]
    return names + [quote for quote in quotes_in(section) if quotes and not walk.has(quote, exact=False)]


def main(*wanted: str) -> None:
    """Walks all steps and writes the wanted pictures, or all."""
    told = sections(TUTORIAL.read_text("utf-8"))
    with served("--datasets=demo") as url, opened(WIDTH, PAGE_HEIGHT, scale=2) as browser_page:
        walk = Walk(browser_page, url)
        for name, step in STEPS.items():
            walk.pressed.clear()
            shown = step(walk)
            browser_page.mouse.move(5, PAGE_HEIGHT - 5)
            browser_page.wait_for_timeout(1_000)
            if stale := missing(walk, told[name], quotes=True):
                sys.exit(f"{TUTORIAL.name}, step {name}: the page does not have {stale}")
            if not wanted or name in wanted:
                write(shown, PICTURES / f"{name}.png")


def write(shown: Locator, target: Path) -> None:
    """Takes the picture, ``WIDTH`` pixels wide at most and with few colours, which keeps the repository small."""
    box = shown.bounding_box()
    assert box is not None
    picture = Image.open(io.BytesIO(shown.screenshot(scale="device" if 2 * box["width"] <= WIDTH else "css")))
    target.parent.mkdir(exist_ok=True)
    picture.convert("RGB").quantize(COLOURS, Image.Quantize.MAXCOVERAGE, kmeans=1).save(target, optimize=True)
    print(f"Written: {target} ({picture.width} × {picture.height}, {target.stat().st_size // 1024} kB)")


if __name__ == "__main__":
    main(*sys.argv[1:])
