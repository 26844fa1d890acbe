"""The panel "Probe by layer" in a real browser, on a real server."""

from __future__ import annotations

import csv
import json
import re
import xml.etree.ElementTree as ElementTree
from pathlib import Path

from lit_page import LitPage
from live_server import answer_of, ask, scores
from playwright.sync_api import Route, expect
from saved_pictures import assert_png_beside

from lit_probe.data import load_dataset

BERT, ELECTRA = "tiny-bert-on-demo", "tiny-electra-on-demo"
N_LAYERS = 4
DEMO = load_dataset("demo")
N_ROWS = sum(len(rows) for _, rows in DEMO.items())


def written(score: dict) -> str:
    """A score as the panel writes it."""
    if score["low"] is None:
        return f"{score['score']:.3f}"
    return f"{score['score']:.3f} [{score['low']:.3f}, {score['high']:.3f}]"


def test_the_panel_draws_what_the_server_measured(lit: LitPage, server: str):
    lit.open(dataset="demo").wait_for_curve()
    answer = ask(server, "layer_metrics", BERT, "demo", lit.ids())
    best = answer["best_layer"]
    expect(lit.caption).to_contain_text(f"Whole data set: {N_ROWS:,} rows, of which LIT shows {len(lit.ids())}")
    counts = {series["split"]: series["n"] for series in answer["series"]}
    expect(lit.caption).to_contain_text(f"Scored: {counts['dev']} dev rows (test: {counts['test']} rows, at layer {best} only)")
    n_train = len(DEMO.train)
    assert n_train > len(lit.ids("train")), "LIT shows a part of train only"
    expect(lit.caption).to_contain_text(f"{n_train} train rows left out: the probes were trained on them")
    expect(lit.chart.locator(".series.dev.line circle")).to_have_count(N_LAYERS)
    expect(lit.chart.locator(".band")).to_have_count(1)
    expect(lit.chart.locator(".series.test.point .interval")).to_have_count(1)
    expect(lit.chart.locator(".series.train")).to_have_count(0)
    expect(lit.chart.locator(".axis-title")).to_have_text([answer["metric_title"], "Layer"])
    expect(lit.chart.locator(".chosen-layer text")).to_have_text("chosen on dev")
    reading = lit.panel.locator(".reading")
    expect(reading).to_contain_text(f"dev {written(scores(answer, 'dev')[best])}")
    expect(reading).to_contain_text(f"test {written(scores(answer, 'test')[best])}")

    # Pointing at a layer shows its values.
    box = lit.chart.bounding_box()
    lit.page.mouse.move(box["x"] + 70, box["y"] + box["height"] / 2)
    tooltip = lit.panel.locator(".tooltip")
    expect(tooltip).to_contain_text(f"layer 0: {written(scores(answer, 'dev')[0])}, n = ")
    expect(lit.chart.locator(".crosshair")).to_have_count(1)
    lit.page.mouse.move(5, 5)
    expect(tooltip).to_have_count(0)


def test_a_click_or_an_arrow_key_selects_a_layer_of_all_encoders(lit: LitPage):
    lit.open(dataset="demo", models=f"{BERT},{ELECTRA}").wait_for_curve(2)
    readings = lit.panel.locator(".reading")

    def layers() -> list[int]:
        return [int(re.search(r"Layer (\d)", reading).group(1)) for reading in readings.all_inner_texts()]

    best = layers()
    lit.click_layer(1)
    assert lit.current_layers() == [1] and layers() == [1, 1]
    for key, layer in (("ArrowLeft", 0), ("End", N_LAYERS - 1), ("PageDown", max(0, N_LAYERS - 3))):
        lit.chart.press(key)
        assert lit.current_layers() == [layer] and layers() == [layer, layer]
    lit.chart.press("Escape")
    assert layers() == best and lit.current_layers() == best[:1]
    expect(readings.filter(has_text="dev-chosen")).to_have_count(2)


