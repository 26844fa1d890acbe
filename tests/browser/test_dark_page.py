"""Our panels in a browser that asks for dark pages: legible, at once when that changes, and light in what is saved."""

from __future__ import annotations

from pathlib import Path

import pytest
from lit_page import LitPage
from playwright.sync_api import expect

DARK, LIGHT = "rgb(31, 34, 38)", "rgb(255, 255, 255)"

# Texts of our panels whose colour stands out too little (WCAG 2: 4.5 to 1) from what is painted behind them. Pure black and white
# are the texts on coloured cells, which the palette's own test holds.
_FAINT = """() => {
  const parent = (node) => node.assignedSlot ?? node.parentElement ?? node.getRootNode().host;
  const channels = (color) => color.match(/[\\d.]+/g).map(Number);
  const linear = (channel) => (channel <= 10 ? channel / 255 / 12.92 : ((channel / 255 + 0.055) / 1.055) ** 2.4);
  const luminance = ([r, g, b]) => [r, g, b].map(linear)
    .reduce((sum, c, i) => sum + [0.2126, 0.7152, 0.0722][i] * c, 0);
  const ground = (node) => {
    for (; node; node = parent(node)) {
      const found = channels(getComputedStyle(node).backgroundColor);
      if (found.length === 3 || found[3] === 1) return found;
    }
  };
  const faint = [];
  let seen = 0;
  const look = (element) => {
    const words = [...element.childNodes].filter((node) => node.nodeType === 3).map((node) => node.data.trim()).join('');
    const shown = element.checkVisibility({checkOpacity: true, checkVisibilityCSS: true});
    if (!words || !shown || element.closest('[disabled], option, title, style')) return;
    if (element.getBoundingClientRect().width === 0) return;
    const style = getComputedStyle(element);
    const color = channels(element.namespaceURI.endsWith('svg') ? style.fill : style.color);
    if (element.namespaceURI.endsWith('svg') && [0, 255].some((pure) => color.every((channel) => channel === pure))) return;
    seen += 1;
    const [low, high] = [luminance(color), luminance(ground(element))].sort((a, b) => a - b);
    const told = `${element.localName}.${element.getAttribute('class')} “${words.slice(0, 40)}”`;
    if ((high + 0.05) / (low + 0.05) < 4.5) faint.push(`${told} ${color} on ${ground(element)}`);
  };
  const modules = document.querySelector('lit-app').shadowRoot.querySelector('lit-modules').shadowRoot;
  for (const group of modules.querySelectorAll('lit-widget-group')) {
    for (const panel of group.shadowRoot.querySelectorAll('lit-widget > *')) {
      const ours = getComputedStyle(panel).colorScheme === 'light dark';
      if (ours && panel.checkVisibility()) panel.shadowRoot.querySelectorAll('*').forEach(look);
    }
  }
  return [seen, faint];
}"""


def ground(lit: LitPage) -> str:
    return lit.panel.first.evaluate("(panel) => getComputedStyle(panel).backgroundColor")


TABS = {
    "decodability": [
        ("Probe by layer", "layer-metrics-module"),
        ("Selectivity", "selectivity-module"),
        ("Calibration", "calibration-module"),
        ("Slices", "slices-by-layer-module"),
        ("Provenance", "provenance-module"),
    ],
    "words": [("Side by side", "salience-rows-module"), ("Trust", "salience-quality-module")],
    "neurons": [("Neurons", "neurons-module")],
    "edits": [("Counterfactual", "counterfactual-by-layer-module")],
}


@pytest.mark.parametrize("layout", TABS)
@pytest.mark.parametrize("scheme", ["dark", "light"])
def test_every_text_of_our_panels_is_legible(dark: LitPage, layout: str, scheme: str) -> None:
    lit = dark
    lit.page.emulate_media(color_scheme=scheme)
    lit.open(dataset="demo", layout=layout)
    for tab, tag in TABS[layout]:
        panel = lit.show(tab, tag)
        expect(panel.first).to_be_visible()
        if tab == "Probe by layer":
            lit.wait_for_curve()
            lit.select(lit.ids("dev")[:1])
            expect(lit.panel.locator(".strips svg")).to_have_count(1)
        if tab == "Counterfactual":
            lit.select(lit.ids("dev")[:1])
            lit.show("Edit", "datapoint-editor-module")
            lit.add_edited("an awful film with no heart at all")
            expect(panel.locator(".says.edit")).to_be_visible()
        expect(panel.locator("[aria-busy=true]")).to_have_count(0)
        expect(panel.locator("lit-spinner")).to_have_count(0, timeout=60_000)
        seen, faint = lit.page.evaluate(_FAINT)
        assert seen > 5 and faint == [], tab


def test_the_panels_follow_when_the_scheme_changes(dark: LitPage) -> None:
    lit = dark
    lit.open(dataset="demo").wait_for_curve()
    line = lit.chart.locator("path.line").first
    assert ground(lit) == DARK
    drawn = line.evaluate("(line) => getComputedStyle(line).stroke")
    lit.page.emulate_media(color_scheme="light")
    assert ground(lit) == LIGHT
    assert line.evaluate("(line) => getComputedStyle(line).stroke") == "rgb(31, 97, 128)" != drawn
    lit.page.emulate_media(color_scheme="dark")
    assert ground(lit) == DARK


def test_a_figure_saved_from_a_dark_page_is_light(dark: LitPage, tmp_path: Path) -> None:
    lit = dark
    lit.open(dataset="demo").wait_for_curve()
    with lit.page.expect_download() as saved:
        lit.panel.get_by_role("button", name="SVG").click()
    saved.value.save_as(tmp_path / "curve.svg")
    figure = (tmp_path / "curve.svg").read_text("utf-8")
    assert "light-dark" not in figure and "var(" not in figure
    assert 'fill="#FFFFFF"' in figure and 'fill="#3C4043"' in figure and "#1F6180" in figure


def test_a_browser_that_cannot_choose_between_colours_shows_light_panels(dark: LitPage) -> None:
    lit = dark
    lit.page.add_init_script("CSS.supports = () => false")
    lit.open(dataset="demo").wait_for_curve()
    assert ground(lit) == LIGHT
    _, faint = lit.page.evaluate(_FAINT.replace("'light dark'", "'light'"))
    assert faint == []
