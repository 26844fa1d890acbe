"""Does a server that many people ask at once answer all of them, and does its memory stay? 10,000 valid requests from 16 threads.

(ag) what Chromium asks while panels are opened, edits made, layouts and data changed is recorded, and asked again with other
rows and other edits, while an ablation runs: no answer of 500 and above, and less than 50 MB more after a warm-up that fills what
is kept of the last edits.
"""

from __future__ import annotations

import copy
import http.client
import json
import random
import statistics
import tempfile
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import psutil

from benchmarks.edited_text import demo_server, post
from benchmarks.figures import Figure, tell
from benchmarks.reader import Reader, second_dataset
from benchmarks.server_load import ablations
from tools.page import opened

# After so many requests the memory of the last 2,000 edits of each model (`lit/host/kept_predictions`) is full.
N_WARM = 10_000
READ_S, N_THREADS, N_REQUESTS, N_PARTS, SEED = 180, 16, 10_000, 5, 0
PATIENCE_S = 150


@dataclass(frozen=True)
class Asked:
    """What the page asked for.

    Attributes:
      method: the HTTP method.
      address: path and query.
      body: its JSON; None where there was none.
      head: what of its head says that our page asks.
    """

    method: str
    address: str
    body: Any
    head: Mapping[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The path, and the interpreter or generator."""
        parts = urlsplit(self.address)
        named = parse_qs(parts.query)
        return " ".join([parts.path, *named.get("interpreter", []), *named.get("generator", [])])


class Asking:
    """Asks what was recorded, changed; each call as another page.

    Args:
      port: of the server.
      recorded: what the page asked for.
      ids: the ids of the examples by data set.
    """

    def __init__(self, port: int, recorded: Sequence[Asked], ids: Mapping[str, Sequence[str]]):
        self._port, self._recorded, self._ids = port, recorded, ids

    def ask(self, number: int) -> list[tuple[str, int, float, str]]:
        """Draws one, and asks it: name, status, seconds and the beginning of the answer, also of the edits that it needs."""
        draw = random.Random(SEED * 1_000_000 + number)
        one = draw.choice(self._recorded)
        body, answers = copy.deepcopy(one.body), []
        if isinstance(body, dict):
            # A question of a page, or the word that one has been given up.
            asker = body if "page" in body else body.get("config", {}).get("asked_by", {})
            if "page" in asker:
                asker["page"] = f"{number % N_THREADS:032x}"
            [dataset] = parse_qs(urlsplit(one.address).query).get("dataset_name", [""])
            inputs = body.get("inputs", [])
            n_kept = sum(isinstance(each, str) for each in inputs)
            places = sorted(draw.sample(range(len(self._ids.get(dataset, []))), n_kept))
            rows = (self._ids[dataset][place] for place in places)
            for i, each in enumerate(inputs):
                if isinstance(each, str):
                    inputs[i] = next(rows)
                    continue
                each["data"]["text"] += f" {number}"
                if "annotate" not in one.address:
                    # As the page does: an edit is made known before anything is asked about it.
                    each["data"]["_id"] = each["id"] = ""
                    known = Asked("POST", f"/annotate_new_data?dataset_name={dataset}", {"inputs": [each]})
                    answer, text = self._send(known)
                    answers.append((*answer, text[:300]))
                    [inputs[i]] = json.loads(text)
        answer, text = self._send(replace(one, body=body))
        return [*answers, (*answer, text[:300])]

    def _send(self, one: Asked) -> tuple[tuple[str, int, float], str]:
        began = time.perf_counter()
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=PATIENCE_S)
        connection.request(one.method, one.address, None if one.body is None else json.dumps(one.body), dict(one.head))
        response = connection.getresponse()
        text = response.read().decode("utf-8", "replace")
        connection.close()
        return (one.name, response.status, time.perf_counter() - began), text


def record(port: int) -> list[Asked]:
    """What Chromium asks while somebody reads the page, as far as it was answered well; no page is left in it."""
    asked: list[Asked] = []

    def note(response: Any) -> None:
        request, parts = response.request, urlsplit(response.url)
        if response.ok and parts.port == port:
            body = json.loads(request.post_data) if request.method == "POST" and request.post_data else None
            head = {name: value for name, value in request.headers.items() if name == "x-lit-probe"}
            asked.append(Asked(request.method, f"{parts.path}?{parts.query}" if parts.query else parts.path, body, head))

    with opened(1440, 900) as page:
        page.on("response", note)
        Reader(page, f"http://127.0.0.1:{port}/", SEED).read(READ_S)
        page.remove_listener("response", note)
    return asked


def main() -> None:
    """Prints the answers' statuses, the times and the memory."""
    with tempfile.TemporaryDirectory() as folder, demo_server(folder, second_dataset(Path(folder))) as (port, model, pid):
        recorded = record(port)
        names = Counter(one.name for one in recorded if one.method == "POST")
        print(f"    recorded: {len(recorded)} requests, POST among them: {dict(names.most_common())}", flush=True)
        datasets = post(port, "get_info")["datasets"]
        ids = {name: [row["id"] for row in post(port, f"get_dataset?dataset_name={name}")] for name in datasets}
        asking, server, numbers = Asking(port, recorded, ids), psutil.Process(pid), iter(range(10**9))
        answers: list[tuple[str, int, float, str]] = []
        with ablations(port, model) as n_done, ThreadPoolExecutor(N_THREADS) as pool:
            rss = []
            for n in (N_WARM, *[N_REQUESTS // N_PARTS] * N_PARTS):
                some = [each for ones in pool.map(asking.ask, [next(numbers) for _ in range(n)]) for each in ones]
                answers += some if rss else []
                rss.append(server.memory_info().rss / 1e6)
                print(f"    {n:,} asked, {n_done()} ablations ended, {rss[-1]:.0f} MB", flush=True)
    times = [seconds for _, _, seconds, _ in answers]
    print(
        f"    {len(answers):,} answers: {dict(sorted(Counter(status for _, status, _, _ in answers).items()))}, median "
        f"{statistics.median(times) * 1e3:.0f} ms, 95 of 100 within {statistics.quantiles(times, n=20)[-1]:.2f} s, longest "
        f"{max(times):.1f} s"
    )
    tell(
        Figure("(ag) answers of 500 and above", sum(status >= 500 for _, status, _, _ in answers), "answers", at_most=0),
        Figure("(ag) more memory than after the warm-up", rss[-1] - rss[0], "MB", at_most=50),
    )
    for (name, status, text), n in Counter((name, status, text) for name, status, _, text in answers if status >= 400).items():
        print(f"    {n} times {status} of {name}: {text!r}")


if __name__ == "__main__":
    main()