def test_the_curve_follows_selection_and_slice(lit: LitPage, server: str):
    lit.open(dataset="demo").wait_for_curve()
    ids = lit.ids()
    lit.select(ids[:60])
    expect(lit.caption).to_contain_text("Selection: 60 examples")
    lit.wait_for_curve()
    answer = ask(server, "layer_metrics", BERT, "demo", ids[:60])
    expect(lit.panel.locator(".reading")).to_contain_text(f"dev {written(scores(answer, 'dev')[answer['best_layer']])}")
    lit.select_slice("a few", ids[3:15])
    expect(lit.caption).to_contain_text("Slice “a few”: 12 examples")
    expect(lit.panel.locator(".doubt").first).to_contain_text("not to be relied on")
    # There is one test score; that of some rows is called something else.
    rows = lit.ids("dev")[:40] + lit.ids("test")[:40]
    lit.select(rows)
    expect(lit.caption).to_contain_text("Selection: 80 examples")
    lit.wait_for_curve()
    answer = ask(server, "layer_metrics", BERT, "demo", rows)
    score = written(scores(answer, "test")[answer["best_layer"]])
    expect(lit.panel.locator(".reading")).to_contain_text(f"test rows of the selection {score}")
    expect(lit.panel.locator(".legend").first).to_contain_text("test rows of the selection, n = 40")
    lit.select([])
    expect(lit.caption).to_contain_text(f"Whole data set: {N_ROWS:,} rows")


def test_without_dev_rows_the_whole_test_curve_is_drawn(lit: LitPage):
    lit.open(dataset="demo").wait_for_curve()
    lit.select(lit.ids("test"))
    expect(lit.chart.locator(".series.test.line")).to_have_count(1)


def test_a_selection_of_train_rows_is_scored_only_on_request(lit: LitPage):
    lit.open(dataset="demo").wait_for_curve()
    lit.select(lit.ids("train")[:30])
    card = lit.panel.locator(".card")
    expect(card).to_contain_text("All 30 selected rows were trained on, so nothing is scored by default.")
    expect(lit.chart).to_have_count(0)
    card.get_by_role("button", name="Show the fit on train").click()
    expect(lit.chart.locator(".series.train.line")).to_have_count(1)
    expect(lit.panel.locator(".doubt").first).to_contain_text("how well the probes fit")
    expect(lit.caption).to_contain_text("Scored: 30 train rows, which show fit")
    lit.unfold()
    lit.panel.locator("input[name=train]").click()
    expect(card).to_contain_text("so nothing is scored by default")


def test_the_selected_and_the_pinned_example_are_shown_layer_by_layer(lit: LitPage, server: str):
    lit.open(dataset="demo").wait_for_curve()
    ids = lit.ids()
    lit.select([ids[0]])
    answer = ask(server, "layer_predictions", BERT, "demo", [ids[0]])
    numbers = [f"{row[c]:.2f}" for c in range(2) for row in answer["examples"][0]["probabilities"]]
    expect(lit.panel.locator(".strips .cell text")).to_have_text(numbers)
    expect(lit.panel.locator(".example.selected .verdict")).to_contain_text(f"gold label {answer['examples'][0]['label']}")
    expect(lit.caption).to_contain_text(f"Whole data set: {N_ROWS:,} rows")
    lit.pin(ids[1])
    expect(lit.panel.locator(".example.pinned")).to_have_count(1)
    expect(lit.panel.locator(".strips")).to_have_count(2)
    lit.click_layer(2)
    expect(lit.panel.locator(".example.selected .verdict")).to_contain_text("Layer 2")


def test_an_edited_example_appears_and_is_not_scored(lit: LitPage):
    lit.open(dataset="demo").wait_for_curve()
    reading = lit.panel.locator(".reading").inner_text()
    lit.select(lit.ids()[:1])
    lit.add_edited("An edited text that no one has scored.")
    expect(lit.caption).to_contain_text("1 edited row left out")
    expect(lit.caption).to_contain_text(f"Whole data set: {N_ROWS:,} rows")
    expect(lit.panel.locator(".example.selected .badge")).to_have_text("edited")
    expect(lit.panel.locator(".example.selected .quote")).to_have_text("An edited text that no one has scored.")
    lit.wait_for_curve()
    assert lit.panel.locator(".reading").inner_text() == reading

    # Where nothing can be scored, the panel says so and still shows the example.
    edited = lit.ids()[-1:]
    lit.add_edited("Another edited text.")
    expect(lit.panel.locator(".example.selected .quote")).to_have_text("Another edited text.")
    lit.select(edited + lit.ids()[-1:])
    expect(lit.caption).to_have_text("Selection: 2 examples · 2 edited rows left out")
    expect(lit.panel).to_contain_text("None of these rows is scored: 2 edited rows left out.")
    expect(lit.panel.locator(".strips")).to_have_count(1)


