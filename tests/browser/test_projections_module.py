"""The panel "Layers in 2-D" in a real browser: what is drawn around points is what LIT selects."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from lit_page import SERVICES, LitPage
from live_server import answer_of, curve, live_server
from playwright.sync_api import Locator, expect
from saved_pictures import assert_png_beside

from tools.page import TOUR_CLOSED

MODEL = "tiny-bert-on-demo"
N_ROWS, N_FAR = 220, 17


@pytest.fixture(scope="module")
def planted_server(tmp_path_factory) -> Iterator[str]:
    """Vectors of three layers; at layer 1 some rows stand far from all others."""
    folder = tmp_path_factory.mktemp("planted")
    random = np.random.default_rng(0)
    far = np.isin(np.arange(N_ROWS), random.permutation(N_ROWS)[:N_FAR])
    values = random.normal(size=(N_ROWS, 3, 6))
    labels = np.arange(N_ROWS) % 2
    values[:, :, 1] += 2 * labels[:, None]
    values[far, 1] += np.array([25, 0, 0, 0, 0, 0])
    np.savez(folder / "brain.npz", **{f"layer {i}": values[:, i].astype(np.float32) for i in range(3)})
    rows = [f"{'far' if away else 'near'} row number {i},{'yes' if labels[i] else 'no'}\n" for i, away in enumerate(far)]
    (folder / "rows.csv").write_text("text,label\n" + "".join(rows))
    with live_server([f"--activations={folder / 'brain.npz'}", f"--datasets=csv={folder / 'rows.csv'}"], folder) as url:
        curve(url, "brain-on-rows", "rows")
        yield url


@pytest.fixture(params=[1440, 1000])
def planted(request, chromium, planted_server) -> Iterator[LitPage]:
    context = chromium.new_context(viewport={"width": request.param, "height": 900})
    context.set_default_timeout(15_000)
    context.add_init_script(TOUR_CLOSED)
    lit = LitPage(context.new_page(), planted_server)
    yield lit
    context.close()
    assert lit.problems == []


def shown(lit: LitPage, dataset: str, **parameters: str) -> Locator:
    """The panel behind its tab, once the pictures are drawn."""
    lit.open(dataset=dataset, layout="pictures", **parameters)
    panel = lit.show("Layers in 2-D", "projections-module")
    expect(panel.locator(".pictures")).to_be_visible(timeout=60_000)
    drawn(lit, panel)
    return panel


def drawn(lit: LitPage, panel: Locator) -> None:
    """Waits for two frames: what was asked for is on the canvases."""
    panel.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")


def points(panel: Locator, layer: int) -> np.ndarray:
    """Where the points stand in a layer's picture, in pixels: rows first, then edits."""
    return np.array(panel.evaluate("(element, layer) => element.points.get(layer)", layer))


def selected(lit: LitPage) -> set[str]:
    return set(lit.page.evaluate(f"() => {{{SERVICES} return [...services.selectionService.selectedIds]}}"))


def texts(lit: LitPage) -> dict[str, str]:
    found = lit.page.evaluate(
        f"() => {{{SERVICES} return services.appState.currentInputData.map(({{id, data}}) => [id, data.text])}}"
    )
    return dict(found)


def canvas(panel: Locator, layer: int) -> Locator:
    return panel.locator(f".picture[data-layer='{layer}'] canvas.over")


def draw_around(lit: LitPage, panel: Locator, layer: int, corners: list[tuple[float, float]]) -> None:
    target = canvas(panel, layer)
    target.scroll_into_view_if_needed()
    box = target.bounding_box()
    assert box
    at = [(box["x"] + x, box["y"] + y) for x, y in corners]
    lit.page.mouse.move(*at[0])
    lit.page.mouse.down()
    for corner in at[1:]:
        lit.page.mouse.move(*corner, steps=5)
    lit.page.mouse.up()
    drawn(lit, panel)


