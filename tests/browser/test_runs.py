"""Runs of one encoder on the page: one chart, names that tell them apart, differences, files and cards."""

from __future__ import annotations

import csv
import itertools
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from lit_page import LitPage
from live_server import curve, live_server
from playwright.sync_api import expect
from reachable import out_of_reach

ENCODER = "all-MiniLM-L6-v2"  # a tiny one under a name that is as long as names are
RUNS = ["", " (cls)", " (mlp)", " (random weights)"]
NAMES = [f"{ENCODER}{run}" for run in RUNS]
MODELS = [f"{name}-on-demo" for name in NAMES]


@pytest.fixture(scope="module")
def server(tiny_folder, tmp_path_factory) -> Iterator[str]:
    """A server with four runs of one encoder; it takes the place of the one with two encoders."""
    root = tmp_path_factory.mktemp("runs")
    folder = shutil.copytree(tiny_folder(), root / ENCODER)
    models = ",".join(f"{folder}{options}" for options in ("", "[pooling=cls]", "[probe=mlp]", "[weights=random]"))
    with live_server([f"--model={models}", "--datasets=demo"], root) as url:
        for model in MODELS:
            curve(url, model.replace(" ", "%20"), "demo")
        yield url


def expect_no_overlap(lit: LitPage) -> None:
    """The buttons of the bar stand side by side, inside the window."""
    buttons = lit.page.locator("lit-app-toolbar .headline-button:visible")
    places = sorted((box["x"], box["x"] + box["width"]) for button in buttons.all() if (box := button.bounding_box()))
    assert len(places) >= 8 and all(right <= left for (_, right), (left, _) in itertools.pairwise(places)), places
    assert out_of_reach(lit.page) == []


def test_four_runs_share_a_chart_and_are_told_apart_by_name(lit: LitPage, tmp_path: Path):
    lit.open(dataset="demo", models=",".join(MODELS)).wait_for_curve(4)
    readings = lit.panel.locator(".reading > b:first-child")
    expect(readings).to_have_text(NAMES)
    differences = lit.panel.locator(".difference")
    expect(differences).to_have_count(3)
    for sentence, name in zip(differences.all_inner_texts(), NAMES[1:], strict=True):
        assert f"less {name} at layer" in sentence and "on the same" in sentence and "p " in sentence
    notes = lit.panel.locator(".notes")
    expect(notes).to_contain_text(f"{NAMES[1]}, cls pooling; logistic probes trained on demo")
    expect(notes).to_contain_text(f"{NAMES[2]}, mean pooling; mlp probes trained on demo")
    with lit.page.expect_download() as table:
        lit.panel.locator(".save-csv").click()
    table.value.save_as(tmp_path / "curve.csv")
    with (tmp_path / "curve.csv").open(newline="") as file:
        runs = {(row["model"], row["pooling"], row["probe"]) for row in csv.DictReader(file)}
    assert runs == set(zip(MODELS, ("mean", "cls", "mean", "mean"), ("logistic", "logistic", "mlp", "logistic"), strict=True))
    with lit.page.expect_download() as figure:
        lit.panel.locator(".save-svg").click()
    figure.value.save_as(tmp_path / "curve.svg")
    assert f"{NAMES[1]}: logistic probes, cls pooling." in (tmp_path / "curve.svg").read_text()


@pytest.mark.parametrize("width", [1440, 1281, 1280, 1000])
def test_the_top_bar_has_room_for_them_and_tells_them_apart(lit: LitPage, width: int):
    lit.page.set_viewport_size({"width": width, "height": 900})
    lit.open(dataset="demo", models=",".join(MODELS)).wait_for_curve(4)
    lit.settle()
    assert out_of_reach(lit.page) == []
    expect_no_overlap(lit)
    names = lit.page.locator("lit-app-toolbar .headline-button[aria-pressed] .headline-button-text")
    expect(names).to_have_text([ENCODER, *(f"…{run}" for run in RUNS[1:])])
    for name in NAMES:
        expect(lit.page.get_by_role("button", name=name, exact=True)).to_be_visible()
    # Four long names that share nothing.
    names.evaluate_all(
        """(texts) => texts.forEach((text, i) => {
             text.textContent = `encoder-${i}-with-a-very-long-name`;
             text.parentElement.style.setProperty('--share', '0.25');
           })"""
    )
    expect_no_overlap(lit)


@pytest.mark.parametrize("width", [1440, 1000])
@pytest.mark.parametrize("tab", ["Slices", "Selectivity"])
def test_columns_of_several_runs_cut_nothing(lit: LitPage, width: int, tab: str):
    lit.page.set_viewport_size({"width": width, "height": 900})
    lit.open(dataset="demo", models=",".join(MODELS[:3])).wait_for_curve(3)
    lit.show(tab, "lit-module")
    tag = "slices-by-layer-module" if tab == "Slices" else "selectivity-module"
    expect(lit.page.locator(f"{tag}:visible")).to_have_count(3)
    drawn = ".multiple .value" if tab == "Slices" else ".card"
    expect(lit.page.locator(f"{tag}:visible {drawn}").first).to_be_visible()
    lit.settle()
    assert out_of_reach(lit.page) == []


def test_the_card_of_random_weights_says_so(lit: LitPage):
    lit.open(dataset="demo", models=MODELS[3]).wait_for_curve()
    lit.panel.locator(".info-button").first.click()
    expect(lit.panel.locator(".provenance")).to_contain_text("never trained: drawn by seed 0 in place of the checkpoint’s")
    expect(lit.panel.locator(".command")).to_contain_text("[weights=random]")


def test_lits_own_panels_and_addresses_take_the_names(lit: LitPage):
    lit.open(dataset="demo", models=MODELS[1]).wait_for_curve()
    column = f"document.createElement('data-table-module').dataService.getColumn('{MODELS[1]}:probe:class')"
    lit.page.wait_for_function(f"() => {column}?.length && {column}.every((value) => value != null)")
    assert lit.page.evaluate("() => document.createElement('data-table-module').appState.currentModels") == [MODELS[1]]
    lit.page.reload()
    lit.wait_for_curve()
    assert lit.page.evaluate("() => document.createElement('data-table-module').appState.currentModels") == [MODELS[1]]
    lit.show("Metrics", "metrics-module")
    expect(lit.page.locator("metrics-module:visible")).to_contain_text("probe_layer_03")
