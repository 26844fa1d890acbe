"""Many clients at a really running server: idle ones, slow ones, those that do not listen, and an honest one among them."""

from __future__ import annotations

import contextlib
import http.client
import json
import socket
import statistics
import threading
import time
from contextlib import ExitStack, contextmanager

import pytest
from tiny_lit_app import HOST, wrapped

from lit_probe.lit.server.connections import open_files
from lit_probe.lit.server.limits import Limits
from lit_probe.lit.server.web import serve

# Planned waits are a second; whoever waits longer than this was let wait by mistake.
PATIENCE_S = 20
QUICK = Limits(max_connections=40, idle_s=1.0, head_s=1.0, body_s=1.0, small_body=50_000)


@pytest.fixture(scope="module")
def app():
    return wrapped(limits=QUICK)


@pytest.fixture(scope="module")
def server(app):
    server = serve(app, "127.0.0.1", 0, threads=4, limits=QUICK).start()
    yield server
    server.close()


@contextmanager
def connections(server, count, sent=b""):
    """So many connections that have each sent this."""
    with ExitStack() as opened:
        found = [opened.enter_context(socket.create_connection(("127.0.0.1", server.port), PATIENCE_S)) for _ in range(count)]
        for one in found:
            one.sendall(sent)
        yield found


def honest(server):
    """The seconds that a whole answer takes on a new connection."""
    began = time.perf_counter()
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=PATIENCE_S)
    connection.request("POST", "/get_info", b"{}")
    response = connection.getresponse()
    assert "letters" in json.loads(response.read())["models"]
    connection.close()
    return time.perf_counter() - began


def seconds_until_closed(connection):
    began = time.monotonic()
    with contextlib.suppress(ConnectionResetError):
        while connection.recv(65536):
            pass
    return time.monotonic() - began


def head(*lines):
    return "\r\n".join(("POST /get_info HTTP/1.1", f"Host: {HOST}", *lines, "")).encode()


WHOLE = head("Content-Length: 2") + b"\r\n{}"
SILENT = {
    "nothing": b"",
    "an answered request": WHOLE,
    "half a head": head("Content-Le"),
    "a head and no body": head("Content-Length: 100") + b"\r\n",
    "half a body": head("Content-Length: 100") + b"\r\n{",
    "half a body in chunks": head("Transfer-Encoding: chunked") + b"\r\n5\r\n{",
}


@pytest.mark.parametrize("sent", SILENT.values(), ids=SILENT)
def test_a_silent_connection_is_closed_after_its_time(server, sent):
    with connections(server, 1, sent) as [one]:
        assert 0.5 < seconds_until_closed(one) < PATIENCE_S


@pytest.mark.parametrize("begin", [b"", head(), head("Content-Length: 40000") + b"\r\n"], ids=["line", "head", "body"])
def test_a_byte_now_and_then_does_not_keep_it_open(server, begin):
    with connections(server, 1, begin) as [one]:
        began = time.monotonic()
        with pytest.raises(OSError):
            while time.monotonic() - began < PATIENCE_S:
                one.sendall(b"x")
                time.sleep(0.1)
        assert time.monotonic() - began < PATIENCE_S


def test_a_slow_but_steady_body_has_the_time_that_it_takes(server):
    body = b'{"config": {"x": "' + b"y" * 40_000 + b'"}}'
    with connections(server, 1, head(f"Content-Length: {len(body)}") + b"\r\n") as [one]:
        for start in range(0, len(body), 2_000):  # two seconds, with twice the slowest rate
            one.sendall(body[start : start + 2_000])
            time.sleep(0.1)
        assert one.recv(100).startswith(b"HTTP/1.1 200")


def test_a_request_that_takes_longer_than_a_connection_may_be_idle_is_answered():
    def slow(environ, start_response):
        time.sleep(2.5)
        start_response("200 OK", [("Content-Length", "4")])
        return [b"late"]

    slow.max_body = lambda path: 1000
    server = serve(slow, "127.0.0.1", 0, threads=2, limits=QUICK).start()
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=PATIENCE_S)
    connection.request("GET", "/")
    assert connection.getresponse().read() == b"late"
    server.close()


