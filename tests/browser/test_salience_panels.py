"""The panels about words in a real browser, on a real server: a text is selected, edited, explained, and its words clicked on."""

from __future__ import annotations

import csv
import json
import re
import xml.etree.ElementTree as ElementTree
from html.parser import HTMLParser
from pathlib import Path

import pytest
from lit_page import LitPage
from live_server import answer_of, ask
from playwright.sync_api import Locator, Route, expect
from saved_pictures import assert_png_beside
from scipy.stats import spearmanr

from lit_probe.salience import SALIENCE_METHODS

BERT = "tiny-bert-on-demo"
N_LAYERS = 4
CHEAP = [name for name, method in SALIENCE_METHODS.items() if method.cheap]
N_SLOW = len(SALIENCE_METHODS) - len(CHEAP)
N_WITH_BASELINE = sum(bool(method.baseline) for method in SALIENCE_METHODS.values())
PARTS = (
    ".module-toolbar, .module-results-area, .settings, .choices, .section, .rows, .map, .chips, .under, "
    ".marked, .other-baselines, .measure, .bars, .class-words"
)
SELECTED = "() => document.createElement('data-table-module').selectionService.selectedIds"


@pytest.fixture
def rows(lit: LitPage) -> Locator:
    """The panel "Salience side by side", with nothing selected."""
    lit.open(dataset="demo", layout="words")
    panel = lit.page.locator("salience-rows-module:visible")
    expect(panel.locator("#layer")).to_have_count(1, timeout=30_000)
    return panel


def wait_for_maps(panel: Locator, n: int, section: str = "selected") -> None:
    """Until so many rows of a text are drawn."""
    expect(panel.locator(f".section.{section} .map[data-method]")).to_have_count(n, timeout=30_000)


def shown_scores(panel: Locator, method: str) -> list[tuple[str, float]]:
    """The words of a row with the scores that their tooltips say."""
    titles = panel.locator(f".map[data-method={method}] .chip").evaluate_all("(chips) => chips.map((chip) => chip.title)")
    return [(title.rpartition(": ")[0], float(title.rpartition(": ")[2])) for title in titles]


def saved(lit: LitPage, panel: Locator, button: str, folder: Path) -> Path:
    """The file that a button saves."""
    with lit.page.expect_download() as file:
        panel.locator(button).click()
    path = folder / file.value.suggested_filename
    file.value.save_as(path)
    return path


def lit_s_words(lit: LitPage) -> list[str]:
    """The tokens that LIT's own salience panel shows."""
    return lit.page.locator("salience-map-module:visible lit-token-chips .salient-token").all_inner_texts()


def test_without_a_selection_the_panel_says_what_to_do(rows: Locator):
    expect(rows.locator(".card")).to_have_text(re.compile("Select a text in LIT"))
    rows.locator(".guide summary").click()
    expect(rows.locator(".guide")).to_contain_text("decodable")


def test_a_selected_text_is_explained_and_an_edit_changes_our_rows_and_lit_s(lit: LitPage, rows: Locator, server: str):
    [chosen, *_] = lit.ids("dev")
    lit.select([chosen])
    wait_for_maps(rows, len(CHEAP))
    for method in CHEAP:
        answer = answer_of(server, "salience_map", BERT, [chosen], method=method)
        assert shown_scores(rows, method) == list(zip(answer["by_word"]["words"], answer["by_word"]["scores"], strict=True))
    expect(rows.locator(".explained")).to_contain_text(f"{answer['explained']}, logit of “{answer['class_name']}” = ")
    expect(rows.locator(".explained")).to_contain_text(f"gold label: {answer['gold']}")
    expect(lit.page.locator("salience-map-module:visible lit-token-chips .salient-token").first).to_be_visible()
    before = lit_s_words(lit)

    lit.show("Edit", "datapoint-editor-module")
    lit.add_edited("the great film was a dull bore")
    expect(rows.locator(".badge")).to_have_text("edited")
    wait_for_maps(rows, len(CHEAP))
    assert [word for word, _ in shown_scores(rows, "input_x_gradient")] == "the great film was a dull bore".split()
    expect(rows.locator(".explained")).to_contain_text("gold label")
    expect(lit.page.locator("salience-map-module:visible lit-token-chips .salient-token", has_text="dull").first).to_be_visible()
    assert lit_s_words(lit) != before


