"""The real server on a free port, spoken to byte by byte where a polite client would not do."""

from __future__ import annotations

import http.client
import json
import socket
import threading
import time

import pytest
from tiny_lit_app import wrapped

from lit_probe.errors import LitProbeError
from lit_probe.lit.server.limits import Limits
from lit_probe.lit.server.web import serve

MAX_BODY = 1_000_000


@pytest.fixture(scope="module")
def app():
    return wrapped(limits=Limits(max_body=MAX_BODY, small_body=MAX_BODY))


@pytest.fixture(scope="module")
def server(app):
    server = serve(app, "127.0.0.1", 0, threads=4).start()
    yield server
    server.close()


def raw(server, request: bytes, *parts: bytes) -> bytes:
    """Sends bytes as they are and reads until the server hangs up or has nothing more to say."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=5) as connection:
        connection.sendall(request)
        for part in parts:
            connection.sendall(part)
        answer = b""
        while b"\r\n\r\n" not in answer or not _complete(answer):
            received = connection.recv(65536)
            if not received:
                break
            answer += received
    return answer


def _complete(answer: bytes) -> bool:
    head, _, body = answer.partition(b"\r\n\r\n")
    lengths = [line.split(b":")[1] for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")]
    return bool(lengths) and len(body) >= int(lengths[0])


def head(server, extra: str = "", path: str = "/get_info") -> bytes:
    return f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\n{extra}\r\n".encode()


def test_the_page_and_the_api_are_served(server):
    connection = http.client.HTTPConnection("127.0.0.1", server.port)
    connection.request("GET", "/")
    response = connection.getresponse()
    assert (response.status, response.getheader("Server")) == (200, None)
    assert b"/index.js" in response.read()
    connection.request("POST", "/get_info", body=b"{}")
    assert "letters" in json.loads(connection.getresponse().read())["models"]
    assert server.url == f"http://127.0.0.1:{server.port}/"


def test_a_request_without_host_is_refused(server):
    assert raw(server, b"GET / HTTP/1.0\r\n\r\n").startswith(b"HTTP/1.0 403")
    assert raw(server, f"GET / HTTP/1.0\r\nHost: 127.0.0.1:{server.port}\r\n\r\n".encode()).startswith(b"HTTP/1.0 200")


def test_two_hosts_are_refused(server):
    assert raw(server, head(server, "Host: evil.example\r\n")).startswith(b"HTTP/1.1 403")


def test_paths_are_not_cleaned_up_on_the_way(server):
    for path in ("/static/../main.js.map", "/..%2f..%2fetc%2fpasswd", "/lit_probe/..%5clit%5cweb.py"):
        request = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\n\r\n".encode()
        assert raw(server, request).startswith(b"HTTP/1.1 404"), path


def test_a_body_over_the_limit_is_refused_by_its_announcement_alone(server):
    for length in (MAX_BODY + 1, 10**9, 10**14):
        answer = raw(server, head(server, f"Content-Length: {length}\r\n"))
        assert answer.startswith(b"HTTP/1.1 413"), length
        assert b"The request is larger than the 1,000,000 bytes allowed." in answer


def test_a_client_that_sends_everything_before_it_reads_still_sees_the_refusal(server):
    body = b"x" * (40 * MAX_BODY)
    answer = raw(server, head(server, f"Content-Length: {len(body)}\r\n"), body)
    assert answer.startswith(b"HTTP/1.1 413")
    assert b"Connection: close" in answer


def test_a_body_in_chunks_is_measured_too(server):
    chunk = b"10000\r\n" + b" " * 0x10000 + b"\r\n"
    small, large = chunk + b"2\r\n{}\r\n0\r\n\r\n", chunk * 100 + b"0\r\n\r\n"
    assert raw(server, head(server, "Transfer-Encoding: chunked\r\n"), small).startswith(b"HTTP/1.1 200")
    assert raw(server, head(server, "Transfer-Encoding: chunked\r\n"), large).startswith(b"HTTP/1.1 413")


def test_what_follows_a_refused_body_is_not_taken_for_a_request(server):
    smuggled = head(server, "Content-Length: 2\r\n") + b"{}"
    answer = raw(server, head(server, f"Content-Length: {MAX_BODY + 1}\r\n") + smuggled)
    assert answer.count(b"HTTP/1.1") == 1


def test_an_expectation_is_answered_with_the_refusal(server):
    extra = f"Content-Length: {MAX_BODY + 1}\r\nExpect: 100-continue\r\n"
    assert raw(server, head(server, extra)).startswith(b"HTTP/1.1 413")


@pytest.mark.parametrize(
    "extra", ["Content-Length: ten\r\n", "Content-Length: -5\r\n", "Content-Length: 3\r\nContent-Length: 4\r\n"]
)
def test_a_content_length_that_is_no_number_is_refused(server, extra):
    assert raw(server, head(server, extra)).startswith(b"HTTP/1.1 400")


def test_a_body_without_length_is_no_body(server):
    assert raw(server, head(server)).startswith(b"HTTP/1.1 200")


def test_refusals_do_not_wear_the_server_out(server):
    for _ in range(50):
        raw(server, head(server, f"Content-Length: {MAX_BODY * 2}\r\n"), b"x" * 200_000)
    assert raw(server, head(server)).startswith(b"HTTP/1.1 200")


def test_requests_are_worked_on_at_the_same_time(server):
    hold = socket.create_connection(("127.0.0.1", server.port))
    hold.sendall(head(server, "Content-Length: 10\r\n") + b"{")  # never finished
    start = time.monotonic()
    assert raw(server, head(server)).startswith(b"HTTP/1.1 200")
    assert time.monotonic() - start < 2
    hold.close()


def test_a_port_in_use_is_named_with_the_way_out(app, server):
    with pytest.raises(LitProbeError, match=rf"Port {server.port} is in use on 127\.0\.0\.1\. Choose another one \(--port"):
        serve(app, "127.0.0.1", server.port)


@pytest.mark.parametrize(
    ("host", "port", "message"),
    [
        ("127.0.0.1", 70000, "70000 is not a port"),
        ("..", 0, r"The host '\.\.' is not known"),
        ("192.0.2.1", 0, r"Cannot listen on 192\.0\.2\.1, port 0"),
    ],
)
def test_an_impossible_address_is_refused(app, host, port, message):
    with pytest.raises(LitProbeError, match=message):
        serve(app, host, port)


def test_closing_frees_the_port_the_connections_and_the_threads(app):
    before = threading.active_count()
    server = serve(app, "127.0.0.1", 0, threads=3).start()
    kept_open = http.client.HTTPConnection("127.0.0.1", server.port)
    kept_open.request("POST", "/get_info", body=b"{}")
    assert kept_open.getresponse().read()
    server.close()
    server.close()
    assert threading.active_count() == before
    serve(app, "127.0.0.1", server.port, threads=1).close()


def test_closing_waits_no_longer_than_asked_for_a_request_in_the_making():
    begun, go_on = threading.Event(), threading.Event()

    def slow(environ, start_response):
        begun.set()
        go_on.wait(20)
        start_response("200 OK", [])
        return [b""]

    slow.max_body = lambda path: MAX_BODY
    server = serve(slow, "127.0.0.1", 0, threads=1).start()
    waiting = http.client.HTTPConnection("127.0.0.1", server.port)
    waiting.request("GET", "/")
    assert begun.wait(10)
    start = time.monotonic()
    server.close(patience_s=0.2)
    assert time.monotonic() - start < 1
    go_on.set()


def test_a_thread_that_wakes_the_closed_server_writes_into_no_file_that_was_opened_since(app, tmp_path):
    server = serve(app, "127.0.0.1", 0, threads=1).start()
    wake = server._waitress.pull_trigger
    wake()
    server.close()
    files = [(tmp_path / str(number)).open("wb") for number in range(20)]
    wake()
    for file in files:
        file.close()
    assert [path.name for path in tmp_path.iterdir() if path.stat().st_size] == []


def test_a_server_that_never_ran_can_be_closed(app):
    before = threading.active_count()
    server = serve(app, "localhost", 0, threads=2)
    server.close()
    assert threading.active_count() == before


def test_an_address_on_all_interfaces_is_shown_as_one_that_a_browser_can_open(app):
    server = serve(app, "0.0.0.0", 0, threads=1)
    assert server.url == f"http://127.0.0.1:{server.port}/"
    server.close()
