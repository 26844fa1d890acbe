"""Results survive the way into a file and back, with every digit."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pytest
from numpy.typing import NDArray

from lit_probe.errors import CacheError
from lit_probe.results import Result


@dataclass(frozen=True)
class Point(Result):
    value: float
    low: float | None
    layers: tuple[int, ...] = ()
    in_: str = "train"


@dataclass(frozen=True, eq=False)
class Curve(Result):
    points: tuple[Point, ...]
    by_name: dict[str, Point]
    table: NDArray[np.float64]
    best: Point | None = None
    note: str | None = None

    omitted_if_none: ClassVar[tuple[str, ...]] = ("note",)


CURVE = Curve((Point(0.1 + 0.2, None, (1, 2)),), {"a": Point(1.0, -0.5, in_="dev")}, np.array([[1.0, 2.0], [3.0, 1 / 3]]))


def test_a_result_is_json_in_the_order_of_its_fields():
    assert CURVE.to_json() == {
        "points": [{"value": 0.1 + 0.2, "low": None, "layers": [1, 2], "in": "train"}],
        "by_name": {"a": {"value": 1.0, "low": -0.5, "layers": [], "in": "dev"}},
        "table": [[1.0, 2.0], [3.0, 1 / 3]],
        "best": None,
    }
    assert list(CURVE.to_json()) == ["points", "by_name", "table", "best"]


def test_what_was_written_is_read_back_to_the_last_digit():
    again = Curve.from_json(json.loads(json.dumps(CURVE.to_json())))
    assert again.points == CURVE.points and again.by_name == CURVE.by_name and again.best is None and again.note is None
    assert again.table.dtype == np.float64 and np.array_equal(again.table, CURVE.table)


def test_what_does_not_fit_is_refused():
    with pytest.raises(CacheError, match="is no Curve"):
        Curve.from_json({"points": [{"low": None}], "by_name": {}, "table": []})
