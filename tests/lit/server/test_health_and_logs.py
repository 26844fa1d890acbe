"""What whoever keeps a server running asks it, and what it writes into its log."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
import textwrap
import threading
import time
import urllib.error
import urllib.request

import pytest
from asking_browser import Browser as AskingBrowser
from foreign_lit import Planted, Sentences, lit_with
from tiny_lit_app import Browser, tiny_lit_app, wrapped
from tiny_probing import tiny_splits

from lit_probe.encoder.cache import Cache
from lit_probe.encoder.thread import on_encoder_thread
from lit_probe.errors import LitProbeError
from lit_probe.lit.app import AppOptions, build
from lit_probe.lit.plugin import ProbeModel, attach
from lit_probe.lit.server.access import Access
from lit_probe.lit.server.logs import JsonLines, set_up_logs
from lit_probe.lit.server.web import serve
from lit_probe.probing.study import probe_layers

INTERPRETER = "/get_interpretations?model=letters&dataset_name=films&interpreter=misbehaving&do_predict=0"


def test_they_are_answered_to_any_host_and_without_the_token_and_tell_nothing_else():
    for app in (wrapped(access=Access("x" * 20)), attach(tiny_lit_app(), guard=False)):
        browser = Browser(app)
        for path in ("/healthz", "/readyz"):
            answer = browser.get(path, headers={"Host": "10.0.0.7:80"})
            assert (answer.status_code, answer.headers["Cache-Control"]) == (200, "no-store")
            assert browser.post(path, {}).status_code == 405
    assert Browser(wrapped()).get("/readyz").json == {"ready": True, "studies": {"ready": 0, "computing": 0, "failed": 0}}


def test_a_server_is_ready_once_its_studies_are_done(encoder):
    go_on, fails = threading.Event(), threading.Event()

    def study(one, splits, progress):
        go_on.wait(60)
        if fails.is_set():
            raise LitProbeError("The disk is full.")
        return probe_layers(one, splits, progress=progress)

    app = build([encoder], [tiny_splits()], AppOptions(), study)
    waiting, browser = Browser(app).get("/readyz"), AskingBrowser(app)
    assert (waiting.status_code, waiting.json["studies"]["computing"], waiting.headers["Retry-After"]) == (503, 1, "2")
    assert Browser(app).get("/healthz").status_code == 200
    fails.set()
    go_on.set()
    browser.wait_for(f"{encoder.name}-on-tiny")
    assert (Browser(app).get("/readyz").status_code, Browser(app).get("/readyz").json["studies"]["failed"]) == (503, 1)
    fails.clear()
    browser.interpret("layer_metrics", [], f"{encoder.name}-on-tiny", config={"retry": True}, do_predict=0)
    browser.wait_for(f"{encoder.name}-on-tiny")
    assert Browser(app).get("/readyz").json == {"ready": True, "studies": {"ready": 1, "computing": 0, "failed": 0}}


def readiness(url: str) -> tuple[int, dict[str, object]]:
    try:
        with urllib.request.urlopen(f"{url}readyz", timeout=60) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as refused:
        return refused.code, json.load(refused)


@pytest.mark.parametrize("guard", [True, False])
def test_somebody_elses_server_is_ready_once_the_probes_of_our_models_are(tiny_folder, guard):
    go_on, data = threading.Event(), Sentences(120)
    at_work = threading.Thread(target=on_encoder_thread, args=(go_on.wait, 60))
    at_work.start()
    ours = ProbeModel(tiny_folder(), data, name="data", cache=Cache(None))
    server = serve(attach(lit_with({"mine": Planted(), "ours": ours}, {"data": data}), guard=guard), "127.0.0.1", 0).start()
    try:
        assert readiness(server.url) == (503, {"ready": False, "studies": {"ready": 0, "computing": 1, "failed": 0}})
        go_on.set()
        deadline = time.monotonic() + 60
        while readiness(server.url)[0] == 503:
            assert time.monotonic() < deadline
            time.sleep(0.1)
        assert readiness(server.url) == (200, {"ready": True, "studies": {"ready": 1, "computing": 0, "failed": 0}})
    finally:
        go_on.set()
        at_work.join()
        server.close()


LOGGING = """
    import sys
    sys.path[:0] = sys.argv[1:3]
    from tiny_lit_app import Browser, wrapped
    from lit_probe.lit.server.logs import set_up_logs
    set_up_logs(as_json=sys.argv[3] != "plain", texts=sys.argv[3] == "texts")
    browser = Browser(wrapped())
    for what in ("break", "refuse"):
        browser.post({path!r}, {{"inputs": [], "config": {{"what": what}}}})
    browser.get("/my secret review")
"""


def logged(how: str) -> list[str]:
    folders = [path for path in sys.path if path.endswith(("tests", "tests/lit"))][:2]
    program = textwrap.dedent(LOGGING).format(path=INTERPRETER)
    done = subprocess.run([sys.executable, "-c", program, *folders, how], capture_output=True, text=True, check=True)
    return done.stderr.splitlines()


def test_the_log_tells_no_traceback_of_a_400_and_one_of_a_500():
    log = "\n".join(logged("plain"))
    assert log.count("Traceback") == 1
    assert "secret data" in log  # of the 500; the log is the place for it
    assert "DatasetError: The file" not in log


def test_lines_of_json_hold_no_texts_unless_they_were_asked_for():
    lines = [json.loads(line) for line in logged("json")]
    assert all({"time", "level", "logger", "event"} <= line.keys() for line in lines)
    told = [(line["path"], line["status"]) for line in lines if line["event"] == "answered"]
    assert told == [("/get_interpretations", 500), ("/get_interpretations", 400), ("other", 404)]
    assert "secret" not in json.dumps(lines) and "reviews.csv" not in json.dumps(lines)
    assert "secret data" in "\n".join(logged("texts"))


def test_an_exception_is_told_by_its_kind_and_places():
    try:
        raise ValueError("my secret review")
    except ValueError:
        record = logging.LogRecord("x", logging.ERROR, "", 0, "%s failed", ("my secret review",), sys.exc_info())
    line = json.loads(JsonLines(texts=False).format(record))
    assert (line["event"], line["exception"]) == ("%s failed", "ValueError")
    assert "test_an_exception_is_told_by_its_kind_and_places" in line["places"][0]
    assert json.loads(JsonLines(texts=True).format(record))["message"] == "my secret review"
    assert "\n" not in JsonLines(texts=True).format(record)


def test_setting_up_twice_changes_nothing():
    before = len(logging.getLogger("absl").filters)
    set_up_logs()
    set_up_logs()
    added = len(logging.getLogger("absl").filters) - before
    assert added in (0, 1)
