"""The panels of the checks in a real browser, on a real server: each shows what the server computed, once it is looked at."""

from __future__ import annotations

import csv
import json
import re
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest
from lit_page import LitPage
from live_server import answer_of, ask
from playwright.sync_api import Locator, Route, expect
from reachable import out_of_reach

from lit_probe.data import load_dataset

BERT, ELECTRA = "tiny-bert-on-demo", "tiny-electra-on-demo"
N_LAYERS = 4
SWITCH = "(settings) => document.createElement('lit-global-settings').settingsService.updateSettings(settings)"
# Tab, tag, and what the interpreter is asked.
CHARTS = {
    "selectivity": ("Selectivity", "selectivity-module"),
    "calibration": ("Calibration", "calibration-module"),
    "description_length": ("Description length", "description-length-module"),
    "learning_curve": ("Learning curve", "learning-curve-module"),
}


def wait_for_chart(panel: Locator) -> None:
    """Until the panel's check is computed and drawn."""
    expect(panel.locator(".chart svg").first).to_be_visible(timeout=120_000)


def csv_rows(lit: LitPage, panel: Locator, folder: Path) -> list[dict[str, str]]:
    """The table that the panel's CSV button saves."""
    with lit.page.expect_download() as table:
        panel.locator(".save-csv").first.click()
    table.value.save_as(folder / "table.csv")
    return list(csv.DictReader((folder / "table.csv").open(newline="")))


@pytest.mark.parametrize("check", CHARTS)
def test_a_check_s_panel_draws_what_the_server_computed(lit: LitPage, server: str, tmp_path: Path, check: str):
    lit.open(dataset="demo", layout="evidence").wait_for_curve()
    panel = lit.show(*CHARTS[check])
    wait_for_chart(panel)
    answer = answer_of(server, "probe_checks", BERT, check=check)
    rows = csv_rows(lit, panel, tmp_path)
    if check == "learning_curve":
        drawn = [[float(row["score"]) for row in rows if row["layer"] == str(layer)] for layer in range(N_LAYERS)]
        assert drawn == [[point["score"] for point in layer["points"]] for layer in answer["layers"]]
    else:
        column = {"selectivity": "selectivity", "calibration": "ece", "description_length": "bits"}[check]
        assert [float(row[column]) for row in rows] == [layer[column] for layer in answer["layers"]]
    with lit.page.expect_download() as figure:
        panel.locator(".save-svg").click()
    figure.value.save_as(tmp_path / "figure.svg")
    assert "demo" in " ".join(ElementTree.parse(tmp_path / "figure.svg").getroot().itertext())
    panel.locator(".guide summary").click()
    expect(panel.locator(".guide")).to_contain_text("The question.")


def test_the_current_layer_is_that_of_all_panels(lit: LitPage):
    lit.open(dataset="demo").wait_for_curve()
    lit.click_layer(1)
    panel = lit.show(*CHARTS["calibration"])
    wait_for_chart(panel)
    expect(panel.locator(".reading")).to_contain_text("Layer 1")
    panel.locator(".chart").first.press("ArrowRight")
    expect(panel.locator(".reading")).to_contain_text("Layer 2")
    lit.show("Probe by layer", "layer-metrics-module")
    expect(lit.panel.locator(".reading")).to_contain_text("Layer 2")


def test_a_click_on_the_learning_curve_picks_the_nearest_layer(lit: LitPage):
    lit.open(dataset="demo", layout="evidence").wait_for_curve()
    panel = lit.show(*CHARTS["learning_curve"])
    wait_for_chart(panel)
    panel.locator(".chart").press("Home")
    box = panel.locator(".series.layer-3 .line").bounding_box()
    panel.locator(".chart").press("Home")
    lit.page.mouse.click(box["x"] + box["width"] - 1, box["y"] + box["height"] / 2)
    expect(panel.locator(".reading")).to_contain_text(re.compile(r"Layer \d"))
    assert panel.locator(".chart").get_attribute("aria-valuenow") in {"0", "1", "2", "3"}


