"""A new probe from the page: made from two slices, seen everywhere, compared, kept over a reload; a second one cancelled."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from lit_page import SERVICES, LitPage
from live_server import curve
from playwright.sync_api import Locator, expect
from reachable import out_of_reach

from lit_probe.data import load_dataset
from lit_probe.encoder.encoder import load_encoder
from lit_probe.lit.app import AppOptions, build
from lit_probe.lit.server.web import serve
from lit_probe.probing.study import probe_layers

MODEL = "tiny-bert-on-demo-films-against-products"
DATASET = "demo-films-against-products"
MADE = ".made tbody tr"
ENOUGH_MS = 60_000


@pytest.fixture
def server(tiny_folder) -> Iterator[str]:
    """A server of its own, in the place of the one that all tests share: what is made on it stays."""
    app = build(
        [load_encoder(str(tiny_folder()))],
        [load_dataset("demo")],
        AppOptions(),
        lambda encoder, splits, progress: probe_layers(encoder, splits, progress=progress),
    )
    server = serve(app, "127.0.0.1", 0).start()
    curve(server.url, "tiny-bert-on-demo", "demo")
    yield server.url
    server.close()


def the_form(lit: LitPage) -> Locator:
    lit.wait_for_curve()
    panel = lit.show("New probe", "new-probe-module")
    expect(panel.get_by_role("group", name="New probe")).to_be_visible()
    return panel


def make(panel: Locator, **choices: str) -> None:
    for name, value in choices.items():
        panel.locator(f"select[name={name}]").select_option(value)
    panel.get_by_role("button", name="Make probes").click()


def slices_of_domains(lit: LitPage) -> None:
    ids = "services.appState.currentInputData.filter(({data}) => data.domain === domain).map(({id}) => id)"
    for name in ("film", "product"):
        lit.select_slice(f"{name}s", lit.page.evaluate(f"(domain) => {{{SERVICES} return {ids}}}", name))
    lit.select([])


def dataset(lit: LitPage) -> str:
    return lit.page.evaluate(f"() => {{{SERVICES} return services.appState.currentDataset}}")


def test_a_probe_of_two_slices_is_seen_everywhere_and_found_after_a_reload(lit: LitPage):
    panel = the_form(lit.open())
    slices_of_domains(lit)
    make(panel, what="slices", first="films", second="products")
    expect(panel.locator(MADE)).to_have_count(1, timeout=ENOUGH_MS)
    assert dataset(lit) == "demo"
    panel.get_by_role("button", name="Show").click()
    # The curve of before stands there until the page has changed over.
    lit.page.wait_for_function(f"() => {{{SERVICES} return services.appState.currentDataset === '{DATASET}'}}", timeout=ENOUGH_MS)
    lit.wait_for_curve()
    expect(lit.panel.locator(".notes")).to_contain_text("probes trained on demo (films against products)")
    # The first probes' curve on the same chart.
    lit.panel.get_by_label("the first probes, of demo").check()
    lit.wait_for_curve(2)
    expect(lit.panel.locator(".legend").first).to_contain_text("tiny-bert")
    expect(lit.panel).to_contain_text("tiny-bert (first probes, of demo)")
    lit.panel.get_by_label("the first probes, of demo").uncheck()
    lit.wait_for_curve()
    # LIT's own panels.
    metrics = lit.show("Metrics", "metrics-module")
    expect(metrics).to_contain_text("probe_layer_00")
    colors = "document.createElement('classification-module').colorService.colorableOptions.map(({name}) => name)"
    assert f"{MODEL}:probe:class" in lit.page.evaluate(f"() => {colors}")
    lit.page.reload()
    panel = the_form(lit)
    expect(panel.locator(MADE)).to_have_count(1)
    expect(panel.locator(f"{MADE}.shown")).to_have_count(1)
    assert dataset(lit) == DATASET


def test_a_second_one_is_cancelled_and_leaves_nothing(lit: LitPage):
    panel = the_form(lit.open())
    make(panel, target="domain")
    make(panel, target="label", probe="mlp", sites="heads")
    expect(panel.locator(".wish")).not_to_have_count(0)
    panel.locator(".wish").last.get_by_role("button", name="Cancel").click()
    expect(panel.locator(".wish")).to_have_count(0, timeout=ENOUGH_MS)
    expect(panel.locator(MADE)).to_have_count(1, timeout=ENOUGH_MS)
    lit.page.wait_for_timeout(1500)
    lit.page.reload()
    panel = the_form(lit)
    expect(panel.locator(MADE)).to_have_count(1)
    expect(panel.locator(MADE)).to_contain_text("demo (domain)")


def test_another_kind_for_the_label_stands_beside_the_first_and_is_dropped(lit: LitPage):
    panel = the_form(lit.open())
    make(panel, target="label", probe="mean_difference")
    expect(panel.locator(MADE)).to_have_count(1, timeout=ENOUGH_MS)
    bar = lit.page.locator("lit-app-toolbar")
    bar.get_by_role("button", name="tiny-bert (mean_difference)").click()
    lit.wait_for_curve(2)
    expect(lit.panel.locator(".difference")).to_contain_text("on the same 166 dev rows", timeout=ENOUGH_MS)
    panel.get_by_role("button", name="Drop").click()
    expect(panel.locator(MADE)).to_have_count(0, timeout=ENOUGH_MS)
    lit.wait_for_curve()
    expect(bar.get_by_role("button", name="tiny-bert (mean_difference)")).to_have_count(0)
    assert lit.page.evaluate(f"() => {{{SERVICES} return services.apiService.statusService.errorMessages}}") == []


def test_what_cannot_be_made_is_said_in_a_sentence_and_nothing_is_lost(lit: LitPage):
    panel = the_form(lit.open())
    button = panel.get_by_role("button", name="Make probes")
    panel.locator("select[name=what]").select_option("slices")
    expect(button).to_be_disabled()
    expect(panel).to_contain_text("Make two slices first")
    panel.locator("select[name=what]").select_option("selection")
    expect(panel).to_contain_text("Select examples on the page")
    lit.select(lit.ids("dev")[:40])
    make(panel)
    expect(panel.get_by_role("alert")).to_contain_text("has too few examples (0 in train", timeout=ENOUGH_MS)
    panel.get_by_role("button", name="Close").click()
    expect(panel.get_by_role("alert")).to_have_count(0)
    panel.locator("select[name=what]").select_option("words")
    panel.get_by_label("Words").fill("xylophonist")
    make(panel)
    expect(panel.get_by_role("alert")).to_contain_text("No text of demo holds any of these words: xylophonist", timeout=ENOUGH_MS)
    lit.select([])
    lit.wait_for_curve()


@pytest.mark.parametrize("width", [1440, 1000])
def test_the_form_lies_within_the_window(lit: LitPage, width: int):
    lit.page.set_viewport_size({"width": width, "height": 900})
    panel = the_form(lit.open())
    make(panel, target="domain")
    expect(panel.locator(MADE)).to_have_count(1, timeout=ENOUGH_MS)
    panel.get_by_role("button", name="Show").click()
    lit.wait_for_curve()
    lit.settle()
    assert out_of_reach(lit.page) == []
