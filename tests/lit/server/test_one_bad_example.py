"""One example that nothing can be said about, among good ones, put to a really running server: it fails alone."""

from __future__ import annotations

import pytest
from tiny_probing import tiny_splits
from whole_server import WholeServer

from lit_probe.salience import SALIENCE_METHODS

NAMES = {"model": "tiny-bert-on-tiny", "dataset_name": "tiny"}
BAD = [{"label": "positive"}, {"text": None}, {"text": 5}]
# A generator that makes no edits without being told what to look for.
CONFIGS = {"Word Replacer": {"Substitutions": "the -> a | film -> story", "Fields to replace": ["text"]}}


@pytest.fixture(scope="module")
def server(encoder):
    server = WholeServer(encoder, [tiny_splits()])
    yield server
    server.close()


@pytest.fixture(scope="module", params=BAD, ids=str)
def bad(request):
    return {"data": {**request.param, "_id": "", "_meta": {"added": True}}, "id": "", "meta": {"added": True}}


def texts(made):
    return [edit["data"]["text"] for of_one in made for edit in of_one]


def test_generators_edit_the_others(server, bad):
    info = server.info["models"][NAMES["model"]]["generators"]
    good, n_edited = server.ids["tiny"][:2], 0
    for name in info:
        config = CONFIGS.get(name, {})

        def ask(*inputs, name=name, config=config):
            return server.ask("/get_generated", {"inputs": list(inputs), "config": config}, **NAMES, generator=name)

        if ask(*good).status != 200:
            assert ask(good[0], bad, good[1]).status == ask(*good).status, name
            continue
        alone, among = ask(*good).json, ask(good[0], bad, good[1]).json
        if name != "Scrambler":  # which draws anew each time
            assert texts(among) == texts(alone), name
        assert among[1] == [] and len(among) == 3, name
        assert ask(bad).status == 400, name
        n_edited += any(alone)
    assert n_edited > 1


def test_predictions_by_layer_say_why_in_its_place(server, bad):
    good = server.ids["tiny"][:2]

    def ask(*inputs):
        return server.ask(
            "/get_interpretations", {"inputs": list(inputs)}, **NAMES, interpreter="layer_predictions", do_predict="0"
        )

    alone, among = ask(*good).json["examples"], ask(good[0], bad, good[1]).json["examples"]
    assert [among[0], among[2]] == alone
    assert among[1]["status"] == "failed" and "needs a string in its field 'text'" in among[1]["message"]
    assert ask(bad).status == 400


def test_a_salience_map_says_why_in_its_place(server, bad):
    good = server.ids["tiny"][:2]
    name = SALIENCE_METHODS["input_x_gradient"].title

    def ask(*inputs):
        return server.ask("/get_interpretations", {"inputs": list(inputs)}, **NAMES, interpreter=name, do_predict="0").json

    alone, among = ask(*good), ask(good[0], bad, good[1])
    assert [among[0], among[2]] == alone
    assert "No map" in among[1]
