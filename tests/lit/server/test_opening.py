"""What a server answers while LIT is still being loaded, and how it becomes LIT."""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from tiny_lit_app import wrapped

from lit_probe.errors import LitProbeError
from lit_probe.lit.server.access import Access
from lit_probe.lit.server.opening import Opening
from lit_probe.lit.server.serving import serve

TOKEN = "a-token-of-letters"


@pytest.fixture
def opening() -> Iterator[tuple[Opening, str]]:
    app = Opening("127.0.0.1", ["lab.example.org"], Access())
    server = serve(app, "127.0.0.1", 0).start()
    yield app, server.url
    server.close()


def ask(url: str, path: str, method: str = "GET", body: bytes | None = None, **headers: str) -> Any:
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=20)
    connection.request(method, path, body, {name.replace("_", "-"): value for name, value in headers.items()})
    answer = connection.getresponse()
    answer.text = answer.read().decode()
    connection.close()
    return answer


def test_the_page_says_that_lit_is_loading_and_loads_itself_again_without_a_script(opening):
    _, url = opening
    for path in ("/", "/index.html", "/?layout=neurons"):
        answer = ask(url, path)
        assert (answer.status, answer.headers["Retry-After"], answer.headers["Cache-Control"]) == (503, "1", "no-store")
        assert '<meta http-equiv="refresh" content="1">' in answer.text and "LIT is loading" in answer.text
        assert "<script" not in answer.text and not re.search(r"(?:href|src)=", answer.text)
        assert "script-src 'self'" in answer.headers["Content-Security-Policy"]
    assert ask(url, "/", "HEAD").text == ""


@pytest.mark.parametrize("path", ["/get_info", "/get_preds?model=x", "/main.js", "/lit_probe/kept/get_info", "/nowhere"])
def test_all_else_is_told_to_come_again(opening, path):
    _, url = opening
    answer = ask(url, path, "POST", b"{}")
    assert (answer.status, answer.headers["Retry-After"]) == (503, "1")
    assert answer.text.endswith("Details: HTTP 503 Service Unavailable\n")


def test_it_is_alive_and_not_ready(opening):
    _, url = opening
    assert ask(url, "/healthz", Host="any.name").status == 200
    ready = ask(url, "/readyz", Host="any.name")
    assert (ready.status, json.loads(ready.text)) == (503, {"ready": False, "studies": None})


def test_the_guard_stands_before_it_already(opening):
    _, url = opening
    assert ask(url, "/", Host="evil.example").status == 403
    assert ask(url, "/", Host="lab.example.org").status == 503
    assert ask(url, "/get_info", "POST", b"{}", Origin="http://evil.example").status == 403
    assert ask(url, "/", "POST", b"{}").status == 405
    assert ask(url, "/get_info", "POST", b"x" * 20_000).status in (413, 503)
    with pytest.raises(LitProbeError, match="is not a host name"):
        Opening("127.0.0.1", ["a b"], Access())


def test_the_token_is_asked_for_already_and_its_cookie_is_that_of_lit():
    app = Opening("127.0.0.1", (), Access(TOKEN))
    server = serve(app, "127.0.0.1", 0).start()
    try:
        assert ask(server.url, "/").status == ask(server.url, "/get_info", "POST", b"{}").status == 401
        welcome = ask(server.url, f"/?token={TOKEN}")
        cookie = welcome.headers["Set-Cookie"].partition(";")[0]
        assert (welcome.status, ask(server.url, "/", Cookie=cookie).status) == (303, 503)
        app.open(wrapped(access=Access(TOKEN)))
        assert ask(server.url, "/", Cookie=cookie).status == 200 and ask(server.url, "/").status == 401
    finally:
        server.close()


def test_once_lit_is_there_everything_is_lits_and_so_is_its_end(opening):
    app, url = opening
    assert app.max_body("/get_preds") < 20_000
    app.stop()
    lit, stopped = wrapped(), []
    lit.stop = lambda: stopped.append(True)
    app.open(lit)
    assert ask(url, "/").status == 200 and "<lit-app>" in ask(url, "/").text
    assert "letters" in json.loads(ask(url, "/get_info", "POST", b"{}").text)["models"]
    assert ask(url, "/nowhere").status == 404
    assert app.max_body("/get_preds") == lit.max_body("/get_preds") > 1_000_000
    app.stop()
    assert stopped == [True]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_serve_listens_before_it_has_loaded_lit_and_ends_on_a_signal_meanwhile(tiny_folder, tmp_path, number):
    socket_file = tmp_path / "lit.sock"
    flags = [f"--model={tiny_folder()}", "--datasets=demo", f"--cache_dir={tmp_path / 'cache'}", f"--unix_socket={socket_file}"]
    command = [sys.executable, "-m", "lit_probe.cli", "serve", *flags]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ})
    try:
        said = process.stderr.readline()
        assert "answers, and shows LIT once it is loaded" in said and Path(socket_file).exists()
        process.send_signal(number)
        begun = time.monotonic()
        assert process.wait(timeout=20) == (0 if number == signal.SIGTERM else 130)
        assert time.monotonic() - begun < 15 and not socket_file.exists()
        assert process.stdout.read() == ""
    finally:
        process.kill()
        process.communicate()


def test_a_server_that_cannot_be_built_says_why_and_leaves_nothing_behind(tmp_path):
    socket_file = tmp_path / "lit.sock"
    flags = ["--model=no/such-model", "--datasets=demo", f"--cache_dir={tmp_path / 'cache'}", f"--unix_socket={socket_file}"]
    command = [sys.executable, "-m", "lit_probe.cli", "serve", *flags]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ, "HF_HUB_OFFLINE": "1"})
    assert done.returncode == 1 and "no/such-model" in done.stderr and not socket_file.exists()
