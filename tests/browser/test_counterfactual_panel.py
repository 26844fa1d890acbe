"""The panel "Counterfactual by layer" in a real browser, on a real server: a sentence is edited in LIT, and the layers answer."""

from __future__ import annotations

import csv
import re
import time
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import Any

import pytest
from lit_page import SERVICES, LitPage
from live_server import answer_of
from playwright.sync_api import Locator, expect

BERT = "tiny-bert-on-demo"
N_LAYERS = 4
SELECTED = "() => document.createElement('data-table-module').selectionService.selectedIds"
PRIMARY = f"() => {{{SERVICES} return services.selectionService.primarySelectedInputData}}"


@pytest.fixture
def panel(lit: LitPage) -> Locator:
    """The panel with nothing selected."""
    lit.open(dataset="demo", layout="edits")
    panel = lit.page.locator("counterfactual-by-layer-module:visible")
    expect(panel.locator(".card")).to_contain_text("Select an example", timeout=30_000)
    return panel


def examples(lit: LitPage, split: str = "dev") -> list[dict[str, Any]]:
    """LIT's examples of a split."""
    every = lit.page.evaluate(f"() => {{{SERVICES} return services.appState.currentInputData}}")
    return [example for example in every if example["data"]["probe_split"] == split]


def flipping_edit(lit: LitPage, server: str) -> tuple[dict[str, Any], str, dict[str, Any]]:
    """A dev row, its partner's text, and the trajectory, of which some layers' probes change their answer."""
    rows = examples(lit)
    for row in rows:
        partner = next((one for one in rows if one["data"]["pair_id"] == row["data"]["pair_id"] and one is not row), None)
        if partner is None:
            continue
        text = partner["data"]["text"] + " Really."
        meta = {"added": True, "parentId": row["id"]}
        edit = {"id": "", "data": {**row["data"], "text": text, "_id": "", "_meta": meta}, "meta": meta}
        answer = answer_of(server, "counterfactual_by_layer", BERT, [row["id"], edit], part="trajectory")
        if answer["first_flip"] not in (None, 0):
            return row, text, answer
    raise AssertionError("no edit flips a layer but the first")


def sentence(answer: dict[str, Any]) -> re.Pattern[str]:
    """What the panel must say of the layers that flip; it names the first one."""
    return re.compile(rf"The probe answers otherwise .*\b({answer['first_flip']}|last layer only)\b")


def edit_in_lit(lit: LitPage, panel: Locator, text: str) -> None:
    """Types the text into LIT's editor, adds it, and waits until the panel shows it."""
    lit.add_edited(text)
    expect(panel.locator(".says.edit")).to_have_text(text, timeout=20_000)
    expect(panel.locator("[aria-busy=true]")).to_have_count(0)


def test_a_sentence_edited_in_lit_s_editor_shows_the_layer_from_which_the_probe_answers_otherwise(
    lit: LitPage, panel: Locator, server: str, tmp_path: Path
):
    row, text, answer = flipping_edit(lit, server)
    lit.select([row["id"]])
    expect(panel.locator(".card")).to_contain_text("press Add")
    edit_in_lit(lit, panel, text)
    expect(panel.locator(".flip")).to_have_text(sentence(answer))
    expect(panel.locator(".says.original")).to_have_text(row["data"]["text"])
    expect(panel.locator(".chart .chosen-layer text").first).to_have_text("first flip")
    assert panel.locator(".chart .marked-layer").count() == len(answer["flip_layers"])
    layer = answer["best_layer"]
    change = answer["layers"][layer]["after"][answer["class_index"]] - answer["layers"][layer]["before"][answer["class_index"]]
    expect(panel.locator(".reading")).to_contain_text(f"{change:+.3f}".replace("-", "−"))
    with lit.page.expect_download() as file:
        panel.locator(".save-csv").click()
    file.value.save_as(tmp_path / "table.csv")
    table = list(csv.DictReader((tmp_path / "table.csv").open(newline="")))
    assert [line["flipped"] for line in table] == [str(one["flipped"]).lower() for one in answer["layers"]]
    assert [float(line["margin_change"]) for line in table] == [one["margin_change"] for one in answer["layers"]]
    with lit.page.expect_download() as file:
        panel.locator(".save-svg").click()
    file.value.save_as(tmp_path / "figure.svg")
    assert "NaN" not in ElementTree.tostring(ElementTree.parse(tmp_path / "figure.svg").getroot(), encoding="unicode")


def test_a_further_edit_is_shown_soon_after_add(lit: LitPage, panel: Locator):
    [row, *_] = examples(lit)
    lit.select([row["id"]])
    edit_in_lit(lit, panel, row["data"]["text"] + " Great.")
    waits = []
    for number in range(3):
        begin = time.perf_counter()
        edit_in_lit(lit, panel, f"{row['data']['text']} Awful {'x' * number}.")
        waits.append(time.perf_counter() - begin)
    assert min(waits) < 1, waits


