"""The panel "Predictions by layer" in a real browser: a masked language model, a classifier, and an encoder without a head."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import tiny_encoders
from language_models import build_masked
from lit_page import LitPage
from live_server import answer_of, curve, live_server
from playwright.sync_api import Locator, expect

from lit_probe.data import load_dataset
from tools.page import TOUR_CLOSED

MODEL = "tiny-masked-on-demo"


@pytest.fixture(scope="module")
def masked_server(tmp_path_factory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("masked")
    words = tuple(tiny_encoders.words_of(load_dataset("demo").train.texts))
    with live_server([f"--model={build_masked(folder / 'tiny-masked', words=words)}", "--datasets=demo"], folder) as url:
        curve(url, MODEL, "demo")
        yield url


@pytest.fixture(params=[1440, 1000])
def opened(request, chromium) -> Iterator:
    """A function from a server's address to a page on the layout "pictures"."""
    context = chromium.new_context(viewport={"width": request.param, "height": 900}, accept_downloads=True)
    context.set_default_timeout(15_000)
    context.add_init_script(TOUR_CLOSED)
    pages = []

    def opening(url: str) -> LitPage:
        pages.append(LitPage(context.new_page(), url))
        return pages[-1].open(layout="pictures")

    yield opening
    assert pages[-1].page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")
    context.close()
    assert pages[-1].problems == []


def asked(lit: LitPage) -> list[str]:
    """What of the lens the page asks the server from now on."""
    found: list[str] = []
    lit.page.on("request", lambda request: found.append(request.url) if "interpreter=lens" in request.url else None)
    return found


def shown(lit: LitPage) -> Locator:
    return lit.show("Lens", "lens-module")


def tokens_of(panel: Locator) -> list[str]:
    return panel.locator(".token-row .token").all_text_contents()


def inside(panel: Locator, what: str) -> None:
    """That no such part of the panel leaves it."""
    box = panel.bounding_box()
    assert box
    for part in panel.locator(what).all():
        other = part.bounding_box()
        assert other is None or (other["x"] >= box["x"] - 1 and other["x"] + other["width"] <= box["x"] + box["width"] + 1), what


def click_cell(lit: LitPage, panel: Locator, row: int, layer: int) -> None:
    """Clicks on a cell; drawings let the pointer through to what lies under them."""
    cell = panel.locator(f"#cell-{row}-{layer} rect")
    cell.scroll_into_view_if_needed()
    box = cell.bounding_box()
    assert box
    lit.page.mouse.click(box["x"] + 4, box["y"] + 4)


def test_tokens_are_read_off_watched_and_picked(opened, masked_server, tmp_path: Path):
    lit = opened(masked_server)
    expect(lit.page.locator(".tab", has_text="Lens")).to_be_visible()
    requests = asked(lit)
    lit.page.wait_for_timeout(500)
    assert requests == [], "nothing is asked before the panel is looked at"
    panel = shown(lit)
    expect(panel.locator(".card")).to_contain_text("Select a text", timeout=30_000)
    (chosen,) = lit.ids("dev")[:1]
    lit.select([chosen])
    answer = answer_of(masked_server, "lens", MODEL, [chosen], part="tokens")
    (text,) = answer["examples"]
    rows = panel.locator(".token-row")
    expect(rows).to_have_count(len(text["tokens"]), timeout=20_000)
    assert tokens_of(panel) == text["tokens"]
    firsts = [text["top"][place][3][0] for place in range(len(text["tokens"]))]
    expect(panel.locator("#cell-1-3")).to_have_attribute("aria-label", re.compile(re.escape(f"“{firsts[1]}”")))
    expect(panel.locator(".caption")).to_contain_text("what the model says")
    expect(panel.locator(".rank-line")).to_have_count(1)

    panel.locator("#watch").fill("good, unbelievableness, ☃, good")
    panel.locator("#watch").press("Enter")
    expect(panel.locator(".rank-line")).to_have_count(3, timeout=20_000)
    expect(panel.locator(".notes")).to_contain_text("cannot spell “☃”")
    expect(panel.locator(".notes")).to_contain_text("the rank is that of the first")
    assert panel.locator("#watch").input_value() == "good, unbelievableness, ☃"
    panel.locator("#shade").select_option(label="rank of “good”")
    watched = answer_of(masked_server, "lens", MODEL, [chosen], part="tokens", watch=["good", "unbelievableness", "☃"])
    ranks = watched["examples"][0]["watched"][0]["ranks"]
    cell = panel.locator("#cell-1-2 text")
    shown_rank = cell.text_content() or ""
    assert shown_rank == (str(ranks[1][2]) if ranks[1][2] < 1000 else shown_rank) and re.fullmatch(r"\d+(\.\d)?k?", shown_rank)

    click_cell(lit, panel, 2, 1)
    expect(panel.locator(".lens-reading").first).to_contain_text(f"in place of “{text['tokens'][2]}” at layer 1")
    expect(panel.locator(".caption")).to_contain_text("Layer 1")
    grid = panel.get_by_role("grid")
    grid.focus()
    for key in ("ArrowDown", "ArrowRight", "Enter"):
        lit.page.keyboard.press(key)
    expect(panel.locator(".lens-reading").first).to_contain_text(f"in place of “{text['tokens'][3]}” at layer 2")
    lit.page.keyboard.press("Escape")
    expect(panel.locator(".caption")).to_contain_text("Layer 3")
    inside(panel, ".scroller, .notes, .module-toolbar, .legend, .caption")
    with lit.page.expect_download() as download:
        panel.locator(".save-csv").click()
    download.value.save_as(tmp_path / "lens.csv")
    table = list(csv.DictReader((tmp_path / "lens.csv").read_text("utf-8").splitlines()))
    assert len(table) == len(text["tokens"]) * 4 and [row["token_1"] for row in table if row["layer"] == "3"] == firsts
    with lit.page.expect_download() as download:
        panel.locator(".save-svg").click()
    download.value.save_as(tmp_path / "lens.svg")
    assert "Predictions by layer: tiny-masked" in (tmp_path / "lens.svg").read_text("utf-8")