def test_nothing_is_asked_before_the_panel_is_looked_at(lit: LitPage):
    asked = []
    lit.page.on("request", lambda request: asked.append(request.post_data or "") if "probe_checks" in request.url else None)
    lit.open(dataset="demo").wait_for_curve()
    lit.page.wait_for_timeout(500)
    assert not any("selectivity" in body for body in asked)
    wait_for_chart(lit.show(*CHARTS["selectivity"]))
    assert any("selectivity" in body for body in asked)


def test_a_running_check_shows_its_progress_and_can_be_cancelled_and_started_again(lit: LitPage):
    """The server's answers are held back: on these tiny data a check would be over before it could be cancelled."""
    cancelled = []

    def answer(route: Route) -> None:
        config = json.loads(route.request.post_data or "{}").get("config", {})
        if config.get("check") != "description_length":
            route.fallback()
        elif config.get("cancel"):
            cancelled.append(config)
            route.fulfill(body=json.dumps({"status": "cancelled", "message": "It was cancelled."}))
        elif cancelled:
            route.fallback()
        else:
            computing = {"status": "computing", "message": "Description length: 25%", "fraction": 0.25}
            route.fulfill(body=json.dumps(computing))

    lit.page.route("**/get_interpretations?*interpreter=probe_checks*", answer)
    lit.open(dataset="demo", layout="evidence").wait_for_curve()
    panel = lit.show(*CHARTS["description_length"])
    expect(panel).to_contain_text("Description length: 25%")
    expect(panel.locator("progress")).to_have_attribute("value", "0.25")
    panel.get_by_role("button", name="Cancel").click()
    expect(panel).to_contain_text("You cancelled this computation")
    lit.page.wait_for_timeout(1500)
    expect(panel).to_contain_text("You cancelled this computation")
    assert len(cancelled) == 1
    panel.get_by_role("button", name="Start again").click()
    wait_for_chart(panel)


def test_what_the_server_refuses_is_said_in_its_words(lit: LitPage):
    lit.open(dataset="demo").wait_for_curve()
    panel = lit.show(*CHARTS["selectivity"])
    wait_for_chart(panel)
    control = panel.locator("#control")
    control.locator("option").nth(1).evaluate("(option) => void (option.value = 'last_word')")
    control.select_option(index=1)
    expect(panel.locator(".card.error")).to_contain_text("Unknown control 'last_word'")
    control.select_option("word")
    wait_for_chart(panel)
    lit.problems.clear()  # The browser itself logs every refused request.


def test_two_models_have_their_own_checks_side_by_side(lit: LitPage, server: str):
    lit.open(dataset="demo", models=f"{BERT},{ELECTRA}").wait_for_curve(2)
    panels = lit.show(*CHARTS["calibration"])
    expect(panels).to_have_count(2)
    for i, model in enumerate((BERT, ELECTRA)):
        wait_for_chart(panels.nth(i))
        layer = int(panels.nth(i).locator(".chart").first.get_attribute("aria-valuenow") or -1)
        brier = answer_of(server, "probe_checks", model, check="calibration")["layers"][layer]["brier"]
        expect(panels.nth(i).locator(".reading")).to_contain_text(f"Brier {brier:.3f}")


def test_the_panel_follows_when_the_model_is_switched(lit: LitPage):
    lit.open(dataset="demo", models=BERT).wait_for_curve()
    panel = lit.show(*CHARTS["calibration"])
    wait_for_chart(panel)
    lit.page.evaluate(SWITCH, {"models": [ELECTRA]})
    expect(panel.locator(".notes")).to_contain_text("tiny-electra")


