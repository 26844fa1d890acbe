"""Places of several kinds on the panel "Probe by layer": lines over depth, a grid of heads, and the files of both."""

from __future__ import annotations

import csv
import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from pathlib import Path

import pytest
from lit_page import LitPage
from live_server import curve, live_server, scores
from playwright.sync_api import expect

from tools.page import TOUR_CLOSED
from tools.tutorial_screenshots import Walk

MODEL = "tiny-bert-on-demo"
N_BLOCKS, N_HEADS = 3, 4


@pytest.fixture(scope="module")
def places(tiny_folder, tmp_path_factory) -> Iterator[tuple[str, dict]]:
    """The address of a server that reads layers, attention and heads, and its curve."""
    folder = tmp_path_factory.mktemp("places")
    flags = [f"--model={tiny_folder('bert')}", "--datasets=demo", "--sites=layers,attention,heads"]
    with live_server(flags, folder) as url:
        yield url, curve(url, MODEL, "demo")


@pytest.fixture
def page(chromium, places) -> Iterator[LitPage]:
    context = chromium.new_context(viewport={"width": 1000, "height": 900}, accept_downloads=True)
    context.set_default_timeout(15_000)
    context.add_init_script(TOUR_CLOSED)
    lit = LitPage(context.new_page(), places[0]).open(dataset="demo")
    expect(lit.panel.locator(".chart.heads .head")).to_have_count(N_BLOCKS * N_HEADS, timeout=20_000)
    yield lit
    context.close()
    assert lit.problems == []


def lines(lit: LitPage):
    return lit.panel.locator(".chart:not(.heads)")


def written(answer: dict, name: str) -> str:
    row = scores(answer, "dev")[answer["layer_names"].index(name)]
    return f"{row['score']:.3f} [{row['low']:.3f}, {row['high']:.3f}]"


def test_kinds_are_lines_over_depth_and_one_of_them_is_current(page: LitPage, places):
    _, answer = places
    chart, reading = lines(page), page.panel.locator(".reading").first
    expect(chart.locator(".series.dev.line")).to_have_count(2)
    expect(chart.locator(".end-label")).to_have_text(["layers", "attention"])
    kinds = page.panel.locator(".kind-button")
    expect(kinds).to_have_text([re.compile("layers"), re.compile("attention"), re.compile("heads")])
    kinds.nth(1).click()
    expect(kinds.nth(1)).to_have_attribute("aria-pressed", "true")
    chart.press("End")
    expect(reading).to_contain_text(f"(attention {N_BLOCKS}")
    expect(reading).to_contain_text(f"dev {written(answer, f'attention {N_BLOCKS}')}")
    chart.press("ArrowLeft")
    expect(reading).to_contain_text(f"(attention {N_BLOCKS - 1}")
    expect(chart.locator(".current-place")).to_have_count(1)
    # Nothing of attention stands before the first block.
    chart.scroll_into_view_if_needed()
    label = chart.locator(".layer-axis text", has_text="embeddings").bounding_box()
    box = chart.bounding_box()
    page.page.mouse.click(label["x"] + label["width"] / 2, box["y"] + box["height"] / 2)
    expect(reading).to_contain_text("(embeddings")
    expect(kinds.nth(0)).to_have_attribute("aria-pressed", "true")
    # Pointing at a depth tells all kinds.
    second = chart.locator(".layer-axis text", has_text=re.compile(r"^2$"))
    # The chart is drawn anew after a click.
    expect(second).to_be_visible()
    axis = next(found for _ in range(100) if (found := second.bounding_box()) or page.page.wait_for_timeout(50))
    page.page.mouse.move(axis["x"] + 3, box["y"] + box["height"] / 2)
    tooltip = chart.locator(".tooltip")
    for name in ("block 2", "attention 2"):
        expect(tooltip).to_contain_text(f"{name}: {written(answer, name)}")


