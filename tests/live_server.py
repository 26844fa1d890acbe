"""`lit-probe serve` as a user starts it, in a process of its own, and what can be asked of it over HTTP."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

SERVE = (sys.executable, "-m", "lit_probe.cli", "serve")
PATIENCE_S = 120


@contextmanager
def live_server(flags: Sequence[str], folder: Path, command: Sequence[str] = SERVE, **options: Any) -> Iterator[str]:
    """The address of a running server on a free port, with a slash at the end.

    Args:
      flags: of ``serve``; the port is chosen and the cache stands in ``folder`` unless they say otherwise.
      folder: for its log and its cache.
      command: what starts it.
      options: of the process, such as ``cwd``.
    """
    log = folder / "server.log"
    environment = {**os.environ, "OMP_NUM_THREADS": "1", **options.pop("env", {})}
    # Vectors that are there already are computed on no device.
    device = [] if any(flag.startswith("--activations") for flag in flags) else ["--device=cpu"]
    whole = [*command, "--port=0", *device, f"--cache_dir={folder / 'cache'}", *flags]
    with log.open("w") as output:
        process = subprocess.Popen(whole, stdout=output, stderr=subprocess.STDOUT, env=environment, **options)
    try:
        deadline = time.monotonic() + PATIENCE_S
        while not (found := re.search(r"LIT is open at (http://127\.0\.0\.1:\d+/)", log.read_text())):
            assert process.poll() is None and time.monotonic() < deadline, log.read_text()
            time.sleep(0.1)
        yield found[1]
    finally:
        process.terminate()
        process.wait(timeout=20)


def post(url: str, path: str, body: dict[str, Any] | None = None) -> Any:
    """What the API answers."""
    request = urllib.request.Request(url + path, json.dumps(body or {}).encode(), {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=60) as response:
        return json.load(response)


def posted(url: str, path: str, body: dict[str, Any]) -> int:
    """The status of an answer that says nothing."""
    with urllib.request.urlopen(urllib.request.Request(url + path, json.dumps(body).encode()), timeout=60) as response:
        return int(response.status)


def ask(url: str, interpreter: str, model: str, dataset: str, inputs: Sequence[Any], **config: Any) -> Any:
    """What an interpreter answers, which may be that it is still computing."""
    path = f"get_interpretations?model={model}&dataset_name={dataset}&interpreter={interpreter}&do_predict=0"
    return post(url, path, {"inputs": list(inputs), "config": config})


def answer_of(url: str, interpreter: str, model: str, inputs: Sequence[Any] = (), *, dataset: str = "demo", **config: Any) -> Any:
    """The interpreter's answer, once it is computed."""
    deadline = time.monotonic() + PATIENCE_S
    while (answer := ask(url, interpreter, model, dataset, inputs, **config))["status"] == "computing":
        assert time.monotonic() < deadline, answer
        time.sleep(0.2)
    assert answer["status"] == "ready", answer
    return answer


def curve(url: str, model: str, dataset: str, **config: str) -> dict[str, Any]:
    """The layer curve over all shown rows, once it is computed."""
    ids = [row["id"] for row in post(url, f"get_dataset?dataset_name={dataset}")]
    return answer_of(url, "layer_metrics", model, ids, dataset=dataset, **config)


def scores(answer: dict[str, Any], split: str) -> list[dict[str, Any]]:
    """The layers of one split of a curve, as the server sends them."""
    return next(series["layers"] for series in answer["series"] if series["split"] == split)
