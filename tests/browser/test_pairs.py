"""Pairs of texts in a real browser, on a real server: both are shown, the second is edited, and the panels answer."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from lit_page import SERVICES, LitPage
from live_server import curve, live_server
from nli_rows import write_nli_table
from playwright.sync_api import expect

from tools.page import TOUR_CLOSED

MODEL = "tiny-bert-on-nli"
PRIMARY = f"() => {{{SERVICES} return services.selectionService.primarySelectedInputData.data}}"


@pytest.fixture
def pairs(chromium, tiny_folder, tmp_path) -> Iterator[LitPage]:
    """The page of a server with a data set of pairs."""
    table = write_nli_table(tmp_path / "nli.csv")
    flags = [f"--model={tiny_folder('bert', own_pair_form=True)}", f"--datasets=csv={table}[text=premise+hypothesis]"]
    with live_server(flags, tmp_path) as url:
        curve(url, MODEL, "nli")
        context = chromium.new_context(viewport={"width": 1440, "height": 900})
        context.add_init_script(TOUR_CLOSED)
        lit = LitPage(context.new_page(), url)
        yield lit
        context.close()
        assert lit.problems == []


def test_the_second_text_of_a_pair_is_edited_and_the_panels_answer(pairs):
    pairs.open(dataset="nli", layout="edits")
    panel = pairs.page.locator("counterfactual-by-layer-module:visible")
    expect(panel.locator(".card")).to_contain_text("Select an example", timeout=30_000)
    table = pairs.page.locator("data-table-module:visible")
    for name in ("premise", "hypothesis"):
        expect(table.get_by_text(name, exact=True).filter(visible=True).first).to_be_visible()
    pairs.select(pairs.ids("dev")[:1])
    row = pairs.page.evaluate(PRIMARY)
    editor = pairs.page.locator("datapoint-editor-module:visible")
    first, second = (editor.locator("textarea").nth(place) for place in (0, 1))
    expect(first).to_have_value(row["premise"])
    expect(second).to_have_value(row["hypothesis"])
    second.fill("we never loved what was awful and slow")
    editor.get_by_role("button", name="Add", exact=True).click()
    expect(panel.locator(".chart").first).to_be_visible(timeout=30_000)
    edit = pairs.page.evaluate(PRIMARY)
    assert (edit["premise"], edit["hypothesis"]) == (row["premise"], "we never loved what was awful and slow")
    assert "text" not in edit
    # The address brings the edit back.
    pairs.page.reload()
    expect(panel.locator(".chart").first).to_be_visible(timeout=30_000)
    again = pairs.page.evaluate(PRIMARY)
    assert [again[name] for name in ("premise", "hypothesis", "label")] == [
        edit[name] for name in ("premise", "hypothesis", "label")
    ]

    pairs.open(dataset="nli", layout="words")
    rows = pairs.page.locator("salience-rows-module:visible")
    expect(rows.locator("#layer")).to_have_count(1, timeout=30_000)
    pairs.select(pairs.ids("dev")[:1])
    chips = rows.locator(".map[data-method] .chips").first
    expect(chips).to_be_visible(timeout=30_000)
    expect(chips.locator(".text-name")).to_have_text(["premise", "hypothesis"])
    words = chips.locator(".chip").all_inner_texts()
    assert words == re.findall(r"\w+", f"{row['premise']} {row['hypothesis']}")
    last_of_first = chips.locator(".chip").nth(len(row["premise"].split()) - 1).bounding_box()
    first_of_second = chips.locator(".chip").nth(len(row["premise"].split())).bounding_box()
    assert last_of_first and first_of_second and first_of_second["y"] > last_of_first["y"] + last_of_first["height"]
