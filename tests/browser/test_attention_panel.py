"""The panel "Attention" in a real browser, on a real server with tiny encoders."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

import pytest
import tiny_decoders
import tiny_encoders
import transformers
from lit_page import SERVICES, LitPage
from live_server import answer_of, curve, live_server
from nli_rows import write_nli_table
from playwright.sync_api import Locator, expect
from reachable import out_of_reach
from saved_pictures import assert_png_beside

from tools.page import TOUR_CLOSED

BERT, T5, FNET = "tiny-bert-on-demo", "tiny-t5-on-demo", "tiny-fnet-on-demo"


@pytest.fixture(scope="module")
def pictures_server(tiny_folder, tmp_path_factory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("attention")
    t5 = tiny_decoders.build(folder / "tiny-t5", "t5")
    fnet = tiny_encoders.build(folder / "tiny-fnet", "bert")
    size = len(transformers.AutoTokenizer.from_pretrained(fnet))
    sizes = {name: value for name, value in tiny_encoders.SIZES.items() if name != "num_attention_heads"}
    transformers.AutoModel.from_config(transformers.FNetConfig(vocab_size=size, **sizes)).save_pretrained(fnet)
    with live_server([f"--model={tiny_folder('bert')},{t5},{fnet}", "--datasets=demo"], folder) as url:
        for model in (BERT, T5, FNET):
            curve(url, model, "demo")
        yield url


@pytest.fixture(scope="module")
def heads_server(tiny_folder, tmp_path_factory) -> Iterator[str]:
    """A server whose probes read heads, too."""
    folder = tmp_path_factory.mktemp("heads")
    with live_server([f"--model={tiny_folder('bert')}", "--datasets=demo", "--sites=layers,heads"], folder) as url:
        curve(url, BERT, "demo")
        yield url


def page_of(chromium, url: str, width: int) -> Iterator[LitPage]:
    context = chromium.new_context(viewport={"width": width, "height": 900})
    context.set_default_timeout(15_000)
    context.add_init_script(TOUR_CLOSED)
    lit = LitPage(context.new_page(), url)
    yield lit
    context.close()
    assert lit.problems == [] and lit.foreign == []


@pytest.fixture(params=[1440, 1000])
def pictures(request, chromium, pictures_server) -> Iterator[LitPage]:
    yield from page_of(chromium, pictures_server, request.param)


@pytest.fixture
def with_heads(chromium, heads_server) -> Iterator[LitPage]:
    yield from page_of(chromium, heads_server, 1440)


def opened(lit: LitPage, model: str = BERT, dataset: str = "demo") -> Locator:
    lit.open(dataset=dataset, layout="pictures", models=model)
    panel = lit.show("Attention", "attention-module")
    expect(panel.locator(".card")).to_contain_text("Select a text", timeout=30_000)
    return panel


def painted(canvas: Locator) -> int:
    """How many pixels of a canvas are not empty."""
    return canvas.evaluate(
        "(one) => one.getContext('2d').getImageData(0, 0, one.width, one.height).data.filter((v, i) => i % 4 === 3 && v).length"
    )


def text_of(lit: LitPage, one: str) -> str:
    return lit.page.evaluate(f"(id) => {{{SERVICES} return services.appState.getExamplesById([id])[0].data.text}}", one)


def pick_head(panel: Locator, block: int, head: int) -> None:
    """By keys, from the first head on."""
    grid = panel.locator(".pictures")
    grid.focus()
    for key in ["Home"] * 1 + ["ArrowUp"] * 3 + ["ArrowDown"] * (block - 1) + ["ArrowRight"] * head:
        grid.press(key)
    expect(grid).to_have_attribute("aria-label", f"Block {block}, head {head} of 3 blocks with 4 heads")


def test_heads_lines_and_units_of_a_text(pictures, pictures_server, tmp_path: Path):
    panel = opened(pictures)
    (one,) = pictures.ids("dev")[:1]
    pictures.select([one])
    heads = answer_of(pictures_server, "attention", BERT, [one])
    tokens = heads["examples"][0]["tokens"]
    lines, grid = panel.locator("canvas.lines"), panel.locator("canvas.heads")
    expect(panel.locator(".tokens.from .token")).to_have_text(tokens)
    assert painted(grid) > 1_000 and painted(lines) > 1_000
    pick_head(panel, 2, 3)
    expect(panel.locator(".caption")).to_contain_text("Block 2, head 3")
    weights = answer_of(pictures_server, "attention", BERT, [one], part="head", block=2, head=3)["weights"][0]
    whole = painted(lines)
    panel.locator("#token-0-from-2").hover()
    best = max(range(len(tokens)), key=lambda to: weights[2][to])
    expect(panel.locator(".told[role=status]").first).to_contain_text(
        f"takes in most from “{tokens[best]}” {weights[2][best]:.3f}"
    )
    assert painted(lines) < whole, "the lines of one token alone"
    panel.locator("#token-0-from-2").click()
    expect(panel.locator(".token.picked")).to_have_count(1)
    expect(panel.locator(".units .weight")).to_have_text([f"{weight:.3f}" for weight in weights[2]])
    assert painted(panel.locator("canvas.strips-of-units")) > 1_000
    expect(panel.locator("h4", has_text="Attention rollout up to block 2: no explanation")).to_have_count(1)
    mixed = [f"{100 * share:.1f}%" for share in heads["examples"][0]["rollout"][2]]
    assert [chip.get_attribute("title") for chip in panel.locator(".rollout .chip").all()] == mixed
    panel.locator("canvas.strips-of-units").hover(position={"x": 10, "y": 30})
    expect(panel.locator(".told", has_text="Unit 0")).to_contain_text("of a score of")
    assert out_of_reach(pictures.page) == []
    with pictures.page.expect_download() as download:
        panel.locator(".save-csv").click()
    download.value.save_as(tmp_path / "attention.csv")
    table = list(csv.DictReader((tmp_path / "attention.csv").read_text("utf-8").splitlines()))
    assert [float(row["weight"]) for row in table] == [weight for row in weights for weight in row]
    with pictures.page.expect_download() as download:
        panel.locator(".save-svg").click()
    download.value.save_as(tmp_path / "attention.svg")
    drawn = (tmp_path / "attention.svg").read_text("utf-8")
    assert drawn.count('class="attends"') == sum(weight > min(0.02, 0.5 / len(tokens)) for row in weights for weight in row)
    assert_png_beside(panel, tmp_path / "attention.svg")
    # What is said of a token or a head may be longer than what stood there, and nothing moves under the pointer.
    lines, grid = panel.locator("canvas.lines"), panel.locator("canvas.heads")
    apart = set()
    for place in range(len(tokens)):
        panel.locator(f"#token-0-from-{place}").hover()
        (upper, lower) = (one.bounding_box() for one in (grid, lines))
        assert upper and lower
        apart.add(round(lower["y"] - upper["y"]))
    assert len(apart) == 1
    listbox = panel.locator(".tokens.from")
    listbox.focus()
    listbox.press("ArrowDown")
    expect(panel.locator("#token-0-from-3")).to_have_attribute("aria-selected", "true")
    listbox.press("Escape")
    expect(panel.locator(".token.picked")).to_have_count(0)


def test_an_edit_stands_beside_its_original_with_the_difference(pictures):
    panel = opened(pictures)
    (one,) = pictures.ids("dev")[1:2]
    pictures.select([one])
    expect(panel.locator("canvas.lines")).to_have_count(1)
    pictures.show("Edit", "datapoint-editor-module")
    pictures.add_edited("film " + text_of(pictures, one))
    expect(panel.locator(".side-title")).to_have_text(["Original", "Edit: change"])
    expect(panel.locator(".caption")).to_contain_text("of the common tokens’ attention elsewhere")
    expect(panel.locator(".tokens.from .token.new")).to_have_text(["film"])
    panel.locator("#token-1-from-2").hover()
    expect(panel.locator("#token-0-from-1")).to_have_class("token echo")
    for show in ("Original", "Edit", "Change"):
        panel.locator("#attention-show").select_option(label=show)
        assert painted(panel.locator("canvas.heads")) > 1_000
    host = panel.bounding_box()
    for side in panel.locator(".side").all():
        box = side.bounding_box()
        assert host and box and box["x"] >= host["x"] and box["x"] + box["width"] <= host["x"] + host["width"]
    assert out_of_reach(pictures.page) == []


def test_no_request_is_sent_before_the_panel_is_looked_at(pictures):
    asked: list[str] = []
    pictures.page.on("request", lambda request: asked.append(request.url))
    pictures.open(dataset="demo", layout="decodability", models=BERT)
    pictures.wait_for_curve()
    pictures.select(pictures.ids("dev")[:1])
    pictures.settle()
    assert not [url for url in asked if "interpreter=attention" in url]


def test_where_units_cannot_be_told_the_panel_says_why_and_goes_on(pictures):
    panel = opened(pictures, T5)
    pictures.select(pictures.ids("dev")[:1])
    panel.locator("#token-0-from-1").click()
    expect(panel.locator(".unknown")).to_contain_text("does more than multiply queries and keys")
    expect(panel.locator("canvas.lines")).to_have_count(1)


def test_a_model_without_attention_and_an_empty_text_are_told_in_a_sentence(pictures):
    panel = opened(pictures, FNET)
    pictures.select(pictures.ids("dev")[:1])
    expect(panel.locator(".card.error")).to_contain_text("gives no attention weights", timeout=30_000)
    panel = opened(pictures, BERT)
    pictures.select(pictures.ids("dev")[:1])
    expect(panel.locator("canvas.lines")).to_have_count(1)
    pictures.show("Edit", "datapoint-editor-module")
    pictures.add_edited(" ")
    expect(panel.locator(".card.error")).to_contain_text("The text is empty")
    pictures.select(pictures.ids("dev")[2:3])
    expect(panel.locator("canvas.lines")).to_have_count(1)


def test_what_a_probe_reads_off_a_head_stands_beside_it(with_heads, heads_server):
    panel = opened(with_heads)
    with_heads.select(with_heads.ids("dev")[:1])
    expect(panel.locator("canvas.lines")).to_have_count(1)
    pick_head(panel, 3, 1)
    about = answer_of(heads_server, "layer_metrics", BERT, whole=True)
    place = about["layer_names"].index("head 3.1")
    [dev] = [series for series in about["series"] if series["split"] == "dev"]
    expect(panel.locator(".carried")).to_contain_text(
        f"reads the label off this head with accuracy {dev['layers'][place]['score']:.3f}"
    )
    curve_panel = with_heads.show("Probe by layer", "layer-metrics-module")
    expect(curve_panel.locator(f"#head-{place}")).to_have_attribute("aria-selected", "true", timeout=30_000)
    curve_panel.get_by_role("grid", name="Heads by block").press("ArrowLeft")
    curve_panel.get_by_role("grid", name="Heads by block").press("Enter")
    panel = with_heads.show("Attention", "attention-module")
    expect(panel.locator(".caption")).to_contain_text("Block 3, head 0")


@pytest.fixture(params=[1440, 1000])
def pairs(request, chromium, tiny_folder, tmp_path_factory) -> Iterator[LitPage]:
    folder = tmp_path_factory.mktemp("pairs")
    flags = [
        f"--model={tiny_folder('bert', own_pair_form=True)}",
        f"--datasets=csv={write_nli_table(folder / 'nli.csv')}[text=premise+hypothesis]",
    ]
    with live_server(flags, folder) as url:
        curve(url, "tiny-bert-on-nli", "nli")
        yield from page_of(chromium, url, request.param)


def test_a_pair_of_texts_has_four_blocks(pairs):
    panel = opened(pairs, "tiny-bert-on-nli", "nli")
    pairs.select(pairs.ids()[:1])
    lines = panel.locator("canvas.lines")
    expect(panel.locator(".tokens.from .token.seam")).to_have_count(1)
    expect(panel.locator(".caption")).to_contain_text("Tokens of the first text take ")
    whole = painted(lines)
    for block in ("first → first", "first → second", "second → first", "second → second"):
        panel.locator("#attention-block").select_option(label=block)
        assert 0 < painted(lines) < whole, block
    assert out_of_reach(pairs.page) == []
