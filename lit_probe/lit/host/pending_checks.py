"""Checks that are computed in the background once a panel asks for them: the page never waits for them."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Hashable, Mapping
from typing import Any

from absl import logging

from lit_probe.encoder.cache import Cache
from lit_probe.encoder.thread import PATIENCE_S as ENCODER_PATIENCE_S
from lit_probe.encoder.thread import give_way
from lit_probe.errors import CancelledError, LitProbeError
from lit_probe.lit.host.asker import Asker
from lit_probe.lit.host.lanes import Lane
from lit_probe.lit.host.messages import is_end_of_program, plain_message
from lit_probe.progress import Progress

Compute = Callable[[Progress], dict[str, Any]]


# A panel that waits asks every second. A browser slows the timers of a hidden tab down, to one a minute at the slowest.
PATIENCE_S = 150.0
# Programs ask as often as they like, but not so rarely.
_PROGRAM_PATIENCE_S = 60.0
# So many computations wait at most, and so many of one page: all panels of all our layouts together ask for about as many.
MAX_WAITING, MAX_OF_ONE = 64, 24
# And so many for pages at one address: a page makes its own name, and who makes up many leaves half of the places to others.
MAX_AT_ADDRESS = MAX_WAITING // 2
# So many results are kept, those that were asked for last.
_N_RESULTS = 256
# On the encoder's thread, where edits go first: what takes a second is waited for, too.
_QUICK_PATIENCE_S = 0.5
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
    no more than one long computation takes memory at a time, and a second's work never waits for minutes of it. Pages take turns.

    No more than ``max_waiting`` computations wait, no more than ``max_of_one`` for one page, or for all programs together, and no
    more than ``max_at_address`` for pages at one address, where addresses tell machines apart. Who asks for more hears that the
    server is busy, and asks again.

    A computation goes on while somebody waits for it. Everybody who asks is remembered: a question of a page by its `Asker`,
    programs without a name all together. Who says that it left, who cancels, and who has not asked for a while waits no more; a
    computation that nobody waits for ends at its next report of progress, or is never begun.

    Args:
      cache: where the computations may keep their results.
      patience_s: seconds without a question after which somebody is taken to have gone: a browser may end a page without a word.
        Programs are waited for a minute at most.
      max_waiting: how many computations may wait.
      max_of_one: how many of them one page may wait for.
      max_at_address: how many of them the pages at one address may wait for.

    Attributes:
      cache: where the computations may keep their results.
    """

    def __init__(
        self,
        cache: Cache | None = None,
        patience_s: float = PATIENCE_S,
        max_waiting: int = MAX_WAITING,
        max_of_one: int = MAX_OF_ONE,
        max_at_address: int = MAX_AT_ADDRESS,
    ):
        self.cache = cache or Cache(None)
        self._patience_s = patience_s
        self._max_waiting, self._max_of_one, self._max_at_address = max_waiting, max_of_one, max_at_address
        self._checks: dict[Hashable, _PendingCheck] = {}
        self._left: deque[str] = deque(maxlen=_N_LEFT_PAGES)
        self._lock = threading.Lock()
        self._quick = Lane("lit_probe_quick_checks", _QUICK_PATIENCE_S)
        self._long = Lane("lit_probe_long_checks", ENCODER_PATIENCE_S)

    def ask(self, key: Hashable, title: str, compute: Compute, *, quick: bool, asker: Asker | None = None) -> dict[str, Any]:
        """The result, or how far it is. Starts the computation if it is not under way; never waits for it.

        Args:
          key: what is computed; equal keys are computed once.
          title: what people read while it is computed.
          compute: gets a progress function, which raises ``CancelledError`` once the result is not wanted any more.
          quick: whether it takes about a second at most.
          asker: who waits for it from now on; None for a program, which does not say when it leaves.

        Returns:
          ``status`` and, by status: ``ready`` the result; ``computing`` a ``message`` and the ``fraction`` done, and while it
          waits its ``place`` (how many have to be done before); ``busy`` a ``message`` and the ``place`` that it would have;
          ``failed`` the ``message``. A failure is told once: the next one who asks starts anew.
        """
        with self._lock:
            if asker is not None and asker.page in self._left:
                # Nobody reads this, unless the browser has kept the page and brings it back: then it asks again, as another page.
                return _starting(title)
            pending = self._checks.get(key)
            if pending is None or pending.forgotten:
                lane = self._quick if quick else self._long
                if refusal := self._too_many(asker):
                    return {"status": "busy", "message": f"{title}: {refusal}", "place": len(lane.in_order())}
                pending = self._checks[key] = _PendingCheck(title, compute, lane, self._patience_s, asker)
                # Before it begins, so that the first to ask is always told that it is computed.
                status = pending.status()
                lane.put(pending)
                return status
            pending.asked(asker)
            status = pending.status()
            if status["status"] == "failed":
                del self._checks[key]
            elif pending.ready:
                self._checks[key] = self._checks.pop(key)  # asked for last
                self._forget_oldest()
        return status

    def cancel(self, key: Hashable, title: str, asker: Asker | None = None) -> dict[str, Any]:
        """Lets the asker wait no more; the computation ends unless somebody else waits for it. What is ready is returned.

        Args:
          key: what is computed.
          title: what people read while it is computed.
          asker: who has cancelled; None for a program, which cancels for all programs and for no page.
        """
        with self._lock:
            pending = self._checks.get(key)
            if pending is not None:
                if pending.ready:
                    return pending.status()
                self._release(key, pending, lambda one: _question(one) == _question(asker))
        return _cancelled(title)

    def listed(self, page: str | None = None) -> list[dict[str, Any]]:
        """What is computed and what waits, in the order in which it will be done, the quick ones first.

        Args:
          page: who asks.

        Returns:
          Of each its ``title``, the ``fraction`` done or None while it waits, its ``place`` (how many have to be done before),
          the ``questions`` of this page that wait for it, and how many ``others`` do: pages, and programs as one.
        """
        with self._lock:
            orders = [lane.in_order() for lane in (self._quick, self._long)]
            return [
                {"place": place, **one.listed(page)}
                for order in orders
                for place, one in enumerate(order)
                if isinstance(one, _PendingCheck)
            ]

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

    def _too_many(self, asker: Asker | None) -> str | None:
        """Why nothing more may wait; None where there is room. Holds the lock."""
        waiting = [one.askers for one in self._checks.values() if one.waits]
        client = _client(asker)
        own = sum(any(_client(one) == client for one in askers) for askers in waiting)
        if own >= self._max_of_one:
            who = "Programs wait" if asker is None else "This page waits"
            return f"{who} for {own} other computations already; this one is taken in when one of them has begun"
        if asker is not None and asker.address:
            here = sum(any(one is not None and one.address == asker.address for one in askers) for askers in waiting)
            if here >= self._max_at_address:
                return (
                    f"pages at your address wait for {here} other computations; this one is taken in when one of them has begun"
                )
        n = sum(bool(askers) for askers in waiting)
        return (
            f"the server is busy, {n} other computations wait; this one is taken in when there is room"
            if n >= self._max_waiting
            else None
        )

    def _forget_oldest(self) -> None:
        """Keeps the results that were asked for last. Holds the lock."""
        over = [key for key, one in self._checks.items() if one.over]
        for key in over[: max(0, len(over) - _N_RESULTS)]:
            del self._checks[key]

    def _release(self, key: Hashable, pending: _PendingCheck, leaves: Callable[[Asker | None], bool]) -> None:
        """Lets those wait no more of whom it is said, and ends what nobody waits for then. Holds the lock."""
        if pending.release(leaves) and not pending.wanted:
            del self._checks[key]
            pending.cancel()


