"""A real nginx before our server and before gunicorn, in a folder of its address, as the page on deployment says."""

from __future__ import annotations

import http.client
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urljoin

import pytest
from live_server import SERVE

ROOT = Path(__file__).parent.parent
TOKEN = "a-token-for-the-tests-behind-nginx"
HOST = "lab.example.org"
PATIENCE_S = 120

# Everything that it writes lies in one folder, and one process of the same user does everything, so that it needs no rights.
CONFIG = """
daemon off;
master_process off;
pid {folder}/nginx.pid;
error_log {folder}/nginx-errors.log;
events {{ worker_connections 64; }}
http {{
    access_log off;
    client_body_temp_path {folder}/bodies;
    proxy_temp_path {folder}/answers;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    server {{
        listen 127.0.0.1:{port};
        {location}
    }}
}}
"""


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def documented_location(port: int) -> str:
    """What the page on deployment tells people to write, for a server on this port."""
    page = (ROOT / "docs" / "deployment.md").read_text()
    [block] = re.findall(r"```nginx\n(.*?)```", page, flags=re.DOTALL)
    assert block.count("127.0.0.1:5432") == 1
    return block.replace("127.0.0.1:5432", f"127.0.0.1:{port}")


@pytest.fixture(scope="module")
def nginx_program() -> str:
    """Where nginx is; without it the tests are skipped, unless ``LIT_PROBE_NGINX=require``."""
    # Debian keeps it where only root looks.
    found = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
    if found is None:
        message = "no nginx on the PATH: install it (Debian: apt-get install nginx-light) to run the tests behind a proxy"
        if os.environ.get("LIT_PROBE_NGINX") == "require":
            pytest.fail(message)
        pytest.skip(message)
    return found


