"""The panels about neurons in a real browser, on a real server: they rank, open a neuron, switch it off and restore it."""

from __future__ import annotations

import csv
import re
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest
from lit_page import SERVICES, LitPage
from live_server import answer_of
from playwright.sync_api import Locator, Route, expect

BERT = "tiny-bert-on-demo"
SELECTED = "() => document.createElement('data-table-module').selectionService.selectedIds"
COLUMNS = f"() => {{{SERVICES} return services.dataService.cols.map(({{name, dataType}}) => [name, dataType.name])}}"
SLOW = 60_000


@pytest.fixture
def neurons(lit: LitPage) -> Locator:
    """The panel "Neurons", with nothing selected."""
    lit.open(dataset="demo", layout="neurons")
    panel = lit.page.locator("neurons-module:visible")
    expect(panel.locator(".ranked tbody tr").first).to_be_visible(timeout=30_000)
    return panel


@pytest.fixture
def activations(lit: LitPage, neurons: Locator) -> Locator:
    """The panel "Neuron activations" beside it."""
    return lit.page.locator("neuron-activations-module:visible")


def listed(panel: Locator) -> list[str]:
    """The names on the list."""
    return panel.locator(".ranked .name").all_inner_texts()


def open_neuron(panel: Locator, name: str) -> None:
    """Clicks on a neuron of the list."""
    panel.locator(f".ranked tr[data-neuron='{name}'] .name").click()
    expect(panel.locator(".neuron-title b")).to_have_text(f"Neuron {name}")


def unfold(panel: Locator, section: str) -> Locator:
    """Opens a section of the panel."""
    fold = panel.locator(f".fold.{section}")
    if fold.get_attribute("open") is None:
        fold.locator("summary").click()
    return fold


def saved(lit: LitPage, panel: Locator, button: str, folder: Path) -> Path:
    """The file that a button saves."""
    with lit.page.expect_download() as file:
        panel.locator(button).click()
    path = folder / file.value.suggested_filename
    file.value.save_as(path)
    return path


# Each row as [its words, the middle of the text on its button, the middle of the first line beside it], the same of the bar, and
# where buttons begin, and the one beside the title ends, from the edges of the section.
_BUTTONS = """(panel) => {
  const all = (selector, inside = panel.shadowRoot) => [...inside.querySelectorAll(selector)];
  const lines = (element) => {
    const range = document.createRange();
    range.selectNodeContents(element);
    return [...range.getClientRects()].filter(({width}) => width > 0);
  };
  const middle = (element) => ((line) => (line.top + line.bottom) / 2)(lines(element)[0]);
  const about = all('.about')[0].getBoundingClientRect();
  const rowOf = (row) => [row.textContent, middle(row.querySelector('button')), middle(row.querySelector('span'))];
  const rows = all('.on-demand').map(rowOf);
  const [title, make] = [all('.neuron-title b')[0], all('.make-column')[0]];
  rows.push(['title', middle(make), middle(title)]);
  const bar = all('.module-toolbar > *').map((part) => [Math.round(part.getBoundingClientRect().top / 20), part])
    .map(([row, part]) => [row, middle(part.querySelector('label, summary, button') ?? part)]);
  const buttons = all('.about .on-demand button, .about .set .filled-button');
  const starts = buttons.map((button) => button.getBoundingClientRect().left - about.left);
  const end = all('.fold > summary')[0].getBoundingClientRect().right - make.getBoundingClientRect().right;
  return {rows, bar, starts, end};
}"""