def test_heads_are_walked_by_keys_and_picked_by_enter_and_by_clicks(page: LitPage, places):
    _, answer = places
    grid, reading = page.panel.locator(".chart.heads"), page.panel.locator(".reading").first
    # From a place that is no head, keys begin at the first one.
    page.panel.locator(".kind-button").first.click()
    grid.focus()
    tooltip = grid.locator(".tooltip")
    expect(tooltip).to_contain_text(f"head 1.0: {written(answer, 'head 1.0')}")
    before = reading.inner_text()
    grid.press("ArrowDown")
    grid.press("ArrowRight")
    expect(tooltip).to_contain_text(f"head 2.1: {written(answer, 'head 2.1')}")
    assert grid.get_attribute("aria-activedescendant") == grid.locator("[role=gridcell]").nth(N_HEADS + 1).get_attribute("id")
    assert reading.inner_text() == before, "walking picks nothing"
    grid.press("Enter")
    expect(reading).to_contain_text("(head 2.1")
    expect(grid.locator(".current-head")).to_have_count(1)
    expect(grid.locator("[aria-selected=true]")).to_have_attribute("aria-label", re.compile(r"^head 2\.1: "))
    expect(page.panel.locator(".hidden-overlays")).to_contain_text("Not drawn for heads")
    grid.scroll_into_view_if_needed()
    cell, box = grid.locator(".head").nth(2 * N_HEADS + 3).bounding_box(), grid.bounding_box()
    page.page.mouse.click(cell["x"] + cell["width"] / 2, cell["y"] + cell["height"] / 2)
    expect(reading).to_contain_text("(head 3.3")
    said = tooltip.bounding_box()
    assert box["x"] <= said["x"] and said["x"] + said["width"] <= box["x"] + box["width"]
    grid.press("Escape")
    expect(reading).to_contain_text("dev-chosen")


def test_nothing_of_it_stands_outside_the_panel(page: LitPage):
    area = page.panel.locator(".module-results-area")
    assert area.evaluate("(one) => one.scrollWidth <= one.clientWidth")
    right = area.bounding_box()["x"] + area.bounding_box()["width"]
    for part in page.panel.locator(".chart svg, .kind-button").all():
        assert part.bounding_box()["x"] + part.bounding_box()["width"] <= right


def test_the_files_hold_the_places(page: LitPage, places, tmp_path: Path):
    _, answer = places
    saved = {}
    for kind in ("csv", "svg"):
        with page.page.expect_download() as download:
            page.panel.locator(f".save-{kind}").click()
        saved[kind] = tmp_path / f"curve.{kind}"
        download.value.save_as(saved[kind])
    rows = [row for row in csv.DictReader(saved["csv"].open(encoding="utf-8")) if row["split"] == "dev" and row["name"]]
    assert [row["name"] for row in rows] == answer["layer_names"]
    assert [(row["family"], row["depth"]) for row in rows] == [(one["family"], str(one["depth"])) for one in answer["sites"]]
    drawing = ElementTree.parse(saved["svg"]).getroot()
    heads = [one for one in drawing.iter() if one.get("class") == "head"]
    assert len(heads) == N_BLOCKS * N_HEADS


def test_an_example_has_strips_of_the_current_kind(page: LitPage):
    page.select([page.ids("dev")[0]])
    strips = page.panel.locator(".strips")
    kinds = page.panel.locator(".kind-button")
    for kind, n_cells in ((0, N_BLOCKS + 1), (1, N_BLOCKS), (2, N_HEADS)):
        kinds.nth(kind).click()
        expect(strips.locator(".class-strip").first.locator(".cell")).to_have_count(n_cells)
    expect(page.panel.locator(".strip-words")).to_contain_text("The heads of block")
    strips.scroll_into_view_if_needed()
    box = strips.locator(".class-strip").first.locator(".cell").nth(2).bounding_box()
    page.page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    expect(page.panel.locator(".reading").first).to_contain_text(re.compile(r"\(head \d\.2"))


def test_other_panels_draw_no_line_from_one_kind_to_the_next(page: LitPage):
    panel = page.show("Slices", "slices-by-layer-module")
    chart = panel.locator(".multiple .chart").first
    expect(chart).to_be_visible()
    n_kinds = 2 + N_BLOCKS
    assert chart.locator(".series.dev .line").first.get_attribute("d").count("M") == n_kinds
    expect(panel.locator(".value").first).to_contain_text(re.compile(r"^(embeddings|block|attention|head) ?"))


def test_the_title_of_a_neuron_tells_its_place_and_its_rank_in_words_that_do_not_overlap(page: LitPage):
    page.panel.locator(".kind-button").nth(2).click()
    expect(page.panel.locator(".reading").first).to_contain_text("(head")
    name = re.search(r"\((head [\d.]+)", page.panel.locator(".reading").first.inner_text())
    assert name
    walk = Walk(page.page, page.url)
    walk.choose_layout("decodability", "neurons")
    title = page.page.locator("neurons-module:visible .neuron-title")
    rank = title.locator(".rank")
    expect(rank).to_have_count(1, timeout=20_000)
    expect(rank).to_have_text(re.compile(rf"^of {re.escape(name[1])}, rank 1 of \d+ by "))
