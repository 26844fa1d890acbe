"""What the page sends over the wire, counted by a real browser: on a first visit, and when it is loaded again."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from lit_page import LitPage
from playwright.sync_api import Page, expect

from lit_probe.lit.server.page import PackagedFiles
from tools.page import TOUR_CLOSED
from tools.wire import Load, Wire

MOST_REQUESTS, MOST_BYTES, MOST_BYTES_AT_FIRST = 10, 100_000, 1_500_000


@pytest.fixture
def newcomer(chromium) -> Iterator[Page]:
    """A page of a browser that has kept nothing yet. It has no routes: with them, browsers keep nothing at all."""
    context = chromium.new_context(viewport={"width": 1440, "height": 900})
    context.add_init_script(TOUR_CLOSED)
    yield context.new_page()
    context.close()


def test_a_page_that_was_open_before_costs_few_requests_and_bytes(newcomer: Page, server: str):
    wire = Wire(newcomer)
    first = wire.load(f"{server}?dataset=demo")
    expect(newcomer.locator("layer-metrics-module:visible .chart .chosen-layer").first).to_be_visible()
    assert first.n_bytes < MOST_BYTES_AT_FIRST, first
    assert ours(first) == {f"page/{name}" for name in ("before_lit.js",)} | {
        "index.js",
        *PackagedFiles.find().modules(shown_tags(newcomer)),
    }
    # LIT has put its state into the address, so the first time it is another page.
    wire.load()
    again = wire.load()
    assert len(again.requests) <= MOST_REQUESTS, again
    assert again.n_bytes < MOST_BYTES, again
    assert ours(again) == set()
    expect(newcomer.locator("layer-metrics-module:visible .chart .chosen-layer").first).to_be_visible()


def test_another_layout_brings_its_own_panels_and_no_other(newcomer: Page, server: str):
    wire = Wire(newcomer)
    before = wire.load(f"{server}?dataset=demo")
    assert not [one for one in ours(before) if one.startswith("neurons/")]
    after = wire.load(f"{server}?dataset=demo&layout=neurons")
    expect(newcomer.locator("neurons-module:visible")).to_be_visible()
    assert ours(after) == set(PackagedFiles.find().modules(shown_tags(newcomer))) - ours(before) != set()


def test_what_is_kept_is_asked_about_at_each_load(newcomer: Page, server: str):
    wire = Wire(newcomer)
    wire.load(f"{server}?dataset=demo")
    asked = [one for one in wire.load().requests if "/lit_probe/kept/" in one]
    kinds = {one.partition("/lit_probe/kept/")[2].partition("?")[0] for one in asked}
    assert kinds >= {"get_info", "get_dataset", "get_interpretations", "get_metrics"}


def ours(load: Load) -> set[str]:
    """The modules of ours that were sent."""
    here = f"/lit_probe/{PackagedFiles.find().version}/"
    return {name for one in load.requests if (name := one.partition(here)[2]).endswith(".js")}


def shown_tags(page: Page) -> set[str]:
    """The tags of the panels of the layout that is open."""
    return set(
        page.evaluate("""() => {
          const {appState} = document.createElement('data-table-module');
          const {upper, lower, left} = appState.layout;
          return [upper, lower, left].flatMap((part) => Object.values(part).flat()).map((one) => one.module ?? one);
        }""")
    )


def test_the_introduction_asks_for_its_pictures_once_it_is_opened(lit: LitPage):
    asked: list[str] = []
    lit.page.on("request", lambda request: asked.append(request.url))
    lit.open(dataset="demo").wait_for_curve()
    assert not [url for url in asked if "onboarding" in url]
    lit.page.evaluate(
        "() => { document.querySelector('lit-app').shadowRoot.querySelector('lit-app-toolbar').shadowRoot"
        ".querySelector('lit-documentation').open(); }"
    )
    expect(lit.page.locator("lit-documentation #doc img")).to_be_visible()
    assert [url for url in asked if "onboarding_1" in url]
    lit.page.keyboard.press("ArrowRight")
    expect(lit.page.locator("lit-documentation #doc")).to_contain_text("Start interacting")
    lit.page.keyboard.press("Escape")
    expect(lit.page.locator("lit-documentation #doc")).to_have_count(0)
