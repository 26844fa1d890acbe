"""Pages that are left while the server computes for them, and two pages that wait for one computation."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from held_checks import PATIENCE_S, HeldChecks
from lit_page import LitPage
from playwright.sync_api import Locator, expect
from tiny_probing import worded_splits

from lit_probe.encoder.encoder import load_encoder
from lit_probe.lit.app import AppOptions, build
from lit_probe.lit.server.web import serve
from lit_probe.probing.study import probe_layers
from tools.tutorial_screenshots import Walk

SELECTIVITY = ("Selectivity", "selectivity-module")
LEARNING = ("Learning curve", "learning-curve-module")
LENGTH = ("Description length", "description-length-module")


@pytest.fixture
def server(held, tiny_folder) -> Iterator[str]:
    """A server whose checks are held; it takes the place of the one whose probes are ready."""
    encoder, splits = load_encoder(str(tiny_folder())), worded_splits("tiny")
    study = probe_layers(encoder, splits)
    server = serve(build([encoder], [splits], AppOptions(), lambda *_: study), "127.0.0.1", 0).start()
    yield server.url
    held.go_on.set()
    server.close()


def another_page(lit: LitPage, server: str) -> LitPage:
    """A page in a tab of its own."""
    return LitPage(lit.page.context.new_page(), server)


def evidence(lit: LitPage, tab: str, tag: str) -> Locator:
    """The panel of a check, on a page that is opened for it."""
    lit.open(dataset="tiny", layout="evidence").wait_for_curve()
    return lit.show(tab, tag)


def ask_for_two(lit: LitPage, held: HeldChecks) -> None:
    """Lets the page wait for a check that runs and for one behind it."""
    expect(evidence(lit, *SELECTIVITY)).to_contain_text("50%")
    assert held.started["selectivity"].wait(PATIENCE_S)
    expect(lit.show(*LEARNING)).to_contain_text("waiting for 1 other computation")


def expect_no_queue(lit: LitPage) -> None:
    """A page waits for nothing but what it has asked for itself."""
    expect(evidence(lit, *SELECTIVITY)).to_contain_text("starting")
    expect(lit.show(*LENGTH)).to_contain_text("waiting for 1 other computation")


def test_the_next_page_need_not_wait_for_one_that_was_closed(lit: LitPage, server: str, held: HeldChecks):
    first = another_page(lit, server)
    ask_for_two(first, held)
    first.page.close()
    expect_no_queue(lit)
    held.go_on.set()
    expect(lit.page.locator("description-length-module:visible .chart svg").first).to_be_visible(timeout=60_000)
    assert held.cancelled == ["selectivity"] and not held.started["learning_curve"].is_set()


def test_nor_for_one_that_the_reader_went_on_from(lit: LitPage, server: str, held: HeldChecks):
    ask_for_two(lit, held)
    expect_no_queue(lit)


def test_a_page_that_the_browser_kept_and_brings_back_asks_again(lit: LitPage, server: str, held: HeldChecks):
    """The two events that a browser sends to such a page; the one that Playwright starts keeps no pages."""
    ask_for_two(lit, held)
    said = ("pagehide", "pageshow")
    lit.page.evaluate("(said) => said.forEach((name) => dispatchEvent(new PageTransitionEvent(name, {persisted: true})))", said)
    expect(lit.page.locator("learning-curve-module:visible")).to_contain_text("Learning curve of tiny-bert on tiny")
    lit.page.wait_for_timeout(1500)
    held.go_on.set()
    expect(lit.page.locator("learning-curve-module:visible .chart svg").first).to_be_visible(timeout=60_000)
    assert held.cancelled == ["selectivity"]


def test_cancel_on_one_page_leaves_the_computation_to_the_other(lit: LitPage, server: str, held: HeldChecks):
    panel = evidence(lit, *SELECTIVITY)
    other = evidence(another_page(lit, server), *SELECTIVITY)
    expect(other).to_contain_text("50%")
    expect(panel).to_contain_text("50%")
    panel.get_by_role("button", name="Cancel").click()
    expect(panel).to_contain_text("You cancelled this computation. It goes on only if another page waits for it")
    lit.page.wait_for_timeout(1500)
    expect(other).to_contain_text("50%")
    held.go_on.set()
    expect(other.locator(".chart svg").first).to_be_visible(timeout=60_000)
    assert held.cancelled == []
    expect(panel).to_contain_text("You cancelled this computation.")
    panel.get_by_role("button", name="Start again").click()
    expect(panel.locator(".chart svg").first).to_be_visible(timeout=60_000)


def test_a_panel_that_turns_to_another_question_gives_the_former_one_up(lit: LitPage, server: str, held: HeldChecks):
    panel = evidence(lit, *SELECTIVITY)
    expect(panel).to_contain_text("50%")
    panel.locator("#control").select_option("first_word")
    expect(panel).to_contain_text("waiting for 1 other computation")
    expect(panel).to_contain_text("starting")


def test_panels_that_another_layout_does_not_have_give_up_what_they_asked(lit: LitPage, server: str, held: HeldChecks):
    ask_for_two(lit, held)
    Walk(lit.page, lit.url).choose_layout("evidence", "neurons")
    expect(lit.page.locator("neurons-module:visible")).to_be_visible()
    lit.page.wait_for_timeout(2500)
    expect_no_queue(another_page(lit, server))
