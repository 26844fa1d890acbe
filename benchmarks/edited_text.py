"""How long does an edited text take through LIT's HTTP API, against the bare forward of that text?

(e) one edited text, all layers' probabilities: at most 2.5x the bare forward of that text.
"""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from typing import Any, NamedTuple

from benchmarks.common import bare_forward, default_encoder, seconds, sentences
from benchmarks.figures import Times, tell

ROUNDS = 60


def main() -> None:
    """Prints the ratio."""
    encoder = default_encoder()
    texts = [text for text in sentences("dev") if 10 <= len(text.split()) <= 30]
    with tempfile.TemporaryDirectory() as folder, demo_server(folder) as (port, model, _):
        through_http, bare = [], []
        for i in range(ROUNDS + 5):
            # A new text every time, so that no memo answers.
            text = f"{texts[i % len(texts)]} edit {i}"
            example = edited(port, text)
            through_http.append(seconds(_predict, port, model, example))
            bare.append(seconds(bare_forward, encoder, [encoder.encode([text])]))
    times = Times({"http": through_http[5:], "bare": bare[5:]})
    tell(
        times.seconds("through HTTP", "http"), times.ratio("(e) an edited text through HTTP / bare", "http", "bare", at_most=2.5)
    )


class Served(NamedTuple):
    """A running server.

    Attributes:
      port: on this machine.
      model: the name of its first LIT model, whose probes are fitted.
      pid: of its process.
    """

    port: int
    model: str
    pid: int


@contextmanager
def demo_server(folder: str, *flags: str) -> Iterator[Served]:
    """A server with the demo data, its cache in ``folder``, further flags of ``serve`` as given."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "lit_probe.cli", "serve", f"--port={port}", f"--cache_dir={folder}", "--device=cpu", *flags]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield Served(port, _wait_until_ready(port), server.pid)
    finally:
        server.terminate()
        server.wait()


def _wait_until_ready(port: int) -> str:
    """The LIT model's name, once its probes are fitted."""
    deadline = time.monotonic() + 600
    while time.monotonic() < deadline:
        try:
            model = next(iter(post(port, "get_info")["models"]))
            if _predict(port, model, edited(port, "ready"))["status"] == "ready":
                return str(model)
        except urllib.error.HTTPError as error:
            if error.code != HTTPStatus.SERVICE_UNAVAILABLE:
                raise
            # still opening
        except (urllib.error.URLError, ConnectionError):
            pass  # not listening yet
        time.sleep(0.5)
    raise TimeoutError("the server was not ready within ten minutes")


def edited(port: int, text: str) -> dict[str, Any]:
    """What the editor's "Add" makes of a text: LIT gives it its id."""
    data = {"_id": "", "text": text, "label": "positive", "_meta": {"added": True}}
    body = {"inputs": [{"data": data, "id": "", "meta": data["_meta"]}]}
    [example] = post(port, "annotate_new_data?dataset_name=demo", body)
    return dict(example)


def _predict(port: int, model: str, example: dict[str, Any]) -> dict[str, Any]:
    """Every layer's probabilities of the edited text."""
    query = f"get_interpretations?model={model}&dataset_name=demo&interpreter=layer_predictions&do_predict=0"
    answer: dict[str, Any] = post(port, query, {"inputs": [example], "config": {}})
    return answer


def post(port: int, path: str, body: Any = None) -> Any:
    """The server's answer to a POST request."""
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/{path}", json.dumps(body or {}).encode(), {"Content-Type": "application/json"}, method="POST"
    )
    with urllib.request.urlopen(request, timeout=30) as response:
        return json.load(response)