def test_methods_that_take_long_are_computed_by_a_button_each_or_all_at_once(lit: LitPage, rows: Locator, server: str):
    [chosen, other, *_] = lit.ids("dev")
    lit.select([chosen])
    wait_for_maps(rows, len(CHEAP))
    expect(rows.locator(".compute")).to_have_count(N_SLOW)
    rows.locator(".rows > div", has=rows.page.locator(".compute")).last.locator(".compute").click()
    wait_for_maps(rows, len(CHEAP) + 1)
    answer = answer_of(server, "salience_map", BERT, [chosen], method="kernel_shap")
    assert [score for _, score in shown_scores(rows, "kernel_shap")] == answer["by_word"]["scores"]
    expect(rows.locator(".map[data-method=kernel_shap] .under")).to_contain_text("seed 0")
    expect(rows.locator(".map[data-method=kernel_shap] .under")).to_contain_text("R² ")
    rows.locator(".compute-all").click()
    wait_for_maps(rows, len(SALIENCE_METHODS))
    expect(rows.locator(".map[data-method=integrated_gradients] .under")).to_contain_text("completeness gap")
    lit.select([other])
    expect(rows.locator(".compute")).to_have_count(N_SLOW)


def test_a_line_says_how_much_a_map_depends_on_its_baseline_and_another_when_it_is_not_exact(
    lit: LitPage, rows: Locator, server: str
):
    [chosen, *_] = lit.ids("dev")
    lit.select([chosen])
    wait_for_maps(rows, len(CHEAP))
    expect(rows.locator(".other-baselines")).to_have_count(0)
    rows.locator(".compute-all").click()
    expect(rows.locator(".other-baselines[aria-busy=false]")).to_have_count(N_WITH_BASELINE, timeout=60_000)
    for method in ("integrated_gradients", "kernel_shap"):
        answer = answer_of(server, "salience_baselines", BERT, [chosen], method=method)
        expect(rows.locator(f".map[data-method={method}] .other-baselines")).to_have_text(answer["sentence"])
    told = SALIENCE_METHODS["attention_rollout"].no_explanation
    expect(rows.locator(".no-explanation")).to_have_text([told])
    expect(rows.locator(".map[data-method=attention_rollout] .under").first).to_contain_text("comes from special tokens")
    expect(rows.locator(".marked")).to_have_count(0)
    rows.locator(".settings summary").click()
    for name in ("steps", "growth"):
        rows.locator(f"input[name={name}]").fill("1")
        rows.locator(f"input[name={name}]").press("Tab")
    rows.locator(".compute").first.click()
    config = {"method": "integrated_gradients", "steps": 1, "growth": 1}
    marked = answer_of(server, "salience_map", BERT, [chosen], **config)["warning"]
    assert marked.startswith("Not exact: after 1 step the scores add up to ")
    expect(rows.locator(".map[data-method=integrated_gradients] .marked")).to_have_text(marked)


def test_a_comparison_that_takes_long_can_be_cancelled_and_asked_for_again(lit: LitPage, rows: Locator):
    """Its first answers come from here: on these tiny encoders it would be there at once."""
    cancelled: list[bool] = []

    def answer(route: Route) -> None:
        config = json.loads(route.request.post_data or "{}").get("config", {})
        if cancelled:
            return route.fallback()
        if config.get("cancel"):
            cancelled.append(True)
            return route.fulfill(json={"status": "cancelled", "message": "It was cancelled."})
        return route.fulfill(json={"status": "computing", "message": "Other baselines: 25%", "fraction": 0.25})

    lit.page.route("**/get_interpretations?*interpreter=salience_baselines*", answer)
    lit.select(lit.ids("dev")[:1])
    wait_for_maps(rows, len(CHEAP))
    rows.locator(".compute").first.click()
    line = rows.locator(".map[data-method=integrated_gradients] .other-baselines")
    expect(line).to_contain_text("Comparing with other baselines …")
    line.locator(".cancel").click()
    expect(line).to_contain_text("Other baselines: cancelled")
    line.locator(".retry").click()
    expect(line).to_contain_text("With other baselines (mask, zero, mean): Spearman ", timeout=30_000)
    assert cancelled == [True]


