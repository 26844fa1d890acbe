"""Laws of the report: its numbers are those of layers.json, it needs nothing but itself, and it says no more than was done."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys

import pytest
from reported_runs import Page, at, changed, made_run, stretched

from lit_probe.checks.battery import CHECKS
from lit_probe.encoder.encoder import load_encoder
from lit_probe.errors import LitProbeError
from lit_probe.report.numbers import shown
from lit_probe.report.page import report_html
from lit_probe.report.run_file import run_of

RTL, EMOJI = "مراجعات", "🎬👩‍👩‍👧"
NASTY = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "a & b 'c' \"d\"",
    "</title></style><b>",
    f"{RTL} {EMOJI}",
    "‮ turned",
    "a/b~c",
    "x" * 300,
    "",
    " ",
    "nul\x00 and half \ud800",
    "]]> <!-- -->",
]


def page_of(run: dict, other: dict | None = None) -> Page:
    return Page.of(report_html(run_of(run), None if other is None else run_of(other)))


@pytest.fixture(scope="module")
def pages(run, other_run, run_on_two, run_at_places) -> dict[str, tuple[Page, dict, dict | None]]:
    many = stretched(run, 49, [f"class {number}" for number in range(40)])
    made = {"all checks": (run, None), "no checks": (other_run, None), "two data sets": (run_on_two, None), "many": (many, None)}
    made |= {
        "places": (run_at_places, None),
        "compared, places": (run_at_places, other_run),
        "compared": (run, other_run),
        "compared, other data": (run, changed(run_on_two, lambda one: one["datasets"].pop("films"))),
    }
    return {name: (page_of(one, other), one, other) for name, (one, other) in made.items()}


KINDS = ("all checks", "no checks", "two data sets", "many", "places", "compared, places", "compared", "compared, other data")
every_page = pytest.mark.parametrize("kind", KINDS)


@every_page
def test_every_value_is_that_of_layers_json_by_the_one_rounding(pages, kind):
    page, run, other = pages[kind]
    assert len(page.values) > 100
    for value in page.values:
        stored = at(other if value.of else run, value.at)
        if value.less is not None:
            stored = None if stored is None else stored - at(other, value.less)
        assert value.text == shown(stored), value


@every_page
def test_no_cell_of_a_table_holds_a_number_that_stands_nowhere(pages, kind):
    page, run, _other = pages[kind]
    names = [*run["datasets"], *(label for one in run["datasets"].values() for label in one["label_names"])]
    for cell in page.cells:
        bare = cell.bare
        for name in sorted(names, key=len, reverse=True):
            bare = bare.replace(name, "")
        bare = re.sub(r"95 % interval|Macro F1|^F1$|macro f1|^f1$|sha256", "", bare)
        assert not re.search(r"\d", bare), cell


def test_a_changed_number_is_found_by_the_law(run):
    page = page_of(run)
    other = changed(run, lambda one: one["datasets"]["films"]["test"].update(accuracy=0.123))
    assert any(value.text != shown(at(other, value.at)) for value in page.values)


@every_page
def test_nothing_leads_outside_and_nothing_runs(pages, kind):
    page, _, _ = pages[kind]
    assert not {"script", "img", "link", "iframe", "object", "embed", "base", "form", "video", "audio"} & set(page.tags)
    for tag, name, value in page.attributes:
        assert not name.startswith("on"), (tag, name)
        if name in ("href", "src", "xlink:href", "action", "srcset", "data", "poster", "background"):
            assert value.startswith("#"), (tag, name, value)
        if name == "style":
            assert not re.search(r"url\((?!#)", value)
        assert "://" not in value
    assert ("meta", "content", "default-src 'none'; style-src 'unsafe-inline'") in page.attributes


@every_page
def test_ids_are_single_and_every_link_leads_to_one(pages, kind):
    page, _, _ = pages[kind]
    ids = [value for _, name, value in page.attributes if name == "id"]
    assert len(ids) == len(set(ids))
    links = [value for _, name, value in page.attributes if name == "href"]
    links += ["#" + found for _, _, value in page.attributes for found in re.findall(r"url\(#([^)]+)\)", value)]
    assert links and {link[1:] for link in links} <= set(ids)


def test_the_sections_stand_in_reading_order(run):
    headings = [heading for heading in page_of(run).headings if heading]
    order = [
        "Data",
        "The curve",
        "Checks",
        "Test score",
        "Provenance",
        "Methods, ready for a paper",
        "What was not checked",
        "References",
    ]
    assert [heading for heading in headings if heading in order] == order


def test_two_data_sets_have_their_parts(run_on_two):
    page = page_of(run_on_two)
    assert [one for one in page.headings if one.startswith("Data set")] == ["Data set films", "Data set more films"]
    assert "Transfer between data sets" in page.headings


@pytest.mark.parametrize("name", NASTY)
def test_names_that_somebody_gave_stand_as_they_are_and_break_nothing(run, name):
    def rename(one):
        one["datasets"] = {name: one["datasets"]["films"]}
        one["model"]["id"] = f"org/{name}"
        dataset = one["datasets"][name]
        dataset["remarks"] = [f"A note about {name}"]
        dataset["data"]["source"] = name

    class_name = f"class {name}"
    named = stretched(changed(run, rename), 4, ["other", class_name], name)
    html = report_html(run_of(json.loads(json.dumps(named))))
    page = Page.of(html)
    html.encode("utf-8")
    assert "\x00" not in html
    assert not {"script", "img"} & set(page.tags)
    expected = re.sub(r"[\x00\ud800]", "\ufffd", name)
    assert f"class {expected}" in page.text
    assert f"A note about {expected}" in page.text


HASHED = """
import json, sys
from lit_probe.report.page import report_html
from lit_probe.report.run_file import read_run
sys.stdout.buffer.write(report_html(read_run(sys.argv[1]), read_run(sys.argv[2])).encode())
"""


def test_the_same_run_gives_the_same_bytes_in_another_process(run, other_run, tmp_path):
    for name, one in (("a", run), ("b", other_run)):
        (tmp_path / name).write_text(json.dumps(one))
    files = [str(tmp_path / "a"), str(tmp_path / "b")]

    def made(seed: str) -> bytes:
        environment = {**os.environ, "PYTHONHASHSEED": seed, "TZ": f"UTC{seed}"}
        return subprocess.run([sys.executable, "-c", HASHED, *files], capture_output=True, check=True, env=environment).stdout

    first = made("1")
    assert first == made("2") == report_html(run_of(run), run_of(other_run)).encode()
    assert not re.search(rb"20[2-9]\d-\d\d-\d\d", first)


@pytest.mark.parametrize("check", CHECKS)
def test_a_check_that_was_not_run_is_said_so_and_leaves_no_sentence(run, check):
    title = CHECKS[check].title
    with_it = page_of(run)
    without = page_of(changed(run, lambda one: one["datasets"]["films"]["checks"].pop(check)))
    assert f"{title}: not run (" in without.text
    assert f"{title}: not run (" not in with_it.text
    methods = [page.text.split("Methods, ready for a paper")[-1].split("What was not checked")[0] for page in (with_it, without)]
    if check != "agreement":  # There is no head here.
        assert len(methods[1]) < len(methods[0])
        assert len(without.values) < len(with_it.values)
    failed = page_of(
        changed(run, lambda one: one["datasets"]["films"]["checks"].update({check: {"error": "Too few rows of it"}}))
    )
    assert f"{title} could not be computed: Too few rows of it." in failed.text


def test_no_paper_is_cited_for_what_was_not_done(run, other_run):
    assert "Hewitt & Liang, 2019" in page_of(run).text and "hewitt2019control" in page_of(run).text
    bare = page_of(other_run).text
    for word in ("Hewitt", "Voita", "McNemar", "Brier", "Gorman", "Guo", "Menon"):
        assert word not in bare
    assert "Wilson, 1927" in bare and "@article{wilson1927probable," in bare


def test_every_citation_in_the_text_is_in_the_list_and_the_other_way_round(run):
    text = page_of(run).text
    methods, references = text.split("Methods, ready for a paper")[1].split("BibTeX")[0].rsplit("References", 1)
    cited = set(re.findall(r"([A-Z][\w’'-]+)(?: et al\.| & [\w’'-]+)?, (\d{4})", methods.split("What was not checked")[0]))
    assert len(cited) > 10
    for family, year in sorted(cited):
        assert re.search(rf"{family}, [^(]*\({year}\)", references), family
    assert len(re.findall(r"\(\d{4}\)\. ", references)) == len(re.findall(r"@\w+{\w+,", text))


@pytest.mark.parametrize(
    ("change", "begins"),
    [
        ({"accuracy_low": 0.6, "majority_accuracy": 0.5}, "Decodable: "),
        ({"accuracy": 0.6, "accuracy_low": 0.4, "accuracy_high": 0.9, "majority_accuracy": 0.5}, "Not shown to be decodable: "),
        ({"accuracy": 0.2, "accuracy_low": 0.1, "accuracy_high": 0.4, "majority_accuracy": 0.5}, "Not decodable here: "),
        (
            {"accuracy_low": None, "accuracy_high": None, "accuracy_reason": "no interval: one group"},
            "This run cannot tell for sure: ",
        ),
        ({"accuracy": None, "accuracy_low": None, "accuracy_high": None, "accuracy_reason": "no rows"}, "This run cannot tell: "),
    ],
)
def test_the_short_answer_goes_by_the_interval_of_the_test_score(run, change, begins):
    page = page_of(changed(run, lambda one: one["datasets"]["films"]["test"].update(change)))
    assert f"Short answer. {begins}" in page.text


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda one: one.update(circularity="It was fine-tuned on them."), "Circular: It was fine-tuned on them."),
        (lambda one: one.update(not_converged=[1, 2]), "did not converge at layers 1 and 2."),
        (lambda one: one["near_duplicates"].update(near=3), "Rows with a copy in another split: 0 exact, 3 near"),
        (
            lambda one: one["test"].update(accuracy_reason="few rows", accuracy_reliable=False),
            "Test is not to be relied on: few rows.",
        ),
        (
            lambda one: [row.update(low=-0.1) for row in one["checks"]["selectivity"]["layers"]],
            "not shown to do better than on a control task",
        ),
        (
            lambda one: [row.update(high=1.0) for row in one["checks"]["baselines"]["baselines"] if row["name"] == "tfidf"],
            "A simpler thing may do as well: on dev, TF-IDF scores",
        ),
    ],
)
def test_doubts_stand_beside_the_answer(run, change, said):
    text = page_of(changed(run, lambda one: change(one["datasets"]["films"]))).text
    assert said in text.split("Classes (")[0]


def test_the_run_itself_cannot_be_compared_with_itself(run):
    with pytest.raises(LitProbeError, match="is the same run"):
        report_html(run_of(run), run_of(run))


def test_a_data_set_of_pairs_names_both_columns_and_one_of_single_texts_none(run):
    def as_pairs(one: dict) -> None:
        for dataset in one["datasets"].values():
            dataset["data"]["pair"] = ["premise <b>", "hypothesis"]

    html = report_html(run_of(changed(run, as_pairs)))
    assert html.count("premise &lt;b&gt;") == 2 and "joined in the tokenizer’s own form" in html
    assert "Each row is a pair" not in report_html(run_of(run))


@pytest.mark.parametrize(("settings", "said"), [({}, ""), ({"pooling": "last"}, ", to whose end the pooling reads")])
def test_a_template_is_told_with_its_line_break(tiny_folder, run, settings, said):
    template = "<b>: {text}\nIt was"
    under = json.loads(json.dumps(made_run(load_encoder(str(tiny_folder()), template=template), checks=(), **settings)))
    page = page_of(under)
    assert f"Every text was read within the template {template}{said}." in page.text
    assert sum(value.at == "/template" for value in page.values) >= 2
    assert "template" not in page_of(run).text.split("Provenance")[1].split("These numbers")[0]
    compared = page_of(under, run)
    assert "template" in compared.text.split("Two runs side by side")[1]


def test_places_are_named_wherever_a_number_stands_for_one(run_at_places):
    page = page_of(run_at_places)
    films = run_at_places["datasets"]["films"]
    best, names = films["best_layer"], films["layer_names"]
    assert f"probe of layer {best} ({names[best]})" in page.text
    assert f"chosen on dev: layer {best} ({names[best]})." in page.text
    assert f"{best} ({names[best]}) (chosen)" in page.text
    assert "19 places" not in page.text and f"are {len(names)}: {names[0]} to {names[-1]}" in page.text.replace("\xa0", " ")
    assert "Layer 0 is the embedding output" not in page.text
    assert "of heads a grid, a row for each block" in page.text
    assert "Layer 0 is the embedding output" in page_of(changed(run_at_places, lambda one: one.pop("sites"))).text
