"""Probes as files in the browser: saved, loaded again, scored, and refused where they do not belong."""

from __future__ import annotations

import re

from lit_page import SERVICES
from playwright.sync_api import expect

_COLUMN = f"""() => {{{SERVICES}
  const name = services.dataService.cols.map(({{name}}) => name).find((one) => one.startsWith('probes_'));
  const rows = services.appState.currentInputData;
  return {{name, words: [...new Set(rows.map(({{id}}) => services.dataService.getVal(id, name)))].sort()}};
}}"""


def test_probes_are_saved_loaded_scored_and_refused_on_another_encoder(lit, tmp_path):
    lit.open(dataset="demo", models="tiny-bert-on-demo").wait_for_curve()
    with lit.page.expect_download() as saved:
        lit.panel.locator(".save-probes").click()
    assert saved.value.suggested_filename == "probes_tiny-bert-on-demo.safetensors"
    file = tmp_path / saved.value.suggested_filename
    saved.value.save_as(file)

    lit.panel.locator(".probe-file").set_input_files(file)
    card = lit.panel.locator("div.kept-probe")
    expect(card).to_contain_text("probes_tiny-bert-on-demo.safetensors: logistic probes of tiny-bert trained on demo, ")
    # They are the page's own probes: at the chosen layer the two say the same.
    [own] = re.findall(r"dev[^·]*? (\d\.\d+ \[[^]]*\])", lit.panel.locator(".reading").first.inner_text())
    expect(card.locator(".kept-score")).to_contain_text(f"dev {own}, n = ")
    expect(lit.chart.locator(".series.kept-probe")).to_have_count(1)
    lit.page.wait_for_function(f"() => ({_COLUMN})().name")
    column = lit.page.evaluate(_COLUMN)
    assert column["words"] == ["negative", "positive"]
    lit.click_layer(0)
    expect(card.locator(".kept-score").first).to_contain_text("Layer 0: dev ")

    # An edit gets a class, too.
    n_rows = len(lit.ids())
    lit.select(lit.ids("dev")[:1])
    lit.add_edited("Nothing about this kettle is dull.")
    value = f"() => {{{SERVICES} return services.dataService.getVal(services.appState.currentInputData[{n_rows}]?.id, name)}}"
    lit.page.wait_for_function(value.replace("name)", f"{column['name']!r}) in {{negative: 1, positive: 1}}"))

    (tmp_path / "notes.safetensors").write_text("no probes")
    lit.panel.locator(".probe-file").set_input_files(tmp_path / "notes.safetensors")
    expect(card).to_contain_text("The file is no safetensors file, or not all of it.")
    expect(lit.chart.locator(".series.kept-probe")).to_have_count(0)
    lit.wait_for_curve()
    card.locator(".remove-probes").click()
    expect(card).to_have_count(0)

    lit.open(dataset="demo", models="tiny-electra-on-demo").wait_for_curve()
    lit.panel.locator(".probe-file").set_input_files(file)
    expect(card).to_contain_text("These probes were fitted on 'tiny-bert' and cannot read 'tiny-electra': another config")
    lit.wait_for_curve()
