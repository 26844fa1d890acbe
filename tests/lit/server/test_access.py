"""Who may ask, put to a server that really runs: links, cookies, headers, logs, sockets that are files."""

from __future__ import annotations

import http.client
import logging
import os
import re
import socket
import stat
import subprocess
import sys
import urllib.parse
from pathlib import Path
from typing import Any

import pytest
from tiny_lit_app import HOST, Misbehaving, tiny_lit_app, wrapped
from werkzeug.test import Client

from lit_probe.errors import LitProbeError
from lit_probe.lit.host.asker import Asker, read_asker
from lit_probe.lit.plugin import attach
from lit_probe.lit.server.access import Access, check_reach, chosen_token, is_loopback, without_token
from lit_probe.lit.server.page import PackagedFiles
from lit_probe.lit.server.web import serve

OURS = f"/lit_probe/{PackagedFiles.find().version}"
TOKEN = "correct-horse.battery_staple~1"
WRONG = ["", "x", TOKEN[:-1], TOKEN + "x", TOKEN.upper(), "é" * 20, "x" * 100_000, " " + TOKEN]


@pytest.fixture(scope="module")
def server():
    server = serve(wrapped(access=Access(TOKEN)), "127.0.0.1", 0, threads=4).start()
    yield server
    server.close()


def ask(server: Any, method: str, path: str, body: bytes | None = None, **headers: str) -> http.client.HTTPResponse:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)
    connection.request(method, path, body, {name.replace("_", "-"): value for name, value in headers.items()})
    answer = connection.getresponse()
    answer.body = answer.read().decode("utf-8", "replace")
    return answer


def cookie(server: Any) -> str:
    welcome = ask(server, "GET", f"/?token={TOKEN}")
    return welcome.getheader("Set-Cookie").partition(";")[0]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/"),
        ("GET", "/index.html"),
        ("GET", "/main.js"),
        ("GET", f"{OURS}/index.js"),
        ("GET", "/static/favicon.png"),
        ("GET", "/nowhere"),
        ("POST", "/get_info"),
        ("POST", "/save_datapoints"),
        ("POST", "/lit_probe/left"),
        ("OPTIONS", "/get_info"),
    ],
)
def test_nothing_is_answered_without_the_token(server, method, path):
    answer = ask(server, method, path)
    assert answer.status == 401
    assert answer.getheader("WWW-Authenticate").startswith("Bearer")
    assert answer.body.startswith("This server asks for a token. Open the link")


@pytest.mark.parametrize("scheme", ["Bearer", "token", "bearer", "Token"])
def test_a_program_sends_it_with_every_request(server, scheme):
    assert ask(server, "POST", "/get_info", b"{}", Authorization=f"{scheme} {TOKEN}").status == 200


@pytest.mark.parametrize("wrong", [one for one in WRONG if len(one) < 1000 and one.isascii()])
def test_another_token_is_none(server, wrong):
    # Around what a header holds blanks do not count.
    expected = 200 if wrong.strip() == TOKEN else 401
    assert ask(server, "POST", "/get_info", b"{}", Authorization=f"Bearer {wrong}").status == expected
    assert ask(server, "GET", f"/?{urllib.parse.urlencode({'token': wrong})}").status == 401
    name = cookie(server).partition("=")[0]
    assert ask(server, "GET", "/", Cookie=f"{name}={wrong}").status == 401
    assert ask(server, "GET", "/", Cookie=f"{name}={TOKEN}").status == 401


@pytest.mark.parametrize("foreign", ["name=\xe9", "\xff\xfe", 'x="\\351\xe9"', "=;;=,\xa0"])
def test_a_cookie_of_another_program_that_is_no_text_is_in_nobodys_way(server, foreign):
    assert ask(server, "GET", "/", Cookie=foreign).status == 401
    assert ask(server, "GET", "/", Cookie=f"{foreign}; {cookie(server)}").status == 200


def test_the_link_becomes_a_cookie_and_an_address_without_the_token(server):
    answer = ask(server, "GET", f"/?models=letters&token={TOKEN}&layout=x%20y")
    assert (answer.status, answer.getheader("Location")) == (303, "./?models=letters&layout=x+y")
    assert answer.getheader("Cache-Control") == "no-store"
    name, *attributes = [part.strip() for part in answer.getheader("Set-Cookie").split(";")]
    assert name.startswith(f"lit_probe_{server.port}=")
    assert sorted(attributes) == [
        "HttpOnly",
        "SameSite=Strict",
    ]  # without Path: the folder of the page, whatever a proxy calls it
    assert TOKEN not in str(answer.headers) + answer.body
    for method, path in [("GET", "/"), ("POST", "/get_info"), ("GET", f"{OURS}/index.js")]:
        assert ask(server, method, path, Cookie=name).status == 200
    assert ask(server, "GET", f"/index.html?token={TOKEN}").getheader("Location") == "index.html"


