"""How a server process ends on a signal: what it has begun, how long it takes, and with which code."""

from __future__ import annotations

import http.client
import logging
import os
import re
import signal
import socket
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from lit_probe.lit.server.serving import serve

# An application whose requests take as long as they say, and a thread that never lets go, as one in a forward pass does.
PROGRAM = """
    import signal, sys, threading, time
    import numpy as np
    from lit_probe.lit.server.ending import end_on_signal, wait_for_end
    from lit_probe.lit.server.serving import serve

    stopped = threading.Event()

    def app(environ, start_response):
        print("begun", flush=True)
        until = time.monotonic() + float(environ["PATH_INFO"][1:])
        while time.monotonic() < until:
            time.sleep(0.01)
        body = (b"stopped" if stopped.is_set() else b"running") + b"." * 2_000_000
        start_response("200 OK", [("Content-Length", str(len(body)))])
        return [body]

    def busy():
        big = np.ones((1500, 1500))
        while True:
            big = big @ big / 1500

    app.max_body = lambda path: 1000
    server = serve(app, "127.0.0.1", 0, threads=4, unix_socket=sys.argv[1] if len(sys.argv) > 1 else None)
    threading.Thread(target=busy).start()  # no daemon: Python itself would wait for it

    def tell():
        # Not before: who reads it sends a signal at once.
        while signal.getsignal(signal.SIGINT) is signal.default_int_handler:
            time.sleep(0.001)
        print(server.url, flush=True)

    threading.Thread(target=tell, daemon=True).start()
    end_on_signal(server, stopped.set, patience_s=3)
    server.run()
    wait_for_end()
"""


@contextmanager
def running(*arguments: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    command = [sys.executable, "-c", textwrap.dedent(PROGRAM), *arguments]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)
    try:
        yield process, process.stdout.readline().strip()
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def begun(process: subprocess.Popen[str], url: str, seconds: float) -> http.client.HTTPConnection:
    connection = http.client.HTTPConnection(re.search(r"//([^/]+)/", url)[1], timeout=20)
    connection.request("GET", f"/{seconds}")
    assert process.stdout.readline() == "begun\n"
    return connection


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 0), (signal.SIGINT, 130)])
def test_what_is_short_is_finished_what_is_long_is_cut_and_nobody_new_is_let_in(number, code):
    with running() as (process, url):
        short, long = begun(process, url, 0.5), begun(process, url, 60)
        idle = http.client.HTTPConnection(short.host, short.port, timeout=20)
        idle.connect()
        start = time.monotonic()
        process.send_signal(number)
        body = short.getresponse().read()
        assert (body[:7], len(body)) == (b"stopped", 2_000_007)
        with pytest.raises(OSError):
            socket.create_connection((short.host, short.port), timeout=5).close()
        assert process.wait(timeout=20) == code
        assert time.monotonic() - start < 8
        with pytest.raises((OSError, http.client.HTTPException)):
            long.getresponse()
        assert idle.sock.recv(1) == b""


def test_with_nothing_to_finish_the_process_is_gone_at_once():
    with running() as (process, url):
        connection = begun(process, url, 0)
        assert connection.getresponse().read()
        start = time.monotonic()
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=20) == 0
        assert time.monotonic() - start < 3


def test_a_second_signal_does_not_wait():
    with running() as (process, url):
        begun(process, url, 60)
        process.send_signal(signal.SIGINT)
        time.sleep(0.3)
        start = time.monotonic()
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=20) == 130
        assert time.monotonic() - start < 2


class Slow:
    """Answers once it is told to go on."""

    def __init__(self):
        self.asked, self.go_on = threading.Event(), threading.Event()

    def max_body(self, path: str) -> int:
        return 0

    def __call__(self, environ, start_response):
        self.asked.set()
        self.go_on.wait(20)
        start_response("204 No Content", [])
        return []


def test_the_file_of_a_server_that_follows_stays_when_the_last_answer_of_the_first_is_sent(tmp_path):
    path, app = tmp_path / "lit.sock", Slow()
    first = serve(app, "", 0, threads=1, unix_socket=str(path)).start()
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as asks:
        asks.settimeout(20)
        asks.connect(str(path))
        asks.sendall(b"GET / HTTP/1.0\r\n\r\n")
        assert app.asked.wait(20)
        ending = threading.Thread(target=first.finish, args=(20,))
        ending.start()
        while path.exists():
            time.sleep(0.01)
        following = serve(app, "", 0, threads=1, unix_socket=str(path))
        app.go_on.set()
        assert asks.recv(1000).startswith(b"HTTP/1.0 204")
    ending.join()
    assert path.exists()
    following.close()
    assert not path.exists()


def test_who_ends_a_server_on_which_nothing_goes_on_is_not_warned(caplog):
    server = serve(Slow(), "127.0.0.1", 0, threads=8).start()
    server.finish(5)
    assert [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING] == []


def test_a_socket_file_is_gone_with_the_server(tmp_path):
    path = tmp_path / "lit.sock"
    with running(str(path)) as (process, url):
        assert url == f"unix:{path}" and path.exists()
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=20) == 0
        assert not Path(path).exists()