def test_the_layer_is_shared_and_words_and_neurons_follow_it(lit: LitPage, panel: Locator, server: str):
    row, text, _ = flipping_edit(lit, server)
    lit.select([row["id"]])
    edit_in_lit(lit, panel, text)
    edit = lit.page.evaluate(PRIMARY)
    panel.locator(".open-salience").click()
    panel.locator(".open-neurons").click()
    for layer in (0, 2):
        panel.locator(".chart[role=slider]").first.focus()
        lit.page.keyboard.press("Home")
        for _ in range(layer):
            lit.page.keyboard.press("ArrowRight")
        found = answer_of(server, "counterfactual_by_layer", BERT, [row["id"], edit], part="neurons", layer=str(layer))
        shown = panel.locator(".detail.neurons tbody th")
        expect(shown.first).to_have_text(f"{layer}:{found['neurons'][0]['unit']}", timeout=20_000)
        assert shown.all_inner_texts() == [f"{layer}:{one['unit']}" for one in found["neurons"]]
        found = answer_of(server, "counterfactual_by_layer", BERT, [row["id"], edit], part="salience", layer=str(layer))
        expect(panel.locator(".detail.salience p")).to_contain_text(f"at layer {layer}", timeout=20_000)
        assert panel.locator(".detail.salience tbody tr").count() == len(found["rows"])
        assert panel.locator(".detail.salience tr.changed").count() == sum(one["kind"] != "same" for one in found["rows"])
    panel.locator(".detail.salience select").select_option("occlusion")
    expect(panel.locator(".detail.salience p")).to_contain_text("Occlusion", timeout=20_000)
    lit.show("Probe by layer", "layer-metrics-module")
    lit.wait_for_curve()
    assert lit.current_layers() == [2]


def test_words_of_a_further_edit_are_compared_when_the_page_is_idle_or_at_once_when_asked_for(lit: LitPage, panel: Locator):
    [row, *_] = examples(lit)
    lit.select([row["id"]])
    edit_in_lit(lit, panel, row["data"]["text"] + " Great.")
    panel.locator(".open-salience").click()
    words = panel.locator(".detail.salience tbody tr.changed")
    expect(words.first).to_contain_text("Great", timeout=20_000)
    edit_in_lit(lit, panel, row["data"]["text"] + " Awful.")
    expect(panel.locator(".detail.salience .held")).to_contain_text("for 2 seconds")
    assert words.count() == 0
    expect(words.first).to_contain_text("Awful", timeout=20_000)
    edit_in_lit(lit, panel, row["data"]["text"] + " Dreadful.")
    panel.locator(".detail.salience .held button").click()
    expect(panel.locator(".detail.salience .held")).to_have_count(0)
    expect(words.first).to_contain_text("Dreadful", timeout=20_000)


def test_pinned_and_selected_examples_are_compared(lit: LitPage, panel: Locator, server: str):
    first, second, *_ = examples(lit)
    lit.pin(first["id"])
    lit.select([second["id"]])
    expect(panel.locator(".says.original")).to_have_text(first["data"]["text"], timeout=20_000)
    expect(panel.locator(".says.edit")).to_have_text(second["data"]["text"])
    expect(panel.locator(".who").first).to_have_text("Pinned")
    answer = answer_of(server, "counterfactual_by_layer", BERT, [first["id"], second["id"]])
    expect(panel.locator(".distances h4").last).to_contain_text(f"{answer['layers'][answer['best_layer']]['mahalanobis']:.3g}")


def test_edits_that_change_nothing_say_so_and_an_emptied_text_gets_a_card(lit: LitPage, panel: Locator):
    [row, *_] = [one for one in examples(lit) if len(one["data"]["text"]) < 120]
    lit.select([row["id"]])
    edit_in_lit(lit, panel, row["data"]["text"].upper())
    expect(panel.locator(".warning")).to_contain_text("reads the same tokens")
    expect(panel.locator(".flip")).to_contain_text("gives both texts the same answer")
    many = "great " * 80
    edit_in_lit(lit, panel, row["data"]["text"] + " " + many + "awful")
    expect(panel.locator(".warning")).to_contain_text("longer than the 64 tokens")
    lit.add_edited(" ")
    expect(panel.locator(".card.error")).to_contain_text("edited text is empty", timeout=20_000)


def test_an_edit_of_an_edit_beyond_the_kept_tokens_says_so(lit: LitPage, panel: Locator):
    [row, *_] = examples(lit)
    long = row["data"]["text"] + " great" * 80
    lit.select([row["id"]])
    edit_in_lit(lit, panel, long)
    edit_in_lit(lit, panel, long + " awful")
    expect(panel.locator(".says.original")).to_have_text(long)
    expect(panel.locator(".warning")).to_contain_text("beyond the 64 tokens")


