"""The panel "Similarity of layers" in a real browser, on a real server."""

from __future__ import annotations

import csv
import json
import re
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest
from lit_page import LitPage
from live_server import answer_of
from playwright.sync_api import Locator, Route, expect
from reachable import out_of_reach

from lit_probe.views.similarity_measures import MEASURES

BERT, ELECTRA = "tiny-bert-on-demo", "tiny-electra-on-demo"
N_LAYERS = 4


def opened(lit: LitPage) -> Locator:
    """The panel, once its layers are drawn."""
    lit.open(dataset="demo", models=BERT, layout="pictures")
    panel = lit.show("Similarity", "layer-similarity-module")
    expect(panel.locator(".similar .pair")).to_have_count(N_LAYERS**2, timeout=60_000)
    return panel


def written(value: float) -> str:
    """A value as it stands in a cell."""
    text = re.sub(r"^(-?)0\.", r"\1.", re.sub(r"\.00$", "", f"{value:.2f}"))
    return {"0": "0", "-0": "0"}.get(text, text.replace("-", "−"))


def cells(answer) -> list[str]:
    return [written(value) for row in answer["values"] for value in row]


def test_the_layout_asks_nothing_before_the_panel_is_looked_at(lit: LitPage):
    asked: list[str] = []
    lit.page.on("request", lambda request: asked.append(request.url) if "interpreter=layer_similarity" in request.url else None)
    lit.open(dataset="demo", models=BERT, layout="pictures")
    lit.wait_for_curve()
    assert asked == []
    lit.show("Similarity", "layer-similarity-module")
    expect(lit.page.locator("layer-similarity-module:visible .similar")).to_be_visible(timeout=60_000)
    assert asked


def test_the_cells_are_the_servers_numbers_for_every_measure_and_both_sides(lit: LitPage, server: str):
    panel = opened(lit)
    for measure in MEASURES:
        panel.locator("#measure").select_option(measure)
        expect(panel.locator(".caption b")).to_have_text(MEASURES[measure].title, timeout=60_000)
        expect(panel.locator(".pair text")).to_have_text(cells(answer_of(server, "layer_similarity", BERT, measure=measure)))
    panel.locator("#other").select_option(ELECTRA)
    expect(panel.locator(".caption")).to_contain_text("tiny-bert (down) and tiny-electra (across)", timeout=60_000)
    beside = answer_of(server, "layer_similarity", BERT, measure="probe_cosine", other=ELECTRA)
    expect(panel.locator(".pair text")).to_have_text(cells(beside))
    panel.locator("#other").select_option("random weights")
    expect(panel.locator(".card.error")).to_contain_text("[weights=random]", timeout=60_000)
    # The choices stay, so that a reader finds the way out.
    panel.locator("#measure").select_option("cka")
    expect(panel.locator(".caption")).to_contain_text("with random weights (across)", timeout=60_000)


def test_the_series_shows_the_same_layers_by_encoder_and_saves_every_pair(lit: LitPage, server: str, tmp_path: Path):
    lit.page.set_viewport_size({"width": 1000, "height": 900})
    panel = opened(lit)
    panel.locator("#other").select_option("the series")
    expect(panel.locator(".series-map")).to_have_count(2, timeout=60_000)
    answer = answer_of(server, "layer_similarity", BERT, other="the series")
    for number, beside in enumerate(("last", "first", "previous")):
        panel.locator("#same-layer").select_option(beside)
        values = answer["same_layers"][number]["values"]
        shown = ["–" if of[layer] is None else written(of[layer]) for layer in range(N_LAYERS) for of in values]
        expect(panel.locator(".pair text")).to_have_text(shown)
    panel.locator("#same-layer").select_option("first")
    panel.locator(".similar").press("Home")
    panel.locator(".similar").press("ArrowRight")
    expect(panel.locator(".tooltip")).to_contain_text("of tiny-electra and of tiny-bertCKA: ")
    assert out_of_reach(lit.page) == []
    with lit.page.expect_download() as table:
        panel.locator(".save-csv").click()
    table.value.save_as(tmp_path / "table.csv")
    assert len([*csv.DictReader((tmp_path / "table.csv").open(newline=""))]) == 2 * 16 + 2 * 4 + 4
    panel.locator("#other").select_option("")
    expect(panel.locator(".similar .pair")).to_have_count(N_LAYERS**2, timeout=60_000)


