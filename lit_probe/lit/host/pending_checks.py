"""Checks that are computed in the background once a panel asks for them: the page never waits for them."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Hashable, Mapping
from itertools import takewhile
from typing import Any

from absl import logging

from lit_probe.encoder.cache import Cache
from lit_probe.errors import CancelledError, LitProbeError
from lit_probe.lit.host.asker import Asker
from lit_probe.lit.host.messages import is_end_of_program, plain_message
from lit_probe.progress import Progress

Compute = Callable[[Progress], dict[str, Any]]


# A panel that waits asks every second. A browser slows the timers of a hidden tab down, to one a minute at the slowest.
PATIENCE_S = 150.0
# A request of a page that has been left may still be on its way. So many pages are remembered.
_N_LEFT_PAGES = 1000


class NotReadyError(Exception):
    """Ends an answer that needs something which is still computed, which failed or was cancelled.

    Attributes:
      status: the answer in its place, see `PendingChecks.ask`.
    """

    def __init__(self, status: dict[str, Any]):
        super().__init__(status["status"])
        self.status = status


class PendingChecks:
    """What the panels of one server have asked to be computed, with the results.

    There are two threads: one for what takes a second, and one for what fits probes. Each computes one thing after another, so
    no more than one long computation takes memory at a time, and a second's work never waits for minutes of it.

    A computation goes on while somebody waits for it. Everybody who asks is remembered: a question of a page by its `Asker`,
    programs without a name all together. Who says that it left, who cancels, and who has not asked for a while waits no more; a
    computation that nobody waits for ends at its next report of progress, or is never begun.

    Args:
      cache: where the computations may keep their results.
      patience_s: seconds without a question after which somebody is taken to have gone: a browser may end a page without a word.

    Attributes:
      cache: where the computations may keep their results.
    """

    def __init__(self, cache: Cache | None = None, patience_s: float = PATIENCE_S):
        self.cache = cache or Cache(None)
        self._patience_s = patience_s
        self._checks: dict[Hashable, _PendingCheck] = {}
        self._left: deque[str] = deque(maxlen=_N_LEFT_PAGES)
        self._lock = threading.Lock()
        self._quick, self._long = _Lane("lit_probe_quick_checks"), _Lane("lit_probe_long_checks")

    def ask(self, key: Hashable, title: str, compute: Compute, *, quick: bool, asker: Asker | None = None) -> dict[str, Any]:
        """The result, or how far it is. Starts the computation if it is not under way; never waits for it.

        Args:
          key: what is computed; equal keys are computed once.
          title: what people read while it is computed.
          compute: gets a progress function, which raises ``CancelledError`` once the result is not wanted any more.
          quick: whether it takes about a second at most.
          asker: who waits for it from now on; None for a program, which does not say when it leaves.

        Returns:
          ``status`` and, by status: ``ready`` the result; ``computing`` a ``message`` and the ``fraction`` done; ``failed`` the
          ``message``. A failure is told once: the next one who asks starts anew.
        """
        with self._lock:
            if asker is not None and asker.page in self._left:
                # Nobody reads this, unless the browser has kept the page and brings it back: then it asks again, as another page.
                return _starting(title)
            pending = self._checks.get(key)
            if pending is None or pending.forgotten:
                lane = self._quick if quick else self._long
                pending = self._checks[key] = _PendingCheck(title, compute, lane, self._patience_s, asker)
                # Before it begins, so that the first to ask is always told that it is computed.
                status = pending.status()
                lane.put(pending)
                return status
            pending.asked(asker)
            status = pending.status()
            if status["status"] == "failed":
                del self._checks[key]
        return status

    def cancel(self, key: Hashable, title: str, asker: Asker | None = None) -> dict[str, Any]:
        """Lets the asker wait no more; the computation ends unless somebody else waits for it. What is ready is returned.

        Args:
          key: what is computed.
          title: what people read while it is computed.
          asker: who has cancelled; None ends it for everybody.
        """
        with self._lock:
            pending = self._checks.get(key)
            if pending is not None:
                if pending.ready:
                    return pending.status()
                self._release(key, pending, lambda one: asker in (None, one))
        return _cancelled(title)

    def finished(self) -> dict[Hashable, dict[str, Any]]:
        """The results that are ready, by what was computed."""
        with self._lock:
            return {key: pending.status() for key, pending in self._checks.items() if pending.ready}

    def leave(self, page: str, question: int | None = None) -> None:
        """Lets a page, or one question of it, wait no more.

        Args:
          page: whose name no later page has.
          question: the question that it has given up; None where the page has been left for good.
        """

        def leaves(asker: Asker | None) -> bool:
            return asker is not None and asker.page == page and question in (None, asker.question)

        with self._lock:
            if question is None:
                self._left.append(page)
            for key, pending in list(self._checks.items()):
                if not pending.over:
                    self._release(key, pending, leaves)

    def cancel_all(self) -> None:
        """Ends all that is waiting or running; nobody will ask for it again."""
        with self._lock:
            for pending in self._checks.values():
                pending.cancel()
            self._checks.clear()

    def _release(self, key: Hashable, pending: _PendingCheck, leaves: Callable[[Asker | None], bool]) -> None:
        """Lets those wait no more of whom it is said, and ends what nobody waits for then. Holds the lock."""
        if pending.release(leaves) and not pending.wanted:
            del self._checks[key]
            pending.cancel()


def _starting(title: str, waits: str = "starting") -> dict[str, Any]:
    return {"status": "computing", "message": f"{title}: {waits}", "fraction": 0.0}


def _cancelled(title: str) -> dict[str, Any]:
    return {"status": "cancelled", "message": f"{title} was cancelled."}


class _PendingCheck:
    """One computation: waiting, running or over."""

    def __init__(self, title: str, compute: Compute, lane: _Lane, patience_s: float, asker: Asker | None):
        self._title, self._compute, self._lane, self._patience_s = title, compute, lane, patience_s
        # When each of those who wait has asked last. Replaced and never changed, since the thread that computes reads it, too.
        self._asked_at: Mapping[Asker | None, float] = {}
        self.asked(asker)
        self._cancelled = threading.Event()
        self._fraction: float | None = None
        self._answer: dict[str, Any] | None = None

    @property
    def ready(self) -> bool:
        return self._answer is not None and self._answer["status"] == "ready"

    @property
    def over(self) -> bool:
        return self._answer is not None

    @property
    def forgotten(self) -> bool:
        """Whether it has been given up because nobody asked any more."""
        return self._cancelled.is_set()

    @property
    def wanted(self) -> bool:
        """Whether somebody waits for it."""
        return bool(self._waiting()) and not self.forgotten

    def asked(self, asker: Asker | None) -> None:
        self._asked_at = {**self._waiting(), asker: time.monotonic()}

    def release(self, leaves: Callable[[Asker | None], bool]) -> bool:
        """Lets those wait no more of whom ``leaves`` says so; whether there were some."""
        before = self._asked_at
        self._asked_at = {asker: at for asker, at in before.items() if not leaves(asker)}
        return len(self._asked_at) < len(before)

    def _waiting(self) -> dict[Asker | None, float]:
        """Those who have asked lately, each with the time."""
        now = time.monotonic()
        return {asker: at for asker, at in self._asked_at.items() if now - at <= self._patience_s}

    def status(self) -> dict[str, Any]:
        if self._answer is not None:
            return self._answer
        if self._fraction is None:
            others = self._lane.n_before(self)
            if not others:
                return _starting(self._title)
            return _starting(self._title, f"waiting for {others} other computation{'' if others == 1 else 's'}")
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
        # The answer stays; what it was computed from may go.
        del self._compute

    def _report(self, done: int, total: int) -> None:
        if not self.wanted:
            self._cancelled.set()
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
        """How many computations have to be done before this one: those that somebody still waits for."""
        with self._lock:
            if self._running is check:
                return 0
            ahead = [self._running, *takewhile(lambda one: one is not check, self._waiting)]
            return sum(one is not None and one.wanted for one in ahead)

    def _work(self) -> None:
        while True:
            with self._lock:
                self._running = self._waiting.popleft() if self._waiting else None
                if self._running is None:
                    self._at_work = False
                    return
                running = self._running
            running.run()
