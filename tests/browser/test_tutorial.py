"""The tutorial as a test: its pictures are those that the script makes, and what it tells the reader to press is on the page."""

from __future__ import annotations

import re

import pytest
from lit_page import LitPage
from PIL import Image

from lit_probe.layouts import LAYOUTS
from tools.tutorial_screenshots import PICTURES, STEPS, TUTORIAL, WIDTH, Walk, missing, names_in, sections

MOST_BYTES = 1_500_000


@pytest.fixture(scope="module")
def tutorial() -> str:
    return TUTORIAL.read_text("utf-8")


def test_the_script_makes_the_tutorials_pictures_and_no_others(tutorial: str) -> None:
    named = re.findall(r"!\[[^]]+\]\(tutorial/([^)]+)\.png\)", tutorial)
    assert named == list(STEPS)
    assert {path.name for path in PICTURES.iterdir()} == {f"{name}.png" for name in named}


def test_the_pictures_are_small() -> None:
    files = list(PICTURES.glob("*.png"))
    assert sum(path.stat().st_size for path in files) < MOST_BYTES
    assert [path.name for path in files if Image.open(path).width > WIDTH] == []


def test_every_picture_has_a_numbered_step_of_its_own(tutorial: str) -> None:
    headings = re.findall(r"^## (\d+)\.", tutorial, flags=re.MULTILINE)
    assert headings == [str(i + 1) for i in range(len(STEPS))]


def test_what_each_step_names_is_on_the_page_when_the_reader_gets_there(lit: LitPage, tutorial: str) -> None:
    told = sections(tutorial)
    walk = Walk(lit.page, lit.url)
    visited = []
    for name, step in STEPS.items():
        walk.pressed.clear()
        step(walk)
        assert names_in(told[name])
        assert missing(walk, told[name], quotes=False) == [], name
        visited.append(walk.page.evaluate("() => new URL(location.href).searchParams.get('layout')"))
    assert missing(walk, tutorial.rpartition("## ")[2], quotes=False) == []
    # The reader gets to exactly the layouts that the tutorial sends to.
    sent = [layout for layout in re.findall(r"`(\w+)`", tutorial) if layout in LAYOUTS]
    assert set(visited) - {None} == set(sent) - {"evidence"}


def test_a_name_that_the_page_does_not_have_is_reported(lit: LitPage) -> None:
    walk = Walk(lit.page, lit.url)
    STEPS["page"](walk)
    assert missing(walk, "Press **Probe by layer**, then **Juggle**; it says “Juggled”.", quotes=True) == ["Juggle", "Juggled"]
