"""The report in a real browser: it asks for nothing, breaks nothing, and fits on A4 paper; the button of the panel saves it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page
from reported_runs import stretched

from lit_probe.report.page import report_html
from lit_probe.report.run_file import read_run, run_of

ROOT = Path(__file__).parents[2]
DEMO = ROOT / "docs" / "report-of-the-demo.html"
A4_MM, MARGIN_MM = 210, 14
PIXELS_PER_MM = 96 / 25.4


def wide_run() -> dict:
    """A run of many layers and classes, with names that are long, written from right to left, or no letters at all."""
    run = read_run(ROOT / "tests" / "report" / "demo_layers.json").at.value
    names = [
        *(f"class {number}" for number in range(36)),
        "مراجعات الأفلام",
        "🎬👩‍👩‍👧",
        "long" * 40,
        "a name of many words " * 8,
    ]
    wide = stretched(
        {**run, "transfer": {"groups": [], "notes": []}}, 49, names, "مراجعات 🎬 " + "a long name of a data set " * 6
    )
    [dataset] = wide["datasets"].values()
    dataset["remarks"] = ["A note that goes on " * 60, "x" * 500, "ملاحظة طويلة"]
    wide["model"]["id"] = "org/" + "a-very-long-name-" * 12
    return wide


@pytest.fixture(scope="module", params=["demo", "wide", "compared"])
def file(request, tmp_path_factory) -> Path:
    if request.param == "demo":
        return DEMO
    folder = tmp_path_factory.mktemp("report")
    run = read_run(ROOT / "tests" / "report" / "demo_layers.json").at.value
    html = report_html(run_of(wide_run())) if request.param == "wide" else report_html(run_of(run), run_of(wide_run()))
    (folder / "report.html").write_text(html, "utf-8")
    return folder / "report.html"


@pytest.fixture
def opened(chromium, file) -> Iterator[tuple[Page, list[str], list[str]]]:
    """The page in a window as wide as A4's text, what it asked for, and what it complained of."""
    width = int((A4_MM - 2 * MARGIN_MM) * PIXELS_PER_MM)
    page = chromium.new_page(viewport={"width": width, "height": 1123})
    asked: list[str] = []
    told: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: told.append(message.text))
    page.on("pageerror", lambda error: told.append(str(error)))
    page.goto(file.as_uri())
    page.emulate_media(media="print")
    yield page, asked, told
    page.close()


def test_it_asks_for_nothing_but_itself_and_complains_of_nothing(opened, file):
    page, asked, told = opened
    assert page.title().startswith("Layer probes: ")
    assert asked == [file.as_uri()] and told == []


def test_nothing_is_wider_than_the_paper(opened):
    page, _, _ = opened
    too_wide = page.evaluate(
        "() => [...document.querySelectorAll('main *')].filter((one) => one.getBoundingClientRect().right > innerWidth + 1)"
        ".map((one) => one.outerHTML.slice(0, 80))"
    )
    assert too_wide == []


def test_agreement_of_two_runs_is_not_broken_within_its_word(opened):
    page, _, _ = opened
    lines = page.evaluate("() => [...document.querySelectorAll('.agreement')].map((one) => one.getClientRects().length)")
    assert set(lines) == ({1} if page.locator("text=Two runs side by side").count() else set())


def test_it_prints_on_pages_of_a4(opened):
    page, _, _ = opened
    pdf = page.pdf(prefer_css_page_size=True)
    sizes = {tuple(round(float(one)) for one in found) for found in re.findall(rb"/MediaBox \[0 0 ([\d.]+) ([\d.]+)\]", pdf)}
    assert sizes and all(abs(width - 595) <= 1 and abs(height - 842) <= 1 for width, height in sizes)


def test_drawings_are_drawn(opened):
    page, _, _ = opened
    boxes = page.evaluate("() => [...document.querySelectorAll('figure svg')].map((one) => one.getBoundingClientRect().height)")
    assert len(boxes) >= 3 and all(height > 100 for height in boxes)


def test_the_button_of_the_panel_saves_it(lit, tmp_path):
    lit.open(dataset="demo", models="tiny-bert-on-demo").wait_for_curve()
    with lit.page.expect_download() as saved:
        lit.panel.locator(".save-report").click()
    assert saved.value.suggested_filename == "report_tiny-bert-on-demo.html"
    saved.value.save_as(tmp_path / "report.html")
    text = (tmp_path / "report.html").read_text("utf-8")
    assert "Layer probes of <bdi>tiny-bert</bdi> on <bdi>demo</bdi>" in text
    assert "Calibration, by layer." in text
