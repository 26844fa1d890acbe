"""How long does a second start of the server take to its page, against the import of LIT alone?

(an) seconds to LIT's page, and seconds of the processor up to it, with everything in the cache: at most 1.1x of a process that
imports LIT and does nothing else. The page that says that LIT is loading is there long before.
"""

from __future__ import annotations

import http.client
import os
import re
import resource
import subprocess
import sys
import tempfile
import time
from http import HTTPStatus
from pathlib import Path

from benchmarks.figures import Times, tell

ROUNDS = 5
IMPORT = "from lit_nlp import app, dev_server"
# Where a process's seconds of the processor stand in its line of Linux's /proc, in user and in system.
_USER, _SYSTEM = 11, 12


def main() -> None:
    """Tells the ratios."""
    rounds: dict[str, list[float]] = {}
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "lit_probe.cli", "serve", "--datasets=demo", "--port=0", f"--cache_dir={folder}"]
        started(command, until_ready=True)
        for _ in range(ROUNDS):
            for name, measured in {**imported(), **started(command)}.items():
                rounds.setdefault(name, []).append(measured)
    times = Times(rounds)
    tell(
        times.ratio("(an) seconds to LIT's page / import of LIT", "page", "import", at_most=1.1),
        times.ratio("(an) the same of the processor", "page, processor", "import, processor", at_most=1.1),
        times.ratio("seconds to the loading page / import of LIT", "loading", "import"),
        times.seconds("to LIT's page", "page"),
    )


def imported() -> dict[str, float]:
    """Seconds of a process that imports LIT, and of the processor."""
    start, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-c", IMPORT], check=True, capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    processor = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {"import": time.perf_counter() - start, "import, processor": processor}


def started(command: list[str], *, until_ready: bool = False) -> dict[str, float]:
    """Seconds from the start of the server to its first answer and to LIT's page, and of the processor up to that.

    Args:
      command: what starts it.
      until_ready: whether to wait until its probes are fitted, so that the cache has them.
    """
    start = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as server:
        try:
            assert server.stderr is not None
            port = next(int(found[1]) for line in server.stderr if (found := re.search(r"127\.0\.0\.1:(\d+)/ answers", line)))
            loading = _wait(port, "/", (HTTPStatus.OK, HTTPStatus.SERVICE_UNAVAILABLE)) - start
            page = _wait(port, "/", (HTTPStatus.OK,)) - start
            processor = _processor_seconds(server.pid)
            if until_ready:
                _wait(port, "/readyz", (HTTPStatus.OK,))
        finally:
            server.terminate()
            server.communicate()
    return {"loading": loading, "page": page, "page, processor": processor}


def _wait(port: int, path: str, wanted: tuple[HTTPStatus, ...]) -> float:
    """When the address first answers so."""
    while True:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        connection.request("GET", path)
        status = connection.getresponse().status
        connection.close()
        if status in wanted:
            return time.perf_counter()
        time.sleep(0.05)


def _processor_seconds(pid: int) -> float:
    words = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(words[_USER]) + int(words[_SYSTEM])) / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    main()
