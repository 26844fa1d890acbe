"""Parts of one computation, several of them at once: while a device computes one, the next is read and the last one written."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextvars import copy_context
from typing import TypeVar

from lit_probe.errors import CancelledError
from lit_probe.progress import Progress

P = TypeVar("P")
R = TypeVar("R")


def made_ahead(
    parts: Iterable[tuple[P, Progress]], make: Callable[[P, Progress], R], n_at_once: Callable[[], int]
) -> Generator[R]:
    """What ``make`` makes of each part, in the order of the parts.

    Others are in the making meanwhile, each on a thread of its own, in the lane of the thread that asks. The first of them alone
    is heard. Once one fails or is not wanted any more, none is begun, and the rest end when they next report.

    Args:
      parts: each with what it reports to.
      make: is called with a part and its progress.
      n_at_once: how many parts may be in the making, asked before each is begun. With 1 all is done on the thread that asks.

    Raises:
      CancelledError: it is not wanted any more; and whatever ``make`` raises.
    """
    underway: deque[tuple[int, Progress, Future[R]]] = deque()
    n_taken = 0
    ended = threading.Event()
    pool: ThreadPoolExecutor | None = None

    def heard(number: int, report: Progress) -> Progress:
        def tell(done: int, total: int) -> None:
            if ended.is_set():
                raise CancelledError("Another part of this computation has ended it.")
            if number == n_taken:
                report(done, total)

        return tell

    def first() -> R:
        nonlocal n_taken
        _, report, future = underway[0]
        result = future.result()
        underway.popleft()
        n_taken += 1
        report(1, 1)  # what it said last may have come too early to be heard
        return result

    try:
        for number, (part, report) in enumerate(parts):
            n = n_at_once()  # once: what is made right here must not overtake what is underway
            while underway and len(underway) >= n:
                yield first()
            if n == 1:
                yield make(part, report)
                n_taken += 1
                continue
            pool = pool or ThreadPoolExecutor(thread_name_prefix="lit_probe_ahead")
            underway.append((number, report, pool.submit(copy_context().run, make, part, heard(number, report))))
        while underway:
            yield first()
    finally:
        # Also where whoever asks has had enough. What has begun works on what is ours.
        ended.set()
        for _, _, future in underway:
            future.cancel()
        wait([future for _, _, future in underway])
        if pool is not None:
            pool.shutdown()