def test_a_baseline_is_computed_when_it_is_switched_on_and_drawn_with_its_name(lit: LitPage, server: str):
    lit.open(dataset="demo").wait_for_curve()
    expect(lit.chart.locator(".end-label")).to_have_count(0)
    lit.unfold()
    lit.panel.locator("input[name=tfidf]").check()
    lit.panel.locator("input[name=shuffled]").check()
    score = answer_of(server, "probe_checks", BERT, check="baselines", baseline="tfidf")["score"]
    expect(lit.chart.locator(".reference.tfidf")).to_have_count(1, timeout=60_000)
    expect(lit.chart.locator(".series.shuffled")).to_have_count(1, timeout=60_000)
    expect(lit.chart.locator(".end-label", has_text="TF-IDF")).to_have_text(f"TF-IDF {score:.3f}")
    lit.panel.locator("input[name=majority]").uncheck()
    expect(lit.chart.locator(".majority")).to_have_count(0)
    # Over a selection, or by another metric, they would be compared with something else.
    lit.select(lit.ids()[:60])
    expect(lit.panel.locator(".hidden-overlays")).to_have_count(1)
    expect(lit.chart.locator(".reference")).to_have_count(0)


def test_baselines_on_their_way_stand_in_one_row_under_the_chart_which_stays_where_it_is(lit: LitPage):
    computing = {"status": "computing", "message": "Baseline: Text length of tiny-bert on demo: 40%", "fraction": 0.4}

    def answer(route: Route) -> None:
        asked = json.loads(route.request.post_data or "{}").get("config", {}).get("baseline")
        if asked is None:
            route.fallback()
        else:
            route.fulfill(body=json.dumps(computing if asked == "length" else {**computing, "fraction": 0.0}))

    lit.page.route("**/get_interpretations?*interpreter=probe_checks*", answer)
    lit.open(dataset="demo").wait_for_curve()
    expect(lit.panel.locator(".comparison")).to_have_count(1)
    lit.unfold()
    before = lit.chart.bounding_box()
    lit.panel.locator("input[name=length]").check()
    lit.panel.locator("input[name=shuffled]").check()
    expect(lit.panel.locator(".waiting")).to_have_text("text length: 40 % cancel · shuffled labels: waiting cancel")
    assert lit.chart.bounding_box() == before


@pytest.mark.parametrize("width", [1440, 1000])
def test_other_splits_are_a_band_beside_the_interval_with_a_sentence_and_a_card(
    lit: LitPage, server: str, tmp_path: Path, width: int
):
    lit.page.set_viewport_size({"width": width, "height": 900})
    lit.open(dataset="demo").wait_for_curve()
    lit.unfold()
    lit.panel.locator("input[name=repeats]").check()
    answer = answer_of(server, "probe_checks", BERT, check="repeats")
    expect(lit.chart.locator(".band.repeats")).to_have_count(1, timeout=60_000)
    expect(lit.chart.locator(".end-label")).to_have_text("10 other splits")
    expect(lit.panel.locator(".remark.repeats")).to_have_text(answer["sentence"])
    expect(lit.panel.locator(".notes")).to_contain_text(f"10 other splits: {answer['notes'][0]}")
    layer = answer["layers"][answer["best_layer"]]
    words = f"over 10 other splits mean {layer['mean']:.3f}, {layer['lowest']:.3f} to {layer['highest']:.3f}"
    expect(lit.panel.locator(".reading.repeats")).to_contain_text(words)
    lit.panel.locator(".reading.repeats .info-button").click()
    card = lit.panel.locator(".provenance")
    expect(card.locator(".command")).to_contain_text("--checks=repeats")
    expect(card).to_contain_text(words)
    expect(card).to_contain_text(f"{len(load_dataset('demo').train)} texts")
    lit.settle()
    assert out_of_reach(lit.page) == []
    rows = [row for row in csv_rows(lit, lit.panel, tmp_path) if row["probe"].startswith("10 other splits")]
    drawn = [[float(row[name]) for name in ("score", "low", "high")] for row in rows]
    assert drawn == [[layer["mean"], layer["lowest"], layer["highest"]] for layer in answer["layers"]]


