"""The panel "Patterns on tokens" in a real browser, on a decoder: patterns of feed-forward neurons on a text and its edit."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

import pytest
import tiny_decoders
from lit_page import SERVICES, LitPage
from live_server import answer_of, curve, live_server
from playwright.sync_api import expect

from tools.page import TOUR_CLOSED

MODEL = "tiny-llama-on-demo"
TEXTS = f"() => {{{SERVICES} return services.appState.currentInputData.map(({{id, data}}) => [id, data.text])}}"


@pytest.fixture(scope="module")
def decoder_server(tmp_path_factory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("decoder")
    model = tiny_decoders.build(folder / "tiny-llama", "llama")
    with live_server([f"--model={model}", "--datasets=demo"], folder) as url:
        curve(url, MODEL, "demo")
        yield url


@pytest.mark.parametrize("width", [1440, 1000])
def test_a_decoders_patterns_stand_on_the_tokens_of_a_text_and_of_its_edit(chromium, decoder_server, tmp_path: Path, width: int):
    context = chromium.new_context(viewport={"width": width, "height": 900}, accept_downloads=True)
    context.set_default_timeout(15_000)
    context.add_init_script(TOUR_CLOSED)
    lit = LitPage(context.new_page(), decoder_server)
    asked: list[str] = []
    lit.page.on("request", lambda request: asked.append(request.url) if "interpreter=neuron_evidence" in request.url else None)
    lit.open(layout="pictures")
    expect(lit.page.locator(".tab", has_text="Patterns")).to_be_visible()
    assert asked == [], "nothing is asked before the panel is looked at"
    panel = lit.show("Patterns", "neuron-factors-module")
    expect(panel.locator(".words", has_text="Select a text in LIT")).to_be_visible(timeout=30_000)
    # The shortest: its edit is to fit the model too.
    chosen, text = min(lit.page.evaluate(TEXTS), key=lambda row: len(row[1]))
    lit.select([chosen])
    expect(panel.locator(".card.error")).to_have_count(0)
    # It looks like something that can be opened.
    assert "url(" in panel.locator("#source").evaluate("menu => getComputedStyle(menu).backgroundImage")
    panel.locator("input[name=components]").fill("3")
    expect(panel.locator(".matrix thead .opens")).to_have_text(["1", "2", "3"], timeout=30_000)
    answer = answer_of(decoder_server, "neuron_evidence", MODEL, [chosen], part="factors", components=3)
    assert panel.locator(".matrix td.token").all_text_contents() == answer["texts"][0]["tokens"]
    first_line = panel.locator(".matrix tbody tr").first.locator("td.value").all_text_contents()
    assert first_line == [f"{one['on_texts'][0][0]:.2f}" for one in answer["factors"]]
    panel.locator(".matrix thead .opens").nth(1).click()
    expect(panel).to_contain_text("Pattern 2")

    lit.show("Edit", "datapoint-editor-module")
    lit.add_edited(text + " Great")
    expect(panel.locator(".matrix .text-name")).to_have_text(["Original", "Edited"], timeout=30_000)
    expect(panel.locator(".matrix tr.differs").first).to_be_visible()
    first, second = (
        [token for token in panel.locator(f".matrix td.token.{side}").all_text_contents() if token]
        for side in ("first", "second")
    )
    assert first == answer["texts"][0]["tokens"] and second[: len(first)] == first and len(second) > len(first)
    with lit.page.expect_download() as download:
        panel.locator(".save-csv").click()
    download.value.save_as(tmp_path / "patterns.csv")
    table = list(csv.DictReader((tmp_path / "patterns.csv").read_text("utf-8").splitlines()))
    assert len({row["text"] for row in table}) == 2 and {row["pattern"] for row in table} == {"1", "2", "3"}

    panel.locator("input[name=components]").fill("30")
    panel.locator("#source").select_option("many")
    panel.locator(".ask-factors").click()
    expect(panel.locator(".factor-text").first).to_be_visible(timeout=60_000)
    assert lit.page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")
    context.close()
    assert lit.problems == []
