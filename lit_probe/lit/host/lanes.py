"""Computations that one thread runs one after another, fairly to those who wait for them."""

from __future__ import annotations

import threading
from collections.abc import Collection, Hashable
from typing import Protocol

from lit_probe.encoder.thread import in_background


class Job(Protocol):
    """Something to be computed for somebody."""

    @property
    def clients(self) -> Collection[Hashable]:
        """Those who wait for it: pages, and programs as one."""

    def run(self) -> None:
        """Computes it; never raises. It ends at once where nobody waits for it."""


class Lane:
    """One thread, which lives while there is something to do.

    Who has waited longest for a turn of theirs goes first, so that one page with many questions does not keep all others waiting:
    each page gets one computation after another, in the order in which it has asked.

    Args:
      name: of the thread.
      patience_s: how long each turn on the encoder's thread waits at most for what somebody waits for; see `in_background`.
    """

    def __init__(self, name: str, patience_s: float):
        self._name, self._patience_s = name, patience_s
        self._waiting: list[Job] = []
        self._running: Job | None = None
        self._served: dict[Hashable, int] = {}
        self._at_work = False
        self._lock = threading.Lock()

    def put(self, job: Job) -> None:
        """Takes a computation in."""
        with self._lock:
            self._waiting.append(job)
            idle, self._at_work = not self._at_work, True
        if idle:
            # A daemon, so that Ctrl-C need not wait: what is finished is in the cache already.
            threading.Thread(target=self._work, name=self._name, daemon=True).start()

    def drop(self, job: Job) -> None:
        """Forgets a computation that has not begun."""
        with self._lock:
            if job in self._waiting:
                self._waiting.remove(job)

    def in_order(self, with_one: Job | None = None) -> list[Job]:
        """What somebody waits for: what is running, then the others in the order in which they will run.

        Args:
          with_one: a computation that counts as taken in.
        """
        with self._lock:
            order = [] if self._running is None else [self._running]
            served, left = dict(self._served), list(self._waiting)
            left += [with_one] if with_one is not None and with_one not in [*order, *left] else []
            while left:
                order.append(_next_of(left, served))
                left.remove(order[-1])
        return [job for job in order if job.clients]

    def n_before(self, job: Job) -> int:
        """How many computations have to be done before this one, taken in or not: those that somebody still waits for."""
        order = self.in_order(job)
        return order.index(job) if job in order else 0

    def _work(self) -> None:
        with in_background(self._patience_s):
            while True:
                with self._lock:
                    self._running = _next_of(self._waiting, self._served) if self._waiting else None
                    if self._running is None:
                        self._at_work = False
                        self._served.clear()
                        return
                    self._waiting.remove(running := self._running)
                running.run()


def _next_of(waiting: list[Job], served: dict[Hashable, int]) -> Job:
    """The job whose turn it is, one or more waiting; notes whom it serves."""

    def last_served(job: Job) -> int:
        return min((served.get(client, -1) for client in job.clients), default=-1)

    chosen = min(waiting, key=last_served)  # of several the first that came
    number = len(served) and max(served.values()) + 1
    served.update(dict.fromkeys(chosen.clients, number))
    return chosen