def test_other_splits_on_their_way_can_be_cancelled_and_are_drawn_beside_one_encoder_alone(lit: LitPage):
    asked = []

    def answer(route: Route) -> None:
        config = json.loads(route.request.post_data or "{}").get("config", {})
        if config.get("check") != "repeats":
            return route.fallback()
        asked.append(config)
        state = "cancelled" if config.get("cancel") else "computing"
        return route.fulfill(body=json.dumps({"status": state, "message": "Other splits (10)", "fraction": 0.3}))

    lit.page.route("**/get_interpretations?*interpreter=probe_checks*", answer)
    lit.open(dataset="demo").wait_for_curve()
    lit.unfold()
    lit.panel.locator("input[name=repeats]").check()
    expect(lit.panel.locator(".waiting")).to_have_text("10 other splits: 30 % cancel")
    lit.panel.locator(".waiting .cancel").click()
    expect(lit.panel.locator(".waiting")).to_have_text("10 other splits: cancelled start again")
    assert [config.get("cancel") for config in asked][-1] is True
    asked.clear()
    lit.page.evaluate(SWITCH, {"models": [BERT, ELECTRA]})
    lit.wait_for_curve(2)
    expect(lit.panel.locator(".hidden-overlays")).to_have_text("Other splits are drawn beside one encoder alone.")
    expect(lit.panel.locator(".waiting")).to_have_count(0)
    assert not asked


def test_layers_like_the_best_are_marked_and_the_optimism_of_the_choice_is_said(lit: LitPage, server: str):
    lit.open(dataset="demo").wait_for_curve()
    answer = answer_of(server, "probe_checks", BERT, check="layer_comparison")
    alike = [layer["layer"] for layer in answer["layers"] if layer["indistinguishable"]]
    expect(lit.chart.locator(".marked-layer")).to_have_count(len(alike) if len(alike) > 1 else 0)
    expect(lit.panel.locator(".comparison")).to_contain_text("Holm-corrected")
    expect(lit.panel.locator(".comparison")).to_contain_text(f"dev {answer['optimism']['dev']:.3f}")
    lit.unfold()
    lit.panel.locator("input[name=alike]").uncheck()
    expect(lit.chart.locator(".marked-layer")).to_have_count(0)


def test_a_number_opens_the_card_that_reproduces_it(lit: LitPage, server: str, tmp_path: Path):
    lit.open(dataset="demo").wait_for_curve()
    lit.panel.locator(".info-button").click()
    facts = lit.panel.locator(".provenance")
    card = answer_of(server, "provenance", BERT)["card"]
    expect(facts).to_contain_text(card["model"]["sha256"]["weights"])
    expect(facts.locator(".command")).to_contain_text("--checks=none")
    expect(facts.locator(".statement")).to_contain_text("layers.json under datasets.demo.layers")
    with lit.page.expect_download() as saved:
        facts.locator(".save-card").click()
    saved.value.save_as(tmp_path / "card.json")
    written = json.loads((tmp_path / "card.json").read_text())
    number = written.pop("number")
    assert written == card and number["rows"]["dev"]["n"] == len(lit.ids("dev"))
    assert number["layer"] == lit.current_layers()[0] and number["value"] in lit.panel.locator(".reading").inner_text()
    # A selection is scored by nobody but the page, and has rows of its own.
    lit.select(lit.ids("dev")[:50])
    expect(facts.locator(".statement")).to_contain_text("The command line scores whole splits, not selections")
    expect(facts).to_contain_text("50 texts, sha256")
    lit.panel.locator(".info-button").click()
    expect(facts).to_have_count(0)
    expect(lit.show("Provenance", "provenance-module").locator(".provenance")).to_contain_text(
        card["datasets"]["demo"]["data"]["sha256"]["dev"]
    )


OWN_CARDS = [*CHARTS.values(), ("Transfer", "transfer-module")]


