"""Each limit of a request, at a really running server: just below it is answered, just above it is refused in a sentence."""

from __future__ import annotations

import json
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from lit_nlp.components import pca
from tiny_lit_app import HOST, LABELS, Browser, wrapped
from tiny_probing import tiny_splits
from whole_server import PATIENCE_S, WholeServer

from lit_probe.encoder import wanted
from lit_probe.encoder.thread import on_encoder_thread
from lit_probe.errors import CancelledError
from lit_probe.lit.host.stock_interpreters import MOST_AT_ONCE
from lit_probe.lit.server.limits import DEFAULT_LIMITS, Limits
from lit_probe.lit.server.web import serve
from lit_probe.once import Memo

FEW = Limits(max_elements=200, max_edited=3, max_text=50, small_body=500, max_body=20_000)
PREDS = "/get_preds?model=letters&dataset_name=films"


@pytest.fixture(scope="module")
def browser():
    return Browser(wrapped(limits=FEW))


@pytest.fixture(scope="module")
def ids(browser):
    return [example["id"] for example in browser.post("/get_dataset?dataset_name=films").json]


def whole(text, **data):
    meta = {"added": True, "source": "manual", "parentId": None}
    return {"data": {"text": text, "label": LABELS[0], "_id": "", "_meta": meta, **data}, "id": "", "meta": meta}


def refusal(response):
    """Status and sentence; the sentence ends with a full stop."""
    sentence = response.text.splitlines()[0]
    assert sentence.endswith("."), sentence
    return response.status_code, sentence


# ---- how large


@pytest.mark.parametrize("path", ["/get_info", "/get_dataset?dataset_name=films"])
def test_a_request_without_examples_is_small(browser, path):
    assert browser.post(path, b" " * 498 + b"{}").status_code == 200
    assert refusal(browser.post(path, b" " * 499 + b"{}")) == (413, "The request is larger than the 500 bytes allowed.")


def test_a_request_with_examples_may_be_larger(browser, ids):
    body = json.dumps({"inputs": ids[:1]}).encode()
    assert browser.post(PREDS, body + b" " * 19_000).status_code == 200
    assert browser.post(PREDS, body + b" " * 20_000).status_code == 413


@pytest.mark.parametrize("fill", [["[]"], ["{}"], ["0"], ['"a"'], ['{"a": 1}'], ["[[[]]]"], ["null"]], ids=lambda fill: fill[0])
def test_values_are_counted_before_they_are_parsed(browser, fill):
    few, many = (f'{{"inputs": [], "config": {{"x": [{", ".join(fill * n)}]}}}}'.encode() for n in (30, 250))
    assert browser.post(PREDS, few).status_code == 200
    assert refusal(browser.post(PREDS, many)) == (
        413,
        "The request holds more than the 200 values allowed, commas in texts among them.",
    )


def test_the_largest_body_of_brackets_is_refused_at_once(ids):
    began = time.monotonic()
    body = b'{"inputs": [' + b"[]," * 10_000_000 + b"[]]}"
    assert Browser(wrapped()).post(PREDS, body).status_code == 413
    assert time.monotonic() - began < 10, "parsing and checking it takes 25 s"


def test_as_many_values_as_are_allowed_hold_five_thousand_long_reviews():
    review = "of all the films of this year, this is the one to see " * 75
    assert len(review.split()) > 950
    assert 5_000 * (review.count(",") + 12) < DEFAULT_LIMITS.max_elements
    assert len(review) < DEFAULT_LIMITS.max_text


def test_there_are_no_more_inputs_than_examples_and_edits(browser, ids):
    assert browser.post(PREDS, {"inputs": [*ids, *ids[:3]]}).status_code == 200
    assert refusal(browser.post(PREDS, {"inputs": [*ids, *ids[:4]]})) == (
        413,
        "12 inputs were sent. This data set has 8 examples, and beside them 3 may be sent.",
    )
    assert browser.post(PREDS, {"inputs": ids * 10}).status_code == 413


def test_whole_examples_are_counted(browser):
    edits = [whole(f"film {i}") for i in range(4)]
    assert browser.post(PREDS, {"inputs": edits[:3]}).status_code == 200
    assert refusal(browser.post(PREDS, {"inputs": edits}))[0] == 413


@pytest.mark.parametrize(("text", "status"), [("a" * 50, 200), ("a" * 51, 413), ("é" * 50, 200), ("\U0001f600" * 51, 413)])
def test_texts_are_measured_in_characters(browser, text, status):
    assert browser.post(PREDS, {"inputs": [whole(text)]}).status_code == status
    assert browser.post("/annotate_new_data?dataset_name=films", {"inputs": [whole("", other=text)]}).status_code == status


@pytest.mark.parametrize("key", ["input", "model", "Inputs", "", "x" * 300])
def test_unknown_keys_are_refused(browser, ids, key):
    status, sentence = refusal(browser.post(PREDS, {"inputs": ids[:1], key: 1}))
    assert status == 400 and sentence.startswith("A request holds inputs and config, but not")
    assert browser.post("/get_info", {key: 1}).status_code == 400


