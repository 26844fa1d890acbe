"""The tour of the page: offered once, true wherever it is taken, never over what it speaks of, and usable by keyboard."""

from __future__ import annotations

import re

import pytest
from lit_page import LitPage
from playwright.sync_api import Locator, expect
from reachable import out_of_reach

from tools.tutorial_screenshots import STEPS, Walk

MODELS = "tiny-bert-on-reviews,tiny-electra-on-reviews"


def offer(lit: LitPage) -> Locator:
    return lit.page.get_by_role("region", name="Offer of a tour")


def tour(lit: LitPage) -> Locator:
    return lit.page.get_by_role("dialog", name=re.compile("^Tour"))


def press(lit: LitPage, name: str) -> None:
    tour(lit).get_by_role("button", name=name, exact=True).click()


def outlined(lit: LitPage, target: Locator) -> None:
    """Waits until the outline lies around the target; it may be cut off where the target is."""
    expect(target).to_be_visible()
    for _ in range(40):
        lit.page.wait_for_timeout(100)
        around, box = lit.page.locator(".lit-probe-tour .outline").bounding_box(), target.bounding_box()
        if around and box and abs(around["x"] + 4 - box["x"]) <= 4 and abs(around["y"] + 4 - box["y"]) <= 40:
            return
    raise AssertionError(f"the outline is at {around}, its target at {box}")


def check_place(lit: LitPage) -> None:
    """The card and the outline lie in the window, the card beside the outline."""
    size = lit.page.viewport_size
    card, outline = tour(lit).bounding_box(), lit.page.locator(".lit-probe-tour .outline").bounding_box()
    assert size and card and outline
    for box in (card, outline):
        assert min(box["x"], box["y"]) >= 0
        assert box["x"] + box["width"] <= size["width"] and box["y"] + box["height"] <= size["height"]
    beside = card["x"] + card["width"] <= outline["x"] or outline["x"] + outline["width"] <= card["x"]
    above = card["y"] + card["height"] <= outline["y"] or outline["y"] + outline["height"] <= card["y"]
    assert beside or above, (card, outline)


@pytest.mark.parametrize("size", [(1440, 900), (1000, 700)])
def test_the_first_visit_offers_a_tour_beside_everything_else_and_never_again(
    first_visit: LitPage, size: tuple[int, int]
) -> None:
    lit = first_visit
    lit.page.set_viewport_size({"width": size[0], "height": size[1]})
    lit.open(dataset="reviews", models=MODELS).wait_for_curve(2)
    expect(offer(lit)).to_contain_text("Take the tour (8 steps)")
    lit.settle()
    assert out_of_reach(lit.page) == []
    offered, panels, status = (
        lit.page.locator(name).bounding_box() for name in (".tour-offer", "#left-column", "lit-app-statusbar")
    )
    assert offered and panels and status
    assert panels["y"] + panels["height"] <= offered["y"] and offered["y"] + offered["height"] <= status["y"] + 1 <= size[1] - 20
    offer(lit).get_by_role("button", name="Not now").click()
    expect(offer(lit)).to_have_count(0)
    lit.open(dataset="reviews").wait_for_curve()
    expect(offer(lit)).to_have_count(0)
    lit.page.locator("lit-app-toolbar").get_by_role("button", name="Tour").click()
    expect(tour(lit)).to_contain_text("Step 1 of 8")


@pytest.mark.parametrize("size", [(1440, 900), (1000, 700)])
def test_every_step_points_at_what_it_speaks_of_and_covers_none_of_it(first_visit: LitPage, size: tuple[int, int]) -> None:
    lit, page = first_visit, first_visit.page
    page.set_viewport_size({"width": size[0], "height": size[1]})
    lit.open(dataset="reviews").wait_for_curve()
    walk = Walk(page, lit.url)
    menu = page.locator("lit-app-toolbar .headline-button", has=page.locator("span", has_text="view_compact"))
    offer(lit).get_by_role("button", name="Take the tour").click()
    expect(offer(lit)).to_have_count(0)
    targets: list[tuple[str | None, str | None, str]] = [
        (None, None, ""),
        (None, None, "layer-metrics-module:visible .chart"),
        (None, "Selectivity", "selectivity-module:visible"),
        (None, None, "data-table-module:visible"),
        ("words", None, "salience-rows-module:visible"),
        ("neurons", None, "neurons-module:visible .neurons"),
        (None, None, "neurons-module:visible .fold.switch"),
        ("edits", None, "datapoint-editor-module:visible"),
    ]
    now = "decodability"
    assert len(targets) == len(STEPS)
    for i, (layout, tab, target) in enumerate(targets):
        expect(tour(lit)).to_contain_text(f"Step {i + 1} of {len(targets)}")
        if layout:
            expect(tour(lit)).to_contain_text(f"This is in the layout {layout}.")
            outlined(lit, menu)
            check_place(lit)
            if layout == "neurons":
                press(lit, "Open the layout neurons")
            else:
                walk.choose_layout(now, layout)
            now = layout
        if tab:
            expect(tour(lit)).to_contain_text(f"behind the outlined tab {tab}")
            outlined(lit, page.locator(".tab", has_text=tab))
            check_place(lit)
            page.locator(".tab", has_text=tab).click()
        outlined(lit, page.locator(target) if target else menu)
        expect(tour(lit).locator(".hint")).to_be_hidden()
        check_place(lit)
        press(lit, "Next" if i + 1 < len(targets) else "Done")
    expect(tour(lit)).to_have_count(0)