@pytest.mark.parametrize("width", [1440, 1000])
def test_buttons_stand_on_the_line_of_what_they_belong_to(lit: LitPage, neurons: Locator, width: int):
    lit.page.set_viewport_size({"width": width, "height": 900})
    lit.settle()
    for section in ("clusters", "stability", "quality", "erasure"):
        unfold(neurons, section)
    expect(neurons.locator(".ask-words")).to_be_visible()
    found = neurons.evaluate(_BUTTONS)
    assert len(found["rows"]) > 4
    assert [row for row in found["rows"] if abs(row[1] - row[2]) > 1.5] == []
    for row in {row for row, _ in found["bar"]}:
        middles = [middle for at, middle in found["bar"] if at == row]
        assert max(middles) - min(middles) <= 1.5, middles
    assert len({round(start) for start in found["starts"]}) == 1
    assert abs(found["end"] - 12) <= 1, found["end"]


def test_the_first_look_is_the_list_and_the_evidence_of_its_first_neuron(neurons: Locator, server: str):
    ranking = answer_of(server, "neuron_ranking", BERT, [])
    names = [neuron["name"] for neuron in ranking["neurons"]]
    assert listed(neurons) == names
    expect(neurons.locator(".neuron-title b")).to_have_text(f"Neuron {names[0]}")
    signs = neurons.locator(".ranked tbody tr").first.locator("td.sign").all_inner_texts()
    against, in_favour = ranking["neurons"][0]["class_scores"]
    assert against == -in_favour, "what speaks for one of two classes speaks against the other, so one column says it"
    assert signs == ["+" if in_favour > 0 else "−"]
    expect(neurons.locator(".class-histogram")).to_have_count(2)
    # What takes long waits for its button.
    expect(neurons.locator(".ask-words")).to_be_visible()
    expect(neurons.locator("progress")).to_have_count(0)


def test_a_neuron_is_opened_switched_off_and_restored(lit: LitPage, neurons: Locator, server: str):
    [chosen, *_] = lit.ids("dev")
    lit.select([chosen])
    name = listed(neurons)[2]
    layer, unit = map(int, name.split(":"))
    open_neuron(neurons, name)
    distribution = answer_of(server, "neuron_evidence", BERT, [chosen], part="distribution", layer=layer, unit=unit)
    expect(neurons.locator(".fold.distribution")).to_contain_text(f"probability {distribution['classes'][1]['auroc']:.2f}")
    expect(neurons.locator(".text-mark text")).to_have_text("selected")

    neurons.locator(".switch-off").click()
    expect(neurons.locator(".status-off")).to_have_text(f"off: neuron {name}")
    expect(neurons.locator(f".ranked tr[data-neuron='{name}'] input")).to_be_checked()
    rows = neurons.locator(".effects.selected tbody tr")
    answer = answer_of(server, "neuron_ablation", BERT, [chosen], part="text", layer=layer, units=[unit], n_random=20)
    expect(rows).to_have_count(len(answer["layers"]), timeout=SLOW)
    for place, (before, after) in enumerate(zip(answer["before"][0], answer["after"][0], strict=True)):
        top = before.index(max(before))
        numbers = f"{answer['label_names'][top]} {before[top]:.3f} → {after[top]:.3f}"
        expect(rows.nth(place).locator(".numbers")).to_contain_text(numbers)
    expect(neurons.locator(".verdict").first).to_have_text(re.compile("more than with|cannot be judged|No layer comes after"))

    neurons.locator(".restore").click()
    expect(neurons.locator(".status-off")).to_have_count(0)
    expect(neurons.locator(".effects")).to_have_count(0)
    expect(neurons.locator(".switch-off")).to_have_text(f"Switch off neuron {name}")


