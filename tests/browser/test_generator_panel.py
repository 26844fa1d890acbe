"""LIT's own Datapoint Generator with our generators: what a person sees of an edit, and what stays of it once it is added."""

from __future__ import annotations

import re

import pytest
from lit_page import LitPage
from playwright.sync_api import Locator, expect
from reachable import out_of_reach

from lit_probe.counterfactuals.rules import EXPECTATIONS


def generator_panel(lit: LitPage, layout: str = "decodability") -> Locator:
    lit.open(dataset="demo", layout=layout)
    expect(lit.page.locator("generator-module").first).to_be_attached()
    lit.page.wait_for_function("() => document.createElement('data-table-module').appState.currentInputData.length > 0")
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
        assert meta["expectation"] == copy["expectation"] and meta["expectation"] in EXPECTATIONS


def test_every_form_works_as_it_is_opened(lit: LitPage):
    panel = generator_panel(lit)
    for name in ("HotFlip", "Ablation Flip", "Scrambler", "Word Replacer"):
        apply(panel, name)
        expect(panel.locator(".module-status").first).to_contain_text(re.compile(rf"{name}: generated \d+"))
    expect(panel.locator("lit-interpreter-controls", has_text="no masked-language-model head")).to_have_count(1)


# How wide a text is, how much of the table's words is cut off, and how many lines the buttons below have.
_ROOM = """(panel) => {
  const table = panel.shadowRoot.querySelector('lit-data-table').shadowRoot;
  const frame = panel.getBoundingClientRect();
  const [text] = table.querySelectorAll('tbody td');
  const cell = text.getBoundingClientRect();
  const buttons = [...panel.shadowRoot.querySelectorAll('.overall-controls button')].map((one) => one.getBoundingClientRect());
  return {
    width: cell.width, inside: cell.left >= frame.left && cell.right <= frame.right, shown: text.innerText,
    names: [...table.querySelectorAll('thead th .header-text')].map((name) => name.innerText.trim()),
    heights: buttons.map(({height}) => height),
  };
}"""


@pytest.mark.parametrize("layout", ["edits", "decodability"])
@pytest.mark.parametrize("size", [(1440, 900), (1000, 700)])
def test_the_texts_of_edits_can_be_read_beside_what_can_differ(lit: LitPage, size: tuple[int, int], layout: str):
    lit.page.set_viewport_size({"width": size[0], "height": size[1]})
    panel = generator_panel(lit, layout)
    apply(panel, "Negation and Contrast")
    expect(panel.locator("lit-data-table tbody tr").first).to_be_visible()
    lit.settle()
    room = panel.evaluate(_ROOM)
    assert room["width"] >= 200 and room["inside"] and len(room["shown"].split()) > 3
    assert room["names"][:2] == ["text", "label"] and set(room["names"]) == {"text", "label", "rule", "expectation", "Add/Remove"}
    assert max(room["heights"]) <= 24
    assert out_of_reach(lit.page) == []
    panel.get_by_text("Clear", exact=True).click()
    expect(panel.locator("lit-interpreter-controls").first).to_be_visible()


ADDED = "() => document.createElement('data-table-module').appState.currentInputData.filter(({meta}) => meta.added)"


@pytest.mark.parametrize("made_by", ["hand", "generator"])
def test_the_address_of_an_edit_brings_it_back_with_its_original(lit: LitPage, made_by: str):
    panel = generator_panel(lit, "edits")
    if made_by == "generator":
        apply(panel, "Negation and Contrast")
        panel.get_by_text("Add all", exact=True).click()
    else:
        lit.show("Edit", "datapoint-editor-module")
        lit.add_edited("a  fine film, and more & more? 1+1=2 #1")
    lit.page.wait_for_function("() => new URLSearchParams(location.search).has('data_text')")
    primary = lit.page.evaluate("() => document.createElement('data-table-module').selectionService.primarySelectedId")
    [edit] = [row for row in lit.page.evaluate(ADDED) if row["id"] == primary]
    address = lit.page.url
    assert "object" not in address
    lit.page.goto("about:blank")
    lit.page.goto(address)
    lit.page.wait_for_function(f"() => ({ADDED})().length > 0")
    [again] = lit.page.evaluate(ADDED)
    assert again["id"] == edit["id"] and again["meta"] == {**edit["meta"], "added": True}
    assert again["data"] == {**edit["data"], "_meta": again["meta"]}
    shown = lit.page.locator("counterfactual-by-layer-module:visible")
    expect(shown.locator(".says.edit")).to_have_text(edit["data"]["text"])


@pytest.mark.parametrize("size", [(1440, 900), (1000, 700)])
def test_the_panels_say_of_which_edits_something_is_expected(lit: LitPage, size: tuple[int, int]):
    lit.page.set_viewport_size({"width": size[0], "height": size[1]})
    panel = generator_panel(lit, "edits")
    for name in ("Negation and Contrast", "Scrambler"):
        apply(panel, name)
        panel.get_by_text("Add all", exact=True).click()
        lit.page.wait_for_function(f"(name) => ({ADDED})().some(({{meta}}) => meta.source === name)", arg=name)
    shown = lit.page.locator("counterfactual-by-layer-module:visible")
    caption = shown.locator(".caption")
    expect(caption).to_contain_text(
        "In 3 of them it is known what becomes of the label (it changes in 1); the other", timeout=30_000
    )
    expect(caption).to_contain_text("not counted in consistency and median change.")
    lit.settle()
    assert out_of_reach(lit.page) == []
    shown.locator(".views .edit").click()
    for edit in lit.page.evaluate(ADDED):
        lit.select([edit["id"]])
        scrambled = edit["meta"]["source"] == "Scrambler"
        words = "nothing is expected of the label" if scrambled else "the label is expected to"
        expect(shown.locator(".made")).to_contain_text(f"{edit['meta']['rule']} ({words}", timeout=30_000)
    lit.settle()
    assert out_of_reach(lit.page) == []


def test_edits_that_were_added_together_are_shown_together(lit: LitPage):
    panel = generator_panel(lit, "edits")
    shown = lit.page.locator("counterfactual-by-layer-module:visible")
    apply(panel, "Negation and Contrast")
    panel.get_by_text("Add all", exact=True).click()
    expect(shown.locator(".views .pairs")).to_have_attribute("aria-pressed", "true")
    expect(shown.locator("#source")).to_have_value("sent")
    expect(shown.locator("#source")).to_contain_text("edits made here (3)")
    # One more edit is one of those: what the reader has chosen since stays, but for the pairs that are looked at.
    shown.locator(".views .edit").click()
    lit.show("Edit", "datapoint-editor-module")
    lit.add_edited("an awful film with no heart at all")
    expect(shown.locator(".says.edit")).to_have_text("an awful film with no heart at all")
    shown.locator(".views .pairs").click()
    shown.locator("#source").select_option("dataset")
    lit.add_edited("a fine film with a heart after all")
    expect(shown.locator("#source")).to_have_value("sent")
    expect(shown.locator("#source")).to_contain_text("edits made here (5)")


def test_what_makes_no_sense_is_said_in_the_status_bar(lit: LitPage):
    panel = generator_panel(lit)
    controls = panel.locator("lit-interpreter-controls", has_text="Word Replacer")
    controls.locator(".expansion-header").click()
    controls.locator("input[type=text]").first.fill("great terrible")
    controls.get_by_text("Apply", exact=True).click()
    expect(lit.page.locator("lit-app-statusbar")).to_contain_text("'Substitutions' must be pairs with commas between them")
    lit.problems[:] = [problem for problem in lit.problems if "400" not in problem]
