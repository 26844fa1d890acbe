"""Over HTTP, with a running server: pages that are left, and Cancel on one of two, as their browsers would say it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from held_checks import PATIENCE_S, HeldChecks
from live_server import ask, post, posted
from tiny_probing import worded_splits

from lit_probe.lit.app import AppOptions, build
from lit_probe.lit.server.web import serve
from lit_probe.probing.study import probe_layers

MODEL = "tiny-bert-on-tiny"
OLD, NEW = ({"page": letter * 32, "question": 1} for letter in "ab")


@pytest.fixture
def url(held, encoder) -> Iterator[str]:
    """A server whose probes are ready."""
    splits = worded_splits("tiny")
    study = probe_layers(encoder, splits)
    server = serve(build([encoder], [splits], AppOptions(), lambda *_: study), "127.0.0.1", 0).start()
    while ask(server.url, "layer_metrics", MODEL, "tiny", [])["status"] == "computing":
        pass
    yield server.url
    server.close()


def check(url: str, name: str, page: dict[str, object], **config: object) -> dict[str, object]:
    return ask(url, "probe_checks", MODEL, "tiny", [], check=name, asked_by=page, **config)


def test_a_page_that_is_left_leaves_no_queue_to_the_next_one(url: str, held: HeldChecks):
    assert check(url, "selectivity", OLD)["status"] == "computing"
    assert held.started["selectivity"].wait(PATIENCE_S)
    for name in ("learning_curve", "description_length"):
        check(url, name, OLD)
    # Pages take turns, so the new one waits for what is running alone.
    assert "waiting for 1 other computation" in str(check(url, "baselines", NEW)["message"])
    assert check(url, "learning_curve", OLD)["place"] == 2
    assert posted(url, "lit_probe/left", {"page": OLD["page"]}) == 204
    assert str(check(url, "baselines", NEW)["message"]).endswith(": starting")
    held.go_on.set()
    assert held.started["baselines"].wait(PATIENCE_S)
    assert not held.started["learning_curve"].is_set() and not held.started["description_length"].is_set()
    assert held.cancelled == ["selectivity"]


def test_cancel_on_one_of_two_pages_leaves_the_computation_to_the_other(url: str, held: HeldChecks):
    for page in (OLD, NEW):
        check(url, "selectivity", page)
    assert held.started["selectivity"].wait(PATIENCE_S)
    assert check(url, "selectivity", OLD, cancel=True)["status"] == "cancelled"
    assert check(url, "selectivity", NEW)["message"] == "Selectivity (word) of tiny-bert on tiny: 50%"
    assert check(url, "selectivity", NEW, cancel=True)["status"] == "cancelled"
    held.go_on.set()
    assert held.over["selectivity"].wait(PATIENCE_S)
    assert held.cancelled == ["selectivity"]


def test_a_request_that_was_on_its_way_when_its_page_was_left_starts_nothing(url: str, held: HeldChecks):
    posted(url, "lit_probe/left", {"page": OLD["page"]})
    assert str(check(url, "selectivity", OLD)["message"]).endswith(": starting")
    assert "starting" in str(check(url, "learning_curve", NEW)["message"])
    assert held.started["learning_curve"].wait(PATIENCE_S)
    assert post(url, "get_info")["models"], "and the server answers everybody else"
    assert not held.started["selectivity"].is_set()
