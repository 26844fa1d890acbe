"""Somebody else's LIT server in a browser: the planted curve on our panel, the page of the docs line by line."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from foreign_lit import CLIENT, DISTANCES, Planted, Sentences, lit_with
from lit_nlp import dev_server
from lit_nlp.api import types
from lit_nlp.components import core
from lit_nlp.notebook import LitWidget
from lit_page import LitPage
from live_server import PATIENCE_S, curve, scores
from page_code import blocks_of
from playwright.sync_api import expect
from reachable import out_of_reach

import lit_probe.lit
from lit_probe.encoder.cache import Cache

SCRIPT, OURS, TOKENS, WIDGET, LITS_WIDGET = blocks_of("in-your-own-lit.md")


class Moods(Sentences):
    """The label is called otherwise."""

    def __init__(self):
        super().__init__(120)
        self._examples = [{"sentence": one["sentence"], "mood": one["label"]} for one in self._examples]

    def spec(self) -> types.Spec:
        return {"sentence": types.TextSegment(), "mood": types.CategoryLabel(vocab=["0", "1"])}


@pytest.fixture(scope="module")
def server(tiny_folder) -> Iterator[str]:
    """A stock LIT server with a planted model, one without vectors, and one of ours; it takes the place of our server."""
    data = Sentences()
    ours = lit_probe.lit.ProbeModel(tiny_folder(), data, name="data", cache=Cache(None))
    models = {"mine": Planted(), "blind": Planted({}), "ours": ours}
    running = lit_probe.lit.serve(
        lit_probe.lit.attach(lit_with(models, {"data": data, "moods": Moods()})), "127.0.0.1", 0
    ).start()
    yield running.url
    running.close(1.0)


def test_the_panel_shows_the_planted_curve_with_the_servers_digits(lit: LitPage, server: str):
    lit.open(dataset="data", models="mine").wait_for_curve()
    expect(lit.chart.locator(".layer-axis text", has_text=re.compile("first|second|third"))).to_have_text(list(DISTANCES))
    answer = curve(server, "mine", "data")
    for layer, one in enumerate(scores(answer, "dev")):
        label = lit.chart.locator(".layer-axis text", has_text=list(DISTANCES)[layer])
        expect(label).to_be_visible()
        box, at = lit.chart.bounding_box(), label.bounding_box()
        assert box and at
        lit.page.mouse.click(at["x"] + at["width"] / 2, box["y"] + box["height"] / 2)
        expect(lit.panel.locator(".reading")).to_contain_text(f"dev {one['score']:.3f} [{one['low']:.3f}, {one['high']:.3f}]")
    expect(lit.panel.locator(".notes")).to_contain_text("The layers are fields of the model: 0 first, 1 second, 2 third.")


@pytest.mark.parametrize("model", ["mine", "ours"])
def test_the_table_tells_which_split_each_example_is_in_and_that_edits_are_in_none(lit: LitPage, model: str):
    lit.open(dataset="data", models=model).wait_for_curve()
    table = lit.page.locator("data-table-module:visible")
    expect(table.locator("th", has_text="probe_split")).to_have_count(1)
    expect(table.locator("td", has_text=re.compile(r"^\s*(train|dev|test)\s*$")).first).to_be_visible()
    lit.page.locator("datapoint-editor-module:visible textarea").first.fill("alpha beta 7")
    lit.page.locator("datapoint-editor-module:visible").get_by_role("button", name="Add", exact=True).click()
    expect(lit.caption).to_contain_text("1 edited row left out")


def test_a_model_without_vectors_says_so_and_the_page_stays_usable(lit: LitPage):
    lit.open(dataset="data", models="blind")
    expect(lit.panel.locator(".error .message")).to_contain_text("The model blind has no vectors to probe")
    expect(lit.page.locator("data-table-module:visible td", has_text="alpha").first).to_be_visible()


def test_slices_are_made_by_the_label_whatever_it_is_called(lit: LitPage):
    lit.open(dataset="moods", models="mine")
    panel = lit.show("Slices", "slices-by-layer-module")
    expect(panel.locator(".multiple .name")).to_have_text(["0", "1"], timeout=30_000)
    expect(panel.locator("select").first).not_to_contain_text("label")


@pytest.mark.parametrize("width", [1440, 1000])
@pytest.mark.parametrize("layout", ["decodability", "evidence", "words", "neurons", "edits"])
def test_every_layout_shows_a_foreign_model_inside_the_window(lit: LitPage, layout: str, width: int):
    lit.page.set_viewport_size({"width": width, "height": 900})
    lit.open(dataset="data", models="mine", layout=layout)
    lit.page.locator("lit-widget-group:visible").first.wait_for()
    expect(lit.page.locator("[aria-busy=true]:visible")).to_have_count(0, timeout=60_000)
    lit.settle()
    assert out_of_reach(lit.page) == []


def test_the_script_of_the_docs_runs(tmp_path: Path):
    (tmp_path / "my_lit.py").write_text("from foreign_lit import Planted as MyModel, Sentences as MyReviews\n")
    script = tmp_path / "serve.py"
    script.write_text(SCRIPT.replace("5432", "0"))
    here = Path(__file__).parents[1]
    paths = f"{tmp_path}:{here / 'lit'}:{here.parent}"
    log = tmp_path / "log"
    with log.open("w") as output:
        process = subprocess.Popen(
            [sys.executable, "-u", script], stdout=output, stderr=subprocess.STDOUT, env={**os.environ, "PYTHONPATH": paths}
        )
    try:
        deadline = time.monotonic() + PATIENCE_S
        while not (found := re.search(r"LIT is open at (http://127\.0\.0\.1:\d+/)", log.read_text())):
            assert process.poll() is None and time.monotonic() < deadline, log.read_text()
            time.sleep(0.1)
        assert curve(found[1], "mine", "reviews")["layer_names"] == list(DISTANCES)
    finally:
        process.terminate()
        process.wait(timeout=20)


def test_the_line_with_a_model_of_ours_and_the_widget_run(tiny_folder, monkeypatch):
    line = OURS.replace('"sentence-transformers/all-MiniLM-L6-v2"', repr(str(tiny_folder())))
    names = {"lit_probe": lit_probe, "datasets": {"reviews": Sentences(200)}}
    exec(line, names)
    assert names["model"].input_spec()["sentence"]
    widgets = {"MyModel": Planted, "MyReviews": Sentences}
    exec(WIDGET.replace("ProbeWidget({", "widget = ProbeWidget({").replace(".render()", ""), widgets)
    assert curve(widgets["widget"].url, "mine", "reviews")["status"] == "ready"
    widgets["widget"].stop()


def test_the_line_with_token_fields_runs(tiny_folder):
    line = TOKENS.replace('"sentence-transformers/all-MiniLM-L6-v2"', repr(str(tiny_folder())))
    names = {"lit_probe": lit_probe, "datasets": {"reviews": Sentences(200)}}
    exec(line, names)
    assert {"token_embeddings", "token_gradients"} <= set(names["model"].output_spec())


def test_lits_own_widget_has_our_panels_as_the_docs_say(monkeypatch):
    monkeypatch.setitem(dev_server.WSGI_SERVERS, "notebook", dev_server.WSGI_SERVERS["notebook"])
    exec(LITS_WIDGET, {"lit_probe": lit_probe})
    models = {"mine": Planted()}
    interpreters = {**core.default_interpreters(models), **lit_probe.lit.interpreters(models)}
    options = {"interpreters": interpreters, "layouts": lit_probe.lit.layouts(), "client_root": CLIENT}
    widget = LitWidget(models, {"data": Sentences(200)}, **options)
    url = f"http://localhost:{widget._server.port}/"
    with urllib.request.urlopen(url, timeout=20) as page:
        assert b'/index.js"></script>' in page.read()
        assert "frame-ancestors http://localhost:*" in page.headers["Content-Security-Policy"]
    assert curve(url, "mine", "data")["layer_names"] == list(DISTANCES)
    assert widget.ui_state.selection == []
    widget.stop()