@pytest.mark.parametrize(
    ("scheme", "told", "secure"), [("https", {}, True), ("http", {"X-Forwarded-Proto": "https"}, True), ("http", {}, False)]
)
def test_behind_https_the_cookie_is_for_https_alone(scheme, told, secure):
    client = Client(wrapped(access=Access(TOKEN)))
    answer = client.get(f"/?token={TOKEN}", base_url=f"{scheme}://localhost", headers=told)
    assert ("; Secure" in answer.headers["Set-Cookie"]) == secure


@pytest.mark.parametrize(
    ("address", "told"),
    [("10.0.0.7", "10.0.0.7"), ("fe80::7%eth0", "fe80::7%eth0"), ("::ffff:127.0.0.1", ""), ("127.0.0.9", ""), ("", "")],
)
def test_a_question_is_told_from_which_other_machine_it_comes(monkeypatch, address, told):
    heard = []

    def run(self, inputs, model, dataset, model_outputs=None, config=None):
        heard.append(read_asker({"page": "a" * 32, "question": 1}))
        return {}

    monkeypatch.setattr(Misbehaving, "run", run)
    client = Client(wrapped())
    path = "/get_interpretations?model=letters&dataset_name=films&interpreter=misbehaving&do_predict=0"
    client.post(path, json={"inputs": []}, headers={"Host": HOST}, environ_base={"REMOTE_ADDR": address})
    assert heard == [Asker("a" * 32, 1, told)]
    assert read_asker({"page": "a" * 32, "question": 1}).address == "", "and nobody else hears of it"


def test_the_token_in_the_address_opens_the_page_and_nothing_else(server):
    for method, path in [("POST", "/get_info"), ("GET", "/main.js"), ("POST", "/")]:
        assert ask(server, method, f"{path}?token={TOKEN}").status == 401


def test_a_link_on_another_site_works_although_browsers_keep_strict_cookies_back(server):
    by_link = {"Sec_Fetch_Site": "cross-site", "Sec_Fetch_Mode": "navigate"}
    answer = ask(server, "GET", f"/?token={TOKEN}&a=%22%3E%3Cscript%3E", **by_link)
    assert (answer.status, answer.getheader("Location")) == (200, None)
    assert answer.getheader("Set-Cookie")
    assert 'http-equiv="refresh" content="0; url=./?a=%22%3E%3Cscript%3E"' in answer.body
    assert TOKEN not in answer.body
    answer = ask(server, "GET", "/?a=1", **by_link)
    assert (answer.status, answer.getheader("Set-Cookie")) == (401, None)
    assert 'url=./?a=1"' in answer.body
    assert "http-equiv" not in ask(server, "GET", "/?a=1", Sec_Fetch_Site="same-origin").body


def test_another_host_and_another_origin_are_refused_with_the_token_too(server):
    assert ask(server, "GET", f"/?token={TOKEN}", Host="evil.example").status == 403
    assert ask(server, "POST", "/get_info", b"{}", Authorization=f"Bearer {TOKEN}", Origin="http://evil.example").status == 403


def test_the_token_stands_in_no_log(server, caplog):
    with caplog.at_level(logging.DEBUG):
        for name in ("token", "t%6Fken"):
            ask(server, "GET", f"/?{name}={TOKEN}")
            ask(server, "GET", f"/nowhere?{name}={TOKEN}")
            ask(server, "POST", f"/get_info?a=1&{name}={TOKEN}")
        ask(server, "GET", "/nowhere", Authorization=f"Bearer {TOKEN}")
    assert "nowhere" in caplog.text
    assert TOKEN not in caplog.text
    assert TOKEN not in repr(Access(TOKEN))
    assert without_token(f"/?a=token&token={TOKEN}") == "/?a=token&token=…"


def test_without_a_token_everybody_here_is_answered_and_other_machines_where_that_was_asked():
    def status(address: str | None, access: Access) -> int:
        client, told = Client(wrapped(access=access)), {} if address is None else {"REMOTE_ADDR": address}
        return client.get("/", base_url="http://127.0.0.1:5432", environ_overrides=told).status_code

    for here in (None, "", "localhost", "127.0.0.1", "127.1.2.3", "::1", "::ffff:127.0.0.1"):
        assert status(here, Access(only_here=True)) == 200
    for there in ("10.0.0.2", "2001:db8::1", "::ffff:10.0.0.2", "0.0.0.0", "nonsense"):
        assert status(there, Access(only_here=True)) == 403
        assert status(there, Access()) == 200