def test_the_rows_follow_the_current_layer_of_our_panels(lit: LitPage, rows: Locator, server: str):
    [chosen, *_] = lit.ids("dev")
    lit.select([chosen])
    wait_for_maps(rows, len(CHEAP))
    layer = (int(rows.locator("#layer").input_value()) + 1) % N_LAYERS
    lit.show("Probe by layer", "layer-metrics-module")
    lit.wait_for_curve()
    lit.click_layer(layer)
    lit.show("Side by side", "salience-rows-module")
    expect(rows.locator(".explained")).to_contain_text(f"probe at layer {layer},")
    wait_for_maps(rows, len(CHEAP))
    answer = answer_of(server, "salience_map", BERT, [chosen], method="input_x_gradient", layer=str(layer))
    assert [score for _, score in shown_scores(rows, "input_x_gradient")] == answer["by_word"]["scores"]
    rows.locator("#layer").select_option("0")
    expect(rows.locator(".explained")).to_contain_text("probe at layer 0,")


def test_every_layer_has_a_row_with_its_rank_correlation_to_the_first(lit: LitPage, rows: Locator, server: str):
    [chosen, *_] = lit.ids("dev")
    lit.select([chosen])
    rows.locator("#rows").select_option("layers")
    wait_for_maps(rows, N_LAYERS)
    scores = [
        answer_of(server, "salience_map", BERT, [chosen], method="input_x_gradient", layer=str(layer))["by_word"]["scores"]
        for layer in range(N_LAYERS)
    ]
    expected = ["", *(f"{spearmanr(scores[0], row).statistic:.3f}".replace("-", "−") for row in scores[1:])]
    expect(rows.locator(".rho:not(.head)")).to_have_text(expected)
    rows.locator(".agreement summary").click()
    expect(rows.locator(".agreement td")).to_have_count(N_LAYERS**2)
    rows.locator(".map").first.locator(".chip").nth(1).hover()
    expect(rows.locator(".chip.same")).to_have_count(N_LAYERS)
    expect(rows.locator(".hovered-score")).to_have_count(N_LAYERS)


def test_class_number_and_tokens_can_be_chosen_and_a_pinned_text_stands_below(lit: LitPage, rows: Locator, server: str):
    [chosen, pinned, *_] = lit.ids("dev")
    lit.select([chosen])
    wait_for_maps(rows, len(CHEAP))
    rows.locator("#target").select_option("class:negative")
    rows.locator("#scalar").select_option("probability")
    rows.locator("#show").select_option("tokens")
    expect(rows.locator(".explained")).to_contain_text("probability of “negative” = 0.")
    answer = answer_of(
        server, "salience_map", BERT, [chosen], method="input_x_gradient", target="class:negative", scalar="probability"
    )
    expect(rows.locator(".map[data-method=input_x_gradient] .chip")).to_have_text(answer["tokens"])
    expect(rows.locator(".map[data-method=input_x_gradient] .chip.special")).to_have_count(answer["words"].count(None))
    lit.pin(pinned)
    wait_for_maps(rows, len(CHEAP), "pinned")
    expect(rows.locator(".section-title")).to_contain_text(["Selected text", "Pinned text"])
    # This checkpoint has no head.
    expect(rows.locator("#explain option")).to_have_text(["the probe"])


def test_probe_and_model_stand_side_by_side_where_the_model_has_a_head(chromium, headed_server):
    context = chromium.new_context(viewport={"width": 1440, "height": 900})
    lit = LitPage(context.new_page(), headed_server)
    lit.open(dataset="demo", layout="words")
    panel = lit.page.locator("salience-rows-module:visible")
    panel.locator("#rows").select_option("both")
    [chosen, *_] = lit.ids("dev")
    lit.select([chosen])
    wait_for_maps(panel, 2)
    expect(panel.locator(".label")).to_have_text([re.compile(r"Probe at layer \d"), "Model"])
    titles = [
        row.locator(".chip").evaluate_all("(chips) => chips.map((chip) => chip.title)") for row in panel.locator(".map").all()
    ]
    for explain, shown in zip(("probe", "model"), titles, strict=True):
        config = {"method": "input_x_gradient", "explain": explain}
        answer = ask(headed_server, "salience_map", "tiny-headed-on-demo", "demo", [chosen], **config)
        assert [float(title.rpartition(": ")[2]) for title in shown] == answer["by_word"]["scores"]
    panel.locator("#rows").select_option("methods")
    panel.locator("#explain").select_option("model")
    expect(panel.locator(".explained")).to_contain_text("Explained: model, logit of")
    expect(panel.locator("#layer")).to_have_count(0)
    # A class that is chosen by the head's spelling is that class in the probe's rows too.
    panel.locator("#target").select_option("class:POSITIVE")
    expect(panel.locator(".explained")).to_contain_text("logit of “POSITIVE”")
    panel.locator("#rows").select_option("layers")
    wait_for_maps(panel, N_LAYERS)
    expect(panel.locator("#target")).to_have_value("class:positive")
    expect(panel.locator(".under")).to_contain_text([f"probe at layer {at}, logit of “positive” = " for at in range(N_LAYERS)])
    panel.locator("#rows").select_option("both")
    wait_for_maps(panel, 2)
    expect(panel.locator(".under").first).to_contain_text("logit of “positive” = ")
    expect(panel.locator(".under").last).to_contain_text("model, logit of “POSITIVE” = ")
    expect(panel.locator(".explained")).to_contain_text(re.compile(r"the probe at layer \d.*, and the model, logit of"))
    context.close()
    assert lit.problems == []