def test_a_step_goes_back_and_a_change_of_layout_by_the_reader_is_noticed(first_visit: LitPage) -> None:
    lit = first_visit
    lit.open(dataset="demo", layout="evidence").wait_for_curve()
    offer(lit).get_by_role("button", name="Take the tour").click()
    press(lit, "Next")
    expect(tour(lit)).to_contain_text("This is in the layout decodability.")
    Walk(lit.page, lit.url).choose_layout("evidence", "decodability")
    expect(tour(lit)).not_to_contain_text("This is in the layout")
    press(lit, "Back")
    expect(tour(lit)).to_contain_text("Step 1 of 8")
    expect(tour(lit).get_by_role("button", name="Back")).to_be_disabled()


def test_the_tour_is_a_dialog_for_the_keyboard_that_escape_closes_for_good(first_visit: LitPage) -> None:
    lit, page = first_visit, first_visit.page
    lit.open(dataset="demo").wait_for_curve()
    take = offer(lit).get_by_role("button", name="Take the tour")
    take.focus()
    page.keyboard.press("Enter")
    focused = """() => {
        const {activeElement: it} = document.querySelector('.lit-probe-tour').shadowRoot;
        return it && [it.textContent, getComputedStyle(it).outlineStyle];
    }"""
    assert page.evaluate(focused) == ["Next", "solid"]
    page.keyboard.press("Enter")
    expect(tour(lit)).to_have_attribute("aria-label", "Tour, step 2 of 8: Read the curve")
    assert tour(lit).get_attribute("aria-modal") == "false"
    page.keyboard.press("Shift+Tab")
    assert page.evaluate(focused) == ["Back", "solid"]
    page.keyboard.press("Shift+Tab")
    assert page.evaluate(focused) == ["Close", "solid"]
    page.keyboard.press("Escape")
    expect(tour(lit)).to_have_count(0)
    lit.open(dataset="demo").wait_for_curve()
    expect(offer(lit)).to_have_count(0)


def test_a_browser_that_remembers_nothing_breaks_nothing(first_visit: LitPage) -> None:
    lit = first_visit
    lit.page.add_init_script(
        "Object.defineProperty(window, 'localStorage', {get() { throw new DOMException('no', 'SecurityError'); }})"
    )
    lit.open(dataset="demo").wait_for_curve()
    offer(lit).get_by_role("button", name="Take the tour").click()
    press(lit, "Close")
    expect(tour(lit)).to_have_count(0)
    expect(offer(lit)).to_have_count(0)


def test_a_page_in_a_frame_or_in_the_layout_of_a_notebook_offers_no_tour(first_visit: LitPage) -> None:
    lit = first_visit
    lit.open(dataset="demo", layout="notebook").wait_for_curve()
    expect(offer(lit)).to_have_count(0)
    lit.page.evaluate("""() => {
      const frame = document.createElement('iframe');
      Object.assign(frame, {src: './?dataset=demo', name: 'cell', width: 1200, height: 700});
      document.body.prepend(frame);
    }""")
    frame = lit.page.frame_locator("iframe")
    expect(frame.locator("layer-metrics-module:visible .chart .chosen-layer")).to_have_count(1, timeout=30_000)
    expect(frame.get_by_role("region", name="Offer of a tour")).to_have_count(0)
    expect(frame.get_by_role("button", name="Tour")).to_have_count(0)
