"""How long does `lit-probe layers` take to its first curve, and how long with all checks, against the run without checks?

Each is a process of its own with an empty cache, on the demo. The first curve while all checks are still to come, against
that of a run without checks: at most 1.1x. The run with all checks against the one without: at most 2x. What these checks
need at least are three passes of the encoder with random weights over train and dev (`baselines`), timed alone.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator

from benchmarks.figures import Times, tell

ROUNDS = 3
CHECKS = ("none", "quick", "all", "baselines")
# What only the curve's table says.
CURVE = "<- chosen on dev"


def main() -> None:
    """Tells the ratios."""
    rounds: dict[str, list[float]] = {}
    for _ in range(ROUNDS):
        for checks in CHECKS:
            with tempfile.TemporaryDirectory() as folder:
                for part, seconds in _timed(checks, folder):
                    rounds.setdefault(f"{checks}, {part}", []).append(seconds)
    times = Times(rounds)
    tell(
        times.ratio("curve, all checks to come / without checks", "all, curve", "none, curve", at_most=1.1),
        times.ratio("all checks / without checks", "all, end", "none, end", at_most=2.0),
        times.ratio("quick checks / without checks", "quick, end", "none, end"),
        times.ratio("baselines alone / without checks", "baselines, end", "none, end"),
        times.seconds("to the curve, quick checks", "quick, curve"),
    )


def _timed(checks: str, folder: str) -> Iterator[tuple[str, float]]:
    """Seconds to the first curve, and to the end."""
    flags = ["--datasets=demo", f"--checks={checks}", f"--cache_dir={folder}/cache", f"--out={folder}/out", "--device=cpu"]
    command, start = [sys.executable, "-m", "lit_probe.cli", "layers", *flags], time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if CURVE in line:
                yield "curve", time.perf_counter() - start
    if process.returncode:
        raise RuntimeError(f"lit-probe layers --checks={checks} ended with {process.returncode}")
    yield "end", time.perf_counter() - start
