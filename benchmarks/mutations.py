"""Do mutated requests cause accidents? 10,000 of them: no answer of 500 and above but the planned 503, none after 5 s.

Each begins as a request that the page sends; then its method, address, head, body or bytes change, by a seeded draw.
"""

from __future__ import annotations

import contextlib
import copy
import http.client
import json
import random
import tempfile
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

from benchmarks.edited_text import demo_server, post
from benchmarks.figures import Figure, tell

N_REQUESTS, N_THREADS, SEED = 10_000, 4, 0
PATIENCE_S = 60
LATE_S = 5.0

_VALUES: tuple[Any, ...] = (
    *(
        None,
        True,
        False,
        0,
        -1,
        1,
        2**62,
        2**70,
        1.5,
        1e300,
        "",
        "x",
        "0",
        "-1",
        "1e9",
        "dev-chosen",
        "all",
        "a film",
        "\ud800",
        "\x00",
    ),
    *("é" * 300, "../../etc/passwd", "<b>", "chosen_layer", "probe", [], {}, [[]], [{}], [None], {"a": 1}, ["x"] * 50, [0] * 500),
)
_METHODS = ("GET", "HEAD", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "post", "P", "GET /x")
_HEADS = (
    {"Content-Length": "5"},
    {"Content-Length": "x"},
    {"Content-Length": "99999999999999999999"},
    {"Transfer-Encoding": "gzip"},
    {"Transfer-Encoding": "chunked, identity"},
    {"Transfer-Encoding": "chunked"},
    {"Content-Type": "application/x-www-form-urlencoded"},
    {"Content-Type": "multipart/form-data"},
    {"Content-Encoding": "gzip"},
    {"Expect": "100-continue"},
    {"Expect": "x"},
    {"Host": "evil.example"},
    {"Host": ""},
    {"Origin": "null"},
    {"Range": "bytes=0-1"},
    {"If-None-Match": "x"},
    {"If-Modified-Since": "never"},
    {"Upgrade": "websocket", "Connection": "Upgrade"},
    {"X-Long": "x" * 9_000},
    {"Cookie": "a=\xff"},
)


@dataclass
class Mutated:
    """One request.

    Attributes:
      method: the HTTP method.
      address: path and query.
      head: further lines of the head.
      body: its bytes.
    """

    method: str
    address: str
    head: Mapping[str, str]
    body: bytes


class Mutations:
    """Draws requests.

    Args:
      info: what ``/get_info`` answers.
      ids: the ids of the examples by data set.
      seed: of the draws.
    """

    def __init__(self, info: Mapping[str, Any], ids: Mapping[str, Sequence[str]], seed: int):
        self._random, self._info, self._ids = random.Random(seed), info, ids

    def draw(self) -> Mutated:
        """The next request."""
        draw = self._random
        path, names, body = self._valid()
        method, head = "POST", {}
        for _ in range(draw.choice((1, 1, 1, 2, 3))):
            match draw.randrange(12):
                case 0:
                    method = draw.choice(_METHODS)
                case 1:
                    path = draw.choice(
                        (path + "/", path.upper(), path[:-1], "/", "//", path + "%00", "/lit_probe/left", "/main.js")
                    )
                case 2:
                    names = {name: value for name, value in names.items() if draw.random() < 0.7}
                case 3:
                    names = {**names, draw.choice([*names, "x"]): str(draw.choice(_VALUES))}
                case 4:
                    head = {**head, **draw.choice(_HEADS)}
                case _:
                    body = self._changed(body)
        sent = json.dumps(body).encode()
        if draw.random() < 0.1:
            place = draw.randrange(len(sent))
            sent = draw.choice(
                (sent[:place], sent[:place] + bytes([draw.randrange(256)]) + sent[place:], sent + sent, b"[" * 5_000)
            )
        query = "&".join(f"{name}={quote(value.encode('utf-8', 'surrogatepass'))}" for name, value in names.items())
        return Mutated(method, f"{path}?{query}", head, sent)

    def _valid(self) -> tuple[str, dict[str, str], dict[str, Any]]:
        """Path, names and body of a request as the page sends it, though few of its values are chosen as there."""
        draw = self._random
        model = draw.choice([*self._info["models"]])
        about = self._info["models"][model]
        dataset = draw.choice(about["datasets"])
        names = {"model": model, "dataset_name": dataset}
        ids = self._ids[dataset]  # LIT has a data set of no examples, too
        inputs: list[Any] = draw.choices(ids, k=draw.choice((0, 1, 1, 2, 8))) if ids else []
        if draw.random() < 0.3:
            meta = {"added": True, "source": "manual", "parentId": None}
            inputs.append({"data": {"text": "a fine film", "label": "", "_id": "", "_meta": meta}, "id": "", "meta": meta})
        kind, path = draw.choice(
            (
                *[("interpreters", "/get_interpretations")] * 8,
                *[("generators", "/get_generated")] * 2,
                ("metrics", "/get_metrics"),
                ("", ""),
            )
        )
        if not kind:
            path = draw.choice(("/get_info", "/get_dataset", "/get_preds", "/annotate_new_data", "/push_ui_state"))
            return path, names, {"inputs": inputs}
        name = draw.choice(about[kind] or [""])
        spec = self._info[kind].get(name, {}).get("configSpec", {})
        config = {key: one.get("default", "") for key, one in spec.items()} if draw.random() < 0.7 else {}
        names |= {"interpreters": {"interpreter": name, "do_predict": "0"}, "generators": {"generator": name}}.get(
            kind, {"metrics": name}
        )
        return path, names, {"inputs": inputs, "config": config}

    def _changed(self, body: Any) -> Any:
        """The body with another value somewhere, or a key more or less."""
        draw, body = self._random, copy.deepcopy(body)
        places: list[tuple[Any, Any]] = []
        todo: list[Any] = [body] if isinstance(body, dict | list) else []
        while todo:
            one = todo.pop()
            inner = list(one.items()) if isinstance(one, dict) else list(enumerate(one))
            places += [(one, key) for key, _ in inner]
            todo += [value for _, value in inner if isinstance(value, dict | list)]
        if not places:
            return draw.choice(_VALUES)
        within, key = draw.choice(places)
        match draw.randrange(5):
            case 0:
                del within[key]
            case 1 if isinstance(within, dict):
                within[draw.choice(("colour", "check", "part", "layer", "asked_by", "number", "method", "file", "units"))] = (
                    draw.choice(_VALUES)
                )
            case _:
                within[key] = draw.choice(_VALUES)
        return body


