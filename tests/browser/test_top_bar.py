"""The bar at the top of the page and the names of the models, with two encoders on two data sets."""

from __future__ import annotations

import pytest
from lit_page import LitPage
from playwright.sync_api import expect
from reachable import out_of_reach

BERT, ELECTRA = "tiny-bert", "tiny-electra"


def models_at_the_top(lit: LitPage) -> list[str]:
    names = lit.page.locator("lit-app-toolbar .headline-button[aria-pressed] .headline-button-text")
    return [name.strip() for name in names.all_inner_texts()]


@pytest.mark.parametrize("width", [1440, 1000])
def test_the_bar_has_room_and_a_click_on_a_row_moves_nothing(lit: LitPage, width: int) -> None:
    lit.page.set_viewport_size({"width": width, "height": 900})
    lit.open(dataset="demo", models=f"{BERT}-on-demo,{ELECTRA}-on-demo,{BERT}-on-reviews").wait_for_curve(3)
    assert out_of_reach(lit.page) == []
    before = lit.page.locator("#left-column").bounding_box()
    lit.page.locator("data-table-module:visible tbody tr").nth(2).click()
    expect(lit.page.locator("#num-selected-text")).to_have_text("1")
    lit.settle()
    assert lit.page.locator("#left-column").bounding_box() == before and out_of_reach(lit.page) == []


def test_only_models_of_the_data_set_shown_stand_at_the_top_by_their_encoders_name(lit: LitPage) -> None:
    lit.open(dataset="demo").wait_for_curve()
    assert models_at_the_top(lit) == [BERT, ELECTRA]
    lit.open(dataset="demo", models=f"{BERT}-on-demo,{ELECTRA}-on-reviews").wait_for_curve(2)
    assert models_at_the_top(lit) == [BERT, ELECTRA, f"{ELECTRA} (probes of reviews)"]
    # Copies of a panel, and LIT's table of metrics, call them so too.
    lit.show("Calibration", "calibration-module")
    expect(lit.page.locator("lit-widget:visible .subtitle").first).to_have_text(BERT)
    lit.show("Metrics", "metrics-module")
    rows = lit.page.locator("metrics-module:visible tbody tr")
    expect(rows.filter(has_text=f"{ELECTRA} (probes of reviews)").first).to_be_visible()
    assert rows.get_by_text("-on-").count() == 0


def test_a_button_at_the_top_shows_and_hides_a_model(lit: LitPage) -> None:
    lit.open(dataset="demo").wait_for_curve()
    lit.page.locator("lit-app-toolbar").get_by_role("button", name=ELECTRA).click()
    lit.wait_for_curve(2)
    lit.page.locator("lit-app-toolbar").get_by_role("button", name=BERT).click()
    lit.wait_for_curve(1)
    assert lit.page.evaluate("() => new URL(location.href).searchParams.get('models')") == f"{ELECTRA}-on-demo"


def test_colours_are_listed_without_the_models_name_unless_there_are_two(lit: LitPage) -> None:
    listed = "document.createElement('lit-main-menu').getColorOptionItems().map(({itemText}) => itemText)"
    # A model's columns come with its predictions.
    lit.open(dataset="demo").wait_for_curve()
    lit.page.wait_for_function(f"() => {listed}.includes('probe_color_by:class')")
    assert not any(BERT in name for name in lit.page.evaluate(listed))
    lit.open(dataset="demo", models=f"{BERT}-on-demo,{ELECTRA}-on-demo").wait_for_curve(2)
    for encoder in (BERT, ELECTRA):
        lit.page.wait_for_function(f"() => {listed}.includes('probe_color_by:class · {encoder}')")


def test_another_data_set_brings_its_own_probes_by_menu_and_by_address(lit: LitPage) -> None:
    shown = "() => document.createElement('data-table-module').appState.currentModels"
    lit.open(dataset="demo").wait_for_curve()
    lit.page.locator("lit-app-toolbar").get_by_text("demo", exact=True).click()
    lit.page.locator("lit-global-settings").get_by_text("reviews", exact=True).first.click()
    lit.page.locator("lit-global-settings").get_by_text("Submit", exact=True).click()
    expect(lit.panel).to_contain_text("logistic probes trained on reviews")
    assert lit.page.evaluate(shown) == [f"{BERT}-on-reviews"] and models_at_the_top(lit) == [BERT, ELECTRA]
    lit.open(dataset="reviews").wait_for_curve()
    assert lit.page.evaluate(shown) == [f"{BERT}-on-reviews"]
    # Who asks for probes of another data set gets them.
    lit.open(dataset="reviews", models=f"{BERT}-on-demo").wait_for_curve()
    assert lit.page.evaluate(shown) == [f"{BERT}-on-demo"]