class Behind:
    """A client of the proxy.

    Args:
      port: where nginx listens.
    """

    def __init__(self, port: int):
        self.port = port
        self.cookie: dict[str, str] = {}

    def ask(self, method: str, path: str, body: bytes | None = None, **headers: str) -> http.client.HTTPResponse:
        """What is answered, with its ``body``."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_S)
        sent = {"Host": HOST, **self.cookie, **headers}
        connection.request(method, path, body, {name.replace("_", "-"): value for name, value in sent.items()})
        answer = connection.getresponse()
        answer.body = answer.read()
        connection.close()
        return answer


@pytest.fixture(scope="module", params=["serve", "gunicorn"])
def behind(request, nginx_program, tiny_folder, tmp_path_factory) -> Iterator[Behind]:
    folder = tmp_path_factory.mktemp("nginx")
    back, front = free_port(), free_port()
    flags = [f"--model={tiny_folder()}", "--datasets=demo", f"--cache_dir={folder / 'cache'}", "--device=cpu"]
    flags += [f"--allowed_hosts={HOST}"]
    command = {
        "serve": [*SERVE, f"--port={back}", *flags],
        "gunicorn": [
            *(sys.executable, "-m", "gunicorn", f"--config={ROOT / 'deploy' / 'gunicorn.conf.py'}"),
            *(f"--bind=127.0.0.1:{back}", f"server:get_wsgi_app({flags!r})"),
        ],
    }[request.param]
    config = folder / "nginx.conf"
    config.write_text(CONFIG.format(folder=folder, port=front, location=documented_location(back)))
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "LIT_PROBE_TOKEN": TOKEN}
    log = folder / "log"
    started = []
    with log.open("wb") as output:
        for line in (command, [nginx_program, "-c", str(config), "-p", str(folder), "-e", str(folder / "nginx-errors.log")]):
            started.append(subprocess.Popen(line, cwd=ROOT, stdout=output, stderr=subprocess.STDOUT, env=environment))
    try:
        client, deadline = Behind(front), time.monotonic() + PATIENCE_S
        while not _is_ready(client):
            assert all(one.poll() is None for one in started) and time.monotonic() < deadline, log.read_text()
            time.sleep(0.2)
        yield client
    finally:
        for one in reversed(started):
            one.terminate()
            one.wait(timeout=30)


def _is_ready(client: Behind) -> bool:
    try:
        return client.ask("GET", "/lit/readyz").status == 200
    except OSError:
        return False


@pytest.fixture(scope="module")
def reader(behind: Behind) -> Behind:
    """Somebody who has opened the link with the token."""
    assert behind.ask("GET", "/lit/").status == 401
    welcome = behind.ask("GET", f"/lit/?token={TOKEN}")
    assert (welcome.status, welcome.getheader("Location")) == (303, "./"), welcome.body
    assert "Path" not in welcome.getheader("Set-Cookie"), "the folder of the page is what a browser takes"
    behind.cookie = {"Cookie": welcome.getheader("Set-Cookie").partition(";")[0]}
    return behind


def test_page_files_and_api_are_reached_in_the_folder_and_not_beside_it(reader: Behind):
    page = reader.ask("GET", "/lit/")
    assert page.status == 200 and b"<lit-app>" in page.body
    files = re.findall(rb'(?:href|src)="([^"]+)"', page.body)
    assert len(files) > 2
    for name in files:
        found = reader.ask("GET", urljoin("/lit/", name.decode()))
        assert found.status == 200 and found.body, name
        again = reader.ask("GET", urljoin("/lit/", name.decode()), If_None_Match=found.getheader("ETag") or "")
        assert again.status == (304 if found.getheader("ETag") else 200)
    assert reader.ask("GET", "/lit_probe/index.js").status == 404, "nginx itself knows no such address"
    info = reader.ask("POST", "/lit/get_info", b"{}", Origin=f"http://{HOST}")
    assert list(json.loads(info.body)["models"]) == ["tiny-bert-on-demo"]
    rows = json.loads(reader.ask("POST", "/lit/get_dataset?dataset_name=demo", b"{}").body)
    address = "/lit/get_interpretations?model=tiny-bert-on-demo&dataset_name=demo&interpreter=layer_metrics&do_predict=0"
    body = json.dumps({"inputs": [row["id"] for row in rows]}).encode()
    deadline = time.monotonic() + PATIENCE_S
    while (answer := json.loads(reader.ask("POST", address, body).body))["status"] == "computing":
        assert time.monotonic() < deadline
        time.sleep(0.2)
    assert answer["status"] == "ready" and answer["series"]


def test_what_is_too_large_is_refused_in_words_that_a_person_reads(reader: Behind):
    rows = b'{"inputs": ["' + b"x" * (32 * 2**20) + b'"]}'
    address = "/lit/get_preds?model=tiny-bert-on-demo&dataset_name=demo"
    for path, body in ((address, rows), ("/lit/get_info", rows[: 2**20])):
        refused = reader.ask("POST", path, body)
        assert refused.status == 413 and b"The request is larger than the " in refused.body, refused.body[:200]


def test_other_hosts_other_sites_and_who_has_no_token_are_refused_behind_it_too(reader: Behind):
    assert reader.ask("POST", "/lit/get_info", b"{}", Origin="http://evil.example").status == 403
    assert reader.ask("POST", "/lit/get_info", b"{}", Host="evil.example").status == 403
    assert reader.ask("POST", "/lit/get_info", b"{}", Cookie="").status == 401
    assert reader.ask("GET", "/lit/readyz", Host="10.0.0.7", Cookie="").status in (200, 503)


def test_a_slow_body_is_collected_by_the_proxy_and_holds_no_thread_of_the_server(reader: Behind):
    body = b"{}"
    head = f"POST /lit/get_info HTTP/1.1\r\nHost: {HOST}\r\nCookie: {reader.cookie['Cookie']}\r\nContent-Length: 2\r\n\r\n"
    slow = [socket.create_connection(("127.0.0.1", reader.port), timeout=PATIENCE_S) for _ in range(40)]
    try:
        for one in slow:
            one.sendall(head.encode() + body[:1])
        # More than gunicorn has threads.
        assert reader.ask("POST", "/lit/get_info", b"{}").status == 200
        slow[0].sendall(body[1:])
        assert slow[0].recv(64).startswith(b"HTTP/1.1 200")
    finally:
        for one in slow:
            one.close()