def test_a_set_is_chosen_scaled_and_measured_over_the_data_beside_random_sets(lit: LitPage, neurons: Locator, server: str):
    ids = lit.ids("dev")[:30]
    neurons.locator("#layer").select_option("1")
    expect(neurons.locator(".neuron-title b")).to_have_text(re.compile("^Neuron 1:"))
    lit.select(ids)
    neurons.locator("input[name=first]").fill("4")
    neurons.locator("input[name=first]").press("Enter")
    neurons.locator(".choose-top").click()
    expect(neurons.locator(".ranked input:checked")).to_have_count(4)
    neurons.locator("select[name=replacement]").select_option("scale")
    neurons.locator("input[name=factor]").fill("3")
    neurons.locator(".switch-off").click()
    expect(neurons.locator(".status-off")).to_have_text("off: 4 neurons of layer 1")
    neurons.locator(".ask-curve").click()
    curve = neurons.locator(".over-data")
    expect(curve.locator(".series.after")).to_have_count(1, timeout=SLOW)
    units = sorted(int(name.split(":")[1]) for name in listed(neurons)[:4])
    answer = answer_of(
        server,
        "neuron_ablation",
        BERT,
        ids,
        part="curve",
        layer=1,
        units=units,
        replacement="scale",
        factor=3,
        sample=200,
        n_random=20,
    )
    expect(curve).to_contain_text(f"over {answer['n']} dev texts of the selection")
    expect(curve.locator(".verdict")).to_contain_text("random sets")
    # The probe's direction instead.
    neurons.locator("select[name=what]").select_option("direction")
    expect(neurons.locator(".status-off")).to_have_count(0)
    neurons.locator(".switch-off").click()
    expect(neurons.locator(".status-off")).to_have_text("off: the probe’s direction at layer 1")
    expect(neurons.locator(".effects.selected tbody tr")).to_have_count(3, timeout=SLOW)


def test_top_words_follow_the_opened_neuron_and_a_context_selects_its_text(lit: LitPage, neurons: Locator, server: str):
    first, second, *_ = listed(neurons)
    neurons.locator(".ask-words").click()
    for name in (first, second):
        open_neuron(neurons, name)
        layer, unit = map(int, name.split(":"))
        answer = answer_of(server, "neuron_evidence", BERT, [], part="words", layer=layer, unit=unit, top=30)
        words = [word["word"] for word in answer["highest"]["words"]][:12]
        chips = neurons.locator(".end.highest .chip")
        expect(chips).to_have_count(len(words), timeout=SLOW)
        expect(chips.first).to_have_text(re.compile(f"^{re.escape(words[0])} "))
    # Of each text the first one.
    found = answer["highest"]["contexts"]
    contexts = [one for place, one in enumerate(found) if one["text"] not in [other["text"] for other in found[:place]]][:8]
    expect(neurons.locator(".end.highest .context")).to_have_count(len(contexts))
    context = next(one for one in contexts if one["id"])
    place = contexts.index(context)
    neurons.locator(".end.highest .context").nth(place).click()
    assert lit.page.evaluate(SELECTED) == [context["id"]]


def test_a_neuron_becomes_a_column_of_lit_that_edited_texts_have_too(lit: LitPage, neurons: Locator, server: str):
    name = listed(neurons)[0]
    layer, unit = map(int, name.split(":"))
    neurons.locator(".make-column").click()
    expect(neurons.locator(".column-made")).to_be_visible()
    column = f"neuron {layer}.{unit} of {BERT}"
    assert [column, "Scalar"] in lit.page.evaluate(COLUMNS)
    ids = lit.ids()
    answer = answer_of(server, "neuron_evidence", BERT, ids, part="column", layer=layer, unit=unit)
    value = f"([id, name]) => {{{SERVICES} return services.dataService.getVal(id, name)}}"
    assert [lit.page.evaluate(value, [one, column]) for one in ids[:5]] == answer["values"][:5]
    # It is offered by Color by, and has a value for an edited text.
    offered = "document.createElement('classification-module').colorService.colorableOptions"
    assert column in lit.page.evaluate(f"() => {offered}.map(({{name}}) => name)")
    lit.select(ids[:1])
    lit.show("Edit", "datapoint-editor-module")
    lit.add_edited("one more awful film")
    expect(neurons.locator(".text-mark")).to_have_count(2)
    [edited] = set(lit.ids()) - set(ids)
    lit.page.wait_for_function(
        f"([id, name]) => {{{SERVICES} return typeof services.dataService.getVal(id, name) === 'number'}}", arg=[edited, column]
    )