@pytest.mark.parametrize(("tab", "tag"), OWN_CARDS, ids=[tag for _, tag in OWN_CARDS])
def test_every_number_of_a_check_opens_its_own_card(lit: LitPage, tab: str, tag: str):
    lit.open(dataset="demo", layout="evidence").wait_for_curve()
    panel = lit.show(tab, tag)
    wait_for_chart(panel)
    panel.locator(".info-button").click()
    expect(panel.locator(".provenance .facts").first).to_contain_text("This number")
    expect(panel.get_by_text("This number", exact=True)).to_be_in_viewport()
    expect(panel.locator(".provenance .facts").first).to_contain_text(tag.removesuffix("-module").replace("-", " "))
    if tag != "transfer-module":  # Its data sets are read from different files, so that one command cannot name both.
        expect(panel.locator(".command")).to_contain_text(f"--checks={tag.removesuffix('-module').replace('-', '_')}")
    panel.locator(".info-button").click()
    expect(panel.locator(".provenance")).to_have_count(0)


def test_another_control_stands_in_the_command(lit: LitPage):
    lit.open(dataset="demo").wait_for_curve()
    panel = lit.show(*CHARTS["selectivity"])
    wait_for_chart(panel)
    panel.locator("#control").select_option("first_word")
    wait_for_chart(panel)
    panel.locator(".info-button").click()
    expect(panel.locator(".command")).to_contain_text("--control=first_word")


# The left edge, the width and the height at which its chart, and then its value, begins, of every card; with the room they share.
_CARDS = """(panel) => {
  const boxes = (selector) => [...panel.shadowRoot.querySelectorAll(selector)].map((element) => element.getBoundingClientRect());
  const [charts, values, svgs] = ['.multiple .chart', '.multiple .value', '.multiple .chart svg'].map(boxes);
  const grid = boxes('.multiples')[0];
  return boxes('.multiple').map(({left, right, top}, i) => ({
    left: left - grid.left, width: right - left, top: top - grid.top,
    chart: charts[i].top - grid.top, value: values[i].top - grid.top,
    overhang: Math.max(svgs[i].right, charts[i].right) - right,
  }));
}"""


@pytest.mark.parametrize("n_slices", [2, 6])
@pytest.mark.parametrize("width", [1440, 1000])
def test_the_cards_of_slices_stand_in_rows_and_columns(lit: LitPage, width: int, n_slices: int) -> None:
    lit.page.set_viewport_size({"width": width, "height": 900})
    lit.open(dataset="demo").wait_for_curve()
    panel = lit.show("Slices", "slices-by-layer-module")
    if n_slices > 2:
        ids = lit.ids("dev")
        sizes = {
            "few": 6,
            "a slice whose name is longer than any card is wide at all": 40,
            "some": 60,
            "half": 80,
            "most": 120,
            "all": 166,
        }
        for name, n in sizes.items():
            lit.select_slice(name, ids[:n])
        panel.locator("#facet").select_option("LIT slices")
    expect(panel.locator(".multiple .value")).to_have_count(n_slices, timeout=30_000)
    cards = panel.evaluate(_CARDS)
    rows = sorted({round(card["top"]) for card in cards})
    columns = sorted({round(card["left"]) for card in cards})
    assert len(rows) * len(columns) >= n_slices > (len(rows) - 1) * len(columns)
    assert len({round(card["width"]) for card in cards}) == 1 and max(card["overhang"] for card in cards) <= 0.5
    for row in rows:
        in_row = [card for card in cards if round(card["top"]) == row]
        assert len({round(card["chart"]) for card in in_row}) == 1 == len({round(card["value"]) for card in in_row}), in_row


def test_each_slice_opens_the_card_of_its_own_rows(lit: LitPage):
    lit.open(dataset="demo").wait_for_curve()
    panel = lit.show("Slices", "slices-by-layer-module")
    panel.locator("#facet").select_option("domain")
    expect(panel.locator(".multiple .chart svg")).to_have_count(2)
    multiple = panel.locator(".multiple").first
    n = multiple.locator(".n").inner_text().split("n = ")[1]
    multiple.locator(".info-button").click()
    expect(panel.locator(".provenance")).to_contain_text(f"{n} texts, sha256")
    expect(panel.locator(".statement")).to_contain_text("not selections")