def test_what_goes_wrong_stands_in_its_row_and_the_others_stay(lit: LitPage, rows: Locator):
    lit.select(lit.ids("dev")[:1])
    lit.show("Edit", "datapoint-editor-module")
    lit.add_edited("fine film")
    expect(rows.locator(".badge")).to_have_text("edited")
    rows.locator(".settings summary").click()
    rows.locator("input[name=kernel_width]").fill("0.01")
    rows.locator("input[name=kernel_width]").press("Tab")
    rows.locator(".compute-all").click()
    expect(rows.locator(".row-error")).to_contain_text("kernel_width is 0.01: no perturbed text has any weight")
    wait_for_maps(rows, len(SALIENCE_METHODS) - 1)


def test_a_row_says_that_it_is_being_computed(lit: LitPage, rows: Locator):
    """One answer is held back: on these tiny encoders it would be there at once."""
    held: list[Route] = []

    def hold(route: Route) -> None:
        if json.loads(route.request.post_data or "{}").get("config", {}).get("method") == "gradient_mean":
            held.append(route)
        else:
            route.fallback()

    lit.page.route("**/get_interpretations?*interpreter=salience_map*", hold)
    lit.select(lit.ids("dev")[:1])
    wait_for_maps(rows, len(CHEAP) - 1)
    expect(rows.locator(".pending").first).to_have_text("computing …")
    held[0].fallback()
    wait_for_maps(rows, len(CHEAP))


def test_a_map_that_takes_long_says_how_far_it_is_and_can_be_cancelled(lit: LitPage, rows: Locator):
    """Its answers come from here: on these tiny encoders it would be there at once."""
    cancelled: list[bool] = []

    def answer(route: Route) -> None:
        config = json.loads(route.request.post_data or "{}").get("config", {})
        if config.get("method") != "lime" or cancelled:
            return route.fallback()
        if config.get("cancel"):
            cancelled.append(True)
            return route.fulfill(json={"status": "cancelled", "message": "It was cancelled."})
        return route.fulfill(json={"status": "computing", "message": "LIME for the probe: 25%", "fraction": 0.25})

    lit.page.route("**/get_interpretations?*interpreter=salience_map*", answer)
    lit.select(lit.ids("dev")[:1])
    wait_for_maps(rows, len(CHEAP))
    rows.locator(".compute-all").click()
    wait_for_maps(rows, len(SALIENCE_METHODS) - 1)
    expect(rows.locator(".pending")).to_have_text("LIME for the probe: 25%")
    rows.locator(".cancel").click()
    expect(rows.locator(".pending")).to_have_text("cancelled")
    rows.locator(".retry").click()
    wait_for_maps(rows, len(SALIENCE_METHODS))
    assert cancelled == [True]


def test_words_beyond_the_limit_are_named(lit: LitPage, rows: Locator):
    lit.select(lit.ids("dev")[:1])
    wait_for_maps(rows, len(CHEAP))
    lit.show("Edit", "datapoint-editor-module")
    lit.add_edited("the film was good " * 150 + "unread ending")
    expect(rows.locator(".beyond")).to_contain_text("beyond the encoder’s limit were not read")
    assert "unread ending" in (rows.locator(".beyond").get_attribute("title") or "")


class _Chips(HTMLParser):
    """The scored words of a saved page, and what it would load."""

    def __init__(self) -> None:
        super().__init__()
        self.scores: list[float] = []
        self.loaded: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.scores += [float(value or "nan") for name, value in attrs if name == "data-score"]
        self.loaded += [tag for name, _ in attrs if name in ("src", "href")]