def test_the_ranking_can_be_another_one_over_all_layers_and_its_trust_is_measured(
    lit: LitPage, neurons: Locator, server: str, tmp_path: Path
):
    neurons.locator("#layer").select_option("all")
    neurons.locator("#method").select_option("probeless")
    ranking = answer_of(server, "neuron_ranking", BERT, [], method="probeless", layer="all")
    expect(neurons.locator(".ranked .name").first).to_have_text(ranking["neurons"][0]["name"], timeout=SLOW)
    assert listed(neurons) == [neuron["name"] for neuron in ranking["neurons"]]
    rows = list(csv.DictReader(saved(lit, neurons, ".save-csv", tmp_path).open()))
    assert [row["neuron"] for row in rows[::2]] == listed(neurons)
    assert float(rows[0]["score"]) == ranking["neurons"][0]["score"]

    neurons.locator("#layer").select_option("1")
    neurons.locator("#method").select_option("mean_gap")
    stability = unfold(neurons, "stability")
    stability.locator(".ask-stability").click()
    expect(stability.locator(".series.between")).to_have_count(1, timeout=SLOW)
    expect(stability.locator(".verdict")).to_contain_text("by chance")
    quality = unfold(neurons, "quality")
    quality.locator(".ask-evaluation").click()
    expect(quality.locator(".series.bottom")).to_have_count(1, timeout=SLOW)
    quality.locator("input[name=within]").fill("5")
    quality.locator("input[name=within]").press("Enter")
    quality.locator(".ask-minimal").click()
    expect(quality).to_contain_text("Chosen and scored on the same", timeout=SLOW)
    quality.locator(".ask-comparison").click()
    shares = quality.locator("select[name=compared]")
    expect(shares.locator("option")).to_have_count(3, timeout=SLOW)
    first = quality.locator(".crossed").inner_text()
    shares.select_option("10")
    expect(quality.locator(".crossed")).not_to_have_text(first)
    expect(quality.locator(".crossed small").first).to_have_text(re.compile("^[01]\\.\\d+–[01]\\.\\d+$"))
    clusters = unfold(neurons, "clusters")
    clusters.locator(".ask-clusters").click()
    expect(clusters).to_contain_text("Largest clusters", timeout=SLOW)
    erasure = unfold(neurons, "erasure")
    erasure.locator(".ask-erasure").click()
    expect(erasure.locator(".series.after")).to_have_count(1, timeout=SLOW)
    figure = ElementTree.fromstring(saved(lit, neurons, ".save-svg", tmp_path).read_text())
    assert "LEACE at every layer" in "".join(figure.itertext())


def test_what_cannot_be_answered_says_why_and_what_was_cancelled_can_be_started_again(lit: LitPage, neurons: Locator):
    neurons.locator(".menu summary").click()
    top = neurons.locator("input[name=top]")
    top.fill("4000")
    top.press("Enter")
    expect(neurons.locator(".card.error")).to_contain_text("4000 neurons cannot be chosen")
    top.fill("7")
    top.press("Enter")
    expect(neurons.locator(".ranked tbody tr")).to_have_count(7)

    computing = '{"status": "computing", "message": "Erasure: 10%", "fraction": 0.1}'

    def is_long(route: Route) -> None:
        body = route.request.post_data or ""
        if '"part":"erasure"' not in body:
            return route.fallback()
        return route.fulfill(
            status=200, content_type="application/json", body='{"status": "cancelled"}' if '"cancel":true' in body else computing
        )

    lit.page.route("**/get_interpretations*", is_long)
    erasure = unfold(neurons, "erasure")
    erasure.locator(".ask-erasure").click()
    expect(erasure.locator("progress")).to_have_attribute("value", "0.1")
    erasure.locator(".cancel").click()
    expect(erasure.locator(".card")).to_contain_text("cancelled")
    lit.page.unroute("**/get_interpretations*", is_long)
    erasure.locator(".start").click()
    expect(erasure.locator(".series.after")).to_have_count(1, timeout=SLOW)