def ask(port: int, request: Mutated) -> tuple[int, str, float]:
    """Status and beginning of the answer, and how many seconds it took; 0 where none comes in a minute."""
    began = time.perf_counter()
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_S)
    try:
        connection.putrequest(request.method, request.address, skip_host="Host" in request.head)
        for name, value in {"Content-Length": str(len(request.body)), **request.head}.items():
            if name != "Content-Length" or "Transfer-Encoding" not in request.head:
                connection.putheader(name, value)
        connection.endheaders()
        connection.send(request.body)
        if request.head.keys() & {"Content-Length", "Transfer-Encoding"}:
            with contextlib.suppress(OSError):  # the server may have hung up already
                connection.sock.shutdown(1)  # what was announced does not come
        response = connection.getresponse()
        return response.status, response.read(300).decode("utf-8", "replace"), time.perf_counter() - began
    except (http.client.HTTPException, OSError):
        return 0, "", time.perf_counter() - began
    finally:
        connection.close()


def main() -> None:
    """Prints how many answers there were of each status, and which were accidents or late."""
    with tempfile.TemporaryDirectory() as folder, demo_server(folder, "--token_fields") as (port, *_):
        info = post(port, "get_info")
        ids = {name: [one["id"] for one in post(port, f"get_dataset?dataset_name={name}")] for name in info["datasets"]}
        mutations = Mutations(info, ids, SEED)
        requests = [mutations.draw() for _ in range(N_REQUESTS)]
        with ThreadPoolExecutor(N_THREADS) as pool:
            answers = list(pool.map(lambda request: ask(port, request), requests))
        late = [number for number, (*_, seconds) in enumerate(answers) if seconds > LATE_S]
        alone = [ask(port, requests[number])[-1] for number in late]
    print(f"    {N_REQUESTS:,} requests: {dict(sorted(Counter(status for status, *_ in answers).items()))}")
    late_refused = sum(answers[number][0] != HTTPStatus.OK for number in late)
    tell(
        Figure("(ah) answers of 500 and above but 503", sum(s >= 500 and s != 503 for s, *_ in answers), "answers", at_most=0),
        Figure(f"(ah) answers later than {LATE_S:g} s", len(late), "answers", at_most=0),
        Figure(f"(ah) answers that are no work, later than {LATE_S:g} s", late_refused, "answers", at_most=0),
        Figure(f"(ah) later than {LATE_S:g} s when asked again, alone", sum(s > LATE_S for s in alone), "answers", at_most=0),
        Figure("(ah) the longest", max(seconds for *_, seconds in answers), "s"),
    )
    planned = Counter(text.split("\n")[0][:100] for status, text, _ in answers if status == 503)
    for text, n in planned.most_common():
        print(f"    503, {n} times: {text}")
    for request, (status, text, seconds) in zip(requests, answers, strict=True):
        if (status >= 500 and status != 503) or seconds > LATE_S:
            asked = f"{request.method} {request.address[:150]} {request.body[:200]!r}"
            print(f"    {status} after {seconds:.1f} s: {asked}: {text[:120]!r}")


if __name__ == "__main__":
    main()
