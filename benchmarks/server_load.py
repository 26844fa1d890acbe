"""How long do people wait while a long computation runs, and while many ask at once?

(y) from an edit to its probabilities by layer, a salience map and LIT's own predictions, while an ablation runs: at most 3x idle.
(z) the layer curve asked by 16 threads at once: 95 of 100 within 5x the idle median. Where all ask for other rows, nothing is
shared and 16 wait for each other, so less than 16x would need less than one curve's work for each.
"""

from __future__ import annotations

import itertools
import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

from benchmarks.common import seconds, sentences
from benchmarks.edited_text import demo_server, edited, post
from benchmarks.figures import Figure, of_rounds, tell

N_EDITS = 40
N_THREADS, N_EACH = 16, 20
N_IDLE = 20


def main() -> None:
    """Prints both ratios."""
    with tempfile.TemporaryDirectory() as folder, demo_server(folder) as (port, model, _):
        _edits_beside_an_ablation(port, model)
        _curves_by_many(port, model)


def _edits_beside_an_ablation(port: int, model: str) -> None:
    texts = (f"{text} edit {n}" for n, text in enumerate(text for text in sentences("dev") if 10 <= len(text.split()) <= 30))
    for _ in range(3):
        _edit(port, model, next(texts))
    idle = [seconds(_edit, port, model, next(texts)) for _ in range(N_EDITS)]
    with ablations(port, model) as n_done:
        time.sleep(2)
        start = time.perf_counter()
        beside = [seconds(_edit, port, model, next(texts)) for _ in range(N_EDITS)]
        took = time.perf_counter() - start
    print(f"    {n_done()} ablations ended in {took:.0f} s")
    tell(
        of_rounds("an edit, idle", idle, "s"),
        of_rounds("an edit beside an ablation", beside, "s"),
        Figure("(y) 95 of 100 edits beside an ablation / idle median", _p95(beside) / statistics.median(idle), at_most=3),
        Figure("95 of 100 edits beside an ablation / 95 of 100 idle", _p95(beside) / _p95(idle)),
    )


@contextmanager
def ablations(port: int, model: str) -> Iterator[Callable[[], int]]:
    """One ablation curve after another, for as long as the block lasts; tells how many have ended."""
    over, done = threading.Event(), list[int]()

    def ablate() -> None:
        for seed in itertools.count():
            what = {"part": "curve", "layer": 2, "units": list(range(20)), "n_random": 50, "sample": 1_000, "seed": seed}
            while (status := _ask(port, model, "neuron_ablation", [], **what)["status"]) in ("computing", "busy"):
                if over.wait(0.5):
                    _ask(port, model, "neuron_ablation", [], **what, cancel=True)
                    return
            assert status == "ready", status
            done.append(seed)

    thread = threading.Thread(target=ablate)
    thread.start()
    try:
        yield lambda: len(done)
    finally:
        over.set()
        thread.join()


def _edit(port: int, model: str, text: str) -> None:
    example = edited(port, text)
    post(port, f"get_preds?model={model}&dataset_name=demo&requested_types=MulticlassPreds", {"inputs": [example]})
    for interpreter, config in (("layer_predictions", {}), ("salience_map", {"method": "input_x_gradient"})):
        while (answer := _ask(port, model, interpreter, [example], **config))["status"] == "computing":
            time.sleep(0.1)
        assert answer["status"] == "ready", answer


def _curves_by_many(port: int, model: str) -> None:
    ids = [row["id"] for row in post(port, "get_dataset?dataset_name=demo")]
    _ask(port, model, "layer_metrics", ids[:-1])
    # Selections of their own, as people make them; and equal ones, which are computed once. What was asked before is remembered,
    # so each idle selection is a new one, too.
    for name, first, selections in (
        ("the same rows", 1, [ids] * N_THREADS * N_EACH),
        ("other rows each time", 1 + N_IDLE, [ids[: len(ids) - n % (len(ids) // 2)] for n in range(N_THREADS * N_EACH)]),
    ):
        idle = [seconds(_ask, port, model, "layer_metrics", ids[n:]) for n in range(first, first + N_IDLE)]
        with ThreadPoolExecutor(N_THREADS) as pool:
            beside = list(pool.map(lambda rows: seconds(_ask, port, model, "layer_metrics", rows), selections))
        tell(
            of_rounds(f"a curve of {name}, idle", idle, "s"),
            of_rounds(f"a curve of {name}, {N_THREADS} threads", beside, "s"),
            Figure(
                f"(z) {name}: 95 of 100 of {N_THREADS} threads / idle median", _p95(beside) / statistics.median(idle), at_most=5
            ),
        )


def _ask(port: int, model: str, interpreter: str, inputs: Sequence[Any], **config: Any) -> dict[str, Any]:
    query = f"get_interpretations?model={model}&dataset_name=demo&interpreter={interpreter}&do_predict=0"
    answer: dict[str, Any] = post(port, query, {"inputs": list(inputs), "config": config})
    return answer


def _p95(times: Sequence[float]) -> float:
    return statistics.quantiles(times, n=20)[-1]