def test_a_cell_is_read_by_pointer_and_by_keys_and_a_click_goes_to_its_layer(lit: LitPage, server: str):
    panel = opened(lit)
    answer = answer_of(server, "layer_similarity", BERT)
    grid, tooltip = panel.locator(".similar"), panel.locator(".tooltip")
    box = panel.locator("#pair-1-3 rect").bounding_box()
    assert box
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    lit.page.mouse.move(x, y)
    expect(tooltip).to_contain_text(f"layer 1 and layer 3CKA: {answer['values'][1][3]:.3f}".replace("-", "−"))
    lit.page.mouse.click(x, y)
    expect(panel.locator(".reading")).to_contain_text("layer 1 and layer 3; CKA:")
    lit.page.mouse.move(5, 5)
    grid.press("ArrowDown")
    grid.press("ArrowLeft")
    expect(tooltip).to_contain_text("layer 2 and layer 2CKA: 1.000")
    expect(grid).to_have_attribute("aria-activedescendant", "pair-2-2")
    assert "layer 2 and layer 2, CKA: 1.000" in (panel.locator("#pair-2-2").get_attribute("aria-label") or "")
    grid.press("End")
    grid.press("Enter")
    expect(panel.locator(".reading")).to_contain_text("layer 2 and layer 3; CKA:")
    lit.show("Probe by layer", "layer-metrics-module")
    lit.wait_for_curve()
    assert lit.current_layers() == [2]
    lit.show("Similarity", "layer-similarity-module")
    panel.locator(".similar").press("Escape")
    expect(panel.locator(".reading")).to_contain_text("most like layer")


def test_the_table_and_the_figure_hold_every_digit(lit: LitPage, server: str, tmp_path: Path):
    panel = opened(lit)
    panel.locator("#measure").select_option("pwcca")
    expect(panel.locator(".caption b")).to_have_text("PWCCA", timeout=60_000)
    answer = answer_of(server, "layer_similarity", BERT, measure="pwcca")
    with lit.page.expect_download() as table:
        panel.locator(".save-csv").click()
    table.value.save_as(tmp_path / "table.csv")
    rows = list(csv.DictReader((tmp_path / "table.csv").open(newline="")))
    assert [float(row["value"]) for row in rows] == [value for of in answer["values"] for value in of]
    assert [float(row["by_chance"]) for row in rows] == [value for of in answer["by_chance"] for value in of]
    with lit.page.expect_download() as figure:
        panel.locator(".save-svg").click()
    figure.value.save_as(tmp_path / "figure.svg")
    text = " ".join(ElementTree.parse(tmp_path / "figure.svg").getroot().itertext())
    assert "PWCCA of layers: tiny-bert on demo" in text and cells(answer)[1] in text


def test_colours_are_spread_over_the_values_on_request(lit: LitPage):
    panel = opened(lit)
    colours = "(grid) => [...grid.querySelectorAll('.pair rect')].map((cell) => cell.getAttribute('fill'))"
    before = panel.locator(".similar").evaluate(colours)
    panel.get_by_label("from the least value").check()
    expect(panel.locator(".heat-key")).not_to_contain_text(re.compile(r"^\s*0\s"))
    after = panel.locator(".similar").evaluate(colours)
    assert before != after and before[0] == after[0]
    panel.get_by_label("from the least value").uncheck()
    assert panel.locator(".similar").evaluate(colours) == before


@pytest.mark.parametrize("width", [1440, 1000])
def test_nothing_is_cut_off(lit: LitPage, width: int):
    lit.page.set_viewport_size({"width": width, "height": 900})
    panel = opened(lit)
    panel.locator("#measure").select_option("svcca")
    panel.locator("#other").select_option(ELECTRA)
    expect(panel.locator(".caption")).to_contain_text("tiny-electra (across)", timeout=60_000)
    for cell in ("#pair-0-0", "#pair-3-3", "#pair-0-3"):
        box = panel.locator(f"{cell} rect").bounding_box()
        assert box
        lit.page.mouse.move(box["x"] + 2, box["y"] + 2)
        expect(panel.locator(".tooltip")).to_contain_text("directions compared")
        assert out_of_reach(lit.page) == []


def test_layers_that_do_not_vary_and_failures_are_told(lit: LitPage):
    """The server's answer is changed: no layer of the demo is flat."""

    def flat(route: Route) -> None:
        found = route.fetch().json()
        if found.get("status") == "ready":
            found["values"][0] = [None] * N_LAYERS
            found["notes"] = ["Layer embeddings of tiny-bert does not vary on these rows, so nothing can be compared with it."]
        route.fulfill(body=json.dumps(found))

    lit.page.route("**/get_interpretations*layer_similarity*", flat)
    panel = opened(lit)
    expect(panel.locator(".pair text").first).to_have_text("–")
    expect(panel.locator(".notes").last).to_contain_text("does not vary on these rows")
    lit.page.unroute("**/get_interpretations*layer_similarity*")
    said = json.dumps({"status": "failed", "message": "Layers are compared on 4 rows or more, and there are 3 rows."})
    lit.page.route("**/get_interpretations*layer_similarity*", lambda route: route.fulfill(body=said))
    panel.locator("#measure").select_option("svcca")
    expect(panel.locator(".card.error")).to_contain_text("4 rows or more", timeout=30_000)
