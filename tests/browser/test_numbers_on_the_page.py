"""A label that is a number, on a real page: the curve, an example, an edit, a slice, salience and a new probe."""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np
import pytest
from lit_page import LitPage
from live_server import answer_of, curve, live_server
from playwright.sync_api import expect

from tools.page import TOUR_CLOSED

MODEL = "tiny-bert-on-prices"
WORTH = {"bad": -2.0, "awful": -3.0, "good": 2.0, "great": 3.0}


@pytest.fixture(scope="module")
def prices_server(tiny_folder, tmp_path_factory) -> Iterator[str]:
    """A server on a table of prices that the words of the texts tell, with a column of topics and one of weights."""
    folder, random = tmp_path_factory.mktemp("prices"), np.random.default_rng(3)
    lines = ["text\tprice\ttopic\tweight"]
    for row in range(200):
        word = list(WORTH)[row % 4]
        price = 20 + 4 * WORTH[word] + random.normal()
        lines.append(f"the film was {word} , number {row}\t{price:.3f}\t{['film', 'book'][row // 4 % 2]}\t{random.normal():.4f}")
    (folder / "prices.tsv").write_text("\n".join(lines) + "\n")
    flags = [f"--model={tiny_folder('bert')}", f"--datasets=tsv={folder / 'prices.tsv'}", "--label_column=price"]
    with live_server(flags, folder) as url:
        curve(url, MODEL, "prices")
        yield url


@pytest.fixture(params=[1440, 1000])
def prices(request, chromium, prices_server) -> Iterator[LitPage]:
    context = chromium.new_context(viewport={"width": request.param, "height": 900})
    context.set_default_timeout(15_000)
    context.add_init_script(TOUR_CLOSED)
    lit = LitPage(context.new_page(), prices_server)
    yield lit
    context.close()
    assert lit.problems == []


def inside(lit: LitPage, selector: str) -> None:
    """That nothing of these lies outside the window."""
    for box in (one.bounding_box() for one in lit.page.locator(selector).all()):
        assert box is None or (box["x"] >= -1 and box["x"] + box["width"] <= lit.page.viewport_size["width"] + 1)


def test_the_curve_the_example_and_lits_own_panels_show_the_number(prices, prices_server):
    prices.open(dataset="prices", layout="decodability").wait_for_curve()
    expect(prices.panel.locator("#metric option[selected]")).to_have_text("R² (default)")
    expect(prices.panel).to_contain_text("mean of train")
    (chosen,) = prices.ids("dev")[:1]
    prices.select([chosen])
    said = answer_of(prices_server, "layer_predictions", MODEL, [chosen], dataset="prices")
    (example,) = said["examples"]
    verdict = prices.panel.locator(".verdict").first
    expect(verdict).to_contain_text(re.compile(r"dev-chosen\): [\d.]+; gold label [\d.]+ \([\d.e-]+ too (high|low)\)"))
    number = example["probabilities"][said["best_layer"]][0]
    assert abs(float(re.search(r"\): ([\d.]+);", verdict.inner_text())[1]) - number) < 0.01 * abs(number)
    expect(prices.panel.locator(".strips svg")).to_contain_text("label")
    inside(prices, ".strips svg, .chart svg")
    prices.page.get_by_role("tab", name="Predictions", exact=True).click()
    expect(prices.page.locator("regression-module:visible")).to_contain_text("Ground truth")
    prices.page.get_by_role("tab", name="Metrics", exact=True).click()
    expect(prices.page.locator("metrics-module:visible")).to_contain_text("spearman")


def test_slices_show_the_errors_of_each(prices):
    prices.open(dataset="prices", layout="decodability").wait_for_curve()
    prices.panel.locator("#metric").select_option("mae")
    prices.page.get_by_role("tab", name="Slices", exact=True).click()
    panel = prices.page.locator("slices-by-layer-module:visible")
    expect(panel).to_contain_text("Mean absolute error on dev by topic", timeout=20_000)
    expect(panel).to_contain_text("Slices are compared with all")
    inside(prices, "slices-by-layer-module svg")


def test_an_edit_moves_the_number_at_every_layer(prices):
    prices.open(dataset="prices", layout="edits")
    panel = prices.page.locator("counterfactual-by-layer-module:visible")
    expect(panel).to_contain_text("Select an example", timeout=20_000)
    prices.select(prices.ids("dev")[:1])
    prices.add_edited("the film was awful , bad and awful")
    expect(panel.locator(".flip")).to_contain_text(re.compile(r"chosen on dev, the number goes from [\d.]+ to [\d.−]+ \([+−]?"))
    expect(panel.locator("select[name=measure], #measure")).to_have_count(0)
    for name in ("Compare the salience", "Find the neurons"):
        panel.get_by_role("button", name=re.compile(name)).click()
    expect(panel).to_contain_text("The number changes by")
    inside(prices, "counterfactual-by-layer-module svg, counterfactual-by-layer-module table")


def test_salience_says_what_raises_the_number(prices):
    prices.open(dataset="prices", layout="words")
    panel = prices.page.locator("salience-rows-module:visible")
    prices.page.wait_for_function("() => document.querySelector('lit-app')")
    expect(panel).to_contain_text("Select a text", timeout=20_000)
    prices.select(prices.ids("dev")[:1])
    expect(panel.locator(".explained").first).to_contain_text(re.compile(r"number = [\d.]+ · gold label: [\d.]+"))
    expect(panel.locator(".color-key")).to_contain_text("lowers the number")
    assert "predicted" not in panel.locator(".explained").first.inner_text()
    expect(panel.get_by_text("Class", exact=True)).to_have_count(0)


def test_every_panel_of_the_other_layouts_is_drawn_or_says_why_not(prices):
    for layout, tabs in {
        "decodability": ("Selectivity", "Calibration", "Provenance"),
        "evidence": ("Concepts", "Transfer", "Description length", "Learning curve", "Model"),
        "neurons": ("Neurons", "Neuron activations"),
    }.items():
        prices.open(dataset="prices", layout=layout)
        expect(prices.page.get_by_role("tab", name=tabs[-1], exact=True).first).to_be_visible(timeout=20_000)
        for tab in tabs:
            prices.page.get_by_role("tab", name=tab, exact=True).first.click()
            expect(prices.page.get_by_text("could not be drawn")).to_have_count(0)
            prices.page.wait_for_timeout(500)
    expect(prices.page.get_by_text("could not be drawn")).to_have_count(0)


def test_a_column_of_numbers_is_probed_from_the_page(prices):
    prices.open(dataset="prices", layout="decodability").wait_for_curve()
    prices.page.get_by_role("tab", name="New probe", exact=True).click()
    panel = prices.page.locator("new-probe-module:visible")
    panel.locator("select[name=target]").select_option("weight")
    expect(panel.locator("select[name=target] option:checked")).to_have_text("weight (a number)")
    expect(panel.locator("select[name=probe] option")).to_have_count(1)
    panel.get_by_role("button", name="Make probes").click()
    expect(panel.locator(".made")).to_contain_text("r2", timeout=60_000)
    panel.locator("select[name=target]").select_option("topic")
    assert "logistic" in panel.locator("select[name=probe] option").all_text_contents()
    prices.page.reload()
    prices.page.get_by_role("tab", name="New probe", exact=True).click()
    panel.get_by_role("button", name="Drop").click()
    expect(panel).to_contain_text("No probes have been made here yet", timeout=20_000)
