"""A reader of LIT's page who does something else every moment: what `soak` and `mixed_requests` do on it."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from playwright.sync_api import Error, Page

from lit_probe.layouts import LAYOUTS, STOCK
from tests.browser.lit_page import SERVICES, LitPage

NO_ROWS = "_union_empty"
N_SLICES, N_OF_SLICE, N_TABLE = 4, 40, 200
# Once in so many actions.
_WEIGHTS = {"select": 6, "edit": 3, "tab": 5, "layer": 2, "slice": 1, "pin": 1, "show": 1, "layout": 1, "many": 1, "press": 2}
_SETTINGS = "document.createElement('lit-global-settings').settingsService"


def second_dataset(folder: Path) -> str:
    """A table to change over to, written into the folder; the flag that serves it beside the demo."""
    table = folder / "reviews.csv"
    words = ("great", "good", "fine", "awful", "bad", "dull")
    rows = (f"the {words[n % 6]} film number {n},{'positive' if n % 6 < 3 else 'negative'}\n" for n in range(N_TABLE))
    table.write_text("text,label\n" + "".join(rows))
    return f"--datasets=demo,csv={table}"


class Reader:
    """Draws what to do, and does it.

    Args:
      page: an empty page.
      url: the server's address, with a slash at the end.
      seed: of the draws.

    Attributes:
      lit: the page.
      done: how often each action was done.
      missed: actions that the page did not let be done in time, as when what was to be clicked had just gone, and why.
      errors: errors in the console, uncaught ones of scripts and answers of 500 and above but 503, by their text.
    """

    def __init__(self, page: Page, url: str, seed: int):
        self.lit, self._random = LitPage(page, url), random.Random(seed)
        self.done, self.missed, self.errors = Counter[str](), Counter[str](), Counter[str]()
        self._n_edits = 0
        page.set_default_timeout(10_000)
        page.on("console", self._note)
        page.on("pageerror", lambda error: self.errors.update([f"uncaught: {error.message} {(error.stack or '')[:300]}"]))
        self.lit.open()
        page.locator("layer-metrics-module:visible .chart svg").first.wait_for(timeout=180_000)
        metadata = self._services("return services.appState.metadata")
        # LIT's own data set without rows leaves nothing to do.
        self._fits: Mapping[str, Sequence[str]] = {
            name: [dataset for dataset in one["datasets"] if dataset != NO_ROWS] for name, one in metadata["models"].items()
        }

    def act(self) -> None:
        """Does one thing."""
        [name] = self._random.choices(list(_WEIGHTS), list(_WEIGHTS.values()))
        try:
            getattr(self, f"_{name}")()
            self.done[name] += 1
        except Error as error:
            self.missed[f"{name}: {error.message.splitlines()[0][:100]}"] += 1
        except AssertionError:
            # What `LitPage` needs for it has just gone, as a chart in a tab that was left.
            self.missed[name] += 1

    def read(self, seconds: float) -> None:
        """Does things for so long, about one a second."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            self.act()
            self.lit.page.wait_for_timeout(self._random.uniform(50, 800))

    def _services(self, act: str, argument: Any = None) -> Any:
        return self.lit.page.evaluate(f"(given) => {{{SERVICES} {act}}}", argument)

    def _some(self, n: int) -> list[str]:
        ids = self.lit.ids()
        return self._random.sample(ids, min(n, len(ids)))

    def _select(self) -> None:
        self.lit.select(self._some(1))

    def _many(self) -> None:
        self.lit.select(self._some(self._random.choice((0, 2, N_OF_SLICE))))

    def _slice(self) -> None:
        self.lit.select_slice(f"slice {self._random.randrange(N_SLICES)}", self._some(N_OF_SLICE))

    def _pin(self) -> None:
        if self._services("return services.appState.compareExamplesEnabled"):
            self._services("services.appState.compareExamplesEnabled = false")
        elif rows := self._some(1):  # none while another data set is being loaded
            self.lit.pin(rows[0])

    def _edit(self) -> None:
        editor = self.lit.page.locator("datapoint-editor-module:visible")
        if not editor.count():
            self.lit.show("Edit", "datapoint-editor-module")
        self._n_edits += 1
        self.lit.add_edited(f"{editor.locator('textarea').first.input_value()[:200]} again {self._n_edits}")

    def _tab(self) -> None:
        tabs = self.lit.page.locator(".tab:visible")
        tabs.nth(self._random.randrange(tabs.count())).click()

    def _layer(self) -> None:
        if self.lit.chart.count():
            layers = self.lit.chart.first.locator(".layer-axis text")
            self.lit.click_layer(self._random.randrange(layers.count()))

    def _press(self) -> None:
        """A button in a panel of ours, which may start what takes long."""
        buttons = self.lit.page.locator("lit-widget-group:visible :is([class*=ask], .hairline-button):visible")
        if n := buttons.count():
            buttons.nth(self._random.randrange(n)).click(timeout=2_000)

    def _layout(self) -> None:
        self._set({"layoutName": self._random.choice([name for name in LAYOUTS if name not in STOCK])})

    def _show(self) -> None:
        """Another data set and the models that fit it, or one of them."""
        dataset = self._random.choice(sorted({one for fit in self._fits.values() for one in fit}))
        models = [name for name, fit in self._fits.items() if dataset in fit]
        self._set({"dataset": dataset, "models": self._random.sample(models, self._random.randint(1, len(models)))})

    def _set(self, change: dict[str, Any]) -> None:
        self.lit.page.evaluate(f"(change) => {_SETTINGS}.updateSettings(change)", change)

    def _note(self, message: Any) -> None:
        if message.type == "error":
            self.errors[f"{message.text[:300]} ({message.location.get('url', '')[-60:]})"] += 1
