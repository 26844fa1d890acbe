"""LIT's own Salience Maps panel with our methods as its rows."""

from __future__ import annotations

import re

from lit_page import LitPage
from playwright.sync_api import Locator, expect

from lit_probe.salience import SALIENCE_METHODS


def salience_panel(lit: LitPage) -> Locator:
    lit.open(dataset="demo").wait_for_curve()
    # A short one: rows, unlike the panel beside them, refuse maps that take long.
    lit.select(lit.ids("dev")[4:5])
    return lit.show("Salience", "salience-map-module")


def row_of(panel: Locator, title: str) -> Locator:
    return panel.locator(".method-row", has=panel.page.locator(".expansion-label", has_text=re.compile(f"^{re.escape(title)}$")))


def caption(row: Locator) -> Locator:
    return row.locator(".tokens-group-title").first


def test_the_rows_say_what_they_explain_and_follow_the_selection_and_edits(lit: LitPage):
    panel = salience_panel(lit)
    expect(panel.locator(".method-row")).to_have_count(len(SALIENCE_METHODS))
    cheap, dear = row_of(panel, "Input × gradient"), row_of(panel, "LIME")
    expect(caption(cheap)).to_have_text(re.compile(r"^probe at layer \d: logit of (negative|positive) is -?\d"))
    expect(caption(dear)).to_have_count(0)
    dear.locator(".expansion-header").click()
    expect(dear.locator(".tokens-group-title").last).to_contain_text("effective samples")
    before = cheap.locator(".salient-token").all_inner_texts()
    assert before[0].strip() == "[CLS]" and len(before) > 3
    # An edit has its own map.
    lit.show("Edit", "datapoint-editor-module")
    lit.add_edited("one awful film")
    panel = lit.show("Salience", "salience-map-module")
    for row in (row_of(panel, "Input × gradient"), row_of(panel, "LIME")):
        expect(row.locator(".salient-token", has_text="film")).to_have_count(1)
        expect(row.locator(".spinner-container")).to_have_count(0)


def test_the_controls_choose_another_layer_and_why_there_is_no_map_stands_in_the_row(lit: LitPage):
    row = row_of(salience_panel(lit), "Input × gradient")
    expect(caption(row)).to_contain_text("probe at layer")
    row.locator(".controls-toggle").click()
    controls = row.locator(".control-holder")
    layers = controls.filter(has_text="layer").locator("select")
    for layer in (1, 3):
        layers.select_option(label=str(layer))
        row.get_by_role("button", name="Apply").click()
        expect(caption(row)).to_contain_text(f"probe at layer {layer}:")
    controls.filter(has_text="show").locator("select").select_option(label="words")
    row.get_by_role("button", name="Apply").click()
    expect(row.locator(".salient-token", has_text="[CLS]")).to_have_count(0)


def test_a_text_without_a_word_says_so_and_does_not_wait_for_ever(lit: LitPage):
    salience_panel(lit)
    lit.show("Edit", "datapoint-editor-module")
    lit.add_edited("   ")
    row = row_of(lit.show("Salience", "salience-map-module"), "Input × gradient")
    expect(row.locator(".tokens-group-title")).to_have_text(["No map", "The text has no word to explain."])
    expect(row.locator(".spinner-container")).to_have_count(0)
