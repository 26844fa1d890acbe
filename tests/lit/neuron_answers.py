"""Asks our interpreters as the page does: over JSON, and again while they compute."""

from __future__ import annotations

import time
from typing import Any

from lit_nlp.lib import serialize

from lit_probe.lit.interpreters import INTERPRETERS

PATIENCE_S = 60


def ask(name: str, model: Any, dataset: Any, *rows: Any, **config: Any) -> dict[str, Any]:
    """The first answer, as it reaches the page; NaN and infinity are refused."""
    answer = INTERPRETERS[name].run(list(rows), model, dataset, config=config)
    return serialize.from_json(serialize.to_json(answer, simple=True, allow_nan=False))


def answer_of(name: str, model: Any, dataset: Any, *rows: Any, **config: Any) -> dict[str, Any]:
    """The answer in the end."""
    deadline = time.monotonic() + PATIENCE_S
    while (answer := ask(name, model, dataset, *rows, **config))["status"] == "computing":
        assert 0 <= answer["fraction"] <= 1 and answer["message"], answer
        assert time.monotonic() < deadline, answer
        time.sleep(0.01)
    return answer


def of_split(dataset: Any, split: str) -> list[Any]:
    """The rows of a split that LIT shows."""
    return [row for row in dataset.examples if row["probe_split"] == split]