def test_an_edit_stands_under_its_original_and_an_empty_one_is_told(opened, masked_server):
    lit = opened(masked_server)
    panel = shown(lit)
    (chosen,) = lit.ids("dev")[1:2]
    lit.select([chosen])
    expect(panel.locator(".token-row").first).to_be_visible(timeout=30_000)
    before = tokens_of(panel)
    lit.show("Edit", "datapoint-editor-module")
    lit.add_edited("the film was not good")
    expect(panel.locator(".token-row.edit")).to_have_count(7, timeout=20_000)
    edits = panel.locator(".token-row.edit .token").all_text_contents()
    assert edits == ["[CLS]", "the", "film", "was", "not", "good", "[SEP]"]
    assert len(tokens_of(panel)) == len(before) + len(edits)
    expect(panel.locator(".color-scale")).to_contain_text("Original")
    click_cell(lit, panel, 0, 0)  # [CLS], which stands in both
    expect(panel.locator(".rank-line")).to_have_count(2)
    lit.select([chosen])
    expect(panel.locator(".token-row.edit")).to_have_count(7)
    lit.show("Edit", "datapoint-editor-module")
    lit.add_edited(" ")
    expect(panel.locator(".card.error")).to_contain_text("The text is empty", timeout=20_000)
    lit.select([lit.ids("dev")[2]])
    expect(panel.locator(".token-row").first).to_be_visible(timeout=20_000)


def test_a_classifier_has_its_head_beside_the_probes(opened, headed_server, tmp_path: Path):
    lit = opened(headed_server)
    panel = shown(lit)
    expect(panel.locator(".series.head")).to_have_count(1, timeout=30_000)
    expect(panel.locator(".series.probes")).to_have_count(1)
    answer = answer_of(headed_server, "lens", "tiny-headed-on-demo", part="curve")
    chart = panel.get_by_role("slider")
    chart.focus()
    lit.page.keyboard.press("End")
    expect(panel.locator(".caption")).to_contain_text(f"Layer 3: head {answer['head'][3]['value']:.3f}")
    expect(panel.locator(".caption")).to_contain_text("100 % of the rows in the head’s final class")
    (chosen,) = lit.ids("dev")[:1]
    lit.select([chosen])
    expect(panel.locator(".strips")).to_have_count(1, timeout=20_000)
    said = answer_of(headed_server, "lens", "tiny-headed-on-demo", [chosen], part="classes")["examples"][0]["probabilities"][-1]
    name = "POSITIVE" if said[1] > said[0] else "NEGATIVE"
    expect(panel.locator(".verdict")).to_contain_text(f"last layer: {name} {max(said):.3f}")
    inside(panel, ".chart, .notes, .strips, .caption")
    with lit.page.expect_download() as download:
        panel.locator(".save-csv").click()
    download.value.save_as(tmp_path / "classes.csv")
    assert len((tmp_path / "classes.csv").read_text("utf-8").splitlines()) == 5


def test_an_encoder_without_a_head_says_what_to_load(opened, server):
    lit = opened(server)
    panel = shown(lit)
    expect(panel.locator(".card").first).to_contain_text("Load a checkpoint that has a head", timeout=30_000)