def test_the_current_layer_is_compared_with_the_best_one_or_another(lit: LitPage, server: str):
    lit.open(dataset="demo").wait_for_curve()
    compared = lit.panel.locator(".compared")
    comparison = answer_of(server, "probe_checks", BERT, check="layer_comparison")
    best = comparison["best_layer"]
    layer, other = [at for at in range(N_LAYERS) if at != best][:2]
    lit.click_layer(layer)
    expect(compared).to_contain_text(f"p = {comparison['layers'][layer]['p_holm']:.3f}")
    compared.locator("select").select_option(str(other))
    pair = answer_of(server, "probe_checks", BERT, check="layer_comparison", layers=[layer, other])
    expect(compared).to_contain_text(f"{pair['difference']:.3f}".replace("-", "−"))
    expect(compared).to_contain_text("for these two alone")
    expect(lit.panel.locator(".notes")).to_contain_text(comparison["notes"][-1])


def test_rows_can_be_told_apart_by_a_column_of_yes_and_no(lit: LitPage):
    lit.open(dataset="demo").wait_for_curve()
    panel = lit.show("Slices", "slices-by-layer-module")
    panel.locator("#facet").select_option("truncated")
    expect(panel.locator(".multiple .name")).to_have_text(["false", "true"])


def test_every_value_of_a_column_has_its_own_curve(lit: LitPage, server: str):
    lit.open(dataset="demo").wait_for_curve()
    panel = lit.show("Slices", "slices-by-layer-module")
    panel.locator("#facet").select_option("domain")
    expect(panel.locator(".multiple .chart svg")).to_have_count(2)
    rows = lit.page.evaluate("() => document.createElement('data-table-module').appState.currentInputData")
    film = [row["id"] for row in rows if row["data"]["domain"] == "film" and row["data"]["probe_split"] == "dev"]
    answer = ask(server, "layer_metrics", BERT, "demo", film)
    dev = next(series for series in answer["series"] if series["split"] == "dev")
    shown = panel.locator(".multiple", has=lit.page.get_by_role("button", name="film", exact=True))
    expect(shown.locator(".n")).to_have_text(f"dev, n = {dev['n']}")
    expect(shown.locator(".value")).to_contain_text(f"{dev['layers'][answer['best_layer']]['score']:.3f}")


def test_slices_are_tested_and_corrected_for_how_many_are_shown(lit: LitPage):
    lit.open(dataset="demo").wait_for_curve()
    panel = lit.show("Slices", "slices-by-layer-module")
    panel.locator("#facet").select_option("domain")
    said, values, toggle = (panel.locator(name) for name in (".differences", ".multiple .value", "input[name=corrected]"))
    expect(said).to_contain_text(re.compile(r"2 slices shown.* At layer \d .* from all examples, corrected for 2 slices\."))
    expect(values).to_have_text([re.compile(r"p.[=<].0\.\d{3}|p.=.1\.000")] * 2)
    expect(panel.locator(".notes")).to_contain_text(["the correction for 2 slices is by the largest statistic (max-T)"])
    toggle.uncheck()
    expect(said).to_contain_text("not corrected: of 2 slices that do not differ, at least one seems to in up to 10 % of cases.")
    toggle.check()
    layer = 1 if "At layer 1 " not in said.inner_text() else 2
    panel.locator(".multiple .chart").first.press("Home")
    for _ in range(layer):
        panel.locator(".multiple .chart").first.press("ArrowRight")
    expect(said).to_contain_text(f"At layer {layer} ")
    panel.locator("#facet").select_option("label")
    expect(said).to_contain_text("2 slices shown (4 looked at since the page was loaded).")


def test_where_the_metric_is_defined_on_no_slice_the_panel_says_what_to_pick(lit: LitPage):
    lit.open(dataset="demo").wait_for_curve()
    lit.panel.locator("#metric").select_option("balanced_accuracy")
    panel = lit.show("Slices", "slices-by-layer-module")
    panel.locator("#facet").select_option("label")
    said = panel.locator(".differences")
    expect(said).to_contain_text("None can be compared with all examples. Not compared: ", timeout=30_000)
    expect(panel.locator(".notes")).to_have_text([""])
    panel.get_by_role("button", name="Show accuracy").click()
    expect(said).to_contain_text("corrected for 2 slices.", timeout=30_000)
    expect(panel.locator(".undefined")).to_have_count(0)


