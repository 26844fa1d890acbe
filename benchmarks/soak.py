"""Does a page that is used for half an hour stay well? `python -m benchmarks.soak [MINUTES]`: errors, memory of page and server.

(af) at least 1,000 actions in 30 minutes, no error of ours in the console, none uncaught; the page's heap (after its garbage was
collected) and the server's resident memory over the second half.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from pathlib import Path

import psutil

from benchmarks.edited_text import demo_server
from benchmarks.figures import Figure, tell
from benchmarks.reader import Reader, second_dataset
from tools.page import opened

MINUTES, EVERY_S, SEED = 30.0, 30.0, 0


def main(minutes: float = MINUTES) -> None:
    """Prints what was done, what went wrong, and how fast the memory grew."""
    with (
        tempfile.TemporaryDirectory() as folder,
        demo_server(folder, second_dataset(Path(folder))) as (port, _, pid),
        opened(1440, 900) as page,
    ):
        reader, server = Reader(page, f"http://127.0.0.1:{port}/", SEED), psutil.Process(pid)
        devtools = page.context.new_cdp_session(page)
        devtools.send("Performance.enable")
        began, seen = time.monotonic(), list[tuple[float, float, float]]()
        while (now := time.monotonic() - began) < minutes * 60:
            reader.read(min(EVERY_S, minutes * 60 - now))
            devtools.send("HeapProfiler.collectGarbage")
            metrics = {one["name"]: one["value"] for one in devtools.send("Performance.getMetrics")["metrics"]}
            heap, rss = metrics["JSHeapUsedSize"] / 1e6, server.memory_info().rss / 1e6
            seen.append(((time.monotonic() - began) / 60, heap, rss))
            print(
                f"    {seen[-1][0]:.1f} min: {reader.done.total()} actions, {reader.errors.total()} errors, heap {heap:.0f} MB "
                f"({metrics['Nodes']:.0f} nodes, {metrics['JSEventListeners']:.0f} listeners), server {rss:.0f} MB",
                flush=True,
            )
    print(f"    in {seen[-1][0]:.0f} minutes: {dict(reader.done)}")
    print(f"    not possible at the moment: {dict(reader.missed)}")
    for text, n in reader.errors.most_common():
        print(f"    {n} times: {text}")
    tell(
        Figure("(af) actions on the page", reader.done.total(), "actions", at_least=1_000),
        Figure("(af) errors of ours in the console", len(reader.lit.problems), "errors", at_most=0),
        Figure("(af) errors in all", reader.errors.total(), "errors", at_most=0),
    )
    later = seen[len(seen) // 2 :]
    minute = [one[0] for one in later]
    for which, name in enumerate(("heap", "server"), start=1):
        slope = statistics.linear_regression(minute, [one[which] for one in later]).slope
        print(f"    {name}: {seen[0][which]:.0f} MB first, {later[0][which]:.0f} at half time, {later[-1][which]:.0f} at last")
        tell(Figure(f"(af) {name}, over the second half", slope, "MB a minute"))


if __name__ == "__main__":
    main(*map(float, sys.argv[1:]))