def _client(asker: Asker | None) -> str | None:
    """The page that asks; None for programs, which are one client together."""
    return None if asker is None else asker.page


def _question(asker: Asker | None) -> tuple[str, int] | None:
    """What it is, from wherever it is asked: a machine may change its address meanwhile."""
    return None if asker is None else (asker.page, asker.question)


def _starting(title: str) -> dict[str, Any]:
    return {"status": "computing", "message": f"{title}: starting", "fraction": 0.0}


def _cancelled(title: str) -> dict[str, Any]:
    return {"status": "cancelled", "message": f"{title} was cancelled."}


class _PendingCheck:
    """One computation: waiting, running or over."""

    def __init__(self, title: str, compute: Compute, lane: Lane, patience_s: float, asker: Asker | None):
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
    def waits(self) -> bool:
        """Whether it is still to be begun."""
        return self._fraction is None and not self.over and not self.forgotten

    @property
    def clients(self) -> set[str | None]:
        """The pages that wait for it, and None for programs."""
        return {_client(asker) for asker in self.askers}

    @property
    def askers(self) -> set[Asker | None]:
        """Those who wait for it."""
        return set() if self.forgotten else set(self._waiting())

    def listed(self, page: str | None) -> dict[str, Any]:
        """See `PendingChecks.listed`."""
        askers = [asker for asker in self._waiting() if asker is not None]
        others = self.clients - {page} if page is not None else self.clients
        return {
            "title": self._title,
            "fraction": self._fraction,
            "questions": [asker.question for asker in askers if asker.page == page],
            "others": len(others),
        }

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
        program = min(self._patience_s, _PROGRAM_PATIENCE_S)
        return {asker: at for asker, at in self._asked_at.items() if now - at <= (program if asker is None else self._patience_s)}

    def status(self) -> dict[str, Any]:
        if self._answer is not None:
            return self._answer
        if self._fraction is None:
            others = self._lane.n_before(self)
            if not others:
                return _starting(self._title)
            waits = f"waiting for {others} other computation{'' if others == 1 else 's'}"
            return {"status": "computing", "message": f"{self._title}: {waits}", "fraction": 0.0, "place": others}
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
        give_way()