def test_somebodys_own_lit_takes_a_token_too():
    for guard in (True, False):
        app = attach(tiny_lit_app(), guard=guard, access=Access(TOKEN))
        server = serve(app, "127.0.0.1", 0, threads=2).start()
        try:
            for path in ("/", "/main.js", f"{OURS}/index.js"):
                assert ask(server, "GET", path).status == 401
                assert ask(server, "GET", path, Cookie=cookie(server)).status == 200
            assert ask(server, "POST", "/get_info", b"{}").status == 401
            assert ask(server, "POST", "/get_info", b"{}", Cookie=cookie(server)).status == 200
        finally:
            server.close()


# ---- what may be asked for


def test_a_token_that_is_made_is_long_and_new_each_time():
    one, other = chosen_token("auto"), chosen_token("auto")
    assert one != other
    assert len(one or "") >= 32
    assert chosen_token(one) == one
    assert chosen_token(None) is chosen_token("") is None


@pytest.mark.parametrize(
    "bad", ["short", "0123456789abcde", "a b" * 10, "ä" * 20, "x" * 300, "a&b=c" * 5, "x" * 20 + "\n", "AUTO"]
)
def test_a_token_that_is_easily_guessed_or_mangled_is_refused_without_repeating_it(bad):
    with pytest.raises(LitProbeError, match="16 to 256 letters") as refused:
        chosen_token(bad)
    assert bad not in str(refused.value) or bad == "AUTO"


def test_hosts_that_others_reach_need_a_token():
    for host in ("0.0.0.0", "::", "", "192.0.2.1"):
        assert not is_loopback(host)
        with pytest.raises(LitProbeError, match=r"whoever reaches it reads the data\. Give it a token: --token=auto"):
            check_reach(host, None)
        check_reach(host, TOKEN)
    for host in ("127.0.0.1", "127.8.8.8", "localhost", "::1"):
        check_reach(host, None)


def lit_probe(*flags: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "lit_probe.cli", "serve", *flags]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, env={**os.environ, **environment})


def test_serve_refuses_at_once_what_would_be_open_or_is_no_token(tmp_path):
    for host in ("0.0.0.0", "::"):
        done = lit_probe(f"--host={host}")
        assert (done.returncode, done.stdout) == (1, "")
        assert "Give it a token: --token=auto" in done.stderr
    done = lit_probe("--host=0.0.0.0", "--token=", LIT_PROBE_TOKEN=TOKEN)
    assert (done.returncode, "Give it a token" in done.stderr) == (1, True)
    done = lit_probe(LIT_PROBE_TOKEN="weak secret")
    assert (done.returncode, "weak" in done.stderr) == (1, False)
    done = lit_probe("--unix_socket=/tmp/x", "--port=1234")
    assert (done.returncode, "leave out --host and --port" in done.stderr) == (1, True)


# ---- sockets that are files


def over_file(path: Path, request: bytes = b"GET / HTTP/1.0\r\nHost: localhost\r\n\r\n") -> bytes:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(20)
        connection.connect(str(path))
        connection.sendall(request)
        answer = b""
        while received := connection.recv(65536):
            answer += received
    return answer


def test_a_server_on_a_file_answers_its_owner_alone(tmp_path):
    path, before = tmp_path / "lit.sock", os.umask(0)
    try:
        server = serve(wrapped(access=Access(only_here=True)), "", 0, threads=2, unix_socket=str(path)).start()
    finally:
        os.umask(before)
    try:
        mode = path.lstat().st_mode
        assert (stat.S_ISSOCK(mode), stat.S_IMODE(mode)) == (True, 0o600)
        assert server.url == f"unix:{path}"
        assert over_file(path).startswith(b"HTTP/1.0 200")
        assert over_file(path, b"GET / HTTP/1.0\r\nHost: evil.example\r\n\r\n").startswith(b"HTTP/1.0 403")
        with pytest.raises(LitProbeError, match=r"A server is listening on the socket"):
            serve(wrapped(), "", 0, unix_socket=str(path))
    finally:
        server.close()
    assert not path.exists()
    after = serve(wrapped(), "", 0, threads=1, unix_socket=str(path))
    server.close()
    assert path.exists()
    after.close()


def test_a_file_that_a_dead_server_left_is_replaced_and_anything_else_is_not(tmp_path):
    left = tmp_path / "left.sock"
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as dead:
        dead.bind(str(left))
    server = serve(wrapped(), "", 0, threads=1, unix_socket=str(left))
    server.close()
    own = tmp_path / "thesis.txt"
    own.write_text("years of work")
    for path, why in [
        (own, "is there already and is no socket"),
        (tmp_path, "is no socket"),
        (tmp_path / "no" / "folder", "No such file or directory"),
        (tmp_path / ("x" * 200), "too long"),
    ]:
        with pytest.raises(LitProbeError, match=re.escape(why)):
            serve(wrapped(), "", 0, unix_socket=str(path))
    link = tmp_path / "link.sock"
    link.symlink_to(own)
    with pytest.raises(LitProbeError, match="is no socket"):
        serve(wrapped(), "", 0, unix_socket=str(link))
    assert own.read_text() == "years of work"