def test_two_encoders_share_one_chart_with_their_own_numbers_and_their_difference(lit: LitPage, server: str):
    lit.open(dataset="demo", models=f"{BERT},{ELECTRA}").wait_for_curve(2)
    expect(lit.panel).to_have_count(1)
    expect(lit.chart.locator(".series.dev.line")).to_have_count(2)
    expect(lit.chart.locator(".band")).to_have_count(2)
    colours = lit.chart.locator(".series.dev.line circle").evaluate_all(
        "(marks) => marks.map((mark) => mark.getAttribute('fill'))"
    )
    assert len(set(colours)) == 2
    for i, model in enumerate((BERT, ELECTRA)):
        answer = ask(server, "layer_metrics", model, "demo", lit.ids())
        reading = lit.panel.locator(".reading").nth(i)
        expect(reading).to_contain_text(answer["encoder"])
        expect(reading).to_contain_text(f"dev {written(scores(answer, 'dev')[answer['best_layer']])}")
        expect(lit.panel.locator(".legend").nth(i)).to_contain_text(answer["encoder"])
    found = answer_of(server, "encoder_comparison", BERT, other=ELECTRA)
    difference = f"{found['difference']:.3f}".replace("-", "−")
    expect(lit.panel.locator(".difference")).to_contain_text(f"on the same {len(DEMO.dev)} dev rows: {difference}")
    # Each says something about the selected example.
    lit.select(lit.ids()[:1])
    expect(lit.panel.locator(".strips")).to_have_count(2)
    expect(lit.panel.locator(".verdict b")).to_have_text(["tiny-bert", "tiny-electra"])
    with lit.page.expect_download() as table:
        lit.panel.locator(".save-csv").click()
    models = {line.split(",")[0] for line in Path(table.value.path()).read_text().splitlines()[1:]}
    assert models == {BERT, ELECTRA}


def test_the_panel_follows_when_data_set_and_model_are_switched(lit: LitPage, server: str):
    lit.open(dataset="demo", models=BERT).wait_for_curve()
    switch = "(settings) => document.createElement('lit-global-settings').settingsService.updateSettings(settings)"
    lit.page.evaluate(switch, {"dataset": "reviews"})
    expect(lit.panel.locator(".notes")).to_contain_text("trained on reviews")
    expect(lit.caption).to_contain_text("Whole data set: 160 rows")
    lit.page.evaluate(switch, {"models": ["tiny-electra-on-reviews"]})
    expect(lit.panel.locator(".notes")).to_contain_text("probes trained on reviews")
    answer = ask(server, "layer_metrics", "tiny-electra-on-reviews", "reviews", lit.ids())
    expect(lit.panel.locator(".reading")).to_contain_text(f"dev {written(scores(answer, 'dev')[answer['best_layer']])}")


def test_another_metric_and_the_hidden_splits_are_drawn_on_request(lit: LitPage, server: str):
    lit.open(dataset="demo").wait_for_curve()
    lit.panel.locator("#metric").select_option("mcc")
    expect(lit.chart.locator(".axis-title").first).to_have_text(re.compile("MCC|Matthews"))
    lit.unfold()
    lit.panel.get_by_label("test at every layer").check()
    lit.panel.locator("input[name=train]").check()
    for split in ("dev", "test", "train"):
        expect(lit.chart.locator(f".series.{split}.line")).to_have_count(1)
    layers = scores(ask(server, "layer_metrics", BERT, "demo", lit.ids(), metric="mcc"), "test")
    lit.click_layer(1)
    minus = written(layers[1]).replace("-", "−")
    expect(lit.panel.locator(".reading")).to_contain_text(f"test {minus}")


def test_table_and_figure_can_be_downloaded(lit: LitPage, server: str, tmp_path: Path):
    lit.open(dataset="demo").wait_for_curve()
    answer = ask(server, "layer_metrics", BERT, "demo", lit.ids())
    with lit.page.expect_download() as table:
        lit.panel.locator(".save-csv").click()
    table.value.save_as(tmp_path / "table.csv")
    rows = list(csv.DictReader((tmp_path / "table.csv").open(newline="")))
    assert [row["split"] for row in rows] == ["dev"] * N_LAYERS + ["test"]
    assert [float(row["score"]) for row in rows[:N_LAYERS]] == [layer["score"] for layer in scores(answer, "dev")]
    assert table.value.suggested_filename == f"layer_metrics_{BERT}_demo_{answer['metric']}.csv"
    with lit.page.expect_download() as figure:
        lit.panel.locator(".save-svg").click()
    figure.value.save_as(tmp_path / "figure.svg")
    assert "95 % intervals" in " ".join(ElementTree.parse(tmp_path / "figure.svg").getroot().itertext())
    assert_png_beside(lit.panel, tmp_path / "figure.svg")