def test_the_saved_files_hold_what_is_shown(lit: LitPage, rows: Locator, tmp_path: Path):
    lit.select(lit.ids("dev")[:1])
    wait_for_maps(rows, len(CHEAP))
    shown = [score for method in CHEAP for _, score in shown_scores(rows, method)]
    table = list(csv.DictReader(saved(lit, rows, ".save-csv", tmp_path).open(newline="", encoding="utf-8")))
    assert [float(row["score"]) for row in table] == shown
    assert {row["method"] for row in table} == set(CHEAP)
    page = _Chips()
    page.feed(saved(lit, rows, ".save-html", tmp_path).read_text("utf-8"))
    assert page.scores == shown and page.loaded == []
    drawing = saved(lit, rows, ".save-svg", tmp_path)
    figure = ElementTree.parse(drawing).getroot()
    chips = [group for group in figure.iter("{http://www.w3.org/2000/svg}g") if group.get("class") == "chip"]
    assert len(chips) == len(shown)
    assert_png_beside(rows, drawing)


@pytest.fixture
def trust(lit: LitPage, rows: Locator) -> Locator:
    """The panel "How far to trust it", for two methods over eight texts."""
    panel = lit.show("Trust", "salience-quality-module")
    panel.locator(".settings summary").click()
    for box in panel.locator(".methods input").all():
        if box.get_attribute("name") not in ("input_x_gradient", "smoothgrad"):
            box.uncheck()
    expect(panel.locator(".faithfulness .intro").last).to_contain_text("Over 100 dev examples")
    expect(panel.locator(".stability .intro").last).to_contain_text("Over 20 dev examples")
    for check in ("faithfulness", "stability"):
        panel.locator(f"input[name=sample-{check}]").fill("8")
        panel.locator(f"input[name=sample-{check}]").press("Tab")
    return panel


def test_faithfulness_and_stability_are_measured_by_a_button(lit: LitPage, trust: Locator, server: str, tmp_path: Path):
    asked = {"methods": ["input_x_gradient", "smoothgrad"], "sample": 8}
    trust.locator(".measure-faithfulness").click()
    random = trust.locator(".measure.comprehensiveness tr[data-method=random]")
    expect(random).to_be_visible(timeout=60_000)
    answer = answer_of(server, "salience_checks", BERT, [], check="faithfulness", **asked)
    for method in answer["methods"]:
        row = trust.locator(f".measure.comprehensiveness tr[data-method={method['method']}]")
        expect(row).to_contain_text(f"{method['comprehensiveness_normalised']['mean']:.3f}".replace("-", "−"))
        expect(row).to_contain_text(f"fall {method['comprehensiveness']['mean']:.3f}".replace("-", "−"))
    expect(random).to_contain_text(f"{answer['random']['comprehensiveness_normalised']['mean']:.3f}".replace("-", "−"))
    expect(trust.locator(".faithfulness .caption")).to_contain_text("8 texts drawn from dev")
    trust.locator(".measure-stability").click()
    expect(trust.locator(".measure.seeds tr[data-method=input_x_gradient]")).to_contain_text("1.000", timeout=60_000)
    table = list(csv.DictReader(saved(lit, trust, ".save-csv", tmp_path).open(newline="", encoding="utf-8")))
    [tau] = [row["mean"] for row in table if (row["method"], row["measure"]) == ("smoothgrad", "tau_loo")]
    assert float(tau) == answer["methods"][1]["tau_loo"]["mean"]
    assert {row["check"] for row in table} == {"faithfulness", "stability"}
    figure = ElementTree.parse(saved(lit, trust, ".save-svg", tmp_path)).getroot()
    assert "SmoothGrad" in " ".join(figure.itertext())


def test_a_measurement_shows_its_progress_and_can_be_cancelled(lit: LitPage, trust: Locator):
    """The server's answers are held back: on these tiny data it would be over before it could be cancelled."""
    cancelled = []

    def answer(route: Route) -> None:
        config = json.loads(route.request.post_data or "{}").get("config", {})
        if config.get("cancel"):
            cancelled.append(config)
            route.fulfill(body=json.dumps({"status": "cancelled", "message": "It was cancelled."}))
        elif cancelled:
            route.fallback()
        else:
            computing = {"status": "computing", "message": "Faithfulness: 25%", "fraction": 0.25}
            route.fulfill(body=json.dumps(computing))

    lit.page.route("**/get_interpretations?*interpreter=salience_checks*", answer)
    trust.locator(".measure-faithfulness").click()
    expect(trust.locator("progress")).to_have_attribute("value", "0.25")
    trust.get_by_role("button", name="Cancel").click()
    expect(trust).to_contain_text("You cancelled this computation")
    assert len(cancelled) == 1
    trust.get_by_role("button", name="Start again").click()
    expect(trust.locator(".measure.tau_loo")).to_be_visible(timeout=60_000)


