"""Every interpreter, generator and metric of a running server, asked what makes no sense: a sentence, and never an accident."""

from __future__ import annotations

import pytest
from whole_server import text_server, word_server

from benchmarks.mutations import Mutations, ask
from lit_probe.lit.host.stock_interpreters import OF_TOKEN_FIELDS

# What a value may be instead of what it should be.
STRANGE = (None, True, -1, 1e300, 2**62, "", "no such thing", "9" * 400, [], [None], {}, {"a": []}, [[["deep"]]])
NO_CONFIG = (None, [], "x", 5, True)


@pytest.fixture(scope="module", params=[text_server, word_server], ids=["texts", "words"])
def server(request, encoder):
    server = request.param(encoder)
    yield server
    server.close()


def questions(server, path, name, names):
    """Strange bodies for one component; with each whether it can be anything but a refusal."""
    ids = server.ids[names["dataset_name"]]
    inputs = [ids[-1]]
    yield {"inputs": inputs}, True
    for config in NO_CONFIG:
        yield {"inputs": inputs, "config": config}, config is None
    yield {"inputs": inputs, "config": {}}, True
    yield {"inputs": [], "config": {}}, True
    yield {"inputs": inputs, "config": {"colour": 1}}, True
    yield {"inputs": inputs, "config": {"number": {"check": []}}}, True
    spec = server.config_spec(path, name)
    usual = {key: of.get("default") for key, of in spec.items()}
    for place, key in enumerate(spec):
        # LIT's own read their values one by one; ours all by the same keys.
        for value in STRANGE if name in OF_TOKEN_FIELDS else STRANGE[place % 3 :: 3]:
            yield {"inputs": inputs, "config": {key: value}}, True
            yield {"inputs": inputs, "config": {**usual, key: value}}, True
    for inputs in (
        None,
        {},
        "x",
        [1],
        [[]],
        [{}],
        [{"data": {}, "id": "", "meta": {}}],
        [{"data": {"text": 1}, "id": "", "meta": {}}],
    ):
        yield {"inputs": inputs, "config": {}}, False
    yield {"inputs": ids[:1], "config": {}, "model": names["model"]}, False
    for data in (
        {"text": ""},
        {"text": "\ud800"},
        {"text": []},
        {"text": None},
        {"text": "a film", "label": []},
        {"label": "positive"},
    ):
        full = {**data, "_id": "", "_meta": {}}
        yield {"inputs": [{"data": full, "id": "", "meta": {}}], "config": {}}, True


def test_nothing_that_makes_no_sense_is_an_accident(server):
    accidents = {}
    for path, name, names in server.components():
        for body, may_be_answered in questions(server, path, name, names):
            answer = server.ask(path, body, **names, do_predict="0")
            allowed = (200, 400, 404) if may_be_answered else (400, 404)
            if answer.status not in allowed or (answer.status != 200 and not answer.text.splitlines()[0].endswith(".")):
                accidents.setdefault((name, answer.status, answer.text[:90]), str(body)[:150])
    assert not accidents, "\n".join(map(str, accidents.items()))


def test_mutated_requests_cause_no_accident(server):
    mutations = Mutations(server.info, server.ids, seed=7)
    accidents = []
    for _ in range(200):
        request = mutations.draw()
        status, text, _ = ask(server.server.port, request)
        server.checks.cancel_all()
        if status >= 500 and status != 503:
            accidents.append((status, text[:120], request.method, request.address, request.body[:300]))
    assert not accidents, "\n".join(map(str, accidents))
    assert server.ask("/get_info").status == 200
