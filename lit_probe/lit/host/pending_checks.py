"""Checks that are computed in the background once a panel asks for them: the page never waits for them."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Hashable
from typing import Any

from absl import logging

from lit_probe.encoder.cache import Cache
from lit_probe.errors import CancelledError, LitProbeError
from lit_probe.lit.host.messages import is_end_of_program, plain_message
from lit_probe.progress import Progress

Compute = Callable[[Progress], dict[str, Any]]


# A panel that waits asks every second. A browser slows the timers of a hidden tab down, to one a minute at the slowest.
PATIENCE_S = 150.0


class PendingChecks:
    """What the panels of one server have asked to be computed, with the results.

    There are two threads: one for what takes a second, and one for what fits probes. Each computes one thing after another, so
    no more than one long computation takes memory at a time, and a second's work never waits for minutes of it. What nobody has
    asked about for a while ends: the page has been left, closed or lost.

    Args:
      cache: where the computations may keep their results.
      patience_s: seconds without a question after which a computation is given up.

    Attributes:
      cache: where the computations may keep their results.
    """

    def __init__(self, cache: Cache | None = None, patience_s: float = PATIENCE_S):
        self.cache = cache or Cache(None)
        self._patience_s = patience_s
        self._checks: dict[Hashable, _PendingCheck] = {}
        self._lock = threading.Lock()
        self._quick, self._long = _Lane("lit_probe_quick_checks"), _Lane("lit_probe_long_checks")

    def ask(self, key: Hashable, title: str, compute: Compute, *, quick: bool) -> dict[str, Any]:
        """The result, or how far it is. Starts the computation if it is not under way; never waits for it.

        Args:
          key: what is computed; equal keys are computed once.
          title: what people read while it is computed.
          compute: gets a progress function, which raises ``CancelledError`` once the result is not wanted any more.
          quick: whether it takes about a second at most.

        Returns:
          ``status`` and, by status: ``ready`` the result; ``computing`` a ``message`` and the ``fraction`` done; ``failed`` the
          ``message``. A failure is told once: the next one who asks starts anew.
        """
        with self._lock:
            pending = self._checks.get(key)
            if pending is None or pending.forgotten:
                lane = self._quick if quick else self._long
                pending = self._checks[key] = _PendingCheck(title, compute, lane, self._patience_s)
                # Before it begins, so that the first to ask is always told that it is computed.
                status = pending.status()
                lane.put(pending)
                return status
            pending.asked()
            status = pending.status()
            if status["status"] == "failed":
                del self._checks[key]
        return status

    def cancel(self, key: Hashable, title: str) -> dict[str, Any]:
        """Ends the computation, at its next report of progress if it runs. What is ready stays so, and is returned."""
        with self._lock:
            pending = self._checks.get(key)
            if pending is not None:
                if pending.ready:
                    return pending.status()
                del self._checks[key]
                pending.cancel()
        return {"status": "cancelled", "message": f"{title} was cancelled."}

    def cancel_all(self) -> None:
        """Ends all that is waiting or running; nobody will ask for it again."""
        with self._lock:
            for pending in self._checks.values():
                pending.cancel()
            self._checks.clear()


class _PendingCheck:
    """One computation: waiting, running or over."""

    def __init__(self, title: str, compute: Compute, lane: _Lane, patience_s: float):
        self._title, self._compute, self._lane, self._patience_s = title, compute, lane, patience_s
        self._asked_at = time.monotonic()
        self._cancelled = threading.Event()
        self._fraction: float | None = None
        self._answer: dict[str, Any] | None = None

    @property
    def ready(self) -> bool:
        return self._answer is not None and self._answer["status"] == "ready"

    @property
    def forgotten(self) -> bool:
        """Whether it has been given up because nobody asked any more."""
        return self._cancelled.is_set()

    def asked(self) -> None:
        self._asked_at = time.monotonic()

    def status(self) -> dict[str, Any]:
        if self._answer is not None:
            return self._answer
        if self._fraction is None:
            others = self._lane.n_before(self)
            waits = f"waiting for {others} other computation{'' if others == 1 else 's'}" if others else "starting"
            return {"status": "computing", "message": f"{self._title}: {waits}", "fraction": 0.0}
        return {"status": "computing", "message": f"{self._title}: {self._fraction:.0%}", "fraction": self._fraction}

    def cancel(self) -> None:
        self._cancelled.set()
        self._lane.drop(self)

    def run(self) -> None:
        """Computes, and keeps the result or what went wrong; never raises."""
        try:
            self._report(0, 1)
            self._answer = {"status": "ready", **self._compute(self._report)}
        except LitProbeError as error:
            if not isinstance(error, CancelledError) and not is_end_of_program(error):
                logging.error("%s failed: %s", self._title, error)
            self._answer = {"status": "failed", "message": plain_message(str(error))}
        # Whatever else goes wrong must reach the panel, and must not end the thread that others wait for.
        except BaseException as error:
            if not is_end_of_program(error):
                logging.exception("%s failed unexpectedly", self._title)
            self._answer = {"status": "failed", "message": f"{self._title}: {type(error).__name__} (the log says more)."}

    def _report(self, done: int, total: int) -> None:
        if time.monotonic() - self._asked_at > self._patience_s:
            self._cancelled.set()
        if self._cancelled.is_set():
            raise CancelledError(f"{self._title} was cancelled.")
        self._fraction = min(done / total, 1.0) if total else 1.0


class _Lane:
    """Computations that one thread runs one after another. The thread lives while there is something to do."""

    def __init__(self, name: str):
        self._name = name
        self._waiting: deque[_PendingCheck] = deque()
        self._running: _PendingCheck | None = None
        self._at_work = False
        self._lock = threading.Lock()

    def put(self, check: _PendingCheck) -> None:
        with self._lock:
            self._waiting.append(check)
            idle, self._at_work = not self._at_work, True
        if idle:
            # A daemon, so that Ctrl-C need not wait: what is finished is in the cache already.
            threading.Thread(target=self._work, name=self._name, daemon=True).start()

    def drop(self, check: _PendingCheck) -> None:
        with self._lock:
            if check in self._waiting:
                self._waiting.remove(check)

    def n_before(self, check: _PendingCheck) -> int:
        with self._lock:
            if self._running is check:
                return 0
            ahead = self._waiting.index(check) if check in self._waiting else len(self._waiting)
            return ahead + (self._running is not None)

    def _work(self) -> None:
        while True:
            with self._lock:
                self._running = self._waiting.popleft() if self._waiting else None
                if self._running is None:
                    self._at_work = False
                    return
                running = self._running
            running.run()
