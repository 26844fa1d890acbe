"""What the page shows of ``layers.json``: every value by one rounding, and with the place where it stands."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from lit_probe.report.html import Html, join, tag

_MISSING = "n/a"


def shown(value: float | int | str | bool | None) -> str:
    """A value as the page shows it, always the same way.

    Whole numbers in full, fractions with three decimals (one from 100 on), very small ones by their power of ten.

    >>> [shown(value) for value in (0.78313, 1234, 671.588, 0.00001, -0.0361, None, True)]
    ['0.783', '1,234', '671.6', '1.0e-05', '−0.036', 'n/a', 'yes']
    """
    match value:
        case None:
            return _MISSING
        case bool():
            return "yes" if value else "no"
        case str():
            return value
        case int():
            return f"{value:,}".replace("-", "−")
    if value == 0:
        return "0.000"
    if abs(value) < 0.0005:
        return f"{value:.1e}".replace("-", "−", 1) if value < 0 else f"{value:.1e}"
    return f"{value:,.{1 if abs(value) >= 100 else 3}f}".replace("-", "−")


@dataclass(frozen=True)
class At:
    """A value of ``layers.json``, and where in it.

    Attributes:
      value: the value.
      path: the names and positions that lead to it.
      of: the run it belongs to: empty for the report's own, ``"other"`` for the one beside it.
    """

    value: Any
    path: tuple[str | int, ...] = ()
    of: str = ""

    def __getitem__(self, key: str | int) -> At:
        return At(self.value[key], (*self.path, key), self.of)

    def __iter__(self) -> Iterator[At]:
        """The entries of a list."""
        return (self[position] for position in range(len(self.value)))

    def get(self, key: str) -> At | None:
        """An entry, or None where there is none."""
        return self[key] if key in self.value else None

    def __contains__(self, key: str) -> bool:
        return key in self.value

    @property
    def pointer(self) -> str:
        """Where it stands, as a JSON pointer (RFC 6901): ``/datasets/demo/layers/3/accuracy``."""
        return "".join(f"/{str(key).replace('~', '~0').replace('/', '~1')}" for key in self.path)

    @property
    def words(self) -> str:
        """Where it stands, for people: ``datasets › demo › layers``."""
        return " › ".join(map(str, self.path))

    @property
    def html(self) -> Html:
        """The value as the page shows it, with its place; the entries of a list one after the other, each with its own."""
        if isinstance(self.value, list):
            return join([one.html for one in self], ", ")
        return tag("span", shown(self.value), data_at=self.pointer, data_of=self.of or None, class_="n")


def with_interval(value: At, low: At, high: At) -> Html:
    """``0.783 [0.713 to 0.840]``; the value alone where there is no interval."""
    if low.value is None or high.value is None:
        return value.html
    ends = tag("span", " [", low.html, " to ", high.html, "]", class_="interval")
    return tag("span", value.html, ends, class_="score")


def score(row: At, metric: str) -> Html:
    """A metric of a row of ``layers`` or of ``test``, with its interval, and an asterisk where it is not to be relied on.

    Args:
      row: what `MetricsRow.to_json` gives.
      metric: a name of `metrics_for`, such as ``"recall:positive"``.
    """
    value, low, high = (row[key] for key in score_keys(metric))
    doubtful = value.value is not None and doubt(row, metric)
    return tag("span", with_interval(value, low, high), "*" if doubtful else None)


def score_keys(metric: str) -> tuple[str, str, str]:
    """The keys of a metric and of the ends of its interval in a row.

    >>> score_keys("recall:positive")
    ('recall:positive', 'recall_low:positive', 'recall_high:positive')
    """
    name, colon, label = metric.partition(":")
    return metric, f"{name}_low{colon}{label}", f"{name}_high{colon}{label}"


def doubt(row: At, metric: str) -> str:
    """Why a score of a row is missing or not to be relied on, or has no interval; an empty string where nothing is wrong."""
    name, colon, label = metric.partition(":")
    reason: str = row.value[f"{name}_reason{colon}{label}"]
    return reason