def test_a_slice_without_a_dev_example_says_what_its_curve_is_of(lit: LitPage):
    lit.open(dataset="demo").wait_for_curve()
    lit.select_slice("of test", lit.ids("test")[:40])
    lit.select_slice("of dev", lit.ids("dev")[:40])
    panel = lit.show("Slices", "slices-by-layer-module")
    panel.locator("#facet").select_option("LIT slices")
    of_test = panel.locator(".multiple", has_text="of test")
    expect(of_test.locator(".why").first).to_have_text("no dev example: scored on test", timeout=30_000)
    expect(panel.locator(".differences")).to_contain_text("2 slices shown")
    expect(panel.locator(".differences")).to_contain_text("Not compared: of test (no dev example).")
    expect(panel.locator(".multiple .name")).to_have_text(["of dev", "of test"])


def test_lit_s_slices_are_drawn_and_small_ones_are_grey(lit: LitPage):
    lit.open(dataset="demo").wait_for_curve()
    lit.select_slice("a few", lit.ids("dev")[:12])
    lit.select_slice("of train", lit.ids("train")[:12])
    panel = lit.show("Slices", "slices-by-layer-module")
    panel.locator("#facet").select_option("LIT slices")
    few = panel.locator(".multiple", has_text="a few")
    expect(few.locator(".chart svg")).to_have_count(1)
    expect(panel.locator(".omitted")).to_have_text("Not shown, without a dev or test example: of train")
    expect(few).to_have_class(re.compile("doubtful"))
    expect(few.locator(".why")).to_have_text("only 12 rows (fewer than 30)")


def test_transfer_shows_every_pair_of_data_sets(lit: LitPage, server: str):
    lit.open(dataset="demo", layout="evidence").wait_for_curve()
    panel = lit.show("Transfer", "transfer-module")
    wait_for_chart(panel)
    answer = answer_of(server, "transfer", BERT)
    numbers = [
        f"{layer['scores'][i][j]:.2f}{'?' if layer['reasons'][i][j] else ''}"
        for i in range(2)
        for j in range(2)
        for layer in answer["layers"]
    ]
    expect(panel.locator(".cell text")).to_have_text(numbers)


def test_concepts_stand_in_strips_with_the_numbers_of_the_answer(lit: LitPage, server: str):
    lit.open(dataset="demo", layout="evidence").wait_for_curve()
    panel = lit.show("Concepts", "concept-map-module")
    wait_for_chart(panel)
    answer = answer_of(server, "concept_map", BERT)
    assert len(answer["rows"]) > 3
    expect(panel.locator(".strip")).to_have_count(len(answer["rows"]))
    written = [f"{cell['above']:.2f}{'' if cell['reliable'] else '?'}" for row in answer["rows"] for cell in row["cells"]]
    expect(panel.locator(".cell text")).to_have_text(written)
    # A click on a concept's layer goes there, and the table follows.
    last = answer["rows"][-1]
    panel.locator(".concepts .text-button").last.click()
    expect(panel.locator(".chart")).to_have_attribute("aria-valuenow", str(last["best_layer"]))
    score = f"{last['cells'][last['best_layer']]['score']:.3f}"
    expect(panel.locator(".concepts tbody tr").last).to_contain_text(score)
    expect(panel.locator(".notes")).to_contain_text("Not asked: pair_id.")
    panel.locator(".info-button").click()
    expect(panel.locator(".command")).to_contain_text("--targets=columns,surface")


def test_a_checkpoint_without_a_head_has_nothing_to_be_compared_with(lit: LitPage):
    lit.open(dataset="demo", layout="evidence").wait_for_curve()
    expect(lit.show("Model", "agreement-module")).to_contain_text("no classification head of its own")