def test_activations_of_an_edit_stand_beside_those_of_the_original(
    lit: LitPage, neurons: Locator, activations: Locator, server: str, tmp_path: Path
):
    expect(activations.locator(".card")).to_contain_text("Select a text in LIT")
    [chosen, *_] = lit.ids("dev")
    lit.select([chosen])
    names = listed(neurons)[:5]
    expect(activations.locator(".matrix thead .opens")).to_have_text(names)
    units = [int(name.split(":")[1]) for name in names]
    answer = answer_of(server, "neuron_evidence", BERT, [chosen], part="tokens", layer=int(names[0].split(":")[0]), units=units)
    [text] = answer["texts"]
    assert activations.locator(".matrix td.token").all_inner_texts() == text["tokens"]
    values = activations.locator(".matrix tbody td.value").all_inner_texts()
    assert [float(value.replace("−", "-")) for value in values[:5]] == [round(one["values"][0], 2) for one in text["neurons"]]
    activations.locator(".matrix thead .opens").nth(3).click()
    expect(neurons.locator(".neuron-title b")).to_have_text(f"Neuron {names[3]}")

    lit.show("Edit", "datapoint-editor-module")
    editor = lit.page.locator("datapoint-editor-module:visible textarea").first
    lit.add_edited(editor.input_value() + " Great")
    expect(activations.locator(".matrix .text-name")).to_have_text(["Original", "Edited"])
    first = activations.locator(".matrix td.token.first").all_inner_texts()
    second = activations.locator(".matrix td.token.second").all_inner_texts()
    assert [token for token in first if token] == text["tokens"]
    assert [token for token in second if token] == [*text["tokens"][:-1], "great", text["tokens"][-1]]
    assert sum(a == b for a, b in zip(first, second, strict=True)) == len(text["tokens"])
    expect(activations.locator(".matrix tr.differs")).to_have_count(1)
    rows = list(csv.DictReader(saved(lit, activations, ".save-csv", tmp_path).open()))
    assert len({row["text"] for row in rows}) == 2 and float(rows[0]["activation"]) == text["neurons"][0]["values"][0]


def test_patterns_of_feed_forward_neurons_follow_the_slider(lit: LitPage, activations: Locator):
    lit.select(lit.ids("dev")[:1])
    factors = activations.locator(".fold.factors")
    factors.locator("input[name=components]").fill("3")
    factors.locator(".ask-factors").click()
    expect(factors.locator(".matrix thead .opens")).to_have_text(["1", "2", "3"], timeout=SLOW)
    factors.locator("input[name=components]").fill("4")
    expect(factors.locator(".matrix thead .opens")).to_have_text(["1", "2", "3", "4"], timeout=SLOW)
    factors.locator(".matrix thead .opens").nth(1).click()
    expect(factors).to_contain_text("Pattern 2")
    factors.locator("#source").select_option("many")
    factors.locator(".ask-factors").click()
    expect(factors.locator(".factor-text")).to_have_count(8, timeout=SLOW)


@pytest.mark.parametrize("width", [1440, 1000])
def test_nothing_is_cut_off(lit: LitPage, neurons: Locator, activations: Locator, width: int):
    lit.page.set_viewport_size({"width": width, "height": 900})
    lit.select(lit.ids("dev")[:1])
    neurons.locator(".switch-off").click()
    expect(neurons.locator(".effects.selected tbody tr").first).to_be_visible(timeout=SLOW)
    parts = ".module-toolbar, .about, .list, .fold, .fold-content, .set, .effects, .neuron-title, .words, .ranked"
    measure = "(parts) => parts.filter((part) => part.scrollWidth > part.clientWidth + 1).map((part) => part.className)"
    for panel in (neurons, activations):
        assert panel.locator(parts).evaluate_all(measure) == []
