"""The small parts: escaping, rounding, references, drawings."""

from __future__ import annotations

import re
from decimal import Decimal
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import lit_probe.report.methods
from lit_probe.figures import learning_curves_svg, reliability_svg
from lit_probe.report.html import Html, join, tag
from lit_probe.report.numbers import At, shown
from lit_probe.report.references import PAPERS, Citations
from lit_probe.report.svg import inline


class Texts(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.titles: list[str] = []

    def handle_data(self, data):
        self.found.append(data)

    def handle_starttag(self, tag, attrs):
        self.titles += [value or "" for name, value in attrs if name == "title"]


@given(st.text(st.characters(exclude_categories=("Cs", "Cc"))))
def test_any_text_is_read_back_as_it_was(text):
    parser = Texts()
    parser.feed(tag("p", text, title=text))
    parser.close()
    assert "".join(parser.found) == text.replace("\ufffe", "\ufffd").replace("\uffff", "\ufffd")
    assert len(parser.titles) == 1


@given(st.text())
def test_any_text_at_all_makes_one_element_that_can_be_written(text):
    html = tag("p", text)
    html.encode("utf-8")
    assert html.count("<") == 2 and "\x00" not in html


def test_only_html_is_not_escaped():
    assert join(["<", Html("<br>"), None, ["&"]], " | ") == "&lt; | <br> | &amp;"


@example(140737488355328.75)
@given(st.floats(allow_nan=False, allow_infinity=False))
def test_numbers_are_rounded_and_not_turned_into_others(value):
    # Of large numbers even a float is rounder than what is told.
    told = Decimal(shown(value).replace(",", "").replace("−", "-"))
    assert (
        abs(told - Decimal(value))
        <= max(0.0005, 0.05 * (abs(value) < 0.0005) * abs(value), 0.05 * (abs(value) >= 100)) * 1.000001
    )
    assert (told > 0) == (value > 0) and (told < 0) == (value < 0)


def test_a_place_is_a_json_pointer():
    root = At({"a/b~": [{"x": 1}]})
    assert root["a/b~"][0]["x"].pointer == "/a~1b~0/0/x"
    assert root.get("y") is None and [at.value for at in At([3, 4])] == [3, 4]


def test_papers_are_whole_in_order_and_all_cited_somewhere():
    source = Path(lit_probe.report.methods.__file__).read_text("utf-8")
    assert list(PAPERS) == sorted(PAPERS)
    for key, paper in PAPERS.items():
        assert key in source
        assert str(paper.year) in key and paper.authors[0].partition(",")[0].lower() in key
        assert all(", " in author for author in paper.authors if author != "others")
        bibtex = paper.bibtex(key)
        assert bibtex.count("{") == bibtex.count("}")
        assert {"author", "title", "year"} <= set(re.findall(r"^  (\w+) =", bibtex, re.MULTILINE))
        assert "://" not in bibtex + paper.in_list


def test_papers_that_the_code_names_by_their_doi_have_the_same_doi_here():
    code = "".join(path.read_text("utf-8") for path in Path(lit_probe.__file__).parent.rglob("*.py"))
    for paper in PAPERS.values():
        doi = paper.fields.get("doi")
        if (
            doi
            and f"doi.org/{doi.rpartition('/')[0]}/" in code
            and paper.authors[0].startswith(("Wilson", "Zou", "Newcombe", "Hewitt"))
        ):
            assert f"https://doi.org/{doi}" in code, paper.title


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        (("wilson1927probable",), "(Wilson, 1927)"),
        (("hewitt2019control", "voita2020mdl"), "(Hewitt & Liang, 2019; Voita & Titov, 2020)"),
        (("tenney2020lit",), "(Tenney et al., 2020)"),
        (("wolf2020transformers",), "(Wolf et al., 2020)"),
    ],
)
def test_citations_are_counted(keys, said):
    cite = Citations()
    assert cite(*keys) == said
    assert list(cite.papers) == sorted(keys)


def test_drawings_of_nothing_and_of_little_are_drawn():
    mark = {"confidence": 0.7, "accuracy": 0.5, "low": None, "high": None}
    point = {"n": 16, "score": None, "low": None, "high": None}
    for svg in (
        reliability_svg([], []),
        reliability_svg([mark], []),
        learning_curves_svg({"layer 0": [point]}, None, "accuracy"),
        learning_curves_svg({"layer 0": []}, 0.5, "accuracy"),
    ):
        html = inline(svg, "x-", "A drawing.")
        assert html.startswith("<svg") and "://" not in html
        assert all(found.startswith("x-") for found in re.findall(r'id="([^"]+)"', html))
