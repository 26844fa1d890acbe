"""A row's words stand on our panels as they are in the data: no space of theirs is lost."""

from __future__ import annotations

from pathlib import Path

import pytest
from lit_page import LitPage
from playwright.sync_api import expect

TEXT = "très  bien ,   en  vérité"
SHOWN = {
    "decodability": ("Probe by layer", "layer-metrics-module .quote"),
    "words": ("Side by side", "salience-rows-module .quote"),
    "neurons": ("Neuron activations", "neuron-activations-module .quote"),
    "edits": ("Counterfactual", "counterfactual-by-layer-module .says.edit"),
}


@pytest.mark.parametrize("layout", SHOWN)
def test_two_spaces_stay_two(lit: LitPage, layout: str) -> None:
    tab, place = SHOWN[layout]
    lit.open(dataset="demo", layout=layout)
    lit.page.wait_for_function("() => document.createElement('data-table-module').appState.currentInputData.length > 0")
    lit.select(lit.ids("dev")[:1])
    lit.show("Edit", "datapoint-editor-module")
    lit.add_edited(TEXT)
    lit.show(tab, place.split()[0])
    # What is drawn, not what stands in the page's source.
    shown = lit.page.locator(f"{place}:visible", has_text="bien").first
    expect(shown).to_be_visible(timeout=30_000)
    assert shown.evaluate("(element) => element.innerText") == TEXT


def test_a_text_of_several_lines_keeps_to_one_line_where_it_is_quoted(lit: LitPage) -> None:
    lit.open(dataset="demo").wait_for_curve()
    lit.select(lit.ids("dev")[:1])
    lit.show("Edit", "datapoint-editor-module")
    lit.add_edited("one  line\nand\r\nanother")
    quote = lit.panel.locator(".quote")
    expect(quote).to_contain_text("another")
    assert quote.evaluate("(element) => [element.innerText, element.getBoundingClientRect().height < 24]") == [
        "one  line and another",
        True,
    ]


def test_two_spaces_stay_two_in_what_is_saved(lit: LitPage, tmp_path: Path) -> None:
    lit.open(dataset="demo", layout="edits")
    lit.page.wait_for_function("() => document.createElement('data-table-module').appState.currentInputData.length > 0")
    lit.select(lit.ids("dev")[:1])
    lit.show("Edit", "datapoint-editor-module")
    lit.add_edited(TEXT)
    panel = lit.page.locator("counterfactual-by-layer-module:visible")
    expect(panel.locator(".says.edit")).to_be_visible(timeout=30_000)
    with lit.page.expect_download() as saved:
        panel.locator(".save-svg").click()
    saved.value.save_as(tmp_path / "edit.svg")
    lit.page.goto("about:blank")
    lit.page.set_content((tmp_path / "edit.svg").read_text("utf-8"))
    label = lit.page.locator("text", has_text="bien")
    widths = label.evaluate("""(element) => {
        const single = element.cloneNode();
        single.textContent = element.textContent.replace(/ +/g, ' ');
        element.parentNode.append(single);
        return [element.getComputedTextLength(), single.getComputedTextLength()];
    }""")
    assert widths[0] > widths[1] + 5
