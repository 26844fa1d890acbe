"""How long does `lit-probe layers` take to its first curve, and how long with all checks, against the run without checks?

Each is a process of its own with an empty cache, on the demo. The curve with all checks still to come: at most 1.1x of the whole run with
`--checks=none`, to its own curve; the whole battery: at most 2x. What the battery needs at least are three passes of the encoder with random weights over train and dev
(`baselines`): they are timed alone.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator

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
    median = {name: statistics.median(values) for name, values in times.items()}
    for name, values in times.items():
        print(f"    {name} {median[name]:.1f} s ({min(values):.1f} to {max(values):.1f})")
    curve = median["all: curve"] / median["none: curve"]
    print(f"curve with all checks to come / curve without checks: {curve:.2f}x (at most 1.1)")
    for name in ("quick", "all", "random weights alone"):
        asked = " (at most 2)" if name == "all" else ""
        print(f"{name} to the end / without checks to the end: {median[f'{name}: end'] / median['none: end']:.2f}x{asked}")


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