@pytest.mark.parametrize("sent", SILENT.values(), ids=SILENT)
def test_more_connections_than_there_are_places_let_nobody_wait(server, sent):
    with connections(server, 5 * QUICK.max_connections, sent):
        times = [honest(server) for _ in range(20)]
    assert max(times) < PATIENCE_S / 4, "a place is free at once, not after the silence of others"


def test_the_place_is_taken_of_who_has_been_idle_longest_and_not_of_who_is_answered():
    begun, go_on = threading.Event(), threading.Event()

    def held(environ, start_response):
        begun.set()
        go_on.wait(PATIENCE_S)
        start_response("200 OK", [("Content-Length", "4")])
        return [b"done"]

    held.max_body = lambda path: 1000
    limits = Limits(max_connections=4, idle_s=60)
    server = serve(held, "127.0.0.1", 0, threads=2, limits=limits).start()
    with connections(server, 1, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n") as [answered], connections(server, 1) as [oldest]:
        assert begun.wait(PATIENCE_S)
        with connections(server, 2, b"GET / HT") as partial, connections(server, 1) as [youngest]:
            assert seconds_until_closed(oldest) < PATIENCE_S / 2
            go_on.set()
            assert answered.recv(100).startswith(b"HTTP/1.1 200")
            for one in (*partial, youngest):
                one.setblocking(False)
                with pytest.raises(BlockingIOError):
                    one.recv(1)
    server.close()


def test_an_answer_that_nobody_reads_holds_no_thread():
    large = b"x" * 30_000_000

    def app(environ, start_response):
        body = large if environ["PATH_INFO"] == "/large" else b"small"
        start_response("200 OK", [("Content-Length", str(len(body)))])
        return [body]

    app.max_body = lambda path: 1000
    server = serve(app, "127.0.0.1", 0, threads=2, limits=QUICK).start()
    with connections(server, 4, b"GET /large HTTP/1.1\r\nHost: x\r\n\r\n") as deaf:
        time.sleep(0.3)
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=PATIENCE_S)
        connection.request("GET", "/")
        assert connection.getresponse().read() == b"small"
        time.sleep(3 * QUICK.idle_s)
        for one in deaf:
            received = 0
            with pytest.MonkeyPatch.context(), ExitStack():
                try:
                    while part := one.recv(1 << 20):
                        received += len(part)
                except ConnectionResetError:
                    pass
            assert received < len(large), "it was closed after a time in which nobody read"
    server.close()


def test_an_honest_client_is_served_among_idle_and_slow_ones(server):
    stop = threading.Event()

    def drip(ones):
        while not stop.wait(0.2):
            for one in ones:
                try:
                    one.sendall(b"x")
                except OSError:
                    ones.remove(one)

    with connections(server, 100), connections(server, 30, head("X")) as slow:
        thread = threading.Thread(target=drip, args=([*slow],))
        thread.start()
        times = [honest(server) for _ in range(40)]
        stop.set()
        thread.join()
    assert statistics.quantiles(times, n=20)[-1] < 1.0


def test_the_places_are_those_that_the_process_may_open_less_what_others_need():
    assert open_files() > 0
    assert Limits().connections(256) == 64, "as on a Mac"
    assert Limits().connections(64) == 1, "one at a time, rather than none"
    assert Limits(max_connections=10).connections(10**9) == 10


@pytest.mark.parametrize("encoding", ["gzip", "chunked, gzip", "identity", "\x85chunked"])
def test_an_unknown_encoding_is_the_clients_mistake(server, encoding):
    with connections(server, 1, head(f"Transfer-Encoding: {encoding}") + b"\r\n{}") as [one]:
        assert one.recv(1000).startswith(b"HTTP/1.1 400")
