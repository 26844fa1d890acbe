"""LIT's own Datapoint Generator with our generators: what a person sees of an edit, and what stays of it once it is added."""

from __future__ import annotations

import re

from lit_page import LitPage
from playwright.sync_api import Locator, expect


def generator_panel(lit: LitPage) -> Locator:
    lit.open(dataset="demo").wait_for_curve()
    lit.select(lit.ids("dev")[:1])
    return lit.show("Generate", "generator-module")


def apply(panel: Locator, name: str) -> None:
    controls = panel.locator(
        "lit-interpreter-controls", has=panel.page.locator(".expansion-label", has_text=re.compile(f"^{name}$"))
    )
    controls.locator(".expansion-header").click()
    controls.get_by_text("Apply", exact=True).click()


def test_an_edit_is_shown_with_its_rule_and_keeps_it_when_it_is_added(lit: LitPage):
    panel = generator_panel(lit)
    apply(panel, "Negation and Contrast")
    table = panel.locator("lit-data-table")
    expect(table.locator("th", has_text="expectation")).to_have_count(1)
    expect(panel.locator(".module-status").first).to_contain_text("Negation and Contrast: generated")
    parent = lit.ids("dev")[0]
    panel.get_by_text("Add all", exact=True).click()
    added = """() => document.createElement('data-table-module').appState.currentInputData
        .filter((row) => row.meta.added).map((row) => [row.meta, row.data._meta, row.data.rule])"""
    lit.page.wait_for_function(f"() => ({added})().length > 1")
    for meta, copy, rule in lit.page.evaluate(added):
        assert meta["parentId"] == parent and meta["source"] == "Negation and Contrast"
        assert meta["rule"] == copy["rule"] == rule and rule.startswith(("negation: ", "contrast: "))
        assert meta["expectation"] in ("label expected to change", "label expected to stay")


def test_every_form_works_as_it_is_opened(lit: LitPage):
    panel = generator_panel(lit)
    for name in ("HotFlip", "Ablation Flip", "Scrambler", "Word Replacer"):
        apply(panel, name)
        expect(panel.locator(".module-status").first).to_contain_text(re.compile(rf"{name}: generated \d+"))
    expect(panel.locator("lit-interpreter-controls", has_text="no masked-language-model head")).to_have_count(1)


def test_what_makes_no_sense_is_said_in_the_status_bar(lit: LitPage):
    panel = generator_panel(lit)
    controls = panel.locator("lit-interpreter-controls", has_text="Word Replacer")
    controls.locator(".expansion-header").click()
    controls.locator("input[type=text]").first.fill("great terrible")
    controls.get_by_text("Apply", exact=True).click()
    expect(lit.page.locator("lit-app-statusbar")).to_contain_text("'Substitutions' must be pairs with commas between them")
    lit.problems[:] = [problem for problem in lit.problems if "400" not in problem]