def test_a_picture_that_the_browser_cannot_make_is_told_beside_its_button(lit: LitPage):
    lit.page.add_init_script("HTMLCanvasElement.prototype.toBlob = function (done) { done(null); };")
    lit.open(dataset="demo").wait_for_curve()
    lit.panel.locator(".save-png").click()
    expect(lit.panel.locator(".png-failure")).to_have_text("This browser could not make the picture: save the figure as SVG.")
    with lit.page.expect_download():
        lit.panel.locator(".save-svg").click()


def test_progress_is_shown_until_the_probes_are_ready(lit: LitPage):
    computing = {"status": "computing", "message": "Encoding demo train: 20 of 542 texts", "fraction": 0.04}
    working = [True]

    def answer(route: Route) -> None:
        if working[0]:
            route.fulfill(body=json.dumps(computing))
        else:
            route.fallback()

    lit.page.route("**/get_interpretations?*interpreter=layer_metrics*", answer)
    lit.open(dataset="demo")
    expect(lit.panel).to_contain_text("Encoding demo train: 20 of 542 texts")
    expect(lit.panel.locator("progress")).to_have_attribute("value", "0.04")
    expect(lit.panel.locator("lit-spinner")).to_have_count(1)
    working[0] = False
    lit.wait_for_curve()


def test_probes_that_failed_are_not_asked_for_again(lit: LitPage):
    failed = {"status": "failed", "message": "demo: no space left. Make room and start the server again."}
    lit.page.route("**/get_interpretations?*interpreter=layer_metrics*", lambda route: route.fulfill(body=json.dumps(failed)))
    lit.open(dataset="demo")
    expect(lit.panel.locator(".card.error")).to_contain_text("start the server again")
    expect(lit.panel.locator(".retry")).to_have_count(0)


def test_an_error_of_the_interpreter_is_shown_and_recovered_from(lit: LitPage):
    lit.open(dataset="demo").wait_for_curve()
    # The server refuses what the drop-down never offers.
    metric = lit.panel.locator("#metric")
    metric.locator("option").nth(1).evaluate("(option) => void (option.value = 'acuracy')")
    metric.select_option(index=1)
    error = lit.panel.locator(".card.error")
    expect(error).to_contain_text("Unknown metric 'acuracy'. Choose one of: accuracy")
    expect(error).not_to_contain_text("Traceback")
    error.get_by_role("button", name="Retry").click()
    expect(error).to_contain_text("Unknown metric 'acuracy'")
    error.get_by_role("button", name="Show the default metric").click()
    lit.wait_for_curve()
    lit.problems.clear()  # The browser itself logs every refused request.


def test_a_lost_connection_is_said_and_recovered_from(lit: LitPage):
    lit.open(dataset="demo").wait_for_curve()
    lost = [True]
    lit.page.route("**/get_interpretations?*", lambda route: route.abort() if lost[0] else route.fallback())
    lit.select(lit.ids()[:50])
    error = lit.panel.locator(".card.error").first
    expect(error).to_contain_text("The server cannot be reached")
    lost[0] = False
    lit.panel.locator(".retry").first.click()
    expect(lit.caption).to_contain_text("Selection: 50 examples")
    lit.wait_for_curve()
    expect(error).to_have_count(0)
    lit.problems.clear()


def test_a_mistake_in_drawing_leaves_a_card_that_can_be_left(lit: LitPage):
    broken = {"status": "ready", "metrics": [], "series": None, "left_out": {}}
    first = [True]

    def answer(route: Route) -> None:
        if first[0]:
            route.fulfill(body=json.dumps(broken))
        else:
            route.fallback()

    lit.page.route("**/get_interpretations?*interpreter=layer_metrics*", answer)
    lit.open(dataset="demo")
    expect(lit.panel).to_contain_text("This panel could not be drawn.")
    first[0] = False
    lit.select(lit.ids()[:50])
    lit.wait_for_curve()
    assert any("could not be drawn" in problem for problem in lit.problems)
    lit.problems.clear()


def test_nothing_in_the_panel_is_cut_off_on_a_narrow_screen_either(lit: LitPage):
    lit.open(dataset="demo").wait_for_curve()
    lit.select(lit.ids()[:1])
    parts = "'.module-toolbar, .caption, .legend, .chart, .reading, .notes, .strips, .verdict'"
    overflowing = f"""(panel) => [...panel.shadowRoot.querySelectorAll({parts})]
        .filter((part) => part.scrollWidth > part.clientWidth + 1).map((part) => part.className)"""
    lit.unfold()
    for width, height in ((1440, 900), (1000, 900), (1440, 500)):
        lit.page.set_viewport_size({"width": width, "height": height})
        lit.page.wait_for_timeout(300)
        expect(lit.panel.locator(".strips")).to_have_count(1)
        assert lit.panel.evaluate(overflowing) == [], (width, height)
