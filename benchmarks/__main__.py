"""Runs every benchmark: ``make bench``, or ``python -m benchmarks NAME …`` for some.

Each run is a file in ``benchmarks/results``, and each benchmark is compared with the last run of it.
"""

from __future__ import annotations

import sys
import time
import traceback
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from benchmarks.figures import HIGHEST_LOAD, commit, load_per_core, machine, moved, runs_in, taken, write

RESULTS = Path(__file__).parent / "results"
# The load is one of the last minute, so that of the benchmark before has to pass.
WAIT_S = 180
NAMES = (
    "extraction",
    "sites",
    "words",
    "solver",
    "whole_process",
    "first_answer",
    "start",
    "memory",
    "edited_text",
    "server_load",
    "battery",
    "repeats",
    "salience",
    "neurons",
    "counterfactuals",
    "near_copies",
    "cached_blocks",
    "pictures",
    "connections",
    "mutations",
    "killed_writers",
    "mixed_requests",
    "soak",
    "page",
)


def main(names: Sequence[str], folder: Path = RESULTS) -> int:
    """Runs these; 1 where one of them failed, or missed what is asked of it on a machine that was not busy."""
    before = runs_in(folder)
    run: dict[str, Any] = {"date": datetime.now(UTC).isoformat("T", "seconds"), "commit": commit(), "machine": machine()}
    run["benchmarks"] = {}
    path = folder / f"{run['date'][:19].replace(':', '')}.json"
    bad = []
    if unknown := [name for name in names if find_spec(f"benchmarks.{name}") is None]:
        print(f"There is no benchmark {unknown[0]!r}. Choose from: {', '.join(NAMES)}, gpu.", file=sys.stderr)
        return 2
    for name in names:
        print(f"\n== {name}", flush=True)
        load = _quiet()
        failed = False
        try:
            module = import_module(f"benchmarks.{name}")
            print((module.__doc__ or "").splitlines()[0], flush=True)
            module.main()
        except (Exception, SystemExit):
            # The others took hours, maybe: they are told, and the run ends with 1.
            traceback.print_exc()
            failed = True
        figures, busy = taken(), load > HIGHEST_LOAD
        run["benchmarks"][name] = {
            "load_before": load,
            "load_after": load_per_core(),
            "busy": busy,
            "failed": failed,
            "figures": [asdict(one) for one in figures],
        }
        write(path, run)
        if busy:
            print(f"    The machine was busy ({load:.1f} processes a core, at most {HIGHEST_LOAD}): nothing is concluded.")
        missed = [] if busy else [f"{name}: missed: {one}" for one in figures if one.missed]
        bad += [*missed, *([f"{name} failed"] if failed else [])]
    print(f"\nWritten: {path}")
    for line in [*bad, *moved(before, run)]:
        print(line)
    return int(bool(bad))


def _quiet() -> float:
    """The load, once it is low enough, or after three minutes as it is."""
    end = time.monotonic() + WAIT_S
    while (load := load_per_core()) > HIGHEST_LOAD and time.monotonic() < end:
        time.sleep(5)
    return load


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:] or NAMES))
