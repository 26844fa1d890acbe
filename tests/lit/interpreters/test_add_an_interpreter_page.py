"""The interpreter that docs/add-an-interpreter.md builds is a real one."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from neuron_answers import answer_of, ask
from page_code import blocks_of

from lit_probe.errors import LitProbeError
from lit_probe.lit.interpreters import INTERPRETERS

NAME = "surest_mistakes"


@pytest.fixture
def page(monkeypatch):
    """What the page's code defines, with its interpreter in the registry."""
    names: dict = {}
    for code in blocks_of("add-an-interpreter.md"):
        exec(code, names)
    found = SimpleNamespace(**names)
    monkeypatch.setitem(INTERPRETERS, NAME, found.SurestMistakesInterpreter())
    monkeypatch.setitem(INTERPRETERS, "in the background", found.SurestMistakesInTheBackground())
    return found


def test_the_pages_test_passes(page, model, dataset):
    page.test_the_surest_mistakes_are_wrong_and_in_order(model, dataset)


def test_its_keys_are_read_as_the_page_says(page, model, dataset):
    with pytest.raises(LitProbeError, match="takes layer, top, but not colour"):
        ask(NAME, model, dataset, colour=1)
    with pytest.raises(LitProbeError, match="'top' must be a whole number from 1 to 100"):
        ask(NAME, model, dataset, top=0)
    assert ask(NAME, model, dataset, layer=9)["status"] == "failed"
    spec = INTERPRETERS[NAME].config_spec()
    assert list(spec) == ["top"] and (spec["top"].min_val, spec["top"].max_val, spec["top"].default) == (1, 100, 10)


def test_in_the_background_it_gives_the_same_rows(page, model, dataset):
    assert answer_of("in the background", model, dataset, layer=0) == answer_of(NAME, model, dataset, layer=0)
    assert ask("in the background", model, dataset, layer=1, cancel=True)["status"] in ("cancelled", "ready")