def test_a_click_on_a_count_selects_its_examples(chromium, headed_server):
    context = chromium.new_context(viewport={"width": 1440, "height": 900})
    lit = LitPage(context.new_page(), headed_server)
    lit.open(dataset="demo", layout="evidence").wait_for_curve()
    panel = lit.show("Model", "agreement-module")
    wait_for_chart(panel)
    answer = answer_of(headed_server, "probe_checks", "tiny-headed-on-demo", check="agreement")
    layer = int(panel.locator(".chart").get_attribute("aria-valuenow") or -1)
    cells = ("both_right", "probe_only", "model_only", "both_wrong")
    assert [int(panel.locator(f".cell-button.{name} b").inner_text()) for name in cells] == [
        answer["layers"][layer][name] for name in cells
    ]
    dev = lit.ids("dev")
    known = ask(headed_server, "probe_checks", "tiny-headed-on-demo", "demo", [], check="agreement")["rows"][layer]
    selected = "() => document.createElement('data-table-module').selectionService.selectedIds"
    for name in cells[1:]:
        if known[name]:
            panel.locator(f".cell-button.{name}").click()
            assert sorted(lit.page.evaluate(selected)) == sorted(dev[row] for row in known[name])
    panel.locator(".cell-button.both_right").click()
    assert len(lit.page.evaluate(selected)) == answer["layers"][layer]["both_right"]
    context.close()
    assert lit.problems == []


@pytest.mark.parametrize("width", [1440, 1000])
def test_nothing_in_these_panels_is_cut_off(lit: LitPage, width: int):
    lit.open(dataset="demo", layout="evidence").wait_for_curve()
    parts = "'.module-toolbar, .caption, .legend, .chart, .charts, .reading, .notes, .multiple .chart'"
    overflowing = f"""(panel) => [...panel.shadowRoot.querySelectorAll({parts})]
        .filter((part) => part.scrollWidth > part.clientWidth + 1).map((part) => part.className)"""
    tabs = [*CHARTS.values(), ("Transfer", "transfer-module"), ("Slices", "slices-by-layer-module")]
    lit.page.set_viewport_size({"width": width, "height": 900})
    for tab, tag in tabs:
        panel = lit.show(tab, tag)
        wait_for_chart(panel)
        lit.page.wait_for_timeout(200)
        assert panel.evaluate(overflowing) == [], tab


def test_calibration_of_too_few_rows_is_a_card(lit: LitPage):
    """The server's answer is emptied: dev of the demo has rows enough."""

    def answer(route: Route) -> None:
        if json.loads(route.request.post_data or "{}").get("config", {}).get("check") != "calibration":
            return route.fallback()
        found = route.fetch().json()
        for layer in found.get("layers", []):
            layer.update(diagram=[], diagram_after=[], ece=None, brier=None)
        return route.fulfill(body=json.dumps({**found, "reliable": False, "reason": "only 12 rows (fewer than 30)"}))

    lit.page.route("**/get_interpretations?*interpreter=probe_checks*", answer)
    lit.open(dataset="demo").wait_for_curve()
    panel = lit.show(*CHARTS["calibration"])
    expect(panel.locator(".card")).to_contain_text(
        "There is no calibration to show: only 12 rows (fewer than 30)", timeout=60_000
    )
    expect(panel.locator(".chart")).to_have_count(0)


def test_the_first_chart_of_every_panel_of_the_evidence_is_whole(lit: LitPage):
    lit.open(dataset="demo", layout="evidence").wait_for_curve()
    for width in (1440, 1000):
        lit.page.set_viewport_size({"width": width, "height": 900})
        for tab, tag in (*CHARTS.values(), ("Slices", "slices-by-layer-module"), ("Transfer", "transfer-module")):
            panel = lit.show(tab, tag)
            wait_for_chart(panel)
            lit.page.wait_for_timeout(200)
            area, chart = panel.bounding_box(), panel.locator(".chart svg, .reliability svg").first.bounding_box()
            assert area and chart and chart["y"] + chart["height"] <= area["y"] + area["height"] + 1, (width, tab)
