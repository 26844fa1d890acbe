"""Figures of a run: what they are, the file they are written to, and which of them moved since the last one.

A ratio is one of medians; its spread are the quartiles of the ratios of the single rounds. Of what was measured once no spread is
known, and nothing is concluded from it.
"""

from __future__ import annotations

import json
import os
import platform
import statistics
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from lit_probe.probing.probes.storage import write_whole

# More running processes than this for each core, and times say more about the others than about us.
HIGHEST_LOAD = 1.5


@dataclass(frozen=True)
class Figure:
    """One number: what it is, its median and quartiles over ``rounds``, its unit, and what is asked of it."""

    name: str
    value: float
    unit: str = "x"
    low: float | None = None
    high: float | None = None
    rounds: int = 1
    at_most: float | None = None
    at_least: float | None = None

    @property
    def missed(self) -> bool:
        """Whether it is not what was asked."""
        too_high = self.at_most is not None and self.value > self.at_most
        return too_high or (self.at_least is not None and self.value < self.at_least)

    def __str__(self) -> str:
        asked = [
            f"{words} {bound:g}" for words, bound in (("at most", self.at_most), ("at least", self.at_least)) if bound is not None
        ]
        told = ([] if self.low is None else [f"quartiles {self.low:.3g} to {self.high:.3g}"]) + asked
        unit = self.unit if self.unit == "x" else f" {self.unit}"
        return f"{self.name}: {self.value:.3g}{unit}" + (f" ({', '.join(told)})" if told else "")


class Times(dict[str, float]):
    """Median seconds by variant, and all rounds in ``rounds``, taken in turn."""

    def __init__(self, rounds: Mapping[str, Sequence[float]]):
        super().__init__({name: statistics.median(values) for name, values in rounds.items()})
        self.rounds = rounds

    def ratio(self, name: str, over: str, under: str, **asked: float) -> Figure:
        """How many times as long ``over`` takes as ``under``."""
        each = [a / b for a, b in zip(self.rounds[over], self.rounds[under], strict=True)]
        return Figure(name, self[over] / self[under], "x", *_quartiles(each), rounds=len(each), **asked)

    def seconds(self, name: str, of: str, **asked: float) -> Figure:
        """How long one variant takes."""
        return of_rounds(name, self.rounds[of], "s", **asked)


def of_rounds(name: str, values: Sequence[float], unit: str, **asked: float) -> Figure:
    """The median of some measurements."""
    return Figure(name, statistics.median(values), unit, *_quartiles(values), rounds=len(values), **asked)


def _quartiles(values: Sequence[float]) -> tuple[float | None, float | None]:
    if len(values) < 3:
        return None, None
    low, _, high = statistics.quantiles(values, n=4, method="inclusive")
    return low, high


_told: list[Figure] = []


def tell(*figures: Figure) -> None:
    """Prints figures and keeps them for the file."""
    for figure in figures:
        print(f"    {figure}", flush=True)
    _told.extend(figures)


def taken() -> list[Figure]:
    """The figures told since the last call."""
    figures = list(_told)
    _told.clear()
    return figures


def load_per_core() -> float:
    """Processes that ran or waited in the last minute, for each core."""
    return os.getloadavg()[0] / (os.cpu_count() or 1)


def machine() -> dict[str, Any]:
    """What a figure depends on: processor, cores, memory, versions."""
    names = [line.split(":")[1].strip() for line in _lines("/proc/cpuinfo") if line.startswith("model name")]
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {
        "processor": names[0] if names else platform.processor(),
        "cores": os.cpu_count(),
        "memory_gb": round(memory / 1e9),
        "python": platform.python_version(),
        **{name: version(name) for name in ("torch", "transformers", "scikit-learn", "numpy", "lit-nlp")},
    }


def _lines(path: str) -> list[str]:
    return Path(path).read_text("utf-8").splitlines() if Path(path).exists() else []


def commit() -> str:
    """The commit that is measured, with a + where files differ from it; empty outside a checkout."""
    done = subprocess.run(["git", "describe", "--always", "--dirty=+"], capture_output=True, text=True, cwd=Path(__file__).parent)
    return done.stdout.strip()


def write(path: Path, run: Mapping[str, Any]) -> None:
    """The run as JSON, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, (json.dumps(run, indent=1) + "\n").encode())


def runs_in(folder: Path) -> list[dict[str, Any]]:
    """The runs of a folder, the newest last, by their names, which are their dates."""
    return [json.loads(path.read_text("utf-8")) for path in sorted(folder.glob("*.json"))]


def moved(before: Sequence[Mapping[str, Any]], after: Mapping[str, Any]) -> list[str]:
    """A line for each figure whose quartiles in two runs do not meet. Times and sizes are compared on one kind of machine only.

    A benchmark is compared with the newest of the former runs that has it: the last one may have been of another benchmark alone.
    Nothing is concluded from a benchmark that ran while the machine was busy, in either run.
    """
    lines = []
    for name, now in after["benchmarks"].items():
        former_runs = [run for run in before if not run["benchmarks"].get(name, {"busy": True})["busy"]]
        if now["busy"] or not former_runs:
            continue
        same_machine = former_runs[-1]["machine"] == after["machine"]
        former = {one["name"]: Figure(**one) for one in former_runs[-1]["benchmarks"][name]["figures"]}
        for one in now["figures"]:
            new, old = Figure(**one), former.get(one["name"])
            if old is None or None in (new.low, old.low) or (new.unit != "x" and not same_machine):
                continue
            if new.low > old.high or new.high < old.low:  # type: ignore[operator]
                lines.append(f"{name}: {new.name} moved from {old.value:.3g} to {new.value:.3g} {new.unit}")
    return lines
