"""LIT's page in a browser: what the tests do on it, in the user's words."""

from __future__ import annotations

import re
from typing import Any

from playwright.sync_api import Locator, Page, expect

# Positions count, not requests: a panel that polls never rests.
_SETTLED = """async () => {
  const modules = document.querySelector('lit-app').shadowRoot.querySelector('lit-modules').shadowRoot;
  const parts = () => [...modules.querySelectorAll('#left-column, #right-column, lit-widget-group')];
  const places = () => JSON.stringify(parts().map((part) => part.getBoundingClientRect()));
  for (let same = 0, before = ''; same < 3; before = places()) {
    await new Promise((resolve) => requestAnimationFrame(resolve));
    same = places() === before ? same + 1 : 0;
  }
}"""

SERVICES = "const services = document.createElement('data-table-module');"


class LitPage:
    """One opened page.

    Attributes:
      page: Playwright's page.
      url: the server's address, with a slash at the end.
      problems: errors that our own modules wrote to the console, or left uncaught.
      foreign: addresses of other hosts that the page asked for.
    """

    def __init__(self, page: Page, url: str):
        self.page = page
        self.url = url
        self.problems: list[str] = []
        self.foreign: list[str] = []
        page.on("console", self._note_console)
        page.on("pageerror", self._note_uncaught)
        page.context.route("**/*", self._only_the_server)

    def open(self, **parameters: str) -> LitPage:
        """Loads the page; LIT takes its state from the address."""
        self.page.goto(self.url + "?" + "&".join(f"{name}={value}" for name, value in parameters.items()))
        return self

    @property
    def panel(self) -> Locator:
        """The panels "Probe by layer" on the visible tab."""
        return self.page.locator("layer-metrics-module:visible")

    def show(self, tab: str, tag: str) -> Locator:
        """Clicks on a tab and gives the panel behind it."""
        self.page.locator("lit-tabs .tab, .tab", has_text=re.compile(rf"^\s*{tab}\s*$")).first.click()
        return self.page.locator(f"{tag}:visible")

    @property
    def chart(self) -> Locator:
        """Their curves."""
        return self.panel.locator(".chart")

    @property
    def caption(self) -> Locator:
        """What they say about the scored examples."""
        return self.panel.locator(".caption")

    def wait_for_curve(self, n_encoders: int = 1) -> None:
        """Waits until the curves of so many encoders are drawn, all on one chart, and none is being updated."""
        expect(self.chart.locator(".chosen-layer")).to_have_count(n_encoders, timeout=20_000)
        expect(self.chart).to_have_count(1)
        expect(self.panel.locator("[aria-busy=true]")).to_have_count(0)

    def settle(self) -> None:
        """Waits until the page's panels have been where they are for three frames in a row."""
        self.page.evaluate(_SETTLED)

    def unfold(self) -> None:
        """Opens what else can be drawn beside the curve."""
        self.panel.locator(".more > summary").click()

    def ids(self, split: str | None = None) -> list[str]:
        """The examples' ids in LIT, in the order of its table, edited ones included; of one split, or of all."""
        examples = self.page.evaluate(f"() => {{{SERVICES} return services.appState.currentInputData}}")
        return [example["id"] for example in examples if split in (None, example["data"]["probe_split"])]

    def select(self, ids: list[str]) -> None:
        """Selects examples, as LIT's table, toolbar and plots do."""
        self.page.evaluate(f"(ids) => {{{SERVICES} services.selectionService.selectIds(ids)}}", ids)

    def select_slice(self, name: str, ids: list[str]) -> None:
        """Makes a slice and selects it, as LIT's slice menu does."""
        act = "services.sliceService.addNamedSlice(name, ids); services.sliceService.selectNamedSlice(name);"
        self.page.evaluate(f"([name, ids]) => {{{SERVICES} {act}}}", [name, ids])

    def pin(self, example_id: str) -> None:
        """Pins an example for comparison, as LIT's toolbar does."""
        act = "services.referenceSelectionService.selectIds([id]); services.appState.compareExamplesEnabled = true;"
        self.page.evaluate(f"(id) => {{{SERVICES} {act}}}", example_id)

    def add_edited(self, text: str) -> None:
        """Types another text into LIT's editor and presses Add."""
        editor = self.page.locator("datapoint-editor-module:visible").first  # beside a pinned example there are two
        editor.locator("textarea").first.fill(text)
        editor.get_by_role("button", name="Add", exact=True).click()

    def click_layer(self, layer: int, panel: int = 0) -> None:
        """Clicks on a layer's column."""
        chart = self.chart.nth(panel)
        label = chart.locator(".layer-axis text", has_text=re.compile(f"^{'embeddings' if layer == 0 else layer}$"))
        box, at = chart.bounding_box(), label.bounding_box()
        assert box and at
        self.page.mouse.click(at["x"] + at["width"] / 2, box["y"] + box["height"] / 2)

    def current_layers(self) -> list[int]:
        """The current layer of every panel on the tab, as a screen reader is told."""
        return [int(chart.get_attribute("aria-valuenow") or -1) for chart in self.chart.all()]

    def _note_console(self, message: Any) -> None:
        url = message.location.get("url", "")
        # LIT's own questions are asked by an address of ours first; what is refused is in the console at either.
        ours = "/lit_probe/" in url and "/lit_probe/kept/" not in url
        if message.type == "error" and ("lit_probe" in message.text or ours):
            self.problems.append(message.text)

    def _note_uncaught(self, error: Any) -> None:
        if "/lit_probe/" in (error.stack or ""):
            self.problems.append(error.stack)

    def _only_the_server(self, route: Any) -> None:
        if route.request.url.startswith((self.url, "data:", "blob:")):
            route.fallback()
        else:
            self.foreign.append(route.request.url)
            route.abort()
