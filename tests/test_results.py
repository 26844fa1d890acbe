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
    settings: dict[str, float | int | str]
    best: Point | None = None
    note: str | None = None

    omitted_if_none: ClassVar[tuple[str, ...]] = ("note",)


@dataclass(frozen=True)
class Judged(Result):
    name: str
    point: Point
    n: int

    in_place: ClassVar[tuple[str, ...]] = ("point",)


CURVE = Curve(
    points=(Point(0.1 + 0.2, None, (1, 2)),),
    by_name={"a": Point(1.0, -0.5, in_="dev")},
    table=np.array([[1.0, 2.0], [3.0, 1 / 3]]),
    settings={"steps": 3, "noise": 0.5, "unit": "word"},
)


def test_a_result_is_json_in_the_order_of_its_fields():
    assert CURVE.to_json() == {
        "points": [{"value": 0.1 + 0.2, "low": None, "layers": [1, 2], "in": "train"}],
        "by_name": {"a": {"value": 1.0, "low": -0.5, "layers": [], "in": "dev"}},
        "table": [[1.0, 2.0], [3.0, 1 / 3]],
        "settings": {"steps": 3, "noise": 0.5, "unit": "word"},
        "best": None,
    }
    assert list(CURVE.to_json()) == ["points", "by_name", "table", "settings", "best"]


def test_what_was_written_is_read_back_to_the_last_digit():
    again = Curve.from_json(json.loads(json.dumps(CURVE.to_json())))
    assert again.points == CURVE.points and again.by_name == CURVE.by_name and again.best is None and again.note is None
    assert again.settings == CURVE.settings
    assert again.table.dtype == np.float64 and np.array_equal(again.table, CURVE.table)


def test_what_does_not_fit_is_refused():
    with pytest.raises(CacheError, match="is no Curve"):
        Curve.from_json({"points": [{"low": None}], "by_name": {}, "table": []})


@pytest.mark.parametrize(
    "torn",
    [
        {"value": "0.5"},
        {"value": None},
        {"low": "x"},
        {"layers": [1.5]},
        {"layers": ["1"]},
        {"layers": "12"},
        {"in": None},
        {"in": 3},
    ],
)
def test_a_value_of_another_kind_is_refused_and_not_converted(torn):
    whole = Point(1.0, None, (1, 2)).to_json()
    assert Point.from_json({**whole, "value": 1}) == Point(1.0, None, (1, 2))
    with pytest.raises(CacheError, match="is no Point"):
        Point.from_json({**whole, **torn})


def test_fields_of_a_result_in_place_stand_among_the_outer_ones():
    judged = Judged("a", Point(0.5, None, (1,)), 3)
    assert list(judged.to_json().items()) == [
        ("name", "a"),
        ("value", 0.5),
        ("low", None),
        ("layers", [1]),
        ("in", "train"),
        ("n", 3),
    ]
    assert Judged.from_json(judged.to_json()) == judged
    with pytest.raises(CacheError, match="is no Judged"):
        Judged.from_json({"name": "a", "n": 3})
    with pytest.raises(CacheError, match="is no Judged"):
        Judged.from_json([1])  # type: ignore[arg-type]