# ---- how long


@pytest.fixture
def encoder_at_work():
    """The encoder's one thread is taken until the event is set."""
    go_on, begun = threading.Event(), threading.Event()

    def work():
        begun.set()
        go_on.wait(PATIENCE_S)

    thread = threading.Thread(target=on_encoder_thread, args=(work,))
    thread.start()
    assert begun.wait(PATIENCE_S)
    yield go_on
    go_on.set()
    thread.join()


@pytest.fixture(scope="module")
def hurried(encoder):
    server = WholeServer(encoder, [tiny_splits()], limits=Limits(request_s=2.0))
    yield server
    server.close()


NAMES = {"model": "tiny-bert-on-tiny", "dataset_name": "tiny"}


def edit(text):
    return {"data": {"text": text, "label": "positive", "_id": "", "_meta": {"added": True}}, "id": "", "meta": {"added": True}}


@pytest.mark.parametrize(
    ("path", "names"),
    [
        ("/get_preds", {}),
        ("/get_interpretations", {"interpreter": "layer_predictions", "do_predict": "0"}),
        ("/get_generated", {"generator": "Ablation Flip"}),
    ],
)
def test_a_request_that_takes_too_long_ends_with_what_to_do(hurried, encoder_at_work, path, names):
    answer = hurried.ask(path, {"inputs": [edit(f"a text for {path} that is new")]}, **NAMES, **names)
    assert answer.status == 503
    assert answer.text.startswith("This took longer than 2 seconds and was ended. Ask for fewer or shorter texts, or start")
    encoder_at_work.set()
    assert hurried.ask("/get_preds", {"inputs": [edit(f"after {path}")]}, **NAMES).status == 200


def test_what_cannot_be_interrupted_is_answered_at_its_time_and_few_of_it_run_at_once(hurried, monkeypatch):
    go_on, begun = threading.Event(), []
    fit = pca.PCAModel.fit_transform

    def slow_fit(self, inputs):
        begun.append(len(inputs))
        assert go_on.wait(PATIENCE_S)
        return fit(self, inputs)

    monkeypatch.setattr(pca.PCAModel, "fit_transform", slow_fit)
    ids = hurried.ids["tiny"]

    def ask(_=None):
        config = {"field_name": "layer_00", "proj_kw": {"n_components": 2}}
        return hurried.ask("/get_interpretations", {"inputs": ids, "config": config}, **NAMES, interpreter="pca", do_predict="0")

    try:
        with ThreadPoolExecutor(2 * MOST_AT_ONCE) as pool:
            answers = list(pool.map(ask, range(2 * MOST_AT_ONCE)))
        assert {answer.status for answer in answers} == {503}
        assert answers[0].text.startswith("This took longer than 2 seconds and was ended.")
        # One fit holds LIT's own lock; no more wait for it than there are places, and the server answers others.
        assert begun == [len(ids)]
        assert hurried.ask("/get_preds", {"inputs": [edit("beside a slow fit")]}, **NAMES).status == 200
    finally:
        go_on.set()
    deadline = time.monotonic() + PATIENCE_S
    while (answer := ask()).status == 503:
        assert time.monotonic() < deadline
    assert len(answer.json) == len(ids) and begun == [len(ids)], "what has begun is kept for the next who asks"


def test_what_a_client_has_asked_that_has_left_is_never_begun(encoder, encoder_at_work):
    asked, seen = threading.Event(), []

    def app(environ, start_response):
        left = environ["waitress.client_disconnected"]

        def check():
            if left():
                raise CancelledError("It has left.")

        asked.set()
        try:
            with wanted.while_wanted(check):
                on_encoder_thread(seen.append, "begun")
        except CancelledError:
            seen.append("ended")
        start_response("200 OK", [])
        return [b""]

    app.max_body = lambda path: 1000
    server = serve(app, "127.0.0.1", 0, threads=1).start()
    with socket.create_connection(("127.0.0.1", server.port)) as client:
        client.sendall(f"GET / HTTP/1.1\r\nHost: {HOST}\r\n\r\n".encode())
        assert asked.wait(PATIENCE_S)
    deadline = time.monotonic() + PATIENCE_S
    while not seen and time.monotonic() < deadline:
        time.sleep(0.05)
    assert seen == ["ended"], "while the encoder was still at work on something else"
    server.close()


def test_who_waits_for_what_another_gave_up_computes_it():
    memo, begun, give_up = Memo(), threading.Event(), threading.Event()

    def given_up():
        begun.set()
        give_up.wait(PATIENCE_S)
        raise CancelledError("It has left.")

    def leads():
        with pytest.raises(CancelledError):
            memo.get("text", given_up)

    leader = threading.Thread(target=leads)
    leader.start()
    assert begun.wait(PATIENCE_S)
    found = []
    follower = threading.Thread(target=lambda: found.append(memo.get("text", lambda: "vectors")))
    follower.start()
    give_up.set()
    leader.join()
    follower.join()
    assert found == ["vectors"]
