"""How long does `lit-probe layers` take to its first curve, and how long with all checks, against the run without checks?

Each is a process of its own with an empty cache, on the demo. The curve with all checks still to come: at most 1.1x of the curve
with `--checks=none`; the whole battery: at most 2x the whole run without. What the battery needs at least are three passes of the
encoder with random weights over train and dev (`baselines`): they are timed alone.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator

from benchmarks.figures import Times, tell

ROUNDS = 3
RUNS = {"none": "none", "quick": "quick", "all": "all", "random weights alone": "baselines"}
# The line of the curve's table that every run prints.
CURVE = "<- chosen on dev"


def main() -> None:
    """Prints the ratios."""
    times: dict[str, list[float]] = {}
    for _ in range(ROUNDS):
        for name, checks in RUNS.items():
            with tempfile.TemporaryDirectory() as folder:
                for part, seconds in _timed(checks, folder):
                    times.setdefault(f"{name}: {part}", []).append(seconds)
    measured = Times(times)
    tell(
        *(measured.seconds(name, name) for name in times),
        measured.ratio("curve with all checks to come / curve without checks", "all: curve", "none: curve", at_most=1.1),
        measured.ratio("all checks / none, to the end", "all: end", "none: end", at_most=2),
        measured.ratio("quick checks / none, to the end", "quick: end", "none: end"),
        measured.ratio("random weights alone / none, to the end", "random weights alone: end", "none: end"),
    )


def _timed(checks: str, folder: str) -> Iterator[tuple[str, float]]:
    """Seconds to the first curve, and to the end."""
    flags = ["--datasets=demo", f"--checks={checks}", f"--cache_dir={folder}/cache", f"--out={folder}/out", "--device=cpu"]
    start = time.perf_counter()
    command = [sys.executable, "-m", "lit_probe.cli", "layers", *flags]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if CURVE in line:
                yield "curve", time.perf_counter() - start
    if process.returncode:
        raise RuntimeError(f"lit-probe layers --checks={checks} ended with {process.returncode}")
    yield "end", time.perf_counter() - start
