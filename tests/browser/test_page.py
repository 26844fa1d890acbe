"""LIT's whole page with our panels in it: offline, complete, and never blank."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

import pytest
from lit_page import SERVICES, LitPage
from playwright.sync_api import expect

from lit_probe.layouts import LAYOUTS

GUIDE = Path(__file__).parent.parent.parent / "docs" / "add-a-panel.md"

# Per layout and tab: tags that nothing defines, and titles that two panels of a tab share.
FAULTS = """async () => {
  const {settingsService} = document.createElement('lit-app-toolbar');
  const {layouts} = document.createElement('data-table-module').appState.metadata;
  const faults = [];
  for (const [layout, {upper, lower, left}] of Object.entries(layouts)) {
    await settingsService.updateSettings({layoutName: layout});
    for (const tabs of [upper, lower, left]) {
      for (const [tab, modules] of Object.entries(tabs ?? {})) {
        const tags = modules.map((module) => module.module ?? module);
        faults.push(...tags.filter((tag) => !customElements.get(tag)).map((tag) => `${layout}: ${tag} is not defined`));
        const titles = tags.filter((tag) => customElements.get(tag)).map((tag) => customElements.get(tag).title);
        if (new Set(titles).size < titles.length) faults.push(`${layout}, ${tab}: ${titles}`);
      }
    }
  }
  return [Object.keys(layouts).length, faults];
}"""


def test_every_layout_names_panels_that_exist_with_titles_unique_in_their_tab(lit: LitPage):
    lit.open(dataset="demo").wait_for_curve()
    n_layouts, faults = lit.page.evaluate(FAULTS)
    assert n_layouts > 0 and faults == []


def test_the_page_asks_no_other_host_and_its_icons_are_there(lit: LitPage):
    lit.open(dataset="demo").wait_for_curve()
    lit.page.evaluate("() => document.fonts.ready")
    fonts = lit.page.evaluate("() => [...document.fonts].map(({family, status}) => [family, status])")
    assert {"Material Icons", "Roboto"} <= {family.strip('"') for family, status in fonts if status == "loaded"}
    # A ligature that its font draws is one square icon; without the font it is a long word.
    icons = lit.page.locator("mwc-icon:visible")
    widths = icons.evaluate_all("(icons) => icons.map((icon) => icon.scrollWidth)")
    assert widths and max(widths) <= 28, list(zip(icons.all_inner_texts(), widths, strict=True))
    assert lit.foreign == []


def test_the_embeddings_are_first_those_of_the_dev_chosen_layer(lit: LitPage):
    lit.open(dataset="demo").wait_for_curve()
    with lit.page.expect_request(lambda request: "interpreter=pca" in request.url) as asked:
        panel = lit.show("Embeddings", "embeddings-module")
    assert asked.value.post_data_json["config"]["field_name"] == "chosen_layer"
    names = panel.locator("select").evaluate_all("(lists) => lists.map((list) => list.selectedOptions[0].textContent.trim())")
    assert "tiny-bert-on-demo:chosen_layer" in names


def test_changes_of_layout_and_of_data_with_slices_leave_no_error_in_the_console(lit: LitPage):
    """LIT keeps slices of other data, and wrote a line for each of their examples; it also measured columns before they came."""
    said: list[str] = []
    lit.page.on("console", lambda message: said.append(message.text) if message.type == "error" else None)
    lit.open(dataset="demo").wait_for_curve()
    lit.show("Edit", "datapoint-editor-module")
    lit.select(lit.ids()[:1])
    lit.add_edited("a quiet film")
    lit.wait_for_curve()
    lit.select_slice("some, and an edit", [*lit.ids()[:5], lit.ids()[-1]])
    lit.show("Metrics", "metrics-module").locator("lit-checkbox", has_text="slices").click()
    lit.show("Errors", "curves-module")
    change = "(change) => document.createElement('lit-global-settings').settingsService.updateSettings(change)"
    for dataset in ("reviews", "demo", "reviews"):
        lit.page.evaluate(change, {"dataset": dataset, "models": [f"tiny-bert-on-{dataset}"]})
        lit.wait_for_curve()
    for layout in [*LAYOUTS, *reversed(LAYOUTS)]:
        lit.page.evaluate(change, {"layoutName": layout})
        lit.settle()
    assert said == []


@pytest.mark.skipif(importlib.util.find_spec("umap") is None, reason="umap-learn is not installed (extra umap)")
def test_the_embeddings_open_with_pca_and_umap_is_drawn_when_it_is_picked(lit: LitPage):
    with lit.page.expect_response(lambda response: "interpreter=pca" in response.url):
        lit.open(dataset="demo").wait_for_curve()
        panel = lit.show("Embeddings", "embeddings-module")
    projector = panel.locator("select").first
    expect(projector).to_have_value("pca")
    expect(projector.locator("option")).to_have_text(["PCA", "UMAP"])
    with lit.page.expect_response(lambda response: "interpreter=umap" in response.url, timeout=120_000) as answered:
        projector.select_option(label="UMAP")
    points = answered.value.json()
    assert len(points) == len(lit.ids()) and all(len(point["z"]) == 3 for point in points)
    expect(panel.locator("lit-spinner")).to_have_count(0)
    expect(projector).to_have_value("umap")


def test_a_panel_whose_file_is_missing_says_so_and_leaves_the_others_alone(lit: LitPage):
    lit.page.route("**/curves/layer_metrics_module.js", lambda route: route.fulfill(status=404, body=""))
    lit.open(dataset="demo")
    expect(lit.page.locator("layer-metrics-module:visible")).to_contain_text("could not be loaded")
    expect(lit.page.locator("data-table-module:visible").first).to_contain_text("text")
    lit.problems.clear()  # The browser itself logs the missing file.


def test_another_bundle_than_the_known_one_is_told_and_not_guessed_at(lit: LitPage):
    # A bundle whose base class lacks a part that our panels rely on.
    lit.page.add_init_script("""
      const define = customElements.define.bind(customElements);
      customElements.define = (tag, panel, options) => {
        if (tag === 'data-table-module') delete Object.getPrototypeOf(panel).template;
        define(tag, panel, options);
      };""")
    lit.open(dataset="demo")
    expect(lit.page.locator("layer-metrics-module:visible")).to_contain_text("need the page of lit-nlp 1.3.1")
    assert any("cannot be defined" in problem for problem in lit.problems)
    lit.problems.clear()


def test_lit_waits_for_panels_that_load_slowly(lit: LitPage):
    def late(route):
        lit.page.wait_for_timeout(1500)
        route.fallback()

    lit.page.route("**/curves/curve_chart.js", late)
    lit.open(dataset="demo").wait_for_curve()


def test_the_smallest_panel_of_the_guide_works(lit: LitPage):
    panel, entry = re.findall(r"```js\n(.*?)```", GUIDE.read_text(), re.DOTALL)[:2]
    lit.page.route("**/curves/current_layer_module.js", lambda route: route.fulfill(content_type="text/javascript", body=panel))

    def with_entry(route):
        index = route.fetch()
        route.fulfill(response=index, body=index.text() + entry)

    lit.page.route("**/lit_probe/*/index.js", with_entry)
    lit.open(dataset="demo").wait_for_curve()
    assert lit.page.evaluate("() => customElements.get('current-layer-module') === undefined")
    lit.page.evaluate(f"""() => {{
      {SERVICES}
      const {{layouts}} = services.appState;
      layouts.mine = {{...layouts.decodability, upper: {{Mine: ['current-layer-module']}}}};
      return document.createElement('lit-app-toolbar').settingsService.updateSettings({{layoutName: 'mine'}});
    }}""")
    smallest = lit.page.locator("current-layer-module:visible").locator(".module-container")
    expect(smallest).to_have_text("Layer not picked yet")
    lit.click_layer(2)
    expect(smallest).to_have_text("Layer 2")


def test_at_a_thousand_pixels_no_layout_is_cut_off_and_every_tab_can_be_clicked(lit: LitPage):
    lit.page.set_viewport_size({"width": 1000, "height": 900})
    for layout in ("decodability", "evidence", "words", "neurons", "edits", "notebook"):
        lit.open(dataset="demo", layout=layout)
        expect(lit.page.locator("lit-widget-group:visible").first).to_be_visible()
        ours = ("layer-metrics-module", "salience-rows-module", "neurons-module", "counterfactual-by-layer-module")
        expect(lit.page.locator(", ".join(f"{tag}:visible" for tag in ours)).first).to_be_visible(timeout=30_000)
        rights = lit.page.locator("lit-widget-group:visible").evaluate_all(
            "(groups) => groups.map((group) => group.getBoundingClientRect().right)"
        )
        assert rights and max(rights) <= 1000, layout
        hit = lit.page.locator(".tabs-container .tab").evaluate_all("""(tabs) => tabs.map((tab) => {
            tab.scrollIntoView({inline: 'nearest', block: 'nearest'});
            const {left, right, top, bottom} = tab.getBoundingClientRect();
            return [tab.textContent.trim(), tab.getRootNode().elementFromPoint((left + right) / 2, (top + bottom) / 2) === tab];
        })""")
        assert len(hit) >= 7 and all(clicked for _, clicked in hit), (layout, hit)


def test_a_tab_without_room_can_be_scrolled_to(lit: LitPage):
    lit.page.set_viewport_size({"width": 700, "height": 900})
    lit.open(dataset="demo").wait_for_curve()
    tabs = lit.page.locator(".tabs-container", has=lit.page.get_by_text("Predictions", exact=True))
    last = tabs.locator(".tab").last
    in_view = "(tab) => tab.getBoundingClientRect().right <= tab.parentElement.getBoundingClientRect().right + 1"
    assert not last.evaluate(in_view), "there should be too little room at this width"
    tabs.hover()
    lit.page.mouse.wheel(600, 0)
    lit.page.wait_for_function(f"(tab) => ({in_view})(tab)", arg=last.element_handle())
