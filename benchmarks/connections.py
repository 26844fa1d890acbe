"""Do many idle and slow clients stop an honest one? 1,000 that say nothing, 300 that send a byte now and then.

The server runs with as many files as the system gives, and again with 1,024, so that clients take each other's places.
"""

from __future__ import annotations

import http.client
import re
import resource
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from functools import partial
from http import HTTPStatus
from pathlib import Path

from benchmarks.figures import Figure, of_rounds, tell

N_IDLE, N_SLOW, N_HONEST = 1_000, 300, 200
HEAD = b"POST /get_info HTTP/1.1\r\nHost: localhost\r\nX-Slow: "
FEW_FILES = 1_024


def main() -> None:
    """Prints the times of the honest client without and with the others."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    for files in (hard, FEW_FILES):
        with tempfile.TemporaryDirectory() as folder:
            log, title = Path(folder) / "server.log", f"{files:,} files"
            command = [sys.executable, "-m", "lit_probe.cli", "serve", "--port=0", "--device=cpu", f"--cache_dir={folder}"]
            limit = partial(resource.setrlimit, resource.RLIMIT_NOFILE, (files, files))
            with log.open("w") as output:
                server = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT, preexec_fn=limit)
            try:
                port = wait_for_port(log)
                tell(*_of(f"{title}, alone", honest(port)))
                crowd = Crowd(port)
                tell(*_of(f"(aa) {title}, among {N_IDLE:,} idle and {N_SLOW} slow clients", honest(port), at_most=1_000))
                crowd.leave()
            finally:
                server.terminate()
                server.wait()


class Crowd:
    """Clients that take places; those that are closed come again."""

    def __init__(self, port: int):
        self._port, self._stop = port, threading.Event()
        self._idle = [self._connect() for _ in range(N_IDLE)]
        self._slow = [self._connect(HEAD) for _ in range(N_SLOW)]
        self._thread = threading.Thread(target=self._drip, daemon=True)
        self._thread.start()

    def leave(self) -> None:
        """Closes all."""
        self._stop.set()
        self._thread.join()
        for one in (*self._idle, *self._slow):
            one.close()

    def _connect(self, sent: bytes = b"") -> socket.socket:
        connection = socket.create_connection(("127.0.0.1", self._port), timeout=30)
        connection.sendall(sent)
        return connection

    def _drip(self) -> None:
        while not self._stop.wait(1):
            for ones, sent in ((self._idle, b""), (self._slow, HEAD)):
                for place, one in enumerate(ones):
                    try:
                        one.setblocking(False)
                        if ones is self._slow:
                            one.send(b"x")
                        elif not one.recv(1):
                            raise ConnectionResetError
                    except BlockingIOError:
                        pass
                    except OSError:
                        one.close()
                        ones[place] = self._connect(sent)


def honest(port: int) -> list[float]:
    """Seconds of each of some requests on new connections, one after another."""
    times = []
    for _ in range(N_HONEST):
        began = time.perf_counter()
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        connection.request("POST", "/get_dataset?dataset_name=demo", b"{}")
        connection.getresponse().read()
        connection.close()
        times.append(time.perf_counter() - began)
        time.sleep(0.02)
    return times


def _of(name: str, times: list[float], **asked: float) -> list[Figure]:
    in_ms = [1e3 * one for one in times]
    return [
        of_rounds(f"{name}: a request", in_ms, "ms"),
        Figure(f"{name}: 95 of 100", statistics.quantiles(in_ms, n=20)[-1], "ms", **asked),
        Figure(f"{name}: the longest", max(in_ms), "ms"),
    ]


def wait_for_port(log: Path) -> int:
    """The port of a server, once it is open: it listens before."""
    deadline = time.monotonic() + 180
    while time.monotonic() < deadline:
        if found := re.search(r"http://127\.0\.0\.1:(\d+)/", log.read_text()):
            connection = http.client.HTTPConnection("127.0.0.1", int(found[1]), timeout=60)
            connection.request("POST", "/get_info", b"{}")
            status = connection.getresponse().status
            connection.close()
            if status != HTTPStatus.SERVICE_UNAVAILABLE:
                return int(found[1])
        time.sleep(0.5)
    raise TimeoutError(log.read_text())


if __name__ == "__main__":
    main()