def test_a_lasso_and_a_box_around_a_planted_cluster_select_exactly_its_rows(planted):
    panel = shown(planted, "rows")
    of_text = texts(planted)
    far = {row for row, text in of_text.items() if text.startswith("far")}
    assert len(far) == N_FAR
    places = points(panel, 1)
    cluster = places[[row in far for row in of_text]]
    (left, top), (right, bottom) = cluster.min(axis=0) - 5, cluster.max(axis=0) + 5
    side = panel.locator(".plot").first.evaluate("(plot) => plot.clientWidth")
    left, top, right, bottom = max(left, 1), max(top, 1), min(right, side - 1), min(bottom, side - 1)
    draw_around(planted, panel, 1, [(left, top), (right, top), (right, bottom), (left, bottom)])
    assert selected(planted) == far
    expect(panel.locator(".caption")).to_contain_text(f"{N_FAR} selected")
    planted.select([])
    panel.locator("#tool").select_option("box")
    draw_around(planted, panel, 1, [(left, top), (right, bottom)])
    assert selected(planted) == far
    # With Shift more rows join them.
    planted.page.keyboard.down("Shift")
    draw_around(planted, panel, 0, [(1, 1), (side - 1, side - 1)])
    planted.page.keyboard.up("Shift")
    assert selected(planted) == set(of_text)
    # A click beside all points selects none.
    draw_around(planted, panel, 1, [(side / 2, side - 2), (side / 2, side - 2)])
    assert selected(planted) == set()
    assert planted.page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")
    host, last = panel.bounding_box(), panel.locator(".plot").last.bounding_box()
    assert host and last and last["x"] + last["width"] <= host["x"] + host["width"]


def test_no_request_is_sent_before_the_panel_is_looked_at(lit: LitPage):
    asked: list[str] = []
    lit.page.on("request", lambda request: asked.append(request.url) if "interpreter=projections" in request.url else None)
    lit.open(dataset="demo", models=MODEL, layout="decodability").wait_for_curve()
    assert asked == []


def test_an_edit_without_vectors_says_so_and_the_rows_stay(planted):
    panel = shown(planted, "rows")
    planted.select(planted.ids()[:1])
    planted.show("Edit", "datapoint-editor-module")
    planted.add_edited("words that have no vector")
    expect(panel.locator(".card.error")).to_contain_text("this text has none", timeout=30_000)
    expect(panel.locator(".picture canvas.over")).to_have_count(3)


def test_points_are_walked_by_keys_and_picked_by_enter(lit: LitPage):
    panel = shown(lit, "demo", models=MODEL)
    target = canvas(panel, 1)
    target.focus()
    lit.page.keyboard.press("ArrowRight")
    expect(panel.locator(".pointed")).not_to_be_empty()
    first = panel.locator(".pointed").inner_text()
    for _ in range(3):
        lit.page.keyboard.press("ArrowRight")
        lit.page.keyboard.press("ArrowDown")
    assert panel.locator(".pointed").inner_text() != first
    lit.page.keyboard.press("Enter")
    (chosen,) = selected(lit)
    expect(panel.locator(".pointed")).to_contain_text(texts(lit)[chosen])
    lit.page.keyboard.press("Escape")
    assert selected(lit) == set()


def test_the_pointer_shows_the_same_row_in_every_plot_and_a_click_selects_it(lit: LitPage):
    panel = shown(lit, "demo", models=MODEL)
    places = points(panel, 2)
    alone = int(np.argmax(np.sort(np.linalg.norm(places[:, None] - places[None], axis=2), axis=1)[:, 1]))
    target = canvas(panel, 2)
    target.scroll_into_view_if_needed()
    box = target.bounding_box()
    assert box
    lit.page.mouse.move(box["x"] + places[alone][0], box["y"] + places[alone][1])
    row = lit.ids()[alone]
    expect(panel.locator(".pointed")).to_contain_text(texts(lit)[row])
    focused = "() => document.createElement('embeddings-module').focusService.focusData.datapointId"
    assert lit.page.evaluate(focused) == row
    lit.page.mouse.down()
    lit.page.mouse.up()
    assert selected(lit) == {row}


