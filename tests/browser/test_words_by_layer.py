"""The panel "Words by layer" in a real browser, on a real server whose rows are words."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from lit_page import SERVICES, LitPage
from live_server import answer_of, curve, live_server
from playwright.sync_api import Locator, expect
from tiny_words import tagged_file

from tools.page import TOUR_CLOSED

MODEL = "tiny-bert-on-tags"


@pytest.fixture(scope="module")
def words_server(tiny_folder, tmp_path_factory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("words")
    flags = [f"--model={tiny_folder('bert')}", f"--datasets=conllu={tagged_file(folder)}", "--label_column=upos"]
    with live_server(flags, folder) as url:
        curve(url, MODEL, "tags")
        yield url


@pytest.fixture(params=[1440, 1000])
def words(request, chromium, words_server) -> Iterator[LitPage]:
    context = chromium.new_context(viewport={"width": request.param, "height": 900})
    context.set_default_timeout(15_000)
    context.add_init_script(TOUR_CLOSED)
    lit = LitPage(context.new_page(), words_server)
    yield lit
    context.close()
    assert lit.problems == []


def opened(words: LitPage, layout: str = "decodability") -> Locator:
    words.open(dataset="tags", layout=layout)
    panel = words.show("Words", "words-by-layer-module")
    expect(panel.locator(".card")).to_contain_text("Select a sentence", timeout=30_000)
    return panel


def test_a_sentence_is_shown_word_by_word_and_a_cell_is_picked_by_mouse_and_by_keys(words, words_server, tmp_path: Path):
    panel = opened(words)
    (chosen,) = words.ids("dev")[:1]
    words.select([chosen])
    answer = answer_of(words_server, "words_by_layer", MODEL, [chosen], dataset="tags")
    (sentence,) = answer["examples"]
    rows = panel.locator(".word-row")
    expect(rows).to_have_count(len(sentence["words"]))
    assert rows.locator(".word").all_text_contents() == [word["word"] for word in sentence["words"]]
    names = [answer["label_names"][word["tag"]] if word["tag"] is not None else "–" for word in sentence["words"]]
    assert rows.locator(".gold").all_text_contents() == names
    panel.locator("#cell-0-1-0 rect").scroll_into_view_if_needed()
    box = panel.locator("#cell-0-1-0 rect").bounding_box()
    assert box
    words.page.mouse.click(box["x"] + 4, box["y"] + 4)
    expect(panel.locator(".words-reading").first).to_contain_text(f"“{sentence['words'][1]['word']}” at layer 0 (embeddings)")
    expect(panel.locator(".caption")).to_contain_text("Layer 0")
    expect(panel.locator(".salience .explained")).to_have_text(sentence["words"][1]["word"])
    grid = panel.get_by_role("grid")
    grid.focus()
    for key in ("ArrowDown", "ArrowRight", "Enter"):
        words.page.keyboard.press(key)
    expect(panel.locator(".words-reading").first).to_contain_text(f"“{sentence['words'][2]['word']}” at layer 1")
    expect(panel.locator("#cell-0-2-1")).to_have_attribute("aria-selected", "true")
    words.page.keyboard.press("Escape")
    expect(panel.locator(".current-word")).to_have_count(0)
    with words.page.expect_download() as download:
        panel.locator(".save-csv").click()
    download.value.save_as(tmp_path / "words.csv")
    table = list(csv.DictReader((tmp_path / "words.csv").read_text("utf-8").splitlines()))
    assert len(table) == len(sentence["words"]) * answer["n_layers"]
    assert float(table[0]["probability_predicted"]) == sentence["words"][0]["certainty"][0]
    outside = words.page.evaluate("() => document.documentElement.scrollWidth > innerWidth")
    assert not outside


def test_an_edit_stands_beside_its_original(words):
    panel = opened(words, "edits")
    row = next(
        one
        for one in words.page.evaluate(f"() => {{{SERVICES} return services.appState.currentInputData}}")
        if len(one["data"]["words"]) >= 5
    )
    words.select([row["id"]])
    expect(panel.locator(".word-row")).to_have_count(len(row["data"]["words"]))
    words.add_edited("unknown " + row["data"]["text"])
    expect(panel.locator(".side-title")).to_have_text(["Original", "Edit"])
    expect(panel.locator(".word-row")).to_have_count(2 * len(row["data"]["words"]) + 1)
    assert panel.locator(".word-row.untagged .word").all_text_contents().count("unknown") == 1
    expect(panel.locator(".notes")).to_contain_text("An edited sentence is never scored")
    host = panel.bounding_box()
    grid = panel.locator(".scroller").bounding_box()
    assert host and grid and grid["x"] >= host["x"] and grid["x"] + grid["width"] <= host["x"] + host["width"] + 1


def test_what_is_about_texts_says_so(words):
    words.open(dataset="tags", layout="decodability")
    expect(words.panel.locator(".caption")).to_contain_text(re.compile(r"Whole data set: [\d,]+ words"), timeout=30_000)
    expect(words.panel.locator(".card.error")).to_have_count(0)
    words.select(words.ids("dev")[:1])
    expect(words.panel.locator(".example")).to_contain_text("Words by layer")
    slices = words.show("Slices", "slices-by-layer-module")
    expect(slices).not_to_contain_text("Uncaught")


def test_neurons_are_shown_and_switched_off_by_word(words, words_server):
    words.open(dataset="tags", layout="neurons")
    panel = words.page.locator("neurons-module:visible")
    expect(panel.locator(".distribution .words").first).to_contain_text("A word with the tag", timeout=30_000)
    (chosen,) = words.ids("dev")[:1]
    words.select([chosen])
    expect(panel.locator(".make-column")).to_have_count(0)
    panel.locator(".ask-words").click()
    tags = panel.locator(".contexts .tag")
    expect(tags.first).to_be_visible()
    assert set(tags.all_text_contents()) <= {"DET", "NOUN", "VERB"}
    panel.locator("select[name=listed-tag]").select_option("VERB")
    expect(panel.locator(".top-words .remark")).to_contain_text(re.compile(r"dev words in [\d,]+ sentences"))
    expect(tags).to_have_text(["VERB"] * tags.count())
    panel.locator(".contexts .context").first.click()
    panel.locator(".switch-off").click()
    expect(panel.locator("table.effects")).to_have_count(1)
    word = panel.locator("select[name=shown-word]")
    word.select_option("1")
    name = word.evaluate("(select) => select.selectedOptions[0].textContent.trim()")
    expect(panel.locator("table.effects")).to_have_attribute("aria-label", re.compile(f"“{name}”, before and after"))
    expect(panel.locator(".switch .verdict")).not_to_be_empty()
    host, table = panel.bounding_box(), panel.locator("table.effects").bounding_box()
    assert host and table and table["x"] + table["width"] <= host["x"] + host["width"] + 1