def test_a_selection_that_cannot_be_measured_says_why(lit: LitPage, trust: Locator):
    lit.select(lit.ids("dev")[:1])
    lit.show("Edit", "datapoint-editor-module")
    lit.add_edited("good")
    lit.page.wait_for_timeout(500)
    lit.add_edited("bad")
    lit.page.wait_for_timeout(500)
    lit.select(lit.ids()[-2:])
    trust.locator(".measure-stability").click()
    expect(trust.locator(".stability .card.error")).to_contain_text("two words")


def test_a_click_on_a_salient_word_selects_its_texts(lit: LitPage, rows: Locator, server: str, tmp_path: Path):
    panel = lit.show("Salient words", "salient-words-module")
    button, sentence = (panel.locator(part).first.bounding_box() or {} for part in (".measure-words", ".intro"))
    assert abs(button["x"] - sentence["x"] - 12) < 1, "the sentence is 12 px within its block"
    panel.locator(".measure-words").click()
    expect(panel.locator(".word").first).to_be_visible(timeout=60_000)
    answer = answer_of(server, "salience_checks", BERT, [], check="words", method="input_x_gradient", sample=100)
    words = [word for one in answer["classes"] for word in one["words"]]
    expect(panel.locator(".word")).to_have_text([word["word"] for word in words])
    for i in (0, len(words) - 1):
        panel.locator(".word").nth(i).click()
        ids = [answer["rows"]["ids"][position] for position in words[i]["positions"]]
        assert sorted(lit.page.evaluate(SELECTED)) == sorted(ids)
        # What was found stays: it is about the texts before the click.
        expect(panel.locator(".word")).to_have_count(len(words))
    table = list(csv.DictReader(saved(lit, panel, ".save-csv", tmp_path).open(newline="", encoding="utf-8")))
    assert [float(row["mean"]) for row in table] == [word["mean"] for word in words]
    ElementTree.parse(saved(lit, panel, ".save-svg", tmp_path))
    lit.select(lit.ids("dev")[:40])
    expect(panel.locator(".measure-words")).to_be_visible()
    expect(panel).to_contain_text("the selection, 40 examples")
    panel.locator(".settings summary").click()
    panel.locator("input[name=min_count]").fill("5")
    panel.locator("input[name=min_count]").press("Tab")
    panel.locator(".measure-words").click()
    expect(panel).to_contain_text("words in at least 5 texts", timeout=60_000)


@pytest.mark.parametrize("width", [1440, 1000])
def test_nothing_in_these_panels_is_cut_off(lit: LitPage, rows: Locator, width: int):
    lit.page.set_viewport_size({"width": width, "height": 900})
    overflowing = f"""(panel) => [...panel.shadowRoot.querySelectorAll('{PARTS}')]
        .filter((part) => part.scrollWidth > part.clientWidth + 1).map((part) => part.className)"""
    lit.select(lit.ids("dev")[:1])
    wait_for_maps(rows, len(CHEAP))
    rows.locator(".settings summary").click()
    rows.locator(".compute-all").click()
    wait_for_maps(rows, len(SALIENCE_METHODS))
    expect(rows.locator(".other-baselines[aria-busy=false]")).to_have_count(N_WITH_BASELINE, timeout=60_000)
    assert rows.evaluate(overflowing) == []
    trust = lit.show("Trust", "salience-quality-module")
    trust.locator(".settings summary").click()
    trust.locator("input[name=sample-faithfulness]").fill("4")
    trust.locator("input[name=sample-faithfulness]").press("Tab")
    trust.locator(".measure-faithfulness").click()
    expect(trust.locator(".measure.tau_loo")).to_be_visible(timeout=60_000)
    assert trust.evaluate(overflowing) == []
    words = lit.show("Salient words", "salient-words-module")
    words.locator(".measure-words").click()
    expect(words.locator(".classes")).to_be_visible(timeout=60_000)
    assert words.evaluate(overflowing) == []