def test_an_edit_whose_original_is_gone_says_so(lit: LitPage, panel: Locator):
    row, other, *_ = examples(lit)
    lit.select([row["id"]])
    edit_in_lit(lit, panel, row["data"]["text"] + " Awful.")
    lose = "const edit = services.selectionService.primarySelectedInputData; edit.meta.parentId = 'gone';"
    again = "services.selectionService.selectIds([other]); services.selectionService.selectIds([edit.id]);"
    lit.page.evaluate(f"(other) => {{{SERVICES} {lose} {again}}}", other["id"])
    expect(panel.locator(".card")).to_contain_text("original of this edit is not among the examples")


def test_the_pairs_of_the_data_set_are_summed_up_and_a_click_selects_them(
    lit: LitPage, panel: Locator, server: str, tmp_path: Path
):
    panel.locator(".views .pairs").click()
    answer = answer_of(server, "counterfactual_pairs", BERT, [], by="phenomenon")
    expect(panel.locator(".caption")).to_contain_text(f"{answer['n']} pairs", timeout=30_000)
    layer = answer["best_layer"]
    row = answer["layers"][layer]
    expect(panel.locator(".reading")).to_contain_text(f"consistency {row['consistency']:.3f}")
    expect(panel.locator(".kinds tbody tr")).to_have_count(len(answer["kinds"]))
    failing = [pair for pair, right in enumerate(answer["consistent"][layer]) if not right]
    panel.locator(".reading .failing").click()
    selected = lit.page.evaluate(SELECTED)
    assert set(selected) == {id_ for pair in failing for id_ in answer["pairs"][pair]["ids"]}
    kind = answer["kinds"][0]
    panel.locator(".kinds tbody tr").first.locator("th button").click()
    assert set(lit.page.evaluate(SELECTED)) == {id_ for pair in kind["pairs"] for id_ in answer["pairs"][pair]["ids"]}
    expect(panel.locator(".caption")).to_contain_text(f"{answer['n']} pairs")
    panel.locator("#by").select_option("-")
    expect(panel.locator(".kinds")).to_have_count(0)
    with lit.page.expect_download() as file:
        panel.locator(".save-csv").click()
    file.value.save_as(tmp_path / "table.csv")
    table = list(csv.DictReader((tmp_path / "table.csv").open(newline="")))
    assert [float(line["consistency"]) for line in table] == [one["consistency"] for one in answer["layers"]]


def test_edits_made_on_the_page_are_pairs_too(lit: LitPage, panel: Locator):
    first, second, *_ = examples(lit)
    for row in (first, second):
        lit.select([row["id"]])
        edit_in_lit(lit, panel, row["data"]["text"] + " Awful, awful.")
    panel.locator(".views .pairs").click()
    panel.locator("#source").select_option("sent")
    expect(panel.locator(".caption")).to_contain_text("2 pairs edited on this page", timeout=20_000)
    expect(panel.locator(".doubt")).to_contain_text("Few pairs")
    expect(panel.locator(".notes")).to_contain_text("no other score")
    expect(panel.locator(".remark")).to_contain_text("needs the other label")
    panel.locator("#by").select_option("_rule")
    expect(panel.locator(".kinds tbody th")).to_have_text(["by hand"], timeout=20_000)


def test_a_data_set_without_pairs_says_what_to_do(lit: LitPage):
    lit.open(dataset="reviews", layout="edits", models="tiny-bert-on-reviews")
    panel = lit.page.locator("counterfactual-by-layer-module:visible")
    panel.locator(".views .pairs").click(timeout=30_000)
    expect(panel.locator(".card")).to_contain_text("no column pair_id")


@pytest.mark.parametrize("width", [1440, 1000])
def test_nothing_is_cut_off(lit: LitPage, panel: Locator, server: str, width: int):
    lit.page.set_viewport_size({"width": width, "height": 900})
    row, text, _ = flipping_edit(lit, server)
    lit.select([row["id"]])
    edit_in_lit(lit, panel, text)
    panel.locator(".open-neurons").click()
    expect(panel.locator(".detail.neurons tbody tr")).to_have_count(10, timeout=20_000)
    too_wide = "(parts) => parts.filter((part) => part.scrollWidth > part.clientWidth + 1).map((part) => part.className)"
    parts = ".module-toolbar, .module-results-area, .two-texts, .says, .reading, .distances, .detail, .bars, .kinds"
    assert panel.locator(parts).evaluate_all(too_wide) == []
    panel.locator(".views .pairs").click()
    expect(panel.locator(".kinds")).to_have_count(1, timeout=20_000)
    assert panel.locator(parts).evaluate_all(too_wide) == []