def test_an_edit_stands_where_its_vector_is_projected_to_and_its_colours_are_lits(lit: LitPage, server):
    panel = shown(lit, "demo", models=MODEL)
    n_rows = len(lit.ids())
    (chosen,) = lit.ids("dev")[:1]
    lit.select([chosen])
    lit.show("Edit", "datapoint-editor-module")
    lit.add_edited("a dull and awful film")
    lit.page.wait_for_function("([element, n]) => element.points.get(0)?.length === n", arg=[panel.element_handle(), n_rows + 1])
    edit = lit.page.evaluate(f"() => {{{SERVICES} return services.appState.currentInputData.at(-1)}}")
    rows = answer_of(server, "projections", MODEL, lit.ids()[:n_rows], method="pca")
    placed = answer_of(server, "projections", MODEL, [edit], method="pca", at_once=True)
    side = panel.locator(".plot").first.evaluate("(plot) => plot.clientWidth")
    for layer, (of_rows, of_edit) in enumerate(zip(rows["layers"], placed["layers"], strict=True)):
        xy = np.array([*of_rows["xy"], *of_edit["xy"]])
        low, high = xy.min(axis=0), xy.max(axis=0)
        scale = (side - 16) / (high - low).max()
        across = np.array([side / 2, side / 2]) + (xy - (low + high) / 2) * scale * [1, -1]
        np.testing.assert_allclose(points(panel, layer), across, atol=0.1)
    colored = panel.evaluate("(element) => element.colored")
    by_hand = """() => {
      const {appState, colorService} = document.createElement('embeddings-module');
      return appState.currentInputData.map((row) => colorService.getDatapointColor(row));
    }"""
    assert colored["colors"] == lit.page.evaluate(by_hand) and len(set(colored["colors"])) > 1
    expect(panel.locator(".caption")).to_contain_text("coloured by the class that the probe predicts")
    lit.page.evaluate("() => {document.createElement('embeddings-module').colorService.selectedColorOptionName = 'probe_split'}")
    expect(panel.locator(".caption")).to_contain_text("coloured by probe_split")
    assert {"dev", "train", "test"} <= set(panel.evaluate("(element) => element.colored.values"))


def test_t_sne_waits_with_progress_can_be_cancelled_and_comes_back(lit: LitPage, tmp_path: Path):
    panel = shown(lit, "demo", models=MODEL)
    panel.locator("#way").select_option("tsne")
    expect(panel.locator(".card")).to_contain_text("t-SNE of tiny-bert on demo")
    panel.get_by_role("button", name="Cancel").click()
    expect(panel.locator(".card")).to_contain_text("You cancelled this computation")
    panel.get_by_role("button", name="Start again").click()
    expect(panel.locator(".picture .said").first).to_contain_text(re.compile(r"trust 0\.\d\d"), timeout=120_000)
    expect(panel.locator(".way")).to_contain_text("Neighbours are kept, and nothing else")
    expect(panel.locator(".notes")).to_contain_text("Perplexity 30")
    with lit.page.expect_download() as download:
        panel.locator(".save-csv").click()
    download.value.save_as(tmp_path / "places.csv")
    table = list(csv.DictReader((tmp_path / "places.csv").read_text("utf-8").splitlines()))
    assert len(table) == len(lit.ids()) * panel.locator(".picture").count()
    assert {row["projection"] for row in table} == {"tsne"} and {row["split"] for row in table} == {"train", "dev", "test"}
    with lit.page.expect_download() as download:
        panel.locator(".save-svg").click()
    download.value.save_as(tmp_path / "places.svg")
    drawing = (tmp_path / "places.svg").read_text("utf-8")
    assert drawing.count("h0") == len(table) and "t-SNE by layer" in drawing
    assert_png_beside(panel, tmp_path / "places.svg")


def test_the_probes_plane_has_its_boundary_and_a_layer_is_made_current(lit: LitPage):
    panel = shown(lit, "demo", models=MODEL)
    panel.locator("#way").select_option("probe")
    expect(panel.locator(".way")).to_contain_text("shows what the probe sees", timeout=30_000)
    panel.locator(".picture[data-layer='1'] .text-button").click()
    expect(panel.locator(".picture.current .text-button")).to_have_text(re.compile("layer 1"))
