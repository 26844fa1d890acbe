"""A really running server that has more to do than it can: what it takes in, whom it serves first, and with which digits."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest
from held_checks import PATIENCE_S, HeldChecks
from live_server import answer_of, ask, post, posted
from tiny_probing import worded_splits

from lit_probe.lit.app import AppOptions, build
from lit_probe.lit.host.pending_checks import MAX_OF_ONE
from lit_probe.lit.server.web import serve
from lit_probe.probing.study import probe_layers

MODEL = "tiny-bert-on-tiny"
MANY, ONE = ({"page": letter * 32, "question": 1} for letter in "ab")
CURVE: dict[str, Any] = {"part": "curve", "layer": 1, "units": [0, 1, 2], "n_random": 20}


@pytest.fixture(scope="module")
def study(encoder):
    return probe_layers(encoder, worded_splits("tiny"))


@pytest.fixture
def url(study) -> Iterator[str]:
    """A server whose probes are ready, and whose background has done nothing yet."""
    server = serve(build([study.encoder], [study.splits], AppOptions(), lambda *_: study), "127.0.0.1", 0).start()
    while ask(server.url, "layer_metrics", MODEL, "tiny", [])["status"] == "computing":
        pass
    yield server.url
    server.close()


def test_a_flood_of_questions_is_taken_in_up_to_a_limit_and_keeps_nobody_else_waiting(url: str, held: HeldChecks):
    assert ask(url, "probe_checks", MODEL, "tiny", [], check="selectivity")["status"] == "computing"
    assert held.started["selectivity"].wait(PATIENCE_S)
    flood = [
        ask(
            url,
            "salience_checks",
            MODEL,
            "tiny",
            [],
            check="faithfulness",
            sample=2,
            seed=seed,
            asked_by={**MANY, "question": seed},
        )
        for seed in range(MAX_OF_ONE + 10)
    ]
    assert [one["status"] for one in flood] == ["computing"] * MAX_OF_ONE + ["busy"] * 10
    assert flood[-1]["place"] == MAX_OF_ONE + 1 and "This page waits for 24 other computations" in flood[-1]["message"]
    # Another page is taken in and waits for one of the first page's alone; who asks nothing long is answered at once.
    assert ask(url, "probe_checks", MODEL, "tiny", [], check="baselines", asked_by=ONE)["place"] == 2
    assert post(url, "get_info")["models"]
    listed = ask(url, "computations", MODEL, "tiny", [], asked_by=ONE)["computations"]
    assert [one["questions"] for one in listed[:4]] == [[], [], [ONE["question"]], []] and len(listed) == MAX_OF_ONE + 2
    assert posted(url, "lit_probe/left", {"page": MANY["page"]}) == 204
    held.go_on.set()
    assert held.started["baselines"].wait(PATIENCE_S)


def test_edits_beside_an_ablation_change_no_digit_of_either(url: str, study):
    edits = [
        {
            "data": {"_id": "", "text": f"the film was good number {n}", "label": "", "_meta": {"added": True}},
            "id": "",
            "meta": {},
        }
        for n in range(12)
    ]

    def said() -> list[Any]:
        return [ask(url, "layer_predictions", MODEL, "tiny", [edit])["examples"] for edit in edits]

    over, beside = threading.Event(), []

    def edit_on() -> None:
        while not over.is_set():
            beside.append(said())

    thread = threading.Thread(target=edit_on)
    thread.start()
    try:
        busy = answer_of(url, "neuron_ablation", MODEL, dataset="tiny", **CURVE)
    finally:
        over.set()
        thread.join(PATIENCE_S)
    assert beside and all(one == said() for one in beside)
    # The same computed alone, by a server of its own.
    alone = serve(build([study.encoder], [study.splits], AppOptions(), lambda *_: study), "127.0.0.1", 0).start()
    try:
        assert answer_of(alone.url, "neuron_ablation", MODEL, dataset="tiny", **CURVE) == busy
    finally:
        alone.close()
