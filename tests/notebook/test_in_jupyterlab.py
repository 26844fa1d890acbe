"""The widget in JupyterLab, seen and used in a browser: beside it on this machine, and through its proxy."""

from __future__ import annotations

import re

import nbformat
import pytest
from cells import notebook_of
from lab_server import Lab
from playwright.sync_api import FrameLocator, Page, expect

pytestmark = pytest.mark.browser

START_S = 90_000  # ms: a kernel starts and imports torch
WIDGET = """
from lit_probe.notebook import Address, ProbeWidget
texts = [f"the {noun} was {word}, number {i}" for i in range(20) for noun in ("film", "plot") for word in ("bad", "good")]
labels = ["positive" if "good" in text else "negative" for text in texts]
widget = ProbeWidget(MODEL, texts, labels, PROXY)
widget.render()
"""
SELECTED = 'print("selected:", widget.ui_state.primary["data"]["text"])'
ADDRESS = 'print("address:", widget.url)'


@pytest.fixture(params=["beside it", "through its proxy"])
def page(request, chromium, lab: Lab, tiny_folder) -> Page:
    """JupyterLab with a notebook whose first cell has shown the widget."""
    proxy = "" if request.param == "beside it" else f"address=Address(proxy_url={lab.base + 'proxy/%PORT%'!r})"
    name = f"{request.param.replace(' ', '-')}.ipynb"
    cells = [WIDGET.replace("MODEL", repr(str(tiny_folder()))).replace("PROXY", proxy), ADDRESS, SELECTED]
    nbformat.write(notebook_of(cells), lab.folder / name)
    context = chromium.new_context(viewport={"width": 1600, "height": 1200})
    page = context.new_page()
    page.goto(f"{lab.url}doc/tree/{name}?token={lab.token}")
    run_cell(page, 0)
    yield page
    context.close()


def run_cell(page: Page, number: int) -> None:
    cell = page.locator(".jp-Notebook .jp-CodeCell").nth(number)
    expect(page.get_by_text("Python 3 (ipykernel) | Idle")).to_be_visible(timeout=START_S)
    cell.locator(".cm-content").click()
    page.keyboard.press("Shift+Enter")
    expect(cell.locator(".jp-InputArea-prompt")).to_have_text(re.compile(r"\[\d+\]:"), timeout=START_S)


def output(page: Page, number: int) -> str:
    return page.locator(".jp-Notebook .jp-CodeCell").nth(number).locator(".jp-OutputArea-output").inner_text()


def lit(page: Page) -> FrameLocator:
    expect(page.locator("iframe[title=LIT]")).to_be_visible(timeout=START_S)
    return page.frame_locator("iframe[title=LIT]")


def _tells_a_selection(response) -> bool:
    return "/push_ui_state" in response.url and '"primary_id":"' in (response.request.post_data or "")


def test_a_click_on_an_example_reaches_python(page: Page, lab: Lab):
    frame = lit(page)
    expect(frame.locator("layer-metrics-module:visible .chart svg")).to_be_visible(timeout=START_S)
    example = frame.locator("lit-data-table").get_by_text(re.compile(r"the \w+ was \w+, number \d+")).nth(2)
    text = example.inner_text().strip()
    with page.expect_response(_tells_a_selection) as pushed:
        example.click()
    assert pushed.value.ok
    run_cell(page, 1)
    address = output(page, 1).removeprefix("address: ").strip()
    assert re.fullmatch(rf"{lab.base}proxy/\d+/|http://127\.0\.0\.1:\d+/", address)
    run_cell(page, 2)
    assert output(page, 2).strip() == f"selected: {text}"


@pytest.mark.parametrize("page", ["through its proxy"], indirect=True)
def test_the_page_says_so_where_its_address_lacks_the_slash(page: Page, lab: Lab):
    run_cell(page, 1)
    slashless = page.context.new_page()
    slashless.goto(lab.url + output(page, 1).split(lab.base)[1].strip().removesuffix("/"))
    expect(slashless.locator("body")).to_contain_text("the address must end with a slash")
    expect(slashless.get_by_text("LIT does not start")).to_be_visible()
    slashless.goto(slashless.url + "/")
    expect(slashless.locator("layer-metrics-module:visible .chart svg")).to_be_visible(timeout=START_S)
    expect(slashless.get_by_text("LIT does not start")).not_to_be_visible()
